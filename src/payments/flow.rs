//! How a payment moves on: one function, whoever asks. It looks at what is there, does the next thing, and looks again
//! until it has to wait for somebody: the driver, the station, the provider, or the time.

use super::begin::checked_email;
use super::offer::NotOffered;
use super::provider::{AttemptFailure, HoldRef, HoldState, PaymentProvider, ProviderError, ProviderHold};
use super::refund_news::look_at_refunds;
use super::view::{PaymentView, view_of};
use super::{PaymentError, change, delta, limit, minor, of_id, of_key, release, settle, start};
use crate::app::App;
use crate::config::PaymentsConfig;
use crate::db::payments::Payment;
use crate::db::{charges, commands, payment_claims, payment_ledger as ledger, receipt_mails};
use crate::domain::payment::{LedgerKind, PaymentReason, PaymentState, StopCause};
use crate::domain::{Money, Timestamp};
use std::sync::Arc;

/// So many steps at once at the most: more would be a circle.
const MOST_STEPS: usize = 20;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Look again.
    Again,
    /// Nothing more to do now.
    Wait,
}

/// Moves the payment of a key on as far as it goes: the page came back from the provider, or asks how it stands.
///
/// # Errors
/// When there is no such payment, or the database fails. What the provider or the station says against it is no error:
/// it stands in the view.
pub async fn advance(app: &Arc<App>, key: &str) -> Result<PaymentView, PaymentError> {
    let payment = of_key(app, key).await?;
    // Whoever holds the lock does what is to be done.
    let lock = app.payments.lock(&payment.id);
    if let Ok(_alone) = lock.try_lock() {
        steps(app, &payment.id).await?;
    }
    view_of(app, of_id(app, &payment.id).await?).await
}

/// Ends what the driver does not want any more: before the charge, the hold is given back; a charge is stopped, and
/// what it cost so far is taken.
///
/// # Errors
/// When there is no such payment, or the database fails.
pub async fn stop(app: &Arc<App>, key: &str) -> Result<PaymentView, PaymentError> {
    let payment = of_key(app, key).await?;
    let id = payment.id;
    end(app, &id, StopCause::Driver, PaymentReason::CancelledByDriver).await?;
    view_of(app, of_id(app, &id).await?).await
}

/// Ends a payment for somebody. What follows goes on in the background.
pub(super) async fn end(
    app: &Arc<App>,
    id: &str,
    cause: StopCause,
    reason: PaymentReason,
) -> Result<(), PaymentError> {
    change(app, id, move |conn, payment, now| {
        match payment.state {
            PaymentState::Created if payment.intent_id.is_none() => {
                payment.move_to(PaymentState::Cancelled, Some(reason))?;
                payment.next_at = None;
            }
            PaymentState::Created | PaymentState::Authorised | PaymentState::StartSent => {
                give_back(conn, payment, PaymentState::Cancelled, reason, now)?;
            }
            PaymentState::Charging => payment.wish_stop(cause, now),
            // Over, or on its way there.
            _ => {}
        }
        Ok(())
    })
    .await?;
    let (app, id) = (Arc::clone(app), id.to_owned());
    tokio::spawn(async move { go_on_in_background(&app, &id).await });
    Ok(())
}

/// Sets where the receipt is to be sent; nothing takes the address away.
///
/// # Errors
/// When it is no address, or there is no such payment.
pub async fn set_email(app: &App, key: &str, email: &str) -> Result<PaymentView, PaymentError> {
    let email = checked_email(email)?;
    let payment = of_key(app, key).await?;
    let set = change(app, &payment.id, move |conn, payment, now| {
        payment.details.0.email.clone_from(&email);
        if let (Some(address), true) = (&email, payment.details.0.receipt.is_some()) {
            receipt_mails::ask(conn, &payment.id, address, now)?;
        }
        Ok(())
    });
    let (payment, ()) = set.await?;
    view_of(app, payment).await
}

/// Moves a payment on as far as it goes, after whoever does so already.
///
/// # Errors
/// When the database fails.
pub async fn go_on(app: &Arc<App>, id: &str) -> Result<(), PaymentError> {
    let lock = app.payments.lock(id);
    let _alone = lock.lock().await;
    steps(app, id).await
}

/// The same where nobody waits for the outcome.
pub(super) async fn go_on_in_background(app: &Arc<App>, id: &str) {
    if let Err(error) = go_on(app, id).await {
        tracing::error!(
            payment = id,
            error = ?error,
            "a payment could not be moved on"
        );
    }
}

async fn steps(app: &Arc<App>, id: &str) -> Result<(), PaymentError> {
    for _ in 0..MOST_STEPS {
        let payment = of_id(app, id).await?;
        if payment.details.0.refunds_told && !payment.captured.is_zero() {
            if look_at_refunds(app, &payment).await? {
                continue;
            }
            return Ok(());
        }
        let step = match payment.state {
            PaymentState::Created => created(app, payment).await?,
            PaymentState::Authorised => start::authorised(app, payment).await?,
            PaymentState::StartSent => start::start_sent(app, payment).await?,
            PaymentState::Charging => limit::charging(app, payment).await?,
            PaymentState::Priced => settle::priced(app, payment).await?,
            PaymentState::Capturing => settle::capturing(app, payment).await?,
            PaymentState::Captured => settle::captured(app, payment).await?,
            PaymentState::Releasing => release::releasing(app, payment).await?,
            PaymentState::Disputed => rest(app, payment).await?,
            PaymentState::Cancelled
            | PaymentState::Expired
            | PaymentState::Refunded
            | PaymentState::Failed => limit::stray(app, payment).await?,
        };
        if step == Step::Wait {
            return Ok(());
        }
    }
    tracing::error!(payment = id, steps = MOST_STEPS, "a payment moves in a circle; it is left for later");
    later(app, id, None).await
}

/// Nothing more to do by itself.
async fn rest(app: &App, payment: Payment) -> Result<Step, PaymentError> {
    if payment.next_at.is_some() {
        change(app, &payment.id, |_, payment, _| {
            payment.next_at = None;
            Ok(())
        })
        .await?;
    }
    Ok(Step::Wait)
}

/// The provider of a payment, and what the payment is there.
pub(super) fn provider_of<'a>(
    app: &'a App,
    payment: &'a Payment,
) -> Result<Option<(&'a dyn PaymentProvider, HoldRef<'a>)>, PaymentError> {
    let Some(id) = payment.intent_id.as_deref() else { return Ok(None) };
    if payment.details.0.terminal.is_some() {
        return Ok(None);
    }
    let provider = app.payments.provider().filter(|provider| provider.name() == payment.provider);
    let provider = provider.ok_or(NotOffered::NoProvider)?;
    Ok(Some((provider.as_ref(), HoldRef { account: payment.account.as_deref(), id })))
}

/// How long to wait after so many failures.
pub(super) fn pause(config: &PaymentsConfig, failures: u32) -> chrono::TimeDelta {
    let factor = 2_u32.saturating_pow(failures.min(20));
    delta(config.retry_first.saturating_mul(factor).min(config.retry_max))
}

/// Tries again later: what was to be done failed.
pub(super) async fn later(app: &App, id: &str, why: Option<&ProviderError>) -> Result<(), PaymentError> {
    let (config, told) = (app.config.payments.clone(), why.map(ToString::to_string));
    if let Some(why) = &told {
        tracing::warn!(payment = id, error = %why, "the payment provider has no good answer; trying again later");
    }
    change(app, id, move |_, payment, now| {
        payment.next_at = Some(now.plus(pause(&config, payment.details.0.failures)));
        payment.details.0.failures = payment.details.0.failures.saturating_add(1);
        payment.details.0.trouble.clone_from(&told);
        Ok(())
    })
    .await?;
    Ok(())
}

/// The driver is to pay: looks at the provider whether that was done.
async fn created(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    let Some((provider, hold)) = provider_of(app, &payment)? else {
        return unpaid(app, payment, None).await;
    };
    let hold = match provider.fetch(hold).await {
        Ok(hold) => hold,
        Err(error) => {
            later(app, &payment.id, Some(&error)).await?;
            return Ok(Step::Wait);
        }
    };
    match hold.state {
        HoldState::Open => unpaid(app, payment, hold.failure).await,
        HoldState::Processing => {
            wait_until(app, &payment.id, |_, config, now| now.plus(delta(config.poll_interval))).await
        }
        HoldState::Held | HoldState::Captured => {
            held(app, &payment.id, hold).await?;
            Ok(Step::Again)
        }
        HoldState::Cancelled => {
            change(app, &payment.id, |_, payment, _| {
                payment.move_to(PaymentState::Expired, Some(PaymentReason::NotPaid))?;
                payment.next_at = None;
                Ok(())
            })
            .await?;
            Ok(Step::Again)
        }
    }
}

/// Sets when to look again.
async fn wait_until(
    app: &App,
    id: &str,
    at: impl Fn(&Payment, &PaymentsConfig, Timestamp) -> Timestamp + Send + 'static,
) -> Result<Step, PaymentError> {
    let config = app.config.payments.clone();
    change(app, id, move |_, payment, now| {
        payment.next_at = Some(at(payment, &config, now));
        Ok(())
    })
    .await?;
    Ok(Step::Wait)
}

/// Nobody has paid yet: there may still be time.
async fn unpaid(app: &App, payment: Payment, failure: Option<AttemptFailure>) -> Result<Step, PaymentError> {
    let config = app.config.payments.clone();
    let (payment, ()) = change(app, &payment.id, move |_, payment, now| {
        if payment.state != PaymentState::Created {
            return Ok(());
        }
        if now >= payment.details.0.pay_by {
            if payment.intent_id.is_some() {
                payment.release(PaymentState::Expired, PaymentReason::NotPaid, now)?;
            } else {
                // The provider never told us of a payment, so no driver could pay it.
                let reason = payment.reason.unwrap_or(PaymentReason::NotPaid);
                payment.move_to(PaymentState::Expired, Some(reason))?;
                payment.next_at = None;
            }
            return Ok(());
        }
        if payment.intent_id.is_some() {
            payment.reason = failure.map(|failure| match failure {
                AttemptFailure::Declined => PaymentReason::Declined,
                AttemptFailure::Authentication => PaymentReason::AuthenticationFailed,
            });
            payment.details.0.failures = 0;
        }
        payment.next_at = Some(now.plus(delta(config.poll_interval)).min(payment.details.0.pay_by));
        Ok(())
    })
    .await?;
    Ok(if payment.state == PaymentState::Created { Step::Wait } else { Step::Again })
}

/// The amount is held: the EVSE is this driver's, unless somebody was faster.
async fn held(app: &App, id: &str, hold: ProviderHold) -> Result<(), PaymentError> {
    change(app, id, move |conn, payment, now| {
        if payment.state != PaymentState::Created {
            return Ok(());
        }
        let wanted = minor::to_minor(payment.hold, &payment.currency)?;
        let fits = hold.state == HoldState::Held
            && hold.capturable >= wanted
            && hold.currency == payment.currency
            && hold.payment_id.as_ref().is_none_or(|id| *id == payment.id);
        let amount = if hold.state == HoldState::Held { hold.capturable } else { hold.captured };
        let amount = if fits { payment.hold } else { minor::from_minor(amount, &hold.currency)? };
        payment.details.0.capture_before = hold.capture_before;
        if !fits {
            tracing::error!(payment = %payment.id, held = %amount, currency = hold.currency,
                "what is held is not what was asked for; it is given back");
            authorised_with(conn, payment, amount, now)?;
            return give_back(conn, payment, PaymentState::Failed, PaymentReason::HoldDiffers, now);
        }
        authorised_with(conn, payment, amount, now)?;
        take_place(conn, payment, now)
    })
    .await?;
    Ok(())
}

/// Keeps that an amount is held.
pub(super) fn authorised_with(
    conn: &mut crate::db::DbConn,
    payment: &mut Payment,
    amount: Money,
    now: Timestamp,
) -> Result<(), PaymentError> {
    payment.move_to(PaymentState::Authorised, None)?;
    payment.held = amount;
    payment.details.0.authorised_at = Some(now);
    payment.details.0.trouble = None;
    payment.next_at = Some(now);
    Ok(ledger::add(conn, payment, LedgerKind::Held, amount, None, now)?)
}

/// Keeps the EVSE for the driver, or gives the hold back where somebody else was faster.
pub(super) fn take_place(
    conn: &mut crate::db::DbConn,
    payment: &mut Payment,
    now: Timestamp,
) -> Result<(), PaymentError> {
    let mine = payment_claims::claim(conn, payment)?;
    let busy = !charges::active_at(conn, &payment.station_id, Some(payment.connector))?.is_empty();
    if !mine || busy {
        give_back(conn, payment, PaymentState::Cancelled, PaymentReason::PlugTaken, now)?;
    }
    Ok(())
}

/// Begins to give the hold back. A start that the station may still make does not count any more.
pub(super) fn give_back(
    conn: &mut crate::db::DbConn,
    payment: &mut Payment,
    exit: PaymentState,
    reason: PaymentReason,
    now: Timestamp,
) -> Result<(), PaymentError> {
    payment.release(exit, reason, now)?;
    if let Some(id) = &payment.command_id
        && let Some(mut command) = commands::find(conn, id)?
        && command.session_id.is_none()
    {
        command.state = "DONE".to_owned();
        command.result = Some(crate::domain::command::CommandResult::Failed.as_str().to_owned());
        command.message = Some(format!("the payment was given back: {reason}"));
        commands::update(conn, &command)?;
    }
    Ok(())
}
