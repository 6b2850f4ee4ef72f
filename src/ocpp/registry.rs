//! The sockets that this node holds, one per station, and the way to stations for the use cases.
//!
//! A station's socket is one task ([`super::connection`]). The registry holds its ends of two channels: a
//! bounded one for calls, and one for what must get through however many calls wait.

use super::frame_log::FrameLog;
use super::v1_6::calls;
use crate::charging::{StationAnswer, StationCall, StationCallError, StationLink};
use crate::clock::Clock;
use crate::config::OcppConfig;
use crate::db::Db;
use crate::domain::station::StationId;
use crate::metrics::Metrics;
use actix_ws::CloseCode;
use async_trait::async_trait;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// A call that waits for its turn on a socket.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// What is asked.
    pub(super) call: StationCall,
    /// Whose request caused it, for logs.
    pub(super) correlation_id: Option<String>,
    /// When nobody waits for the answer any more.
    pub(super) deadline: Instant,
    /// Where the answer goes; `None`: into the log.
    pub(super) reply: Option<oneshot::Sender<Result<Box<RawValue>, StationCallError>>>,
}

/// What gets through to a socket's task at once.
#[derive(Debug)]
pub(super) enum Control {
    /// Answer when the station shows that it is there.
    Probe(oneshot::Sender<()>),
    /// Close the socket.
    Close {
        /// As the WebSocket protocol numbers the reason.
        code: CloseCode,
        /// In words, for the station and the log.
        reason: String,
        /// Whether what is being worked on is finished and answered first.
        finish: bool,
    },
}

/// What the registry knows of one socket.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) station: StationId,
    /// The hash of the password that it was let in with; `None` where it needs none.
    pub(super) password_hash: Option<String>,
    /// Whether it was compared with the database after it was taken: what it was let in with may have changed
    /// between the reading and the taking.
    compared: AtomicBool,
    calls: mpsc::Sender<Box<Outgoing>>,
    control: mpsc::UnboundedSender<Control>,
    /// Cancelled when the socket's task has ended, all that it had to write included.
    gone: CancellationToken,
}

/// The task's side of a seat. The seat is free again when this is dropped, whatever ended the task.
pub(super) struct Occupant {
    pub(super) seat: Arc<Seat>,
    pub(super) calls: mpsc::Receiver<Box<Outgoing>>,
    pub(super) control: mpsc::UnboundedReceiver<Control>,
    registry: Arc<Registry>,
}

impl Occupant {
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }
}

impl Drop for Occupant {
    fn drop(&mut self) {
        self.registry.leave(&self.seat);
    }
}

/// Why a station that has shown who it is cannot have a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoSeat {
    /// Another socket under its id answers.
    #[error("another connection under this id is alive")]
    Taken,
    /// The node is about to stop.
    #[error("the node is stopping")]
    Stopping,
}

/// The sockets of one node.
#[derive(Debug)]
pub struct Registry {
    pub(super) config: OcppConfig,
    pub(super) metrics: Metrics,
    pub(super) frames: FrameLog,
    seats: Mutex<HashMap<StationId, Arc<Seat>>>,
    stopping: AtomicBool,
    /// Told whenever a seat becomes free.
    left: Notify,
}

impl Registry {
    /// A registry without any socket.
    #[must_use]
    pub fn new(config: OcppConfig, metrics: Metrics, db: Db, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            config,
            metrics,
            frames: FrameLog::new(db, clock),
            seats: Mutex::default(),
            stopping: AtomicBool::new(false),
            left: Notify::new(),
        })
    }

    /// Closes every socket as going away, after what each is working on is answered, and lets nobody in any
    /// more. Waits until all have gone, at most that long; how many have not.
    pub async fn close_all(&self, within: Duration) -> usize {
        self.stopping.store(true, Ordering::SeqCst);
        for seat in self.all() {
            seat.close(CloseCode::Away, "the node is stopping", true);
        }
        let deadline = Instant::now() + within;
        loop {
            let left = self.left.notified();
            let still_there = self.seats().len();
            if still_there == 0 || timeout_at(deadline, left).await.is_err() {
                return self.seats().len();
            }
        }
    }

    /// Every seat that is taken now.
    pub(super) fn all(&self) -> Vec<Arc<Seat>> {
        self.seats().values().cloned().collect()
    }

    /// How many sockets there are.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.seats().len()
    }

    /// Whether the node is about to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Makes sure that no dead socket holds a station's seat: one that does not answer a ping is closed. A live
    /// one stays, so that a copied password does not throw out the station that it belongs to.
    pub(super) async fn make_room(&self, station: &StationId) -> Result<(), NoSeat> {
        let within = self.config.takeover_timeout;
        let Some(seat) = self.seat(station) else { return Ok(()) };
        let (reply, answer) = oneshot::channel();
        let asked = seat.control.send(Control::Probe(reply)).is_ok();
        if asked && let Ok(Ok(())) = timeout(within, answer).await {
            return Err(NoSeat::Taken);
        }
        seat.close(CloseCode::Policy, "replaced by a new connection of the station", false);
        match timeout(within, seat.gone.cancelled()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(NoSeat::Taken),
        }
    }

    /// Takes a station's seat.
    pub(super) fn take_seat(
        self: &Arc<Self>,
        station: &StationId,
        password_hash: Option<String>,
    ) -> Result<Occupant, NoSeat> {
        let mut seats = self.seats();
        // Under the lock, so that close_all sees either the seat or nobody who comes after it.
        if self.is_stopping() {
            return Err(NoSeat::Stopping);
        }
        if seats.contains_key(station) {
            return Err(NoSeat::Taken);
        }
        let (calls, calls_out) = mpsc::channel(self.config.queue_length);
        let (control, control_out) = mpsc::unbounded_channel();
        let seat = Arc::new(Seat {
            station: station.clone(),
            password_hash,
            compared: AtomicBool::new(false),
            calls,
            control,
            gone: CancellationToken::new(),
        });
        seats.insert(station.clone(), Arc::clone(&seat));
        self.metrics.stations_connected.inc();
        Ok(Occupant { seat, calls: calls_out, control: control_out, registry: Arc::clone(self) })
    }

    fn leave(&self, seat: &Arc<Seat>) {
        let mut seats = self.seats();
        if seats.get(&seat.station).is_some_and(|there| Arc::ptr_eq(there, seat)) {
            seats.remove(&seat.station);
            self.metrics.stations_connected.dec();
        }
        drop(seats);
        seat.gone.cancel();
        self.left.notify_waiters();
    }

    fn seat(&self, station: &StationId) -> Option<Arc<Seat>> {
        self.seats().get(station).cloned()
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<StationId, Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Asks the socket's task to end. One that has ended needs no asking.
    pub(super) fn close(&self, code: CloseCode, reason: &str, finish: bool) {
        drop(self.control.send(Control::Close { code, reason: reason.to_owned(), finish }));
    }

    pub(super) fn was_compared(&self) -> bool {
        self.compared.load(Ordering::Relaxed)
    }

    pub(super) fn set_compared(&self) {
        self.compared.store(true, Ordering::Relaxed);
    }

    /// Puts a call into the queue that nobody waits for; its answer goes into the log.
    pub(super) fn post(&self, call: StationCall, within: Duration) {
        let deadline = Instant::now() + within;
        let outgoing = Outgoing { call, correlation_id: None, deadline, reply: None };
        if self.calls.try_send(Box::new(outgoing)).is_err() {
            tracing::warn!(station = %self.station, "a call to the station was dropped: its queue is full");
        }
    }
}

#[async_trait]
impl StationLink for Registry {
    async fn call(
        &self,
        station: &StationId,
        call: StationCall,
        correlation_id: Option<&str>,
    ) -> Result<StationAnswer, StationCallError> {
        // What cannot be said is found out before it takes anybody's turn.
        calls::write("", &call).map_err(StationCallError::Unsendable)?;
        let seat = self.seat(station).ok_or(StationCallError::Offline)?;
        let deadline = Instant::now() + self.config.call_timeout;
        let (reply, answer) = oneshot::channel();
        let outgoing = Outgoing {
            call: call.clone(),
            correlation_id: correlation_id.map(ToOwned::to_owned),
            deadline,
            reply: Some(reply),
        };
        seat.calls.try_send(Box::new(outgoing)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StationCallError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => StationCallError::Offline,
        })?;
        let payload = match timeout_at(deadline, answer).await {
            Err(_) => return Err(StationCallError::Timeout),
            Ok(Err(_)) => return Err(StationCallError::Offline),
            Ok(Ok(answer)) => answer?,
        };
        calls::read_answer(&call, &payload).map_err(|fault| StationCallError::Unreadable(fault.to_string()))
    }

    fn is_connected(&self, station: &StationId) -> bool {
        self.seats().contains_key(station)
    }

    async fn disconnect(&self, station: &StationId, reason: &str) {
        let Some(seat) = self.seat(station) else { return };
        seat.close(CloseCode::Policy, reason, false);
        if timeout(self.config.takeover_timeout, seat.gone.cancelled()).await.is_err() {
            tracing::warn!(%station, "the station's socket has not closed in time");
        }
    }
}
