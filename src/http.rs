//! What every HTTP edge knows of a request: who sent it and by which ids it is followed. The server's
//! middleware ([`crate::web`]) finds these out once and leaves them with the request.

use actix_web::{HttpMessage, HttpRequest};
use std::net::{IpAddr, Ipv4Addr};

/// The ids by which a request is followed through logs, commands and calls of stations
/// (OCPI 2.2.1 transport_and_format, 4.1.3: `X-Request-ID` and `X-Correlation-ID`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestIds {
    /// Of this request.
    pub request_id: String,
    /// Of everything that one cause brought about.
    pub correlation_id: String,
}

impl RequestIds {
    /// The ids of a request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(Self::fresh)
    }

    /// New ids.
    #[must_use]
    pub fn fresh() -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        Self { request_id: id.clone(), correlation_id: id }
    }
}

/// The address of a client: that of the socket, or the one that a proxy of ours names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Where a request comes from.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let found = request.extensions().get::<Self>().copied();
        found.unwrap_or_else(|| {
            Self(request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip()))
        })
    }
}

/// An error with its causes, for a log line: `the database refused a statement: disk full`.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
