//! The task of one simulated station: one loop over its socket, its commands and its timers.
//!
//! What it does with its socket is in `calls` (what it sends) and `answers` (what it is asked); what happens at
//! the connectors is in `driver`.

use super::calls::{InFlight, Outgoing};
use super::clock::{SimClock, later, plus};
use super::config::StationConfig;
use super::connector::Connector;
use super::keys::Keys;
use super::link::{Heard, Link, backoff};
use super::load::LoadState;
use super::misbehaviour::{Fate, Mischief};
use super::smart::{Profiles, sooner};
use super::snapshot::Snapshot;
use super::station::{Command, Event};
use super::stats::{Stats, add, take};
use crate::domain::Timestamp;
use crate::ocpp::frame::{Frame, FrameError};
use crate::ocpp::v1_6::ResetType;
use crate::ocpp::wire::Violations;
use fastrand::Rng;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

/// The longest sleep between two looks at the timers.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// Between two counts of the energy that flows, in simulated time.
pub(super) const COUNT_EVERY: Duration = Duration::from_secs(30);

/// How long a soft reset waits for the messages about charges to be answered.
const RESET_PATIENCE: Duration = Duration::from_secs(10);

/// Whether the server has let the station in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registration {
    /// It is to be asked, not before this.
    Ask(Instant),
    Accepted,
}

/// Everything a station has.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) config: StationConfig,
    pub(super) clock: SimClock,
    pub(super) keys: Keys,
    pub(super) rng: Rng,
    pub(super) connectors: Vec<Connector>,
    pub(super) queue: VecDeque<(Outgoing, u32)>,
    pub(super) in_flight: Option<InFlight>,
    /// Ids of charges by the station's own numbers.
    pub(super) transaction_ids: HashMap<u64, i64>,
    pub(super) registration: Registration,
    /// Nothing is sent before this, after a refusal.
    pub(super) hold_until: Option<Instant>,
    pub(super) heartbeat_at: Option<Instant>,
    pub(super) next_number: u64,
    pub(super) password: Option<Vec<u8>>,
    pub(super) reset: Option<(ResetType, Instant)>,
    /// The password has changed: the connection is opened anew with it.
    pub(super) reconnect: bool,
    pub(super) load: Option<LoadState>,
    /// The charging profiles that it keeps, also over a reboot.
    pub(super) profiles: Profiles,
    /// When they may say something else.
    pub(super) limits_until: Option<Timestamp>,
    pub(super) mischief: Mischief,
    pub(super) stats: Arc<Stats>,
    /// What others are told has changed.
    pub(super) changed: bool,
    link: Link,
    wanted_online: bool,
    attempts: u32,
    open_at: Instant,
    ping_at: Option<Instant>,
    last_heard: Instant,
    inbox: mpsc::Receiver<Command>,
    events: broadcast::Sender<Event>,
    state: watch::Sender<Snapshot>,
}

impl Actor {
    pub(super) fn new(
        config: StationConfig,
        inbox: mpsc::Receiver<Command>,
        events: broadcast::Sender<Event>,
        stats: Arc<Stats>,
    ) -> (Self, watch::Receiver<Snapshot>) {
        let mut rng = Rng::with_seed(config.seed);
        let clock = config.clock.clone().map_or_else(|| SimClock::start(config.speed), SimClock::follow);
        let now = Instant::now();
        let connectors = (1..=config.connectors.max(1))
            .map(|number| Connector::new(number, config.curve, rng.u32(0..2_000_000), clock.now()))
            .collect();
        let (state, receiver) = watch::channel(Snapshot::default());
        let mut keys = Keys::new(config.connectors.max(1), config.meter_interval);
        keys.put_smart_charging(&config);
        let mut actor = Self {
            keys,
            profiles: Profiles::new(config.bounds),
            limits_until: None,
            mischief: Mischief::new(&config.misbehaviour, &mut rng, clock.now()),
            password: config.password.clone().map(String::into_bytes),
            clock,
            rng,
            connectors,
            queue: VecDeque::new(),
            in_flight: None,
            transaction_ids: HashMap::new(),
            registration: Registration::Ask(now),
            hold_until: None,
            heartbeat_at: None,
            next_number: 0,
            reset: None,
            reconnect: false,
            load: None,
            stats,
            changed: true,
            link: Link::Down,
            wanted_online: true,
            attempts: 0,
            open_at: now,
            ping_at: None,
            last_heard: now,
            inbox,
            events,
            state,
            config,
        };
        let at = actor.clock.now();
        actor.allocate(at);
        (actor, receiver)
    }

    /// Runs until it is shut down or nobody has a handle any more.
    pub(super) async fn run(mut self) {
        loop {
            self.tick().await;
            self.pump().await;
            self.publish();
            let (deadline, turned) = self.next_deadline();
            tokio::select! {
                command = self.inbox.recv() => match command {
                    Some(Command::Shutdown(reply)) => {
                        self.end().await;
                        drop(reply.send(Ok(())));
                        return;
                    }
                    Some(command) => self.obey(command),
                    None => return self.end().await,
                },
                heard = self.link.next() => self.hear(heard).await,
                () = tokio::time::sleep_until(deadline) => {}
                () = self.clock.turned(turned) => {}
            }
        }
    }

    async fn end(&mut self) {
        for _ in self.connectors.iter().filter(|connector| connector.transaction.is_some()) {
            take(&self.stats.charging);
        }
        self.lose_registration();
        let was_up = self.link.is_up();
        self.link.close().await;
        if was_up {
            take(&self.stats.connected);
        }
    }

    /// Cuts or restores the connection.
    pub(super) fn want_online(&mut self, wanted: bool) {
        self.wanted_online = wanted;
        self.changed = true;
        if wanted {
            self.open_at = Instant::now();
            self.attempts = 0;
        } else {
            let was_up = self.link.is_up();
            // Dropped without a goodbye, as when a cable is cut.
            self.link = Link::Down;
            if was_up {
                self.lost("cut by the simulation".to_owned());
            }
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// Sends a frame; a failure ends the connection.
    pub(super) async fn send(&mut self, text: String) -> bool {
        match self.link.send(text, self.config.call_timeout).await {
            Ok(()) => true,
            Err(reason) => {
                self.drop_link(reason);
                false
            }
        }
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody needs to listen.
        drop(self.events.send(event));
    }

    async fn hear(&mut self, heard: Heard) {
        self.last_heard = Instant::now();
        match heard {
            Heard::Opened => {
                add(&self.stats.connects);
                add(&self.stats.connected);
                self.attempts = 0;
                self.changed = true;
                let every = self.keys.seconds("WebSocketPingInterval");
                self.ping_at = (!every.is_zero()).then(|| later(self.last_heard, every));
                self.tell(Event::Connected);
                if self.registration == Registration::Accepted {
                    self.report_statuses();
                }
            }
            Heard::Failed(error) => {
                add(&self.stats.connect_failures);
                self.stats.problem(format!("{}: {error}", self.config.id));
                self.schedule_open();
                self.tell(Event::ConnectFailed(error.to_string()));
            }
            Heard::Text(text) => self.read(&text).await,
            Heard::Alive => {}
            Heard::Closed(reason) => self.drop_link(reason),
        }
    }

    async fn read(&mut self, text: &str) {
        let mut violations = Violations::default();
        match Frame::parse(text, &mut violations) {
            Ok(Frame::Call { id, action, payload }) => {
                add(&self.stats.received);
                match self.fate() {
                    Fate::Answered => {
                        let answer = self.answer(&id, &action, payload);
                        self.send(answer).await;
                    }
                    Fate::Late => self.put_off(id.into_owned(), action.into_owned(), payload.to_owned()),
                    Fate::AnswerLost => drop(self.answer(&id, &action, payload)),
                    Fate::Lost => {}
                }
            }
            Ok(Frame::Result { id, payload }) => self.take_result(&id, payload),
            Ok(Frame::Error { id, code, description, .. }) => {
                self.take_error(&id, code.as_str(), &description)
            }
            Err(error) => {
                add(&self.stats.unreadable);
                self.stats.problem(format!("{}: {error}", self.config.id));
                if let FrameError::BadAnswer { id, reason } = &error {
                    self.take_error(id, "FormationViolation", reason);
                }
                if let Some(reply) = error.reply() {
                    self.send(reply).await;
                }
            }
        }
    }

    fn drop_link(&mut self, reason: String) {
        if self.link.is_up() {
            self.link = Link::Down;
            self.lost(reason);
        }
    }

    /// The connection is gone: what was in flight is kept or given up, and the next attempt is planned.
    fn lost(&mut self, reason: String) {
        take(&self.stats.connected);
        add(&self.stats.disconnects);
        self.changed = true;
        self.ping_at = None;
        self.mischief.forget_late();
        self.forget_in_flight("the connection was lost");
        self.give_up_chores("the connection was lost");
        self.schedule_open();
        self.tell(Event::Disconnected(reason));
    }

    fn schedule_open(&mut self) {
        let wait =
            backoff(self.attempts, self.config.reconnect_least, self.config.reconnect_most, &mut self.rng);
        self.attempts = self.attempts.saturating_add(1);
        self.open_at = later(Instant::now(), wait);
    }

    pub(super) fn lose_registration(&mut self) {
        if self.registration == Registration::Accepted {
            take(&self.stats.booted);
        }
        self.registration = Registration::Ask(Instant::now());
        self.heartbeat_at = None;
        for connector in &mut self.connectors {
            connector.reported = None;
        }
    }

    /// Does what is due.
    async fn tick(&mut self) {
        let now = Instant::now();
        self.time_out(now);
        self.hold_until = self.hold_until.filter(|until| now < *until);
        self.misbehave(self.clock.now());
        self.live();
        self.answer_late(now).await;
        self.plan_load(now);
        if self.reset.as_ref().is_some_and(|(_, by)| now >= *by || !self.owes_transactions()) {
            self.reboot().await;
        }
        if std::mem::take(&mut self.reconnect) && self.link.is_up() {
            self.link.close().await;
            self.lost("the password has changed".to_owned());
            self.open_at = now;
        }
        if self.link.is_down() && self.wanted_online && now >= self.open_at {
            let StationConfig { url, id, call_timeout, .. } = &self.config;
            self.link = Link::open(url.clone(), id.clone(), self.password.clone(), *call_timeout);
        }
        if self.link.is_up() && self.ping_at.is_some_and(|at| now >= at) {
            let every = self.keys.seconds("WebSocketPingInterval");
            if now.duration_since(self.last_heard) > every.saturating_mul(2) {
                self.drop_link("the server has not been heard for two ping intervals".to_owned());
            } else {
                self.ping_at = (!every.is_zero()).then(|| later(now, every));
                if let Err(reason) = self.link.ping(self.config.call_timeout).await {
                    self.drop_link(reason);
                }
            }
        }
        if self.heartbeat_at.is_some_and(|at| now >= at) {
            let every = self.keys.seconds("HeartbeatInterval");
            self.heartbeat_at = (!every.is_zero()).then(|| later(now, every));
            let waits = self.queue.iter().any(|(what, _)| matches!(what, Outgoing::Heartbeat));
            if self.link.is_up() && !waits {
                self.queue.push_back((Outgoing::Heartbeat, 0));
            }
        }
    }

    async fn reboot(&mut self) {
        let Some((kind, _)) = self.reset.take() else { return };
        let was_up = self.link.is_up();
        self.link.close().await;
        if was_up {
            self.lost("reset".to_owned());
        }
        self.lose_registration();
        self.profiles_after_reboot();
        self.attempts = 0;
        self.open_at = later(Instant::now(), self.config.reboot_time);
        self.tell(Event::Resetting(kind));
    }

    /// When to look at the timers again: in real time, and by a clock that somebody else turns.
    fn next_deadline(&self) -> (Instant, Option<Timestamp>) {
        let simulated = self.next_event();
        let mut next = later(Instant::now(), LONGEST_SLEEP);
        let mut by = |at: Option<Instant>| next = at.map_or(next, |at| next.min(at));
        if self.link.is_down() && self.wanted_online {
            by(Some(self.open_at));
        }
        if self.link.is_up() {
            by(self.ping_at);
            if let (Registration::Ask(at), None) = (self.registration, &self.in_flight) {
                by(Some(at));
            }
        }
        by(self.heartbeat_at);
        by(self.hold_until);
        by(self.in_flight.as_ref().map(|call| call.deadline));
        by(self.reset.as_ref().map(|(_, by)| *by));
        by(self.load.as_ref().and_then(LoadState::next_due));
        by(self.mischief.next_late());
        by(simulated.map(|at| self.clock.real(at)));
        (next, simulated)
    }

    /// What comes next by simulated time.
    fn next_event(&self) -> Option<Timestamp> {
        let samples = self.load.is_none() && !self.config.meter_interval.is_zero();
        let mut next = sooner(self.next_change(), self.mischief.next());
        for connector in &self.connectors {
            let timers = [connector.plug_at, connector.unplug_at, connector.give_up_at];
            next = timers.into_iter().fold(next, sooner);
            if let Some(transaction) = &connector.transaction {
                next = sooner(next, Some(plus(connector.counted_to, COUNT_EVERY)));
                next = sooner(next, samples.then_some(transaction.next_sample));
            }
        }
        next
    }

    /// Whether the server has not answered a message about a charge.
    pub(super) fn owes_transactions(&self) -> bool {
        self.unsent() > 0
    }

    pub(super) fn unsent(&self) -> usize {
        let waiting = self.queue.iter().filter(|(what, _)| what.is_durable()).count();
        waiting + usize::from(self.in_flight.as_ref().is_some_and(|call| call.what.is_durable()))
    }

    /// When a soft reset is done at the latest.
    pub(super) fn begin_reset(&mut self, kind: ResetType) {
        let by = match kind {
            ResetType::Soft => later(Instant::now(), RESET_PATIENCE),
            _ => Instant::now(),
        };
        self.reset = Some((kind, by));
    }

    fn publish(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let snapshot = self.take_snapshot();
        self.state.send_replace(snapshot);
    }
}
