//! Named lists of places and of tokens, to which tariffs are assigned.

use super::portable::PortableExt;
use super::schema::tariff_groups as groups;
use super::types::Json;
use super::{DbConn, DbResult};
use crate::domain::CiString;
use crate::domain::assignment::{Group, Members};
use diesel::prelude::*;

fn group((name, members): (String, Json<Members>)) -> Group {
    Group { name: CiString::from(name), members: members.0 }
}

/// Writes a group, new or in place of the one that is there.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut DbConn, group: &Group) -> DbResult<()> {
    let members = Json(group.members.clone());
    diesel::insert_into(groups::table)
        .values((
            groups::id.eq(group.name.key()),
            groups::name.eq(group.name.as_str()),
            groups::members.eq(&members),
        ))
        .on_conflict(groups::id)
        .do_update()
        .set((groups::name.eq(group.name.as_str()), groups::members.eq(&members)))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// One group.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, name: &CiString) -> DbResult<Option<Group>> {
    let row: Option<(String, Json<Members>)> =
        groups::table.find(name.key()).select((groups::name, groups::members)).first(conn).optional()?;
    Ok(row.map(group))
}

/// Every group, by name.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut DbConn) -> DbResult<Vec<Group>> {
    let rows: Vec<(String, Json<Members>)> =
        groups::table.order(groups::id).select((groups::name, groups::members)).load(conn)?;
    Ok(rows.into_iter().map(group).collect())
}

/// Removes a group; whether it was there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, name: &CiString) -> DbResult<bool> {
    Ok(diesel::delete(groups::table.find(name.key())).execute(conn)? > 0)
}
