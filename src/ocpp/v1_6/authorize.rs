//! Authorize: may this idTag charge? (OCPP 1.6, 4.1, 6.1, 6.2)

use super::{IdTag, IdTagInfo};
use crate::ocpp::wire::{Request, message};

message! {
    /// 6.1 Authorize.req
    pub struct Authorize {
        /// Who wants to charge.
        id_tag: IdTag = "idTag",
    }
}

message! {
    /// 6.2 Authorize.conf
    pub struct AuthorizeResponse {
        /// Whether it may.
        id_tag_info: IdTagInfo = "idTagInfo",
    }
}

impl Request for Authorize {
    const ACTION: &'static str = "Authorize";
    type Response = AuthorizeResponse;
}
