//! Giving back what was taken: as it was written that it is to be. What was given back under an operation's key before is
//! found first, so it is never given back twice.

use super::flow::{Step, later, provider_of};
use super::minor::to_minor;
use super::provider::ProviderError;
use super::refund_news::keep_refunds;
use super::settle::give_back_excess;
use super::{PaymentError, change};
use crate::app::App;
use crate::db::payment_operations::{self as operations, Intended, Operation};
use crate::db::payments::Payment;
use crate::db::{DbConn, payment_ledger as ledger};
use crate::domain::payment::{LedgerKind, OperationKind, OperationState, PaymentState};
use crate::domain::{Money, Timestamp};
use std::sync::Arc;

/// What operators gave back of themselves: the CDR does not know of it.
pub(super) fn goodwill(conn: &mut DbConn, payment: &Payment) -> Result<Money, PaymentError> {
    let mut sum = Money::ZERO;
    for operation in operations::of(conn, &payment.id)? {
        let by_somebody = operation.kind == OperationKind::Refund
            && operation.state == OperationState::Done
            && operation.asked_by.is_some();
        if by_somebody {
            sum = sum.plus(operation.amount.unwrap_or_default())?;
        }
    }
    Ok(sum)
}

/// Gives all that was taken back.
pub(super) async fn refund_all(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    let (payment, operation) = change(app, &payment.id, |conn, payment, now| {
        let intended = Intended {
            payment_id: &payment.id,
            kind: OperationKind::Refund,
            amount: Some(payment.captured.minus(payment.refunded)?),
            note: payment.reason.map(|reason| reason.as_str()),
            asked_by: None,
        };
        Ok(operations::intend(conn, &intended, now)?)
    })
    .await?;
    refund(app, payment, operation).await
}

/// Makes a refund that was written. What was made under its key before is found first.
pub(super) async fn refund(
    app: &Arc<App>,
    payment: Payment,
    operation: Operation,
) -> Result<Step, PaymentError> {
    if payment.details.0.terminal.is_some() {
        return super::confirmations::awaits_terminal(app, payment).await;
    }
    let Some((provider, hold)) = provider_of(app, &payment)? else { return Ok(Step::Wait) };
    let key = operation.idempotency_key.as_str();
    let amount = to_minor(operation.amount.unwrap_or_default(), &payment.currency)?;
    let made = match provider.refunds(hold).await {
        Ok(listed) => {
            let found = listed.iter().find(|refund| refund.key.as_deref() == Some(key)).cloned();
            let payment = keep_refunds(app, &payment.id, listed).await?;
            let left = payment.captured.minus(payment.refunded)?;
            match found {
                Some(found) => Ok(found),
                None if operation.amount.unwrap_or_default() > left => {
                    return not_left(app, payment, operation, left).await;
                }
                None => provider.refund(hold, amount, key).await,
            }
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(refund) if refund.failure.is_none() => {
            change(app, &payment.id, move |conn, payment, now| {
                if operations::finish(conn, operation.seq, OperationState::Done, Some(&refund.id), None, now)?
                {
                    refunded_in(
                        conn,
                        payment,
                        operation.amount.unwrap_or_default(),
                        operation.note.as_deref(),
                        now,
                    )?;
                }
                Ok(())
            })
            .await?;
            Ok(Step::Again)
        }
        Ok(refund) => {
            let error = ProviderError::Refused {
                code: "refund_failed".to_owned(),
                message: format!("the refund {} failed: {}", refund.id, refund.failure.unwrap_or_default()),
            };
            not_refunded(app, &payment.id, operation, error).await
        }
        Err(error) => not_refunded(app, &payment.id, operation, error).await,
    }
}

/// Somebody gave money back at the provider meanwhile, and what is left is less than was to be given back.
async fn not_left(
    app: &App,
    payment: Payment,
    operation: Operation,
    left: Money,
) -> Result<Step, PaymentError> {
    let told =
        format!("only {left} {} were left: somebody gave money back at the provider", payment.currency);
    tracing::warn!(payment = %payment.id, why = told, "a refund is not made");
    change(app, &payment.id, move |conn, payment, now| {
        operations::finish(conn, operation.seq, OperationState::Refused, None, Some(&told), now)?;
        payment.next_at = None;
        if operation.asked_by.is_some() {
            payment.details.0.trouble = Some(told.clone());
        } else if payment.state == PaymentState::Captured {
            give_back_excess(conn, payment, &told, now)?;
        }
        Ok(())
    })
    .await?;
    Ok(Step::Again)
}

/// Keeps that so much was given back.
pub(super) fn refunded_in(
    conn: &mut DbConn,
    payment: &mut Payment,
    amount: Money,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), PaymentError> {
    payment.refunded = payment.refunded.plus(amount)?;
    payment.details.0.failures = 0;
    payment.details.0.trouble = None;
    ledger::add(conn, payment, LedgerKind::Refunded, amount, why, now)?;
    if payment.refunded >= payment.captured && payment.state != PaymentState::Refunded {
        let reason = payment.reason;
        payment.move_to(PaymentState::Refunded, reason)?;
        payment.next_at = None;
    }
    Ok(())
}

async fn not_refunded(
    app: &App,
    id: &str,
    operation: Operation,
    error: ProviderError,
) -> Result<Step, PaymentError> {
    if error.is_refusal() {
        let told = error.to_string();
        tracing::error!(payment = id, error = %told, "a refund was refused; it needs somebody's attention");
        let (payment, ()) = change(app, id, move |conn, payment, now| {
            operations::finish(conn, operation.seq, OperationState::Refused, None, Some(&told), now)?;
            payment.details.0.trouble = Some(told.clone());
            payment.next_at = None;
            Ok(())
        })
        .await?;
        // What was taken by mistake is tried to be given back until it works.
        if payment.state != PaymentState::Releasing {
            return Ok(Step::Wait);
        }
    }
    later(app, id, Some(&error)).await?;
    Ok(Step::Wait)
}
