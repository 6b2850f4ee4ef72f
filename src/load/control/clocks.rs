//! Stations' clocks, as their messages show them.
//!
//! A message that is dated later than it came is proof: its station's clock is ahead. One that is dated earlier may
//! have been on its way for long, or waited in the station while that had no connection. So a clock counts as behind
//! only when several messages that came at different times are late by the same: what waited in a line comes at once,
//! and is late by different times.

use super::super::ledger::Millis;
use super::{Controller, Finding};
use std::collections::VecDeque;

/// How much a clock may be off before it matters: what is kept free for a lease reckons with so much anyway.
const TOLERATED: Millis = 60_000;

/// How many messages have to agree.
const AGREEING: usize = 3;

/// By how much they may differ.
const ALIKE: Millis = 5_000;

/// Over which time they have to come.
const APART: Millis = 30_000;

/// How many are remembered.
const REMEMBERED: usize = 12;

/// A station's clock.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct StationClock {
    /// By how much it is ahead of ours; below zero where it is behind.
    off: Millis,
    /// Late messages: when each came, and by how much it was late.
    late: VecDeque<(Millis, Millis)>,
}

impl StationClock {
    /// One that was known to be so much behind.
    #[must_use]
    pub(super) fn behind(millis: Millis) -> Self {
        Self { off: millis.saturating_neg(), late: VecDeque::new() }
    }

    /// By how much it is ahead of ours; below zero where it is behind, 0 where it is right.
    #[must_use]
    pub(super) fn off(&self) -> Millis {
        self.off
    }

    /// A message came that says what time it was; whether that says something of the clock.
    pub(super) fn heard(&mut self, said: Millis, now: Millis) -> bool {
        let age = now.saturating_sub(said);
        if age <= TOLERATED {
            self.late.clear();
            self.off = if age < -TOLERATED { age.saturating_neg() } else { 0 };
            return true;
        }
        if self.late.len() >= REMEMBERED {
            self.late.pop_front();
        }
        self.late.push_back((now, age));
        let alike = || self.late.iter().filter(|(_, other)| age.abs_diff(*other) <= ALIKE.unsigned_abs());
        let since = alike().map(|(came, _)| *came).min().unwrap_or(now);
        let agree = alike().count() >= AGREEING && now.saturating_sub(since) >= APART;
        if agree {
            // None came before it was sent, so the least late shows the clock best.
            let least = alike().map(|(_, late)| *late).min().unwrap_or(age);
            self.off = least.saturating_neg();
        }
        agree
    }
}

impl Controller {
    /// A message of a station says what time it is there.
    pub(super) fn clock(&mut self, station: usize, said: Millis, now: Millis) {
        let Some(state) = self.stations.get_mut(station) else { return };
        if !state.clock.heard(said, now) {
            return;
        }
        let off = state.clock.off();
        let behind = off.saturating_neg().max(0);
        for leaf in state.leaves.clone() {
            // What the network adds is not written down each time.
            let other = |known: Millis| {
                (known == 0) != (behind == 0) || known.abs_diff(behind) > ALIKE.unsigned_abs()
            };
            if self.ledger.entry(leaf).is_some_and(|entry| other(entry.behind))
                && let Some(entry) = self.ledger.entry_mut(leaf)
            {
                entry.behind = behind;
            }
        }
        let what = match off {
            0 => return,
            1.. => Finding::ClockAhead,
            _ => Finding::ClockBehind,
        };
        let name = self.name_of(Some(station));
        let seconds = i64::try_from(off.unsigned_abs() / 1_000).unwrap_or(i64::MAX);
        self.report_time(name, what, Some(seconds), now);
    }

    /// Stations whose clocks are off, and by how many seconds: more than 0 is ahead.
    pub(super) fn clocks(&self) -> Vec<(String, i64)> {
        let all = self.stations.iter().zip(&self.site.stations);
        let off = all.filter(|(state, _)| state.clock.off() != 0);
        off.map(|(state, station)| (station.id.clone(), state.clock.off() / 1_000)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    #[test]
    fn a_clock_ahead_is_certain_and_one_that_is_right_again_as_well() {
        let mut clock = StationClock::default();
        assert!(clock.heard(5 * MINUTE, 0) && clock.off() == 5 * MINUTE);
        assert!(clock.heard(MINUTE, 2 * MINUTE) && clock.off() == 0, "a minute late is no skew");
    }

    #[test]
    fn what_waited_in_a_line_is_no_skew() {
        let mut clock = StationClock::default();
        // Ten readings, one each minute, come within two seconds.
        for reading in 0..10 {
            assert!(!clock.heard(reading * MINUTE, 20 * MINUTE + reading * 200));
        }
        // One that is two hours late, again and again in a moment.
        for _ in 0..10 {
            assert!(!clock.heard(0, 120 * MINUTE));
        }
        assert_eq!(clock.off(), 0);
        assert!(clock.heard(121 * MINUTE, 121 * MINUTE) && clock.off() == 0);
    }

    #[test]
    fn messages_that_are_late_by_the_same_show_a_clock_that_is_behind() {
        let mut clock = StationClock::default();
        for (at, network) in [(0, 700), (20_000, 100)] {
            assert!(!clock.heard(at - 7 * MINUTE, at + network));
        }
        // A late one in between changes nothing.
        assert!(!clock.heard(-60 * MINUTE, 30_000));
        assert!(clock.heard(40_000 - 7 * MINUTE, 40_300));
        assert_eq!(clock.off(), -7 * MINUTE - 100);
        assert_eq!(StationClock::behind(7 * MINUTE).off(), -7 * MINUTE, "it is known over a restart");
    }
}
