//! The grid operator's limit, in the shape of EEBUS "limitation of power consumption" (LPC): a limit that may
//! end by itself, a heartbeat, a failsafe limit when the heartbeat stops, and a limited start.
//!
//! In Germany, EnWG § 14a makes this the law for private charging points above 4.2 kW: [`guaranteed_watts`] is
//! what they may draw at least while a limit is in force.

use super::super::ledger::Millis;
use serde::{Deserialize, Serialize};

/// What is agreed with the grid operator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridControl {
    /// Watts that may be drawn when the heartbeat has stopped, and after a start until it is heard.
    pub failsafe_watts: f64,
    /// After how many seconds without a heartbeat it counts as stopped (LPC: 120).
    #[serde(default = "heartbeat_seconds")]
    pub heartbeat_seconds: u32,
    /// For how many minutes at least the failsafe limit holds (LPC: 2 to 24 hours) while no heartbeat comes.
    #[serde(default = "failsafe_minutes")]
    pub failsafe_minutes: u32,
}

fn heartbeat_seconds() -> u32 {
    120
}

fn failsafe_minutes() -> u32 {
    120
}

/// A limit of the grid operator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GridLimit {
    /// Watts that the site's charging may draw in all; none lifts the limit.
    pub watts: Option<f64>,
    /// When it ends by itself.
    pub until: Option<Millis>,
}

/// In which of LPC's states the site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GridState {
    /// Nothing was heard since the start: the failsafe limit holds.
    Init,
    /// The operator is heard and asks for nothing.
    Free,
    /// A limit is in force.
    Limited,
    /// The heartbeat stopped: the failsafe limit holds.
    Failsafe,
    /// The heartbeat has been away for longer than the failsafe limit has to hold.
    Alone,
}

/// The state machine. It holds no clock: every question brings the time.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    agreed: GridControl,
    started: Millis,
    heard: Option<Millis>,
    limit: GridLimit,
}

impl Grid {
    /// After a start, with what was agreed and the limit that was in force before, if any is known: a restart
    /// does not lift it.
    #[must_use]
    pub fn start(agreed: GridControl, now: Millis, limit: Option<GridLimit>) -> Self {
        let limit = limit.unwrap_or(GridLimit { watts: None, until: None });
        Self { agreed, started: now, heard: None, limit }
    }

    /// The operator gives a sign of life.
    pub fn heartbeat(&mut self, now: Millis) {
        self.heard = Some(now);
    }

    /// The operator sets or lifts its limit; that is a sign of life as well.
    pub fn set(&mut self, limit: GridLimit, now: Millis) {
        // A number that is none must not lift a limit.
        let watts = limit.watts.map(|watts| if watts.is_finite() { watts.max(0.0) } else { 0.0 });
        self.limit = GridLimit { watts, ..limit };
        self.heard = Some(now);
    }

    /// The limit as it was last set.
    #[must_use]
    pub fn limit(&self) -> GridLimit {
        self.limit
    }

    /// The state now.
    #[must_use]
    pub fn state(&self, now: Millis) -> GridState {
        let silent = millis(self.agreed.heartbeat_seconds, 1_000);
        let hold = millis(self.agreed.failsafe_minutes, 60_000);
        let Some(heard) = self.heard else {
            let alone = now >= self.started.saturating_add(silent);
            return match (alone, self.is_limited(now)) {
                (_, true) => GridState::Limited,
                (true, false) => GridState::Alone,
                (false, false) => GridState::Init,
            };
        };
        let lost_at = heard.saturating_add(silent);
        if now < lost_at {
            if self.is_limited(now) { GridState::Limited } else { GridState::Free }
        } else if now < lost_at.saturating_add(hold) {
            GridState::Failsafe
        } else {
            GridState::Alone
        }
    }

    /// Watts that charging may draw now; none where nothing limits it.
    #[must_use]
    pub fn watts(&self, now: Millis) -> Option<f64> {
        match self.state(now) {
            GridState::Init => Some(self.agreed.failsafe_watts),
            // Silence must not give more than the limit that the silence began with.
            GridState::Failsafe if self.is_limited(now) => {
                Some(self.limit.watts.unwrap_or(f64::INFINITY).min(self.agreed.failsafe_watts))
            }
            GridState::Failsafe => Some(self.agreed.failsafe_watts),
            GridState::Limited => self.limit.watts,
            GridState::Free | GridState::Alone => None,
        }
    }

    /// When the answer of [`Grid::watts`] changes next without news; none when it does not.
    #[must_use]
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        let silent = millis(self.agreed.heartbeat_seconds, 1_000);
        let hold = millis(self.agreed.failsafe_minutes, 60_000);
        let lost = self.heard.unwrap_or(self.started).saturating_add(silent);
        [Some(lost), self.heard.map(|_| lost.saturating_add(hold)), self.limit.until]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }

    fn is_limited(&self, now: Millis) -> bool {
        self.limit.watts.is_some() && self.limit.until.is_none_or(|until| now < until)
    }
}

fn millis(count: u32, each: i64) -> Millis {
    i64::from(count).saturating_mul(each)
}

/// What an energy management system with `points` controllable charging points above 4.2 kW may draw at least
/// while a limit of the grid operator is in force, watts: 4.2 kW + (n − 1) · g · 4.2 kW (German EnWG § 14a,
/// determination BK6-22-300, annex 1, 4.5.2), with g from 0.80 for two points down to 0.45 for nine and more.
#[must_use]
pub fn guaranteed_watts(points: u32) -> f64 {
    if points == 0 {
        return 0.0;
    }
    let others = f64::from(points.saturating_sub(1));
    let step = f64::from(points.saturating_sub(2).min(7));
    4_200.0 + others * (0.80 - 0.05 * step) * 4_200.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGREED: GridControl =
        GridControl { failsafe_watts: 4_200.0, heartbeat_seconds: 120, failsafe_minutes: 120 };
    const MINUTE: Millis = 60_000;

    #[test]
    fn ten_points_are_left_21_kilowatts() {
        // 4.2 + 9 · 0.45 · 4.2 = 21.21
        assert!((guaranteed_watts(10) - 21_210.0).abs() < 1e-6);
        assert!((guaranteed_watts(2) - 7_560.0).abs() < 1e-6);
        assert!((guaranteed_watts(1) - 4_200.0).abs() < 1e-6);
        assert!((guaranteed_watts(0)).abs() < 1e-6);
    }

    #[test]
    fn it_starts_limited_and_is_alone_when_nobody_speaks() {
        let grid = Grid::start(AGREED, 0, None);
        assert_eq!((grid.state(0), grid.watts(0)), (GridState::Init, Some(4_200.0)));
        assert_eq!(grid.next_change(0), Some(2 * MINUTE));
        assert_eq!((grid.state(2 * MINUTE), grid.watts(2 * MINUTE)), (GridState::Alone, None));
    }

    #[test]
    fn a_restart_does_not_lift_a_limit() {
        let limit = GridLimit { watts: Some(10_000.0), until: Some(60 * MINUTE) };
        let grid = Grid::start(AGREED, 0, Some(limit));
        assert_eq!(grid.watts(30 * MINUTE), Some(10_000.0));
        assert_eq!(grid.state(61 * MINUTE), GridState::Alone);
    }

    #[test]
    fn a_heartbeat_that_stops_means_failsafe_for_its_time() {
        let mut grid = Grid::start(AGREED, 0, None);
        grid.heartbeat(MINUTE);
        assert_eq!((grid.state(MINUTE), grid.watts(MINUTE)), (GridState::Free, None));
        assert_eq!(grid.watts(3 * MINUTE), Some(4_200.0));
        assert_eq!(grid.state(122 * MINUTE), GridState::Failsafe);
        assert_eq!(grid.state(123 * MINUTE), GridState::Alone);
        grid.heartbeat(124 * MINUTE);
        assert_eq!(grid.state(124 * MINUTE), GridState::Free);
    }

    #[test]
    fn a_limit_holds_until_its_end_and_silence_gives_no_more_than_it() {
        let mut grid = Grid::start(AGREED, 0, None);
        grid.set(GridLimit { watts: Some(3_000.0), until: Some(10 * MINUTE) }, 0);
        assert_eq!(grid.watts(MINUTE), Some(3_000.0));
        assert_eq!((grid.state(5 * MINUTE), grid.watts(5 * MINUTE)), (GridState::Failsafe, Some(3_000.0)));
        assert_eq!(grid.watts(10 * MINUTE), Some(4_200.0));
        grid.set(GridLimit { watts: Some(f64::NAN), until: None }, 11 * MINUTE);
        assert_eq!(grid.watts(11 * MINUTE), Some(0.0));
    }
}
