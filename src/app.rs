//! The handles that every edge and use case needs, made once when a node starts.

use crate::charging::StationLink;
use crate::clock::Clock;
use crate::config::{self, Config, PricingConfig};
use crate::db::Db;
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use crate::driver::gate::Gate;
use crate::driver::oidc::Issuers;
use crate::energy::Energy;
use crate::metrics::Metrics;
use crate::payments::Payments;
use crate::pricing::{PricingPolicy, Rounding, WrappedDays};
use crate::roaming::PartnerLink;
use crate::search::Search;
use crate::security::Keys;
use std::sync::Arc;
use tokio::sync::{Notify, broadcast};

/// The handles. Shared as `Arc<App>`; nothing in it is global, so that several nodes live in one process.
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// What was configured.
    pub config: Config,
    /// Secrets.
    pub keys: Keys,
    /// What is counted.
    pub metrics: Metrics,
    /// Under which partners reach this node, without a slash at its end.
    pub public_url: String,
    /// The way to stations.
    pub stations: Arc<dyn StationLink>,
    /// The way to partners.
    pub partners: Arc<dyn PartnerLink>,
    /// The way into load management.
    pub energy: Energy,
    /// The way to who holds and takes money, and who moves payments on.
    pub payments: Payments,
    /// Where one can charge.
    pub search: Search,
    /// Issuers of drivers' id tokens.
    pub issuers: Issuers,
    /// Which apps and drivers are let in.
    pub gate: Gate,
    /// What wakes the jobs.
    pub wakes: Wakes,
}

impl App {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// What wakes a job after a commit. Behind every wake-up stands a slow poll, so that one that is lost, or that
/// came from another process, costs seconds and not data.
#[derive(Debug)]
pub struct Wakes {
    /// Partners have to be told of something.
    pub delivery: Notify,
    /// A partner's lists have to be pulled.
    pub sync: Notify,
    /// A charge stopped and will have to be settled.
    pub settle: Notify,
    /// A command has a result, or expects one by a time.
    pub commands: Notify,
    /// Tariffs or their assignments changed.
    pub tariffs: Notify,
    /// A payment is to be looked at.
    pub payments: Notify,
    /// What happened, for those who watch.
    pub events: broadcast::Sender<Event>,
}

impl Default for Wakes {
    fn default() -> Self {
        Self {
            delivery: Notify::new(),
            sync: Notify::new(),
            settle: Notify::new(),
            commands: Notify::new(),
            tariffs: Notify::new(),
            payments: Notify::new(),
            events: broadcast::Sender::new(1024),
        }
    }
}

/// Something that happened and was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A station connected.
    StationConnected(String),
    /// A station's socket closed.
    StationDisconnected(String),
    /// A session changed, or came to a CDR; its id.
    SessionChanged(String),
    /// A CDR was written, or came from a partner; its id.
    CdrWritten(String),
    /// An ad hoc payment changed; its id.
    PaymentChanged(String),
    /// What a driver may do with the driver API was taken back, in part or in whole; the driver's id.
    DriverShutOut(String),
    /// An app of drivers is gone; its id.
    AppShutOut(String),
    /// A partner told of a location; its owner and id.
    LocationTold(PartyId, CiString),
    /// A partner told of a tariff, or that it is gone; its owner and id.
    TariffTold(PartyId, CiString),
}

impl Wakes {
    /// Tells those who watch; nobody may be watching.
    pub fn tell(&self, event: Event) {
        drop(self.events.send(event));
    }
}

/// How charges are priced, as it is configured.
#[must_use]
pub fn policy_of(config: &PricingConfig) -> PricingPolicy {
    let rounding = match config.rounding {
        config::Rounding::HalfUp => Rounding::HalfUp,
        config::Rounding::HalfEven => Rounding::HalfEven,
    };
    let wrapped_days = match config.wrapped_days {
        config::WrappedDays::WindowStart => WrappedDays::WindowStart,
        config::WrappedDays::Calendar => WrappedDays::Calendar,
    };
    PricingPolicy { rounding, decimals: None, wrapped_days }
}
