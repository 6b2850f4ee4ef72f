//! The parties that this node speaks for.

use super::schema::parties;
use super::types::Json;
use super::{DbConn, DbError, DbResult};
use crate::domain::Timestamp;
use crate::domain::party::{Party, PartyId, Role};
use diesel::prelude::*;

type Row = (String, String, String, Option<String>, Json<Vec<Role>>);

fn party((country_code, party_id, name, website, roles): Row) -> DbResult<Party> {
    let id = PartyId::new(&country_code, &party_id).map_err(|why| DbError::corrupt("party", why))?;
    Ok(Party { id, name, website, roles: roles.0 })
}

/// Adds a party.
///
/// # Errors
/// A unique violation when it is there already.
pub fn insert(conn: &mut DbConn, new: &Party, now: Timestamp) -> DbResult<()> {
    diesel::insert_into(parties::table)
        .values((
            parties::country_code.eq(new.id.country_code()),
            parties::party_id.eq(new.id.party_id()),
            parties::name.eq(&new.name),
            parties::website.eq(new.website.as_deref()),
            parties::roles.eq(Json(new.roles.clone())),
            parties::created.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Every party, in the order they were added.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut DbConn) -> DbResult<Vec<Party>> {
    let rows: Vec<Row> = parties::table
        .order((parties::created, parties::country_code, parties::party_id))
        .select((parties::country_code, parties::party_id, parties::name, parties::website, parties::roles))
        .load(conn)?;
    rows.into_iter().map(party).collect()
}

/// One party.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &PartyId) -> DbResult<Option<Party>> {
    let row: Option<Row> = parties::table
        .find((id.country_code(), id.party_id()))
        .select((parties::country_code, parties::party_id, parties::name, parties::website, parties::roles))
        .first(conn)
        .optional()?;
    row.map(party).transpose()
}
