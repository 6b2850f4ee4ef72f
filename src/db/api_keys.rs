//! Keys of the operator API: only their keyed hashes are kept.

use super::schema::api_keys;
use super::{DbConn, DbResult};
use crate::domain::Timestamp;
use diesel::prelude::*;

/// Adds a key.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, name: &str, role: &str, hash: &str, now: Timestamp) -> DbResult<i64> {
    Ok(diesel::insert_into(api_keys::table)
        .values((
            api_keys::name.eq(name),
            api_keys::role.eq(role),
            api_keys::hash.eq(hash),
            api_keys::created.eq(now),
        ))
        .returning(api_keys::id)
        .get_result(conn)?)
}

/// The id and role of the key with that hash.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, hash: &str) -> DbResult<Option<(i64, String)>> {
    Ok(api_keys::table
        .filter(api_keys::hash.eq(hash))
        .select((api_keys::id, api_keys::role))
        .first(conn)
        .optional()?)
}

/// A key as it can be shown.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct ApiKey {
    /// Its number.
    pub id: i64,
    /// What the operator calls it.
    pub name: String,
    /// Its role.
    pub role: String,
    /// When it was made.
    pub created: Timestamp,
}

/// Every key, oldest first.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut DbConn) -> DbResult<Vec<ApiKey>> {
    Ok(api_keys::table
        .order(api_keys::id)
        .select((api_keys::id, api_keys::name, api_keys::role, api_keys::created))
        .load(conn)?)
}

/// Removes a key; whether it was there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, id: i64) -> DbResult<bool> {
    Ok(diesel::delete(api_keys::table.find(id)).execute(conn)? > 0)
}
