//! Who may charge at all: a car takes its minimum or nothing.
//!
//! Whoever comes first in the order gets its minimum reserved in every row above it, and what it must have to be
//! ready in time. The order: by class; within it those that have charged for less than the shortest turn, since
//! many cars do not wake again after a short break; those that must charge now, the least laxity first; then
//! whoever waited longest. One that charges has waited for nothing, so that after the shortest turn it makes room
//! for one that waits, and the turns go around. Cars that were stopped together have waited equally long; of those
//! the next one in the tree after one that charges comes first, or else the same would always be last.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(
    clippy::indexing_slicing,
    reason = "indexes come from the compiled rows and from prepare.rs, each within the vectors made for it"
)]

use super::prepare::{Asking, NOISE, Work, tenths_below};
use super::{Demand, Problem, Reason};

impl Work {
    /// Decides who is in; sets `start`, `top` and the rows' `fixed`.
    pub(super) fn admit(&mut self, problem: &Problem<'_>) {
        let exceeded = self.reserve();
        self.queue.clear();
        for index in 0..self.asking.len() {
            if self.begin(index, exceeded) {
                self.queue.push(index);
            }
        }
        if self.all_fit() {
            return;
        }
        self.take_out_contested();
        self.look_behind(problem);
        let mut turns = std::mem::take(&mut self.turns);
        turns.clear();
        for index in &self.queue {
            let demand = &problem.demands[self.asking[*index].demand];
            turns.push(Turn::of(demand, problem.min_on_seconds, self.behind[*index], *index));
        }
        turns.sort_unstable();
        for turn in &turns {
            self.let_in(turn.index);
        }
        self.turns = turns;
    }

    /// Leaves in the queue only those below a row that has no room for all, and takes them out again: all others are
    /// in, whatever the order.
    fn take_out_contested(&mut self) {
        for side in 0..self.sides.len() {
            let full = self.sides[side];
            if full.loose || full.fixed <= full.cap + full.noise() {
                continue;
            }
            for index in full.below.0..full.below.1 {
                let asking = &mut self.asking[index];
                let path = &self.paths[asking.path.0..asking.path.1];
                if asking.inside && asking.counts_in(&full) && path.iter().any(|(place, _)| *place == side) {
                    asking.contested = true;
                }
            }
        }
        self.queue.clear();
        for (index, asking) in self.asking.iter_mut().enumerate().filter(|(_, asking)| asking.contested) {
            self.queue.push(index);
            for (side, amount) in &self.paths[asking.path.0..asking.path.1] {
                let side = &mut self.sides[*side];
                if asking.counts_in(side) {
                    side.fixed -= amount * (asking.start - asking.counted_in(side)).max(0.0);
                }
            }
            asking.inside = false;
        }
    }

    /// How many places in the tree each is behind one that charges and has had its turn, around the end.
    fn look_behind(&mut self, problem: &Problem<'_>) {
        let demand = |index: usize| &problem.demands[self.asking[index].demand];
        let done = |index: &usize| demand(*index).on_for.is_some_and(|on| on >= problem.min_on_seconds);
        let count = self.asking.len();
        let last = (0..count).rev().find(done).unwrap_or(count);
        // Counted from one round earlier, so that nothing goes below zero.
        let mut latest = last;
        self.behind.clear();
        for index in 0..count {
            if done(&index) {
                latest = index + count;
            }
            self.behind.push(index + count - latest);
        }
    }

    /// Counts what is reserved; whether that is too much already in any row.
    fn reserve(&mut self) -> bool {
        let mut any = false;
        for side in &mut self.sides {
            let all = side.by_others + side.by_asking;
            side.loose = side.by_others + side.most <= side.cap;
            side.exceeded = all > side.cap + side.noise() && !side.uneven;
            side.fixed = if side.exceeded { side.by_others } else { all };
            any |= side.exceeded;
        }
        any
    }

    /// Sets an asking back for this pass; whether it can be let in at all.
    fn begin(&mut self, index: usize, exceeded: bool) -> bool {
        let asking = &mut self.asking[index];
        let path = &self.paths[asking.path.0..asking.path.1];
        let find = || path.iter().map(|(side, _)| *side).find(|side| self.sides[*side].exceeded);
        asking.exceeded = if exceeded { find() } else { None };
        (asking.amps, asking.start) = (0.0, 0.0);
        (asking.inside, asking.contested) = (false, false);
        asking.top = asking.max;
        if asking.top <= 0.0 || asking.top < asking.min {
            asking.reason = Reason::BelowMinimum;
            return false;
        }
        if let Some(side) = asking.exceeded {
            let row = self.sides[side].row;
            asking.top = tenths_below(asking.top.min(asking.reserved));
            if asking.top <= 0.0 || asking.top < asking.min {
                asking.reason = Reason::Waiting(row);
                return false;
            }
        }
        true
    }

    /// Tries with everyone in, as is the case most of the time: then the order does not matter.
    fn all_fit(&mut self) -> bool {
        for place in 0..self.queue.len() {
            let index = self.queue[place];
            let wanted = self.asking[index].wanted();
            self.put_in(index, wanted);
        }
        self.sides.iter().all(|side| side.fixed <= side.cap + side.noise() || side.below.0 == side.below.1)
    }

    fn let_in(&mut self, index: usize) {
        let asking = &mut self.asking[index];
        (asking.start, asking.inside) = (0.0, false);
        let (mut room, mut tightest) = (f64::INFINITY, None);
        for (side, amount) in &self.paths[asking.path.0..asking.path.1] {
            let side = &self.sides[*side];
            if asking.counts_in(side) && !side.loose {
                let free = (side.cap + side.noise() - side.fixed).max(0.0) / amount;
                let here = asking.counted_in(side) + free;
                if here < room {
                    (room, tightest) = (here, Some(side.row));
                }
            }
        }
        let wanted = asking.wanted();
        let start = if wanted <= room { wanted } else { tenths_below(room).max(asking.min) };
        match tightest.filter(|_| start > room + NOISE) {
            Some(row) => asking.reason = Reason::Waiting(row),
            None => self.put_in(index, start),
        }
    }

    /// Lets one in, with so much reserved for it.
    fn put_in(&mut self, index: usize, start: f64) {
        let asking = &mut self.asking[index];
        (asking.start, asking.inside) = (start, true);
        for (side, amount) in &self.paths[asking.path.0..asking.path.1] {
            let side = &mut self.sides[*side];
            if asking.counts_in(side) {
                side.fixed += amount * (start - asking.counted_in(side)).max(0.0);
            }
        }
    }
}

impl Asking {
    /// What is to be reserved for it: its minimum; what the rows count for it in any case, which costs nobody
    /// anything; and what it must have to be ready in time.
    fn wanted(&self) -> f64 {
        let free = if self.exceeded.is_none() { self.reserved } else { 0.0 };
        self.min.max(self.top.min(free.max(self.floor)))
    }
}

/// Whose turn it is: the smallest comes first. Numbers stand here as integers of the same order, so that many can be
/// sorted fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// The higher class first.
    class: u32,
    /// Those that have just begun first, then those that must charge now.
    rank: u8,
    /// Of those, the least laxity first.
    laxity: u64,
    /// The longest wait first.
    waited: u64,
    /// One that charges before one that has not waited at all.
    waits: bool,
    ends: u64,
    behind: usize,
    index: usize,
}

impl Turn {
    fn of(demand: &Demand, min_on: f64, behind: usize, index: usize) -> Self {
        let laxity = demand.laxity.filter(|left| !left.is_nan()).unwrap_or(f64::INFINITY);
        let begun = demand.on_for.is_some_and(|seconds| seconds < min_on);
        let presses = demand.floor > 0.0 || laxity < min_on;
        let waited = if demand.on_for.is_some() || demand.waited.is_nan() { 0.0 } else { demand.waited };
        Self {
            class: !(demand.class.cast_unsigned() ^ 0x8000_0000),
            rank: match (begun, presses) {
                (true, true) => 0,
                (true, false) => 1,
                (false, true) => 2,
                (false, false) => 3,
            },
            laxity: in_order(if presses { laxity } else { f64::INFINITY }),
            waited: !in_order(waited),
            waits: demand.on_for.is_none(),
            ends: in_order(laxity),
            behind,
            index,
        }
    }
}

/// An integer for each number, in the same order.
fn in_order(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}
