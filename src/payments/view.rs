//! A payment as its driver sees it.

use super::PaymentError;
use crate::app::App;
use crate::db::payments::{self, Payment};
use crate::db::{DbConn, DbError, charges, locations, meter_samples, sessions};
use crate::domain::location::Location;
use crate::domain::party::PartyId;
use crate::domain::payment::{PaymentReason, PaymentState, StopCause};
use crate::domain::tariff::{Price, Tariff};
use crate::domain::{CiString, Kwh, Money, Timestamp};
use rust_decimal::Decimal;
use std::sync::Arc;

/// Where it is charged.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Who sells.
    pub party: PartyId,
    /// The location, unless it was removed.
    pub location: Option<Arc<Location>>,
    /// Its id.
    pub location_id: CiString,
    /// The EVSE.
    pub evse_uid: CiString,
    /// As printed on it.
    pub evse_id: Option<CiString>,
    /// The connector.
    pub connector_id: CiString,
}

/// A charge while it goes on, and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Its session; changes of it are told as [`crate::app::Event::SessionChanged`].
    pub session_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Up to when it is reckoned: the newest meter value.
    pub at: Timestamp,
    /// Energy so far.
    pub kwh: Kwh,
    /// Seconds from the start to `at`.
    pub seconds: i64,
    /// What it costs so far.
    pub cost: Price,
    /// The latest power, kW, where the station tells it.
    pub power_kw: Option<Decimal>,
    /// The station said that it ended.
    pub stopped: bool,
}

/// What ends if nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Until when it has to be paid.
    Pay(Timestamp),
    /// Until when the car has to be plugged in.
    PlugIn(Timestamp),
}

/// A payment as its driver sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct PaymentView {
    /// Our id of it; changes are told as [`crate::app::Event::PaymentChanged`]. No help to find it from outside.
    pub id: String,
    /// Where it stands.
    pub state: PaymentState,
    /// Why it stands there, where that needs to be said.
    pub reason: Option<PaymentReason>,
    /// Where it leads, while the hold is given back.
    pub exit: Option<PaymentState>,
    /// Where it is charged.
    pub place: Place,
    /// The tariff that was shown, which prices the charge.
    pub tariff: Tariff,
    /// ISO 4217.
    pub currency: String,
    /// What is to be held.
    pub hold: Money,
    /// What was held.
    pub held: Money,
    /// What is due, tax included, once that is known.
    pub due: Option<Money>,
    /// What was taken.
    pub captured: Money,
    /// What was given back of what was held.
    pub released: Money,
    /// What was given back of what was taken.
    pub refunded: Money,
    /// The charge, once it began.
    pub live: Option<Live>,
    /// What ends if nothing happens.
    pub deadline: Option<Deadline>,
    /// That the charge is being stopped, and why.
    pub stopping: Option<StopCause>,
    /// Where the receipt is to be sent.
    pub email: Option<String>,
    /// The number of its receipt, once there is one.
    pub receipt_number: Option<String>,
    /// The language of its pages.
    pub language: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
}

/// Shows a payment to its driver.
///
/// # Errors
/// When there is no such payment, or the database fails.
pub async fn view(app: &App, key: &str) -> Result<PaymentView, PaymentError> {
    by_key(app, key, None).await
}

/// Shows it to its driver once more, at the place that was shown before. Whoever watches a charge asks for every meter
/// value, and where it stands does not change.
///
/// # Errors
/// When there is no such payment any more, or the database fails.
pub async fn view_again(app: &App, key: &str, before: &PaymentView) -> Result<PaymentView, PaymentError> {
    by_key(app, key, Some(before.place.clone())).await
}

async fn by_key(app: &App, key: &str, place: Option<Place>) -> Result<PaymentView, PaymentError> {
    let hash = app.keys.hash(key);
    app.db
        .read(move |conn| match payments::by_key(conn, &hash)? {
            Some(payment) => view_in(conn, payment, place).map(Some),
            None => Ok(None),
        })
        .await?
        .ok_or(PaymentError::Unknown)
}

/// The number of a receipt as it is printed.
#[must_use]
pub fn receipt_number(payment: &Payment) -> Option<String> {
    let receipt = payment.details.0.receipt.as_ref()?;
    Some(format!("{}{}-{:06}", payment.country_code, payment.party_id, receipt.number))
}

/// Shows a payment.
///
/// # Errors
/// When the database fails.
pub async fn view_of(app: &App, payment: Payment) -> Result<PaymentView, PaymentError> {
    Ok(app.db.read(move |conn| view_in(conn, payment, None)).await?)
}

fn view_in(conn: &mut DbConn, payment: Payment, place: Option<Place>) -> Result<PaymentView, DbError> {
    let party = payment.party()?;
    let place = match place {
        Some(place) => place,
        None => place_of(conn, &payment, &party)?,
    };
    let live = match &payment.session_id {
        Some(session) if payment.state != PaymentState::Created => live(conn, &party, session)?,
        _ => None,
    };
    let number = receipt_number(&payment);
    let details = payment.details.0;
    let deadline = match payment.state {
        PaymentState::Created => Some(Deadline::Pay(details.pay_by)),
        PaymentState::StartSent => details.connect_by.map(Deadline::PlugIn),
        _ => None,
    };
    Ok(PaymentView {
        id: payment.id,
        state: payment.state,
        reason: payment.reason,
        exit: details.exit.filter(|_| payment.state == PaymentState::Releasing),
        place,
        tariff: details.tariff,
        currency: payment.currency,
        hold: payment.hold,
        held: payment.held,
        due: details.due,
        captured: payment.captured,
        released: payment.released,
        refunded: payment.refunded,
        live,
        deadline,
        stopping: details.stop.map(|stop| stop.cause),
        email: details.email,
        receipt_number: number,
        language: details.language,
        created: payment.created,
        last_updated: payment.last_updated,
    })
}

fn place_of(conn: &mut DbConn, payment: &Payment, party: &PartyId) -> Result<Place, DbError> {
    let location_id = CiString::from(payment.location_id.as_str());
    let evse_uid = CiString::from(payment.evse_uid.as_str());
    let location = locations::find(conn, party, &location_id)?;
    let evse = location.as_ref().and_then(|location| location.evse(&evse_uid)).cloned();
    Ok(Place {
        party: party.clone(),
        location: location.map(Arc::new),
        location_id,
        evse_id: evse.as_ref().and_then(|evse| evse.evse_id.clone()),
        evse_uid: evse.map_or(evse_uid, |evse| evse.uid),
        connector_id: payment.connector_id.as_str().into(),
    })
}

fn live(conn: &mut DbConn, party: &PartyId, session_id: &str) -> Result<Option<Live>, DbError> {
    let Some((session, _)) = sessions::find(conn, party, &session_id.into())? else { return Ok(None) };
    let Some((state, running)) = charges::progress(conn, session_id)? else { return Ok(None) };
    let at = running.reached().at;
    let started_at = session.start_date_time;
    let zero = || Price { excl_vat: Money::ZERO, incl_vat: None, extra: crate::domain::Extra::new() };
    Ok(Some(Live {
        session_id: session_id.to_owned(),
        started_at,
        at,
        kwh: session.kwh,
        seconds: at.millis_since(started_at).max(0).div_euclid(1_000),
        cost: session.total_cost.unwrap_or_else(zero),
        power_kw: meter_samples::latest_power(conn, session_id)?,
        stopped: state != charges::ChargeState::Active,
    }))
}
