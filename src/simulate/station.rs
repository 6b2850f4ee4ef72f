//! A simulated station as its user sees it: what it is, what can be done at it, what it tells.

use super::actor::Actor;
use super::car::CarConfig;
use super::config::StationConfig;
use super::link::{LinkError, station_url};
use super::load::LoadPlan;
use super::snapshot::Snapshot;
use super::stats::Stats;
use crate::domain::station::ConnectorStatus;
use crate::ocpp::v1_6::{AuthorizationStatus, IdTag, RegistrationStatus, ResetType, StopReason};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Events that a slow listener may be behind before it loses some.
const EVENTS_KEPT: usize = 64;

/// Why something cannot be done at a simulated station.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// There is no such connector.
    #[error("the station has no connector {0}")]
    NoConnector(i32),
    /// The connector is in another state.
    #[error("connector {connector} is {status}: {wanted}")]
    WrongState {
        /// Which.
        connector: i32,
        /// What it is doing.
        status: ConnectorStatus,
        /// What would be right.
        wanted: &'static str,
    },
    /// The token is longer than OCPP 1.6 allows.
    #[error("the token is too long: {0}")]
    Token(String),
    /// The server did not let the token charge.
    #[error("the server answered {0} for the token")]
    Refused(AuthorizationStatus),
    /// The server did not answer.
    #[error("the server did not answer: {0}")]
    NoAnswer(String),
    /// It did not happen in time.
    #[error("it did not happen within {0:?}")]
    Timeout(Duration),
    /// The station was shut down.
    #[error("the station was shut down")]
    Gone,
}

/// Something that happened at a station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The socket is open.
    Connected,
    /// The socket could not be opened.
    ConnectFailed(String),
    /// The socket is gone.
    Disconnected(String),
    /// The server answered the BootNotification.
    Booted(RegistrationStatus),
    /// A connector does something else.
    Status {
        /// Which.
        connector: i32,
        /// What.
        status: ConnectorStatus,
    },
    /// The server answered Authorize.
    Authorized {
        /// At which connector.
        connector: i32,
        /// Who.
        id_tag: String,
        /// What it answered.
        status: AuthorizationStatus,
    },
    /// A charge began; the server may not know it yet.
    Started {
        /// Where.
        connector: i32,
    },
    /// The server answered StartTransaction.
    StartAnswered {
        /// Where.
        connector: i32,
        /// Its id.
        transaction_id: i64,
        /// What it says of the token.
        status: AuthorizationStatus,
    },
    /// A meter value was taken.
    Metered {
        /// Where.
        connector: i32,
        /// Energy of the charge so far, Wh.
        energy_wh: u64,
        /// Power now, W.
        watts: u64,
    },
    /// A charge ended; the server may not know it yet.
    Stopped {
        /// Where.
        connector: i32,
        /// Why.
        reason: StopReason,
        /// Its energy, Wh.
        energy_wh: u64,
    },
    /// The server answered StopTransaction.
    StopAnswered {
        /// Which charge.
        transaction_id: i64,
    },
    /// The server asked for a reset, and it is done.
    Resetting(ResetType),
    /// The server refused a call.
    CallRefused {
        /// Which action.
        action: &'static str,
        /// The code.
        code: String,
        /// In words.
        description: String,
    },
}

pub(super) type Reply = oneshot::Sender<Result<(), SimError>>;

/// What is done at a station.
#[derive(Debug)]
pub(super) enum Command {
    PlugIn(i32, Option<CarConfig>, Reply),
    PresentToken(i32, IdTag, Reply),
    Stop(i32, StopReason, Reply),
    Unplug(i32, Reply),
    GoOffline(Reply),
    GoOnline(Reply),
    Reboot(Reply),
    Measure(oneshot::Sender<Snapshot>),
    Load(LoadPlan),
    Shutdown(Reply),
}

/// A simulated station that runs as a task of its own. Clones are handles to the same one; it ends when it is
/// shut down or when all handles are gone.
#[derive(Debug, Clone)]
pub struct StationSim {
    id: Arc<str>,
    commands: mpsc::Sender<Command>,
    events: broadcast::Sender<Event>,
    state: watch::Receiver<Snapshot>,
}

impl StationSim {
    /// Starts a station, which connects at once.
    ///
    /// # Errors
    /// When its URL is none.
    pub fn spawn(config: StationConfig) -> Result<Self, LinkError> {
        Self::spawn_counted(config, Arc::new(Stats::default()))
    }

    /// Starts a station that counts with others.
    ///
    /// # Errors
    /// When its URL is none.
    pub fn spawn_counted(config: StationConfig, stats: Arc<Stats>) -> Result<Self, LinkError> {
        station_url(&config.url, &config.id)?;
        let (commands, inbox) = mpsc::channel(16);
        let events = broadcast::Sender::new(EVENTS_KEPT);
        let id = Arc::from(config.id.as_str());
        let (actor, state) = Actor::new(config, inbox, events.clone(), stats);
        tokio::spawn(actor.run());
        Ok(Self { id, commands, events, state })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What happens at it from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// What it is doing now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.state.borrow().clone()
    }

    /// Waits until it is doing something.
    ///
    /// # Errors
    /// When that does not come within the (real) time.
    pub async fn wait_for(
        &self,
        within: Duration,
        mut wanted: impl FnMut(&Snapshot) -> bool,
    ) -> Result<Snapshot, SimError> {
        let mut state = self.state.clone();
        match tokio::time::timeout(within, state.wait_for(|now| wanted(now))).await {
            Ok(Ok(now)) => Ok(now.clone()),
            Ok(Err(_)) => Err(SimError::Gone),
            Err(_) => Err(SimError::Timeout(within)),
        }
    }

    /// Plugs a car in: a random one.
    ///
    /// # Errors
    /// When the connector does not exist or is taken.
    pub async fn plug_in(&self, connector: i32) -> Result<(), SimError> {
        self.ask(|reply| Command::PlugIn(connector, None, reply)).await
    }

    /// Plugs a car in whose battery holds so many Wh and is filled to so many thousandths.
    ///
    /// # Errors
    /// As [`Self::plug_in`].
    pub async fn plug_in_car(&self, connector: i32, capacity_wh: u32, permille: u32) -> Result<(), SimError> {
        self.plug_in_like(connector, CarConfig::new(capacity_wh, permille)).await
    }

    /// Plugs a car in that is as it is said.
    ///
    /// # Errors
    /// As [`Self::plug_in`].
    pub async fn plug_in_like(&self, connector: i32, car: CarConfig) -> Result<(), SimError> {
        self.ask(|reply| Command::PlugIn(connector, Some(car), reply)).await
    }

    /// Presents a token: asks the server, and starts the charge once a car is plugged in; a token that charges
    /// here already stops its charge. Returns when the server has answered.
    ///
    /// # Errors
    /// When the server does not accept it or does not answer, or the connector is not free.
    pub async fn present_token(&self, connector: i32, id_tag: &str) -> Result<(), SimError> {
        let tag = IdTag::parse(id_tag).map_err(|error| SimError::Token(error.to_string()))?;
        self.ask(|reply| Command::PresentToken(connector, tag, reply)).await
    }

    /// Stops the charge as its driver does at the station; the car stays.
    ///
    /// # Errors
    /// When there is none.
    pub async fn stop(&self, connector: i32) -> Result<(), SimError> {
        self.stop_because(connector, StopReason::Local).await
    }

    /// Stops the charge for another reason.
    ///
    /// # Errors
    /// When there is none.
    pub async fn stop_because(&self, connector: i32, reason: StopReason) -> Result<(), SimError> {
        self.ask(|reply| Command::Stop(connector, reason, reply)).await
    }

    /// Takes the cable out; ends a charge that is on.
    ///
    /// # Errors
    /// When no car is there.
    pub async fn unplug(&self, connector: i32) -> Result<(), SimError> {
        self.ask(|reply| Command::Unplug(connector, reply)).await
    }

    /// Cuts the connection; a charge goes on, and what happens is kept for later.
    ///
    /// # Errors
    /// When the station is gone.
    pub async fn go_offline(&self) -> Result<(), SimError> {
        self.ask(Command::GoOffline).await
    }

    /// Connects again.
    ///
    /// # Errors
    /// When the station is gone.
    pub async fn go_online(&self) -> Result<(), SimError> {
        self.ask(Command::GoOnline).await
    }

    /// Reboots as when the power was gone: what charges ends, and the connection with it.
    ///
    /// # Errors
    /// When the station is gone.
    pub async fn reboot(&self) -> Result<(), SimError> {
        self.ask(Command::Reboot).await
    }

    /// What it is doing at this moment, with everything that has flowed and changed up to now;
    /// [`Self::snapshot`] is what it last told by itself.
    ///
    /// # Errors
    /// When the station is gone.
    pub async fn measure(&self) -> Result<Snapshot, SimError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Measure(reply)).await.map_err(|_| SimError::Gone)?;
        answer.await.map_err(|_| SimError::Gone)
    }

    /// Sends meter values by a plan until its end.
    pub(super) async fn load(&self, plan: LoadPlan) -> Result<(), SimError> {
        self.commands.send(Command::Load(plan)).await.map_err(|_| SimError::Gone)
    }

    /// Closes the connection and ends. Messages that the server has not answered are lost; stop the charges
    /// and wait for `unsent == 0` first where that matters.
    ///
    /// # Errors
    /// When it was gone before.
    pub async fn shutdown(&self) -> Result<(), SimError> {
        self.ask(Command::Shutdown).await
    }

    async fn ask(&self, command: impl FnOnce(Reply) -> Command) -> Result<(), SimError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| SimError::Gone)?;
        answer.await.unwrap_or(Err(SimError::Gone))
    }
}
