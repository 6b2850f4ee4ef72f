//! What a change of assignments does to locations and tariffs: they count as changed (OCPI 2.2.1 mod_locations,
//! `last_updated` of a connector and of all around it; mod_tariffs, `last_updated`) and are marked for the
//! partners concerned. Also when the time of an assignment or a tariff begins or ends, which nobody's hand does.
//!
//! A tariff may be assigned to thousands of locations, so that what it means for them is a row of its own
//! ([`tariff_news`]), written with the change and worked off a few locations a commit.

use super::goods::{audience_of, is_named, pushed_to};
use crate::db::changes::{ObjectKey, mark};
use crate::db::tariff_news::{self, Audience, News, Pending, Reach};
use crate::db::{
    Db, DbConn, DbError, DbResult, assignments, goods, locations, settings, tariff_groups, tariffs,
};
use crate::domain::assignment::{Assignment, ConnectorRef, Members, Place};
use crate::domain::location::Location;
use crate::domain::partner::ModuleId;
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};

/// Locations that are touched in one commit: nobody waits longer than for these.
const BATCH: i64 = 50;

/// Where an assignment is, as it is now.
///
/// # Errors
/// When the database fails.
pub fn reach_of(conn: &mut DbConn, party: &PartyId, place: &Place) -> DbResult<Reach> {
    Ok(match place {
        Place::Party => Reach::Party,
        Place::Location { location_id } => Reach::Location(location_id.clone()),
        Place::Evse { location_id, evse_uid } => Reach::Evse(location_id.clone(), evse_uid.clone()),
        Place::Connector(connector) => Reach::Connectors(vec![connector.clone()]),
        Place::Group { group } => {
            let members = match tariff_groups::find(conn, group)?.map(|group| group.members) {
                Some(Members::Places(places)) => places,
                _ => Vec::new(),
            };
            Reach::Connectors(goods::connectors_of(conn, party, &members)?)
        }
    })
}

/// Whether the tariff of an assignment comes or goes by what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is told, or goes on being told.
    Comes,
    /// It may not be told any more.
    Goes,
}

/// Announces that something about an assignment changed: in its place, for its buyers.
///
/// # Errors
/// When the database fails.
pub fn announce(conn: &mut DbConn, assignment: &Assignment, turn: Turn, now: Timestamp) -> DbResult<()> {
    let reach = reach_of(conn, &assignment.party, &assignment.place)?;
    let audience = audience_of(conn, &assignment.buyers)?;
    announce_at(conn, &assignment.party, &assignment.tariff_id, reach, audience, turn, now)
}

/// Announces that connectors hold a tariff now, or hold it no longer. What comes is told before the locations
/// that name it, what goes after them (mod_tariffs, "DELETE Method").
///
/// # Errors
/// When the database fails.
pub fn announce_at(
    conn: &mut DbConn,
    party: &PartyId,
    tariff_id: &CiString,
    reach: Reach,
    audience: Audience,
    turn: Turn,
    now: Timestamp,
) -> DbResult<()> {
    let takes_back = turn == Turn::Goes;
    if !takes_back {
        touch_tariff(conn, party, tariff_id, &audience, now)?;
    }
    tariff_news::push(conn, party, &News { tariff_id: tariff_id.clone(), reach, audience, takes_back })
}

/// Announces that a tariff of ours changed so that other charges are priced by it: wherever it is.
///
/// # Errors
/// When the database fails.
pub fn announce_everywhere(
    conn: &mut DbConn,
    party: &PartyId,
    tariff_id: &CiString,
    now: Timestamp,
) -> DbResult<()> {
    for assignment in assignments::of_tariff(conn, party, tariff_id)? {
        announce(conn, &assignment, Turn::Comes, now)?;
    }
    if is_named(conn, party, tariff_id)? {
        announce_at(conn, party, tariff_id, Reach::Named, Audience::Everybody, Turn::Comes, now)?;
    }
    Ok(())
}

/// Moves a tariff's `last_updated` on, for those who ask for what changed, and marks it for those who are told.
///
/// # Errors
/// When the database fails.
pub fn touch_tariff(
    conn: &mut DbConn,
    party: &PartyId,
    id: &CiString,
    audience: &Audience,
    now: Timestamp,
) -> DbResult<()> {
    let Some((mut tariff, None)) = tariffs::find_with_owner(conn, party, id)? else { return Ok(()) };
    tariff.last_updated = tariff.last_updated.max(now);
    tariffs::upsert(conn, &tariff, None)?;
    let told = pushed_to(conn, &ModuleId::Tariffs, audience)?;
    mark_tariff(conn, party, &tariff.id, &told, now)
}

fn mark_tariff(
    conn: &mut DbConn,
    party: &PartyId,
    id: &CiString,
    partners: &[i64],
    now: Timestamp,
) -> DbResult<()> {
    let key = ObjectKey::of_tariff(party, id);
    for partner in partners {
        mark(conn, *partner, &ModuleId::Tariffs, &key, now)?;
    }
    Ok(())
}

/// Announces what began or ended since it was last looked. The first time there is nothing to compare with:
/// partners that are registered later are told everything as it is then.
///
/// # Errors
/// When the database fails.
fn pass_edges(conn: &mut DbConn, now: Timestamp) -> DbResult<()> {
    let Some(since) = edges_told(conn)? else { return note_edges(conn, now) };
    for assignment in assignments::with_edges(conn, since, now)? {
        announce(conn, &assignment, Turn::Comes, now)?;
    }
    for tariff in tariffs::with_edges(conn, since, now)? {
        announce_everywhere(conn, &tariff.party, &tariff.id, now)?;
    }
    note_edges(conn, now)
}

fn edges_told(conn: &mut DbConn) -> DbResult<Option<Timestamp>> {
    let text = settings::get(conn, settings::TARIFF_EDGES)?;
    text.map(|text| text.parse()).transpose().map_err(|why| DbError::corrupt("setting", why))
}

fn note_edges(conn: &mut DbConn, now: Timestamp) -> DbResult<()> {
    settings::set(conn, settings::TARIFF_EDGES, &now.to_string())
}

/// When something begins or ends next that was not announced yet; the time itself where it is long due.
fn next_edge(conn: &mut DbConn, now: Timestamp) -> DbResult<Option<Timestamp>> {
    let Some(since) = edges_told(conn)? else { return Ok(Some(now)) };
    let edges = [assignments::next_edge(conn, since)?, tariffs::next_edge(conn, since)?];
    Ok(edges.into_iter().flatten().min())
}

/// What was done, and when there is more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Whether partners may have to be told of something.
    pub changed: bool,
    /// When something begins or ends next.
    pub next: Option<Timestamp>,
}

/// Announces what began or ended, and works off what was announced.
///
/// # Errors
/// When the database fails.
pub async fn keep_up(db: &Db, now: Timestamp) -> DbResult<Kept> {
    let mut next = db.read(move |conn| next_edge(conn, now)).await?;
    if next.is_some_and(|edge| edge <= now) {
        db.write(move |conn| pass_edges(conn, now)).await?;
        next = db.read(move |conn| next_edge(conn, now)).await?;
    }
    Ok(Kept { changed: work_off(db, now).await?, next })
}

/// Works off what was announced; whether there was anything.
///
/// # Errors
/// When the database fails.
pub async fn work_off(db: &Db, now: Timestamp) -> DbResult<bool> {
    let mut any = false;
    while db.read(|conn| Ok::<_, DbError>(tariff_news::first(conn)?.is_some())).await? {
        db.write(move |conn| work_off_some(conn, now)).await?;
        any = true;
    }
    Ok(any)
}

/// Touches the next locations of the oldest news.
///
/// # Errors
/// When the database fails.
fn work_off_some(conn: &mut DbConn, now: Timestamp) -> DbResult<()> {
    let Some(Pending { seq, party, cursor, news }) = tariff_news::first(conn)? else { return Ok(()) };
    let only = match &news.reach {
        Reach::Location(id) | Reach::Evse(id, _) => Some(id.clone()),
        Reach::Connectors(all) => only_location(all),
        Reach::Party | Reach::Named => None,
    };
    let some = match &news.reach {
        Reach::Connectors(none) if none.is_empty() => Vec::new(),
        _ => locations::ours_behind(conn, &party, only.as_ref(), cursor, BATCH)?,
    };
    let partners = pushed_to(conn, &ModuleId::Locations, &news.audience)?;
    let is_last = i64::try_from(some.len()).is_ok_and(|found| found < BATCH);
    let last = some.last().map(|(seq, _)| *seq);
    for (_, location) in some {
        if let Some(touched) = touch(location, &news, now) {
            keep(conn, &touched, &partners, now)?;
        }
    }
    match last {
        Some(last) if !is_last => tariff_news::advance(conn, seq, last),
        _ => {
            if news.takes_back {
                let told = pushed_to(conn, &ModuleId::Tariffs, &news.audience)?;
                let id = written_id(conn, &party, &news.tariff_id)?;
                mark_tariff(conn, &party, &id, &told, now)?;
            }
            tariff_news::remove(conn, seq)
        }
    }
}

/// The id as the tariff writes it, under which partners know it.
fn written_id(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<CiString> {
    Ok(tariffs::find(conn, party, id)?.map_or_else(|| id.clone(), |tariff| tariff.id))
}

/// The location that all these are at, if it is one.
fn only_location(connectors: &[ConnectorRef]) -> Option<CiString> {
    let first = &connectors.first()?.location_id;
    connectors.iter().all(|connector| connector.location_id == *first).then(|| first.clone())
}

fn keep(conn: &mut DbConn, location: &Location, partners: &[i64], now: Timestamp) -> DbResult<()> {
    locations::upsert(conn, location, None)?;
    if location.is_for_partners() {
        let key = ObjectKey::of(&location.party, &location.id);
        for partner in partners {
            mark(conn, *partner, &ModuleId::Locations, &key, now)?;
        }
    }
    Ok(())
}

/// The location with the time on the connectors that are meant and on all around them; nothing where none is.
fn touch(mut location: Location, news: &News, now: Timestamp) -> Option<Location> {
    let location_id = location.id.clone();
    let mut any = false;
    for evse in location.evses.iter_mut().flatten() {
        let uid = evse.uid.clone();
        for connector in &mut evse.connectors {
            let is_meant = news.reach.covers(&location_id, &uid, connector, &news.tariff_id);
            if is_meant {
                connector.last_updated = connector.last_updated.max(now);
                evse.last_updated = evse.last_updated.max(now);
                any = true;
            }
        }
    }
    location.last_updated = location.last_updated.max(now);
    any.then_some(location)
}
