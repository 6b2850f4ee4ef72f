//! Which ad hoc payments are to be looked at, and when.

use super::schema::{cdr_credits, payments};
use super::{DbConn, DbResult};
use crate::domain::Timestamp;
use crate::domain::payment::PaymentState;
use diesel::prelude::*;

/// The payments whose time has come, the longest due first.
///
/// # Errors
/// When the database fails.
pub fn due(conn: &mut DbConn, now: Timestamp, limit: i64) -> DbResult<Vec<String>> {
    Ok(payments::table
        .filter(payments::next_at.le(now))
        .order(payments::next_at)
        .limit(limit)
        .select(payments::id)
        .load(conn)?)
}

/// When the next one is due after a moment.
///
/// # Errors
/// When the database fails.
pub fn next_after(conn: &mut DbConn, now: Timestamp) -> DbResult<Option<Timestamp>> {
    let next: Option<Option<Timestamp>> = payments::table
        .filter(payments::next_at.gt(now))
        .order(payments::next_at)
        .select(payments::next_at)
        .first(conn)
        .optional()?;
    Ok(next.flatten())
}

/// The payments whose CDR was taken back since it was accounted for.
///
/// # Errors
/// When the database fails.
pub fn corrected(conn: &mut DbConn, limit: i64) -> DbResult<Vec<String>> {
    Ok(payments::table
        .filter(payments::state.eq(PaymentState::Captured))
        .filter(diesel::dsl::exists(cdr_credits::table.filter(cdr_credits::cdr_seq.eq(payments::cdr_seq))))
        .limit(limit)
        .select(payments::id)
        .load(conn)?)
}

/// The sessions of the charges that go on and are paid for, with the payments.
///
/// # Errors
/// When the database fails.
pub fn charging(conn: &mut DbConn) -> DbResult<Vec<(String, String)>> {
    let rows: Vec<(Option<String>, String)> = payments::table
        .filter(payments::state.eq(PaymentState::Charging))
        .select((payments::session_id, payments::id))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(session, id)| Some((session?, id))).collect())
}
