//! What a use case needs from the edge that talks to partners.

use crate::domain::partner::Partner;
use crate::domain::token::{AuthorizationInfo, LocationReferences, TokenKey};
use async_trait::async_trait;

/// Why a partner did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartnerCallError {
    /// It cannot be reached, or did not answer in time, or answered 5xx: worth another try later.
    #[error("the partner cannot be reached: {0}")]
    Unreachable(String),
    /// It answered with an OCPI error.
    #[error("the partner answered {code} ({message})")]
    Refused {
        /// OCPI status code, e.g. 2001.
        code: u16,
        /// HTTP status.
        http: u16,
        /// Its text.
        message: String,
    },
    /// It answered something that cannot be understood.
    #[error("the partner's answer cannot be understood: {0}")]
    Unreadable(String),
    /// It does not offer what is needed, or its URL is not allowed.
    #[error("{0}")]
    Impossible(String),
}

/// The way to partners.
#[async_trait]
pub trait PartnerLink: Send + Sync {
    /// Asks the eMSP whether a driver may charge (OCPI 2.2.1 mod_tokens, real-time authorization).
    async fn authorize(
        &self,
        partner: &Partner,
        token: &TokenKey,
        location: Option<&LocationReferences>,
        correlation_id: Option<&str>,
    ) -> Result<AuthorizationInfo, PartnerCallError>;
}
