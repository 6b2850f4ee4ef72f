//! What became of refunds at the provider. One that somebody made there, e.g. in its dashboard, is kept like one that an
//! operator asked us for; one that the driver's bank sent back is no refund any more. What the provider lists counts,
//! whichever message made us look, so that messages may come twice, late and in any order.

use super::flow::{later, provider_of};
use super::minor::from_minor;
use super::provider::ProviderRefund;
use super::refund::refunded_in;
use super::{PaymentError, change};
use crate::app::App;
use crate::db::payment_operations::{self as operations, Intended, Operation};
use crate::db::payments::Payment;
use crate::db::{DbConn, payment_ledger as ledger};
use crate::domain::Timestamp;
use crate::domain::payment::{LedgerKind, OperationKind, OperationState, PaymentState};

/// Looks at what was given back at the provider, as its message wished. Whether that is done with: a provider that cannot
/// be reached is asked again later.
pub(super) async fn look_at_refunds(app: &App, payment: &Payment) -> Result<bool, PaymentError> {
    let listed = match provider_of(app, payment)? {
        Some((provider, hold)) => provider.refunds(hold).await,
        None => Ok(Vec::new()),
    };
    match listed {
        Ok(refunds) => {
            keep_refunds(app, &payment.id, refunds).await?;
            Ok(true)
        }
        Err(error) if error.is_refusal() => {
            tracing::error!(payment = %payment.id, %error, "refunds could not be read");
            keep_refunds(app, &payment.id, Vec::new()).await?;
            Ok(true)
        }
        Err(error) => {
            later(app, &payment.id, Some(&error)).await?;
            Ok(false)
        }
    }
}

/// Keeps what the provider lists. What we asked for and know no outcome of is left to [`super::refund`].
pub(super) async fn keep_refunds(
    app: &App,
    id: &str,
    refunds: Vec<ProviderRefund>,
) -> Result<Payment, PaymentError> {
    let (payment, ()) = change(app, id, move |conn, payment, now| {
        if std::mem::take(&mut payment.details.0.refunds_told) && payment.details.0.failures > 0 {
            payment.details.0.failures = 0;
            payment.details.0.trouble = None;
        }
        let known = operations::of(conn, &payment.id)?;
        for refund in &refunds {
            let ours =
                known.iter().filter(|operation| operation.kind == OperationKind::Refund).find(|operation| {
                    operation.provider_ref.as_ref() == Some(&refund.id)
                        || refund.key.as_ref() == Some(&operation.idempotency_key)
                });
            match (ours, &refund.failure) {
                (Some(operation), Some(why)) if operation.state == OperationState::Done => {
                    sent_back(conn, payment, operation, why, now)?;
                }
                (None, None) => made_there(conn, payment, refund, now)?,
                _ => {}
            }
        }
        Ok(())
    })
    .await?;
    Ok(payment)
}

/// A refund that somebody made at the provider. More than was taken and not given back cannot be.
fn made_there(
    conn: &mut DbConn,
    payment: &mut Payment,
    refund: &ProviderRefund,
    now: Timestamp,
) -> Result<(), PaymentError> {
    let amount = from_minor(refund.amount, &payment.currency)?;
    let left = payment.captured.minus(payment.refunded)?;
    if amount > left {
        let why = format!(
            "the refund {} of {amount} {} at the provider is more than the {left} that are left",
            refund.id, payment.currency
        );
        tracing::error!(payment = %payment.id, why, "a refund is not taken over");
        payment.details.0.trouble = Some(why);
        return Ok(());
    }
    let (by, note) = (format!("somebody at {}", payment.provider), refund.reason.as_deref());
    let made = Intended {
        payment_id: &payment.id,
        kind: OperationKind::Refund,
        amount: Some(amount),
        note,
        asked_by: Some(by.as_str()),
    };
    operations::add_done(conn, &made, &refund.id, now)?;
    tracing::info!(payment = %payment.id, %amount, refund = refund.id, "a refund that was made at the provider");
    let why = format!("made by {by}: {} ({})", note.unwrap_or("no reason told"), refund.id);
    refunded_in(conn, payment, amount, Some(&why), now)
}

/// A refund did not reach the driver: the money is ours again. It is not made again by itself, since it would most likely
/// come back once more.
fn sent_back(
    conn: &mut DbConn,
    payment: &mut Payment,
    operation: &Operation,
    why: &str,
    now: Timestamp,
) -> Result<(), PaymentError> {
    let amount = operation.amount.unwrap_or_default();
    operations::fail(conn, operation.seq, why, now)?;
    payment.refunded = payment.refunded.minus(amount)?;
    ledger::add(conn, payment, LedgerKind::RefundFailed, amount, Some(why), now)?;
    let told = format!("a refund of {amount} {} failed: {why}", payment.currency);
    tracing::error!(payment = %payment.id, why = told, "a refund came back; it needs somebody's attention");
    payment.details.0.trouble = Some(told);
    if payment.state == PaymentState::Refunded {
        let reason = payment.reason;
        payment.move_to(PaymentState::Captured, reason)?;
    }
    Ok(())
}
