//! Water filling: everyone who was let in rises together until it has what it asks for or a row above is full.
//!
//! Each direction of a row keeps what does not rise, F, and by how much it rises with the level, S; it is full at
//! the level (cap − F)/S. That falls when another one begins to rise, and then the row's place in the heap is moved
//! at once; it rises when one stops, and then its place is mended when it comes first.
#![expect(clippy::float_arithmetic, reason = "load management computes with physical quantities")]
#![expect(
    clippy::indexing_slicing,
    reason = "indexes come from the compiled rows and from prepare.rs, each within the vectors made for it"
)]

use super::Reason;
use super::prepare::{State, Work};

/// Levels that differ by less are the same.
const SAME: f64 = 1e-12;

impl Work {
    /// Fills up, after [`Work::admit`].
    pub(super) fn fill(&mut self) {
        self.line_up();
        let (mut begun, mut ended) = (0, 0);
        loop {
            let begin = self.begins.get(begun).map_or(f64::INFINITY, |(level, _)| *level);
            let end = self.ends.get(ended).map_or(f64::INFINITY, |(level, _)| *level);
            let full = self.heap.first().map_or(f64::INFINITY, |(level, _)| level);
            if begin == f64::INFINITY && end == f64::INFINITY && full == f64::INFINITY {
                break;
            }
            if begin <= end && begin <= full {
                // All that begin at the same level, before the rows are looked at.
                while let Some((level, index)) = self.begins.get(begun).copied()
                    && level <= begin
                {
                    self.rise(index);
                    begun += 1;
                }
                self.lower_rows();
            } else if end <= full {
                let (_, index) = self.ends[ended];
                ended += 1;
                if self.asking[index].state != State::Done {
                    let (top, reason) = (self.asking[index].top, self.at_top(index));
                    self.stop(index, top, reason);
                }
            } else if let Some((level, side)) = self.heap.first() {
                let now = self.sides[side].level();
                if now == f64::INFINITY {
                    self.heap.drop_first();
                } else if now > level + SAME * level.abs().max(1.0) {
                    self.heap.set(side, now);
                } else {
                    self.heap.drop_first();
                    self.stop_below(side, now);
                }
            }
        }
    }

    /// The levels at which everyone begins and has enough, in order.
    fn line_up(&mut self) {
        self.heap.clear(self.sides.len());
        self.begins.clear();
        self.ends.clear();
        for index in 0..self.asking.len() {
            let asking = self.asking[index];
            if asking.state != State::Still {
                continue;
            }
            if asking.start >= asking.top {
                let reason = self.at_top(index);
                let asking = &mut self.asking[index];
                (asking.amps, asking.reason, asking.state) = (asking.start, reason, State::Done);
                continue;
            }
            self.begins.push((asking.start / asking.weight, index));
            self.ends.push((asking.top / asking.weight, index));
        }
        self.begins.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        self.ends.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    }

    fn at_top(&self, index: usize) -> Reason {
        match self.asking[index].exceeded {
            Some(side) if self.asking[index].top < self.asking[index].max => {
                Reason::Exceeded(self.sides[side].row)
            }
            _ => Reason::OwnMaximum,
        }
    }

    fn rise(&mut self, index: usize) {
        let asking = &mut self.asking[index];
        if asking.state != State::Still {
            return;
        }
        asking.state = State::Rising;
        let (start, weight) = (asking.start, asking.weight);
        for (place, amount) in &self.paths[asking.path.0..asking.path.1] {
            let side = &mut self.sides[*place];
            if asking.counts_in(side) {
                side.fixed -= amount * start;
                side.slope += amount * weight;
                side.rising += 1;
                if side.cap < f64::INFINITY {
                    self.dirty.push(*place);
                }
            }
        }
    }

    fn lower_rows(&mut self) {
        for place in &self.dirty {
            self.heap.lower(*place, self.sides[*place].level());
        }
        self.dirty.clear();
    }

    fn stop(&mut self, index: usize, amps: f64, reason: Reason) {
        let asking = &mut self.asking[index];
        let rose = asking.state == State::Rising;
        (asking.amps, asking.reason, asking.state) = (amps, reason, State::Done);
        if !rose {
            return;
        }
        let weight = asking.weight;
        for (place, amount) in &self.paths[asking.path.0..asking.path.1] {
            let side = &mut self.sides[*place];
            if asking.counts_in(side) {
                side.fixed += amount * amps;
                side.slope -= amount * weight;
                side.rising -= 1;
            }
        }
    }

    /// A row is full: all below it that have not stopped stop.
    fn stop_below(&mut self, side: usize, level: f64) {
        let full = self.sides[side];
        let row = full.row;
        for index in full.below.0..full.below.1 {
            let asking = &self.asking[index];
            if asking.state == State::Done || !asking.counts_in(&full) {
                continue;
            }
            if !self.paths[asking.path.0..asking.path.1].iter().any(|(place, _)| *place == side) {
                continue;
            }
            let fair = asking.weight * level;
            let amps = fair.max(asking.start).min(asking.top);
            let reason = if asking.start > fair && asking.start > asking.min {
                if asking.reserved >= asking.start { Reason::Reserved(row) } else { Reason::Deadline(row) }
            } else if full.uneven {
                Reason::Unbalance(row)
            } else {
                Reason::Row(row)
            };
            self.stop(index, amps, reason);
        }
    }
}
