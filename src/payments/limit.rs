//! While the charge goes on: it is stopped before what comes next could cost more than is held, whatever the car does
//! and whatever is lost (a hold cannot be raised later where strong authentication is law). When it has settled, its
//! CDR says what is due.

use super::events::look_at_hold;
use super::flow::{Step, pause};
use super::minor::payable;
use super::offer::{gross, max_power};
use super::settle::{account_for, due_of};
use super::{PaymentError, change, delta};
use crate::app::{App, policy_of};
use crate::charging::account::tariffs_of;
use crate::charging::remote;
use crate::config::PaymentsConfig;
use crate::db::charges::{self, Charge, ChargeState};
use crate::db::payments::Payment;
use crate::db::{DbConn, DbError, cdrs, sessions};
use crate::domain::payment::{PaymentReason, PaymentState, StopCause};
use crate::domain::{CiString, Money, Timestamp};
use crate::pricing::{PricingPolicy, Tariffs};
use chrono::TimeDelta;
use std::sync::Arc;

/// So far ahead a charge is looked at, at the most: the first of these that is safe is when it is looked at next.
const AHEAD_SECONDS: [i64; 6] = [900, 300, 120, 60, 30, 15];

/// How often the provider is asked whether the hold of a charge that goes on is still there.
const LOOK_SECONDS: i64 = 3_600;

/// What is known of the charge of a payment.
struct Known {
    charge: Charge,
    tariffs: Tariffs,
    /// When the station was last heard of it, by our clock.
    heard: Timestamp,
}

fn known(conn: &mut DbConn, payment: &Payment, policy: PricingPolicy) -> Result<Option<Known>, PaymentError> {
    let Some(session_id) = &payment.session_id else { return Ok(None) };
    let Some(charge) = charges::by_session(conn, session_id)? else { return Ok(None) };
    let told = sessions::last_updated(conn, &payment.party()?, &CiString::from(session_id.as_str()))?;
    let heard = told.unwrap_or(charge.last_at);
    let tariffs = tariffs_of(charge.tariff.as_ref().map(|tariff| &tariff.0), &policy)?;
    Ok(Some(Known { charge, tariffs, heard }))
}

/// The charge goes on, or waits to be settled.
pub(super) async fn charging(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    if still_safe(app, &payment).await? {
        return Ok(Step::Wait);
    }
    let (config, policy) = (app.config.payments.clone(), policy_of(&app.config.pricing));
    let (payment, stop) = change(app, &payment.id, move |conn, payment, now| {
        if payment.state != PaymentState::Charging {
            return Ok(false);
        }
        let Some(known) = known(conn, payment, policy)? else {
            return Err(DbError::corrupt("payment", "its charge is missing").into());
        };
        match known.charge.state() {
            ChargeState::Settled => {
                settled(conn, payment, &known.charge, now)?;
                Ok(false)
            }
            ChargeState::Stopped => {
                // Settling tells of itself.
                let at = known.charge.settle_at.unwrap_or(now).max(now);
                payment.next_at = Some(at.plus(delta(config.poll_interval)));
                lapse(payment, &known, &config, now)?;
                Ok(false)
            }
            ChargeState::Active => {
                lapse(payment, &known, &config, now)?;
                if payment.state != PaymentState::Charging {
                    return Ok(false);
                }
                look_ahead(payment, &known, &config, now)?;
                Ok(payment.details.0.stop.is_some())
            }
        }
    })
    .await?;
    if payment.state != PaymentState::Charging {
        return Ok(Step::Again);
    }
    if !stop && hold_is_to_be_seen(&payment, app.now()) {
        // The provider tells by itself, and that may be lost.
        look_at_hold(app, &payment.id).await?;
        return Ok(Step::Again);
    }
    if stop {
        stop_charge(app, &payment).await?;
    }
    Ok(Step::Wait)
}

/// Whether it is time to ask the provider after the hold.
fn hold_is_to_be_seen(payment: &Payment, now: Timestamp) -> bool {
    let details = &payment.details.0;
    let looked = details.looked_at.or(details.authorised_at).unwrap_or(payment.created);
    details.terminal.is_none() && now >= looked.plus(TimeDelta::seconds(LOOK_SECONDS))
}

/// Whether nothing has to be decided before the next look that was decided on, also by what is known since. This is
/// asked for every meter value, and writes nothing.
async fn still_safe(app: &App, payment: &Payment) -> Result<bool, PaymentError> {
    let now = app.now();
    let Some(next) = payment.next_at.filter(|next| *next > now) else { return Ok(false) };
    if payment.details.0.stop.is_some() || hold_is_to_be_seen(payment, now) {
        return Ok(false);
    }
    let margin = delta(app.config.payments.stop_margin);
    let until_then = TimeDelta::milliseconds(next.millis_since(now));
    let ahead = until_then.checked_add(&margin).unwrap_or(TimeDelta::MAX);
    let (payment, policy) = (payment.clone(), policy_of(&app.config.pricing));
    app.db
        .read(move |conn| match known(conn, &payment, policy)? {
            Some(known) if known.charge.state() == ChargeState::Active => fits(&payment, &known, now, ahead),
            _ => Ok(false),
        })
        .await
}

/// The CDR is written, or the charge is nobody's to pay.
fn settled(
    conn: &mut DbConn,
    payment: &mut Payment,
    charge: &Charge,
    now: Timestamp,
) -> Result<(), PaymentError> {
    let party = payment.party()?;
    let id = CiString::from(charge.session_id.as_str());
    let Some(seq) = cdrs::place_of(conn, &party, &id)? else {
        payment.details.0.due = Some(Money::ZERO);
        return Ok(payment.release(PaymentState::Cancelled, PaymentReason::CostZero, now)?);
    };
    let (seq, due) = due_of(conn, seq)?;
    account_for(payment, seq, payable(due, &payment.currency)?);
    payment.move_to(PaymentState::Priced, None)?;
    payment.next_at = Some(now);
    Ok(())
}

/// Before the hold lapses, the charge is stopped; where its CDR does not come in time, what is known so far is due.
fn lapse(
    payment: &mut Payment,
    known: &Known,
    config: &PaymentsConfig,
    now: Timestamp,
) -> Result<(), PaymentError> {
    let Some(before) = payment.details.0.capture_before else { return Ok(()) };
    let ahead = delta(config.capture_ahead);
    let last = before.minus(ahead.checked_div(2).unwrap_or(ahead));
    if now >= last {
        let due = payable(gross(&known.charge.running.0.cost(&known.tariffs)?.total), &payment.currency)?;
        tracing::warn!(payment = %payment.id, %due, "the hold lapses before there is a CDR: what is known is taken");
        payment.details.0.due = Some(due);
        payment.details.0.due_before_cdr = true;
        payment.move_to(PaymentState::Priced, None)?;
        payment.next_at = Some(now);
    } else if now >= before.minus(ahead) && known.charge.state() == ChargeState::Active {
        payment.wish_stop(StopCause::HoldLapses, now);
    } else {
        let next = if now >= before.minus(ahead) { last } else { before.minus(ahead) };
        payment.next_at = Some(payment.next_at.map_or(next, |at| at.min(next)));
    }
    Ok(())
}

/// Wishes the charge stopped where it could cost more than is held, or says when to look again.
fn look_ahead(
    payment: &mut Payment,
    known: &Known,
    config: &PaymentsConfig,
    now: Timestamp,
) -> Result<(), PaymentError> {
    if payment.details.0.stop.is_some() {
        return Ok(());
    }
    let (interval, margin) = (delta(config.check_interval), delta(config.stop_margin));
    let least = interval.checked_add(&margin).unwrap_or(margin);
    if !fits(payment, known, now, least)? {
        payment.wish_stop(StopCause::HoldReached, now);
        return Ok(());
    }
    let mut next = interval;
    for ahead in AHEAD_SECONDS.map(TimeDelta::seconds) {
        if ahead > interval && fits(payment, known, now, ahead.checked_add(&margin).unwrap_or(ahead))? {
            next = ahead;
            break;
        }
    }
    let at = now.plus(next);
    payment.next_at = Some(payment.next_at.filter(|known| *known > now).map_or(at, |known| known.min(at)));
    Ok(())
}

/// Whether the charge costs no more than is held for so long from now on, whatever the car does. The station's clock
/// may be off; it runs on since the station was last heard.
fn fits(payment: &Payment, known: &Known, now: Timestamp, ahead: TimeDelta) -> Result<bool, PaymentError> {
    let charge = &known.charge;
    let running = &charge.running.0;
    let silent = TimeDelta::milliseconds(now.millis_since(known.heard).max(0));
    let until = running.reached().at.plus(silent).plus(ahead);
    let place = &charge.reference.0.location;
    let connector = place.evses().flat_map(|evse| &evse.connectors).next();
    let power = connector.map_or(rust_decimal::Decimal::ZERO, max_power);
    let highest = gross(&running.highest_cost(&known.tariffs, until, power)?);
    Ok(highest <= payment.held)
}

/// Asks the station to stop, and again with growing pauses until it has.
async fn stop_charge(app: &Arc<App>, payment: &Payment) -> Result<(), PaymentError> {
    let (Some(session_id), Some(stop)) = (&payment.session_id, &payment.details.0.stop) else {
        return Ok(());
    };
    let cause = stop.cause;
    let station = payment.station()?;
    let asked = if app.stations.is_connected(&station) {
        let session = CiString::from(session_id.as_str());
        let answer = remote::stop_here(app, &session, format!("payment {}", payment.id)).await;
        match answer {
            Ok(answer) => {
                tracing::info!(payment = %payment.id, %cause, accepted = answer.is_accepted(), "asked to stop")
            }
            Err(error) => {
                tracing::warn!(payment = %payment.id, %cause, %error, "the charge could not be stopped yet")
            }
        }
        true
    } else {
        false
    };
    let config = app.config.payments.clone();
    change(app, &payment.id, move |_, payment, now| {
        if let Some(stop) = &mut payment.details.0.stop {
            if asked {
                stop.tries = stop.tries.saturating_add(1);
            }
            // A station that is away is asked as soon as it is back; that it is, is seen by then.
            let wait = if asked { pause(&config, stop.tries) } else { delta(config.retry_first) };
            let at = now.plus(wait.min(delta(config.poll_interval)));
            payment.next_at = Some(at);
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// A payment that is over: a charge that began after the hold was given back is stopped, and nothing else happens.
pub(super) async fn stray(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    if payment.next_at.is_none() {
        return Ok(Step::Wait);
    }
    let (payment, stop) = change(app, &payment.id, |conn, payment, _| {
        let state = match &payment.session_id {
            Some(session) => charges::progress(conn, session)?.map(|(state, _)| state),
            None => None,
        };
        let active = state == Some(ChargeState::Active);
        let stop = active && payment.details.0.stop.is_some();
        if !stop {
            payment.next_at = None;
        }
        Ok(stop)
    })
    .await?;
    if stop {
        stop_charge(app, &payment).await?;
    }
    Ok(Step::Wait)
}
