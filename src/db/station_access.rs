//! How stations prove who they are.

use super::schema::stations;
use super::{DbConn, DbResult, settings};
use crate::domain::Timestamp;
use crate::domain::station::{StationAuth, StationId};
use diesel::prelude::*;
use std::collections::HashMap;

/// What must be known of a station that wants to come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// How it proves who it is.
    pub auth: StationAuth,
    /// The hash of its password.
    pub password_hash: Option<String>,
    /// Whether it was accepted by a BootNotification before.
    pub booted: bool,
}

/// What must be known of a station that wants to come in; `None` when there is no such station.
///
/// # Errors
/// When the database fails.
pub fn admission(conn: &mut DbConn, id: &StationId) -> DbResult<Option<Admission>> {
    let row: Option<(String, Option<String>, Option<Timestamp>)> = stations::table
        .find(id.as_str())
        .select((stations::auth, stations::password_hash, stations::booted_at))
        .first(conn)
        .optional()?;
    Ok(row.map(|(auth, password_hash, booted_at)| Admission {
        auth: auth_of(&auth),
        password_hash,
        booted: booted_at.is_some(),
    }))
}

/// As the column has it.
pub(super) fn auth_of(word: &str) -> StationAuth {
    if word == "none" { StationAuth::None } else { StationAuth::Basic }
}

/// How stations prove who they are, by id: of those that are there.
///
/// # Errors
/// When the database fails.
pub fn credentials_of(
    conn: &mut DbConn,
    ids: &[String],
) -> DbResult<HashMap<String, (StationAuth, Option<String>)>> {
    let rows: Vec<(String, String, Option<String>)> = stations::table
        .filter(stations::id.eq_any(ids))
        .select((stations::id, stations::auth, stations::password_hash))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, auth, hash)| (id, (auth_of(&auth), hash))).collect())
}

/// Something that differs after a station was removed or its password changed; `None` before the first time.
///
/// # Errors
/// When the database fails.
pub fn generation(conn: &mut DbConn) -> DbResult<Option<String>> {
    settings::get(conn, settings::STATIONS_GENERATION)
}

/// Makes the generation another one.
pub(super) fn next_generation(conn: &mut DbConn) -> DbResult<()> {
    settings::set(conn, settings::STATIONS_GENERATION, &uuid::Uuid::new_v4().to_string())
}

/// How a station proves who it is: `none` or `basic`, and the hash of its password.
///
/// # Errors
/// When the database fails.
pub fn credentials(conn: &mut DbConn, id: &StationId) -> DbResult<Option<(StationAuth, Option<String>)>> {
    let row: Option<(String, Option<String>)> = stations::table
        .find(id.as_str())
        .select((stations::auth, stations::password_hash))
        .first(conn)
        .optional()?;
    Ok(row.map(|(auth, hash)| (auth_of(&auth), hash)))
}

/// Sets the hash of its password; without one it is configured to need none. Whether the station is there.
///
/// # Errors
/// When the database fails.
pub fn set_password(conn: &mut DbConn, id: &StationId, hash: Option<&str>, now: Timestamp) -> DbResult<bool> {
    let auth = if hash.is_some() { "basic" } else { "none" };
    let changed = diesel::update(stations::table.find(id.as_str()))
        .set((stations::auth.eq(auth), stations::password_hash.eq(hash), stations::last_updated.eq(now)))
        .execute(conn)?;
    next_generation(conn)?;
    Ok(changed > 0)
}
