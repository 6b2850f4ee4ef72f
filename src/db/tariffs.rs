//! Tariffs, ours and our partners', each whole as a document.

use super::locations::{Owner, of_owner};
use super::page::{Page, Slice, changed_within};
use super::portable::PortableExt;
use super::schema::tariffs;
use super::types::Json;
use super::{Backend, DbConn, DbResult};
use crate::domain::party::PartyId;
use crate::domain::tariff::Tariff;
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;

/// Writes a tariff, new or in place of the one that is there.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut DbConn, tariff: &Tariff, partner_id: Option<i64>) -> DbResult<()> {
    let body = Json(tariff.clone());
    diesel::insert_into(tariffs::table)
        .values((
            tariffs::country_code.eq(tariff.party.country_code()),
            tariffs::party_id.eq(tariff.party.party_id()),
            tariffs::id.eq(tariff.id.key()),
            tariffs::partner_id.eq(partner_id),
            tariffs::body.eq(&body),
            tariffs::last_updated.eq(tariff.last_updated),
        ))
        .on_conflict((tariffs::country_code, tariffs::party_id, tariffs::id))
        .do_update()
        .set((
            tariffs::partner_id.eq(partner_id),
            tariffs::body.eq(&body),
            tariffs::last_updated.eq(tariff.last_updated),
        ))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// One tariff.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<Tariff>> {
    Ok(find_with_owner(conn, party, id)?.map(|(tariff, _)| tariff))
}

/// One tariff and the partner that told us of it, if it is not ours.
///
/// # Errors
/// When the database fails.
pub fn find_with_owner(
    conn: &mut DbConn,
    party: &PartyId,
    id: &CiString,
) -> DbResult<Option<(Tariff, Option<i64>)>> {
    let row: Option<(Json<Tariff>, Option<i64>)> = tariffs::table
        .filter(tariffs::country_code.eq(party.country_code()))
        .filter(tariffs::party_id.eq(party.party_id()))
        .filter(tariffs::id.eq(id.key()))
        .select((tariffs::body, tariffs::partner_id))
        .first(conn)
        .optional()?;
    Ok(row.map(|(body, partner)| (body.0, partner)))
}

/// A page of tariffs, in the order in which they were created.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, owner: &Owner, page: Page) -> DbResult<Slice<Tariff>> {
    let build = || {
        let query = of_owner!(tariffs::table.into_boxed::<Backend>(), tariffs, owner);
        changed_within!(query, page, tariffs::last_updated)
    };
    let total = build().count().get_result(conn)?;
    let rows: Vec<Json<Tariff>> =
        build().order(tariffs::seq).offset(page.offset).limit(page.limit).select(tariffs::body).load(conn)?;
    Ok(Slice { items: rows.into_iter().map(|row| row.0).collect(), total })
}

/// Removes every object of a partner that is not among those present and was last changed before a time: after
/// a complete, unfiltered pull, what it no longer holds.
///
/// # Errors
/// When the database fails.
pub fn remove_absent(
    conn: &mut DbConn,
    partner_id: i64,
    present: &[(PartyId, CiString)],
    before: Timestamp,
) -> DbResult<usize> {
    let held: Vec<(i64, String, String, String)> = tariffs::table
        .filter(tariffs::partner_id.eq(partner_id))
        .filter(tariffs::last_updated.lt(before))
        .select((tariffs::seq, tariffs::country_code, tariffs::party_id, tariffs::id))
        .load(conn)?;
    let present: std::collections::HashSet<(String, String, String)> = present
        .iter()
        .map(|(party, id)| (party.country_code().to_owned(), party.party_id().to_owned(), id.key()))
        .collect();
    let mut removed = 0;
    for (seq, country_code, party_id, id) in held {
        if !present.contains(&(country_code, party_id, id)) {
            removed += diesel::delete(tariffs::table.filter(tariffs::seq.eq(seq))).execute(conn)?;
        }
    }
    Ok(removed)
}

/// Removes one tariff; whether it was there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<bool> {
    let removed = diesel::delete(
        tariffs::table
            .filter(tariffs::country_code.eq(party.country_code()))
            .filter(tariffs::party_id.eq(party.party_id()))
            .filter(tariffs::id.eq(id.key())),
    )
    .execute(conn)?;
    Ok(removed > 0)
}
