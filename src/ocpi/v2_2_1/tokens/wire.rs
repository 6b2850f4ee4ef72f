//! Token and AuthorizationInfo on the wire (OCPI 2.2.1 mod_tokens). LocationReferences has the same shape in
//! the domain and is read as that.

use super::shape::{AUTHORIZATION_INFO, TOKEN};
use crate::domain::location::DisplayText;
pub use crate::domain::token::LocationReferences;
use crate::domain::token::{Allowed, EnergyContract, TokenType, Whitelist};
use crate::domain::{CiString, Extra, Timestamp};
use crate::ocpi::shape::Class;
use crate::ocpi::wire::Wire;
use serde::{Deserialize, Serialize};

/// "Token Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// The eMSP that owns it.
    pub country_code: CiString,
    /// The eMSP that owns it.
    pub party_id: CiString,
    /// What the reader reads.
    pub uid: CiString,
    /// Unique together with `uid`.
    #[serde(rename = "type")]
    pub token_type: TokenType,
    /// The contract.
    pub contract_id: CiString,
    /// As printed on the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visual_number: Option<String>,
    /// Issuing company.
    pub issuer: String,
    /// Group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_id: Option<CiString>,
    /// Whether it is valid.
    pub valid: bool,
    /// Whether to ask in real time.
    pub whitelist: Whitelist,
    /// ISO 639-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// ProfileType.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_profile_type: Option<String>,
    /// The driver's own contract for energy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_contract: Option<EnergyContract>,
    /// By the owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Wire for Token {
    const CLASS: &'static Class = &TOKEN;
}

/// "AuthorizationInfo Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationInfo {
    /// The answer.
    pub allowed: Allowed,
    /// The token, whole.
    pub token: Token,
    /// Where the driver may charge, if a place was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationReferences>,
    /// The eMSP's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_reference: Option<CiString>,
    /// For the driver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<DisplayText>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Wire for AuthorizationInfo {
    const CLASS: &'static Class = &AUTHORIZATION_INFO;
}
