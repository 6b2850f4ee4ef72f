//! Charge detail records: the sealed account of a charge (OCPI 2.2.1 mod_cdrs).

use super::charging_period::ChargingPeriod;
use super::location::GeoLocation;
use super::party::PartyId;
use super::session::{AuthMethod, CdrToken};
use super::tariff::{Price, Tariff};
use super::values::{CiString, Extra, Kwh, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Where the charge took place, as it was at the start (OCPI 2.2.1 mod_cdrs, "CdrLocation").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CdrLocation {
    /// `Location.id`.
    pub id: CiString,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Street and number.
    pub address: String,
    /// Town.
    pub city: String,
    /// Required in 2.2.1, optional later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// ISO 3166-1 alpha-3.
    pub country: String,
    /// Where on earth.
    pub coordinates: GeoLocation,
    /// `EVSE.uid`; `#NA` where a reservation had none.
    pub evse_uid: CiString,
    /// `EVSE.evse_id`.
    pub evse_id: CiString,
    /// `Connector.id`.
    pub connector_id: CiString,
    /// `Connector.standard`.
    pub connector_standard: String,
    /// `Connector.format`.
    pub connector_format: String,
    /// `Connector.power_type`.
    pub connector_power_type: String,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One signed meter value (OCPI 2.2.1 mod_cdrs, "SignedValue").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedValue {
    /// `Start`, `End`, `Intermediate`.
    pub nature: CiString,
    /// The value before it was signed.
    pub plain_data: String,
    /// The value, signed, byte for byte.
    pub signed_data: String,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Signed meter values of a charge (OCPI 2.2.1 mod_cdrs, "SignedData").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignedData {
    /// How they are encoded, e.g. `OCMF`.
    pub encoding_method: CiString,
    /// Version of the encoding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_method_version: Option<i32>,
    /// Public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// At least one.
    pub signed_values: Vec<SignedValue>,
    /// Where a driver can verify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A CDR. Once written it never changes; a correction is a credit CDR and a new one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cdr {
    /// The CPO that owns it.
    pub party: PartyId,
    /// At most 39 characters; ours at most 36.
    pub id: CiString,
    /// When it began.
    pub start_date_time: Timestamp,
    /// When it ended.
    pub end_date_time: Timestamp,
    /// The session.
    pub session_id: Option<CiString>,
    /// Who charged.
    pub cdr_token: CdrToken,
    /// How the driver was authorized.
    pub auth_method: AuthMethod,
    /// The eMSP's reference.
    pub authorization_reference: Option<CiString>,
    /// Where.
    pub cdr_location: CdrLocation,
    /// Meter.
    pub meter_id: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Tariffs, as they were at the start.
    pub tariffs: Vec<Tariff>,
    /// At least one.
    pub charging_periods: Vec<ChargingPeriod>,
    /// Signed meter values.
    pub signed_data: Option<SignedData>,
    /// What it costs.
    pub total_cost: Price,
    /// Fixed part.
    pub total_fixed_cost: Option<Price>,
    /// Energy.
    pub total_energy: Kwh,
    /// Part for energy.
    pub total_energy_cost: Option<Price>,
    /// Hours, charging and not.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub total_time: Decimal,
    /// Part for charging time.
    pub total_time_cost: Option<Price>,
    /// Hours not charging.
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    pub total_parking_time: Option<Decimal>,
    /// Part for parking.
    pub total_parking_cost: Option<Price>,
    /// Part for a reservation.
    pub total_reservation_cost: Option<Price>,
    /// For people.
    pub remark: Option<String>,
    /// Invoice that will follow.
    pub invoice_reference_id: Option<CiString>,
    /// Takes back another CDR.
    pub credit: Option<bool>,
    /// The CDR that is taken back.
    pub credit_reference_id: Option<CiString>,
    /// The driver is to be paid for energy at home.
    pub home_charging_compensation: Option<bool>,
    /// When it was written.
    pub last_updated: Timestamp,
    /// Fields not known.
    pub extra: Extra,
}
