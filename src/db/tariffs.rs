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
use std::collections::HashSet;

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
            tariffs::start_at.eq(tariff.start_date_time),
            tariffs::end_at.eq(tariff.end_date_time),
        ))
        .on_conflict((tariffs::country_code, tariffs::party_id, tariffs::id))
        .do_update()
        .set((
            tariffs::partner_id.eq(partner_id),
            tariffs::body.eq(&body),
            tariffs::last_updated.eq(tariff.last_updated),
            tariffs::start_at.eq(tariff.start_date_time),
            tariffs::end_at.eq(tariff.end_date_time),
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

/// The tariffs of ours of one party with these folded ids.
///
/// # Errors
/// When the database fails.
pub fn ours_by_keys(conn: &mut DbConn, party: &PartyId, keys: &[String]) -> DbResult<Vec<Tariff>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Json<Tariff>> = tariffs::table
        .filter(tariffs::country_code.eq(party.country_code()))
        .filter(tariffs::party_id.eq(party.party_id()))
        .filter(tariffs::partner_id.is_null())
        .filter(tariffs::id.eq_any(keys))
        .order(tariffs::seq)
        .select(tariffs::body)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Our own tariffs of that id, whatever their party.
///
/// # Errors
/// When the database fails.
pub fn ours_by_id(conn: &mut DbConn, id: &CiString) -> DbResult<Vec<Tariff>> {
    let rows: Vec<Json<Tariff>> = tariffs::table
        .filter(tariffs::id.eq(id.key()))
        .filter(tariffs::partner_id.is_null())
        .order(tariffs::seq)
        .select(tariffs::body)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// A page of those tariffs of ours that are among `told` (party and folded id), in the order of creation.
///
/// # Errors
/// When the database fails.
pub fn list_told(
    conn: &mut DbConn,
    owner: &Owner,
    told: &HashSet<(PartyId, String)>,
    page: Page,
) -> DbResult<Slice<Tariff>> {
    let rows: Vec<(i64, String, String, String)> = {
        let query = of_owner!(tariffs::table.into_boxed::<Backend>(), tariffs, owner);
        let query = changed_within!(query, page, tariffs::last_updated);
        query
            .filter(tariffs::partner_id.is_null())
            .order(tariffs::seq)
            .select((tariffs::seq, tariffs::country_code, tariffs::party_id, tariffs::id))
            .load(conn)?
    };
    let is_told = |(_, country_code, party_id, id): &(i64, String, String, String)| {
        PartyId::new(country_code, party_id).is_ok_and(|party| told.contains(&(party, id.clone())))
    };
    let seqs: Vec<i64> = rows.iter().filter(|row| is_told(row)).map(|row| row.0).collect();
    let total = i64::try_from(seqs.len()).unwrap_or(i64::MAX);
    let (offset, limit) = (usize::try_from(page.offset), usize::try_from(page.limit));
    let wanted: Vec<i64> =
        seqs.into_iter().skip(offset.unwrap_or(usize::MAX)).take(limit.unwrap_or_default()).collect();
    let rows: Vec<Json<Tariff>> = tariffs::table
        .filter(tariffs::seq.eq_any(wanted))
        .order(tariffs::seq)
        .select(tariffs::body)
        .load(conn)?;
    Ok(Slice { items: rows.into_iter().map(|row| row.0).collect(), total })
}

/// When each tariff was last changed, by its `seq`: of all, or of those changed at or after a time.
///
/// # Errors
/// When the database fails.
pub fn marks(conn: &mut DbConn, since: Option<Timestamp>) -> DbResult<Vec<(i64, Timestamp)>> {
    let mut query = tariffs::table.select((tariffs::seq, tariffs::last_updated)).into_boxed::<Backend>();
    if let Some(since) = since {
        query = query.filter(tariffs::last_updated.ge(since));
    }
    Ok(query.load(conn)?)
}

/// The tariffs with these `seq`s, of which there are no more than a statement can name.
///
/// # Errors
/// When the database fails.
pub fn by_seqs(conn: &mut DbConn, seqs: &[i64]) -> DbResult<Vec<(i64, Tariff)>> {
    let rows: Vec<(i64, Json<Tariff>)> =
        tariffs::table.filter(tariffs::seq.eq_any(seqs)).select((tariffs::seq, tariffs::body)).load(conn)?;
    Ok(rows.into_iter().map(|(seq, body)| (seq, body.0)).collect())
}

/// When the next tariff of ours behind a time becomes valid or ends.
///
/// # Errors
/// When the database fails.
pub fn next_edge(conn: &mut DbConn, after: Timestamp) -> DbResult<Option<Timestamp>> {
    let start: Option<Timestamp> = tariffs::table
        .filter(tariffs::partner_id.is_null())
        .filter(tariffs::start_at.gt(after))
        .select(tariffs::start_at.assume_not_null())
        .order(tariffs::start_at)
        .first(conn)
        .optional()?;
    let end: Option<Timestamp> = tariffs::table
        .filter(tariffs::partner_id.is_null())
        .filter(tariffs::end_at.gt(after))
        .select(tariffs::end_at.assume_not_null())
        .order(tariffs::end_at)
        .first(conn)
        .optional()?;
    Ok([start, end].into_iter().flatten().min())
}

/// The tariffs of ours that became valid or ended behind a time and up to another.
///
/// # Errors
/// When the database fails.
pub fn with_edges(conn: &mut DbConn, after: Timestamp, until: Timestamp) -> DbResult<Vec<Tariff>> {
    let start = tariffs::start_at.gt(after).and(tariffs::start_at.le(until));
    let end = tariffs::end_at.gt(after).and(tariffs::end_at.le(until));
    let rows: Vec<Json<Tariff>> = tariffs::table
        .filter(tariffs::partner_id.is_null())
        .filter(start.or(end))
        .order(tariffs::seq)
        .select(tariffs::body)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
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
    let present: HashSet<(String, String, String)> = present
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
