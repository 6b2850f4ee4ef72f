//! DataTransfer: whatever a vendor needs beside the protocol, in both directions (OCPP 1.6, 4.3, 5.6, 6.15,
//! 6.16).

use crate::ocpp::wire::{Fault, Field, Place, Request, Text, ViolationKind, Violations, message, words};
use serde::Serialize;
use serde_json::value::RawValue;

message! {
    /// 6.15 DataTransfer.req
    pub struct DataTransfer {
        /// Whose extension.
        vendor_id: Text<255> = "vendorId",
        /// Which message of it.
        message_id: Option<Text<50>> = "messageId",
        /// Its content.
        data: Option<FreeText> = "data",
    }
}

words! {
    /// 7.23 DataTransferStatus
    pub enum DataTransferStatus {
        /// Understood.
        Accepted = "Accepted",
        /// Understood and refused.
        Rejected = "Rejected",
        /// The vendor is known, the message is not.
        UnknownMessageId = "UnknownMessageId",
        /// The vendor is not known.
        UnknownVendorId = "UnknownVendorId",
    }
}

message! {
    /// 6.16 DataTransfer.conf
    pub struct DataTransferResponse {
        /// What became of it.
        status: DataTransferStatus = "status",
        /// Its content.
        data: Option<FreeText> = "data",
    }
}

impl Request for DataTransfer {
    const ACTION: &'static str = "DataTransfer";
    type Response = DataTransferResponse;
}

/// A text of any length; other JSON in its place, which vendors send, is kept as its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FreeText(pub String);

impl Field for FreeText {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        if raw.get().starts_with(['{', '[']) {
            violations.add(ViolationKind::TextForm, place, "a text in quotes");
            return Ok(Self(raw.get().to_owned()));
        }
        String::read(raw, place, violations).map(Self)
    }
}
