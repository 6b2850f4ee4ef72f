//! The tables of OCPI 2.2.1 mod_tokens.

use crate::domain::token::{Allowed, LocationReferences, Whitelist};
use crate::ocpi::shape::{Class, Kind, many, one, optional};
use crate::ocpi::v2_2_1::types::DISPLAY_TEXT;
use crate::ocpi::wire::Wire;

/// mod_sessions, "ProfileType".
pub(crate) const PROFILE_TYPES: Kind = Kind::Word(&["CHEAP", "FAST", "GREEN", "REGULAR"]);

static ENERGY_CONTRACT: Class = Class {
    name: "EnergyContract",
    fields: &[one("supplier_name", Kind::Text(64)), optional("contract_id", Kind::Text(64))],
};

/// "TokenType". The words of this version: the domain knows those of later ones too.
pub(crate) const TOKEN_TYPES: Kind = Kind::Word(&["AD_HOC_USER", "APP_USER", "OTHER", "RFID"]);

/// "Token Object".
pub(crate) static TOKEN: Class = Class {
    name: "Token",
    fields: &[
        one("country_code", Kind::Country),
        one("party_id", Kind::Party),
        one("uid", Kind::Key(36)),
        one("type", TOKEN_TYPES),
        one("contract_id", Kind::CiText(36)),
        optional("visual_number", Kind::Text(64)),
        one("issuer", Kind::Text(64)),
        optional("group_id", Kind::CiText(36)),
        one("valid", Kind::Bool),
        one("whitelist", Kind::Word(Whitelist::WORDS)),
        optional("language", Kind::Text(2)),
        optional("default_profile_type", PROFILE_TYPES),
        optional("energy_contract", Kind::Object(&ENERGY_CONTRACT)),
        one("last_updated", Kind::Time),
    ],
};

pub(super) static LOCATION_REFERENCES: Class = Class {
    name: "LocationReferences",
    fields: &[one("location_id", Kind::Key(36)), many("evse_uids", Kind::CiText(36))],
};
impl Wire for LocationReferences {
    const CLASS: &'static Class = &LOCATION_REFERENCES;
}

pub(super) static AUTHORIZATION_INFO: Class = Class {
    name: "AuthorizationInfo",
    fields: &[
        one("allowed", Kind::Word(Allowed::WORDS)),
        one("token", Kind::Object(&TOKEN)),
        optional("location", Kind::Object(&LOCATION_REFERENCES)),
        optional("authorization_reference", Kind::CiText(36)),
        optional("info", Kind::Object(&DISPLAY_TEXT)),
    ],
};
