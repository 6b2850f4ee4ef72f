//! StatusNotification: what a connector, or with number 0 the whole station, is doing (OCPP 1.6, 4.9, 6.47,
//! 6.48).

use crate::domain::station::ConnectorStatus;
use crate::domain::values::Timestamp;
use crate::ocpp::wire::{Request, Text, message, words};

words! {
    /// 7.6 ChargePointErrorCode
    pub enum ChargePointErrorCode {
        /// The connector does not lock or unlock.
        ConnectorLockFailure = "ConnectorLockFailure",
        /// The car does not talk as it should.
        EvCommunicationError = "EVCommunicationError",
        /// Residual current.
        GroundFailure = "GroundFailure",
        /// Too hot inside.
        HighTemperature = "HighTemperature",
        /// Hard- or software inside.
        InternalError = "InternalError",
        /// The local list and the cache disagree.
        LocalListConflict = "LocalListConflict",
        /// None.
        NoError = "NoError",
        /// Something else; the vendor's code tells.
        OtherError = "OtherError",
        /// Too much current.
        OverCurrentFailure = "OverCurrentFailure",
        /// Too much voltage.
        OverVoltage = "OverVoltage",
        /// The meter cannot be read.
        PowerMeterFailure = "PowerMeterFailure",
        /// The contactor fails.
        PowerSwitchFailure = "PowerSwitchFailure",
        /// The card reader fails.
        ReaderFailure = "ReaderFailure",
        /// It could not reset.
        ResetFailure = "ResetFailure",
        /// Too little voltage.
        UnderVoltage = "UnderVoltage",
        /// The radio is weak.
        WeakSignal = "WeakSignal",
    }
}

message! {
    /// 6.47 StatusNotification.req
    pub struct StatusNotification {
        /// Which; 0 is the station.
        connector_id: i32 = "connectorId" in 0..,
        /// What is wrong.
        error_code: ChargePointErrorCode = "errorCode",
        /// More about it.
        info: Option<Text<50>> = "info",
        /// What it is doing.
        status: ConnectorStatus = "status",
        /// Since when, by the station's clock; without it since now.
        timestamp: Option<Timestamp> = "timestamp",
        /// Whose error code follows.
        vendor_id: Option<Text<255>> = "vendorId",
        /// The vendor's error code.
        vendor_error_code: Option<Text<50>> = "vendorErrorCode",
    }
}

message! {
    /// 6.48 StatusNotification.conf
    pub struct StatusNotificationResponse {}
}

impl Request for StatusNotification {
    const ACTION: &'static str = "StatusNotification";
    type Response = StatusNotificationResponse;
}
