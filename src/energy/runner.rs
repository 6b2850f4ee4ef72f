//! One site: its controller, its stations' lines, and what waits to become durable.

use super::desk::Desk;
use super::feed::{Known, Notice, answer};
use super::record::Records;
use super::{profiles, record};
use crate::app::App;
use crate::charging::StationAnswer;
use crate::db::load as stored;
use crate::domain::Timestamp;
use crate::domain::station::{ConnectorStatus, MeterSample, StationId};
use crate::load::control::{Ask, Controller, Event, GridLimit, Order, Settings, SiteView};
use crate::load::ledger::{Entry, Outcome};
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
    controller: Controller,
    /// The place of each station.
    stations: HashMap<StationId, usize>,
    desks: Vec<Desk>,
    waiting: Vec<Waiting>,
    /// Pages of the ledger that are to be made durable, and orders that wait for that.
    pages: BTreeMap<Leaf, Entry>,
    held: Vec<Order>,
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

    /// Takes what happened at one of its stations.
    pub(super) fn at_station(&mut self, station: &StationId, notice: Notice) {
        let Some(place) = self.stations.get(station).copied() else { return };
        match notice {
            Notice::Online(_) => self.handle(&Event::Online { station: place }),
            Notice::Offline(_) => {
                self.handle(&Event::Offline { station: place });
                let unsent = self.desks.get_mut(place).map(Desk::clear).unwrap_or_default();
                self.answer_all(unsent, Outcome::Unsent);
            }
            Notice::Booted(_) => self.handle(&Event::Booted { station: place }),
            Notice::Began { connector, transaction, at, .. } => {
                if let Some(leaf) = self.leaf(station, connector) {
                    self.handle(&Event::Began { leaf, transaction, at: at.millis() });
                }
            }
            Notice::Ended { transaction, .. } => {
                for leaf in self.leaves(station, None) {
                    self.handle(&Event::Ended { leaf, transaction });
                    self.registers.remove(&leaf);
                }
            }
            Notice::Status { connector, status, .. } => {
                if let Some(leaf) = self.leaf(station, connector) {
                    // The car has left; that its charge ended may be told later.
                    let goes_on = self.controller.ledger().entry(leaf).and_then(|entry| entry.transaction);
                    if let Some(transaction) = goes_on.filter(|_| status == ConnectorStatus::Available) {
                        self.handle(&Event::Ended { leaf, transaction });
                    }
                    let by_car = status == ConnectorStatus::SuspendedEv;
                    self.handle(&Event::Suspended { leaf, by_car });
                }
            }
            Notice::Metered { connector, samples, .. } => {
                if let Some(leaf) = self.leaf(station, connector) {
                    for sample in &samples {
                        self.metered(leaf, sample);
                    }
                }
            }
            Notice::Admit { connector, reply, .. } => {
                let leaves = self.leaves(station, connector);
                for leaf in &leaves {
                    self.handle(&Event::Authorized { leaf: *leaf });
                }
                let until = self.now().millis().saturating_add(ADMISSION);
                self.waiting.push(Waiting { leaves, until, reply });
            }
            Notice::Wish { connector, wish, reply, .. } => {
                let leaf = self.leaf(station, connector);
                let car =
                    leaf.and_then(|leaf| self.controller.ledger().entry(leaf)).map(|entry| entry.transaction);
                let known = match (leaf, car) {
                    (Some(leaf), Some(Some(_))) => {
                        self.handle(&Event::Wish { leaf, wish });
                        Known::Yes
                    }
                    (Some(_), _) => Known::NoCar,
                    (None, _) => Known::No,
                };
                answer(reply, known);
            }
            Notice::Forgive { reply, .. } => {
                self.handle(&Event::Forgive { station: place });
                answer(reply, Known::Yes);
            }
            _ => {}
        }
    }

    /// What a sample says of the current: as it is, or by the power, or by the energy since the sample before.
    fn metered(&mut self, leaf: Leaf, sample: &MeterSample) {
        let Some(outlet) = self.controller.rows().outlets.get(leaf) else { return };
        let read = record::Read::new(sample, outlet, self.registers.get(&leaf).copied());
        if let Some(register) = read.register {
            self.registers.insert(leaf, (register, sample.at));
        }
        let event = Event::Metered { leaf, amps: read.amps, kwh: read.register, taken: read.taken.millis() };
        self.handle(&event);
    }

    pub(super) fn site_meter(&mut self, meter: &str, amps: [f64; 3], at: Timestamp) -> Known {
        let place = self.controller.site().meters.iter().position(|known| known.id == meter);
        let Some(meter) = place else { return Known::NoPart };
        self.handle(&Event::SiteMeter { meter, amps, taken: at.millis() });
        Known::Yes
    }

    pub(super) fn heartbeat(&mut self) -> Known {
        if self.controller.site().grid_control.is_none() {
            return Known::NoPart;
        }
        self.handle(&Event::GridHeartbeat);
        Known::Yes
    }

    pub(super) fn limit(&mut self, limit: GridLimit) -> Known {
        if self.controller.site().grid_control.is_none() {
            return Known::NoPart;
        }
        self.handle(&Event::GridLimit(limit));
        let now = self.now();
        self.following = limit.watts.map(|watts| Following { since: now, watts });
        record::limit(&self.records, &self.id, limit, now);
        Known::Yes
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

    fn send(&mut self, order: Order) {
        let replaced = self.desks.get_mut(order.station).map(|desk| desk.put(order));
        self.answer_all(replaced.unwrap_or_default(), Outcome::Unsent);
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

    /// Starts to make durable what has changed, unless that goes on already: pages must not overtake each other.
    fn persist(&mut self) {
        if self.persisting || self.pages.is_empty() {
            if self.pages.is_empty() && !self.persisting {
                let held = std::mem::take(&mut self.held);
                held.into_iter().for_each(|order| self.send(order));
            }
            return;
        }
        self.persisting = true;
        let outlets = &self.controller.rows().outlets;
        let pages: Vec<(String, i32, Entry)> = std::mem::take(&mut self.pages)
            .into_iter()
            .filter_map(|(leaf, entry)| {
                let outlet = outlets.get(leaf)?;
                Some((outlet.station.to_string(), outlet.connector, entry))
            })
            .collect();
        let orders = std::mem::take(&mut self.held);
        let (app, site) = (Arc::clone(&self.app), self.id.clone());
        tokio::spawn(async move {
            let written = app.db.write(move |conn| stored::keep_pages(conn, &pages)).await;
            if let Err(error) = &written {
                tracing::error!(site, %error, "the load ledger cannot be written: no limit is raised");
            }
            app.energy.tell(Notice::Persisted { site, orders, durable: written.is_ok() });
        });
    }

    /// What was to become durable is, or is not. Orders that something newer has replaced meanwhile are dropped.
    pub(super) fn persisted(&mut self, orders: Vec<Order>, durable: bool) {
        self.persisting = false;
        if !durable {
            // Everything is written again, so that what could not be is not forgotten.
            let entries = self.controller.ledger().entries().iter().cloned().enumerate();
            self.pages = entries.collect();
        }
        for order in orders {
            if durable && self.is_current(&order) {
                self.send(order);
            } else {
                self.answer_all(vec![order], Outcome::Unsent);
            }
        }
    }

    fn is_current(&self, order: &Order) -> bool {
        match &order.ask {
            Ask::Grant { leaf, .. } => {
                let entry = self.controller.ledger().entry(*leaf);
                entry.and_then(|entry| entry.held.last()).is_some_and(|held| held.seq == order.seq)
            }
            _ => true,
        }
    }

    fn start_calls(&mut self) {
        let now = self.now();
        for (place, desk) in self.desks.iter_mut().enumerate() {
            let Some(order) = desk.next() else { continue };
            let described = self.controller.site().stations.get(place);
            let station = described.and_then(|station| StationId::parse(&station.id).ok());
            let leaf = match &order.ask {
                Ask::StationMost { .. } => None,
                Ask::Default { leaf, .. }
                | Ask::Grant { leaf, .. }
                | Ask::Composite { leaf }
                | Ask::Meter { leaf } => Some(*leaf),
            };
            let outlets = &self.controller.rows().outlets;
            let outlet = match leaf {
                Some(leaf) => outlets.get(leaf),
                None => outlets
                    .iter()
                    .find(|outlet| described.is_some_and(|station| *station.id == *outlet.station)),
            };
            let (Some(station), Some(outlet)) = (station, outlet.cloned()) else { continue };
            let (app, site) = (Arc::clone(&self.app), self.id.clone());
            tokio::spawn(async move {
                let answer =
                    app.stations.call(&station, profiles::call(&order.ask, &outlet, now), None).await;
                let outcome = profiles::outcome(&answer);
                if outcome != Outcome::Accepted {
                    tracing::info!(%station, ask = ?order.ask, ?outcome, ?answer, "a limit was not taken");
                }
                let composite = match &answer {
                    Ok(StationAnswer::Composite { status, schedule }) if status == "Accepted" => {
                        schedule.as_ref().and_then(|schedule| profiles::limit_now(schedule, &outlet))
                    }
                    _ => None,
                };
                app.energy.tell(Notice::Done { site, order, outcome, composite });
            });
        }
    }

    /// An order has its answer.
    pub(super) fn done(&mut self, order: &Order, outcome: Outcome, composite: Option<Option<u32>>) {
        if let Some(desk) = self.desks.get_mut(order.station) {
            desk.free();
        }
        self.handle(&Event::Answered { seq: order.seq, outcome });
        if let (Ask::Composite { leaf }, Some(limit)) = (&order.ask, composite) {
            let asked = self.now().millis();
            self.handle(&Event::Composite { leaf: *leaf, limit, asked });
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
