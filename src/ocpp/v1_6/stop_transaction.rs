//! StopTransaction: a charge has ended (OCPP 1.6, 4.10, 6.49, 6.50). It may come hours late.

use super::meter_values::WattHours;
use super::{IdTag, IdTagInfo, MeterValue};
use crate::domain::values::Timestamp;
use crate::ocpp::wire::{
    Fault, Field, Place, Request, ViolationKind, Violations, elements_of, message, words,
};
use serde::Serialize;
use serde_json::value::RawValue;

words! {
    /// 7.36 Reason
    pub enum StopReason {
        /// The token is not accepted (any more).
        DeAuthorized = "DeAuthorized",
        /// The emergency button.
        EmergencyStop = "EmergencyStop",
        /// The cable was pulled.
        EvDisconnected = "EVDisconnected",
        /// A hard reset.
        HardReset = "HardReset",
        /// By the driver at the station; what no reason means.
        Local = "Local",
        /// None of these words.
        Unnamed = "Other",
        /// No power.
        PowerLoss = "PowerLoss",
        /// It rebooted by itself.
        Reboot = "Reboot",
        /// By RemoteStopTransaction.
        Remote = "Remote",
        /// A soft reset.
        SoftReset = "SoftReset",
        /// By UnlockConnector.
        UnlockCommand = "UnlockCommand",
    }
}

message! {
    /// 6.49 StopTransaction.req
    pub struct StopTransaction {
        /// Who stopped it.
        id_tag: Option<IdTag> = "idTag",
        /// The import register then.
        meter_stop: WattHours = "meterStop",
        /// When, by the station's clock.
        timestamp: Timestamp = "timestamp",
        /// Which charge; anything, where the station has never got an id.
        transaction_id: i64 = "transactionId",
        /// Why; none means `Local`.
        reason: Option<StopReason> = "reason",
        /// Meter values of the charge.
        transaction_data: Option<TransactionData> = "transactionData",
    }
}

message! {
    /// 6.50 StopTransaction.conf
    pub struct StopTransactionResponse {
        /// About the idTag, if the request had one.
        id_tag_info: Option<IdTagInfo> = "idTagInfo",
    }
}

impl Request for StopTransaction {
    const ACTION: &'static str = "StopTransaction";
    type Response = StopTransactionResponse;
}

/// The meter values in a stop. One that cannot be understood is left out and noted: refusing the stop for it
/// would lose the end of the charge, which the station throws away after a few refusals.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct TransactionData(pub Vec<MeterValue>);

impl Field for TransactionData {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        let mut good = Vec::new();
        match elements_of(raw, place) {
            Ok(elements) => {
                for (index, element) in elements.into_iter().enumerate() {
                    let here = place.index(index);
                    match MeterValue::read(element, &here, violations) {
                        Ok(value) => good.push(value),
                        Err(fault) => {
                            violations.add(ViolationKind::BadMeasurement, &here, fault.to_string());
                        }
                    }
                }
            }
            Err(fault) => violations.add(ViolationKind::BadMeasurement, place, fault.reason),
        }
        Ok(Self(good))
    }
    fn check(&self) -> Result<(), String> {
        self.0.check()
    }
}
