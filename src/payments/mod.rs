//! Ad hoc payments: a driver without contract sees the price, has an amount held on a card, charges, and pays what the
//! CDR says. docs/payments.md tells it to operators.
//!
//! A payment is a row ([`crate::db::payments`]) with a state ([`crate::domain::payment`]). One function moves it on,
//! [`flow::go_on`], whoever asks: the page that came back, a message of the provider, the station, a timer. It looks
//! at what is there, does the next thing, and looks again, until it has to wait. What it asks of the provider
//! ([`PaymentProvider`]) is written before it is asked, and looked up before it is asked again; so a node that is
//! killed anywhere goes on where it was, and nothing is taken twice.
//!
//! - [`offer`](fn@offer) is what a driver sees before, [`begin`](fn@begin) makes the payment;
//! - [`flow`] moves it on: `start` asks the station, `limit` stops the charge before it costs more than is held,
//!   `settle` takes what is due, `release` gives a hold back, `refund` what was taken; `refund_news` takes over what
//!   became of refunds at the provider;
//! - [`terminals`] is the same where a card terminal holds and takes the money, [`confirmations`] what it says of it;
//! - [`events`] takes the messages of providers, [`work`] is what is done without a driver's asking;
//! - [`desk`] is what operators do, [`report`] what they are told of the money;
//! - [`view`](fn@view) shows it to its driver, [`receipt`](fn@receipt) is what is left of it;
//! - [`station_codes`] are the addresses behind the codes at charging points.

pub mod begin;
pub mod code;
pub mod confirmations;
pub mod desk;
pub mod events;
pub mod flow;
mod limit;
pub mod minor;
pub mod offer;
pub mod provider;
pub mod receipt;
mod refund;
mod refund_news;
mod release;
pub mod report;
mod settle;
mod start;
pub mod station_codes;
pub mod stripe;
mod taxes;
pub mod terminals;
pub mod view;
pub mod work;

pub use begin::{Begin, Begun, PageNeeds, begin, page_needs};
pub use flow::{advance, set_email, stop};
pub use offer::{Availability, NotOffered, Offer, OfferedConnector, offer};
pub use provider::{PaymentProvider, ProviderError};
pub use receipt::{Receipt, ReceiptLine, Sold, TaxRow, receipt};
pub use view::{Deadline, Live, PaymentView, Place, view, view_again};

use crate::app::{App, Event};
use crate::charging::ChargingError;
use crate::db::payments::{self, Payment};
use crate::db::{DbConn, DbError, payment_claims};
use crate::domain::payment::IllegalMove;
use crate::domain::{Timestamp, ValueError};
use crate::pricing::PricingError;
use crate::security::SealBroken;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The handle of the payments in [`App`].
#[derive(Default)]
pub struct Payments {
    /// Who holds and takes money; nobody, where ad hoc payment is not offered.
    provider: Option<Arc<dyn PaymentProvider>>,
    /// One at a time moves a payment on.
    locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Payments {
    /// With that provider, or none.
    #[must_use]
    pub fn new(provider: Option<Arc<dyn PaymentProvider>>) -> Self {
        Self { provider, locks: Mutex::default() }
    }

    /// Who holds and takes money, if anybody does.
    #[must_use]
    pub fn provider(&self) -> Option<&Arc<dyn PaymentProvider>> {
        self.provider.as_ref()
    }

    /// The lock of a payment. Those that nobody holds any more are forgotten.
    fn lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(id.to_owned()).or_default())
    }
}

impl std::fmt::Debug for Payments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payments")
            .field("provider", &self.provider.as_ref().map(|provider| provider.name()))
            .finish_non_exhaustive()
    }
}

/// Why a use case on a payment failed.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// There is no such payment. Whoever guesses keys is told no more.
    #[error("there is no such payment")]
    Unknown,
    /// There is no such EVSE of ours.
    #[error("there is no charging point {0} here")]
    UnknownEvse(String),
    /// There is no such terminal.
    #[error("there is no terminal {0} here")]
    UnknownTerminal(String),
    /// Ad hoc payment is not offered there.
    #[error(transparent)]
    NotOffered(#[from] NotOffered),
    /// The charging point cannot be used now.
    #[error("the charging point cannot be used now: {}", .0.as_str())]
    Unavailable(Availability),
    /// Even a short charge could cost more than is held.
    #[error("even a short charge could cost more than is held")]
    HoldTooSmall,
    /// The provider has no good answer.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// What was asked for cannot be understood.
    #[error("{field}: {wanted}")]
    Input {
        /// Which field.
        field: &'static str,
        /// What would be right.
        wanted: &'static str,
    },
    /// What was asked for is not possible as the payment stands.
    #[error("{0}")]
    Conflict(String),
    /// It cannot come from where it stands to where it was to go.
    #[error(transparent)]
    Move(#[from] IllegalMove),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The charge cannot be worked on.
    #[error(transparent)]
    Charging(#[from] ChargingError),
    /// It cannot be priced.
    #[error("it cannot be priced")]
    Pricing(#[from] PricingError),
    /// A number is out of range.
    #[error("it holds a value that is out of range")]
    Value(#[from] ValueError),
    /// A stored secret cannot be read.
    #[error(transparent)]
    Seal(#[from] SealBroken),
}

/// The payment of a driver's key.
///
/// # Errors
/// When there is none, or the database fails.
pub(crate) async fn of_key(app: &App, key: &str) -> Result<Payment, PaymentError> {
    let hash = app.keys.hash(key);
    let found = app.db.read(move |conn| payments::by_key(conn, &hash)).await?;
    found.ok_or(PaymentError::Unknown)
}

/// The payment of an id.
///
/// # Errors
/// When there is none, or the database fails.
pub(crate) async fn of_id(app: &App, id: &str) -> Result<Payment, PaymentError> {
    let id = id.to_owned();
    app.db.read(move |conn| payments::find(conn, &id)).await?.ok_or(PaymentError::Unknown)
}

/// Changes a payment as it then is, in one write, and tells those who watch.
///
/// # Errors
/// What the body returns, or that there is no such payment.
pub(crate) async fn change<T, F>(app: &App, id: &str, mut body: F) -> Result<(Payment, T), PaymentError>
where
    F: FnMut(&mut DbConn, &mut Payment, Timestamp) -> Result<T, PaymentError> + Send + 'static,
    T: Send + 'static,
{
    let (id, clock) = (id.to_owned(), app.clock.clone());
    let (before, payment, value) = app
        .db
        .write(move |conn| {
            let now = clock.now();
            let mut payment = payments::find(conn, &id)?.ok_or(PaymentError::Unknown)?;
            let before = payment.state;
            let value = body(conn, &mut payment, now)?;
            if !payment.state.holds_place() {
                payment_claims::unclaim(conn, &payment.id)?;
            }
            payment.last_updated = now;
            payments::update(conn, &payment)?;
            Ok::<_, PaymentError>((before, payment, value))
        })
        .await?;
    if payment.state != before {
        let reason = payment.reason.map(|reason| reason.as_str());
        tracing::info!(payment = %payment.id, state = %payment.state, reason, "payment moved on");
    }
    app.wakes.tell(Event::PaymentChanged(payment.id.clone()));
    Ok((payment, value))
}

/// A duration of the configuration, for computing with timestamps.
pub(crate) fn delta(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
