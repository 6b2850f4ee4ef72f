//! The tables of OCPI 2.2.1 mod_sessions.

use crate::domain::session::SessionStatus;
use crate::ocpi::shape::{Class, Kind, many, one, optional};
use crate::ocpi::v2_2_1::cdrs::shape::{AUTH_METHODS, CDR_TOKEN, CHARGING_PERIOD};
use crate::ocpi::v2_2_1::tokens::shape::PROFILE_TYPES;
use crate::ocpi::v2_2_1::types::PRICE;

/// "Session Object".
pub(super) static SESSION: Class = Class {
    name: "Session",
    fields: &[
        one("country_code", Kind::Country),
        one("party_id", Kind::Party),
        one("id", Kind::Key(36)),
        one("start_date_time", Kind::Time),
        optional("end_date_time", Kind::Time),
        one("kwh", Kind::Number),
        one("cdr_token", Kind::Object(&CDR_TOKEN)),
        one("auth_method", AUTH_METHODS),
        optional("authorization_reference", Kind::CiText(36)),
        one("location_id", Kind::CiText(36)),
        one("evse_uid", Kind::CiText(36)),
        one("connector_id", Kind::CiText(36)),
        optional("meter_id", Kind::Text(255)),
        one("currency", Kind::Text(3)),
        many("charging_periods", Kind::Object(&CHARGING_PERIOD)),
        optional("total_cost", Kind::Object(&PRICE)),
        one("status", Kind::Word(SessionStatus::WORDS)),
        one("last_updated", Kind::Time),
    ],
};

/// "ChargingPreferences Object".
pub(super) static CHARGING_PREFERENCES: Class = Class {
    name: "ChargingPreferences",
    fields: &[
        one("profile_type", PROFILE_TYPES),
        optional("departure_time", Kind::Time),
        optional("energy_need", Kind::Number),
        optional("discharge_allowed", Kind::Bool),
    ],
};
