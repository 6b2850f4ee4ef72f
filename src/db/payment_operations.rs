//! What was asked of payment providers, and what they told us by themselves.

use super::portable::PortableExt;
use super::schema::{payment_events, payment_operations as operations};
use super::{Backend, DbConn, DbResult};
use crate::domain::payment::{OperationKind, OperationState};
use crate::domain::{Money, Timestamp};
use diesel::prelude::*;

/// Something that a provider is asked for; it is written before the provider is asked.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = operations, check_for_backend(Backend))]
pub struct Operation {
    /// Rises with each.
    pub seq: i64,
    /// Of which payment.
    pub payment_id: String,
    /// What.
    pub kind: OperationKind,
    /// Counts from 1: another attempt is made only after the one before was refused.
    pub attempt: i32,
    /// `payment:operation:attempt`; the same key is the same operation, however often it is sent. What somebody else had
    /// done has the provider's id in place of the attempt.
    pub idempotency_key: String,
    /// How much.
    pub amount: Option<Money>,
    /// How it came out.
    pub state: OperationState,
    /// The provider's id of it.
    pub provider_ref: Option<String>,
    /// What the provider said against it, or why it was asked for.
    pub note: Option<String>,
    /// Who asked for it, where somebody did.
    pub asked_by: Option<String>,
    /// When it was written.
    pub created: Timestamp,
    /// When its outcome became known.
    pub done_at: Option<Timestamp>,
}

/// What an operation is to be.
#[derive(Debug, Clone)]
pub struct Intended<'a> {
    /// Of which payment.
    pub payment_id: &'a str,
    /// What.
    pub kind: OperationKind,
    /// How much.
    pub amount: Option<Money>,
    /// Why.
    pub note: Option<&'a str>,
    /// Who asks for it.
    pub asked_by: Option<&'a str>,
}

/// The operation of that kind whose outcome is not known, or a new one.
///
/// # Errors
/// When the database fails.
pub fn intend(conn: &mut DbConn, new: &Intended<'_>, now: Timestamp) -> DbResult<Operation> {
    if let Some(open) = open(conn, new.payment_id, new.kind)? {
        return Ok(open);
    }
    let attempt = next_attempt(conn, new)?;
    let key = format!("{}:{}:{attempt}", new.payment_id, new.kind);
    insert(conn, new, attempt, &key, now)?;
    open(conn, new.payment_id, new.kind)?
        .ok_or_else(|| super::DbError::corrupt("payment", "its operation is not there after it was written"))
}

fn next_attempt(conn: &mut DbConn, new: &Intended<'_>) -> DbResult<i32> {
    let last: Option<i32> = operations::table
        .filter(operations::payment_id.eq(new.payment_id))
        .filter(operations::kind.eq(new.kind))
        .select(diesel::dsl::max(operations::attempt))
        .first(conn)?;
    Ok(last.unwrap_or(0).saturating_add(1))
}

fn insert(conn: &mut DbConn, new: &Intended<'_>, attempt: i32, key: &str, now: Timestamp) -> DbResult<()> {
    diesel::insert_into(operations::table)
        .values((
            operations::payment_id.eq(new.payment_id),
            operations::kind.eq(new.kind),
            operations::attempt.eq(attempt),
            operations::idempotency_key.eq(key),
            operations::amount.eq(new.amount),
            operations::state.eq(OperationState::Intended),
            operations::note.eq(new.note),
            operations::asked_by.eq(new.asked_by),
            operations::created.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Adds an operation that somebody else had the provider do. Its key is made of the provider's id of it, so that it is
/// there once.
///
/// # Errors
/// A unique violation when it is there already, or the database fails.
pub fn add_done(conn: &mut DbConn, new: &Intended<'_>, provider_ref: &str, now: Timestamp) -> DbResult<()> {
    let attempt = next_attempt(conn, new)?;
    let key = format!("{}:{}:{provider_ref}", new.payment_id, new.kind);
    insert(conn, new, attempt, &key, now)?;
    diesel::update(operations::table.filter(operations::idempotency_key.eq(&key)))
        .set((
            operations::state.eq(OperationState::Done),
            operations::provider_ref.eq(provider_ref),
            operations::done_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps that an operation that was done came to nothing after all, and why.
///
/// # Errors
/// When the database fails.
pub fn fail(conn: &mut DbConn, seq: i64, why: &str, now: Timestamp) -> DbResult<()> {
    diesel::update(operations::table.find(seq))
        .set((
            operations::state.eq(OperationState::Failed),
            operations::note.eq(why),
            operations::done_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The operation of that kind whose outcome is not known.
///
/// # Errors
/// When the database fails.
pub fn open(conn: &mut DbConn, payment_id: &str, kind: OperationKind) -> DbResult<Option<Operation>> {
    Ok(operations::table
        .filter(operations::payment_id.eq(payment_id))
        .filter(operations::kind.eq(kind))
        .filter(operations::state.eq(OperationState::Intended))
        .order(operations::seq)
        .select(Operation::as_select())
        .first(conn)
        .optional()?)
}

/// Keeps how an operation came out; whether that was not known before.
///
/// # Errors
/// When the database fails.
pub fn finish(
    conn: &mut DbConn,
    seq: i64,
    state: OperationState,
    provider_ref: Option<&str>,
    note: Option<&str>,
    now: Timestamp,
) -> DbResult<bool> {
    let open = operations::table
        .filter(operations::seq.eq(seq))
        .filter(operations::state.eq(OperationState::Intended));
    let changed = diesel::update(open)
        .set((
            operations::state.eq(state),
            operations::provider_ref.eq(provider_ref),
            operations::done_at.eq(now),
        ))
        .execute(conn)?;
    if let Some(note) = note {
        diesel::update(operations::table.find(seq)).set(operations::note.eq(note)).execute(conn)?;
    }
    Ok(changed > 0)
}

/// The operations of a payment in their order.
///
/// # Errors
/// When the database fails.
pub fn of(conn: &mut DbConn, payment_id: &str) -> DbResult<Vec<Operation>> {
    Ok(operations::table
        .filter(operations::payment_id.eq(payment_id))
        .order(operations::seq)
        .select(Operation::as_select())
        .load(conn)?)
}

/// Something that a provider told us by itself.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = payment_events, check_for_backend(Backend))]
pub struct EventRow {
    /// Who.
    pub provider: String,
    /// Its id of the message.
    pub id: String,
    /// What happened, in its words.
    pub kind: String,
    /// The account it is about.
    pub account: Option<String>,
    /// The object it is about.
    pub object_id: Option<String>,
    /// The payment it is about, where we know it.
    pub payment_id: Option<String>,
    /// When it happened.
    pub made_at: Timestamp,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether what it is about was read again.
    pub handled: bool,
}

/// Keeps a message once, however often it comes; whether it was new.
///
/// # Errors
/// When the database fails.
pub fn keep_event(conn: &mut DbConn, event: &EventRow) -> DbResult<bool> {
    let written = diesel::insert_into(payment_events::table)
        .values(event)
        .on_conflict((payment_events::provider, payment_events::id))
        .do_nothing()
        .portable()
        .execute(conn)?;
    Ok(written > 0)
}

/// The messages about a payment in the order in which they came.
///
/// # Errors
/// When the database fails.
pub fn events_of(conn: &mut DbConn, payment_id: &str) -> DbResult<Vec<EventRow>> {
    Ok(payment_events::table
        .filter(payment_events::payment_id.eq(payment_id))
        .order((payment_events::received_at, payment_events::id))
        .select(EventRow::as_select())
        .load(conn)?)
}

/// The messages that are not handled, the oldest first.
///
/// # Errors
/// When the database fails.
pub fn unhandled_events(conn: &mut DbConn, limit: i64) -> DbResult<Vec<EventRow>> {
    Ok(payment_events::table
        .filter(payment_events::handled.eq(false))
        .order(payment_events::received_at)
        .limit(limit)
        .select(EventRow::as_select())
        .load(conn)?)
}

/// Keeps that what a message is about was read again.
///
/// # Errors
/// When the database fails.
pub fn event_handled(conn: &mut DbConn, provider: &str, id: &str) -> DbResult<()> {
    diesel::update(payment_events::table.find((provider, id)))
        .set(payment_events::handled.eq(true))
        .execute(conn)?;
    Ok(())
}
