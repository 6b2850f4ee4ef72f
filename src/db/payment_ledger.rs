//! Where the money of ad hoc payments is: a line for whatever moved it.

use super::payments::Payment;
use super::schema::payment_ledger as ledger;
use super::{Backend, DbConn, DbResult};
use crate::domain::payment::LedgerKind;
use crate::domain::{Money, Timestamp};
use diesel::prelude::*;

/// A line.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = ledger, check_for_backend(Backend))]
pub struct LedgerLine {
    /// Rises with each.
    pub seq: i64,
    /// Of which payment.
    pub payment_id: String,
    /// Of whose.
    pub country_code: String,
    /// Of whose.
    pub party_id: String,
    /// What happened.
    pub kind: LedgerKind,
    /// How much; never negative.
    pub amount: Money,
    /// ISO 4217.
    pub currency: String,
    /// When.
    pub at: Timestamp,
    /// Why, where that needs to be said.
    pub note: Option<String>,
}

/// Adds a line; nothing for an amount of zero.
///
/// # Errors
/// When the database fails.
pub fn add(
    conn: &mut DbConn,
    payment: &Payment,
    kind: LedgerKind,
    amount: Money,
    note: Option<&str>,
    at: Timestamp,
) -> DbResult<()> {
    if amount.is_zero() {
        return Ok(());
    }
    diesel::insert_into(ledger::table)
        .values((
            ledger::payment_id.eq(&payment.id),
            ledger::country_code.eq(&payment.country_code),
            ledger::party_id.eq(&payment.party_id),
            ledger::kind.eq(kind),
            ledger::amount.eq(amount),
            ledger::currency.eq(&payment.currency),
            ledger::at.eq(at),
            ledger::note.eq(note),
        ))
        .execute(conn)?;
    Ok(())
}

/// The lines of a payment in their order.
///
/// # Errors
/// When the database fails.
pub fn of(conn: &mut DbConn, payment_id: &str) -> DbResult<Vec<LedgerLine>> {
    Ok(ledger::table
        .filter(ledger::payment_id.eq(payment_id))
        .order(ledger::seq)
        .select(LedgerLine::as_select())
        .load(conn)?)
}

/// The lines behind a `seq` within a time, in their order, at most so many.
///
/// # Errors
/// When the database fails.
pub fn within(
    conn: &mut DbConn,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    behind: i64,
    limit: i64,
) -> DbResult<Vec<LedgerLine>> {
    let mut query = ledger::table.filter(ledger::seq.gt(behind)).into_boxed::<Backend>();
    if let Some(from) = from {
        query = query.filter(ledger::at.ge(from));
    }
    if let Some(to) = to {
        query = query.filter(ledger::at.lt(to));
    }
    Ok(query.order(ledger::seq).limit(limit).select(LedgerLine::as_select()).load(conn)?)
}
