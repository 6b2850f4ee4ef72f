//! The site as inequalities: one row for each node and phase, and for its watts.
//!
//! A row is linear, `Σ a·x ≤ cap` with x the amperes of each connector, wherever all its currents have the same
//! phase angle; behind line-to-line loads and transformers it is a sum of phasors, `|Σ a·e^{jφ}·x| ≤ cap`.
//!
//! A car may draw less than it is granted, and where currents partly cancel each other that makes the sum larger.
//! So a phasor row is kept for every draw between zero and what is granted: in each direction θ only the terms
//! that push that way count, `Σ max(0, Re(a·e^{j(φ−θ)}))·x ≤ cap`. That is linear, and no coefficient is negative.
//! The directions are finitely many ([`Facet`]); the cap of each is lowered by the cosine of half the angle between
//! two of them, so that nothing between them exceeds the row's cap either.

mod background;
mod compile;
mod facets;
mod parts;
mod phasor;

pub use facets::Facet;
pub use phasor::Phasor;

use super::site::{PerPhase, Window};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A connector's place in the order in which all rooms of load management number them: stations in the order of
/// the site, connectors in the order of the station.
pub type Leaf = usize;

/// Which of a station's own phases a car uses, L1 first; none while that is not known.
pub type Phases = Option<[bool; 3]>;

/// Which limit of which node a row is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowName {
    /// The node's or station's id.
    pub node: Arc<str>,
    /// What of it.
    pub of: Quantity,
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.of, self.node)
    }
}

/// What a row limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The current on L1.
    L1,
    /// The current on L2.
    L2,
    /// The current on L3.
    L3,
    /// Power, watts.
    Watts,
    /// By how much the current of L1 exceeds that of the phase with the least.
    UnbalanceL1,
    /// The same of L2.
    UnbalanceL2,
    /// The same of L3.
    UnbalanceL3,
}

impl Quantity {
    /// The phase, 0 to 2; none for watts.
    #[must_use]
    pub fn phase(self) -> Option<usize> {
        match self {
            Self::L1 | Self::UnbalanceL1 => Some(0),
            Self::L2 | Self::UnbalanceL2 => Some(1),
            Self::L3 | Self::UnbalanceL3 => Some(2),
            Self::Watts => None,
        }
    }

    /// Whether it is a difference between phases.
    #[must_use]
    pub fn is_unbalance(self) -> bool {
        matches!(self, Self::UnbalanceL1 | Self::UnbalanceL2 | Self::UnbalanceL3)
    }

    /// `A` or `W`.
    #[must_use]
    pub fn unit(self) -> &'static str {
        if self == Self::Watts { "W" } else { "A" }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
            Self::Watts => "power",
            Self::UnbalanceL1 => "unbalance of L1",
            Self::UnbalanceL2 => "unbalance of L2",
            Self::UnbalanceL3 => "unbalance of L3",
        })
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it is.
    pub name: RowName,
    /// Its limit before anything is taken off, amperes or watts; infinite where the site names none (the grid
    /// connection has all its rows, so that a grid operator's limit finds them) or only a schedule does.
    pub cap: f64,
    /// What of it is to be kept free, amperes or watts.
    pub margin: f64,
    /// Whether all its currents have the same angle: then only the real part of a term counts, and it is positive.
    pub linear: bool,
}

/// What one ampere at a connector means in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The connector.
    pub leaf: Leaf,
    /// Real part.
    pub re: f64,
    /// Imaginary part; 0 in a linear row.
    pub im: f64,
}

/// What the rows know of a connector.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlet {
    /// Its station.
    pub station: Arc<str>,
    /// OCPP's number.
    pub connector: i32,
    /// The least a car charges with, amperes.
    pub min: f64,
    /// The most it gives on each phase, amperes; 0 where its station hangs on no node that exists.
    pub max: f64,
    /// Its share beside others.
    pub weight: f64,
    /// Who is served first: higher before lower.
    pub class: i32,
    /// What it may draw without its backend, amperes; 0 where the site says less than `min`, which means paused.
    pub fallback: f64,
    /// Whether its station takes charging profiles.
    pub smart_charging: bool,
    /// Which of the station's phases it has.
    pub phases: [bool; 3],
    /// Volts from phase to neutral.
    pub volts: f64,
    /// Direct current: what of the power taken arrives at the car.
    pub dc_efficiency: Option<f64>,
    /// Which of the columns it has.
    pub(super) column: usize,
    /// Its station's own rows, L1 of the station's node first, where the station has a fuse.
    pub(super) own_rows: Option<usize>,
    /// Its place in the order of the tree, in which the connectors below each node stand side by side.
    pub(super) place: usize,
}

/// What connectors with the same node, wiring and rotation mean in every row above them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// For each row the part of each of the station's phases.
    pub(super) entries: Vec<(usize, [Phasor; 3])>,
    /// For each node with a limit of unbalance its first row of three and, for each of the station's phases, the
    /// active current on the node's.
    pub(super) unbalance: Vec<(usize, [[f64; 3]; 3])>,
    /// Which of the station's phases it has.
    pub(super) phases: [bool; 3],
    /// Whether a car may use fewer of them; then only its phases say what it means.
    pub(super) separable: bool,
    /// The current on each of the node's phases by each of the station's.
    pub(super) currents: [[Phasor; 3]; 3],
    /// Volts from phase to neutral.
    pub(super) volts: f64,
}

/// The limits of a row that hold at certain times.
#[derive(Debug, Clone, PartialEq)]
struct Scheduled {
    row: usize,
    window: Window,
}

/// A site as inequalities.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The connectors, by [`Leaf`].
    pub outlets: Vec<Outlet>,
    /// The rows, from the grid connection down.
    pub rows: Vec<Row>,
    pub(super) columns: Vec<Column>,
    pub(super) facets: Vec<Facet>,
    /// The facets of each row; a row of unbalance has one.
    pub(super) facets_of: Vec<Range<usize>>,
    /// For each row the places of the connectors below it.
    pub(super) below: Vec<Range<usize>>,
    /// The connector at each place.
    pub(super) at_place: Vec<Leaf>,
    schedule: Vec<Scheduled>,
    zone: Tz,
    meters: background::Meters,
}

impl Rows {
    /// The connector of a station.
    #[must_use]
    pub fn leaf(&self, station: &str, connector: i32) -> Option<Leaf> {
        self.outlets.iter().position(|outlet| outlet.connector == connector && &*outlet.station == station)
    }

    /// The row of a node or station for a quantity, where there is one.
    #[must_use]
    pub fn row(&self, node: &str, of: Quantity) -> Option<usize> {
        self.rows.iter().position(|row| row.name.of == of && &*row.name.node == node)
    }

    /// The cap of each row at a moment, by the site and its schedules: without margins and loads taken off.
    #[must_use]
    pub fn caps_at(&self, at: DateTime<Utc>) -> Vec<f64> {
        let mut caps: Vec<f64> = self.rows.iter().map(|row| row.cap).collect();
        let now = self.schedule.iter().filter(|one| one.window.holds(at, self.zone));
        now.for_each(|scheduled| self.narrow(&mut caps, scheduled));
        caps
    }

    fn narrow(&self, caps: &mut [f64], Scheduled { row, window }: &Scheduled) {
        let (Some(cap), Some(row)) = (caps.get_mut(*row), self.rows.get(*row)) else { return };
        let limit = match row.name.of.phase() {
            None => window.watts,
            Some(phase) => window.amps.map(PerPhase::values).and_then(|amps| amps.get(phase).copied()),
        };
        if let Some(limit) = limit {
            // What is no number allows nothing.
            *cap = if limit.is_nan() { 0.0 } else { cap.min(limit) };
        }
    }

    /// The least that the cap of each row ever is.
    #[must_use]
    pub fn lowest_caps(&self) -> Vec<f64> {
        let mut caps: Vec<f64> = self.rows.iter().map(|row| row.cap).collect();
        self.schedule.iter().for_each(|scheduled| self.narrow(&mut caps, scheduled));
        caps
    }

    /// The first moment after `at` at which a schedule may change a cap; none without schedules.
    #[must_use]
    pub fn next_change(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedule.iter().filter_map(|one| one.window.next_edge(at, self.zone)).min()
    }

    /// What one ampere at a connector means in each row above it, for a car on these phases: for every phase that
    /// it uses together, as if all drew the same. Rows of unbalance are not among them.
    pub fn path(&self, leaf: Leaf, phases: Phases) -> impl Iterator<Item = (usize, Phasor)> + '_ {
        let outlet = self.outlets.get(leaf);
        let column = outlet.and_then(|outlet| self.columns.get(outlet.column));
        let mask = column.map_or([false; 3], |column| column.mask(phases));
        let above = column.into_iter().flat_map(|column| column.entries.iter().copied());
        let own = outlet.zip(column).into_iter().flat_map(|(outlet, column)| column.own(outlet.own_rows));
        let whole = above.chain(own).map(move |(row, parts)| (row, Phasor::sum(parts, mask)));
        whole.map(|(row, part)| (row, self.straight(row, part))).filter(|(_, part)| *part != Phasor::ZERO)
    }

    /// What one ampere at each connector below means in a row, while its car's phases are not known: for three phases
    /// the sum over all of them; in a row of unbalance the most that it can be. They are not kept, but made each time.
    pub fn terms(&self, row: usize) -> impl Iterator<Item = Term> + '_ {
        let below =
            self.below.get(row).and_then(|range| self.at_place.get(range.clone())).unwrap_or_default();
        below.iter().flat_map(move |leaf| {
            let currents = self.path(*leaf, None).filter(move |(at, _)| *at == row);
            let currents = currents.map(|(_, part)| Term { leaf: *leaf, re: part.re, im: part.im });
            let column = self.outlets.get(*leaf).and_then(|outlet| self.columns.get(outlet.column));
            let uneven = column.into_iter().flat_map(|column| column.unbalance(None));
            let uneven = uneven.filter_map(move |(first, most, _)| {
                let re = most.get(row.checked_sub(first)?).copied().filter(|most| *most > 0.0)?;
                Some(Term { leaf: *leaf, re, im: 0.0 })
            });
            currents.chain(uneven)
        })
    }

    /// In a linear row only the length counts.
    fn straight(&self, row: usize, part: Phasor) -> Phasor {
        match self.facets_of.get(row).and_then(|range| self.facets.get(range.clone())) {
            Some([only]) => Phasor { re: part.along(only.direction).max(0.0), im: 0.0 },
            _ => part,
        }
    }
}

impl Column {
    /// Which parts count for a car on these phases. Phases that the connector does not have, or none at all, are
    /// taken as not known.
    pub(super) fn mask(&self, phases: Phases) -> [bool; 3] {
        match phases.filter(|mask| self.knows(*mask)) {
            Some(mask) if self.separable => mask,
            _ => self.phases,
        }
    }

    /// Whether a car's phases say anything about this connector.
    fn knows(&self, mask: [bool; 3]) -> bool {
        let within = mask.iter().zip(self.phases).all(|(used, there)| !used || there);
        within && mask.contains(&true)
    }

    /// Whether it must be reckoned with that the car uses only some of the phases.
    pub(super) fn unsure(&self, phases: Phases) -> bool {
        self.separable && !phases.is_some_and(|mask| self.knows(mask))
    }

    /// The rows of a station's own fuse, the first of which is `first`.
    pub(super) fn own(&self, first: Option<usize>) -> impl Iterator<Item = (usize, [Phasor; 3])> + '_ {
        let each = first.map(|first| [0, 1, 2].map(|phase| (first + phase, phase)));
        each.into_iter().flatten().map(|(row, phase)| (row, self.on_bus(phase)))
    }

    /// For each limit of unbalance above the first of its rows and, for each phase, the most by which one ampere at
    /// the connector can raise it above the phase with the least, and the least that it surely carries so.
    pub(super) fn unbalance(&self, phases: Phases) -> impl Iterator<Item = (usize, [f64; 3], [f64; 3])> + '_ {
        // A car on one phase uses L1, one on two phases L1 and L2.
        let could_be = [[true, false, false], [true, true, false], [true; 3]];
        let masks = if self.unsure(phases) {
            could_be.map(|mask| Some(mask).filter(|mask| self.knows(*mask)))
        } else {
            [Some(self.mask(phases)), None, None]
        };
        self.unbalance.iter().map(move |(first, active)| {
            let (mut most, mut least) = ([0.0_f64; 3], [f64::INFINITY; 3]);
            for mask in masks.into_iter().flatten() {
                let uneven = uneven(active, mask);
                for ((most, least), uneven) in most.iter_mut().zip(&mut least).zip(uneven) {
                    *most = most.max(uneven);
                    *least = least.min(uneven);
                }
            }
            (*first, most, least.map(|least| if least.is_finite() { least } else { 0.0 }))
        })
    }

    /// What each of the station's phases carries on a phase of its node.
    fn on_bus(&self, phase: usize) -> [Phasor; 3] {
        self.currents.map(|by_bus| by_bus.get(phase).copied().unwrap_or_default())
    }
}

/// What each phase of a node carries more than the one with the least, for a car on some of the station's phases.
#[expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
fn uneven(active: &[[f64; 3]; 3], mask: [bool; 3]) -> [f64; 3] {
    let mut sums = [0.0_f64; 3];
    for (parts, _) in active.iter().zip(mask).filter(|(_, used)| *used) {
        sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }
    let least = sums.iter().copied().fold(f64::INFINITY, f64::min);
    sums.map(|sum| sum - least)
}
