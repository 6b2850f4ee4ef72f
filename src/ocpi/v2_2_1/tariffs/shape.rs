//! The tables of OCPI 2.2.1 mod_tariffs.

use crate::domain::tariff::{DayOfWeek, ReservationRestriction, TariffDimension, TariffType};
use crate::ocpi::shape::{Class, Kind, many, one, optional, some, tolerated};
use crate::ocpi::v2_2_1::types::{DISPLAY_TEXT, ENERGY_MIX, PRICE};

static PRICE_COMPONENT: Class = Class {
    name: "PriceComponent",
    fields: &[
        one("type", Kind::Word(TariffDimension::WORDS)),
        one("price", Kind::Number),
        optional("vat", Kind::Number),
        one("step_size", Kind::Int(0)),
    ],
};

static TARIFF_RESTRICTIONS: Class = Class {
    name: "TariffRestrictions",
    fields: &[
        optional("start_time", Kind::TimeOfDay),
        optional("end_time", Kind::TimeOfDay),
        optional("start_date", Kind::Text(10)),
        optional("end_date", Kind::Text(10)),
        optional("min_kwh", Kind::Number),
        optional("max_kwh", Kind::Number),
        optional("min_current", Kind::Number),
        optional("max_current", Kind::Number),
        optional("min_power", Kind::Number),
        optional("max_power", Kind::Number),
        optional("min_duration", Kind::Int(0)),
        optional("max_duration", Kind::Int(0)),
        many("day_of_week", Kind::Word(DayOfWeek::WORDS)),
        optional("reservation", Kind::Word(ReservationRestriction::WORDS)),
    ],
};

static TARIFF_ELEMENT: Class = Class {
    name: "TariffElement",
    fields: &[
        some("price_components", Kind::Object(&PRICE_COMPONENT)),
        optional("restrictions", Kind::Object(&TARIFF_RESTRICTIONS)),
    ],
};

/// "Tariff Object". Within a CDR some platforms leave out whose it is.
pub(crate) static TARIFF: Class = Class {
    name: "Tariff",
    fields: &[
        tolerated("country_code", Kind::Country),
        tolerated("party_id", Kind::Party),
        one("id", Kind::Key(36)),
        one("currency", Kind::Text(3)),
        optional("type", Kind::Word(TariffType::WORDS)),
        many("tariff_alt_text", Kind::Object(&DISPLAY_TEXT)),
        optional("tariff_alt_url", Kind::Url),
        optional("min_price", Kind::ObjectOrKept(&PRICE)),
        optional("max_price", Kind::ObjectOrKept(&PRICE)),
        some("elements", Kind::Object(&TARIFF_ELEMENT)),
        optional("start_date_time", Kind::Time),
        optional("end_date_time", Kind::Time),
        optional("energy_mix", Kind::Object(&ENERGY_MIX)),
        tolerated("last_updated", Kind::Time),
    ],
};
