//! One site: its controller, its stations' lines, and what waits to become durable.

mod calls;
mod news;

use super::desk::Desk;
use super::feed::{Known, answer};
use super::record::{self, Records};
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::station::StationId;
use crate::load::control::{Controller, Event, GridLimit, Order, Settings, SiteView};
use crate::load::ledger::{Entry, Outcome};
use crate::load::outlook::SiteOutlook;
use crate::load::rows::{Leaf, Quantity};
use crate::load::site::Site;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::oneshot;

/// How long a driver who is to be let in waits for room, milliseconds.
const ADMISSION: i64 = 15_000;

/// How often the picture of a site that the database keeps is painted anew, milliseconds.
const VIEW: i64 = 10_000;

/// A driver who waits to be let in.
#[derive(Debug)]
struct Waiting {
    leaves: Vec<Leaf>,
    until: i64,
    reply: oneshot::Sender<bool>,
}

/// A limit of the grid operator that the site has not followed yet.
#[derive(Debug, Clone, Copy)]
struct Following {
    since: Timestamp,
    watts: f64,
}

/// One site.
pub(super) struct Runner {
    app: Arc<App>,
    records: Records,
    pub(super) id: String,
    pub(super) revision: i64,
    /// Of the outlook that is followed; none where there never was one.
    pub(super) outlook_revision: Option<i64>,
    controller: Controller,
    /// The place of each station.
    stations: HashMap<StationId, usize>,
    desks: Vec<Desk>,
    waiting: Vec<Waiting>,
    /// Pages of the ledger that are to be made durable, and orders that wait for that.
    pages: BTreeMap<Leaf, Entry>,
    held: Vec<Order>,
    /// Who waits for that as well.
    replies: Vec<oneshot::Sender<Known>>,
    persisting: bool,
    following: Option<Following>,
    view_at: i64,
    minute: i64,
    /// The last register and time of connectors whose stations say nothing else.
    registers: HashMap<Leaf, (f64, Timestamp)>,
}

impl Runner {
    pub(super) fn new(
        app: Arc<App>,
        records: Records,
        site: Site,
        revision: i64,
        pages: Vec<Option<Entry>>,
        limit: Option<GridLimit>,
    ) -> Self {
        let now = app.now().millis();
        let id = site.id.clone();
        let places = site.stations.iter().enumerate();
        let stations: HashMap<StationId, usize> =
            places.filter_map(|(at, station)| Some((StationId::parse(&station.id).ok()?, at))).collect();
        let desks = site.stations.iter().map(|_| Desk::default()).collect();
        let controller = Controller::new(site, Settings::default(), pages, limit, now);
        let mut runner = Self {
            app,
            records,
            id,
            revision,
            controller,
            stations,
            desks,
            waiting: Vec::new(),
            pages: BTreeMap::new(),
            held: Vec::new(),
            replies: Vec::new(),
            outlook_revision: None,
            persisting: false,
            following: None,
            view_at: 0,
            minute: 0,
            registers: HashMap::new(),
        };
        let connected: Vec<usize> = runner
            .stations
            .iter()
            .filter(|(station, _)| runner.app.stations.is_connected(station))
            .map(|(_, at)| *at)
            .collect();
        for station in connected {
            runner.controller.handle(&Event::Online { station }, now);
        }
        runner
    }

    /// Charges that go on at its connectors, in their order.
    pub(super) fn goes_on(&mut self, transactions: &[Option<i32>]) {
        let at = self.now().millis();
        for (leaf, transaction) in transactions.iter().enumerate() {
            if let Some(transaction) = *transaction {
                self.handle(&Event::Began { leaf, transaction, at });
            }
        }
    }

    /// The ids of its stations.
    pub(super) fn station_ids(&self) -> impl Iterator<Item = &StationId> {
        self.stations.keys()
    }

    /// The newest page of each connector, for who takes over.
    pub(super) fn pages(&self) -> impl Iterator<Item = (String, i32, Entry)> + '_ {
        let outlets = self.controller.rows().outlets.iter();
        outlets
            .zip(self.controller.ledger().entries())
            .map(|(outlet, entry)| (outlet.station.to_string(), outlet.connector, entry.clone()))
    }

    fn now(&self) -> Timestamp {
        self.app.now()
    }

    fn leaf(&self, station: &StationId, connector: i32) -> Option<Leaf> {
        self.controller.rows().leaf(station.as_str(), connector)
    }

    fn leaves(&self, station: &StationId, connector: Option<i32>) -> Vec<Leaf> {
        let outlets = self.controller.rows().outlets.iter().enumerate();
        outlets
            .filter(|(_, outlet)| &*outlet.station == station.as_str())
            .filter(|(_, outlet)| connector.is_none_or(|connector| connector == outlet.connector))
            .map(|(leaf, _)| leaf)
            .collect()
    }

    fn handle(&mut self, event: &Event) {
        self.controller.handle(event, self.app.now().millis());
    }

    /// What it follows, for who takes over.
    pub(super) fn followed(&self) -> Option<(i64, SiteOutlook)> {
        self.outlook_revision.map(|revision| (revision, self.controller.outlook().clone()))
    }

    pub(super) fn view(&self) -> SiteView {
        self.controller.view(self.now().millis())
    }

    /// Decides, sends what can be sent, and writes down what has to be.
    pub(super) fn tick(&mut self) {
        let now = self.now();
        for order in self.controller.tick(now.millis()) {
            if order.raises { self.held.push(order) } else { self.send(order) }
        }
        self.admit(now.millis());
        for (leaf, entry) in self.controller.take_changed() {
            self.pages.insert(leaf, entry);
        }
        for report in self.controller.take_reports() {
            record::report(&self.records, &self.id, &report, now);
        }
        self.persist();
        self.start_calls();
        self.follow(now);
        self.remember(now);
    }

    /// When it has to look again without news.
    pub(super) fn next_change(&self) -> Option<i64> {
        self.controller.next_change(self.now().millis())
    }

    fn answer_all(&mut self, orders: Vec<Order>, outcome: Outcome) {
        for order in orders {
            self.handle(&Event::Answered { seq: order.seq, outcome });
        }
    }

    fn admit(&mut self, now: i64) {
        for Waiting { leaves, until, reply } in std::mem::take(&mut self.waiting) {
            let room = leaves.is_empty() || leaves.iter().any(|leaf| self.controller.admit(*leaf, now));
            if room || now >= until {
                if !room {
                    tracing::info!(site = %self.id, "a driver was not let in: there is no room for the station");
                }
                answer(reply, room);
            } else if !reply.is_closed() {
                self.waiting.push(Waiting { leaves, until, reply });
            }
        }
    }

    /// Notes when a limit of the grid operator is kept, whatever fails from now on.
    fn follow(&mut self, now: Timestamp) {
        let Some(Following { since, watts }) = self.following else { return };
        let root = self.controller.site().nodes.iter().find(|node| node.parent.is_none());
        let row = root.and_then(|root| self.controller.rows().row(&root.id, Quantity::Watts));
        let book = self.controller.ledger().book(self.controller.rows(), now.millis());
        let reserved = row.map_or(0.0, |row| book.used(self.controller.rows(), row));
        if reserved <= watts {
            self.following = None;
            record::followed(&self.records, &self.id, watts, since, now);
        }
    }

    /// Keeps the picture for who asks from outside this process, and the minute for the chart.
    fn remember(&mut self, now: Timestamp) {
        if now.millis() < self.view_at.saturating_add(VIEW) {
            return;
        }
        self.view_at = now.millis();
        let view = self.view();
        let minute = now.millis().div_euclid(60_000);
        let new_minute = minute != self.minute;
        self.minute = minute;
        record::view(&self.records, &self.id, &view, now, new_minute);
    }
}
