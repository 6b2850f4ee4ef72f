//! One station's socket: a task that reads frames, answers calls in their order, and sends ours one at a time.
//!
//! While a call of the station is being worked on, the task goes on reading: answers to our calls, pings and
//! pongs are not held up by a slow database. Calls that come meanwhile wait in a short line; when it is full,
//! reading stops, and the network tells the station to slow down.

use super::frame::{Frame, FrameError};
use super::frame_log::Kind;
use super::registry::{Control, Occupant, Outgoing};
use super::v1_6::{calls, handlers};
use super::wire::Violations;
use crate::app::App;
use crate::charging::{StationCall, StationCallError, station as stations};
use actix_ws::ProtocolError;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, MessageStream, Session};
use bytestring::ByteString;
use handlers::{Answer, Effect};
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

/// Calls of a station that wait to be worked on.
const WAITING: usize = 16;
/// Answered calls whose answers are kept for the case that they come again.
const REMEMBERED: usize = 4;
/// Ids of our calls that got no answer in time, kept to tell a late answer from a made-up one.
const EXPIRED: usize = 8;

/// Both directions of a WebSocket.
pub(super) struct Socket {
    session: Session,
    stream: AggregatedMessageStream,
}

impl Socket {
    pub(super) fn new(session: Session, stream: MessageStream, max_frame: usize) -> Self {
        let stream = stream.max_frame_size(max_frame).aggregate_continuations();
        Self { session, stream: stream.max_continuation_size(max_frame) }
    }
}

/// What is being worked on: a call of the station.
type Work = Pin<Box<dyn Future<Output = Done>>>;

struct Done {
    answer: Answer,
    /// The frame that was answered, for recognising it; none for the work at the start.
    call: ByteString,
    since: Instant,
}

/// A call of ours that the station has not answered yet.
struct InFlight {
    id: String,
    action: &'static str,
    correlation_id: Option<String>,
    deadline: Instant,
    reply: Option<oneshot::Sender<Result<Box<RawValue>, StationCallError>>>,
}

/// Why the task ends.
struct Ending {
    /// For the station; `None` where it closed, or does not hear us any more.
    close: Option<CloseReason>,
    /// For the log.
    reason: String,
}

impl Ending {
    fn gone(reason: impl Into<String>) -> Self {
        Self { close: None, reason: reason.into() }
    }

    fn close(code: CloseCode, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { close: Some(CloseReason { code, description: Some(reason.clone()) }), reason }
    }
}

struct Connection {
    app: Arc<App>,
    occupant: Occupant,
    session: Session,
    /// Whether a BootNotification of the station was accepted, now or on an earlier connection.
    accepted: bool,
    waiting: VecDeque<(ByteString, Instant)>,
    in_flight: Option<InFlight>,
    expired: VecDeque<String>,
    remembered: VecDeque<(u64, String)>,
    hasher: RandomState,
    probes: Vec<oneshot::Sender<()>>,
    last_heard: Instant,
    next_ping: Instant,
    /// Set when the socket shall close once the work is done.
    leaving: Option<Ending>,
}

/// Serves a socket until it ends. `booted`: whether the station was accepted before.
pub(super) async fn run(app: Arc<App>, occupant: Occupant, socket: Socket, booted: bool) {
    let station = occupant.seat.station.clone();
    let now = Instant::now();
    let next_ping = now + app.config.ocpp.ping_interval;
    tracing::info!(%station, "a station connected");
    occupant.registry().frames.note(station.as_str(), Kind::Open, "connected");
    if let Err(error) = stations::connected(&app, &station).await {
        tracing::error!(%station, %error, "that a station is online could not be written");
    }
    let mut connection = Connection {
        app: Arc::clone(&app),
        occupant,
        session: socket.session,
        accepted: booted,
        waiting: VecDeque::new(),
        in_flight: None,
        expired: VecDeque::new(),
        remembered: VecDeque::new(),
        hasher: RandomState::new(),
        probes: Vec::new(),
        last_heard: now,
        next_ping,
        leaving: None,
    };
    let ending = connection.serve(socket.stream).await;
    let Connection { occupant, session, in_flight, .. } = connection;
    drop(in_flight);
    tracing::info!(%station, reason = %ending.reason, "a station disconnected");
    occupant.registry().frames.note(station.as_str(), Kind::Close, &ending.reason);
    match ending.close {
        Some(reason) => drop(timeout(app.config.ocpp.takeover_timeout, session.close(Some(reason))).await),
        None => drop(session),
    }
    // Before the seat is free, so that the station's next connection cannot be marked as gone.
    if let Err(error) = stations::disconnected(&app, &station).await {
        tracing::error!(%station, %error, "that a station is offline could not be written");
    }
    drop(occupant);
}

impl Connection {
    async fn serve(&mut self, mut stream: AggregatedMessageStream) -> Ending {
        let mut work: Option<Work> = None;
        let alarm = sleep_until(self.next_alarm());
        tokio::pin!(alarm);
        loop {
            if work.is_none() {
                if let Some(ending) = self.leaving.take() {
                    return ending;
                }
                if let Some((call, since)) = self.waiting.pop_front() {
                    match self.known_answer(&call) {
                        Some(answer) => {
                            let answer = answer.to_owned();
                            if let Err(ending) = self.send(answer).await {
                                return ending;
                            }
                            continue;
                        }
                        None => work = Some(self.work_on(call, since)),
                    }
                }
            }
            let reading = self.leaving.is_none() && self.waiting.len() < WAITING;
            let calling = self.leaving.is_none() && self.accepted && self.in_flight.is_none();
            let step = tokio::select! {
                done = finished(&mut work) => {
                    work = None;
                    self.finish(done).await
                }
                control = self.occupant.control.recv() => self.obey(control).await,
                message = stream.recv(), if reading => self.hear(message).await,
                call = self.occupant.calls.recv(), if calling => match call {
                    Some(call) => self.call(*call).await,
                    None => Ok(()),
                },
                () = &mut alarm => self.tick(reading).await,
            };
            if let Err(ending) = step {
                return ending;
            }
            let next = self.next_alarm();
            if next < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(next);
            }
        }
    }

    /// Something came from the station, or its socket ended.
    async fn hear(
        &mut self,
        message: Option<Result<AggregatedMessage, ProtocolError>>,
    ) -> Result<(), Ending> {
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(broken(&error)),
            None => return Err(Ending::gone("the connection ended")),
        };
        self.last_heard = Instant::now();
        for probe in self.probes.drain(..) {
            // Who asked may have given up.
            let _ = probe.send(());
        }
        match message {
            AggregatedMessage::Text(text) => {
                self.frame_log(Kind::In, &text);
                if is_call(&text) {
                    self.waiting.push_back((text, self.last_heard));
                } else {
                    self.take_answer(&text);
                }
                Ok(())
            }
            AggregatedMessage::Ping(bytes) => {
                let sent = timeout(self.app.config.ocpp.ping_interval, self.session.pong(&bytes)).await;
                if matches!(sent, Ok(Ok(()))) {
                    Ok(())
                } else {
                    Err(Ending::gone("it does not take what we send"))
                }
            }
            AggregatedMessage::Pong(_) => Ok(()),
            // OCPP-J is text; the connection stays, as for any frame that cannot be understood.
            AggregatedMessage::Binary(_) => {
                self.app.metrics.refused.with_label_values(&["ocpp", "binary_frame"]).inc();
                Ok(())
            }
            AggregatedMessage::Close(reason) => {
                let code = reason.map_or(CloseCode::Normal, |reason| reason.code);
                let ending = Ending::close(CloseCode::Normal, "");
                Err(Ending { reason: format!("the station closed it ({})", u16::from(code)), ..ending })
            }
        }
    }

    /// An answer to a call of ours, or something that cannot be read.
    fn take_answer(&mut self, text: &str) {
        let station = &self.occupant.seat.station;
        let (id, answer) = match Frame::parse(text, &mut Violations::default()) {
            Ok(Frame::Result { id, payload }) => (id.into_owned(), Ok(payload.to_owned())),
            Ok(Frame::Error { id, code, description, details: _ }) => {
                let (code, description) = (code.as_str().to_owned(), description.into_owned());
                (id.into_owned(), Err(StationCallError::Refused { code, description }))
            }
            Err(FrameError::BadAnswer { id, reason }) => (id, Err(StationCallError::Unreadable(reason))),
            Ok(Frame::Call { .. }) | Err(_) => {
                self.app.metrics.refused.with_label_values(&["ocpp", "malformed_frame"]).inc();
                tracing::debug!(%station, "a frame that cannot be read was ignored");
                return;
            }
        };
        match self.in_flight.take_if(|call| call.id == id) {
            Some(call) => {
                if let Err(error) = &answer {
                    let (action, correlation_id) = (call.action, &call.correlation_id);
                    tracing::warn!(%station, action, correlation_id, %error, "a station refused a call");
                }
                match call.reply {
                    Some(reply) => drop(reply.send(answer)),
                    None => {
                        let answer = answer.as_deref().map(RawValue::get).unwrap_or_default();
                        tracing::info!(%station, action = call.action, answer, "a station answered");
                    }
                }
            }
            None => {
                let late = self.expired.contains(&id);
                let label = if late { "late_answer" } else { "unexpected_answer" };
                self.app.metrics.refused.with_label_values(&["ocpp", label]).inc();
                tracing::warn!(%station, late, "an answer that belongs to no call was ignored");
            }
        }
    }

    fn work_on(&self, call: ByteString, since: Instant) -> Work {
        let (app, station) = (Arc::clone(&self.app), self.occupant.seat.station.clone());
        let accepted = self.accepted;
        Box::pin(async move {
            let answer = handlers::answer(&app, &station, accepted, &call).await;
            Done { answer, call, since }
        })
    }

    /// Sends the answer to a call that was worked on.
    async fn finish(&mut self, done: Done) -> Result<(), Ending> {
        let Done { answer: Answer { frame, action, effect }, call, since } = done;
        let metrics = &self.app.metrics;
        metrics.ocpp_messages.with_label_values(&["in", action]).inc();
        metrics.ocpp_seconds.observe(since.elapsed().as_secs_f64());
        let Some(frame) = frame else { return Ok(()) };
        match effect {
            Effect::Kept => self.remember(&call, &frame),
            Effect::None | Effect::Booted(_) => {}
        }
        self.send(frame).await?;
        if let Effect::Booted(let_in) = effect {
            self.accepted = let_in;
            if let_in && let Some(interval) = self.app.config.ocpp.meter_value_interval {
                let key = "MeterValueSampleInterval".to_owned();
                let call = StationCall::ChangeConfiguration { key, value: interval.as_secs().to_string() };
                self.occupant.seat.post(call, self.app.config.ocpp.call_timeout);
            }
        }
        Ok(())
    }

    /// The answer that the same call, with the same id, got on this connection.
    fn known_answer(&self, call: &str) -> Option<&str> {
        let hash = self.hasher.hash_one(call);
        self.remembered.iter().find(|(known, _)| *known == hash).map(|(_, answer)| answer.as_str())
    }

    fn remember(&mut self, call: &str, answer: &str) {
        if self.remembered.len() >= REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back((self.hasher.hash_one(call), answer.to_owned()));
    }

    /// Sends a call of ours, unless nobody waits for its answer any more.
    async fn call(&mut self, outgoing: Outgoing) -> Result<(), Ending> {
        let Outgoing { call, correlation_id, deadline, reply } = outgoing;
        if deadline <= Instant::now() || reply.as_ref().is_some_and(oneshot::Sender::is_closed) {
            return Ok(());
        }
        let station = &self.occupant.seat.station;
        let action = calls::action(&call);
        let id = uuid::Uuid::new_v4().to_string();
        let frame = match calls::write(&id, &call) {
            Ok(frame) => frame,
            Err(reason) => {
                tracing::warn!(%station, action, correlation_id, reason, "a call cannot be sent");
                if let Some(reply) = reply {
                    drop(reply.send(Err(StationCallError::Unsendable(reason))));
                }
                return Ok(());
            }
        };
        tracing::debug!(%station, action, id, correlation_id, "calling a station");
        self.app.metrics.ocpp_messages.with_label_values(&["out", action]).inc();
        self.in_flight = Some(InFlight { id, action, correlation_id, deadline, reply });
        self.send(frame).await
    }

    /// Hands a frame to the socket. A station that takes nothing for a ping's time has gone.
    async fn send(&mut self, frame: String) -> Result<(), Ending> {
        self.frame_log(Kind::Out, &frame);
        match timeout(self.app.config.ocpp.ping_interval, self.session.text(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ending::gone("the connection ended")),
            Err(_) => Err(Ending::gone("the station does not take what is sent")),
        }
    }

    async fn obey(&mut self, control: Option<Control>) -> Result<(), Ending> {
        match control {
            Some(Control::Probe(reply)) => {
                self.probes.retain(|probe| !probe.is_closed());
                self.probes.push(reply);
                self.ping().await
            }
            Some(Control::Close { code, reason, finish }) => {
                let ending = Ending::close(code, reason);
                if finish {
                    self.leaving = Some(ending);
                    Ok(())
                } else {
                    Err(ending)
                }
            }
            // The seat holds the other end as long as this task runs.
            None => Err(Ending::gone("its seat was taken away")),
        }
    }

    async fn ping(&mut self) -> Result<(), Ending> {
        match timeout(self.app.config.ocpp.ping_interval, self.session.ping(b"")).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ending::gone("the connection ended")),
            Err(_) => Err(Ending::gone("the station does not take what is sent")),
        }
    }

    /// A time has come: of a ping, of an answer that is overdue, or of a station that has been silent too long.
    async fn tick(&mut self, reading: bool) -> Result<(), Ending> {
        let now = Instant::now();
        if let Some(call) = self.in_flight.take_if(|call| call.deadline <= now) {
            let station = &self.occupant.seat.station;
            let (action, correlation_id) = (call.action, &call.correlation_id);
            tracing::warn!(%station, action, correlation_id, "a call got no answer in time");
            if self.expired.len() >= EXPIRED {
                self.expired.pop_front();
            }
            self.expired.push_back(call.id);
            if let Some(reply) = call.reply {
                drop(reply.send(Err(StationCallError::Timeout)));
            }
        }
        if !reading {
            // What it sends waits for us: it is not the station that is silent.
            self.last_heard = now;
        } else if self.silent_at() <= now {
            return Err(Ending::gone("the station has not answered two pings"));
        }
        if self.next_ping <= now {
            self.next_ping = now + self.app.config.ocpp.ping_interval;
            self.ping().await?;
        }
        Ok(())
    }

    /// When a station that says nothing until then counts as gone: two pings after it was heard.
    fn silent_at(&self) -> Instant {
        self.last_heard + self.app.config.ocpp.ping_interval.saturating_mul(2)
    }

    fn next_alarm(&self) -> Instant {
        let next = self.next_ping.min(self.silent_at());
        self.in_flight.as_ref().map_or(next, |call| next.min(call.deadline))
    }

    fn frame_log(&self, kind: Kind, text: &str) {
        self.occupant.registry().frames.note(self.occupant.seat.station.as_str(), kind, text);
    }
}

/// Waits for the work, for ever if there is none.
async fn finished(work: &mut Option<Work>) -> Done {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

/// Whether a frame is, or tries to be, a call: those are answered in their order, everything else at once.
fn is_call(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('[').map(str::trim_start);
    inner.is_some_and(|inner| inner.starts_with('2'))
}

/// A mistake in the WebSocket protocol itself: nothing after it can be read.
fn broken(error: &ProtocolError) -> Ending {
    let code = match error {
        ProtocolError::Overflow => CloseCode::Size,
        ProtocolError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => CloseCode::Invalid,
        ProtocolError::Io(_) => CloseCode::Size,
        _ => CloseCode::Protocol,
    };
    Ending::close(code, error.to_string())
}
