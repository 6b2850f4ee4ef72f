//! What is due is taken: what the CDR says, at most what is held. What is more is written off, and what becomes less
//! later (a corrected CDR) is given back; nothing is ever taken a second time.

use super::flow::{Step, later, provider_of};
use super::minor::{from_minor, payable, to_minor};
use super::offer::gross;
use super::provider::{HoldState, ProviderError, ProviderHold};
use super::refund::{goodwill, refund};
use super::{PaymentError, change};
use crate::app::App;
use crate::db::payment_operations::{self as operations, Intended, Operation};
use crate::db::payments::Payment;
use crate::db::{
    DbConn, DbError, cdr_credits, cdrs, payment_ledger as ledger, payment_merchants, receipt_mails,
};
use crate::domain::payment::{
    LedgerKind, OperationKind, OperationState, PaymentReason, PaymentState, ReceiptNumber, Settlement,
};
use crate::domain::{CiString, Money, Timestamp};
use std::sync::Arc;

/// The provider's word for an amount below the least that it takes.
const AMOUNT_TOO_SMALL: &str = "amount_too_small";
/// What the ledger says of what was taken by somebody else than us.
pub(super) const TAKEN_BY_SOMEBODY: &str = "taken at the provider by somebody else";

/// The CDR that counts now in place of one, and what is due for it, tax included: that of the CDR, or of the one that
/// took its place, or nothing where it was taken back (OCPI 2.2.1 mod_cdrs, "Credit CDRs").
pub(super) fn due_of(conn: &mut DbConn, mut seq: i64) -> Result<(i64, Money), DbError> {
    while let Some(credit) = cdr_credits::of_cdr(conn, seq)? {
        match credit.replacement_seq {
            Some(next) => seq = next,
            None => return Ok((credit.credit_seq, Money::ZERO)),
        }
    }
    let kept = cdrs::at(conn, seq)?.ok_or_else(|| DbError::corrupt("payment", "its CDR is missing"))?;
    Ok((seq, if kept.cdr.credit == Some(true) { Money::ZERO } else { gross(&kept.cdr.total_cost) }))
}

/// Keeps what is due by a CDR.
pub(super) fn account_for(payment: &mut Payment, cdr_seq: i64, due: Money) {
    payment.cdr_seq = Some(cdr_seq);
    payment.details.0.due = Some(due);
    payment.details.0.due_before_cdr = false;
}

/// What is due is known.
pub(super) async fn priced(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    change(app, &payment.id, |conn, payment, now| {
        if payment.state != PaymentState::Priced {
            return Ok(());
        }
        let due = payment.details.0.due.unwrap_or_default();
        let Settlement { capture, .. } = Settlement::of(due, payment.held);
        if capture.is_zero() {
            return Ok(payment.release(PaymentState::Cancelled, PaymentReason::CostZero, now)?);
        }
        payment.move_to(PaymentState::Capturing, None)?;
        intend_capture(conn, payment, capture, now)?;
        payment.next_at = Some(now);
        Ok(())
    })
    .await?;
    Ok(Step::Again)
}

fn intend_capture(
    conn: &mut DbConn,
    payment: &Payment,
    amount: Money,
    now: Timestamp,
) -> Result<Operation, DbError> {
    let intended = Intended {
        payment_id: &payment.id,
        kind: OperationKind::Capture,
        amount: Some(amount),
        note: None,
        asked_by: None,
    };
    operations::intend(conn, &intended, now)
}

/// The provider is to take what is due. It is looked at first, since what was asked for before may have been done.
pub(super) async fn capturing(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    if payment.details.0.terminal.is_some() {
        return super::confirmations::awaits_terminal(app, payment).await;
    }
    let Some((provider, meant)) = provider_of(app, &payment)? else {
        return Err(DbError::corrupt("payment", "it has no id at the provider").into());
    };
    let payment_id = payment.id.clone();
    let amount = Settlement::of(payment.details.0.due.unwrap_or_default(), payment.held).capture;
    let (_, operation) =
        change(app, &payment_id, move |conn, payment, now| Ok(intend_capture(conn, payment, amount, now)?))
            .await?;
    let hold = match provider.fetch(meant).await {
        Ok(hold) => hold,
        Err(error) => {
            later(app, &payment_id, Some(&error)).await?;
            return Ok(Step::Wait);
        }
    };
    match hold.state {
        HoldState::Captured => {
            captured_now(app, &payment_id, operation, hold).await?;
            return Ok(Step::Again);
        }
        HoldState::Cancelled | HoldState::Open => {
            lapsed(app, &payment_id, operation).await?;
            return Ok(Step::Again);
        }
        HoldState::Processing => {
            later(app, &payment_id, None).await?;
            return Ok(Step::Wait);
        }
        HoldState::Held => {}
    }
    let amount = operation.amount.unwrap_or_default().min(payment.held);
    let amount = to_minor(amount, &payment.currency)?;
    match provider.capture(meant, amount, &operation.idempotency_key).await {
        Ok(hold) if hold.state == HoldState::Captured => {
            captured_now(app, &payment_id, operation, hold).await?;
            Ok(Step::Again)
        }
        Ok(_) => {
            later(app, &payment_id, None).await?;
            Ok(Step::Wait)
        }
        Err(error) => not_captured(app, &payment_id, operation, error).await,
    }
}

/// The money was taken.
async fn captured_now(
    app: &App,
    id: &str,
    operation: Operation,
    hold: ProviderHold,
) -> Result<(), PaymentError> {
    change(app, id, move |conn, payment, now| {
        if payment.state != PaymentState::Capturing {
            return Ok(());
        }
        let state = OperationState::Done;
        operations::finish(conn, operation.seq, state, payment.intent_id.as_deref(), None, now)?;
        let taken = from_minor(hold.captured, &payment.currency)?;
        let somebody = Some(taken) != operation.amount;
        captured_in(conn, payment, taken, somebody.then_some(TAKEN_BY_SOMEBODY), now)
    })
    .await?;
    app.wakes.payments.notify_waiters();
    Ok(())
}

/// Keeps that so much was taken, and what follows.
pub(super) fn captured_in(
    conn: &mut DbConn,
    payment: &mut Payment,
    taken: Money,
    note: Option<&str>,
    now: Timestamp,
) -> Result<(), PaymentError> {
    let due = payment.details.0.due.unwrap_or_default();
    payment.captured = taken;
    ledger::add(conn, payment, LedgerKind::Captured, taken, note, now)?;
    let rest = payment.held.minus(taken)?.max(Money::ZERO);
    payment.released = rest;
    ledger::add(conn, payment, LedgerKind::Released, rest, None, now)?;
    write_off(conn, payment, due.minus(taken)?, "more was due than could be taken", now)?;
    payment.move_to(PaymentState::Captured, None)?;
    payment.details.0.captured_at = Some(now);
    payment.details.0.trouble = None;
    number_receipt(conn, payment, now)?;
    // Once more, for a CDR that came or was corrected meanwhile.
    payment.next_at = Some(now);
    give_back_excess(conn, payment, "more was taken than was due", now)?;
    Ok(())
}

/// Gives the payment the next number of its party's receipts.
fn number_receipt(conn: &mut DbConn, payment: &mut Payment, now: Timestamp) -> Result<(), DbError> {
    if payment.details.0.receipt.is_some() {
        return Ok(());
    }
    let party = payment.party()?;
    if payment_merchants::find(conn, &party)?.is_none() {
        tracing::error!(payment = %payment.id, %party, "the party is no merchant any more: there is no receipt");
        return Ok(());
    }
    let number = payment_merchants::next_receipt(conn, &party)?;
    payment.details.0.receipt = Some(ReceiptNumber { number, at: now });
    match &payment.details.0.email {
        Some(address) => receipt_mails::ask(conn, &payment.id, address, now),
        None => Ok(()),
    }
}

/// Keeps that something is due and is not taken.
pub(super) fn write_off(
    conn: &mut DbConn,
    payment: &mut Payment,
    amount: Money,
    why: &str,
    now: Timestamp,
) -> Result<(), PaymentError> {
    if amount <= Money::ZERO {
        return Ok(());
    }
    tracing::warn!(payment = %payment.id, %amount, currency = payment.currency, why, "written off");
    payment.written_off = payment.written_off.plus(amount)?;
    Ok(ledger::add(conn, payment, LedgerKind::WrittenOff, amount, Some(why), now)?)
}

/// The hold is not there any more: what is due cannot be taken.
async fn lapsed(app: &App, id: &str, operation: Operation) -> Result<(), PaymentError> {
    change(app, id, move |conn, payment, now| {
        if payment.state != PaymentState::Capturing {
            return Ok(());
        }
        let note = Some("the hold is not there any more");
        operations::finish(conn, operation.seq, OperationState::Refused, None, note, now)?;
        let (held, due) = (payment.held, payment.details.0.due.unwrap_or_default());
        payment.released = held;
        ledger::add(conn, payment, LedgerKind::Released, held, Some("the hold lapsed"), now)?;
        write_off(conn, payment, due, "the hold lapsed", now)?;
        payment.move_to(PaymentState::Failed, Some(PaymentReason::HoldLapsed))?;
        payment.next_at = None;
        Ok(())
    })
    .await?;
    Ok(())
}

/// The provider did not take it.
async fn not_captured(
    app: &App,
    id: &str,
    operation: Operation,
    error: ProviderError,
) -> Result<Step, PaymentError> {
    if let ProviderError::Refused { code, .. } = &error {
        let too_small = code == AMOUNT_TOO_SMALL;
        let told = error.to_string();
        change(app, id, move |conn, payment, now| {
            operations::finish(conn, operation.seq, OperationState::Refused, None, Some(&told), now)?;
            if too_small && payment.state == PaymentState::Capturing {
                let due = payment.details.0.due.unwrap_or_default();
                write_off(conn, payment, due, "less than the provider takes", now)?;
                payment.release(PaymentState::Cancelled, PaymentReason::TooLittle, now)?;
            }
            Ok(())
        })
        .await?;
        if too_small {
            return Ok(Step::Again);
        }
    }
    later(app, id, Some(&error)).await?;
    Ok(Step::Wait)
}

/// It was taken: a refund that was asked for is made, and a CDR that was written late or corrected is accounted for.
pub(super) async fn captured(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    let poll = super::delta(app.config.payments.poll_interval);
    let (payment, open) = change(app, &payment.id, move |conn, payment, now| {
        if payment.state != PaymentState::Captured {
            return Ok(None);
        }
        payment.next_at = payment.details.0.due_before_cdr.then(|| now.plus(poll));
        if let Some(open) = operations::open(conn, &payment.id, OperationKind::Refund)? {
            // Made again after a stop in between.
            payment.next_at = Some(now);
            return Ok(Some(open));
        }
        adjust(conn, payment, now)?;
        Ok(operations::open(conn, &payment.id, OperationKind::Refund)?)
    })
    .await?;
    match open {
        Some(open) => refund(app, payment, open).await,
        None => Ok(if payment.state == PaymentState::Captured { Step::Wait } else { Step::Again }),
    }
}

/// Writes that what was taken beyond what is due is to be given back; what was given back before counts. How much that is.
pub(super) fn give_back_excess(
    conn: &mut DbConn,
    payment: &mut Payment,
    why: &str,
    now: Timestamp,
) -> Result<Money, PaymentError> {
    let due = payment.details.0.due.unwrap_or_default().min(payment.captured);
    let too_much = payment.captured.minus(payment.refunded)?.minus(due)?.max(Money::ZERO);
    if !too_much.is_zero() {
        let intended = Intended {
            payment_id: &payment.id,
            kind: OperationKind::Refund,
            amount: Some(too_much),
            note: Some(why),
            asked_by: None,
        };
        operations::intend(conn, &intended, now)?;
        payment.next_at = Some(now);
    }
    Ok(too_much)
}

/// Compares what was taken with what is due now, and gives back what is too much; what operators gave back of themselves
/// counts.
fn adjust(conn: &mut DbConn, payment: &mut Payment, now: Timestamp) -> Result<(), PaymentError> {
    let party = payment.party()?;
    let seq = match payment.cdr_seq {
        Some(seq) => Some(seq),
        None => match &payment.session_id {
            Some(session) => cdrs::place_of(conn, &party, &CiString::from(session.as_str()))?,
            None => None,
        },
    };
    let Some(seq) = seq else { return Ok(()) };
    let (current, due) = due_of(conn, seq)?;
    if payment.cdr_seq == Some(current) {
        return Ok(());
    }
    let due = payable(due, &payment.currency)?;
    account_for(payment, current, due);
    payment.next_at = None;
    let too_much = give_back_excess(conn, payment, "the CDR was corrected", now)?;
    let given = payment.refunded.plus(too_much)?.minus(goodwill(conn, payment)?)?;
    let missing = due.minus(payment.captured.minus(given)?)?.max(Money::ZERO);
    let change = missing.minus(payment.written_off)?;
    if change < Money::ZERO {
        let undone = Money::ZERO.minus(change)?;
        payment.written_off = missing;
        ledger::add(conn, payment, LedgerKind::WriteOffUndone, undone, Some("the CDR was corrected"), now)?;
    }
    write_off(conn, payment, change, "the CDR was corrected", now)
}
