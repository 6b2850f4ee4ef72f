//! The tables of OCPI 2.2.1 version_information_endpoint.

use crate::domain::partner::InterfaceRole;
use crate::ocpi::shape::{Class, Kind, one, some, tolerated};

/// "Version".
pub(super) static VERSION: Class =
    Class { name: "Version", fields: &[one("version", Kind::Text(10)), one("url", Kind::Url)] };

/// "Endpoint". The list of modules is open, also to custom ones; the role came with 2.2 and says nothing for
/// credentials.
static ENDPOINT: Class = Class {
    name: "Endpoint",
    fields: &[
        one("identifier", Kind::Text(255)),
        tolerated("role", Kind::Word(InterfaceRole::WORDS)),
        one("url", Kind::Url),
    ],
};

/// "Version details".
pub(super) static VERSION_DETAILS: Class = Class {
    name: "VersionDetails",
    fields: &[one("version", Kind::Text(10)), some("endpoints", Kind::Object(&ENDPOINT))],
};
