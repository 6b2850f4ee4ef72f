//! Site meters: what flows besides charging, and what is reckoned with when they fall silent or talk nonsense.

use super::super::ledger::Millis;
use std::collections::VecDeque;

/// For how long the highest reading counts. A car that stops while something else starts looks, in a meter of
/// everything, like nothing changed; the car's own meter tells only now and then.
const WINDOW: Millis = 60_000;

/// A reading above this cannot be: ten times the largest low-voltage connection.
const ABSURD: f64 = 100_000.0;

/// What becomes of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// It counts.
    Good,
    /// It is older than one that is known.
    Old,
    /// It cannot be (not a number, absurdly large, from the future): the worst case counts until a good one.
    Nonsense,
}

/// One meter's readings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SiteMeter {
    stale: Millis,
    /// What flows besides charging, by time.
    recent: VecDeque<(Millis, [f64; 3])>,
    distrusted: bool,
}

impl SiteMeter {
    /// A meter that was not heard yet, and counts as lost after `stale` milliseconds of silence.
    #[must_use]
    pub(super) fn new(stale: Millis) -> Self {
        Self { stale, recent: VecDeque::new(), distrusted: true }
    }

    /// Takes what flows besides charging. `amps` may be below zero: a photovoltaic system feeds in.
    pub(super) fn take(&mut self, amps: [f64; 3], taken: Millis, now: Millis) -> Reading {
        let absurd = amps.iter().any(|amps| !amps.is_finite() || amps.abs() > ABSURD);
        if absurd || taken > now.saturating_add(self.stale) {
            self.distrusted = true;
            return Reading::Nonsense;
        }
        if self.recent.back().is_some_and(|(last, _)| taken <= *last) {
            return Reading::Old;
        }
        self.distrusted = false;
        self.recent.push_back((taken, amps));
        while self.recent.front().is_some_and(|(first, _)| *first < taken.saturating_sub(WINDOW)) {
            self.recent.pop_front();
        }
        Reading::Good
    }

    /// Whether it can be relied on now.
    #[must_use]
    pub(super) fn is_good(&self, now: Millis) -> bool {
        !self.distrusted && self.last().is_some_and(|last| now < last.saturating_add(self.stale))
    }

    /// When it will be lost if it says nothing more; none where it is lost already.
    #[must_use]
    pub(super) fn lost_at(&self, now: Millis) -> Option<Millis> {
        self.is_good(now).then(|| self.last().map(|last| last.saturating_add(self.stale))).flatten()
    }

    /// When it was heard last.
    #[must_use]
    pub(super) fn last(&self) -> Option<Millis> {
        self.recent.back().map(|(taken, _)| *taken)
    }

    /// What flows besides charging on each phase: the most of the last minute, or `worst` where the meter cannot
    /// be relied on. What feeds in counts for nothing: it can stop at any time.
    #[must_use]
    pub(super) fn background(&self, now: Millis, worst: [f64; 3]) -> [f64; 3] {
        if !self.is_good(now) {
            return worst;
        }
        let most = |phase: fn(&[f64; 3]) -> f64| {
            let of_recent = self.recent.iter().map(|(_, amps)| phase(amps));
            of_recent.fold(0.0_f64, f64::max)
        };
        [most(|[l1, _, _]| *l1), most(|[_, l2, _]| *l2), most(|[_, _, l3]| *l3)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORST: [f64; 3] = [40.0; 3];

    fn heard() -> SiteMeter {
        let mut meter = SiteMeter::new(60_000);
        assert_eq!(meter.take([5.0, 6.0, -7.0], 1_000, 1_000), Reading::Good);
        meter
    }

    #[test]
    fn a_meter_that_was_never_heard_counts_as_its_worst_case() {
        assert_eq!(SiteMeter::new(60_000).background(0, WORST), WORST);
    }

    #[test]
    fn the_most_of_a_minute_counts_and_feeding_in_counts_for_nothing() {
        let mut meter = heard();
        assert_eq!(meter.background(1_000, WORST), [5.0, 6.0, 0.0]);
        meter.take([1.0, 9.0, 0.0], 31_000, 31_000);
        assert_eq!(meter.background(31_000, WORST), [5.0, 9.0, 0.0]);
        meter.take([1.0, 1.0, 0.0], 91_000, 91_000);
        assert_eq!(meter.background(91_000, WORST), [1.0, 9.0, 0.0]);
    }

    #[test]
    fn silence_and_nonsense_are_the_worst_case_until_a_good_reading() {
        assert_eq!(heard().background(61_000, WORST), WORST);
        for bad in [f64::NAN, f64::INFINITY, 1e9] {
            let mut meter = heard();
            assert_eq!(meter.take([bad, 0.0, 0.0], 2_000, 2_000), Reading::Nonsense);
            assert_eq!(meter.background(2_000, WORST), WORST);
            assert_eq!(meter.take([3.0; 3], 3_000, 3_000), Reading::Good);
            assert_eq!(meter.background(3_000, WORST), [5.0, 6.0, 3.0]);
        }
    }

    #[test]
    fn a_reading_from_the_past_changes_nothing_and_one_from_the_future_is_nonsense() {
        let mut meter = heard();
        assert_eq!(meter.take([90.0; 3], 500, 2_000), Reading::Old);
        assert_eq!(meter.background(2_000, WORST), [5.0, 6.0, 0.0]);
        assert_eq!(meter.take([1.0; 3], 9_000_000, 2_000), Reading::Nonsense);
    }
}
