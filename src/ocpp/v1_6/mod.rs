//! The messages of OCPP 1.6 (edition 2, chapters 6 and 7), one file per action.
//!
//! [`StationCall`] is what a station may call, [`CentralCall`] what is called at a station; both are read by
//! action, so that a connection has one place where a frame becomes a typed message.

mod authorize;
mod boot_notification;
pub(super) mod calls;
mod change_availability;
mod change_configuration;
mod charging_profile;
mod clear_charging_profile;
mod data_transfer;
mod get_composite_schedule;
mod get_configuration;
pub(super) mod handlers;
mod heartbeat;
mod id_tag_info;
pub mod meter_values;
pub mod profiles;
mod remote_start_transaction;
mod remote_stop_transaction;
mod reset;
mod samples;
mod set_charging_profile;
mod start_transaction;
mod status_notification;
mod stop_transaction;
#[cfg(test)]
mod tests;
mod trigger_message;

pub use authorize::{Authorize, AuthorizeResponse};
pub use boot_notification::{BootNotification, BootNotificationResponse, RegistrationStatus};
pub use change_availability::{
    AvailabilityStatus, AvailabilityType, ChangeAvailability, ChangeAvailabilityResponse,
};
pub use change_configuration::{ChangeConfiguration, ChangeConfigurationResponse, ConfigurationStatus};
pub use charging_profile::{
    ChargingProfile, ChargingProfileKind, ChargingProfilePurpose, ChargingRateUnit, ChargingSchedule,
    ChargingSchedulePeriod, RecurrencyKind, Tenths,
};
pub use clear_charging_profile::{
    ClearChargingProfile, ClearChargingProfileResponse, ClearChargingProfileStatus,
};
pub use data_transfer::{DataTransfer, DataTransferResponse, DataTransferStatus, FreeText};
pub use get_composite_schedule::{GetCompositeSchedule, GetCompositeScheduleResponse};
pub use get_configuration::{GetConfiguration, GetConfigurationResponse, KeyValue};
pub use heartbeat::{Heartbeat, HeartbeatResponse};
pub use id_tag_info::{AuthorizationStatus, IdTag, IdTagInfo};
pub use meter_values::{
    Location, Measurand, MeterValue, MeterValues, MeterValuesResponse, Phase, ReadingContext, SampledValue,
    Unit, ValueFormat, WattHours,
};
pub use remote_start_transaction::{RemoteStartTransaction, RemoteStartTransactionResponse};
pub use remote_stop_transaction::{RemoteStopTransaction, RemoteStopTransactionResponse};
pub use reset::{Reset, ResetResponse, ResetType};
pub use set_charging_profile::{ChargingProfileStatus, SetChargingProfile, SetChargingProfileResponse};
pub use start_transaction::{StartTransaction, StartTransactionResponse};
pub use status_notification::{ChargePointErrorCode, StatusNotification, StatusNotificationResponse};
pub use stop_transaction::{StopReason, StopTransaction, StopTransactionResponse, TransactionData};
pub use trigger_message::{MessageTrigger, TriggerMessage, TriggerMessageResponse, TriggerMessageStatus};

use super::frame::ErrorCode;
use super::wire::{Fault, Message, Place, Read, Request, words};
use crate::domain::station::ConnectorStatus;
use serde_json::value::RawValue;

/// The WebSocket subprotocol (OCPP-J 1.6, 3.1.2).
pub const SUBPROTOCOL: &str = "ocpp1.6";

super::wire::word_field!(ConnectorStatus);

words! {
    /// Yes or no: 7.26 GetCompositeScheduleStatus, 7.39 RemoteStartStopStatus and 7.41 ResetStatus.
    pub enum Acceptance {
        /// It will be done.
        Accepted = "Accepted",
        /// It will not be done.
        Rejected = "Rejected",
    }
}

/// Actions of OCPP 1.6 and its security white paper that are not offered here: the answer is `NotSupported`,
/// for any other unknown action it is `NotImplemented`.
const KNOWN_ELSEWHERE: &[&str] = &[
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "SecurityEventNotification",
    "SignCertificate",
    "SignedFirmwareStatusNotification",
    "CancelReservation",
    "ClearCache",
    "GetDiagnostics",
    "GetLocalListVersion",
    "ReserveNow",
    "SendLocalList",
    "UnlockConnector",
    "UpdateFirmware",
    "CertificateSigned",
    "DeleteCertificate",
    "ExtendedTriggerMessage",
    "GetInstalledCertificateIds",
    "GetLog",
    "InstallCertificate",
    "SignedUpdateFirmware",
];

macro_rules! calls {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident,)+ } other: $other:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name { $($(#[$vmeta])* $variant($variant),)+ }

        impl $name {
            /// The actions it holds.
            pub const ACTIONS: &'static [&'static str] = &[$($variant::ACTION),+];

            /// Reads the payload of an action.
            ///
            /// # Errors
            /// `NotImplemented` or `NotSupported` for an action that it does not hold; else what is wrong with
            /// the payload.
            pub fn read(action: &str, payload: &RawValue) -> Result<Read<Self>, Fault> {
                match action {
                    $($variant::ACTION => {
                        let Read { message, violations } = $variant::read(payload)?;
                        Ok(Read { message: Self::$variant(message), violations })
                    })+
                    other => Err(unknown_action(other, $other::ACTIONS)),
                }
            }

            /// Its action.
            #[must_use]
            pub fn action(&self) -> &'static str {
                match self { $(Self::$variant(_) => $variant::ACTION,)+ }
            }
        }
    };
}

calls! {
    /// What a station calls at us.
    pub enum StationCall {
        /// 4.1
        Authorize,
        /// 4.2
        BootNotification,
        /// 4.3
        DataTransfer,
        /// 4.6
        Heartbeat,
        /// 4.7
        MeterValues,
        /// 4.8
        StartTransaction,
        /// 4.9
        StatusNotification,
        /// 4.10
        StopTransaction,
    }
    other: CentralCall
}

calls! {
    /// What we call at a station.
    pub enum CentralCall {
        /// 5.2
        ChangeAvailability,
        /// 5.3
        ChangeConfiguration,
        /// 5.5
        ClearChargingProfile,
        /// 5.6
        DataTransfer,
        /// 5.7
        GetCompositeSchedule,
        /// 5.8
        GetConfiguration,
        /// 5.11
        RemoteStartTransaction,
        /// 5.12
        RemoteStopTransaction,
        /// 5.14
        Reset,
        /// 5.16
        SetChargingProfile,
        /// 5.17
        TriggerMessage,
    }
    other: StationCall
}

fn unknown_action(action: &str, of_the_other_side: &[&str]) -> Fault {
    let known = KNOWN_ELSEWHERE.contains(&action) || of_the_other_side.contains(&action);
    let shown: String = action.chars().take(60).collect();
    let (code, reason) = if known {
        (ErrorCode::NotSupported, format!("the action '{shown}' is not offered here"))
    } else {
        (ErrorCode::NotImplemented, format!("OCPP 1.6 has no action '{shown}'"))
    };
    Fault { code, path: Place::ROOT.to_string(), reason }
}
