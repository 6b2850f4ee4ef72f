//! Messages of stations that came too late, or could not be placed.

use super::page::{Page, Slice};
use super::portable::PortableExt;
use super::schema::late_messages;
use super::{DbConn, DbResult};
use crate::domain::Timestamp;
use diesel::prelude::*;

/// A message that could not be placed, or came after its charge had settled: kept, listed, without effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateMessage {
    /// Rises with each message.
    pub seq: i64,
    /// Who sent it.
    pub station_id: String,
    /// When it came.
    pub received_at: Timestamp,
    /// e.g. `StopTransaction`.
    pub action: String,
    /// Why it had no effect.
    pub reason: String,
    /// The charge that it names, if it is known.
    pub session_id: Option<String>,
    /// As it came.
    pub payload: String,
}

/// Keeps such a message once, however often it is sent.
///
/// # Errors
/// When the database fails.
pub fn keep(conn: &mut DbConn, message: &LateMessage, digest: &str) -> DbResult<()> {
    diesel::insert_into(late_messages::table)
        .values((
            late_messages::station_id.eq(&message.station_id),
            late_messages::received_at.eq(message.received_at),
            late_messages::action.eq(&message.action),
            late_messages::reason.eq(&message.reason),
            late_messages::session_id.eq(message.session_id.as_deref()),
            late_messages::digest.eq(digest),
            late_messages::payload.eq(&message.payload),
        ))
        .on_conflict((late_messages::station_id, late_messages::digest))
        .do_nothing()
        .portable()
        .execute(conn)?;
    Ok(())
}

/// A page of such messages, newest first.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, page: Page) -> DbResult<Slice<LateMessage>> {
    let total = late_messages::table.count().get_result(conn)?;
    type Row = (i64, String, Timestamp, String, String, Option<String>, String);
    let rows: Vec<Row> = late_messages::table
        .order(late_messages::seq.desc())
        .offset(page.offset)
        .limit(page.limit)
        .select((
            late_messages::seq,
            late_messages::station_id,
            late_messages::received_at,
            late_messages::action,
            late_messages::reason,
            late_messages::session_id,
            late_messages::payload,
        ))
        .load(conn)?;
    let items = rows
        .into_iter()
        .map(|(seq, station_id, received_at, action, reason, session_id, payload)| LateMessage {
            seq,
            station_id,
            received_at,
            action,
            reason,
            session_id,
            payload,
        })
        .collect();
    Ok(Slice { items, total })
}
