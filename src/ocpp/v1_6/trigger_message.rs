//! TriggerMessage: ask a station to send something now (OCPP 1.6, 5.17, 6.51, 6.52).

use crate::ocpp::wire::{Request, message, words};

words! {
    /// 7.32 MessageTrigger
    pub enum MessageTrigger {
        /// A BootNotification.
        BootNotification = "BootNotification",
        /// A DiagnosticsStatusNotification.
        DiagnosticsStatusNotification = "DiagnosticsStatusNotification",
        /// A FirmwareStatusNotification.
        FirmwareStatusNotification = "FirmwareStatusNotification",
        /// A Heartbeat.
        Heartbeat = "Heartbeat",
        /// MeterValues.
        MeterValues = "MeterValues",
        /// A StatusNotification.
        StatusNotification = "StatusNotification",
    }
}

message! {
    /// 6.51 TriggerMessage.req
    pub struct TriggerMessage {
        /// What to send.
        requested_message: MessageTrigger = "requestedMessage",
        /// About which connector; none means all, or the station.
        connector_id: Option<i32> = "connectorId" in 1..,
    }
}

words! {
    /// 7.44 TriggerMessageStatus
    pub enum TriggerMessageStatus {
        /// It will be sent.
        Accepted = "Accepted",
        /// It will not be sent.
        Rejected = "Rejected",
        /// The station does not have it.
        NotImplemented = "NotImplemented",
    }
}

message! {
    /// 6.52 TriggerMessage.conf
    pub struct TriggerMessageResponse {
        /// What will become of it.
        status: TriggerMessageStatus = "status",
    }
}

impl Request for TriggerMessage {
    const ACTION: &'static str = "TriggerMessage";
    type Response = TriggerMessageResponse;
}
