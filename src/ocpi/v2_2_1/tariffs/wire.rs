//! Tariff on the wire (OCPI 2.2.1 mod_tariffs).

use super::shape::TARIFF;
use crate::domain::location::{DisplayText, EnergyMix};
use crate::domain::tariff::{Price, TariffElement, TariffType};
use crate::domain::{CiString, Extra, Timestamp};
use crate::ocpi::shape::Class;
use crate::ocpi::wire::Wire;
use serde::{Deserialize, Serialize};

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
    pub min_price: Option<Price>,
    /// A session costs at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Price>,
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

impl Wire for Tariff {
    const CLASS: &'static Class = &TARIFF;
}
