//! What operators do with payments: look at them, give money back, end them.

use super::flow::{end, go_on_in_background};
use super::{PaymentError, change, minor::payable};
use crate::app::App;
use crate::db::payment_ledger::{self as ledger, LedgerLine};
use crate::db::payment_operations::{self as operations, EventRow, Intended, Operation};
use crate::db::payments::{self, Payment};
use crate::db::{DbConn, DbResult};
use crate::domain::payment::{OperationKind, PaymentReason, PaymentState, StopCause};
use crate::domain::{Money, Timestamp};
use std::sync::Arc;

/// A payment with all that happened to it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The payment.
    pub payment: Payment,
    /// What was asked of the provider.
    pub operations: Vec<Operation>,
    /// What the provider told by itself.
    pub events: Vec<EventRow>,
    /// Where the money is.
    pub ledger: Vec<LedgerLine>,
}

/// A payment with all that happened to it; none where there is no such payment.
///
/// # Errors
/// When the database fails.
pub fn show(conn: &mut DbConn, id: &str) -> DbResult<Option<Shown>> {
    let Some(payment) = payments::find(conn, id)? else { return Ok(None) };
    Ok(Some(Shown {
        operations: operations::of(conn, id)?,
        events: operations::events_of(conn, id)?,
        ledger: ledger::of(conn, id)?,
        payment,
    }))
}

/// A refund as it is asked for.
#[derive(Debug, Clone)]
pub struct RefundWish {
    /// How much; all that is left where it is missing.
    pub amount: Option<Money>,
    /// Why.
    pub note: String,
    /// Who asks.
    pub by: String,
}

/// Writes that so much is to be given back; a running node does it within seconds.
///
/// # Errors
/// When nothing was taken, it is more than was taken and not given back, or another refund is under way.
pub fn wish_refund(
    conn: &mut DbConn,
    payment: &mut Payment,
    wish: &RefundWish,
    now: Timestamp,
) -> Result<Money, PaymentError> {
    if payment.state != PaymentState::Captured {
        return Err(PaymentError::Conflict(format!(
            "the payment is {}: only what was captured can be refunded",
            payment.state
        )));
    }
    if operations::open(conn, &payment.id, OperationKind::Refund)?.is_some() {
        return Err(PaymentError::Conflict("another refund of the payment is under way".to_owned()));
    }
    let left = payment.captured.minus(payment.refunded)?;
    let amount = wish.amount.unwrap_or(left);
    if amount <= Money::ZERO || payable(amount, &payment.currency)? != amount {
        return Err(PaymentError::Input {
            field: "amount",
            wanted: "an amount above 0 is wanted, with no more decimals than its currency has",
        });
    }
    if amount > left {
        return Err(PaymentError::Conflict(format!(
            "{amount} {} is more than the {left} that was taken and not given back",
            payment.currency
        )));
    }
    let intended = Intended {
        payment_id: &payment.id,
        kind: OperationKind::Refund,
        amount: Some(amount),
        note: Some(wish.note.as_str()),
        asked_by: Some(wish.by.as_str()),
    };
    operations::intend(conn, &intended, now)?;
    // At once, also where the clock of who asks is ahead of the node's.
    payment.next_at = Some(now.min(payment.last_updated));
    Ok(amount)
}

/// Gives back what was taken, or a part of it. It is written when this returns, and done right after.
///
/// # Errors
/// As [`wish_refund`], and when there is no such payment.
pub async fn refund(app: &Arc<App>, id: &str, wish: RefundWish) -> Result<Payment, PaymentError> {
    let (payment, amount) =
        change(app, id, move |conn, payment, now| wish_refund(conn, payment, &wish, now)).await?;
    tracing::info!(payment = id, %amount, currency = payment.currency, "a refund was asked for");
    let (app, id) = (Arc::clone(app), id.to_owned());
    tokio::spawn(async move { go_on_in_background(&app, &id).await });
    Ok(payment)
}

/// Ends a payment: the hold is given back, or the charge stopped and what it cost so far taken.
///
/// # Errors
/// When there is no such payment, or it is over.
pub async fn release(app: &Arc<App>, id: &str) -> Result<Payment, PaymentError> {
    let payment = super::of_id(app, id).await?;
    if !matches!(
        payment.state,
        PaymentState::Created | PaymentState::Authorised | PaymentState::StartSent | PaymentState::Charging
    ) {
        return Err(PaymentError::Conflict(format!(
            "the payment is {}: there is nothing to end",
            payment.state
        )));
    }
    end(app, id, StopCause::Operator, PaymentReason::CancelledByOperator).await?;
    super::of_id(app, id).await
}
