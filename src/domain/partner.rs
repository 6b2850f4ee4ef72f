//! Roaming partners: the platforms that this node is peered with.

use super::location::Image;
use super::open_enum::open_enum;
use super::party::{PartyId, Role};
use super::values::Timestamp;
use serde::{Deserialize, Serialize};

open_enum! {
    /// Where a partner stands.
    pub enum PartnerStatus {
        /// It has a token A and may register.
        Invited = "INVITED",
        /// We began the handshake; it may look at our versions meanwhile.
        Registering = "REGISTERING",
        /// Credentials were exchanged.
        Registered = "REGISTERED",
        /// An operator stopped all traffic with it.
        Suspended = "SUSPENDED",
        /// It, or we, ended the registration.
        Unregistered = "UNREGISTERED",
        /// An operator removed it; kept because CDRs refer to it.
        Removed = "REMOVED",
    }
}

open_enum! {
    /// How changes reach a partner.
    pub enum DeliveryPolicy {
        /// The latest state of each object that changed, in the order of change.
        Converge = "converge",
        /// Nothing is pushed; the partner pulls.
        PullOnly = "pull_only",
    }
}

open_enum! {
    /// How a partner wants the token in the Authorization header.
    pub enum TokenEncoding {
        /// OCPI 2.2 and later.
        Base64 = "base64",
        /// OCPI 2.1.1 and some others.
        Raw = "raw",
    }
}

open_enum! {
    /// Modules (OCPI 2.2.1 version_information_endpoint, "ModuleID").
    pub enum ModuleId {
        /// CDRs.
        Cdrs = "cdrs",
        /// Charging profiles.
        ChargingProfiles = "chargingprofiles",
        /// Commands.
        Commands = "commands",
        /// Credentials.
        Credentials = "credentials",
        /// Parties behind a hub.
        HubClientInfo = "hubclientinfo",
        /// Locations.
        Locations = "locations",
        /// Sessions.
        Sessions = "sessions",
        /// Tariffs.
        Tariffs = "tariffs",
        /// Tokens.
        Tokens = "tokens",
    }
}

open_enum! {
    /// OCPI 2.2.1 version_information_endpoint, "InterfaceRole".
    pub enum InterfaceRole {
        /// Owns the objects.
        Sender = "SENDER",
        /// Is told of them.
        Receiver = "RECEIVER",
    }
}

/// Where a partner serves a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The module.
    pub module: ModuleId,
    /// Its side.
    pub role: InterfaceRole,
    /// The base URL.
    pub url: String,
}

/// A party that a partner speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRole {
    /// The role.
    pub role: Role,
    /// The party.
    pub party: PartyId,
    /// Its name.
    pub name: String,
    /// Its website.
    pub website: Option<String>,
    /// Its logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Image>,
}

/// A partner, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Our number for it.
    pub id: i64,
    /// What the operator calls it.
    pub name: String,
    /// Where it stands.
    pub status: PartnerStatus,
    /// Where its versions are.
    pub versions_url: Option<String>,
    /// The version agreed on, e.g. `2.2.1`.
    pub version: Option<String>,
    /// Its endpoints in that version.
    pub endpoints: Vec<Endpoint>,
    /// The parties it speaks for.
    pub roles: Vec<PartnerRole>,
    /// Origins (`scheme://host[:port]`) that its URLs may have, approved by an operator.
    pub allowed_origins: Vec<String>,
    /// How changes reach it.
    pub delivery: DeliveryPolicy,
    /// How it wants its token.
    pub token_encoding: TokenEncoding,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_updated: Timestamp,
}

impl Partner {
    /// Where it serves that side of that module.
    #[must_use]
    pub fn endpoint(&self, module: &ModuleId, role: &InterfaceRole) -> Option<&str> {
        let found = self.endpoints.iter().find(|e| e.module == *module && e.role == *role)?;
        Some(&found.url)
    }

    /// Whether it speaks for that party in that role.
    #[must_use]
    pub fn speaks_for(&self, party: &PartyId, role: &Role) -> bool {
        self.roles.iter().any(|r| r.party == *party && r.role == *role)
    }
}
