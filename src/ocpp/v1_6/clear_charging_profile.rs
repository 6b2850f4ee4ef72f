//! ClearChargingProfile: take limits from a station (OCPP 1.6, 5.5, 6.13, 6.14).

use super::ChargingProfilePurpose;
use crate::ocpp::wire::{Request, message, words};

message! {
    /// 6.13 ClearChargingProfile.req: every profile goes that fits all that is given (errata 3.25).
    pub struct ClearChargingProfile {
        /// Which.
        id: Option<i32> = "id",
        /// Those of which connector; 0 is the station.
        connector_id: Option<i32> = "connectorId" in 0..,
        /// Those of which purpose.
        charging_profile_purpose: Option<ChargingProfilePurpose> = "chargingProfilePurpose",
        /// Those of which level.
        stack_level: Option<i32> = "stackLevel" in 0..,
    }
}

words! {
    /// 7.21 ClearChargingProfileStatus
    pub enum ClearChargingProfileStatus {
        /// They are gone.
        Accepted = "Accepted",
        /// There is none that fits.
        Unknown = "Unknown",
    }
}

message! {
    /// 6.14 ClearChargingProfile.conf
    pub struct ClearChargingProfileResponse {
        /// What became of it.
        status: ClearChargingProfileStatus = "status",
    }
}

impl Request for ClearChargingProfile {
    const ACTION: &'static str = "ClearChargingProfile";
    type Response = ClearChargingProfileResponse;
}
