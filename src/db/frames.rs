//! Frames of stations that somebody watches, and connections that were refused.
//!
//! A node writes the frames of a station only while `frame_watches` says that somebody looks, so that the log
//! costs nothing when nobody does. Refused connections are always kept, until newer lines push them out.

use super::portable::PortableExt;
use super::schema::{frame_watches, station_frames};
use super::{DbConn, DbResult};
use crate::domain::Timestamp;
use diesel::prelude::*;

/// In place of a station's id: every station.
pub const EVERY_STATION: &str = "*";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct FrameLine {
    /// Rises with each line.
    pub seq: i64,
    /// The station, or what it called itself.
    pub station_id: String,
    /// When.
    pub at: Timestamp,
    /// `in`, `out`, `refused`, `open` or `close`.
    pub kind: String,
    /// The frame with secrets masked, or the reason.
    pub frame: String,
}

/// Asks for the frames of a station (or [`EVERY_STATION`]) until a time.
///
/// # Errors
/// When the database fails.
pub fn watch(conn: &mut DbConn, station_id: &str, until: Timestamp) -> DbResult<()> {
    diesel::insert_into(frame_watches::table)
        .values((frame_watches::station_id.eq(station_id), frame_watches::until.eq(until)))
        .on_conflict(frame_watches::station_id)
        .do_update()
        .set(frame_watches::until.eq(until))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// The stations that somebody watches now.
///
/// # Errors
/// When the database fails.
pub fn watched(conn: &mut DbConn, now: Timestamp) -> DbResult<Vec<String>> {
    Ok(frame_watches::table
        .filter(frame_watches::until.gt(now))
        .select(frame_watches::station_id)
        .load(conn)?)
}

/// Adds a line.
///
/// # Errors
/// When the database fails.
pub fn add(conn: &mut DbConn, station_id: &str, at: Timestamp, kind: &str, frame: &str) -> DbResult<()> {
    diesel::insert_into(station_frames::table)
        .values((
            station_frames::station_id.eq(station_id),
            station_frames::at.eq(at),
            station_frames::kind.eq(kind),
            station_frames::frame.eq(frame),
        ))
        .execute(conn)?;
    Ok(())
}

/// The lines behind a place, of one station or of all.
///
/// # Errors
/// When the database fails.
pub fn after(conn: &mut DbConn, station_id: &str, seq: i64, limit: i64) -> DbResult<Vec<FrameLine>> {
    let mut query = station_frames::table
        .filter(station_frames::seq.gt(seq))
        .order(station_frames::seq)
        .limit(limit)
        .into_boxed::<super::Backend>();
    if station_id != EVERY_STATION {
        query = query.filter(station_frames::station_id.eq(station_id.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// The newest place in the log.
///
/// # Errors
/// When the database fails.
pub fn newest(conn: &mut DbConn) -> DbResult<i64> {
    let newest: Option<i64> =
        station_frames::table.select(diesel::dsl::max(station_frames::seq)).first(conn)?;
    Ok(newest.unwrap_or(0))
}

/// The place before the last `lines` lines of one station or of all.
///
/// # Errors
/// When the database fails.
pub fn before_last(conn: &mut DbConn, station_id: &str, lines: i64) -> DbResult<i64> {
    let mut query = station_frames::table
        .order(station_frames::seq.desc())
        .limit(lines)
        .select(station_frames::seq)
        .into_boxed::<super::Backend>();
    if station_id != EVERY_STATION {
        query = query.filter(station_frames::station_id.eq(station_id.to_owned()));
    }
    let places: Vec<i64> = query.load(conn)?;
    Ok(places.last().map_or(0, |first| first - 1))
}

/// Removes all but the newest lines; how many went.
///
/// # Errors
/// When the database fails.
pub fn trim(conn: &mut DbConn, keep: i64) -> DbResult<usize> {
    let newest = newest(conn)?;
    Ok(diesel::delete(station_frames::table.filter(station_frames::seq.le(newest.saturating_sub(keep))))
        .execute(conn)?)
}
