//! Water filling: everyone who was let in rises together until it has what it asks for or a row above is full.
//!
//! Each direction of a row keeps what does not rise, F, and by how much it rises with the level, S; it is full at
//! the level (cap − F)/S. That falls when another one begins to rise, and then its place in the heap is moved at
//! once; it rises when one stops, and then its place is mended when it comes first. In the heap are groups, the rows
//! of a node with all their directions, since whatever rises below a node rises in most of them.
//!
//! Hundreds of thousands of steps jump from one node to another, so what they touch is kept small and apart from the
//! rest.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(
    clippy::indexing_slicing,
    reason = "indexes come from the compiled rows and from prepare.rs, each within the vectors made for it"
)]

use super::Reason;
use super::heap::Heap;
use super::prepare::Work;

/// Levels that differ by less are the same.
const SAME: f64 = 1e-12;

/// How far a demand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It stands at its start.
    Still,
    /// It rises with the water.
    Rising,
    /// It has what it gets.
    Done,
}

/// A demand while it rises.
#[derive(Debug, Clone, Copy)]
struct Flow {
    start: f64,
    top: f64,
    weight: f64,
    /// Its part of `Work::paths`.
    path: (usize, usize),
    state: State,
    /// Whether it counts in every row of its path; otherwise `Asking::counts_in` says in which.
    everywhere: bool,
}

/// A direction of a row while it fills up.
#[derive(Debug, Clone, Copy)]
struct Gauge {
    cap: f64,
    /// What does not rise.
    fixed: f64,
    /// By how much it rises with the level.
    slope: f64,
    /// How many rise.
    rising: u32,
    /// Whether it can fill up at all.
    watched: bool,
}

impl Gauge {
    /// The level at which it is full.
    fn level(&self) -> f64 {
        if self.rising == 0 || self.slope <= 0.0 || !self.watched {
            f64::INFINITY
        } else {
            (self.cap - self.fixed) / self.slope
        }
    }
}

/// The memory that a filling needs.
#[derive(Debug, Default)]
pub(super) struct Filling {
    flows: Vec<Flow>,
    gauges: Vec<Gauge>,
    heap: Heap,
    begins: Vec<(f64, usize)>,
    ends: Vec<(f64, usize)>,
    dirty: Vec<usize>,
}

impl Work {
    /// Fills up, after [`Work::admit`].
    pub(super) fn fill(&mut self) {
        self.line_up();
        let (mut begun, mut ended) = (0, 0);
        loop {
            let begin = self.filling.begins.get(begun).map_or(f64::INFINITY, |(level, _)| *level);
            let end = self.filling.ends.get(ended).map_or(f64::INFINITY, |(level, _)| *level);
            let (full, group) = self.filling.heap.first().unwrap_or((f64::INFINITY, usize::MAX));
            if begin == f64::INFINITY && end == f64::INFINITY && full == f64::INFINITY {
                break;
            }
            if begin <= end && begin <= full {
                // All that begin at the same level, before the rows are looked at.
                while let Some((level, index)) = self.filling.begins.get(begun).copied()
                    && level <= begin
                {
                    self.rise(index);
                    begun += 1;
                }
                self.lower_groups();
            } else if end <= full {
                let (_, index) = self.filling.ends[ended];
                ended += 1;
                if self.filling.flows[index].state != State::Done {
                    self.stop(index, self.filling.flows[index].top, self.at_top(index));
                }
            } else {
                let (now, side) = self.first_full(group);
                if now == f64::INFINITY {
                    self.filling.heap.drop_first();
                } else if now > full + SAME * full.abs().max(1.0) {
                    self.filling.heap.set(group, now);
                } else {
                    // The group stays first, and is looked at again: another of its rows may be full as well.
                    self.stop_below(side, now);
                }
            }
        }
    }

    /// The levels at which everyone begins and has enough, in order.
    fn line_up(&mut self) {
        let filling = &mut self.filling;
        filling.heap.clear(self.groups.len());
        filling.begins.clear();
        filling.ends.clear();
        filling.flows.clear();
        filling.gauges.clear();
        filling.gauges.extend(self.sides.iter().map(|side| Gauge {
            cap: side.cap,
            fixed: side.fixed,
            slope: 0.0,
            rising: 0,
            watched: !side.loose && side.cap < f64::INFINITY,
        }));
        for (index, asking) in self.asking.iter_mut().enumerate() {
            let rises = asking.inside && asking.start < asking.top;
            filling.flows.push(Flow {
                start: asking.start,
                top: asking.top,
                weight: asking.weight,
                path: asking.path,
                state: if rises { State::Still } else { State::Done },
                everywhere: asking.exceeded.is_none(),
            });
            if rises {
                filling.begins.push((asking.start / asking.weight, index));
                filling.ends.push((asking.top / asking.weight, index));
            }
        }
        filling.begins.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        filling.ends.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        for index in 0..self.asking.len() {
            if self.asking[index].inside && self.filling.flows[index].state == State::Done {
                let reason = self.at_top(index);
                let asking = &mut self.asking[index];
                (asking.amps, asking.reason) = (asking.start, reason);
            }
        }
    }

    fn at_top(&self, index: usize) -> Reason {
        let asking = &self.asking[index];
        match asking.exceeded {
            Some(side) if asking.top < asking.max => Reason::Exceeded(self.sides[side].row),
            _ => Reason::OwnMaximum,
        }
    }

    fn rise(&mut self, index: usize) {
        let filling = &mut self.filling;
        let flow = &mut filling.flows[index];
        if flow.state != State::Still {
            return;
        }
        flow.state = State::Rising;
        for (side, amount) in &self.paths[flow.path.0..flow.path.1] {
            let gauge = &mut filling.gauges[*side];
            if gauge.watched && (flow.everywhere || self.asking[index].counts_in(&self.sides[*side])) {
                gauge.fixed -= amount * flow.start;
                gauge.slope += amount * flow.weight;
                gauge.rising += 1;
                let group = self.group_of[*side];
                if filling.dirty.last() != Some(&group) {
                    filling.dirty.push(group);
                }
            }
        }
    }

    fn lower_groups(&mut self) {
        while let Some(group) = self.filling.dirty.pop() {
            let (level, _) = self.first_full(group);
            self.filling.heap.lower(group, level);
        }
    }

    /// The level at which the first direction of a group is full, and which that is.
    fn first_full(&self, group: usize) -> (f64, usize) {
        let (begin, end) = self.groups[group];
        let mut first = (f64::INFINITY, begin);
        for (gauge, side) in self.filling.gauges[begin..end].iter().zip(begin..) {
            let level = gauge.level();
            if level < first.0 {
                first = (level, side);
            }
        }
        first
    }

    fn stop(&mut self, index: usize, amps: f64, reason: Reason) {
        let flow = &mut self.filling.flows[index];
        let rose = flow.state == State::Rising;
        flow.state = State::Done;
        let asking = &mut self.asking[index];
        (asking.amps, asking.reason) = (amps, reason);
        if !rose {
            return;
        }
        for (side, amount) in &self.paths[flow.path.0..flow.path.1] {
            let gauge = &mut self.filling.gauges[*side];
            if gauge.watched && (flow.everywhere || asking.counts_in(&self.sides[*side])) {
                gauge.fixed += amount * amps;
                gauge.slope -= amount * flow.weight;
                gauge.rising -= 1;
            }
        }
    }

    /// A row is full: all below it that have not stopped stop.
    fn stop_below(&mut self, side: usize, level: f64) {
        let full = self.sides[side];
        let row = full.row;
        for index in full.below.0..full.below.1 {
            let flow = self.filling.flows[index];
            if flow.state == State::Done {
                continue;
            }
            let asking = &self.asking[index];
            let within = self.paths[flow.path.0..flow.path.1].iter().any(|(place, _)| *place == side);
            if !within || !asking.counts_in(&full) {
                continue;
            }
            let fair = flow.weight * level;
            let amps = fair.max(flow.start).min(flow.top);
            let reason = if flow.start > fair && flow.start > asking.min {
                if asking.reserved >= flow.start { Reason::Reserved(row) } else { Reason::Deadline(row) }
            } else if full.uneven {
                Reason::Unbalance(row)
            } else {
                Reason::Row(row)
            };
            self.stop(index, amps, reason);
        }
        // Nobody below rises any more; what rounding left would say otherwise.
        self.filling.gauges[side].rising = 0;
    }
}
