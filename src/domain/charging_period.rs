//! Charging periods: what was used from a moment on (OCPI 2.2.1 mod_cdrs, "ChargingPeriod").

use super::open_enum::open_enum;
use super::values::{CiString, Extra, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

open_enum! {
    /// OCPI 2.2.1 mod_cdrs, "CdrDimensionType".
    pub enum CdrDimensionType {
        /// A, mean; sessions only.
        Current = "CURRENT",
        /// kWh.
        Energy = "ENERGY",
        /// kWh exported.
        EnergyExport = "ENERGY_EXPORT",
        /// kWh imported.
        EnergyImport = "ENERGY_IMPORT",
        /// A, highest.
        MaxCurrent = "MAX_CURRENT",
        /// A, lowest.
        MinCurrent = "MIN_CURRENT",
        /// kW, highest.
        MaxPower = "MAX_POWER",
        /// kW, lowest.
        MinPower = "MIN_POWER",
        /// Hours not charging.
        ParkingTime = "PARKING_TIME",
        /// kW, mean; sessions only.
        Power = "POWER",
        /// Hours reserved.
        ReservationTime = "RESERVATION_TIME",
        /// Percent; sessions only.
        StateOfCharge = "STATE_OF_CHARGE",
        /// Hours charging.
        Time = "TIME",
    }
}

/// How much of a dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CdrDimension {
    /// Of what.
    #[serde(rename = "type")]
    pub dimension: CdrDimensionType,
    /// How much, in the dimension's unit.
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub volume: Decimal,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What was used from `start_date_time` to the start of the next period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChargingPeriod {
    /// Its start.
    pub start_date_time: Timestamp,
    /// At least one.
    pub dimensions: Vec<CdrDimension>,
    /// The tariff by which it is priced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff_id: Option<CiString>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}
