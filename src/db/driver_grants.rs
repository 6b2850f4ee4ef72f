//! What apps were given for drivers: grants, which go on with each refresh, and the refresh tokens, kept as keyed
//! hashes. A refresh token is good once. One that comes again was stolen, or its thief came first; so it ends the
//! grant (RFC 9700, 4.14.2).

use super::schema::{driver_grants as grants, driver_refresh_tokens as refresh};
use super::{DbConn, DbResult};
use crate::domain::Timestamp;
use diesel::prelude::*;

/// What an app was given for a driver.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = grants)]
pub struct Grant {
    /// Its id, which access tokens name.
    pub id: String,
    /// The driver.
    pub driver_id: String,
    /// When it was given.
    pub created: Timestamp,
    /// When it ends, unless it is refreshed before.
    pub expires_at: Timestamp,
    /// Whether it was taken back.
    pub revoked: bool,
}

impl Grant {
    /// Whether it is good at a time.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.revoked && now < self.expires_at
    }
}

/// Adds a grant.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, grant: &Grant) -> DbResult<()> {
    diesel::insert_into(grants::table).values(grant).execute(conn)?;
    Ok(())
}

/// One grant.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &str) -> DbResult<Option<Grant>> {
    Ok(grants::table.find(id).first(conn).optional()?)
}

/// Lets a grant go on.
///
/// # Errors
/// When the database fails.
pub fn extend(conn: &mut DbConn, id: &str, expires_at: Timestamp) -> DbResult<()> {
    diesel::update(grants::table.find(id)).set(grants::expires_at.eq(expires_at)).execute(conn)?;
    Ok(())
}

/// Takes a grant back.
///
/// # Errors
/// When the database fails.
pub fn revoke(conn: &mut DbConn, id: &str) -> DbResult<()> {
    diesel::update(grants::table.find(id)).set(grants::revoked.eq(true)).execute(conn)?;
    Ok(())
}

/// Forgets a driver's grants that ended before a time, with their refresh tokens.
///
/// # Errors
/// When the database fails.
pub fn forget_ended(conn: &mut DbConn, driver_id: &str, before: Timestamp) -> DbResult<usize> {
    let ended = grants::table.filter(grants::driver_id.eq(driver_id)).filter(grants::expires_at.lt(before));
    Ok(diesel::delete(ended).execute(conn)?)
}

/// Forgets every grant that ended before a time, with its refresh tokens.
///
/// # Errors
/// When the database fails.
pub fn forget_all_ended(conn: &mut DbConn, before: Timestamp) -> DbResult<usize> {
    Ok(diesel::delete(grants::table.filter(grants::expires_at.lt(before))).execute(conn)?)
}

/// Adds a refresh token of a grant.
///
/// # Errors
/// When the database fails.
pub fn add_refresh_token(conn: &mut DbConn, grant_id: &str, hash: &str) -> DbResult<()> {
    diesel::insert_into(refresh::table)
        .values((refresh::hash.eq(hash), refresh::grant_id.eq(grant_id), refresh::used.eq(false)))
        .execute(conn)?;
    Ok(())
}

/// The grant of a refresh token, and whether the token was used before.
///
/// # Errors
/// When the database fails.
pub fn by_refresh_token(conn: &mut DbConn, hash: &str) -> DbResult<Option<(Grant, bool)>> {
    let row: Option<(String, bool)> =
        refresh::table.find(hash).select((refresh::grant_id, refresh::used)).first(conn).optional()?;
    let Some((grant_id, used)) = row else { return Ok(None) };
    Ok(find(conn, &grant_id)?.map(|grant| (grant, used)))
}

/// Marks a refresh token as used.
///
/// # Errors
/// When the database fails.
pub fn use_refresh_token(conn: &mut DbConn, hash: &str) -> DbResult<()> {
    diesel::update(refresh::table.find(hash)).set(refresh::used.eq(true)).execute(conn)?;
    Ok(())
}
