//! Limits of unbalance: no phase of a node may carry more than so much above the one that carries least.
//!
//! How much a phase may carry depends on what the others do, so the site is filled several times. What is the same
//! on all phases does not count: a row of unbalance has only what a connector carries more on one phase than on the
//! one with its least. The first pass leaves these rows aside. Where it breaks a limit, each phase is capped at the
//! limit and what the others surely carried; when that breaks one too, at less, and in the end at the limit alone,
//! which cannot. From there the caps are raised to what the others carry now, as long as that holds.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(
    clippy::indexing_slicing,
    reason = "indexes come from the compiled rows and from prepare.rs, each within the vectors made for it"
)]

use super::Problem;
use super::prepare::{Asking, NOISE, Work};

/// How many fillings there are at most.
pub(super) const PASSES: u32 = 8;

/// What of the other phases' currents is counted on, from the first try to the last.
const TRIES: [f64; 3] = [1.0, 0.7, 0.0];

/// A raise of all caps by less than this, amperes, is not worth a pass.
const WORTH: f64 = 0.05;

/// Fills, as often as the limits of unbalance need; the number of passes.
pub(super) fn fill_within(work: &mut Work, problem: &Problem<'_>) -> u32 {
    let first: Vec<usize> = work.unbalance.clone();
    for row in &first {
        set_caps(work, *row, [f64::INFINITY; 3]);
    }
    pass(work, problem);
    if first.is_empty() || holds(work, problem, &first) {
        return 1;
    }
    let carried_first = carried(work);
    let mut passes = 1;
    for part in TRIES {
        for (row, carried) in first.iter().zip(&carried_first) {
            set_caps(work, *row, caps(problem, *row, carried.map(|amps| amps * part)));
        }
        pass(work, problem);
        passes += 1;
        if part == 0.0 || holds(work, problem, &first) {
            break;
        }
    }
    while passes < PASSES {
        let kept: Vec<Asking> = work.asking.clone();
        let mut gain = 0.0_f64;
        for (row, carried) in first.iter().zip(carried(work)) {
            let raised = caps(problem, *row, carried);
            let side = side_of(work, *row);
            for (phase, cap) in raised.iter().enumerate() {
                gain = gain.max(cap - work.sides[side + phase].cap);
            }
            set_caps(work, *row, raised);
        }
        if gain < WORTH {
            break;
        }
        pass(work, problem);
        passes += 1;
        if !holds(work, problem, &first) {
            work.asking = kept;
            break;
        }
    }
    passes
}

fn pass(work: &mut Work, problem: &Problem<'_>) {
    work.admit(problem);
    work.fill();
}

/// The place of a row's only direction. Rows of a limit of unbalance stand side by side.
fn side_of(work: &Work, row: usize) -> usize {
    work.sides.partition_point(|side| side.row < row)
}

fn set_caps(work: &mut Work, row: usize, caps: [f64; 3]) {
    let first = side_of(work, row);
    for (phase, cap) in caps.into_iter().enumerate() {
        work.sides[first + phase].cap = cap;
    }
}

fn limit(problem: &Problem<'_>, row: usize) -> f64 {
    problem.caps.get(row).copied().filter(|cap| !cap.is_nan()).unwrap_or(0.0)
}

/// For each phase its limit and the least of what the others carry.
fn caps(problem: &Problem<'_>, row: usize, carried: [f64; 3]) -> [f64; 3] {
    let [a, b, c] = carried;
    let others = [b.min(c), a.min(c), a.min(b)];
    [0, 1, 2].map(|phase| limit(problem, row + phase) + others[phase])
}

/// For each limit what surely flows on each phase if everyone draws what it is granted, in tenths: rounding one phase
/// down must not make another exceed it.
fn carried(work: &Work) -> Vec<[f64; 3]> {
    let mut sums = vec![[0.0_f64; 3]; work.unbalance.len()];
    for asking in &work.asking {
        let granted = asking.granted();
        for (first, least) in &work.carried[asking.carried.0..asking.carried.1] {
            // The rows are in order.
            if let Ok(place) = work.unbalance.binary_search(first) {
                sums[place].iter_mut().zip(least).for_each(|(sum, least)| *sum += least * granted);
            }
        }
    }
    sums
}

/// What may flow on each phase.
fn flows(work: &Work, row: usize) -> [f64; 3] {
    let first = side_of(work, row);
    let mut sums = [0.0_f64; 3];
    for asking in &work.asking[work.sides[first].below.0..work.sides[first].below.1] {
        for (side, amount) in &work.paths[asking.path.0..asking.path.1] {
            if (first..first + 3).contains(side) {
                sums[side - first] += amount * asking.amps;
            }
        }
    }
    sums
}

fn holds(work: &Work, problem: &Problem<'_>, first: &[usize]) -> bool {
    first.iter().zip(carried(work)).all(|(row, carried)| {
        let allowed = caps(problem, *row, carried);
        flows(work, *row).iter().zip(allowed).all(|(flows, allowed)| *flows <= allowed + NOISE * 1e3)
    })
}

impl Work {
    /// By how much each phase may exceed the one with the least, after rounding.
    pub(super) fn used_of_unbalance(&self, used: &mut [f64]) {
        for (row, carried) in self.unbalance.iter().zip(carried(self)) {
            let [a, b, c] = carried;
            for (phase, others) in [b.min(c), a.min(c), a.min(b)].into_iter().enumerate() {
                used[row + phase] = (used[row + phase] - others).max(0.0);
            }
        }
    }
}
