//! Tokens: what a driver identifies with (OCPI 2.2.1 mod_tokens).

use super::open_enum::open_enum;
use super::party::PartyId;
use super::values::{CiString, Extra, Timestamp};
use serde::{Deserialize, Serialize};

open_enum! {
    /// OCPI 2.2.1 mod_tokens, "TokenType".
    pub enum TokenType {
        /// One time use.
        AdHocUser = "AD_HOC_USER",
        /// User of an app.
        AppUser = "APP_USER",
        /// Other (2.1.1 and later).
        OtherType = "OTHER",
        /// A card or key fob.
        Rfid = "RFID",
        /// 2.3.0: an EMAID of ISO 15118.
        Emaid = "EMAID",
    }
}

open_enum! {
    /// OCPI 2.2.1 mod_tokens, "WhitelistType".
    pub enum Whitelist {
        /// Never ask in real time.
        Always = "ALWAYS",
        /// May ask, may use the whitelist.
        Allowed = "ALLOWED",
        /// Ask, and use the whitelist when the eMSP cannot be reached.
        AllowedOffline = "ALLOWED_OFFLINE",
        /// Always ask.
        Never = "NEVER",
    }
}

open_enum! {
    /// OCPI 2.2.1 mod_tokens, "AllowedType".
    pub enum Allowed {
        /// May charge.
        Allowed = "ALLOWED",
        /// The token is blocked.
        Blocked = "BLOCKED",
        /// The token has expired.
        Expired = "EXPIRED",
        /// Not enough credit.
        NoCredit = "NO_CREDIT",
        /// Not at this location.
        NotAllowed = "NOT_ALLOWED",
    }
}

/// A driver's own contract for energy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnergyContract {
    /// Name of the supplier.
    pub supplier_name: String,
    /// Contract there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_id: Option<String>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// By what a token is found: `uid` and `type` together are unique within an eMSP.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenKey {
    /// The eMSP that owns it.
    pub party: PartyId,
    /// What the reader reads.
    pub uid: CiString,
    /// Its type.
    pub token_type: TokenType,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// The eMSP that owns it.
    pub party: PartyId,
    /// What the reader reads, at most 36 characters.
    pub uid: CiString,
    /// Its type.
    pub token_type: TokenType,
    /// The contract (eMAID), at most 36 characters.
    pub contract_id: CiString,
    /// As printed on the card.
    pub visual_number: Option<String>,
    /// Issuing company.
    pub issuer: String,
    /// Tokens of one group can stop each other's sessions.
    pub group_id: Option<CiString>,
    /// Whether it is valid.
    pub valid: bool,
    /// Whether to ask in real time.
    pub whitelist: Whitelist,
    /// ISO 639-1.
    pub language: Option<String>,
    /// Default charging preference.
    pub default_profile_type: Option<String>,
    /// The driver's own contract for energy.
    pub energy_contract: Option<EnergyContract>,
    /// When it was last changed, by its owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    pub extra: Extra,
}

impl Token {
    /// By what it is found.
    #[must_use]
    pub fn key(&self) -> TokenKey {
        TokenKey { party: self.party.clone(), uid: self.uid.clone(), token_type: self.token_type.clone() }
    }
}

/// What an eMSP answers when asked whether a driver may charge (OCPI 2.2.1 mod_tokens, "AuthorizationInfo").
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorizationInfo {
    /// The answer.
    pub allowed: Allowed,
    /// The token, whole.
    pub token: Token,
    /// Where the driver may charge, if it was asked for a place.
    pub location: Option<LocationReferences>,
    /// The eMSP's reference, repeated in the session and the CDR.
    pub authorization_reference: Option<CiString>,
    /// A text for the driver.
    pub info: Option<super::location::DisplayText>,
    /// Fields not known.
    pub extra: Extra,
}

/// A place for which an authorization is asked or given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationReferences {
    /// The location.
    pub location_id: CiString,
    /// EVSEs there. Missing means all of them; an empty list in an answer means that none is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evse_uids: Option<Vec<CiString>>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}
