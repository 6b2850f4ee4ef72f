//! The controller of a site: what happened goes in, what stations are asked comes out.
//!
//! It does no I/O and has no clock; every question brings the time. [`Controller::handle`] takes an event,
//! [`Controller::tick`] decides: it reckons what every row may carry now, has the solver share it, and brings the
//! stations there: first what falls, at once; then what rises, as far as the ledger has room for it already. So
//! an increase waits by itself until the decreases that it needs were accepted and seen on the meters.
//!
//! It knows no version of OCPP. An [`Ask`] says what is wanted; whoever speaks to the station puts it into its
//! words and says what became of it ([`Event::Answered`]).

#![expect(clippy::float_arithmetic, reason = "load management computes with amperes and watts")]

mod ahead;
mod car;
mod decide;
pub mod grid;
mod meters;
mod order;
mod view;

pub use grid::{Grid, GridControl, GridLimit, GridState, guaranteed_watts};
pub use order::{Ask, Event, Finding, Order, Report, Wish};
pub use view::{ConnectorView, RowView, SiteView, Why};

use super::ledger::{Entry, Ledger, Millis, Outcome, Seen, Tenths, Trust};
use super::rows::{Leaf, Rows};
use super::site::{Measures, Site};
use ahead::Ahead;
use car::{Car, Phases};
use meters::{Reading, SiteMeter};
use std::collections::BTreeMap;
use std::ops::Range;

/// For how long room is made for a driver who waits to be let in.
const AT_THE_DOOR: Millis = 30_000;

/// For how long room is kept for a driver who was let in and has not begun to charge.
const LET_IN: Millis = 120_000;

/// How the controller behaves, whatever the site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// For how long a grant holds without renewal.
    pub lease: Millis,
    /// How long before its end a grant is renewed.
    pub renew: Millis,
    /// By how much a station's clock may be off.
    pub skew: Millis,
    /// The least time between two increases at a connector: each is written to the station's flash memory.
    pub wear: Millis,
    /// The least time for which a car stays on once it is on.
    pub min_on: Millis,
    /// Changes smaller than this are not worth a write, where no limit asks for them.
    pub dead_band: Tenths,
    /// How long an increase waits for its full size, before it takes what there is.
    pub patience: Millis,
    /// After how long an order that was not answered, or was refused, is sent again.
    pub retry: Millis,
    /// What a station that has to show that it obeys is given first.
    pub probe: Tenths,
    /// For how long it is given no more than that.
    pub probation: Millis,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: 900_000,
            renew: 300_000,
            skew: 60_000,
            wear: 300_000,
            min_on: 900_000,
            dead_band: 10,
            patience: 20_000,
            retry: 30_000,
            probe: 80,
            probation: 120_000,
        }
    }
}

/// A station as the controller sees it.
#[derive(Debug, Clone, PartialEq)]
struct StationState {
    leaves: Range<Leaf>,
    online: bool,
    /// Whether its standing profiles have to be sent (again).
    unprepared: bool,
    /// When something about its standing profiles was sent last.
    prepared_at: Option<Millis>,
    /// Whether its ChargePointMaxProfile was accepted since it booted.
    most_accepted: bool,
    refusals: u8,
}

/// A connector as the controller sees it.
#[derive(Debug, Clone, PartialEq)]
struct LeafState {
    car: Option<Car>,
    /// Until when a driver who was let in may start to charge.
    expected: Option<Millis>,
    /// When something was sent to it last, by what kind.
    granted_at: Option<Millis>,
    metered_asked: Option<Millis>,
    composite_due: bool,
    /// Since when it wants more than the ledger has room for.
    wants_since: Option<Millis>,
    target: Tenths,
    why: Why,
}

/// The controller of a site.
#[derive(Debug, Clone)]
pub struct Controller {
    site: Site,
    rows: Rows,
    settings: Settings,
    ledger: Ledger,
    grid: Option<Grid>,
    meters: Vec<SiteMeter>,
    stations: Vec<StationState>,
    leaves: Vec<LeafState>,
    waiting: BTreeMap<u64, Order>,
    station_of: Vec<usize>,
    ahead: Ahead,
    reports: Vec<Report>,
    seen: BTreeMap<(String, Finding), Millis>,
}

/// What a station's connectors are told before anything else is known.
fn tenths(amps: f64) -> Tenths {
    // Rounds down, and makes nothing of what is no number.
    let tenths = (amps * 10.0 + 1e-6).floor();
    if tenths >= 1.0 { super::round::whole(tenths) } else { 0 }
}

impl Controller {
    /// For a site, with the pages of the ledger that are known, in the order of the connectors; none for a
    /// connector that is new. `limit` is the grid operator's limit that was in force before.
    #[must_use]
    pub fn new(
        site: Site,
        settings: Settings,
        known: Vec<Option<Entry>>,
        limit: Option<GridLimit>,
        now: Millis,
    ) -> Self {
        let rows = Rows::compile(&site);
        let mut entries = Vec::new();
        let mut stations = Vec::new();
        let mut leaves = Vec::new();
        let mut known = known.into_iter();
        let mut station_of = Vec::new();
        for (at, station) in site.stations.iter().enumerate() {
            let first = leaves.len();
            let mut fresh = false;
            for connector in &station.connectors {
                let nameplate = tenths(connector.amps);
                let known = known.next().flatten();
                // What survived a restart was sent before: it is not written to the station again.
                fresh |= known.is_none();
                let mut entry = known.unwrap_or_else(|| Entry::new(nameplate));
                entry.restore();
                entry.nameplate = nameplate;
                entry.declare(station.smart_charging);
                let car = entry.transaction.map(|_| Car::new(now, nameplate));
                entries.push(entry);
                station_of.push(at);
                leaves.push(LeafState {
                    car,
                    expected: None,
                    granted_at: None,
                    metered_asked: None,
                    composite_due: false,
                    wants_since: None,
                    target: 0,
                    why: Why::Offline,
                });
            }
            stations.push(StationState {
                leaves: first..leaves.len(),
                online: false,
                unprepared: fresh,
                prepared_at: None,
                most_accepted: !fresh,
                refusals: 0,
            });
        }
        let meters =
            site.meters.iter().map(|meter| SiteMeter::new(i64::from(meter.stale_seconds) * 1_000)).collect();
        let grid = site.grid_control.map(|agreed| Grid::start(agreed, now, limit));
        Self {
            ledger: Ledger::new(entries, settings.skew),
            rows,
            settings,
            grid,
            meters,
            stations,
            leaves,
            waiting: BTreeMap::new(),
            station_of,
            ahead: Ahead::default(),
            reports: Vec::new(),
            seen: BTreeMap::new(),
            site,
        }
    }

    /// The site.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Its rows.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Its ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The connectors whose pages have changed since this was asked last, with what has to be durable before
    /// anything that raises a limit is sent.
    pub fn take_changed(&mut self) -> Vec<(Leaf, Entry)> {
        let changed = self.ledger.take_changed();
        changed.into_iter().filter_map(|leaf| Some((leaf, self.ledger.entry(leaf)?.clone()))).collect()
    }

    /// What the operator should know and was not told yet.
    pub fn take_reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports)
    }

    /// Whether a driver may be let in at a connector now, which keeps the room for it: a station that has shown
    /// that it obeys starts within its standing limit; one that has not needs room for all that it can draw. Where
    /// there is none yet, the next ticks make it ([`Event::Authorized`]), and to ask again may help.
    #[must_use]
    pub fn admit(&mut self, leaf: Leaf, now: Millis) -> bool {
        let Some(entry) = self.ledger.entry(leaf) else { return true };
        let more = match entry.trust {
            // Nothing may start before its standing limit is in force.
            _ if entry.default.is_none() && entry.trust != Trust::Unable => return false,
            Trust::Proven => return true,
            Trust::Unable | Trust::Ignores | Trust::Unproven => {
                entry.ceiling().saturating_sub(self.ledger.exposure(leaf, now).base)
            }
        };
        let fits = !self.is_over(leaf, more, now);
        self.ledger.expect(leaf, fits);
        if fits && let Some(state) = self.leaves.get_mut(leaf) {
            state.expected = Some(now.saturating_add(LET_IN));
        }
        fits
    }

    /// Takes what happened.
    pub fn handle(&mut self, event: &Event, now: Millis) {
        match event {
            Event::Online { station } => self.online(*station, true),
            Event::Offline { station } => self.online(*station, false),
            Event::Booted { station } => {
                if let Some(state) = self.stations.get_mut(*station) {
                    state.unprepared = true;
                    state.prepared_at = None;
                    state.most_accepted = false;
                    for leaf in state.leaves.clone() {
                        if let Some(leaf) = self.leaves.get_mut(leaf) {
                            leaf.composite_due = leaf.car.is_some();
                        }
                    }
                }
            }
            Event::Authorized { leaf } => {
                if let Some(state) = self.leaves.get_mut(*leaf) {
                    state.expected = Some(now.saturating_add(AT_THE_DOOR));
                }
            }
            Event::Began { leaf, transaction, at } => self.began(*leaf, *transaction, *at),
            Event::Ended { leaf, transaction } => self.ended(*leaf, *transaction, now),
            Event::Suspended { leaf, by_car } => {
                if let Some(car) = self.car_mut(*leaf) {
                    car.suspended = *by_car;
                }
            }
            Event::Metered { leaf, amps, kwh, taken } => {
                if let (Some(kwh), Some(car)) = (*kwh, self.car_mut(*leaf)) {
                    car.registers(kwh);
                }
                self.metered(*leaf, *amps, *taken, now);
            }
            Event::SiteMeter { meter, amps, taken } => self.site_meter(*meter, *amps, *taken, now),
            Event::GridHeartbeat => {
                if let Some(grid) = &mut self.grid {
                    grid.heartbeat(now);
                }
            }
            Event::GridLimit(limit) => {
                if let Some(grid) = &mut self.grid {
                    grid.set(*limit, now);
                }
            }
            Event::Wish { leaf, wish } => {
                if let Some(car) = self.car_mut(*leaf) {
                    car.wishes(*wish);
                }
            }
            Event::Answered { seq, outcome } => self.answered(*seq, *outcome, now),
            Event::Composite { leaf, limit, asked } => self.composite(*leaf, *limit, *asked, now),
            Event::Forgive { station } => self.forgive(*station),
        }
    }

    fn car_mut(&mut self, leaf: Leaf) -> Option<&mut Car> {
        self.leaves.get_mut(leaf)?.car.as_mut()
    }

    /// The place of a connector's station.
    fn station_of(&self, leaf: Leaf) -> Option<usize> {
        self.station_of.get(leaf).copied()
    }

    fn name_of(&self, station: Option<usize>) -> String {
        station
            .and_then(|at| self.site.stations.get(at))
            .map(|station| station.id.clone())
            .unwrap_or_default()
    }

    /// Reports a finding, but not again within an hour.
    fn report(&mut self, about: String, what: Finding, now: Millis) {
        let key = (about.clone(), what);
        if self.seen.get(&key).is_some_and(|last| now < last.saturating_add(3_600_000)) {
            return;
        }
        self.seen.insert(key, now);
        self.reports.push(Report { at: now, about, what });
    }

    fn online(&mut self, station: usize, online: bool) {
        let Some(state) = self.stations.get_mut(station) else { return };
        state.online = online;
        for leaf in state.leaves.clone() {
            // Whether it is connected is not durable, so this is no change of the page.
            let changed = self.ledger.entry(leaf).is_some_and(|entry| entry.online != online);
            if changed {
                self.ledger.set_online(leaf, online);
            }
            if let Some(leaf) = self.leaves.get_mut(leaf) {
                leaf.granted_at = None;
            }
        }
    }

    fn began(&mut self, leaf: Leaf, transaction: i32, at: Millis) {
        let Some(entry) = self.ledger.entry_mut(leaf) else { return };
        let again = entry.transaction == Some(transaction);
        entry.begin(transaction);
        entry.expected = false;
        let nameplate = entry.nameplate;
        if let Some(state) = self.leaves.get_mut(leaf) {
            state.expected = None;
            if !again || state.car.is_none() {
                state.car = Some(Car::new(at, nameplate));
                state.wants_since = None;
                state.granted_at = None;
            }
        }
    }

    fn ended(&mut self, leaf: Leaf, transaction: i32, now: Millis) {
        let Some(entry) = self.ledger.entry_mut(leaf) else { return };
        if entry.transaction != Some(transaction) {
            return;
        }
        entry.end();
        if let Some(state) = self.leaves.get_mut(leaf) {
            if let Some(car) = state.car.take() {
                self.ahead.left(car.began, now);
            }
            state.target = 0;
            state.wants_since = None;
        }
    }

    fn metered(&mut self, leaf: Leaf, amps: [Option<f64>; 3], taken: Millis, now: Millis) {
        let station = self.station_of(leaf);
        let name = self.name_of(station);
        // Nonsense proves nothing, and must not look like a car that draws nothing.
        let given: Vec<f64> = amps.iter().copied().flatten().collect();
        if given.is_empty() || given.iter().any(|amps| !amps.is_finite() || *amps > 10_000.0) {
            return;
        }
        let most = given.iter().map(|amps| amps.abs()).fold(0.0, f64::max);
        let most = super::round::whole((most * 10.0).round());
        let taken = taken.min(now);
        let Some(entry) = self.ledger.entry_mut(leaf) else { return };
        let allowed = entry.allowed(taken);
        let nameplate = entry.nameplate;
        let overdrawn = entry.overdrawn;
        let seen = entry.measured(most, taken);
        let overdraws = entry.overdrawn > overdrawn;
        let all = match amps {
            [Some(l1), Some(l2), Some(l3)] => Some([l1.abs(), l2.abs(), l3.abs()]),
            _ => None,
        };
        let known = entry.phases;
        if let Some(car) = self.leaves.get_mut(leaf).and_then(|state| state.car.as_mut()) {
            let phases = all.map_or(Phases::Same, |all| car.metered(all, taken, known));
            car.learn_appetite(most, allowed, nameplate, taken);
            if let (Some(entry), phases) = (self.ledger.entry_mut(leaf), phases) {
                match phases {
                    Phases::Same => {}
                    Phases::Known(phases) => entry.phases = Some(phases),
                    Phases::Wrong => entry.phases = None,
                }
            }
        }
        if overdraws {
            self.report(name.clone(), Finding::Overdraws, now);
        }
        if seen == Seen::Ignores {
            self.distrust(station, Trust::Ignores);
            self.report(name, Finding::Ignores, now);
        }
    }

    /// What one connector of a station does, all of them can do.
    fn distrust(&mut self, station: Option<usize>, trust: Trust) {
        let Some(state) = station.and_then(|station| self.stations.get(station)) else { return };
        for leaf in state.leaves.clone() {
            if let Some(entry) = self.ledger.entry_mut(leaf) {
                entry.trust = trust;
            }
        }
    }

    fn forgive(&mut self, station: usize) {
        let smart = self.site.stations.get(station).is_some_and(|station| station.smart_charging);
        if !smart {
            return;
        }
        self.distrust(Some(station), Trust::Unproven);
        if let Some(state) = self.stations.get_mut(station) {
            state.unprepared = true;
            state.refusals = 0;
            for leaf in state.leaves.clone() {
                if let Some(entry) = self.ledger.entry_mut(leaf) {
                    entry.overdrawn = 0;
                    entry.strikes = 0;
                    entry.refusals = 0;
                }
            }
        }
    }

    fn site_meter(&mut self, meter: usize, amps: [f64; 3], taken: Millis, now: Millis) {
        let Some(described) = self.site.meters.get(meter) else { return };
        let (id, measures, node) = (described.id.clone(), described.measures, described.node.clone());
        let cars = match measures {
            Measures::Background => [0.0; 3],
            Measures::Total => self.drawn_below(&node, taken),
        };
        let [l1, l2, l3] = amps;
        let [c1, c2, c3] = cars;
        let Some(state) = self.meters.get_mut(meter) else { return };
        let was_good = state.is_good(now);
        let reading = state.take([l1 - c1, l2 - c2, l3 - c3], taken, now);
        match reading {
            Reading::Nonsense => self.report(id, Finding::MeterLost, now),
            Reading::Good if !was_good => self.report(id, Finding::MeterBack, now),
            Reading::Good | Reading::Old => {}
        }
    }

    fn answered(&mut self, seq: u64, outcome: Outcome, now: Millis) {
        // An answer that comes after its order was given up still says what is in force.
        let Some(order) = self.waiting.get(&seq).cloned() else { return };
        if outcome != Outcome::Lost {
            self.waiting.remove(&seq);
        }
        match order.ask {
            Ask::StationMost { .. } => {
                if let Some(state) = self.stations.get_mut(order.station) {
                    // It only guards against a fuse that is smaller than the station thinks: a station that refuses
                    // it is not asked again before it boots.
                    state.most_accepted |= !matches!(outcome, Outcome::Lost | Outcome::Unsent);
                }
            }
            Ask::Default { leaf, .. } => {
                if let Some(entry) = self.ledger.entry_mut(leaf) {
                    entry.default_answered(seq, outcome);
                }
                if outcome == Outcome::Accepted
                    && let Some(state) = self.stations.get_mut(order.station)
                {
                    state.refusals = 0;
                }
                self.refused(leaf, outcome, true, now);
            }
            Ask::Grant { leaf, .. } => {
                let before = self.ledger.entry(leaf).map_or(0, |entry| entry.acknowledged);
                if let Some(entry) = self.ledger.entry_mut(leaf) {
                    entry.answered(seq, outcome, now);
                }
                let unproven = self.ledger.entry(leaf).is_some_and(|entry| entry.trust == Trust::Unproven);
                if let Some(state) = self.leaves.get_mut(leaf) {
                    state.composite_due |= outcome == Outcome::Accepted && unproven && seq > before;
                }
                self.refused(leaf, outcome, false, now);
            }
            Ask::Composite { .. } | Ask::Meter { .. } => {}
        }
    }

    /// What follows from a refusal. A station that does not even know what is asked takes no profiles.
    fn refused(&mut self, leaf: Leaf, outcome: Outcome, default: bool, now: Millis) {
        let station = self.station_of(leaf);
        let name = self.name_of(station);
        let times = match (outcome, default) {
            (Outcome::Unable, _) => u8::MAX,
            (Outcome::Rejected, false) => self.ledger.entry(leaf).map_or(0, |entry| entry.refusals),
            (Outcome::Rejected, true) => {
                let state = station.and_then(|station| self.stations.get_mut(station));
                state.map_or(0, |state| {
                    state.refusals = state.refusals.saturating_add(1);
                    state.refusals
                })
            }
            (Outcome::Accepted | Outcome::Lost | Outcome::Unsent, _) => return,
        };
        if times == u8::MAX || (default && times >= 3) {
            self.distrust(station, Trust::Unable);
            self.report(name, Finding::Unable, now);
        } else if times >= 3 {
            self.report(name, Finding::Refuses, now);
        }
    }

    fn composite(&mut self, leaf: Leaf, limit: Option<Tenths>, asked: Millis, now: Millis) {
        let station = self.station_of(leaf);
        let name = self.name_of(station);
        let Some(entry) = self.ledger.entry(leaf) else { return };
        if entry.is_uncertain() || entry.transaction.is_none() {
            return;
        }
        let allowed = entry.allowed(asked);
        let says = limit.unwrap_or(Tenths::MAX);
        if says > allowed.saturating_add(super::ledger::tolerance(allowed)) && allowed < entry.nameplate {
            self.distrust(station, Trust::Ignores);
            self.report(name, Finding::Contradicts, now);
        }
    }
}
