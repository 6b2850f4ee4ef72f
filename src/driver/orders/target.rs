//! What an order is about: the place, the token to charge with, the session to stop. What the driver may not know of is
//! not there.

use super::asking::OrderError;
use crate::db::{DbConn, DbError, drivers, locations, partners, sessions};
use crate::domain::CiString;
use crate::domain::location::{Evse, EvseStatus, Location};
use crate::domain::partner::Partner;
use crate::domain::party::PartyId;
use crate::domain::session::Session;
use crate::domain::token::{Token, TokenType};
use crate::driver::receipts::is_of;
use crate::search::place::is_meant;

/// A place of the driver's wish.
pub(super) struct Target {
    pub(super) location: Location,
    pub(super) partner: Option<Partner>,
    pub(super) partner_id: Option<i64>,
}

pub(super) fn partner_of(conn: &mut DbConn, id: Option<i64>) -> Result<Option<Partner>, DbError> {
    Ok(id.map(|id| partners::find(conn, id)).transpose()?.flatten())
}

/// The place that is wished, and the token to charge with.
pub(super) fn target(
    conn: &mut DbConn,
    driver_id: &str,
    party: &PartyId,
    location_id: &CiString,
    evse_uid: &CiString,
    wanted: Option<&(TokenType, CiString)>,
) -> Result<(Target, Token), OrderError> {
    let tokens = drivers::tokens_of(conn, driver_id)?;
    let missing = || OrderError::Missing(format!("EVSE {evse_uid} at location {location_id} of {party}"));
    let (location, partner_id) = locations::find_with_owner(conn, party, location_id)?.ok_or_else(missing)?;
    let allowed = location.publish
        || location
            .publish_allowed_to
            .iter()
            .flatten()
            .any(|one| tokens.iter().any(|token| is_meant(one, token)));
    let there = location.evse(evse_uid).is_some_and(|evse| evse.status != EvseStatus::Removed);
    if !allowed || !there {
        return Err(missing());
    }
    let partner = partner_of(conn, partner_id)?;
    let token = choose_token(tokens, wanted)?;
    Ok((Target { location, partner, partner_id }, token))
}

/// The token that is named, or else the first that is good.
fn choose_token(tokens: Vec<Token>, wanted: Option<&(TokenType, CiString)>) -> Result<Token, OrderError> {
    let is_named =
        |token: &Token| wanted.is_none_or(|(kind, uid)| token.token_type == *kind && token.uid == *uid);
    let mut named = tokens.into_iter().filter(is_named).peekable();
    if named.peek().is_none() {
        let what = wanted.map_or_else(
            || "the driver has no token".to_owned(),
            |(kind, uid)| format!("the driver has no token {uid} of type {kind}"),
        );
        return Err(OrderError::Token(what));
    }
    named
        .find(|token| token.valid)
        .ok_or_else(|| OrderError::Token("the driver's token is blocked; the eMSP says why".to_owned()))
}

/// Whether the connector that is named is there, and named where it must be (OCPI 2.2.1 mod_locations, "Capability",
/// START_SESSION_CONNECTOR_REQUIRED).
pub(super) fn check_connector(evse: &Evse, connector: Option<&CiString>) -> Result<(), OrderError> {
    let required = "START_SESSION_CONNECTOR_REQUIRED";
    match connector {
        Some(id) if evse.connector(id).is_none() => {
            Err(OrderError::Missing(format!("connector {id} at EVSE {}", evse.uid)))
        }
        None if evse.capabilities.iter().flatten().any(|word| word == required) => Err(OrderError::Wrong {
            field: "connector_id",
            why: format!("it is required for EVSE {} ({required})", evse.uid),
        }),
        _ => Ok(()),
    }
}

/// A session that is at a station of ours.
pub(super) struct Ours;

/// A session of a driver, with the partner that told us of it.
pub(super) type OwnSession = (Session, Result<Option<Partner>, Ours>);

pub(super) fn own_session(
    conn: &mut DbConn,
    driver_id: &str,
    party: &PartyId,
    id: &CiString,
) -> Result<Option<OwnSession>, DbError> {
    let tokens = drivers::token_keys(conn, driver_id)?;
    let Some((session, partner_id)) = sessions::find(conn, party, id)? else { return Ok(None) };
    let token = &session.cdr_token;
    if !is_of(&tokens, token.party.as_ref(), &token.uid, &token.token_type) {
        return Ok(None);
    }
    let partner = match partner_id {
        None => Err(Ours),
        Some(_) => Ok(partner_of(conn, partner_id)?),
    };
    Ok(Some((session, partner)))
}
