//! Endpoints between the wire and the domain.

use super::wire;
use crate::domain::Extra;
use crate::domain::partner as domain;
use crate::ocpi::wire::WireError;

impl TryFrom<wire::Endpoint> for domain::Endpoint {
    type Error = WireError;

    /// Unknown fields end here: a partner's endpoints are passed on to nobody.
    fn try_from(endpoint: wire::Endpoint) -> Result<Self, WireError> {
        let wire::Endpoint { identifier, role, url, extra: _ } = endpoint;
        let role = match role {
            Some(role) => role,
            // Its role says nothing, so it need not be given (version_information_endpoint, note on Endpoint).
            None if identifier == domain::ModuleId::Credentials => domain::InterfaceRole::Sender,
            None => return Err(WireError::at("$.role", "is required and missing")),
        };
        Ok(Self { module: identifier, role, url })
    }
}

impl From<domain::Endpoint> for wire::Endpoint {
    fn from(endpoint: domain::Endpoint) -> Self {
        let domain::Endpoint { module, role, url } = endpoint;
        Self { identifier: module, role: Some(role), url, extra: Extra::new() }
    }
}

impl wire::VersionDetails {
    /// Details of a version that we serve.
    #[must_use]
    pub fn of(version: &str, endpoints: Vec<domain::Endpoint>) -> Self {
        let endpoints = endpoints.into_iter().map(Into::into).collect();
        Self { version: version.to_owned(), endpoints, extra: Extra::new() }
    }

    /// The endpoints of a partner.
    ///
    /// # Errors
    /// When an endpoint does not say its role; with its path.
    pub fn into_endpoints(self) -> Result<Vec<domain::Endpoint>, WireError> {
        let Self { version: _, endpoints, extra: _ } = self;
        let convert = |(index, endpoint): (usize, wire::Endpoint)| {
            let converted = domain::Endpoint::try_from(endpoint);
            converted.map_err(|error| error.under(&format!(".endpoints[{index}]")))
        };
        endpoints.into_iter().enumerate().map(convert).collect()
    }
}
