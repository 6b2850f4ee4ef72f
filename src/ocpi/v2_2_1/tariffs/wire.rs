//! Tariff on the wire (OCPI 2.2.1 mod_tariffs).

use super::shape::TARIFF;
use crate::domain::location::{DisplayText, EnergyMix};
use crate::domain::tariff::{Price, TariffElement, TariffType};
use crate::domain::{CiString, Extra, Timestamp};
use crate::ocpi::shape::Class;
use crate::ocpi::wire::Wire;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// "Tariff Object". Owner and time of change are required; the specification's own example of a PUT leaves
/// out the time, and platforms leave out the owner within a CDR.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tariff {
    /// The CPO that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_code: Option<CiString>,
    /// The CPO that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party_id: Option<CiString>,
    /// Unique within the CPO.
    pub id: CiString,
    /// ISO 4217.
    pub currency: String,
    /// Missing means for every session.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub tariff_type: Option<TariffType>,
    /// Texts for drivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff_alt_text: Option<Vec<DisplayText>>,
    /// A page for drivers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff_alt_url: Option<String>,
    /// A session costs at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_price: Option<Limit>,
    /// A session costs at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Limit>,
    /// At least one.
    pub elements: Vec<TariffElement>,
    /// Valid from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date_time: Option<Timestamp>,
    /// Valid to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date_time: Option<Timestamp>,
    /// Sources of the energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_mix: Option<EnergyMix>,
    /// By the owner's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<Timestamp>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What bounds the cost of a session. OCPI 2.1.1 knew no such field and some wrote a plain number, which says
/// neither whether VAT is in it nor what it bounds: it stays as it came, without effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// As the specification wants it.
    Price(Price),
    /// Anything else.
    Kept(Value),
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Price(price) => price.serialize(serializer),
            Self::Kept(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The text, so that an amount keeps its digits.
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let read = if text.get().trim_start().starts_with('{') {
            serde_json::from_str(text.get()).map(Self::Price)
        } else {
            serde_json::from_str(text.get()).map(Self::Kept)
        };
        read.map_err(D::Error::custom)
    }
}

impl Wire for Tariff {
    const CLASS: &'static Class = &TARIFF;
}
