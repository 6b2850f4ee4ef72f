//! Locations, ours and our partners', each whole as a document.

use super::page::{Page, Slice, changed_within};
use super::portable::PortableExt;
use super::schema::locations;
use super::types::Json;
use super::{Backend, DbConn, DbError, DbResult};
use crate::domain::location::Location;
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;
use std::collections::{BTreeSet, HashSet};

/// Whose objects are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Our own parties'.
    Ours,
    /// One of our own parties'.
    Party(PartyId),
    /// A partner's, as it told us.
    Partner(i64),
    /// Everybody's.
    Any,
}

/// Filters a boxed query of a table by whose objects are meant.
macro_rules! of_owner {
    ($query:expr, $table:ident, $owner:expr) => {{
        let query = $query;
        match $owner {
            Owner::Ours => query.filter($table::partner_id.is_null()),
            Owner::Party(party) => query
                .filter($table::partner_id.is_null())
                .filter($table::country_code.eq(party.country_code().to_owned()))
                .filter($table::party_id.eq(party.party_id().to_owned())),
            Owner::Partner(id) => query.filter($table::partner_id.eq(*id)),
            Owner::Any => query,
        }
    }};
}
pub(super) use of_owner;

/// What stands between the ids of the column `tariff_ids`: an id has no line break in it.
const LINE: &str = "\n";

/// The tariffs that a location's connectors name, folded, each once.
#[must_use]
pub fn named_by(location: &Location) -> Vec<String> {
    let connectors = location.evses().flat_map(|evse| &evse.connectors);
    let ids: BTreeSet<String> =
        connectors.flat_map(|connector| connector.tariff_ids.iter().flatten()).map(CiString::key).collect();
    ids.into_iter().collect()
}

/// The tariffs that connectors of ours name, folded, by party.
///
/// # Errors
/// When the database fails.
pub fn named_tariffs(conn: &mut DbConn) -> DbResult<HashSet<(PartyId, String)>> {
    let rows: Vec<(String, String, String)> = locations::table
        .filter(locations::partner_id.is_null())
        .filter(locations::tariff_ids.ne(""))
        .select((locations::country_code, locations::party_id, locations::tariff_ids))
        .distinct()
        .load(conn)?;
    let mut named = HashSet::new();
    for (country_code, party_id, ids) in rows {
        let party =
            PartyId::new(&country_code, &party_id).map_err(|why| DbError::corrupt("location", why))?;
        named.extend(ids.split(LINE).map(|id| (party.clone(), id.to_owned())));
    }
    Ok(named)
}

/// Our locations behind a `seq`, with theirs, of one party: all, or the one of that id.
///
/// # Errors
/// When the database fails.
pub fn ours_behind(
    conn: &mut DbConn,
    party: &PartyId,
    only: Option<&CiString>,
    seq: i64,
    limit: i64,
) -> DbResult<Vec<(i64, Location)>> {
    let mut query = locations::table
        .filter(locations::country_code.eq(party.country_code()))
        .filter(locations::party_id.eq(party.party_id()))
        .filter(locations::partner_id.is_null())
        .filter(locations::seq.gt(seq))
        .order(locations::seq)
        .limit(limit)
        .select((locations::seq, locations::body))
        .into_boxed::<Backend>();
    if let Some(id) = only {
        query = query.filter(locations::id.eq(id.key()));
    }
    let rows: Vec<(i64, Json<Location>)> = query.load(conn)?;
    Ok(rows.into_iter().map(|(seq, body)| (seq, body.0)).collect())
}

/// Writes a location, new or in place of the one that is there.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut DbConn, location: &Location, partner_id: Option<i64>) -> DbResult<()> {
    let body = Json(location.clone());
    let tariff_ids = if partner_id.is_none() { named_by(location).join(LINE) } else { String::new() };
    diesel::insert_into(locations::table)
        .values((
            locations::country_code.eq(location.party.country_code()),
            locations::party_id.eq(location.party.party_id()),
            locations::id.eq(location.id.key()),
            locations::partner_id.eq(partner_id),
            locations::publish.eq(location.is_for_partners()),
            locations::body.eq(&body),
            locations::last_updated.eq(location.last_updated),
            locations::tariff_ids.eq(&tariff_ids),
        ))
        .on_conflict((locations::country_code, locations::party_id, locations::id))
        .do_update()
        .set((
            locations::partner_id.eq(partner_id),
            locations::publish.eq(location.is_for_partners()),
            locations::body.eq(&body),
            locations::last_updated.eq(location.last_updated),
            locations::tariff_ids.eq(&tariff_ids),
        ))
        .portable()
        .execute(conn)?;
    if partner_id.is_none() {
        super::own_evses::put(conn, location)?;
    }
    Ok(())
}

/// Writes the body of a location of which nothing changed but states: no EVSE, and no name of a tariff.
///
/// # Errors
/// When the database fails.
pub fn update_states(conn: &mut DbConn, location: &Location) -> DbResult<()> {
    diesel::update(
        locations::table
            .filter(locations::country_code.eq(location.party.country_code()))
            .filter(locations::party_id.eq(location.party.party_id()))
            .filter(locations::id.eq(location.id.key())),
    )
    .set((locations::body.eq(Json(location.clone())), locations::last_updated.eq(location.last_updated)))
    .execute(conn)?;
    Ok(())
}

/// One location.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<Location>> {
    Ok(find_with_owner(conn, party, id)?.map(|(location, _)| location))
}

/// One location and the partner that told us of it, if it is not ours.
///
/// # Errors
/// When the database fails.
pub fn find_with_owner(
    conn: &mut DbConn,
    party: &PartyId,
    id: &CiString,
) -> DbResult<Option<(Location, Option<i64>)>> {
    let row: Option<(Json<Location>, Option<i64>)> = locations::table
        .filter(locations::country_code.eq(party.country_code()))
        .filter(locations::party_id.eq(party.party_id()))
        .filter(locations::id.eq(id.key()))
        .select((locations::body, locations::partner_id))
        .first(conn)
        .optional()?;
    Ok(row.map(|(body, partner)| (body.0, partner)))
}

/// Reads no more of a location than its zone.
#[derive(serde::Deserialize)]
struct Zoned {
    time_zone: String,
}

/// The zone (IANA) of a location, ours or a partner's.
///
/// # Errors
/// When the database fails.
pub fn zone(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<String>> {
    let body: Option<String> = locations::table
        .filter(locations::country_code.eq(party.country_code()))
        .filter(locations::party_id.eq(party.party_id()))
        .filter(locations::id.eq(id.key()))
        .select(locations::body)
        .first(conn)
        .optional()?;
    Ok(body.and_then(|body| serde_json::from_str::<Zoned>(&body).ok()).map(|zoned| zoned.time_zone))
}

/// A location's zone, and by what it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedZone {
    /// The owner's country code, folded.
    pub country_code: String,
    /// The owner's party id, folded.
    pub party_id: String,
    /// The location's id, folded.
    pub id: String,
    /// The zone (IANA).
    pub zone: String,
}

/// The zone of each location.
///
/// # Errors
/// When the database fails.
pub fn zones(conn: &mut DbConn) -> DbResult<Vec<PlacedZone>> {
    const AT_ONCE: i64 = 1000;
    let (mut behind, mut zones) = (i64::MIN, Vec::new());
    loop {
        let rows: Vec<(i64, String, String, String, String)> = locations::table
            .filter(locations::seq.gt(behind))
            .order(locations::seq)
            .limit(AT_ONCE)
            .select((
                locations::seq,
                locations::country_code,
                locations::party_id,
                locations::id,
                locations::body,
            ))
            .load(conn)?;
        let Some(last) = rows.last() else { return Ok(zones) };
        behind = last.0;
        for (_, country_code, party_id, id, body) in rows {
            if let Ok(Zoned { time_zone: zone }) = serde_json::from_str(&body) {
                zones.push(PlacedZone { country_code, party_id, id, zone });
            }
        }
    }
}

/// Our own locations of that id, whatever their party.
///
/// # Errors
/// When the database fails.
pub fn ours_by_id(conn: &mut DbConn, id: &CiString) -> DbResult<Vec<Location>> {
    let rows: Vec<Json<Location>> = locations::table
        .filter(locations::id.eq(id.key()))
        .filter(locations::partner_id.is_null())
        .order(locations::seq)
        .select(locations::body)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// A page of locations, in the order in which they were created.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, owner: &Owner, page: Page) -> DbResult<Slice<Location>> {
    slice(conn, owner, false, page)
}

/// A page of the locations that partners are told of ([`Location::is_for_partners`]).
///
/// # Errors
/// When the database fails.
pub fn list_for_partners(conn: &mut DbConn, owner: &Owner, page: Page) -> DbResult<Slice<Location>> {
    slice(conn, owner, true, page)
}

fn slice(conn: &mut DbConn, owner: &Owner, for_partners: bool, page: Page) -> DbResult<Slice<Location>> {
    let build = || {
        let mut query = of_owner!(locations::table.into_boxed::<Backend>(), locations, owner);
        if for_partners {
            query = query.filter(locations::publish.eq(true));
        }
        changed_within!(query, page, locations::last_updated)
    };
    let total = build().count().get_result(conn)?;
    let rows: Vec<Json<Location>> = build()
        .order(locations::seq)
        .offset(page.offset)
        .limit(page.limit)
        .select(locations::body)
        .load(conn)?;
    Ok(Slice { items: rows.into_iter().map(|row| row.0).collect(), total })
}

/// When each location was last changed, by its `seq`: of all, or of those changed at or after a time.
///
/// # Errors
/// When the database fails.
pub fn marks(conn: &mut DbConn, since: Option<Timestamp>) -> DbResult<Vec<(i64, Timestamp)>> {
    let mut query =
        locations::table.select((locations::seq, locations::last_updated)).into_boxed::<Backend>();
    if let Some(since) = since {
        query = query.filter(locations::last_updated.ge(since));
    }
    Ok(query.load(conn)?)
}

/// The `seq` of a location.
///
/// # Errors
/// When the database fails.
pub fn seq_of(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<i64>> {
    Ok(locations::table
        .filter(locations::country_code.eq(party.country_code()))
        .filter(locations::party_id.eq(party.party_id()))
        .filter(locations::id.eq(id.key()))
        .select(locations::seq)
        .first(conn)
        .optional()?)
}

/// A location with its `seq`, and the partner that told us of it, if it is not ours.
pub type Numbered = (i64, Option<i64>, Location);

/// The locations with these `seq`s, of which there are no more than a statement can name.
///
/// # Errors
/// When the database fails.
pub fn by_seqs(conn: &mut DbConn, seqs: &[i64]) -> DbResult<Vec<Numbered>> {
    let rows: Vec<(i64, Option<i64>, Json<Location>)> = locations::table
        .filter(locations::seq.eq_any(seqs))
        .select((locations::seq, locations::partner_id, locations::body))
        .load(conn)?;
    Ok(rows.into_iter().map(|(seq, partner, body)| (seq, partner, body.0)).collect())
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
    let held: Vec<(i64, String, String, String)> = locations::table
        .filter(locations::partner_id.eq(partner_id))
        .filter(locations::last_updated.lt(before))
        .select((locations::seq, locations::country_code, locations::party_id, locations::id))
        .load(conn)?;
    let present: std::collections::HashSet<(String, String, String)> = present
        .iter()
        .map(|(party, id)| (party.country_code().to_owned(), party.party_id().to_owned(), id.key()))
        .collect();
    let mut removed = 0;
    for (seq, country_code, party_id, id) in held {
        if !present.contains(&(country_code, party_id, id)) {
            removed += diesel::delete(locations::table.filter(locations::seq.eq(seq))).execute(conn)?;
        }
    }
    Ok(removed)
}
