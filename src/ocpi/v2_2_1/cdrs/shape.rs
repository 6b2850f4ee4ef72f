//! The tables of OCPI 2.2.1 mod_cdrs.

use crate::domain::charging_period::CdrDimensionType;
use crate::domain::session::AuthMethod;
use crate::ocpi::shape::{Class, Kind, many, one, optional, some, some_tolerated, tolerated};
use crate::ocpi::v2_2_1::locations::shape::{CONNECTOR_FORMATS, CONNECTOR_TYPES, POWER_TYPES};
use crate::ocpi::v2_2_1::tariffs::shape::TARIFF;
use crate::ocpi::v2_2_1::tokens::shape::TOKEN_TYPES;
use crate::ocpi::v2_2_1::types::{GEO_LOCATION, PRICE};

/// "AuthMethod".
pub(crate) const AUTH_METHODS: Kind = Kind::Word(AuthMethod::WORDS);

/// "CdrToken". The party came with 2.2.1 and older platforms leave it out.
pub(crate) static CDR_TOKEN: Class = Class {
    name: "CdrToken",
    fields: &[
        tolerated("country_code", Kind::Country),
        tolerated("party_id", Kind::Party),
        one("uid", Kind::CiText(36)),
        one("type", TOKEN_TYPES),
        one("contract_id", Kind::CiText(36)),
    ],
};

static CDR_DIMENSION: Class = Class {
    name: "CdrDimension",
    fields: &[one("type", Kind::Word(CdrDimensionType::WORDS)), one("volume", Kind::Number)],
};

/// "ChargingPeriod".
pub(crate) static CHARGING_PERIOD: Class = Class {
    name: "ChargingPeriod",
    fields: &[
        one("start_date_time", Kind::Time),
        some("dimensions", Kind::Object(&CDR_DIMENSION)),
        optional("tariff_id", Kind::CiText(36)),
    ],
};

static CDR_LOCATION: Class = Class {
    name: "CdrLocation",
    fields: &[
        one("id", Kind::CiText(36)),
        optional("name", Kind::Text(255)),
        one("address", Kind::Text(45)),
        one("city", Kind::Text(45)),
        optional("postal_code", Kind::Text(10)),
        optional("state", Kind::Text(20)),
        one("country", Kind::Text(3)),
        one("coordinates", Kind::Object(&GEO_LOCATION)),
        one("evse_uid", Kind::CiText(36)),
        one("evse_id", Kind::CiText(48)),
        one("connector_id", Kind::CiText(36)),
        one("connector_standard", CONNECTOR_TYPES),
        one("connector_format", CONNECTOR_FORMATS),
        one("connector_power_type", POWER_TYPES),
    ],
};

static SIGNED_VALUE: Class = Class {
    name: "SignedValue",
    fields: &[
        one("nature", Kind::CiText(32)),
        one("plain_data", Kind::Text(5000)),
        one("signed_data", Kind::Text(5000)),
    ],
};

static SIGNED_DATA: Class = Class {
    name: "SignedData",
    fields: &[
        one("encoding_method", Kind::CiText(36)),
        optional("encoding_method_version", Kind::Int(i64::MIN)),
        optional("public_key", Kind::Text(512)),
        some("signed_values", Kind::Object(&SIGNED_VALUE)),
        optional("url", Kind::Text(512)),
    ],
};

/// "CDR Object".
pub(super) static CDR: Class = Class {
    name: "CDR",
    fields: &[
        one("country_code", Kind::Country),
        one("party_id", Kind::Party),
        one("id", Kind::Key(39)),
        one("start_date_time", Kind::Time),
        one("end_date_time", Kind::Time),
        optional("session_id", Kind::CiText(36)),
        one("cdr_token", Kind::Object(&CDR_TOKEN)),
        one("auth_method", AUTH_METHODS),
        optional("authorization_reference", Kind::CiText(36)),
        one("cdr_location", Kind::Object(&CDR_LOCATION)),
        optional("meter_id", Kind::Text(255)),
        one("currency", Kind::Text(3)),
        many("tariffs", Kind::Object(&TARIFF)),
        some_tolerated("charging_periods", Kind::Object(&CHARGING_PERIOD)),
        optional("signed_data", Kind::Object(&SIGNED_DATA)),
        one("total_cost", Kind::Object(&PRICE)),
        optional("total_fixed_cost", Kind::Object(&PRICE)),
        one("total_energy", Kind::Number),
        optional("total_energy_cost", Kind::Object(&PRICE)),
        one("total_time", Kind::Number),
        optional("total_time_cost", Kind::Object(&PRICE)),
        optional("total_parking_time", Kind::Number),
        optional("total_parking_cost", Kind::Object(&PRICE)),
        optional("total_reservation_cost", Kind::Object(&PRICE)),
        optional("remark", Kind::Text(255)),
        optional("invoice_reference_id", Kind::CiText(39)),
        optional("credit", Kind::Bool),
        optional("credit_reference_id", Kind::CiText(39)),
        optional("home_charging_compensation", Kind::Bool),
        one("last_updated", Kind::Time),
    ],
};
