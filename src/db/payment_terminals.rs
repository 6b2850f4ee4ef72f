//! Card terminals, and what they say of the money that they took.

use super::page::{Page, Slice};
use super::portable::PortableExt;
use super::schema::{payment_confirmations as confirmations, payment_terminals as terminals};
use super::types::Json;
use super::{DbConn, DbResult};
use crate::domain::CiString;
use crate::domain::terminal::{FinancialAdviceConfirmation, Terminal};
use diesel::prelude::*;

/// Writes a terminal, new or in place of the one that is there; whether it was new.
///
/// # Errors
/// When the database fails.
pub fn put(conn: &mut DbConn, terminal: &Terminal) -> DbResult<bool> {
    let new = find(conn, &terminal.terminal_id)?.is_none();
    let body = Json(terminal.clone());
    diesel::insert_into(terminals::table)
        .values((
            terminals::id.eq(terminal.terminal_id.key()),
            terminals::country_code.eq(terminal.party.country_code()),
            terminals::party_id.eq(terminal.party.party_id()),
            terminals::body.eq(&body),
            terminals::last_updated.eq(terminal.last_updated),
        ))
        .on_conflict(terminals::id)
        .do_update()
        .set((
            terminals::country_code.eq(terminal.party.country_code()),
            terminals::party_id.eq(terminal.party.party_id()),
            terminals::body.eq(&body),
            terminals::last_updated.eq(terminal.last_updated),
        ))
        .portable()
        .execute(conn)?;
    Ok(new)
}

/// One terminal.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &CiString) -> DbResult<Option<Terminal>> {
    let row: Option<Json<Terminal>> =
        terminals::table.find(id.key()).select(terminals::body).first(conn).optional()?;
    Ok(row.map(|body| body.0))
}

/// A page of terminals.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, page: Page) -> DbResult<Slice<Terminal>> {
    let total = terminals::table.count().get_result(conn)?;
    let rows: Vec<Json<Terminal>> = terminals::table
        .order(terminals::id)
        .offset(page.offset)
        .limit(page.limit)
        .select(terminals::body)
        .load(conn)?;
    Ok(Slice { items: rows.into_iter().map(|body| body.0).collect(), total })
}

/// Keeps a confirmation once, however often it is sent; whether it was new.
///
/// # Errors
/// When the database fails.
pub fn keep_confirmation(
    conn: &mut DbConn,
    payment_id: &str,
    confirmation: &FinancialAdviceConfirmation,
) -> DbResult<bool> {
    let written = diesel::insert_into(confirmations::table)
        .values((
            confirmations::id.eq(confirmation.id.key()),
            confirmations::authorization_reference.eq(confirmation.authorization_reference.key()),
            confirmations::payment_id.eq(payment_id),
            confirmations::body.eq(Json(confirmation.clone())),
            confirmations::last_updated.eq(confirmation.last_updated),
        ))
        .on_conflict(confirmations::id)
        .do_nothing()
        .portable()
        .execute(conn)?;
    Ok(written > 0)
}

/// One confirmation.
///
/// # Errors
/// When the database fails.
pub fn find_confirmation(conn: &mut DbConn, id: &CiString) -> DbResult<Option<FinancialAdviceConfirmation>> {
    let row: Option<Json<FinancialAdviceConfirmation>> =
        confirmations::table.find(id.key()).select(confirmations::body).first(conn).optional()?;
    Ok(row.map(|body| body.0))
}

/// The confirmations of a payment, in their order.
///
/// # Errors
/// When the database fails.
pub fn confirmations_of(conn: &mut DbConn, payment_id: &str) -> DbResult<Vec<FinancialAdviceConfirmation>> {
    let rows: Vec<Json<FinancialAdviceConfirmation>> = confirmations::table
        .filter(confirmations::payment_id.eq(payment_id))
        .order((confirmations::last_updated, confirmations::id))
        .select(confirmations::body)
        .load(conn)?;
    Ok(rows.into_iter().map(|body| body.0).collect())
}
