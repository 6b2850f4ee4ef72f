//! Whether one of our drivers may charge at a partner's station (OCPI 2.2.1 mod_tokens, "Real-time
//! authorization"): our side as an eMSP.

use super::serve::may_know_tokens;
use crate::app::App;
use crate::db::{DbError, tokens};
use crate::domain::partner::Partner;
use crate::domain::party::PartyId;
use crate::domain::token::{Allowed, AuthorizationInfo, LocationReferences, TokenType};
use crate::domain::{CiString, Extra};

/// What a partner asks.
#[derive(Debug, Clone)]
pub struct GrantRequest {
    /// The party of ours that is asked, if one is named.
    pub to: Option<PartyId>,
    /// The token's uid.
    pub uid: CiString,
    /// The token's type.
    pub token_type: TokenType,
    /// Where the driver wants to charge.
    pub place: Option<LocationReferences>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The partner operates no stations.
    #[error("only a CPO or a hub may ask for an authorization")]
    NotForThem,
    /// We have no such token.
    #[error("no token {uid} of type {token_type} is known here")]
    UnknownToken {
        /// Its uid.
        uid: CiString,
        /// Its type.
        token_type: TokenType,
    },
    /// Without a place it cannot be decided.
    #[error("LocationReferences are needed to authorize this token")]
    PlaceNeeded,
}

/// Answers whether a driver of ours may charge.
///
/// # Errors
/// When the token is not known, a place is needed and missing, or the partner may not ask.
pub async fn authorize(
    app: &App,
    partner: &Partner,
    asked: GrantRequest,
) -> Result<AuthorizationInfo, GrantError> {
    if !may_know_tokens(partner) {
        return Err(GrantError::NotForThem);
    }
    let GrantRequest { to, uid, token_type, place } = asked;
    let key = uid.clone();
    let found = app.db.read::<_, DbError, _>(move |conn| tokens::ours_by_uid(conn, &key)).await?;
    let token = found.into_iter().find(|token| {
        token.token_type == token_type && to.as_ref().is_none_or(|party| token.party == *party)
    });
    let Some(token) = token else { return Err(GrantError::UnknownToken { uid, token_type }) };
    if !token.valid {
        return Ok(AuthorizationInfo {
            allowed: Allowed::Blocked,
            token,
            location: None,
            authorization_reference: None,
            info: None,
            extra: Extra::new(),
        });
    }
    if place.is_none() && app.config.roaming.authorize_needs_location {
        return Err(GrantError::PlaceNeeded);
    }
    Ok(AuthorizationInfo {
        allowed: Allowed::Allowed,
        token,
        location: place,
        authorization_reference: Some(CiString::from(uuid::Uuid::new_v4().to_string())),
        info: None,
        extra: Extra::new(),
    })
}
