//! Giving a hold back, until the provider says that it is.

use super::flow::{Step, later, provider_of};
use super::provider::{HoldState, ProviderHold};
use super::refund::refund_all;
use super::settle::TAKEN_BY_SOMEBODY;
use super::{PaymentError, change, minor};
use crate::app::App;
use crate::db::payment_ledger as ledger;
use crate::db::payment_operations::{self as operations, Intended};
use crate::db::payments::Payment;
use crate::domain::payment::{LedgerKind, OperationKind, OperationState, PaymentState};
use std::sync::Arc;

/// The hold is to be given back.
pub(super) async fn releasing(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    if payment.details.0.terminal.is_some() {
        return super::confirmations::awaits_terminal(app, payment).await;
    }
    let Some((provider, meant)) = provider_of(app, &payment)? else {
        released(app, &payment.id).await?;
        return Ok(Step::Again);
    };
    // Looked at first: what was asked for before may have been done.
    let hold = match provider.fetch(meant).await {
        Ok(hold) => hold,
        Err(error) => {
            later(app, &payment.id, Some(&error)).await?;
            return Ok(Step::Wait);
        }
    };
    match hold.state {
        HoldState::Cancelled => {
            released(app, &payment.id).await?;
            return Ok(Step::Again);
        }
        HoldState::Captured => return taken_meanwhile(app, payment, hold).await,
        HoldState::Open | HoldState::Processing | HoldState::Held => {}
    }
    let (_, operation) = change(app, &payment.id, move |conn, payment, now| {
        if hold.state == HoldState::Held && payment.held.is_zero() {
            // Paid at the last moment.
            payment.held = minor::from_minor(hold.capturable, &hold.currency)?;
            ledger::add(conn, payment, LedgerKind::Held, payment.held, None, now)?;
        }
        let intended = Intended {
            payment_id: &payment.id,
            kind: OperationKind::Release,
            amount: Some(payment.held),
            note: payment.reason.map(|reason| reason.as_str()),
            asked_by: None,
        };
        Ok(operations::intend(conn, &intended, now)?)
    })
    .await?;
    match provider.release(meant, &operation.idempotency_key).await {
        // Looked at once more, which tells that it is done.
        Ok(hold) if hold.state == HoldState::Cancelled => {
            released(app, &payment.id).await?;
            Ok(Step::Again)
        }
        Ok(_) => {
            later(app, &payment.id, None).await?;
            Ok(Step::Wait)
        }
        Err(error) => {
            if error.is_refusal() {
                let told = error.to_string();
                change(app, &payment.id, move |conn, _, now| {
                    let state = OperationState::Refused;
                    operations::finish(conn, operation.seq, state, None, Some(&told), now)?;
                    Ok(())
                })
                .await?;
            }
            later(app, &payment.id, Some(&error)).await?;
            Ok(Step::Wait)
        }
    }
}

/// Nothing is held any more.
async fn released(app: &App, id: &str) -> Result<(), PaymentError> {
    change(app, id, |conn, payment, now| {
        if payment.state != PaymentState::Releasing {
            return Ok(());
        }
        released_in(conn, payment, now)
    })
    .await?;
    app.wakes.payments.notify_waiters();
    Ok(())
}

/// Keeps that nothing is held any more, and takes the exit.
pub(super) fn released_in(
    conn: &mut crate::db::DbConn,
    payment: &mut Payment,
    now: crate::domain::Timestamp,
) -> Result<(), PaymentError> {
    if let Some(open) = operations::open(conn, &payment.id, OperationKind::Release)? {
        operations::finish(conn, open.seq, OperationState::Done, payment.intent_id.as_deref(), None, now)?;
    }
    let rest = payment.held.minus(payment.captured)?.minus(payment.released)?;
    payment.released = payment.released.plus(rest)?;
    ledger::add(conn, payment, LedgerKind::Released, rest, payment.reason.map(|why| why.as_str()), now)?;
    let exit = payment.details.0.exit.unwrap_or(PaymentState::Cancelled);
    let reason = payment.reason;
    payment.move_to(exit, reason)?;
    // A charge that began meanwhile is still to be stopped.
    payment.next_at = payment.details.0.stop.as_ref().map(|_| now);
    Ok(())
}

/// It was taken by somebody else, e.g. in the provider's dashboard: all of it goes back.
async fn taken_meanwhile(app: &Arc<App>, payment: Payment, hold: ProviderHold) -> Result<Step, PaymentError> {
    tracing::error!(payment = %payment.id, "a hold that was to be given back had been taken; it is refunded");
    let (payment, ()) = change(app, &payment.id, move |conn, payment, now| {
        if payment.captured.is_zero() {
            let taken = minor::from_minor(hold.captured, &hold.currency)?;
            if payment.held.is_zero() {
                payment.held = taken;
                ledger::add(conn, payment, LedgerKind::Held, taken, None, now)?;
            }
            payment.captured = taken;
            ledger::add(conn, payment, LedgerKind::Captured, taken, Some(TAKEN_BY_SOMEBODY), now)?;
            let rest = payment.held.minus(taken)?;
            payment.released = rest;
            ledger::add(conn, payment, LedgerKind::Released, rest, None, now)?;
        }
        Ok(())
    })
    .await?;
    refund_all(app, payment).await
}
