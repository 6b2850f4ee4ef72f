//! Tokens and authorizations between the wire and the domain.

use super::wire;
use crate::domain::CiString;
use crate::domain::token as domain;
use crate::ocpi::wire::{WireError, party_of};

impl TryFrom<wire::Token> for domain::Token {
    type Error = WireError;

    fn try_from(token: wire::Token) -> Result<Self, WireError> {
        let wire::Token {
            country_code,
            party_id,
            uid,
            token_type,
            contract_id,
            visual_number,
            issuer,
            group_id,
            valid,
            whitelist,
            language,
            default_profile_type,
            energy_contract,
            last_updated,
            extra,
        } = token;
        Ok(Self {
            party: party_of(&country_code, &party_id)?,
            uid,
            token_type,
            contract_id,
            visual_number,
            issuer,
            group_id,
            valid,
            whitelist,
            language,
            default_profile_type,
            energy_contract,
            last_updated,
            extra,
        })
    }
}

impl From<domain::Token> for wire::Token {
    fn from(token: domain::Token) -> Self {
        let domain::Token {
            party,
            uid,
            token_type,
            contract_id,
            visual_number,
            issuer,
            group_id,
            valid,
            whitelist,
            language,
            default_profile_type,
            energy_contract,
            last_updated,
            extra,
        } = token;
        Self {
            country_code: CiString::from(party.country_code()),
            party_id: CiString::from(party.party_id()),
            uid,
            token_type,
            contract_id,
            visual_number,
            issuer,
            group_id,
            valid,
            whitelist,
            language,
            default_profile_type,
            energy_contract,
            last_updated,
            extra,
        }
    }
}

impl TryFrom<wire::AuthorizationInfo> for domain::AuthorizationInfo {
    type Error = WireError;

    fn try_from(info: wire::AuthorizationInfo) -> Result<Self, WireError> {
        let wire::AuthorizationInfo { allowed, token, location, authorization_reference, info, extra } = info;
        let token = token.try_into().map_err(|error: WireError| error.under(".token"))?;
        Ok(Self { allowed, token, location, authorization_reference, info, extra })
    }
}

impl From<domain::AuthorizationInfo> for wire::AuthorizationInfo {
    fn from(info: domain::AuthorizationInfo) -> Self {
        let domain::AuthorizationInfo { allowed, token, location, authorization_reference, info, extra } =
            info;
        Self { allowed, token: token.into(), location, authorization_reference, info, extra }
    }
}
