//! The tables of OCPI 2.2.1 mod_locations.

use crate::domain::location::{EvseStatus, Hours};
use crate::ocpi::shape::{Class, Kind, many, one, optional, some_tolerated, tolerated};
use crate::ocpi::v2_2_1::tokens::shape::TOKEN_TYPES;
use crate::ocpi::v2_2_1::types::{BUSINESS_DETAILS, DISPLAY_TEXT, ENERGY_MIX, GEO_LOCATION, IMAGE};
use crate::ocpi::wire::Wire;

const STATUSES: Kind = Kind::Word(EvseStatus::WORDS);

const CAPABILITIES: Kind = Kind::Word(&[
    "CHARGING_PROFILE_CAPABLE",
    "CHARGING_PREFERENCES_CAPABLE",
    "CHIP_CARD_SUPPORT",
    "CONTACTLESS_CARD_SUPPORT",
    "CREDIT_CARD_PAYABLE",
    "DEBIT_CARD_PAYABLE",
    "PED_TERMINAL",
    "REMOTE_START_STOP_CAPABLE",
    "RESERVABLE",
    "RFID_READER",
    "START_SESSION_CONNECTOR_REQUIRED",
    "TOKEN_GROUP_CAPABLE",
    "UNLOCK_CAPABLE",
]);

/// mod_locations, "ConnectorFormat".
pub(crate) const CONNECTOR_FORMATS: Kind = Kind::Word(&["SOCKET", "CABLE"]);

/// mod_locations, "ConnectorType".
pub(crate) const CONNECTOR_TYPES: Kind = Kind::Word(&[
    "CHADEMO",
    "CHAOJI",
    "DOMESTIC_A",
    "DOMESTIC_B",
    "DOMESTIC_C",
    "DOMESTIC_D",
    "DOMESTIC_E",
    "DOMESTIC_F",
    "DOMESTIC_G",
    "DOMESTIC_H",
    "DOMESTIC_I",
    "DOMESTIC_J",
    "DOMESTIC_K",
    "DOMESTIC_L",
    "DOMESTIC_M",
    "DOMESTIC_N",
    "DOMESTIC_O",
    "GBT_AC",
    "GBT_DC",
    "IEC_60309_2_single_16",
    "IEC_60309_2_three_16",
    "IEC_60309_2_three_32",
    "IEC_60309_2_three_64",
    "IEC_62196_T1",
    "IEC_62196_T1_COMBO",
    "IEC_62196_T2",
    "IEC_62196_T2_COMBO",
    "IEC_62196_T3A",
    "IEC_62196_T3C",
    "NEMA_5_20",
    "NEMA_6_30",
    "NEMA_6_50",
    "NEMA_10_30",
    "NEMA_10_50",
    "NEMA_14_30",
    "NEMA_14_50",
    "PANTOGRAPH_BOTTOM_UP",
    "PANTOGRAPH_TOP_DOWN",
    "TESLA_R",
    "TESLA_S",
]);

/// mod_locations, "PowerType".
pub(crate) const POWER_TYPES: Kind =
    Kind::Word(&["AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"]);

const FACILITIES: Kind = Kind::Word(&[
    "HOTEL",
    "RESTAURANT",
    "CAFE",
    "MALL",
    "SUPERMARKET",
    "SPORT",
    "RECREATION_AREA",
    "NATURE",
    "MUSEUM",
    "BIKE_SHARING",
    "BUS_STOP",
    "TAXI_STAND",
    "TRAM_STOP",
    "METRO_STATION",
    "TRAIN_STATION",
    "AIRPORT",
    "PARKING_LOT",
    "CARPOOL_PARKING",
    "FUEL_STATION",
    "WIFI",
]);

const PARKING_RESTRICTIONS: Kind =
    Kind::Word(&["EV_ONLY", "PLUGGED", "DISABLED", "CUSTOMERS", "MOTORCYCLES"]);

const PARKING_TYPES: Kind = Kind::Word(&[
    "ALONG_MOTORWAY",
    "PARKING_GARAGE",
    "PARKING_LOT",
    "ON_DRIVEWAY",
    "ON_STREET",
    "UNDERGROUND_GARAGE",
]);

static ADDITIONAL_GEO_LOCATION: Class = Class {
    name: "AdditionalGeoLocation",
    fields: &[
        one("latitude", Kind::Text(10)),
        one("longitude", Kind::Text(11)),
        optional("name", Kind::Object(&DISPLAY_TEXT)),
    ],
};

static REGULAR_HOURS: Class = Class {
    name: "RegularHours",
    fields: &[
        one("weekday", Kind::Int(1)),
        one("period_begin", Kind::TimeOfDay),
        one("period_end", Kind::TimeOfDay),
    ],
};

static EXCEPTIONAL_PERIOD: Class = Class {
    name: "ExceptionalPeriod",
    fields: &[one("period_begin", Kind::Time), one("period_end", Kind::Time)],
};

pub(super) static HOURS: Class = Class {
    name: "Hours",
    fields: &[
        one("twentyfourseven", Kind::Bool),
        many("regular_hours", Kind::Object(&REGULAR_HOURS)),
        many("exceptional_openings", Kind::Object(&EXCEPTIONAL_PERIOD)),
        many("exceptional_closings", Kind::Object(&EXCEPTIONAL_PERIOD)),
    ],
};
impl Wire for Hours {
    const CLASS: &'static Class = &HOURS;
}

static PUBLISH_TOKEN: Class = Class {
    name: "PublishTokenType",
    fields: &[
        optional("uid", Kind::CiText(36)),
        optional("type", TOKEN_TYPES),
        optional("visual_number", Kind::Text(64)),
        optional("issuer", Kind::Text(64)),
        optional("group_id", Kind::CiText(36)),
    ],
};

static STATUS_SCHEDULE: Class = Class {
    name: "StatusSchedule",
    fields: &[one("period_begin", Kind::Time), optional("period_end", Kind::Time), one("status", STATUSES)],
};

pub(super) static CONNECTOR: Class = Class {
    name: "Connector",
    fields: &[
        one("id", Kind::Key(36)),
        one("standard", CONNECTOR_TYPES),
        one("format", CONNECTOR_FORMATS),
        tolerated("power_type", POWER_TYPES),
        tolerated("max_voltage", Kind::Int(0)),
        tolerated("max_amperage", Kind::Int(0)),
        optional("max_electric_power", Kind::Int(0)),
        many("tariff_ids", Kind::CiText(36)),
        optional("terms_and_conditions", Kind::Url),
        tolerated("last_updated", Kind::Time),
    ],
};

pub(super) static EVSE: Class = Class {
    name: "EVSE",
    fields: &[
        one("uid", Kind::Key(36)),
        optional("evse_id", Kind::CiText(48)),
        one("status", STATUSES),
        many("status_schedule", Kind::Object(&STATUS_SCHEDULE)),
        many("capabilities", CAPABILITIES),
        some_tolerated("connectors", Kind::Object(&CONNECTOR)),
        optional("floor_level", Kind::Text(4)),
        optional("coordinates", Kind::Object(&GEO_LOCATION)),
        optional("physical_reference", Kind::Text(16)),
        many("directions", Kind::Object(&DISPLAY_TEXT)),
        many("parking_restrictions", PARKING_RESTRICTIONS),
        many("images", Kind::Object(&IMAGE)),
        tolerated("last_updated", Kind::Time),
    ],
};

pub(super) static LOCATION: Class = Class {
    name: "Location",
    fields: &[
        one("country_code", Kind::Country),
        one("party_id", Kind::Party),
        one("id", Kind::Key(36)),
        one("publish", Kind::Bool),
        many("publish_allowed_to", Kind::Object(&PUBLISH_TOKEN)),
        optional("name", Kind::Text(255)),
        one("address", Kind::Text(255)),
        one("city", Kind::Text(45)),
        optional("postal_code", Kind::Text(10)),
        optional("state", Kind::Text(45)),
        one("country", Kind::Text(3)),
        one("coordinates", Kind::Object(&GEO_LOCATION)),
        many("related_locations", Kind::Object(&ADDITIONAL_GEO_LOCATION)),
        optional("parking_type", PARKING_TYPES),
        many("evses", Kind::Object(&EVSE)),
        many("directions", Kind::Object(&DISPLAY_TEXT)),
        optional("operator", Kind::Object(&BUSINESS_DETAILS)),
        optional("suboperator", Kind::Object(&BUSINESS_DETAILS)),
        optional("owner", Kind::Object(&BUSINESS_DETAILS)),
        many("facilities", FACILITIES),
        one("time_zone", Kind::TimeZone),
        optional("opening_times", Kind::Object(&HOURS)),
        optional("charging_when_closed", Kind::Bool),
        many("images", Kind::Object(&IMAGE)),
        optional("energy_mix", Kind::Object(&ENERGY_MIX)),
        one("last_updated", Kind::Time),
    ],
};
