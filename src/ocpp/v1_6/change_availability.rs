//! ChangeAvailability: put a connector or the station out of service, or into it (OCPP 1.6, 5.2, 6.7, 6.8).

use crate::ocpp::wire::{Request, message, words};

words! {
    /// 7.4 AvailabilityType
    pub enum AvailabilityType {
        /// No charging.
        Inoperative = "Inoperative",
        /// Ready for charging.
        Operative = "Operative",
    }
}

message! {
    /// 6.7 ChangeAvailability.req
    pub struct ChangeAvailability {
        /// Where; 0 is the station with all its connectors.
        connector_id: i32 = "connectorId" in 0..,
        /// To what.
        kind: AvailabilityType = "type",
    }
}

words! {
    /// 7.3 AvailabilityStatus
    pub enum AvailabilityStatus {
        /// It is done, or was so already.
        Accepted = "Accepted",
        /// It will not be done.
        Rejected = "Rejected",
        /// It will be done after the transaction.
        Scheduled = "Scheduled",
    }
}

message! {
    /// 6.8 ChangeAvailability.conf
    pub struct ChangeAvailabilityResponse {
        /// What became of it.
        status: AvailabilityStatus = "status",
    }
}

impl Request for ChangeAvailability {
    const ACTION: &'static str = "ChangeAvailability";
    type Response = ChangeAvailabilityResponse;
}
