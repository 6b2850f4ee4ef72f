//! Payments at card terminals (OCPI 2.3.0 mod_payments): the terminal holds and takes the money, and tells us of both.
//! In between the payment goes the same way as any other: the station is asked to start, the charge is stopped before
//! it costs more than is held, and the CDR says what is due. What the terminal then has to do it learns when it asks
//! ([`Advice`]); what it did it confirms ([`super::confirmations`]).

use super::begin::{NewPayment, new_id_tag, usable};
use super::flow::{authorised_with, end, go_on_in_background, take_place};
use super::offer::{Looked, Offer, find};
use super::{PaymentError, of_id};
use crate::app::App;
use crate::db::payment_operations as operations;
use crate::db::payment_terminals as terminals;
use crate::db::payments::{self, Payment, TerminalHold};
use crate::db::{DbConn, locations};
use crate::domain::payment::{OperationKind, PaymentReason, PaymentState, StopCause};
use crate::domain::terminal::Terminal;
use crate::domain::{CiString, Money, Timestamp};
use std::sync::Arc;

/// The word by which payments name terminals as who holds the money.
pub const NAME: &str = "terminal";

/// A hold that a terminal made.
#[derive(Debug, Clone)]
pub struct HoldMade {
    /// The EVSE, by its `evse_id` or `uid`.
    pub evse: String,
    /// The connector; may be missing where there is only one.
    pub connector: Option<CiString>,
    /// By what the terminal knows it: the same again is the same payment.
    pub reference: CiString,
    /// How much is held.
    pub amount: Money,
    /// ISO 4217.
    pub currency: String,
    /// The driver's language, ISO 639-1.
    pub language: String,
    /// When the hold lapses, if that is known.
    pub capture_before: Option<Timestamp>,
}

/// What a terminal has to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Nothing; the payment goes its way.
    Nothing,
    /// Take that much of what is held, and give the rest back.
    Capture(Money),
    /// Give the hold back.
    Release,
    /// Give back that much of what was taken.
    Refund(Money),
}

/// What a terminal sells: every EVSE that it is assigned to and at which something is offered.
///
/// # Errors
/// When there is no such terminal, or the database fails.
pub async fn offers(app: &App, terminal_id: &CiString) -> Result<Vec<Offer>, PaymentError> {
    let (id, looked) = (terminal_id.clone(), Looked::at(app));
    let offers = app.db.read(move |conn| offers_in(conn, &id, &looked)).await?;
    Ok(offers.into_iter().map(|offer| super::offer::as_connected(app, offer)).collect())
}

fn terminal_in(conn: &mut DbConn, id: &CiString) -> Result<Terminal, PaymentError> {
    terminals::find(conn, id)?.ok_or_else(|| PaymentError::UnknownTerminal(id.to_string()))
}

fn offers_in(conn: &mut DbConn, id: &CiString, looked: &Looked) -> Result<Vec<Offer>, PaymentError> {
    let terminal = terminal_in(conn, id)?;
    let mut uids = terminal.evse_uids.clone();
    for location in &terminal.location_ids {
        let location = locations::find(conn, &terminal.party, location)?;
        uids.extend(location.iter().flat_map(|location| location.evses()).map(|evse| evse.uid.clone()));
    }
    uids.sort();
    uids.dedup();
    let mut offers = Vec::new();
    for uid in uids {
        match find(conn, &uid, looked) {
            Ok(offer) => offers.push(offer),
            Err(PaymentError::NotOffered(_) | PaymentError::UnknownEvse(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(offers)
}

/// A terminal made a hold: the payment begins with it. The same reference again is the same payment.
///
/// # Errors
/// When there is no such terminal, it does not sell there, the charging point cannot be used now, or the amount would
/// not do. Then the terminal has to give the hold back by itself.
pub async fn hold_made(
    app: &Arc<App>,
    terminal_id: &CiString,
    made: HoldMade,
) -> Result<Payment, PaymentError> {
    if made.amount <= Money::ZERO {
        return Err(PaymentError::Input { field: "amount", wanted: "an amount above 0 is wanted" });
    }
    let intent = format!("{}:{}", terminal_id.key(), made.reference.key());
    let new = NewPayment {
        key_hash: app.keys.hash(&app.keys.hash(&format!("payment of terminal {intent}"))),
        provider: NAME,
        language: made.language.clone(),
        email: None,
        pay_by: app.now(),
        random: new_id_tag(),
    };
    let (terminal_id, looked, clock) = (terminal_id.clone(), Looked::at(app), app.clock.clone());
    let stations = Arc::clone(&app.stations);
    let payment = app
        .db
        .write(move |conn| {
            let terminal = terminal_in(conn, &terminal_id)?;
            if let Some(known) = payments::by_intent(conn, NAME, &intent)? {
                return Ok(known);
            }
            let offer = find(conn, &CiString::from(made.evse.as_str()), &looked)?;
            if !terminal.sells_at(&offer.location.party, &offer.location.id, &offer.evse.uid) {
                let why =
                    format!("the terminal {terminal_id} is not assigned to the charging point {}", made.evse);
                return Err(PaymentError::Conflict(why));
            }
            let offered = usable(&offer, made.connector.as_ref())?;
            if !stations.is_connected(&offered.station_id) {
                return Err(PaymentError::Unavailable(super::Availability::Offline));
            }
            if offered.currency != made.currency {
                return Err(PaymentError::Input {
                    field: "currency",
                    wanted: "the currency of the offer is wanted",
                });
            }
            if offered.first_cost > made.amount {
                return Err(PaymentError::HoldTooSmall);
            }
            let now = clock.now();
            let mut payment = new.row(&offer, offered, now);
            payment.hold = made.amount;
            payment.account = None;
            payment.intent_id = Some(intent.clone());
            payment.details.0.capture_before = made.capture_before;
            payment.details.0.terminal = Some(TerminalHold {
                terminal_id: terminal_id.clone(),
                reference: made.reference.clone(),
                waits_since: None,
            });
            payments::insert(conn, &payment)?;
            authorised_with(conn, &mut payment, made.amount, now)?;
            take_place(conn, &mut payment, now)?;
            payments::update(conn, &payment)?;
            Ok::<_, PaymentError>(payment)
        })
        .await?;
    let (app, id) = (Arc::clone(app), payment.id.clone());
    tokio::spawn(async move { go_on_in_background(&app, &id).await });
    Ok(payment)
}

/// A payment of a terminal.
///
/// # Errors
/// When there is none of that id at that terminal.
pub async fn payment_at(app: &App, terminal_id: &CiString, id: &str) -> Result<Payment, PaymentError> {
    let payment = of_id(app, id).await?;
    let hold = payment.details.0.terminal.as_ref();
    if hold.is_some_and(|hold| hold.terminal_id == *terminal_id) {
        Ok(payment)
    } else {
        Err(PaymentError::Unknown)
    }
}

/// The driver wishes to stop, or does not want to charge any more.
///
/// # Errors
/// When there is no such payment at that terminal.
pub async fn stop(app: &Arc<App>, terminal_id: &CiString, id: &str) -> Result<Payment, PaymentError> {
    payment_at(app, terminal_id, id).await?;
    end(app, id, StopCause::Driver, PaymentReason::CancelledByDriver).await?;
    of_id(app, id).await
}

/// What a terminal has to do for a payment now.
///
/// # Errors
/// When the database fails.
pub fn advice(conn: &mut DbConn, payment: &Payment) -> Result<Advice, PaymentError> {
    let open = |conn: &mut DbConn, kind| -> Result<Option<Money>, PaymentError> {
        Ok(operations::open(conn, &payment.id, kind)?.and_then(|operation| operation.amount))
    };
    if let Some(amount) = open(conn, OperationKind::Refund)? {
        return Ok(Advice::Refund(amount));
    }
    Ok(match payment.state {
        PaymentState::Capturing => {
            open(conn, OperationKind::Capture)?.map_or(Advice::Nothing, Advice::Capture)
        }
        PaymentState::Releasing => Advice::Release,
        _ => Advice::Nothing,
    })
}
