//! Session on the wire (OCPI 2.2.1 mod_sessions).

use super::shape::SESSION;
use crate::domain::charging_period::ChargingPeriod;
use crate::domain::session::{AuthMethod, SessionStatus};
use crate::domain::tariff::Price;
use crate::domain::{CiString, Extra, Kwh, Timestamp};
use crate::ocpi::shape::Class;
use crate::ocpi::v2_2_1::cdrs::wire::CdrToken;
use crate::ocpi::wire::Wire;
use serde::{Deserialize, Serialize};

/// "Session Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The CPO that owns it.
    pub country_code: CiString,
    /// The CPO that owns it.
    pub party_id: CiString,
    /// Unique within the CPO.
    pub id: CiString,
    /// When it began.
    pub start_date_time: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date_time: Option<Timestamp>,
    /// Energy so far.
    pub kwh: Kwh,
    /// Who charges.
    pub cdr_token: CdrToken,
    /// How the driver was authorized.
    pub auth_method: AuthMethod,
    /// The eMSP's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_reference: Option<CiString>,
    /// Where.
    pub location_id: CiString,
    /// At which EVSE.
    pub evse_uid: CiString,
    /// At which connector.
    pub connector_id: CiString,
    /// Meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_id: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// What was used so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_periods: Option<Vec<ChargingPeriod>>,
    /// What it costs so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_cost: Option<Price>,
    /// Its state.
    pub status: SessionStatus,
    /// By the owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Wire for Session {
    const CLASS: &'static Class = &SESSION;
}
