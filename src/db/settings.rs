//! Facts about this installation that one program writes for others: a node its public URL, the command line
//! that stations have changed.

use super::portable::PortableExt;
use super::schema::settings;
use super::{DbConn, DbResult};
use diesel::prelude::*;

/// Name of the setting that holds the URL under which partners reach this node.
pub const PUBLIC_URL: &str = "public_url";

/// Name of the setting that differs after a station was removed or its password changed, so that nodes need not
/// read all stations to find out.
pub const STATIONS_GENERATION: &str = "stations_generation";

/// Name of the setting that says up to when beginnings and ends of tariffs and their assignments were told.
pub const TARIFF_EDGES: &str = "tariff_edges";

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
