//! Receipts that are to be sent by mail, and what became of them.

use super::schema::receipt_mails;
use super::{DbConn, DbResult};
use crate::domain::Timestamp;
use diesel::prelude::*;

/// A receipt that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable, AsChangeset)]
#[diesel(table_name = receipt_mails, primary_key(payment_id), treat_none_as_null = true)]
pub struct ReceiptMail {
    /// Of which payment.
    pub payment_id: String,
    /// To whom.
    pub address: String,
    /// How often it was tried.
    pub tries: i32,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it is tried next; never, once it was sent or given up.
    pub next_at: Option<Timestamp>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// What the server said against it.
    pub note: Option<String>,
}

/// Asks for a receipt to be sent; once for each payment, however often it is asked for with the same address. Another
/// address gets it as well.
///
/// # Errors
/// When the database fails.
pub fn ask(conn: &mut DbConn, payment_id: &str, address: &str, now: Timestamp) -> DbResult<()> {
    if find(conn, payment_id)?.is_some_and(|known| known.address == address) {
        return Ok(());
    }
    diesel::delete(receipt_mails::table.find(payment_id)).execute(conn)?;
    diesel::insert_into(receipt_mails::table)
        .values((
            receipt_mails::payment_id.eq(payment_id),
            receipt_mails::address.eq(address),
            receipt_mails::tries.eq(0),
            receipt_mails::asked_at.eq(now),
            receipt_mails::next_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The mail of a payment's receipt, if one was asked for.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, payment_id: &str) -> DbResult<Option<ReceiptMail>> {
    Ok(receipt_mails::table.find(payment_id).select(ReceiptMail::as_select()).first(conn).optional()?)
}

/// Those whose time has come, the longest waiting first.
///
/// # Errors
/// When the database fails.
pub fn due(conn: &mut DbConn, now: Timestamp, limit: i64) -> DbResult<Vec<ReceiptMail>> {
    Ok(receipt_mails::table
        .filter(receipt_mails::next_at.le(now))
        .order(receipt_mails::next_at)
        .limit(limit)
        .select(ReceiptMail::as_select())
        .load(conn)?)
}

/// When the next is due.
///
/// # Errors
/// When the database fails.
pub fn next_due(conn: &mut DbConn) -> DbResult<Option<Timestamp>> {
    let waiting = receipt_mails::table.filter(receipt_mails::next_at.is_not_null());
    let first =
        waiting.order(receipt_mails::next_at).select(receipt_mails::next_at).first::<Option<Timestamp>>(conn);
    Ok(first.optional()?.flatten())
}

/// Writes what became of one, unless another address was given meanwhile.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut DbConn, mail: &ReceiptMail) -> DbResult<()> {
    let same = receipt_mails::table
        .filter(receipt_mails::payment_id.eq(&mail.payment_id))
        .filter(receipt_mails::address.eq(&mail.address));
    diesel::update(same).set(mail).execute(conn)?;
    Ok(())
}
