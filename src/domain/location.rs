//! Locations, EVSEs and connectors (OCPI 2.2.1 mod_locations).

use super::open_enum::open_enum;
use super::party::PartyId;
use super::values::{CiString, Extra, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A text in a language (OCPI 2.2.1 types, "DisplayText").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisplayText {
    /// ISO 639-1.
    pub language: String,
    /// The text, without markup.
    pub text: String,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A place on earth, in decimal degrees as text, so that the sender's digits stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeoLocation {
    /// Latitude.
    pub latitude: String,
    /// Longitude.
    pub longitude: String,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A place that belongs to a location, e.g. its entrance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdditionalGeoLocation {
    /// Latitude.
    pub latitude: String,
    /// Longitude.
    pub longitude: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<DisplayText>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where it is.
    pub url: String,
    /// A small one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// What it shows.
    pub category: String,
    /// `png`, `jpeg`, …
    #[serde(rename = "type")]
    pub image_type: CiString,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A company (OCPI 2.2.1 mod_locations, "BusinessDetails").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessDetails {
    /// Its name.
    pub name: String,
    /// Its website.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Its logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Image>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A share of the energy mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnergySource {
    /// From what.
    pub source: String,
    /// Percent.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub percentage: Decimal,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What the energy leaves behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentalImpact {
    /// Of what.
    pub category: String,
    /// g/kWh.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub amount: Decimal,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Where the energy comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnergyMix {
    /// All from regenerative sources.
    pub is_green_energy: bool,
    /// Shares; missing and empty are told apart, as the sender did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_sources: Option<Vec<EnergySource>>,
    /// Impact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environ_impact: Option<Vec<EnvironmentalImpact>>,
    /// Supplier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier_name: Option<String>,
    /// Product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_product_name: Option<String>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Opening hours of a weekday, local time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegularHours {
    /// Monday is 1, Sunday 7.
    pub weekday: u8,
    /// `HH:MM`.
    pub period_begin: String,
    /// `HH:MM`.
    pub period_end: String,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An exception from the opening hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionalPeriod {
    /// From.
    pub period_begin: Timestamp,
    /// To.
    pub period_end: Timestamp,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// When a location is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Always, but for the exceptions.
    pub twentyfourseven: bool,
    /// By weekday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regular_hours: Option<Vec<RegularHours>>,
    /// Open all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptional_openings: Option<Vec<ExceptionalPeriod>>,
    /// Closed all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceptional_closings: Option<Vec<ExceptionalPeriod>>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Whose drivers may see a location that is not published (OCPI 2.2.1 mod_locations, "PublishTokenType").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishToken {
    /// Token uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<CiString>,
    /// Token type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<super::token::TokenType>,
    /// As printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visual_number: Option<String>,
    /// Issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<CiString>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

open_enum! {
    /// State of an EVSE (OCPI 2.2.1 mod_locations, "Status").
    pub enum EvseStatus {
        /// Ready for the next car.
        Available = "AVAILABLE",
        /// Something stands in the way, e.g. a car.
        Blocked = "BLOCKED",
        /// In use.
        Charging = "CHARGING",
        /// Not in service, not broken.
        Inoperative = "INOPERATIVE",
        /// Broken.
        OutOfOrder = "OUTOFORDER",
        /// Will come.
        Planned = "PLANNED",
        /// Gone for good.
        Removed = "REMOVED",
        /// Kept for a driver.
        Reserved = "RESERVED",
        /// Not known, also while offline.
        Unknown = "UNKNOWN",
    }
}

/// A planned change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSchedule {
    /// From.
    pub period_begin: Timestamp,
    /// To, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_end: Option<Timestamp>,
    /// The state then.
    pub status: EvseStatus,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A connector. The words for standard, format and power type are descriptions that nothing here computes
/// with, so they are kept as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// Unique within its EVSE.
    pub id: CiString,
    /// e.g. `IEC_62196_T2`.
    pub standard: String,
    /// `SOCKET` or `CABLE`.
    pub format: String,
    /// e.g. `AC_3_PHASE`.
    pub power_type: String,
    /// Volt, line to neutral for three phases.
    pub max_voltage: i64,
    /// Ampere.
    pub max_amperage: i64,
    /// Watt.
    pub max_electric_power: Option<i64>,
    /// Tariffs that apply now; missing and empty are told apart.
    pub tariff_ids: Option<Vec<CiString>>,
    /// Terms and conditions.
    pub terms_and_conditions: Option<String>,
    /// When it was last changed, by its owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    pub extra: Extra,
}

impl Connector {
    /// What it can give, W: as its owner says, or else what voltage and current allow (OCPI 2.2.1 mod_locations,
    /// "Connector Object": the voltage of three phases is that from line to neutral). Never negative.
    #[must_use]
    pub fn most_watts(&self) -> i64 {
        let electrical = || {
            let phases = match self.power_type.as_str() {
                "AC_3_PHASE" => 3,
                "AC_2_PHASE" | "AC_2_PHASE_SPLIT" => 2,
                _ => 1,
            };
            self.max_voltage.saturating_mul(self.max_amperage).saturating_mul(phases)
        };
        self.max_electric_power.unwrap_or_else(electrical).max(0)
    }
}

/// An EVSE: what charges one car at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evse {
    /// Unique within the CPO, never changed.
    pub uid: CiString,
    /// eMI3 id, printed on the device.
    pub evse_id: Option<CiString>,
    /// Its state.
    pub status: EvseStatus,
    /// Planned states.
    pub status_schedule: Option<Vec<StatusSchedule>>,
    /// e.g. `RFID_READER`.
    pub capabilities: Option<Vec<String>>,
    /// At least one.
    pub connectors: Vec<Connector>,
    /// In a garage.
    pub floor_level: Option<String>,
    /// Its own place.
    pub coordinates: Option<GeoLocation>,
    /// As painted on it.
    pub physical_reference: Option<String>,
    /// How to get there.
    pub directions: Option<Vec<DisplayText>>,
    /// e.g. `EV_ONLY`.
    pub parking_restrictions: Option<Vec<String>>,
    /// Pictures.
    pub images: Option<Vec<Image>>,
    /// When it or a connector was last changed, by its owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    pub extra: Extra,
}

/// A location: one or more EVSEs at an address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// The CPO that owns it.
    pub party: PartyId,
    /// At most 36 characters, never changed.
    pub id: CiString,
    /// Whether it may be shown to everybody.
    pub publish: bool,
    /// Who may see it if not published.
    pub publish_allowed_to: Option<Vec<PublishToken>>,
    /// Its name.
    pub name: Option<String>,
    /// Street and number.
    pub address: String,
    /// Town.
    pub city: String,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State or province.
    pub state: Option<String>,
    /// ISO 3166-1 alpha-3.
    pub country: String,
    /// Where on earth.
    pub coordinates: GeoLocation,
    /// Places that belong to it.
    pub related_locations: Option<Vec<AdditionalGeoLocation>>,
    /// e.g. `ON_STREET`.
    pub parking_type: Option<String>,
    /// Its EVSEs; missing and empty are told apart.
    pub evses: Option<Vec<Evse>>,
    /// How to get there.
    pub directions: Option<Vec<DisplayText>>,
    /// Who operates it.
    pub operator: Option<BusinessDetails>,
    /// Who operates it for the operator.
    pub suboperator: Option<BusinessDetails>,
    /// Who owns it.
    pub owner: Option<BusinessDetails>,
    /// e.g. `HOTEL`.
    pub facilities: Option<Vec<String>>,
    /// IANA zone; by it local times of tariffs are meant.
    pub time_zone: String,
    /// When it is open.
    pub opening_times: Option<Hours>,
    /// Charging goes on while it is closed.
    pub charging_when_closed: Option<bool>,
    /// Pictures.
    pub images: Option<Vec<Image>>,
    /// Where the energy comes from.
    pub energy_mix: Option<EnergyMix>,
    /// When it, an EVSE or a connector was last changed, by its owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    pub extra: Extra,
}

impl Location {
    /// Whether partners are told of it: it is published, or names those who may see it, whom only their own
    /// platforms know (OCPI 2.2.1 mod_locations, "PublishTokenType").
    #[must_use]
    pub fn is_for_partners(&self) -> bool {
        self.publish || self.publish_allowed_to.as_ref().is_some_and(|tokens| !tokens.is_empty())
    }

    /// Its EVSEs.
    pub fn evses(&self) -> impl Iterator<Item = &Evse> {
        self.evses.iter().flatten()
    }

    /// The EVSE of that uid.
    #[must_use]
    pub fn evse(&self, uid: &CiString) -> Option<&Evse> {
        self.evses().find(|evse| evse.uid == *uid)
    }

    /// The EVSE of that uid.
    pub fn evse_mut(&mut self, uid: &CiString) -> Option<&mut Evse> {
        self.evses.iter_mut().flatten().find(|evse| evse.uid == *uid)
    }
}

impl Evse {
    /// The connector of that id.
    #[must_use]
    pub fn connector(&self, id: &CiString) -> Option<&Connector> {
        self.connectors.iter().find(|connector| connector.id == *id)
    }
}
