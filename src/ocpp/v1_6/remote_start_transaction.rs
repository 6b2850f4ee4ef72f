//! RemoteStartTransaction: start a charge for an idTag (OCPP 1.6, 5.11, 6.33, 6.34).

use super::{Acceptance, ChargingProfile, IdTag};
use crate::ocpp::wire::{Request, message};

message! {
    /// 6.33 RemoteStartTransaction.req
    pub struct RemoteStartTransaction {
        /// Where; none leaves the choice to the station, and many refuse that.
        connector_id: Option<i32> = "connectorId" in 1..,
        /// For whom.
        id_tag: IdTag = "idTag",
        /// With which limits.
        charging_profile: Option<ChargingProfile> = "chargingProfile",
    }
}

message! {
    /// 6.34 RemoteStartTransaction.conf
    pub struct RemoteStartTransactionResponse {
        /// Whether it will try; that it charges is told by StartTransaction.
        status: Acceptance = "status",
    }
}

impl Request for RemoteStartTransaction {
    const ACTION: &'static str = "RemoteStartTransaction";
    type Response = RemoteStartTransactionResponse;
}
