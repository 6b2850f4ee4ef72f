//! Messages of providers. Each is kept once, and only says what to look at: it may come twice, late and in any order, so
//! what it is about is read from the provider again.

use super::flow::{give_back, go_on};
use super::provider::{
    DisputeStand, EventSubject, HoldState, ProviderDispute, ProviderEvent, ProviderHold, WebhookError,
};
use super::{PaymentError, change, minor, of_id};
use crate::app::App;
use crate::db::payment_ledger as ledger;
use crate::db::payment_operations::{self as operations, EventRow};
use crate::db::payments;
use crate::db::{DbConn, DbError};
use crate::domain::Money;
use crate::domain::payment::{LedgerKind, PaymentReason, PaymentState, StopCause};
use std::sync::Arc;

/// So many messages are looked at in one go.
const BATCH: i64 = 100;
/// What a message about a dispute is kept as.
const DISPUTE: &str = "dispute:";
/// What a message about refunds of a hold is kept as.
const REFUNDS: &str = "refunds:";

/// Why a message is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// No provider is set up.
    #[error("no payment provider is set up")]
    NoProvider,
    /// It is not to be believed.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// It could not be kept.
    #[error(transparent)]
    Payment(#[from] PaymentError),
}

/// Takes a message: it is durable when this returns, and is looked at right after. The same message again is taken and
/// has no effect.
///
/// # Errors
/// When it is not to be believed, or could not be kept.
pub async fn take(app: &App, signature: &str, body: &[u8]) -> Result<(), TakeError> {
    let provider = app.payments.provider().ok_or(TakeError::NoProvider)?;
    let event = provider.verify_webhook(signature, body, app.now())?;
    let (name, clock) = (provider.name(), app.clock.clone());
    let new = app
        .db
        .write(move |conn| {
            let ProviderEvent { id, kind, account, made_at, subject } = event.clone();
            let (object_id, hold) = match subject {
                EventSubject::Hold(id) => (Some(id.clone()), Some(id)),
                EventSubject::Refunds(id) => (Some(format!("{REFUNDS}{id}")), Some(id)),
                EventSubject::Dispute(id, hold) => (Some(format!("{DISPUTE}{id}")), hold),
                EventSubject::Other => (None, None),
            };
            let payment = match &hold {
                Some(hold) => payments::by_intent(conn, name, hold)?,
                None => None,
            };
            // A message of another account cannot be about a payment of this one.
            let payment = payment.filter(|payment| payment.account == account);
            let unknown = payment.is_none() && hold.is_some();
            if unknown {
                tracing::info!(
                    event = id,
                    kind,
                    account,
                    hold,
                    "a message about a payment that is none of ours"
                );
            }
            let handled = object_id.is_none() || unknown;
            let row = EventRow {
                provider: name.to_owned(),
                id,
                kind,
                account,
                object_id,
                payment_id: payment.map(|payment| payment.id),
                made_at,
                received_at: clock.now(),
                handled,
            };
            Ok::<_, PaymentError>(operations::keep_event(conn, &row)?)
        })
        .await?;
    if new {
        app.wakes.payments.notify_waiters();
    }
    Ok(())
}

/// Whether there are messages that were not handled yet.
pub(super) fn any_waiting(conn: &mut DbConn) -> Result<bool, DbError> {
    Ok(!operations::unhandled_events(conn, 1)?.is_empty())
}

/// Looks at what the messages are about that were not handled yet.
///
/// # Errors
/// When the database fails. A provider that cannot be reached leaves them for later.
pub async fn handle_all(app: &Arc<App>) -> Result<(), PaymentError> {
    let waiting = app.db.read(|conn| operations::unhandled_events(conn, BATCH)).await?;
    for event in waiting {
        if handle(app, &event).await? {
            let (provider, id) = (event.provider, event.id);
            app.db
                .write(move |conn| Ok::<_, PaymentError>(operations::event_handled(conn, &provider, &id)?))
                .await?;
        }
    }
    Ok(())
}

/// Whether it is done with.
async fn handle(app: &Arc<App>, event: &EventRow) -> Result<bool, PaymentError> {
    let dispute = event.object_id.as_deref().and_then(|object| object.strip_prefix(DISPUTE));
    if let Some(dispute) = dispute {
        let provider = app.payments.provider().filter(|provider| provider.name() == event.provider);
        let Some(provider) = provider else { return Ok(true) };
        return match provider.fetch_dispute(event.account.as_deref(), dispute).await {
            Ok(dispute) => {
                disputed(app, event, dispute).await?;
                Ok(true)
            }
            Err(error) => {
                tracing::warn!(event = event.id, %error, "a dispute could not be read");
                Ok(error.is_refusal())
            }
        };
    }
    let Some(id) = &event.payment_id else { return Ok(true) };
    let lock = app.payments.lock(id);
    let alone = lock.lock().await;
    let looked = look_at_hold(app, id).await?;
    if event.object_id.as_deref().is_some_and(|object| object.starts_with(REFUNDS)) {
        // Looked at as soon as it is known that anything was taken.
        change(app, id, |_, payment, _| {
            payment.details.0.refunds_told = true;
            Ok(())
        })
        .await?;
    }
    drop(alone);
    go_on(app, id).await?;
    Ok(looked)
}

/// Where nothing is held any more, since somebody gave the hold back or took it at the provider, a charge that goes on is
/// stopped, and one that did not begin does not begin. Everything else the payment's own way looks at. Whether the
/// provider could say.
pub(super) async fn look_at_hold(app: &Arc<App>, id: &str) -> Result<bool, PaymentError> {
    let payment = of_id(app, id).await?;
    let waits = |state| matches!(state, PaymentState::Authorised | PaymentState::StartSent);
    if payment.state != PaymentState::Charging && !waits(payment.state) {
        return Ok(true);
    }
    // What a terminal holds only the terminal knows.
    let Some((provider, hold)) = super::flow::provider_of(app, &payment)? else { return Ok(true) };
    let found = provider.fetch(hold).await;
    let gone = match &found {
        Ok(ProviderHold { state: HoldState::Cancelled, .. }) => Some(StopCause::HoldLapses),
        Ok(ProviderHold { state: HoldState::Captured, .. }) => Some(StopCause::HoldTaken),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(payment = id, %error, "a hold could not be read");
            None
        }
    };
    if let Some(cause) = gone {
        tracing::warn!(payment = id, %cause, "nothing is held any more: the charge is stopped, or does not begin");
    }
    change(app, id, move |conn, payment, now| {
        payment.details.0.looked_at = Some(now);
        match gone {
            Some(cause) if payment.state == PaymentState::Charging => payment.wish_stop(cause, now),
            Some(_) if waits(payment.state) => {
                let reason = PaymentReason::CancelledByOperator;
                give_back(conn, payment, PaymentState::Cancelled, reason, now)?;
            }
            _ => {}
        }
        Ok(())
    })
    .await?;
    Ok(found.map_or_else(|error| error.is_refusal(), |_| true))
}

/// Keeps how a dispute stands.
async fn disputed(app: &Arc<App>, event: &EventRow, dispute: ProviderDispute) -> Result<(), PaymentError> {
    let (name, hold, account) = (event.provider.clone(), dispute.hold_id.clone(), event.account.clone());
    let found = match hold {
        Some(hold) => app.db.read(move |conn| payments::by_intent(conn, &name, &hold)).await?,
        None => None,
    };
    let Some(payment) = found.filter(|payment| payment.account == account) else { return Ok(()) };
    let lock = app.payments.lock(&payment.id);
    let _alone = lock.lock().await;
    change(app, &payment.id, move |conn, payment, now| {
        let amount = minor::from_minor(dispute.amount, &payment.currency)?;
        let note = Some(dispute.id.as_str());
        match dispute.state {
            DisputeStand::Inquiry => {}
            DisputeStand::Open | DisputeStand::Lost => {
                let more = amount.minus(payment.disputed)?;
                if more > Money::ZERO {
                    payment.disputed = amount;
                    ledger::add(conn, payment, LedgerKind::Disputed, more, note, now)?;
                }
                if payment.state == PaymentState::Captured {
                    payment.move_to(PaymentState::Disputed, None)?;
                    payment.next_at = None;
                }
            }
            DisputeStand::Won => {
                let won = payment.disputed;
                payment.disputed = Money::ZERO;
                ledger::add(conn, payment, LedgerKind::DisputeWon, won, note, now)?;
                if payment.state == PaymentState::Disputed {
                    payment.move_to(PaymentState::Captured, None)?;
                    payment.next_at = Some(now);
                }
            }
        }
        Ok(())
    })
    .await?;
    Ok(())
}
