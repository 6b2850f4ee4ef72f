//! Classes that several modules share (OCPI 2.2.1 types, mod_locations); their Rust types are those of the
//! domain, whose shape is the same.

use crate::domain::location::{DisplayText, EnergyMix, GeoLocation};
use crate::domain::party::Role;
use crate::domain::tariff::Price;
use crate::ocpi::shape::{Class, Kind, many, one, optional};
use crate::ocpi::wire::Wire;

/// types, "DisplayText".
pub static DISPLAY_TEXT: Class =
    Class { name: "DisplayText", fields: &[one("language", Kind::Text(2)), one("text", Kind::Text(512))] };
impl Wire for DisplayText {
    const CLASS: &'static Class = &DISPLAY_TEXT;
}

/// types, "Price".
pub static PRICE: Class =
    Class { name: "Price", fields: &[one("excl_vat", Kind::Number), optional("incl_vat", Kind::Number)] };
impl Wire for Price {
    const CLASS: &'static Class = &PRICE;
}

/// types, "Role".
pub const ROLES: Kind = Kind::Word(Role::WORDS);

/// mod_locations, "GeoLocation".
pub static GEO_LOCATION: Class = Class {
    name: "GeoLocation",
    fields: &[one("latitude", Kind::Text(10)), one("longitude", Kind::Text(11))],
};
impl Wire for GeoLocation {
    const CLASS: &'static Class = &GEO_LOCATION;
}

/// mod_locations, "ImageCategory".
pub const IMAGE_CATEGORIES: Kind =
    Kind::Word(&["CHARGER", "ENTRANCE", "LOCATION", "NETWORK", "OPERATOR", "OTHER", "OWNER"]);

/// mod_locations, "Image".
pub static IMAGE: Class = Class {
    name: "Image",
    fields: &[
        one("url", Kind::Url),
        optional("thumbnail", Kind::Url),
        one("category", IMAGE_CATEGORIES),
        one("type", Kind::CiText(4)),
        optional("width", Kind::Int(0)),
        optional("height", Kind::Int(0)),
    ],
};

/// mod_locations, "BusinessDetails".
pub static BUSINESS_DETAILS: Class = Class {
    name: "BusinessDetails",
    fields: &[
        one("name", Kind::Text(100)),
        optional("website", Kind::Url),
        optional("logo", Kind::Object(&IMAGE)),
    ],
};

/// mod_locations, "EnergySource".
pub static ENERGY_SOURCE: Class = Class {
    name: "EnergySource",
    fields: &[
        one(
            "source",
            Kind::Word(&[
                "NUCLEAR",
                "GENERAL_FOSSIL",
                "COAL",
                "GAS",
                "GENERAL_GREEN",
                "SOLAR",
                "WIND",
                "WATER",
            ]),
        ),
        one("percentage", Kind::Number),
    ],
};

/// mod_locations, "EnvironmentalImpact".
pub static ENVIRONMENTAL_IMPACT: Class = Class {
    name: "EnvironmentalImpact",
    fields: &[one("category", Kind::Word(&["NUCLEAR_WASTE", "CARBON_DIOXIDE"])), one("amount", Kind::Number)],
};

/// mod_locations, "EnergyMix".
pub static ENERGY_MIX: Class = Class {
    name: "EnergyMix",
    fields: &[
        one("is_green_energy", Kind::Bool),
        many("energy_sources", Kind::Object(&ENERGY_SOURCE)),
        many("environ_impact", Kind::Object(&ENVIRONMENTAL_IMPACT)),
        optional("supplier_name", Kind::Text(64)),
        optional("energy_product_name", Kind::Text(64)),
    ],
};
impl Wire for EnergyMix {
    const CLASS: &'static Class = &ENERGY_MIX;
}
