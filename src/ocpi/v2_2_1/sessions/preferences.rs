//! Charging preferences (OCPI 2.2.1 mod_sessions, "Set: Charging Preferences").

use super::shape::CHARGING_PREFERENCES;
use crate::domain::location::Evse;
use crate::domain::{Extra, Kwh, Timestamp};
use crate::ocpi::shape::Class;
use crate::ocpi::wire::Wire;
use serde::{Deserialize, Serialize};

/// The capability of an EVSE that takes preferences.
pub const CAPABILITY: &str = "CHARGING_PREFERENCES_CAPABLE";

/// "ChargingPreferences Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChargingPreferences {
    /// ProfileType.
    pub profile_type: String,
    /// When the driver expects to leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure_time: Option<Timestamp>,
    /// kWh wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_need: Option<Kwh>,
    /// Whether the car may give energy back meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discharge_allowed: Option<bool>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Wire for ChargingPreferences {
    const CLASS: &'static Class = &CHARGING_PREFERENCES;
}

/// Whether an EVSE takes preferences.
#[must_use]
pub fn is_capable(evse: &Evse) -> bool {
    evse.capabilities.iter().flatten().any(|capability| capability == CAPABILITY)
}

/// "ChargingPreferencesResponse": charging goes at the speed of the station and at the regular tariff, so that
/// profile alone can be promised.
#[must_use]
pub fn answer(wanted: &ChargingPreferences) -> &'static str {
    if wanted.profile_type == "REGULAR" { "ACCEPTED" } else { "PROFILE_TYPE_NOT_SUPPORTED" }
}
