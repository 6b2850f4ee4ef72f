//! Reset: restart a station (OCPP 1.6, 5.14, 6.39, 6.40).

use super::Acceptance;
use crate::ocpp::wire::{Request, message, words};

words! {
    /// 7.42 ResetType
    pub enum ResetType {
        /// At once, like pulling the plug.
        Hard = "Hard",
        /// Transactions are stopped and reported first.
        Soft = "Soft",
    }
}

message! {
    /// 6.39 Reset.req
    pub struct Reset {
        /// How.
        kind: ResetType = "type",
    }
}

message! {
    /// 6.40 Reset.conf
    pub struct ResetResponse {
        /// Whether it will.
        status: Acceptance = "status",
    }
}

impl Request for Reset {
    const ACTION: &'static str = "Reset";
    type Response = ResetResponse;
}
