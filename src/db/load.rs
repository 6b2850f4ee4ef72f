//! Sites under load management, their ledgers, and what happened at them.

use super::portable::PortableExt;
use super::schema::{
    load_events as events, load_history as history, load_ledger as ledger, load_outlooks as outlooks,
    load_sites as sites,
};
use super::types::Json;
use super::{DbConn, DbResult};
use crate::domain::Timestamp;
use crate::load::control::GridLimit;
use crate::load::ledger::Entry;
use crate::load::outlook::SiteOutlook;
use crate::load::site::Site;
use diesel::prelude::*;
use std::collections::BTreeMap;

/// A site as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteRow {
    /// What the operator describes.
    pub site: Site,
    /// Rises with each change of it.
    pub revision: i64,
    /// The grid operator's limit, as it was last set.
    pub grid_limit: Option<GridLimit>,
}

/// How a node saw a site last: JSON, and when.
pub type StoredView = (Option<String>, Option<Timestamp>);

/// Something that happened at a site.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct EventRow {
    /// Rises with each.
    pub seq: i64,
    /// Where.
    pub site_id: String,
    /// When.
    pub at: Timestamp,
    /// What, e.g. `grid_limit`, `followed`, `ignores`.
    pub kind: String,
    /// The station, node or meter.
    pub about: String,
    /// JSON.
    pub detail: String,
}

type Columns = (Json<Site>, i64, Option<Json<GridLimit>>);

fn row((site, revision, limit): Columns) -> SiteRow {
    SiteRow { site: site.0, revision, grid_limit: limit.map(|limit| limit.0) }
}

/// Writes a site, new or in place of the one of that id.
///
/// # Errors
/// When the database fails.
pub fn put(conn: &mut DbConn, site: &Site, now: Timestamp) -> DbResult<()> {
    let revision: Option<i64> = sites::table.find(&site.id).select(sites::revision).first(conn).optional()?;
    let revision = revision.unwrap_or(0).saturating_add(1);
    let document = Json(site.clone());
    diesel::insert_into(sites::table)
        .values((
            sites::id.eq(&site.id),
            sites::document.eq(&document),
            sites::revision.eq(revision),
            sites::changed_at.eq(now),
        ))
        .on_conflict(sites::id)
        .do_update()
        .set((sites::document.eq(&document), sites::revision.eq(revision), sites::changed_at.eq(now)))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// One site.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &str) -> DbResult<Option<SiteRow>> {
    let found: Option<Columns> = sites::table
        .find(id)
        .select((sites::document, sites::revision, sites::grid_limit))
        .first(conn)
        .optional()?;
    Ok(found.map(row))
}

/// Every site, by id.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut DbConn) -> DbResult<Vec<SiteRow>> {
    let rows: Vec<Columns> = sites::table
        .order(sites::id)
        .select((sites::document, sites::revision, sites::grid_limit))
        .load(conn)?;
    Ok(rows.into_iter().map(row).collect())
}

/// The ids of all sites with their revisions: what changed since one looked last.
///
/// # Errors
/// When the database fails.
pub fn revisions(conn: &mut DbConn) -> DbResult<Vec<(String, i64)>> {
    Ok(sites::table.order(sites::id).select((sites::id, sites::revision)).load(conn)?)
}

/// Removes a site; whether it was there. The ledger's pages stay: its stations hold their limits.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, id: &str) -> DbResult<bool> {
    Ok(diesel::delete(sites::table.find(id)).execute(conn)? > 0)
}

/// Keeps the grid operator's limit, so that a restart does not lift it.
///
/// # Errors
/// When the database fails.
pub fn keep_grid_limit(conn: &mut DbConn, id: &str, limit: GridLimit) -> DbResult<()> {
    diesel::update(sites::table.find(id)).set(sites::grid_limit.eq(Json(limit))).execute(conn)?;
    Ok(())
}

/// Writes what is expected at a site, in place of what was expected before; none forgets it. Whether there was
/// something to write or forget: a site, and an outlook of it.
///
/// # Errors
/// When the database fails.
pub fn put_outlook(
    conn: &mut DbConn,
    id: &str,
    outlook: Option<&SiteOutlook>,
    now: Timestamp,
) -> DbResult<bool> {
    let site: Option<String> = sites::table.find(id).select(sites::id).first(conn).optional()?;
    let before: Option<(i64, Option<Json<SiteOutlook>>)> =
        outlooks::table.find(id).select((outlooks::revision, outlooks::document)).first(conn).optional()?;
    let known = before.as_ref().is_some_and(|(_, document)| document.is_some());
    if site.is_none() || (outlook.is_none() && !known) {
        return Ok(false);
    }
    let revision = before.map_or(0, |(revision, _)| revision).saturating_add(1);
    let document = outlook.cloned().map(Json);
    diesel::insert_into(outlooks::table)
        .values((
            outlooks::site_id.eq(id),
            outlooks::document.eq(&document),
            outlooks::revision.eq(revision),
            outlooks::changed_at.eq(now),
        ))
        .on_conflict(outlooks::site_id)
        .do_update()
        .set((
            outlooks::document.eq(&document),
            outlooks::revision.eq(revision),
            outlooks::changed_at.eq(now),
        ))
        .portable()
        .execute(conn)?;
    Ok(true)
}

/// What is expected at a site; none where nothing is.
///
/// # Errors
/// When the database fails.
pub fn outlook(conn: &mut DbConn, id: &str) -> DbResult<Option<SiteOutlook>> {
    let found: Option<Option<Json<SiteOutlook>>> =
        outlooks::table.find(id).select(outlooks::document).first(conn).optional()?;
    Ok(found.flatten().map(|document| document.0))
}

/// The outlooks whose revision is another one than is known, by site: with the new revision.
///
/// # Errors
/// When the database fails.
pub fn changed_outlooks(
    conn: &mut DbConn,
    known: &BTreeMap<String, i64>,
) -> DbResult<Vec<(String, i64, Option<SiteOutlook>)>> {
    let all: Vec<(String, i64)> = outlooks::table
        .order(outlooks::site_id)
        .select((outlooks::site_id, outlooks::revision))
        .load(conn)?;
    let mut changed = Vec::new();
    for (site, revision) in all {
        if known.get(&site) != Some(&revision) {
            let outlook = outlook(conn, &site)?;
            changed.push((site, revision, outlook));
        }
    }
    Ok(changed)
}

/// Keeps how a node sees a site.
///
/// # Errors
/// When the database fails.
pub fn keep_view(conn: &mut DbConn, id: &str, view: &str, now: Timestamp) -> DbResult<()> {
    diesel::update(sites::table.find(id))
        .set((sites::view.eq(view), sites::view_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// How a node saw a site last; none where there is no such site.
///
/// # Errors
/// When the database fails.
pub fn view(conn: &mut DbConn, id: &str) -> DbResult<Option<StoredView>> {
    Ok(sites::table.find(id).select((sites::view, sites::view_at)).first(conn).optional()?)
}

/// The ledger's page of a connector.
///
/// # Errors
/// When the database fails.
pub fn page(conn: &mut DbConn, station: &str, connector: i32) -> DbResult<Option<Entry>> {
    let page: Option<Json<Entry>> =
        ledger::table.find((station, connector)).select(ledger::page).first(conn).optional()?;
    Ok(page.map(|page| page.0))
}

/// Writes pages of the ledger: of which station's which connector.
///
/// # Errors
/// When the database fails.
pub fn keep_pages(conn: &mut DbConn, pages: &[(String, i32, Entry)]) -> DbResult<()> {
    for (station, connector, entry) in pages {
        let page = Json(entry.clone());
        diesel::insert_into(ledger::table)
            .values((ledger::station_id.eq(station), ledger::connector.eq(connector), ledger::page.eq(&page)))
            .on_conflict((ledger::station_id, ledger::connector))
            .do_update()
            .set(ledger::page.eq(&page))
            .portable()
            .execute(conn)?;
    }
    Ok(())
}

/// Notes something that happened. `detail` is JSON.
///
/// # Errors
/// When the database fails.
pub fn note(
    conn: &mut DbConn,
    site: &str,
    at: Timestamp,
    kind: &str,
    about: &str,
    detail: &str,
) -> DbResult<()> {
    diesel::insert_into(events::table)
        .values((
            events::site_id.eq(site),
            events::at.eq(at),
            events::kind.eq(kind),
            events::about.eq(about),
            events::detail.eq(detail),
        ))
        .execute(conn)?;
    Ok(())
}

/// What happened at a site in a time, in its order, after a place in it.
///
/// # Errors
/// When the database fails.
pub fn events(
    conn: &mut DbConn,
    site: &str,
    from: Timestamp,
    to: Timestamp,
    after: i64,
    limit: i64,
) -> DbResult<Vec<EventRow>> {
    Ok(events::table
        .filter(events::site_id.eq(site))
        .filter(events::at.ge(from))
        .filter(events::at.lt(to))
        .filter(events::seq.gt(after))
        .order(events::seq)
        .limit(limit)
        .select((events::seq, events::site_id, events::at, events::kind, events::about, events::detail))
        .load(conn)?)
}

/// Keeps a minute of a site: JSON.
///
/// # Errors
/// When the database fails.
pub fn keep_minute(conn: &mut DbConn, site: &str, at: Timestamp, rows: &str) -> DbResult<()> {
    diesel::insert_into(history::table)
        .values((history::site_id.eq(site), history::at.eq(at), history::rows.eq(rows)))
        .on_conflict((history::site_id, history::at))
        .do_update()
        .set(history::rows.eq(rows))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// The minutes of a site in a time.
///
/// # Errors
/// When the database fails.
pub fn minutes(
    conn: &mut DbConn,
    site: &str,
    from: Timestamp,
    to: Timestamp,
) -> DbResult<Vec<(Timestamp, String)>> {
    Ok(history::table
        .filter(history::site_id.eq(site))
        .filter(history::at.ge(from))
        .filter(history::at.lt(to))
        .order(history::at)
        .select((history::at, history::rows))
        .load(conn)?)
}

/// Removes what is older than its time; how many lines went.
///
/// # Errors
/// When the database fails.
pub fn forget(conn: &mut DbConn, events_before: Timestamp, minutes_before: Timestamp) -> DbResult<usize> {
    let events = diesel::delete(events::table.filter(events::at.lt(events_before))).execute(conn)?;
    let minutes = diesel::delete(history::table.filter(history::at.lt(minutes_before))).execute(conn)?;
    Ok(events.saturating_add(minutes))
}
