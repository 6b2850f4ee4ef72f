//! What an idTag may do (OCPP 1.6, 7.2, 7.27, 7.28).

use crate::domain::values::{CiString, Timestamp};
use crate::ocpp::wire::{Text, message, words};

/// 7.28 IdToken: at most 20 characters, compared without regard to case.
pub type IdTag = Text<20>;

impl IdTag {
    /// As the domain compares it.
    #[must_use]
    pub fn to_ci_string(&self) -> CiString {
        CiString::new(self.as_str())
    }
}

words! {
    /// 7.2 AuthorizationStatus
    pub enum AuthorizationStatus {
        /// It may charge.
        Accepted = "Accepted",
        /// It is blocked.
        Blocked = "Blocked",
        /// It is no longer valid.
        Expired = "Expired",
        /// It is not known.
        Invalid = "Invalid",
        /// It charges already; only in the answer to StartTransaction.
        ConcurrentTx = "ConcurrentTx",
    }
}

message! {
    /// 7.27 IdTagInfo
    pub struct IdTagInfo {
        /// When it leaves the station's cache.
        expiry_date: Option<Timestamp> = "expiryDate",
        /// The group it belongs to.
        parent_id_tag: Option<IdTag> = "parentIdTag",
        /// Whether it may charge.
        status: AuthorizationStatus = "status",
    }
}

impl IdTagInfo {
    /// Only a status.
    #[must_use]
    pub fn of(status: AuthorizationStatus) -> Self {
        Self { expiry_date: None, parent_id_tag: None, status }
    }
}
