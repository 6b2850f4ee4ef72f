//! Heartbeat: a station is there, and asks for the time (OCPP 1.6, 4.6, 6.29, 6.30).

use crate::domain::values::Timestamp;
use crate::ocpp::wire::{Request, message};

message! {
    /// 6.29 Heartbeat.req
    pub struct Heartbeat {}
}

message! {
    /// 6.30 Heartbeat.conf
    pub struct HeartbeatResponse {
        /// By our clock.
        current_time: Timestamp = "currentTime",
    }
}

impl Request for Heartbeat {
    const ACTION: &'static str = "Heartbeat";
    type Response = HeartbeatResponse;
}
