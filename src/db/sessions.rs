//! Sessions as partners see them: ours as CPO, and those that CPOs told us of.

use super::locations::{Owner, of_owner};
use super::page::{Page, Slice, changed_within};
use super::portable::PortableExt;
use super::schema::sessions;
use super::types::Json;
use super::{Backend, DbConn, DbResult};
use crate::domain::party::PartyId;
use crate::domain::session::{CdrToken, Session};
use crate::domain::token::TokenKey;
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;

/// The two columns by which an eMSP's objects are found; empty where the token names no party (OCPI 2.2).
pub(super) fn token_columns(token: &CdrToken) -> (&str, &str) {
    token.party.as_ref().map_or(("", ""), |party| (party.country_code(), party.party_id()))
}

/// Writes a session, new or in place of the one that is there.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut DbConn, session: &Session, partner_id: Option<i64>) -> DbResult<()> {
    let body = Json(session.clone());
    let (token_country, token_party) = token_columns(&session.cdr_token);
    let token_uid = session.cdr_token.uid.key();
    let changing = (
        sessions::partner_id.eq(partner_id),
        sessions::token_country.eq(token_country),
        sessions::token_party.eq(token_party),
        sessions::token_uid.eq(&token_uid),
        sessions::status.eq(session.status.as_str()),
        sessions::kwh.eq(session.kwh),
        sessions::start_at.eq(session.start_date_time),
        sessions::body.eq(&body),
        sessions::last_updated.eq(session.last_updated),
    );
    diesel::insert_into(sessions::table)
        .values((
            sessions::country_code.eq(session.party.country_code()),
            sessions::party_id.eq(session.party.party_id()),
            sessions::id.eq(session.id.key()),
            changing,
        ))
        .on_conflict((sessions::country_code, sessions::party_id, sessions::id))
        .do_update()
        .set(changing)
        .portable()
        .execute(conn)?;
    Ok(())
}

/// One session and the partner that told us of it, if it is not ours.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<(Session, Option<i64>)>> {
    let row: Option<(Json<Session>, Option<i64>)> = sessions::table
        .filter(sessions::country_code.eq(party.country_code()))
        .filter(sessions::party_id.eq(party.party_id()))
        .filter(sessions::id.eq(id.key()))
        .select((sessions::body, sessions::partner_id))
        .first(conn)
        .optional()?;
    Ok(row.map(|(body, partner)| (body.0, partner)))
}

/// When a session last changed.
///
/// # Errors
/// When the database fails.
pub fn last_updated(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<Timestamp>> {
    Ok(sessions::table
        .filter(sessions::country_code.eq(party.country_code()))
        .filter(sessions::party_id.eq(party.party_id()))
        .filter(sessions::id.eq(id.key()))
        .select(sessions::last_updated)
        .first(conn)
        .optional()?)
}

/// Our own session of that id, whichever of our parties has it.
///
/// # Errors
/// When the database fails.
pub fn find_ours(conn: &mut DbConn, id: &CiString) -> DbResult<Option<Session>> {
    let row: Option<Json<Session>> = sessions::table
        .filter(sessions::id.eq(id.key()))
        .filter(sessions::partner_id.is_null())
        .select(sessions::body)
        .first(conn)
        .optional()?;
    Ok(row.map(|body| body.0))
}

/// Which sessions are meant.
#[derive(Debug, Clone)]
pub struct SessionFilter {
    /// Whose.
    pub owner: Owner,
    /// Only of tokens of these eMSPs, where given.
    pub emsps: Option<Vec<PartyId>>,
    /// Only in this state, where given.
    pub status: Option<String>,
}

/// A page of sessions, in the order in which they were created.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, filter: &SessionFilter, page: Page) -> DbResult<Slice<Session>> {
    let build = || {
        let mut query = of_owner!(sessions::table.into_boxed::<Backend>(), sessions, &filter.owner);
        if let Some(emsps) = &filter.emsps {
            let countries: Vec<String> = emsps.iter().map(ToString::to_string).collect();
            query = query
                .filter(sessions::token_country.concat("*").concat(sessions::token_party).eq_any(countries));
        }
        if let Some(status) = &filter.status {
            query = query.filter(sessions::status.eq(status.clone()));
        }
        changed_within!(query, page, sessions::last_updated)
    };
    let total = build().count().get_result(conn)?;
    let rows: Vec<Json<Session>> = build()
        .order(sessions::seq)
        .offset(page.offset)
        .limit(page.limit)
        .select(sessions::body)
        .load(conn)?;
    Ok(Slice { items: rows.into_iter().map(|row| row.0).collect(), total })
}

/// The sessions of some tokens behind a place in the order of creation, the newest first, with their places. `active`
/// are those that go on.
///
/// # Errors
/// When the database fails.
pub fn of_tokens(
    conn: &mut DbConn,
    tokens: &[TokenKey],
    before: i64,
    only_active: bool,
    limit: i64,
) -> DbResult<Vec<(i64, Session)>> {
    let mut found = Vec::new();
    for token in tokens {
        let mut query = sessions::table
            .filter(sessions::token_country.eq(token.party.country_code()))
            .filter(sessions::token_party.eq(token.party.party_id()))
            .filter(sessions::token_uid.eq(token.uid.key()))
            .filter(sessions::seq.lt(before))
            .order(sessions::seq.desc())
            .limit(limit)
            .select((sessions::seq, sessions::body))
            .into_boxed::<Backend>();
        if only_active {
            query = query.filter(sessions::status.eq_any(["ACTIVE", "PENDING", "RESERVATION"]));
        }
        let rows: Vec<(i64, Json<Session>)> = query.load(conn)?;
        let of_type = |session: &Session| session.cdr_token.token_type == token.token_type;
        found.extend(rows.into_iter().map(|(seq, body)| (seq, body.0)).filter(|(_, one)| of_type(one)));
    }
    found.sort_unstable_by_key(|(seq, _)| std::cmp::Reverse(*seq));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}
