//! Commands on their way: those that partners and operators sent us, and those that we sent to partners.

use super::schema::commands;
use super::types::Json;
use super::{Backend, DbConn, DbResult};
use crate::domain::Timestamp;
use crate::domain::token::Token;
use diesel::prelude::*;

/// A command.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = commands, check_for_backend(Backend), treat_none_as_null = true)]
pub struct CommandRow {
    /// Our id for it.
    pub id: String,
    /// `CommandType`'s word.
    pub kind: String,
    /// `in` from a partner, `local` from an operator, `out` to a partner.
    pub direction: String,
    /// The partner.
    pub partner_id: Option<i64>,
    /// Who asked (`DE*ABC`).
    pub from_party: Option<String>,
    /// Who was asked (`DE*ABC`).
    pub to_party: Option<String>,
    /// The station.
    pub station_id: Option<String>,
    /// OCPP's connector number.
    pub connector: Option<i32>,
    /// The idTag that the station was given.
    pub id_tag: Option<String>,
    /// Key of the session.
    pub session_id: Option<String>,
    /// The eMSP's reference.
    pub authorization_reference: Option<String>,
    /// The token that came with it.
    pub token: Option<Json<Token>>,
    /// Where the result is to be posted.
    pub response_url: Option<String>,
    /// The correlation id of the request that brought it.
    pub correlation_id: Option<String>,
    /// `SENT`, `DONE`.
    pub state: String,
    /// `CommandResult`'s word, once known.
    pub result: Option<String>,
    /// A text for people.
    pub message: Option<String>,
    /// When it came.
    pub created: Timestamp,
    /// When it counts as timed out.
    pub expires_at: Timestamp,
    /// Whether the result was taken by the one who asked.
    pub delivered: bool,
}

/// Adds a command.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, command: &CommandRow) -> DbResult<()> {
    diesel::insert_into(commands::table).values(command).execute(conn)?;
    Ok(())
}

/// Writes a command in place of the one that is there.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut DbConn, command: &CommandRow) -> DbResult<()> {
    diesel::update(commands::table.find(&command.id)).set(command).execute(conn)?;
    Ok(())
}

/// One command.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &str) -> DbResult<Option<CommandRow>> {
    Ok(commands::table.find(id).select(CommandRow::as_select()).first(conn).optional()?)
}

/// Inbound commands whose result is known and was not yet taken by the partner.
///
/// # Errors
/// When the database fails.
pub fn undelivered(conn: &mut DbConn, limit: i64) -> DbResult<Vec<CommandRow>> {
    Ok(commands::table
        .filter(commands::direction.eq("in"))
        .filter(commands::state.eq("DONE"))
        .filter(commands::delivered.eq(false))
        .order(commands::created)
        .limit(limit)
        .select(CommandRow::as_select())
        .load(conn)?)
}

/// Commands that have no result though their time is over.
///
/// # Errors
/// When the database fails.
pub fn expired(conn: &mut DbConn, now: Timestamp, limit: i64) -> DbResult<Vec<CommandRow>> {
    Ok(commands::table
        .filter(commands::state.eq("SENT"))
        .filter(commands::expires_at.le(now))
        .order(commands::expires_at)
        .limit(limit)
        .select(CommandRow::as_select())
        .load(conn)?)
}

/// The newest start that a station was asked for with that idTag (folded) since a time, or else the newest
/// answer of an eMSP: what a StartTransaction, which carries no reference to either, rests on.
///
/// # Errors
/// When the database fails.
pub fn start_for(
    conn: &mut DbConn,
    station_id: &str,
    id_tag: &str,
    since: Timestamp,
) -> DbResult<Option<CommandRow>> {
    Ok(commands::table
        .filter(commands::station_id.eq(station_id))
        .filter(commands::id_tag.eq(id_tag))
        .filter(commands::kind.eq_any(["START_SESSION", "AUTHORIZE"]))
        .filter(commands::direction.ne("out"))
        .filter(commands::session_id.is_null())
        .filter(commands::created.ge(since))
        .filter(commands::result.is_null().or(commands::result.eq_any(["ACCEPTED", "ALLOWED"])))
        .order((commands::kind.desc(), commands::created.desc()))
        .select(CommandRow::as_select())
        .first(conn)
        .optional()?)
}

/// Removes answers of eMSPs that no longer hold.
///
/// # Errors
/// When the database fails.
pub fn forget_authorizations(conn: &mut DbConn, now: Timestamp) -> DbResult<usize> {
    Ok(diesel::delete(
        commands::table.filter(commands::direction.eq("auth")).filter(commands::expires_at.le(now)),
    )
    .execute(conn)?)
}

/// Removes commands; how many were there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, ids: &[String]) -> DbResult<usize> {
    // In parts, since a statement holds no more than some thousand values.
    let mut removed: usize = 0;
    for part in ids.chunks(500) {
        let count = diesel::delete(commands::table.filter(commands::id.eq_any(part))).execute(conn)?;
        removed = removed.saturating_add(count);
    }
    Ok(removed)
}
