//! What card terminals say of the money that they hold (OCPI 2.3.0 mod_payments, "Financial Advice Confirmation Object"),
//! and what becomes of a payment whose terminal says nothing.

use super::flow::Step;
use super::refund::refunded_in;
use super::release::released_in;
use super::settle::{captured_in, write_off};
use super::terminals::{NAME, payment_at};
use super::{PaymentError, change, delta};
use crate::app::App;
use crate::db::payment_operations::{self as operations, Intended};
use crate::db::payments::{self, Payment};
use crate::db::{DbConn, payment_ledger as ledger, payment_terminals as terminals};
use crate::domain::payment::{LedgerKind, OperationKind, OperationState, PaymentReason, PaymentState};
use crate::domain::terminal::{CaptureStatus, FinancialAdviceConfirmation};
use crate::domain::{CiString, Money, Timestamp};
use std::sync::Arc;

/// What the books say of a hold whose terminal was silent.
const SILENT: &str = "the terminal never said what it did";
/// What they say when it did say so.
const LATE: &str = "the terminal said late that it took it";

/// What the terminal is to do it learns when it asks, and tells when it is done. Until then there is nothing to do but to
/// wait for it, and not forever.
pub(super) async fn awaits_terminal(app: &App, payment: Payment) -> Result<Step, PaymentError> {
    let (within, before) = (delta(app.config.payments.terminal_confirm_within), payment.state);
    let (payment, ()) = change(app, &payment.id, move |conn, payment, now| {
        let Some(hold) = &mut payment.details.0.terminal else { return Ok(()) };
        let until = hold.waits_since.get_or_insert(now).plus(within);
        if now < until {
            payment.next_at = Some(until);
            return Ok(());
        }
        payment.next_at = None;
        silent(conn, payment, now)
    })
    .await?;
    Ok(if payment.state == before { Step::Wait } else { Step::Again })
}

/// The time is over. A hold lapses at the driver's bank by itself, so that the payment ends; that a refund was made
/// somebody has to find out.
fn silent(conn: &mut DbConn, payment: &mut Payment, now: Timestamp) -> Result<(), PaymentError> {
    let holds = matches!(payment.state, PaymentState::Capturing | PaymentState::Releasing);
    if !(holds && payment.captured.is_zero()) {
        let told = "the terminal has not said that it gave back what it was to give back";
        tracing::error!(payment = %payment.id, why = told, "a refund needs somebody's attention");
        payment.details.0.trouble = Some(told.to_owned());
        return Ok(());
    }
    tracing::error!(payment = %payment.id, state = %payment.state, "a terminal never confirmed; the payment has failed");
    if payment.state == PaymentState::Capturing {
        if let Some(open) = operations::open(conn, &payment.id, OperationKind::Capture)? {
            operations::finish(conn, open.seq, OperationState::Failed, None, Some(SILENT), now)?;
        }
        let due = payment.details.0.due.unwrap_or_default();
        write_off(conn, payment, due, SILENT, now)?;
    }
    payment.released = payment.held;
    ledger::add(conn, payment, LedgerKind::Released, payment.held, Some(SILENT), now)?;
    payment.move_to(PaymentState::Failed, Some(PaymentReason::TerminalSilent))?;
    Ok(())
}

/// A terminal that was silent for too long says after all what it did. Where it took money, that counts: what is due of it
/// is not written off any more, and what is not goes back.
fn confirm_late(
    conn: &mut DbConn,
    payment: &mut Payment,
    taken: Money,
    now: Timestamp,
) -> Result<(), PaymentError> {
    if taken <= Money::ZERO {
        return Ok(());
    }
    if taken > payment.held {
        let held = payment.held;
        return Err(PaymentError::Conflict(format!("{taken} was captured, and {held} was held")));
    }
    ledger::add(conn, payment, LedgerKind::ReleaseUndone, payment.released, Some(LATE), now)?;
    ledger::add(conn, payment, LedgerKind::WriteOffUndone, payment.written_off, Some(LATE), now)?;
    payment.written_off = Money::ZERO;
    captured_in(conn, payment, taken, Some(LATE), now)
}

/// A terminal confirms what it did with a hold. The same confirmation again is taken and changes nothing.
///
/// # Errors
/// When it is of no payment of that terminal, of another currency, says that more was taken than was to be, or comes
/// when nothing was to be done.
pub async fn confirm(
    app: &Arc<App>,
    terminal_id: &CiString,
    confirmation: FinancialAdviceConfirmation,
) -> Result<Payment, PaymentError> {
    let intent = format!("{}:{}", terminal_id.key(), confirmation.authorization_reference.key());
    let found = app.db.read(move |conn| payments::by_intent(conn, NAME, &intent)).await?;
    let id = found.ok_or(PaymentError::Unknown)?.id;
    let lock = app.payments.lock(&id);
    let _alone = lock.lock().await;
    let (payment, ()) = change(app, &id, move |conn, payment, now| {
        if !terminals::keep_confirmation(conn, &payment.id, &confirmation)? {
            let same = terminals::find_confirmation(conn, &confirmation.id)?;
            if same.is_some_and(|same| same.authorization_reference == confirmation.authorization_reference) {
                return Ok(());
            }
            return Err(PaymentError::Conflict(format!(
                "another confirmation has the id {}",
                confirmation.id
            )));
        }
        if confirmation.currency != payment.currency {
            return Err(PaymentError::Input {
                field: "currency",
                wanted: "the currency of the payment is wanted",
            });
        }
        let taken = super::offer::gross(&confirmation.total_costs);
        heard(payment);
        match payment.state {
            PaymentState::Capturing => confirm_capture(conn, payment, &confirmation, taken, now),
            PaymentState::Releasing => confirm_release(conn, payment, taken, now),
            PaymentState::Failed if payment.reason == Some(PaymentReason::TerminalSilent) => {
                confirm_late(conn, payment, taken, now)
            }
            state => Err(PaymentError::Conflict(format!(
                "the payment is {state}: there was nothing for the terminal to do"
            ))),
        }
    })
    .await?;
    app.wakes.payments.notify_waiters();
    Ok(payment)
}

fn confirm_capture(
    conn: &mut DbConn,
    payment: &mut Payment,
    confirmation: &FinancialAdviceConfirmation,
    taken: Money,
    now: Timestamp,
) -> Result<(), PaymentError> {
    let Some(operation) = operations::open(conn, &payment.id, OperationKind::Capture)? else {
        return Err(PaymentError::Conflict("nothing is to be captured".to_owned()));
    };
    let wanted = operation.amount.unwrap_or_default();
    if taken > wanted || taken < Money::ZERO {
        return Err(PaymentError::Conflict(format!("{taken} was captured, and {wanted} was to be")));
    }
    let (reference, note) = (confirmation.id.as_str(), confirmation.capture_status_message.as_deref());
    let failed = confirmation.capture_status_code == CaptureStatus::Failed || taken.is_zero();
    let state = if failed { OperationState::Refused } else { OperationState::Done };
    operations::finish(conn, operation.seq, state, Some(reference), note, now)?;
    if !failed {
        return captured_in(conn, payment, taken, None, now);
    }
    let due = payment.details.0.due.unwrap_or_default();
    payment.released = payment.held;
    ledger::add(
        conn,
        payment,
        LedgerKind::Released,
        payment.held,
        Some("the terminal could not capture"),
        now,
    )?;
    write_off(conn, payment, due, "the terminal could not capture", now)?;
    payment.move_to(PaymentState::Failed, Some(PaymentReason::TerminalFailed))?;
    payment.next_at = None;
    Ok(())
}

fn confirm_release(
    conn: &mut DbConn,
    payment: &mut Payment,
    taken: Money,
    now: Timestamp,
) -> Result<(), PaymentError> {
    if taken <= Money::ZERO {
        return released_in(conn, payment, now);
    }
    if taken > payment.held || !payment.captured.is_zero() {
        return Err(PaymentError::Conflict(format!("{taken} was captured, and nothing was to be")));
    }
    // Taken all the same: it has to go back.
    payment.captured = taken;
    ledger::add(conn, payment, LedgerKind::Captured, taken, Some("taken though it was to be released"), now)?;
    let rest = payment.held.minus(taken)?;
    payment.released = rest;
    ledger::add(conn, payment, LedgerKind::Released, rest, None, now)?;
    let intended = Intended {
        payment_id: &payment.id,
        kind: OperationKind::Refund,
        amount: Some(taken),
        note: Some("taken though it was to be released"),
        asked_by: None,
    };
    operations::intend(conn, &intended, now)?;
    Ok(())
}

/// A terminal gave back what it was to give back.
///
/// # Errors
/// When there is no such payment at that terminal, or nothing was to be given back.
pub async fn refunded(app: &Arc<App>, terminal_id: &CiString, id: &str) -> Result<Payment, PaymentError> {
    payment_at(app, terminal_id, id).await?;
    let lock = app.payments.lock(id);
    let _alone = lock.lock().await;
    let (payment, ()) = change(app, id, |conn, payment, now| {
        let Some(operation) = operations::open(conn, &payment.id, OperationKind::Refund)? else {
            return Err(PaymentError::Conflict("nothing is to be refunded".to_owned()));
        };
        operations::finish(conn, operation.seq, OperationState::Done, None, None, now)?;
        heard(payment);
        let amount = operation.amount.unwrap_or_default();
        refunded_in(conn, payment, amount, operation.note.as_deref(), now)
    })
    .await?;
    Ok(payment)
}

/// What it is waited for next is waited for anew.
fn heard(payment: &mut Payment) {
    if let Some(hold) = &mut payment.details.0.terminal {
        hold.waits_since = None;
    }
}
