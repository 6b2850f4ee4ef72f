//! RemoteStopTransaction: end a charge (OCPP 1.6, 5.12, 6.35, 6.36).

use super::Acceptance;
use crate::ocpp::wire::{Request, message};

message! {
    /// 6.35 RemoteStopTransaction.req
    pub struct RemoteStopTransaction {
        /// Which.
        transaction_id: i64 = "transactionId",
    }
}

message! {
    /// 6.36 RemoteStopTransaction.conf
    pub struct RemoteStopTransactionResponse {
        /// Whether the station knows the transaction and will stop it.
        status: Acceptance = "status",
    }
}

impl Request for RemoteStopTransaction {
    const ACTION: &'static str = "RemoteStopTransaction";
    type Response = RemoteStopTransactionResponse;
}
