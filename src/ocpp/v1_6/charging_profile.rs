//! Charging profiles, as RemoteStartTransaction carries them (OCPP 1.6, 7.8 to 7.14).

use crate::domain::values::Timestamp;
use crate::ocpp::wire::{Fault, Field, Place, Violations, message, words};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

message! {
    /// 7.8 ChargingProfile
    pub struct ChargingProfile {
        /// Its id.
        charging_profile_id: i32 = "chargingProfileId",
        /// The transaction that it is for.
        transaction_id: Option<i64> = "transactionId",
        /// Higher ones win.
        stack_level: i32 = "stackLevel" in 0..,
        /// What it limits.
        charging_profile_purpose: ChargingProfilePurpose = "chargingProfilePurpose",
        /// What its times refer to.
        charging_profile_kind: ChargingProfileKind = "chargingProfileKind",
        /// How it recurs.
        recurrency_kind: Option<RecurrencyKind> = "recurrencyKind",
        /// In force from.
        valid_from: Option<Timestamp> = "validFrom",
        /// In force until.
        valid_to: Option<Timestamp> = "validTo",
        /// The limits.
        charging_schedule: ChargingSchedule = "chargingSchedule",
    }
}

words! {
    /// 7.10 ChargingProfilePurposeType
    pub enum ChargingProfilePurpose {
        /// The whole station.
        ChargePointMaxProfile = "ChargePointMaxProfile",
        /// Every new transaction.
        TxDefaultProfile = "TxDefaultProfile",
        /// One transaction.
        TxProfile = "TxProfile",
    }
}

words! {
    /// 7.9 ChargingProfileKindType
    pub enum ChargingProfileKind {
        /// Fixed times.
        Absolute = "Absolute",
        /// Again and again.
        Recurring = "Recurring",
        /// From the start of the charge.
        Relative = "Relative",
    }
}

words! {
    /// 7.37 RecurrencyKindType
    pub enum RecurrencyKind {
        /// Every day.
        Daily = "Daily",
        /// Every week.
        Weekly = "Weekly",
    }
}

words! {
    /// 7.12 ChargingRateUnitType
    pub enum ChargingRateUnit {
        /// Amperes per phase.
        Amperes = "A",
        /// Watts in all.
        Watts = "W",
    }
}

message! {
    /// 7.13 ChargingSchedule
    pub struct ChargingSchedule {
        /// Seconds.
        duration: Option<i32> = "duration" in 0..,
        /// When it starts, for an absolute profile.
        start_schedule: Option<Timestamp> = "startSchedule",
        /// What the limits are in.
        charging_rate_unit: ChargingRateUnit = "chargingRateUnit",
        /// The limits, in time.
        charging_schedule_period: Vec<ChargingSchedulePeriod> = "chargingSchedulePeriod",
        /// Below it charging is not efficient.
        min_charging_rate: Option<Tenths> = "minChargingRate",
    }
}

message! {
    /// 7.14 ChargingSchedulePeriod
    pub struct ChargingSchedulePeriod {
        /// Seconds from the start of the schedule.
        start_period: i32 = "startPeriod" in 0..,
        /// The most that may be taken.
        limit: Tenths = "limit",
        /// Phases that may be used.
        number_phases: Option<i32> = "numberPhases" in 1..=3,
    }
}

/// A number with at most one decimal when sent (the schema's `multipleOf: 0.1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenths(pub Decimal);

impl Serialize for Tenths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        rust_decimal::serde::arbitrary_precision::serialize(&self.0.normalize(), serializer)
    }
}

impl Field for Tenths {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        Decimal::read(raw, place, violations).map(Self)
    }
    fn check(&self) -> Result<(), String> {
        if self.0.normalize().scale() <= 1 {
            Ok(())
        } else {
            Err(format!("{} has more than one decimal", self.0))
        }
    }
}
