//! StartTransaction: a charge has begun (OCPP 1.6, 4.8, 6.45, 6.46). It may come hours late.

use super::{IdTag, IdTagInfo, meter_values::WattHours};
use crate::domain::values::Timestamp;
use crate::ocpp::wire::{Request, message};

message! {
    /// 6.45 StartTransaction.req
    pub struct StartTransaction {
        /// Where.
        connector_id: i32 = "connectorId" in 1..,
        /// Who.
        id_tag: IdTag = "idTag",
        /// The import register then.
        meter_start: WattHours = "meterStart",
        /// The reservation that it ends.
        reservation_id: Option<i32> = "reservationId",
        /// When, by the station's clock.
        timestamp: Timestamp = "timestamp",
    }
}

message! {
    /// 6.46 StartTransaction.conf
    pub struct StartTransactionResponse {
        /// Whether the idTag may.
        id_tag_info: IdTagInfo = "idTagInfo",
        /// The id of the charge, from us.
        transaction_id: i32 = "transactionId",
    }
}

impl Request for StartTransaction {
    const ACTION: &'static str = "StartTransaction";
    type Response = StartTransactionResponse;
}
