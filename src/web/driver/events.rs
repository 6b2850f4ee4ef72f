//! A charge while it goes on, as server-sent events (WHATWG HTML, 9.2): one whenever it changed, and a comment now and
//! then, so that nobody in between takes the silence for the end. Who reconnects gets the state of the moment first.

use super::auth::Driver;
use super::receipts::ReceiptView;
use super::sessions::{DriverSessionView, is_over, own};
use crate::app::{App, Event};
use crate::config::DriverConfig;
use crate::db::{DbConn, DbError};
use crate::domain::party::PartyId;
use crate::domain::session::Session;
use crate::domain::{CiString, Timestamp};
use crate::driver::access::{Held, confirm};
use crate::driver::receipts::receipt_of;
use crate::http::with_causes;
use crate::web::api::input::{Nothing, Strict, from_path};
use crate::web::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use futures_util::stream::unfold;
use serde::Serialize;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// How often the database is asked though nothing was told: another process may have written.
const LOOK: Duration = Duration::from_secs(5);
/// How often a comment is sent when there is nothing else.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a stream goes on after the end of its charge, for the receipt.
const FOR_RECEIPT: Duration = Duration::from_secs(600);
/// How soon a client that lost the stream comes again, milliseconds.
const RETRY: &str = "retry: 3000\n\n";

/// The streams that are open.
#[derive(Debug)]
pub struct Streams {
    open: Mutex<Open>,
    per_driver: usize,
    in_all: usize,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Open {
    drivers: HashMap<String, usize>,
    total: usize,
}

impl Streams {
    /// None yet; all end when the node stops.
    #[must_use]
    pub fn new(config: &DriverConfig, stop: CancellationToken) -> Self {
        Self { open: Mutex::default(), per_driver: config.streams_per_driver, in_all: config.streams, stop }
    }

    /// Opens one, if the driver and the node have not too many.
    fn open(self: Arc<Self>, driver_id: &str) -> Result<Slot, Problem> {
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let own = open.drivers.get(driver_id).copied().unwrap_or(0);
            if own >= self.per_driver {
                return Err(Problem::too_many("this driver has too many event streams open", 5));
            }
            if open.total >= self.in_all {
                return Err(Problem::too_many("too many event streams are open", 30));
            }
            open.drivers.insert(driver_id.to_owned(), own + 1);
            open.total += 1;
        }
        Ok(Slot { driver_id: driver_id.to_owned(), streams: self })
    }
}

/// A stream that is open; it is closed when this is dropped.
struct Slot {
    driver_id: String,
    streams: Arc<Streams>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        let left = open.drivers.get(&self.driver_id).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            open.drivers.remove(&self.driver_id);
        } else {
            open.drivers.insert(self.driver_id.clone(), left);
        }
    }
}

/// What a stream is about, and how far it came.
struct Follower {
    app: web::Data<App>,
    held: Held,
    party: PartyId,
    id: CiString,
    events: Receiver<Event>,
    stop: CancellationToken,
    _slot: Slot,
    /// The last state that was sent.
    sent: Option<Session>,
    ended: Option<Instant>,
    done: bool,
}

/// What a look at the database finds.
struct Look {
    good: bool,
    session: Option<Session>,
    receipt: Option<ReceiptView>,
}

impl Follower {
    /// The next piece of the stream; none at its end.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.done {
            return None;
        }
        let quiet_since = Instant::now();
        let mut first = self.sent.is_none();
        loop {
            if !first && !self.wait(quiet_since).await {
                return None;
            }
            first = false;
            match self.look().await {
                Ok(look) => {
                    if let Some(piece) = self.take(look) {
                        return Some((Ok(Bytes::from(piece)), self));
                    }
                    if self.done {
                        return None;
                    }
                }
                Err(error) => tracing::warn!(error = with_causes(&error), "an event stream could not look"),
            }
            if quiet_since.elapsed() >= KEEP_ALIVE {
                return Some((Ok(Bytes::from_static(b": still here\n\n")), self));
            }
        }
    }

    /// Waits until there may be news; `false` when the node stops.
    async fn wait(&mut self, quiet_since: Instant) -> bool {
        let least = Duration::from_millis(10);
        let due = LOOK.min(KEEP_ALIVE.saturating_sub(quiet_since.elapsed()).max(least));
        let due = tokio::time::sleep(due);
        tokio::pin!(due);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return false,
                () = &mut due => return true,
                event = self.events.recv() => match event {
                    Ok(Event::SessionChanged(id)) if self.id.as_str().eq_ignore_ascii_case(&id) => return true,
                    // The receipt may be among what was written.
                    Ok(Event::CdrWritten(_)) if self.ended.is_some() => return true,
                    Ok(_) => {}
                    // News were missed, or there will be no more: the database knows.
                    Err(RecvError::Lagged(_)) => return true,
                    Err(RecvError::Closed) => return false,
                },
            }
        }
    }

    async fn look(&self) -> Result<Look, DbError> {
        let (held, party, id) = (self.held.clone(), self.party.clone(), self.id.clone());
        let (now, ended) = (self.app.now(), self.ended.is_some());
        let read = move |conn: &mut DbConn| {
            let good = confirm(conn, &held, now)?.is_ok();
            let session = own(conn, &held.driver_id, &party, &id)?;
            let receipt = if ended { receipt_of(conn, &held.driver_id, &party, &id)? } else { None };
            Ok(Look { good, session, receipt: receipt.map(ReceiptView::from) })
        };
        self.app.db.read(read).await
    }

    /// What is to be sent of what was found.
    fn take(&mut self, look: Look) -> Option<String> {
        let Look { good: true, session: Some(session), receipt } = look else {
            // The grant was taken back, or the session is no longer the driver's.
            self.done = true;
            return None;
        };
        if self.sent.as_ref() != Some(&session) {
            if is_over(&session) && self.ended.is_none() {
                self.ended = Some(Instant::now());
            }
            let begin = if self.sent.is_none() { RETRY } else { "" };
            let id = session.last_updated;
            self.sent = Some(session.clone());
            let view = DriverSessionView::of(session, &self.app.search.now());
            return Some(format!("{begin}{}", event("session", id, &view)));
        }
        if let Some(receipt) = receipt {
            self.done = true;
            return Some(event("receipt", self.app.now(), &receipt));
        }
        self.done = self.ended.is_some_and(|ended| ended.elapsed() >= FOR_RECEIPT);
        None
    }
}

fn event<T: Serialize>(name: &str, id: Timestamp, data: &T) -> String {
    // JSON has no line breaks outside of texts, and escapes them within.
    let data = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    format!("event: {name}\nid: {}\ndata: {data}\n\n", id.millis())
}

/// Follows a charge
///
/// As server-sent events: `session` with the charge whenever it changed, the first at once; `receipt` with its receipt
/// when there is one, which is the last.
///
/// # Errors
/// 404 where there is none of this driver, 429 where the driver has too many streams open.
#[utoipa::path(
    get, path = "/driver/v1/sessions/{party}/{id}/events", tag = "sessions",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The session"),
    ),
    responses((status = 200, description = "The events", body = String, content_type = "text/event-stream"))
)]
pub async fn follow(
    Driver(held): Driver,
    app: web::Data<App>,
    streams: web::Data<Streams>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (party, id) = path.into_inner();
    let (party, id): (PartyId, CiString) = (from_path("party", &party)?, id.into());
    let missing = format!("there is no session {id} of {party} for this driver");
    // Before the session is read, so that nothing is missed in between.
    let events = app.wakes.events.subscribe();
    let (driver, owner, session) = (held.driver_id.clone(), party.clone(), id.clone());
    let found = app.db.read(move |conn| own(conn, &driver, &owner, &session)).await?;
    found.ok_or_else(|| Problem::not_found(missing))?;
    let stop = streams.stop.clone();
    let slot = streams.into_inner().open(&held.driver_id)?;
    let follower =
        Follower { app, held, party, id, events, stop, _slot: slot, sent: None, ended: None, done: false };
    Ok(HttpResponse::build(StatusCode::OK)
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // What is compressed waits in a buffer until there is enough of it.
        .insert_header((CONTENT_ENCODING, "identity"))
        // Proxies that gather answers are asked not to.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(unfold(follower, Follower::next)))
}
