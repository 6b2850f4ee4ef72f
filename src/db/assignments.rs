//! Which of our tariffs is assigned where and to whom, each assignment whole as a document.

use super::schema::tariff_assignments as assignments;
use super::types::Json;
use super::{DbConn, DbResult};
use crate::domain::assignment::Assignment;
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;

type Row = (i64, Json<Assignment>);

fn assignment((id, body): Row) -> Assignment {
    Assignment { id, ..body.0 }
}

fn all_of(rows: Vec<Row>) -> Vec<Assignment> {
    rows.into_iter().map(assignment).collect()
}

/// Adds an assignment; its `id` is not looked at. Returns the id that it got.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, new: &Assignment) -> DbResult<i64> {
    Ok(diesel::insert_into(assignments::table)
        .values((
            assignments::country_code.eq(new.party.country_code()),
            assignments::party_id.eq(new.party.party_id()),
            assignments::tariff_id.eq(new.tariff_id.key()),
            assignments::location_id.eq(new.place.location().map(CiString::key)),
            assignments::valid_from.eq(new.valid_from),
            assignments::valid_to.eq(new.valid_to),
            assignments::body.eq(Json(new.clone())),
        ))
        .returning(assignments::id)
        .get_result(conn)?)
}

/// Removes an assignment; whether it was there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, id: i64) -> DbResult<bool> {
    Ok(diesel::delete(assignments::table.find(id)).execute(conn)? > 0)
}

/// One assignment.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: i64) -> DbResult<Option<Assignment>> {
    let row: Option<Row> =
        assignments::table.find(id).select((assignments::id, assignments::body)).first(conn).optional()?;
    Ok(row.map(assignment))
}

/// Every assignment, in the order in which they were made.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut DbConn) -> DbResult<Vec<Assignment>> {
    let rows: Vec<Row> =
        assignments::table.order(assignments::id).select((assignments::id, assignments::body)).load(conn)?;
    Ok(all_of(rows))
}

/// The assignments of a tariff.
///
/// # Errors
/// When the database fails.
pub fn of_tariff(conn: &mut DbConn, party: &PartyId, tariff_id: &CiString) -> DbResult<Vec<Assignment>> {
    let rows: Vec<Row> = assignments::table
        .filter(assignments::country_code.eq(party.country_code()))
        .filter(assignments::party_id.eq(party.party_id()))
        .filter(assignments::tariff_id.eq(tariff_id.key()))
        .order(assignments::id)
        .select((assignments::id, assignments::body))
        .load(conn)?;
    Ok(all_of(rows))
}

/// The assignments that can concern a location: to it or to something in it, to groups, to the whole party.
///
/// # Errors
/// When the database fails.
pub fn at(conn: &mut DbConn, party: &PartyId, location_id: &CiString) -> DbResult<Vec<Assignment>> {
    let rows: Vec<Row> = assignments::table
        .filter(assignments::country_code.eq(party.country_code()))
        .filter(assignments::party_id.eq(party.party_id()))
        .filter(assignments::location_id.is_null().or(assignments::location_id.eq(location_id.key())))
        .order(assignments::id)
        .select((assignments::id, assignments::body))
        .load(conn)?;
    Ok(all_of(rows))
}

/// When the next assignment behind a time becomes valid or ends.
///
/// # Errors
/// When the database fails.
pub fn next_edge(conn: &mut DbConn, after: Timestamp) -> DbResult<Option<Timestamp>> {
    let from: Option<Timestamp> = assignments::table
        .filter(assignments::valid_from.gt(after))
        .order(assignments::valid_from)
        .select(assignments::valid_from.assume_not_null())
        .first(conn)
        .optional()?;
    let to: Option<Timestamp> = assignments::table
        .filter(assignments::valid_to.gt(after))
        .order(assignments::valid_to)
        .select(assignments::valid_to.assume_not_null())
        .first(conn)
        .optional()?;
    Ok([from, to].into_iter().flatten().min())
}

/// The assignments that became valid or ended behind a time and up to another.
///
/// # Errors
/// When the database fails.
pub fn with_edges(conn: &mut DbConn, after: Timestamp, until: Timestamp) -> DbResult<Vec<Assignment>> {
    let from = assignments::valid_from.gt(after).and(assignments::valid_from.le(until));
    let to = assignments::valid_to.gt(after).and(assignments::valid_to.le(until));
    let rows: Vec<Row> = assignments::table
        .filter(from.or(to))
        .order(assignments::id)
        .select((assignments::id, assignments::body))
        .load(conn)?;
    Ok(all_of(rows))
}
