//! CDR and CdrToken on the wire (OCPI 2.2.1 mod_cdrs).

use super::shape::CDR;
use crate::domain::cdr::{CdrLocation, SignedData};
use crate::domain::charging_period::ChargingPeriod;
use crate::domain::session::AuthMethod;
use crate::domain::tariff::Price;
use crate::domain::token::TokenType;
use crate::domain::{CiString, Extra, Kwh, Timestamp};
use crate::ocpi::shape::Class;
use crate::ocpi::v2_2_1::tariffs::wire::Tariff;
use crate::ocpi::wire::Wire;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// "CdrToken".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CdrToken {
    /// The eMSP; new in 2.2.1, and older platforms leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_code: Option<CiString>,
    /// The eMSP; new in 2.2.1, and older platforms leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party_id: Option<CiString>,
    /// Its uid.
    pub uid: CiString,
    /// Its type.
    #[serde(rename = "type")]
    pub token_type: TokenType,
    /// Its contract.
    pub contract_id: CiString,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "CDR Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cdr {
    /// The CPO that owns it.
    pub country_code: CiString,
    /// The CPO that owns it.
    pub party_id: CiString,
    /// Unique within the CPO.
    pub id: CiString,
    /// When it began.
    pub start_date_time: Timestamp,
    /// When it ended.
    pub end_date_time: Timestamp,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<CiString>,
    /// Who charged.
    pub cdr_token: CdrToken,
    /// How the driver was authorized.
    pub auth_method: AuthMethod,
    /// The eMSP's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_reference: Option<CiString>,
    /// Where.
    pub cdr_location: CdrLocation,
    /// Meter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter_id: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Tariffs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariffs: Option<Vec<Tariff>>,
    /// At least one by the specification; some platforms send none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_periods: Option<Vec<ChargingPeriod>>,
    /// Signed meter values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_data: Option<SignedData>,
    /// What it costs.
    pub total_cost: Price,
    /// Fixed part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_fixed_cost: Option<Price>,
    /// kWh.
    pub total_energy: Kwh,
    /// Part for energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_energy_cost: Option<Price>,
    /// Hours.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub total_time: Decimal,
    /// Part for charging time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_time_cost: Option<Price>,
    /// Hours not charging.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::arbitrary_precision_option"
    )]
    pub total_parking_time: Option<Decimal>,
    /// Part for parking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_parking_cost: Option<Price>,
    /// Part for a reservation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_reservation_cost: Option<Price>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Invoice that will follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_reference_id: Option<CiString>,
    /// Takes back another CDR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<bool>,
    /// The CDR that is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit_reference_id: Option<CiString>,
    /// The driver is to be paid for energy at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_charging_compensation: Option<bool>,
    /// When it was written.
    pub last_updated: Timestamp,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Wire for Cdr {
    const CLASS: &'static Class = &CDR;
}
