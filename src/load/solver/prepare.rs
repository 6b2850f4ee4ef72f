//! A problem made ready for filling: what each demand means in each direction of each row, in the order of the tree.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(
    clippy::indexing_slicing,
    reason = "indexes come from the compiled rows and from this file, each within the vectors made for it"
)]

use super::admission::Turn;
use super::fill::Filling;
use super::{Demand, Grant, Problem, Reason, Shares};
use crate::load::rows::{Outlet, Phases, Quantity, Rows};
use std::ops::Range;

const NONE: usize = usize::MAX;

/// What a sum of amperes may be off by rounding, for each ampere of a cap.
pub(super) const NOISE: f64 = 1e-9;

/// How many paths are kept to be shared.
const LAID: usize = 24;

/// A path that others may share.
#[derive(Debug, Clone, Copy)]
struct Laid {
    column: usize,
    phases: Phases,
    path: (usize, usize),
    carried: (usize, usize),
}

/// A demand, made sane, while it is worked on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    /// Its place among the demands.
    pub(super) demand: usize,
    pub(super) leaf: usize,
    /// Least and most, in whole tenths of an ampere.
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) weight: f64,
    pub(super) floor: f64,
    pub(super) reserved: f64,
    // Of a pass.
    /// What it gets at least, being admitted; where it begins to rise.
    pub(super) start: f64,
    /// The most that it can get in this pass.
    pub(super) top: f64,
    pub(super) amps: f64,
    pub(super) reason: Reason,
    /// Whether it was let in.
    pub(super) inside: bool,
    /// Whether a row above has no room for all.
    pub(super) contested: bool,
    /// Whether a row above is exceeded by what is reserved, and which.
    pub(super) exceeded: Option<usize>,
    /// Its part of `Work::paths` and of `Work::carried`.
    pub(super) path: (usize, usize),
    pub(super) carried: (usize, usize),
}

impl Asking {
    /// Whether what it gets counts in a direction of a row above it. Where what is reserved exceeds another row, it
    /// gets no more than is reserved for it, and the rows that are not exceeded have counted that already.
    pub(super) fn counts_in(&self, side: &Side) -> bool {
        self.exceeded.is_none() || side.exceeded || side.uneven
    }

    /// What of its reserve is counted there already.
    pub(super) fn counted_in(&self, side: &Side) -> f64 {
        if side.exceeded || side.uneven { 0.0 } else { self.reserved }
    }

    /// What it gets in tenths.
    pub(super) fn granted(&self) -> f64 {
        rounded_down(self.amps, self.min)
    }
}

/// A direction of a row while it is filled.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Side {
    pub(super) row: usize,
    pub(super) share: f64,
    /// The row's cap in this direction, in this pass.
    pub(super) cap: f64,
    /// By what is reserved for connectors without a demand, and with one.
    pub(super) by_others: f64,
    pub(super) by_asking: f64,
    /// Whether what is reserved exceeds the cap.
    pub(super) exceeded: bool,
    /// Of unbalance: what is reserved does not count. Nobody may draw it unless the backend is lost, and a grid's
    /// rule on unbalance is about what goes on for long.
    pub(super) uneven: bool,
    /// What is taken of it by what is reserved and by those who were let in.
    pub(super) fixed: f64,
    /// What it would carry if everyone had all that it asks for.
    pub(super) most: f64,
    /// Whether even that fits: then it need not be watched.
    pub(super) loose: bool,
    /// The asking below, first and last plus one.
    pub(super) below: (usize, usize),
}

impl Side {
    pub(super) fn noise(&self) -> f64 {
        NOISE * self.cap.abs().clamp(1.0, 1e9)
    }
}

/// What is worked on, kept from one time to the next for its memory only.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) asking: Vec<Asking>,
    pub(super) paths: Vec<(usize, f64)>,
    /// For limits of unbalance: the first row, and what surely flows on each phase for each ampere.
    pub(super) carried: Vec<(usize, [f64; 3])>,
    pub(super) sides: Vec<Side>,
    /// First rows of the limits of unbalance.
    pub(super) unbalance: Vec<usize>,
    /// Those who get nothing without being asked.
    out: Vec<(usize, Reason)>,
    laid: Vec<Laid>,
    next_laid: usize,
    slots: Vec<usize>,
    before: Vec<usize>,
    /// The sides of each node or station, and the group of each side.
    pub(super) groups: Vec<(usize, usize)>,
    pub(super) group_of: Vec<usize>,
    pub(super) queue: Vec<usize>,
    pub(super) behind: Vec<usize>,
    pub(super) turns: Vec<Turn>,
    pub(super) filling: Filling,
}

impl Work {
    pub(super) fn prepare(&mut self, problem: &Problem<'_>) {
        let rows = problem.rows;
        self.sort_in(problem);
        self.sides.clear();
        self.unbalance.clear();
        self.groups.clear();
        self.group_of.clear();
        for (row, range) in rows.facets_of.iter().enumerate() {
            let cap = problem.caps.get(row).copied().filter(|cap| !cap.is_nan()).unwrap_or(0.0);
            let Range { start, end } = rows.below[row];
            let below = (self.before[start], self.before[end]);
            for facet in &rows.facets[range.clone()] {
                let share = facet.share;
                let uneven = rows.rows[row].name.of.is_unbalance();
                self.sides.push(Side { row, share, cap: cap * share, below, uneven, ..Side::default() });
            }
            let same = row.checked_sub(1).is_some_and(|above| {
                std::sync::Arc::ptr_eq(&rows.rows[above].name.node, &rows.rows[row].name.node)
            });
            match self.groups.last_mut().filter(|_| same) {
                Some(group) => group.1 = self.sides.len(),
                None => self.groups.push((self.group_of.len(), self.sides.len())),
            }
            self.group_of.resize(self.sides.len(), self.groups.len() - 1);
            if rows.rows[row].name.of == Quantity::UnbalanceL1 {
                self.unbalance.push(row);
            }
        }
        self.paths.clear();
        self.carried.clear();
        self.laid.clear();
        for index in 0..self.asking.len() {
            self.lay_path(problem, index);
        }
        self.reserve_for_others(problem);
    }

    /// Puts the demands in the order of the tree; those that cannot be served are out.
    fn sort_in(&mut self, problem: &Problem<'_>) {
        let rows = problem.rows;
        self.out.clear();
        self.slots.clear();
        self.slots.resize(rows.at_place.len(), NONE);
        for (index, demand) in problem.demands.iter().enumerate() {
            let place = rows.outlets.get(demand.leaf).map_or(NONE, |outlet| outlet.place);
            match self.slots.get_mut(place) {
                Some(slot) if *slot == NONE => *slot = index,
                _ => self.out.push((index, Reason::Unknown)),
            }
        }
        self.asking.clear();
        self.before.clear();
        for (place, leaf) in rows.at_place.iter().enumerate() {
            self.before.push(self.asking.len());
            let index = self.slots[place];
            if index != NONE {
                let outlet = &rows.outlets[*leaf];
                self.asking.push(asking(
                    index,
                    &problem.demands[index],
                    outlet,
                    reserved(problem, *leaf, outlet),
                ));
            }
        }
        self.before.push(self.asking.len());
    }

    /// Cars with the same phases at connectors with the same column mean the same in every row, and stand close to
    /// each other in the tree: the last few paths are kept to be shared. One below a station's own fuse has its own.
    fn lay_path(&mut self, problem: &Problem<'_>, index: usize) {
        let rows = problem.rows;
        let (leaf, demand) = (self.asking[index].leaf, self.asking[index].demand);
        let phases = problem.demands[demand].phases;
        let outlet = &rows.outlets[leaf];
        let known = |laid: &&Laid| laid.column == outlet.column && laid.phases == phases;
        let laid = match self.laid.iter().find(known).filter(|_| outlet.own_rows.is_none()) {
            Some(laid) => *laid,
            None => self.lay_new(rows, leaf, phases),
        };
        let asking = &mut self.asking[index];
        (asking.path, asking.carried) = (laid.path, laid.carried);
        let most = asking.max.max(asking.reserved);
        for (side, amount) in &self.paths[laid.path.0..laid.path.1] {
            let side = &mut self.sides[*side];
            if side.uneven {
                side.most += amount * asking.max;
            } else {
                side.by_asking += amount * asking.reserved;
                side.most += amount * most;
            }
        }
    }

    fn lay_new(&mut self, rows: &Rows, leaf: usize, phases: Phases) -> Laid {
        let outlet = &rows.outlets[leaf];
        let column = &rows.columns[outlet.column];
        let (begin, carried) = (self.paths.len(), self.carried.len());
        let paths = &mut self.paths;
        rows.each_side(leaf, phases, |side, amount| paths.push((side, amount)));
        if !column.unbalance.is_empty() {
            self.carried.extend(column.unbalance(phases).map(|(first, _, least)| (first, least)));
        }
        let path = (begin, self.paths.len());
        let laid = Laid { column: outlet.column, phases, path, carried: (carried, self.carried.len()) };
        if outlet.own_rows.is_none() {
            if self.laid.len() < LAID {
                self.laid.push(laid);
            } else {
                self.laid[self.next_laid % LAID] = laid;
                self.next_laid += 1;
            }
        }
        laid
    }

    fn reserve_for_others(&mut self, problem: &Problem<'_>) {
        let rows = problem.rows;
        for (place, leaf) in rows.at_place.iter().enumerate() {
            if self.slots[place] != NONE {
                continue;
            }
            let reserved = reserved(problem, *leaf, &rows.outlets[*leaf]);
            if reserved > 0.0 {
                let sides = &mut self.sides;
                rows.each_side(*leaf, None, |side, amount| {
                    if !sides[side].uneven {
                        sides[side].by_others += amount * reserved;
                    }
                });
            }
        }
    }

    /// The answer, after the last pass.
    pub(super) fn shares(&mut self, problem: &Problem<'_>, passes: u32) -> Shares {
        let nothing =
            |demand: &Demand| Grant { leaf: demand.leaf, amps: 0.0, exact: 0.0, reason: Reason::Unknown };
        let mut grants: Vec<Grant> = problem.demands.iter().map(nothing).collect();
        for (index, reason) in &self.out {
            grants[*index].reason = *reason;
        }
        for side in &mut self.sides {
            side.fixed = side.by_others;
        }
        for asking in &self.asking {
            let amps = asking.granted();
            let Asking { demand, leaf, reason, .. } = *asking;
            grants[demand] = Grant { leaf, amps, exact: asking.amps, reason };
            for (side, amount) in &self.paths[asking.path.0..asking.path.1] {
                let side = &mut self.sides[*side];
                side.fixed += amount * if side.uneven { amps } else { amps.max(asking.reserved) };
            }
        }
        let mut used = vec![0.0_f64; problem.rows.rows.len()];
        for side in &self.sides {
            used[side.row] = used[side.row].max(side.fixed / side.share);
        }
        self.used_of_unbalance(&mut used);
        let cap = |row: usize| problem.caps.get(row).copied().filter(|cap| !cap.is_nan()).unwrap_or(0.0);
        let left = used.iter().enumerate().map(|(row, used)| cap(row) - used).collect();
        Shares { grants, used, left, passes }
    }
}

/// What is reserved for a connector: never more than it can draw where that is known, never nothing for nonsense.
fn reserved(problem: &Problem<'_>, leaf: usize, outlet: &Outlet) -> f64 {
    match problem.reserved.get(leaf) {
        None => 0.0,
        Some(amps) if amps.is_finite() => amps.max(0.0),
        Some(_) => outlet.max,
    }
}

fn asking(index: usize, demand: &Demand, outlet: &Outlet, reserved: f64) -> Asking {
    let or_zero = |value: f64| if value.is_finite() { value.max(0.0) } else { 0.0 };
    let min = if demand.min.is_finite() { demand.min.max(0.0) } else { outlet.min };
    // An infinite wish is bounded by the connector; one that is no number wants nothing.
    let max = if demand.max.is_nan() { 0.0 } else { tenths_below(demand.max.min(outlet.max).max(0.0)) };
    let weight = if demand.weight.is_finite() && demand.weight > 0.0 { demand.weight } else { 1.0 };
    Asking {
        demand: index,
        leaf: demand.leaf,
        min: tenths_above(min),
        max,
        weight: weight.clamp(1e-6, 1e6),
        floor: tenths_above(or_zero(demand.floor)).min(max),
        reserved,
        start: 0.0,
        top: 0.0,
        amps: 0.0,
        reason: Reason::Unknown,
        inside: false,
        contested: false,
        exceeded: None,
        path: (0, 0),
        carried: (0, 0),
    }
}

/// Rounded down to tenths of an ampere, and to nothing where that is below what is of use.
fn rounded_down(amps: f64, min: f64) -> f64 {
    let down = tenths_below(amps);
    if down + NOISE < min { 0.0 } else { down }
}

// A value that is a tenth but for rounding counts as it.
pub(super) fn tenths_below(amps: f64) -> f64 {
    (amps * 10.0 + 10.0 * NOISE).floor() / 10.0
}

fn tenths_above(amps: f64) -> f64 {
    (amps * 10.0 - 10.0 * NOISE).ceil() / 10.0
}
