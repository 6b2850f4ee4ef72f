//! SetChargingProfile: give a station limits to keep to (OCPP 1.6, 5.16, 6.43, 6.44).

use super::ChargingProfile;
use crate::ocpp::wire::{Request, message, words};

message! {
    /// 6.43 SetChargingProfile.req
    pub struct SetChargingProfile {
        /// Where; 0 is the station, or every connector for a default (errata 3.53).
        connector_id: i32 = "connectorId" in 0..,
        /// The limits.
        cs_charging_profiles: ChargingProfile = "csChargingProfiles",
    }
}

words! {
    /// 7.11 ChargingProfileStatus
    pub enum ChargingProfileStatus {
        /// It will be obeyed.
        Accepted = "Accepted",
        /// It will not be obeyed.
        Rejected = "Rejected",
        /// The station cannot do that.
        NotSupported = "NotSupported",
    }
}

message! {
    /// 6.44 SetChargingProfile.conf
    pub struct SetChargingProfileResponse {
        /// What will become of it.
        status: ChargingProfileStatus = "status",
    }
}

impl Request for SetChargingProfile {
    const ACTION: &'static str = "SetChargingProfile";
    type Response = SetChargingProfileResponse;
}
