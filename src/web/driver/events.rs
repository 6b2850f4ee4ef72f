//! A charge while it goes on, as server-sent events ([`crate::web::live`]): one whenever it changed, and its receipt at
//! the end. Who reconnects gets the state of the moment first.

use super::auth::Driver;
use super::path::OfCpo;
use super::receipts::ReceiptView;
use super::sessions::{DriverSessionView, is_over, own};
use crate::app::App;
use crate::db::{DbConn, DbError};
use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::domain::session::Session;
use crate::driver::access::{Held, confirm};
use crate::driver::receipts::receipt_of;
use crate::http::with_causes;
use crate::web::api::input::{Nothing, Strict};
use crate::web::live::{Live, Next, Place, Teller, Topic, answer, event};
use crate::web::problem::Problem;
use actix_web::{HttpResponse, web};
use std::time::{Duration, Instant};

/// How long a stream goes on after the end of its charge, for the receipt.
const FOR_RECEIPT: Duration = Duration::from_secs(600);

/// What a stream is about, and how far it came.
struct Follower {
    app: web::Data<App>,
    held: Held,
    party: PartyId,
    id: CiString,
    /// The last state that was sent.
    sent: Option<Session>,
    ended: Option<Instant>,
}

/// What a look at the database finds.
struct Found {
    good: bool,
    session: Option<Session>,
    receipt: Option<ReceiptView>,
}

impl Teller for Follower {
    const LONGEST: Option<Duration> = None;

    async fn look(&mut self, _place: &mut Place) -> Next {
        match self.find().await {
            Ok(found) => self.take(found),
            Err(error) => {
                tracing::warn!(error = with_causes(&error), "an event stream could not look");
                Next::Same
            }
        }
    }
}

impl Follower {
    async fn find(&self) -> Result<Found, DbError> {
        let (held, party, id) = (self.held.clone(), self.party.clone(), self.id.clone());
        let now = self.app.now();
        let read = move |conn: &mut DbConn| {
            let good = confirm(conn, &held, now)?.is_ok();
            let session = own(conn, &held.driver_id, &party, &id)?;
            let receipt = match &session {
                Some(session) if is_over(session) => receipt_of(conn, &held.driver_id, &party, &id)?,
                _ => None,
            };
            Ok(Found { good, session, receipt: receipt.map(ReceiptView::from) })
        };
        self.app.db.read(read).await
    }

    /// What is to be sent of what was found.
    fn take(&mut self, found: Found) -> Next {
        let Found { good: true, session: Some(session), receipt } = found else {
            // The grant was taken back, or the session is no longer the driver's.
            return Next::End;
        };
        let mut told = String::new();
        if self.sent.as_ref() != Some(&session) {
            if is_over(&session) && self.ended.is_none() {
                self.ended = Some(Instant::now());
            }
            let at = session.last_updated;
            self.sent = Some(session.clone());
            told = event("session", Some(at), &DriverSessionView::of(session, &self.app.search.now()));
        }
        match receipt {
            Some(receipt) => {
                told.push_str(&event("receipt", Some(self.app.now()), &receipt));
                Next::Last(told)
            }
            None if !told.is_empty() => Next::Event(told),
            None if self.ended.is_some_and(|ended| ended.elapsed() >= FOR_RECEIPT) => Next::End,
            None => Next::Same,
        }
    }
}

/// Follows a charge
///
/// As server-sent events: `session` with the charge whenever it changed, the first at once; `receipt` with its receipt
/// when there is one, which is the last.
///
/// # Errors
/// 404 where there is none of this driver, 429 where the driver has too many streams open.
#[utoipa::path(
    get, path = "/driver/v1/sessions/{party}/{id}/events", tag = "sessions", params(OfCpo),
    responses((status = 200, description = "The events", body = String, content_type = "text/event-stream"))
)]
pub async fn follow(
    Driver(held): Driver,
    app: web::Data<App>,
    live: web::Data<Live>,
    named: OfCpo,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let missing = format!("there is no session {named} for this driver");
    let OfCpo { party, id } = named;
    let (driver, owner, session) = (held.driver_id.clone(), party.clone(), id.clone());
    let found = app.db.read(move |conn| own(conn, &driver, &owner, &session)).await?;
    found.ok_or_else(|| Problem::not_found(missing))?;
    let most = app.config.driver.streams_per_driver;
    let opened = live.into_inner().open(&format!("driver {}", held.driver_id), most);
    let mut place =
        opened.map_err(|too_many| Problem::too_many(too_many.to_string(), too_many.retry_after()))?;
    place.watch(Topic::session(id.as_str()));
    place.watch(Topic::Driver(held.driver_id.clone()));
    Ok(answer(place, Follower { app, held, party, id, sent: None, ended: None }))
}
