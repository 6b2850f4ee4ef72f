//! Location, EVSE and Connector on the wire (OCPI 2.2.1 mod_locations).

use super::shape::{CONNECTOR, EVSE, LOCATION};
use crate::domain::location::{
    AdditionalGeoLocation, BusinessDetails, DisplayText, EnergyMix, EvseStatus, GeoLocation, Hours, Image,
    PublishToken, StatusSchedule,
};
use crate::domain::{CiString, Extra, Timestamp};
use crate::ocpi::shape::Class;
use crate::ocpi::wire::Wire;
use serde::{Deserialize, Serialize};

/// "Connector object". What the specification requires but its own example of a PUT leaves out may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// Unique within its EVSE.
    pub id: CiString,
    /// ConnectorType.
    pub standard: String,
    /// ConnectorFormat.
    pub format: String,
    /// PowerType.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_type: Option<String>,
    /// Volt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_voltage: Option<i64>,
    /// Ampere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amperage: Option<i64>,
    /// Watt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_electric_power: Option<i64>,
    /// Tariffs that apply now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff_ids: Option<Vec<CiString>>,
    /// URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_and_conditions: Option<String>,
    /// By the owner's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "EVSE Object".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evse {
    /// Unique within the CPO.
    pub uid: CiString,
    /// eMI3 id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evse_id: Option<CiString>,
    /// Status.
    pub status: EvseStatus,
    /// Planned states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_schedule: Option<Vec<StatusSchedule>>,
    /// Capability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// At least one by the specification; some platforms send none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectors: Option<Vec<Connector>>,
    /// In a garage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_level: Option<String>,
    /// Its own place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<GeoLocation>,
    /// As painted on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_reference: Option<String>,
    /// How to get there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directions: Option<Vec<DisplayText>>,
    /// ParkingRestriction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parking_restrictions: Option<Vec<String>>,
    /// Pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<Vec<Image>>,
    /// By the owner's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "Location Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// The CPO that owns it.
    pub country_code: CiString,
    /// The CPO that owns it.
    pub party_id: CiString,
    /// Unique within the CPO.
    pub id: CiString,
    /// Whether it may be shown to everybody.
    pub publish: bool,
    /// Who may see it if not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_allowed_to: Option<Vec<PublishToken>>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Street and number.
    pub address: String,
    /// Town.
    pub city: String,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// ISO 3166-1 alpha-3.
    pub country: String,
    /// Where on earth.
    pub coordinates: GeoLocation,
    /// Places that belong to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_locations: Option<Vec<AdditionalGeoLocation>>,
    /// ParkingType.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parking_type: Option<String>,
    /// Its EVSEs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evses: Option<Vec<Evse>>,
    /// How to get there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directions: Option<Vec<DisplayText>>,
    /// Who operates it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<BusinessDetails>,
    /// Who operates it for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suboperator: Option<BusinessDetails>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<BusinessDetails>,
    /// Facility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facilities: Option<Vec<String>>,
    /// IANA zone.
    pub time_zone: String,
    /// When it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening_times: Option<Hours>,
    /// Charging goes on while it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_when_closed: Option<bool>,
    /// Pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<Vec<Image>>,
    /// Where the energy comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_mix: Option<EnergyMix>,
    /// By the owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Wire for Location {
    const CLASS: &'static Class = &LOCATION;
}
impl Wire for Evse {
    const CLASS: &'static Class = &EVSE;
}
impl Wire for Connector {
    const CLASS: &'static Class = &CONNECTOR;
}
