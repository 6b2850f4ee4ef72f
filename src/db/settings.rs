//! Facts about this installation that a node writes for other programs: its public URL.

use super::portable::PortableExt;
use super::schema::settings;
use super::{DbConn, DbResult};
use diesel::prelude::*;

/// Name of the setting that holds the URL under which partners reach this node.
pub const PUBLIC_URL: &str = "public_url";

/// A setting's value.
///
/// # Errors
/// When the database fails.
pub fn get(conn: &mut DbConn, name: &str) -> DbResult<Option<String>> {
    Ok(settings::table.find(name).select(settings::value).first(conn).optional()?)
}

/// Writes a setting.
///
/// # Errors
/// When the database fails.
pub fn set(conn: &mut DbConn, name: &str, value: &str) -> DbResult<()> {
    diesel::insert_into(settings::table)
        .values((settings::name.eq(name), settings::value.eq(value)))
        .on_conflict(settings::name)
        .do_update()
        .set(settings::value.eq(value))
        .portable()
        .execute(conn)?;
    Ok(())
}
