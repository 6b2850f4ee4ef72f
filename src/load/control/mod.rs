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
mod answers;
mod car;
mod clocks;
mod decide;
mod events;
pub mod grid;
mod meters;
mod order;
mod send;
mod view;

pub use super::ledger::Wish;
pub use grid::{Grid, GridControl, GridLimit, GridState, guaranteed_watts};
pub use order::{Ask, Event, Finding, Order, Report};
pub use view::{ConnectorView, RowView, SiteView, Why};

use super::ledger::{Entry, Ledger, Millis, Tenths, Trust};
use super::outlook::{Expected, SiteOutlook};
use super::rows::{Leaf, Rows};
use super::site::{Site, Station};
use ahead::Ahead;
use car::Car;
use clocks::StationClock;
use meters::SiteMeter;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Whether its ChargePointMaxProfile has to be sent again, though it was accepted once.
    most_due: bool,
    /// Whether it has refused that since it booted.
    most_refused: bool,
    refusals: u8,
    clock: StationClock,
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
    outlook: SiteOutlook,
    /// The series whose end was reported.
    outlook_ended: BTreeSet<Expected>,
    reports: Vec<Report>,
    seen: BTreeMap<(String, Finding), Millis>,
}

/// What a station's connectors are told before anything else is known.
fn tenths(amps: f64) -> Tenths {
    // Rounds down, and makes nothing of what is no number.
    let tenths = (amps * 10.0 + 1e-6).floor();
    if tenths >= 1.0 { super::round::whole(tenths) } else { 0 }
}

/// What a station may draw on each phase by its site: its fuse, or all that its connectors give.
fn most_of(station: &Station) -> Tenths {
    let sum: f64 = station.connectors.iter().map(|connector| connector.amps).sum();
    tenths(station.amps.unwrap_or(sum))
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
            let mut behind = 0;
            for connector in &station.connectors {
                let nameplate = tenths(connector.amps);
                let known = known.next().flatten();
                // What survived a restart was sent before: it is not written to the station again.
                fresh |= known.is_none();
                let mut entry = known.unwrap_or_else(|| Entry::new(nameplate));
                entry.restore();
                entry.declare(station.smart_charging);
                entry.rate(nameplate);
                let car = entry.transaction.map(|_| Car::new(now, nameplate).with(entry.wish));
                behind = behind.max(entry.behind);
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
                most_due: fresh,
                most_refused: false,
                refusals: 0,
                clock: StationClock::behind(behind),
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
            outlook: SiteOutlook::default(),
            outlook_ended: BTreeSet::new(),
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

    /// What is expected there.
    #[must_use]
    pub fn outlook(&self) -> &SiteOutlook {
        &self.outlook
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
        self.report_time(about, what, None, now);
    }

    /// The same, of a finding that is about so many seconds.
    fn report_time(&mut self, about: String, what: Finding, seconds: Option<i64>, now: Millis) {
        let key = (about.clone(), what);
        if self.seen.get(&key).is_some_and(|last| now < last.saturating_add(3_600_000)) {
            return;
        }
        self.seen.insert(key, now);
        self.reports.push(Report { at: now, about, what, seconds });
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
}
