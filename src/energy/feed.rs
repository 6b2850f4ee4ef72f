//! The way into load management for everybody else.

use crate::db::load::SiteRow;
use crate::domain::Timestamp;
use crate::domain::station::{ConnectorStatus, MeterSample, StationId};
use crate::load::control::{GridLimit, Order, SiteView, Wish};
use crate::load::ledger::{Outcome, Tenths};
use crate::load::outlook::SiteOutlook;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot};

/// What happened.
#[derive(Debug)]
pub(super) enum Notice {
    Online(StationId),
    Offline(StationId),
    Booted(StationId),
    Began {
        station: StationId,
        connector: i32,
        transaction: i32,
        at: Timestamp,
    },
    Ended {
        station: StationId,
        transaction: i32,
    },
    Status {
        station: StationId,
        connector: i32,
        status: ConnectorStatus,
        /// By the station's clock, where it says so.
        at: Option<Timestamp>,
    },
    Metered {
        station: StationId,
        connector: i32,
        samples: Vec<MeterSample>,
    },
    Admit {
        station: StationId,
        connector: Option<i32>,
        reply: oneshot::Sender<bool>,
    },
    SiteMeter {
        site: String,
        meter: String,
        amps: [f64; 3],
        at: Timestamp,
        reply: Option<oneshot::Sender<Known>>,
    },
    Heartbeat {
        site: String,
        reply: oneshot::Sender<Known>,
    },
    Limit {
        site: String,
        limit: GridLimit,
        reply: oneshot::Sender<Known>,
    },
    Wish {
        station: StationId,
        connector: i32,
        wish: Wish,
        reply: oneshot::Sender<Known>,
    },
    Forgive {
        station: StationId,
        reply: oneshot::Sender<Known>,
    },
    View {
        site: String,
        reply: oneshot::Sender<Option<SiteView>>,
    },
    /// Sites were written or removed.
    Changed,
    /// The sites as the database has them now, and the outlooks that have changed: of which site, with their revision.
    Loaded(Vec<SiteRow>, Vec<(String, i64, Option<SiteOutlook>)>),
    /// Pages of the ledger are durable, or could not be made so.
    Persisted {
        site: String,
        orders: Vec<Order>,
        /// Who waits for it.
        replies: Vec<oneshot::Sender<Known>>,
        durable: bool,
    },
    /// An order has its answer.
    Done {
        site: String,
        order: Order,
        outcome: Outcome,
        composite: Option<Option<Tenths>>,
    },
}

/// Whether what was named is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is, and what was said counts.
    Yes,
    /// There is no such site, station or connector under load management here.
    No,
    /// The site has no such meter, or nothing is agreed with its grid operator.
    NoPart,
    /// No car charges there.
    NoCar,
    /// It counts, but the database did not take it: a restart may forget it.
    NotKept,
}

/// Answers whoever asked, and may have gone meanwhile.
pub(super) fn answer<T>(reply: oneshot::Sender<T>, with: T) {
    let _gone = reply.send(with);
}

/// The receiving end, for the manager.
#[derive(Debug)]
pub struct Notices(pub(super) mpsc::UnboundedReceiver<Notice>);

/// The way in. Cheap to clone. Where no manager runs, nothing is under load management.
#[derive(Debug, Clone)]
pub struct Energy {
    notices: mpsc::UnboundedSender<Notice>,
    /// The stations of all sites: nothing is told of others.
    stations: Arc<RwLock<HashSet<StationId>>>,
}

impl Energy {
    /// Both ends.
    #[must_use]
    pub fn new() -> (Self, Notices) {
        let (notices, receiver) = mpsc::unbounded_channel();
        (Self { notices, stations: Arc::default() }, Notices(receiver))
    }

    pub(super) fn set_stations(&self, stations: HashSet<StationId>) {
        *self.stations.write().unwrap_or_else(PoisonError::into_inner) = stations;
    }

    fn manages(&self, station: &StationId) -> bool {
        self.stations.read().unwrap_or_else(PoisonError::into_inner).contains(station)
    }

    pub(super) fn tell(&self, notice: Notice) {
        // Nobody listens where no manager runs, or any more.
        drop(self.notices.send(notice));
    }

    /// A station's socket opened.
    pub fn online(&self, station: &StationId) {
        if self.manages(station) {
            self.tell(Notice::Online(station.clone()));
        }
    }

    /// A station's socket closed.
    pub fn offline(&self, station: &StationId) {
        if self.manages(station) {
            self.tell(Notice::Offline(station.clone()));
        }
    }

    /// A station booted.
    pub fn booted(&self, station: &StationId) {
        if self.manages(station) {
            self.tell(Notice::Booted(station.clone()));
        }
    }

    /// A charge began.
    pub fn began(&self, station: &StationId, connector: i32, transaction: i32, at: Timestamp) {
        if self.manages(station) {
            self.tell(Notice::Began { station: station.clone(), connector, transaction, at });
        }
    }

    /// A charge ended.
    pub fn ended(&self, station: &StationId, transaction: i32) {
        if self.manages(station) {
            self.tell(Notice::Ended { station: station.clone(), transaction });
        }
    }

    /// What a station says of a connector, and when by its clock, where it says so.
    pub fn status(
        &self,
        station: &StationId,
        connector: i32,
        status: &ConnectorStatus,
        at: Option<Timestamp>,
    ) {
        if self.manages(station) {
            self.tell(Notice::Status { station: station.clone(), connector, status: status.clone(), at });
        }
    }

    /// What a connector's meter saw.
    pub fn metered(&self, station: &StationId, connector: i32, samples: &[MeterSample]) {
        if self.manages(station) {
            let samples = samples.to_vec();
            self.tell(Notice::Metered { station: station.clone(), connector, samples });
        }
    }

    /// Whether a driver may be let in: what the station may then draw fits. Where it does not yet, room is made for
    /// it, and this waits a while.
    pub async fn admit(&self, station: &StationId, connector: Option<i32>) -> bool {
        if !self.manages(station) {
            return true;
        }
        self.ask(|reply| Notice::Admit { station: station.clone(), connector, reply }).await.unwrap_or(true)
    }

    /// What a site's meter saw, amperes on L1, L2, L3; nobody waits for what becomes of it.
    pub fn site_meter(&self, site: &str, meter: &str, amps: [f64; 3], at: Timestamp) {
        let (site, meter) = (site.to_owned(), meter.to_owned());
        self.tell(Notice::SiteMeter { site, meter, amps, at, reply: None });
    }

    /// What a site's meter saw, amperes on L1, L2, L3.
    pub async fn read_site_meter(&self, site: &str, meter: &str, amps: [f64; 3], at: Timestamp) -> Known {
        let (site, meter) = (site.to_owned(), meter.to_owned());
        let notice = |reply| Notice::SiteMeter { site, meter, amps, at, reply: Some(reply) };
        self.ask(notice).await.unwrap_or(Known::No)
    }

    /// A sign of life of a site's grid operator.
    pub async fn heartbeat(&self, site: &str) -> Known {
        self.ask(|reply| Notice::Heartbeat { site: site.to_owned(), reply }).await.unwrap_or(Known::No)
    }

    /// A limit of a site's grid operator.
    pub async fn limit(&self, site: &str, limit: GridLimit) -> Known {
        self.ask(|reply| Notice::Limit { site: site.to_owned(), limit, reply }).await.unwrap_or(Known::No)
    }

    /// What a driver or an eMSP wishes for the car at a connector.
    pub async fn wish(&self, station: &StationId, connector: i32, wish: Wish) -> Known {
        let notice = |reply| Notice::Wish { station: station.clone(), connector, wish, reply };
        self.ask(notice).await.unwrap_or(Known::No)
    }

    /// The operator says that a station can be relied on again.
    pub async fn forgive(&self, station: &StationId) -> Known {
        self.ask(|reply| Notice::Forgive { station: station.clone(), reply }).await.unwrap_or(Known::No)
    }

    /// A site as it is now; none where there is no such site here.
    pub async fn view(&self, site: &str) -> Option<SiteView> {
        self.ask(|reply| Notice::View { site: site.to_owned(), reply }).await.flatten()
    }

    /// Sites or their outlooks were written or removed.
    pub fn sites_changed(&self) {
        self.tell(Notice::Changed);
    }

    async fn ask<T>(&self, notice: impl FnOnce(oneshot::Sender<T>) -> Notice) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.tell(notice(reply));
        answer.await.ok()
    }
}
