//! The roles of credentials between the wire and the domain.

use super::wire;
use crate::domain::location::BusinessDetails;
use crate::domain::partner::PartnerRole;
use crate::domain::party::Party;
use crate::domain::{CiString, Extra};
use crate::ocpi::wire::{WireError, party_of};

impl TryFrom<wire::CredentialsRole> for PartnerRole {
    type Error = WireError;

    /// Unknown fields end here: a partner's credentials are passed on to nobody.
    fn try_from(role: wire::CredentialsRole) -> Result<Self, WireError> {
        let wire::CredentialsRole { role, business_details, party_id, country_code, extra: _ } = role;
        let BusinessDetails { name, website, logo, extra: _ } = business_details;
        Ok(Self { role, party: party_of(&country_code, &party_id)?, name, website, logo })
    }
}

impl From<PartnerRole> for wire::CredentialsRole {
    fn from(role: PartnerRole) -> Self {
        let PartnerRole { role, party, name, website, logo } = role;
        Self {
            role,
            business_details: BusinessDetails { name, website, logo, extra: Extra::new() },
            party_id: CiString::from(party.party_id()),
            country_code: CiString::from(party.country_code()),
            extra: Extra::new(),
        }
    }
}

impl wire::Credentials {
    /// The roles of the sender.
    ///
    /// # Errors
    /// When a role names a party that is none; with its path.
    pub fn partner_roles(&self) -> Result<Vec<PartnerRole>, WireError> {
        let convert = |(index, role): (usize, &wire::CredentialsRole)| {
            let converted = PartnerRole::try_from(role.clone());
            converted.map_err(|error| error.under(&format!(".roles[{index}]")))
        };
        self.roles.iter().enumerate().map(convert).collect()
    }
}

/// The roles that a party of ours reports.
#[must_use]
pub fn roles_of(party: &Party) -> Vec<wire::CredentialsRole> {
    let Party { id, name, website, roles } = party;
    let report = |role: &crate::domain::party::Role| {
        wire::CredentialsRole::from(PartnerRole {
            role: role.clone(),
            party: id.clone(),
            name: name.clone(),
            website: website.clone(),
            logo: None,
        })
    };
    roles.iter().map(report).collect()
}
