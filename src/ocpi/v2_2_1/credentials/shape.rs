//! The tables of OCPI 2.2.1 credentials.

use crate::ocpi::shape::{Class, Kind, one, some};
use crate::ocpi::v2_2_1::types::{BUSINESS_DETAILS, ROLES};

static CREDENTIALS_ROLE: Class = Class {
    name: "CredentialsRole",
    fields: &[
        one("role", ROLES),
        one("business_details", Kind::Object(&BUSINESS_DETAILS)),
        one("party_id", Kind::Party),
        one("country_code", Kind::Country),
    ],
};

pub(super) static CREDENTIALS: Class = Class {
    name: "Credentials",
    fields: &[
        one("token", Kind::Text(64)),
        one("url", Kind::Url),
        some("roles", Kind::Object(&CREDENTIALS_ROLE)),
    ],
};
