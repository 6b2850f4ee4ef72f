//! Credentials on the wire (OCPI 2.2.1 credentials).

use super::shape::CREDENTIALS;
use crate::domain::location::BusinessDetails;
use crate::domain::party::Role;
use crate::domain::{CiString, Extra};
use crate::ocpi::shape::Class;
use crate::ocpi::wire::Wire;
use serde::{Deserialize, Serialize};
use std::fmt;

/// "CredentialsRole".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsRole {
    /// Role.
    pub role: Role,
    /// Who that is.
    pub business_details: BusinessDetails,
    /// The party.
    pub party_id: CiString,
    /// The party.
    pub country_code: CiString,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "Credentials object". `Debug` leaves the token out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// With what the receiver of this object authenticates at its sender.
    pub token: String,
    /// The sender's versions.
    pub url: String,
    /// At least one.
    pub roles: Vec<CredentialsRole>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token: _, url, roles, extra } = self;
        f.debug_struct("Credentials")
            .field("token", &"…")
            .field("url", url)
            .field("roles", roles)
            .field("extra", extra)
            .finish()
    }
}

impl Wire for Credentials {
    const CLASS: &'static Class = &CREDENTIALS;
}
