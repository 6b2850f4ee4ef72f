//! The composite schedule: what all profiles together come to in the time ahead (OCPP 1.6, 3.13.3, 5.7).

use super::installed::{Charge, Profiles};
use super::level::Level;
use super::schedule::sooner;
use crate::domain::Timestamp;
use crate::domain::charging_profile::{CompositeSchedule, RateUnit};
use chrono::TimeDelta;

/// The longest time that is looked ahead; whoever asks for more is told this much.
const LONGEST_S: u32 = 7 * 86_400;

/// A connector as the composite schedule needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlet {
    /// Its number.
    pub connector: i32,
    /// What it can do, a local limit.
    pub rating: Level,
    /// What charges there.
    pub charge: Option<Charge>,
}

impl Profiles {
    /// The composite schedule of a connector, or of the station for all of its connectors.
    ///
    /// Of a connector it is the lowest of what it can do and what the profiles say; of the station the lowest of
    /// the station's own limit and the sum of its connectors. Where nothing charges, it is told for a charge that
    /// would begin now. Periods begin with whole seconds; in a second within which a limit changes, the lower one
    /// is told, so that at no moment it is more than what is allowed.
    #[must_use]
    pub fn composite(
        &self,
        connector: i32,
        outlets: &[Outlet],
        from: Timestamp,
        duration_s: u32,
        unit: RateUnit,
    ) -> CompositeSchedule {
        let duration_s = duration_s.min(LONGEST_S);
        let end = i64::from(duration_s);
        let levels = self.levels(outlets, from, end * 1000);
        let mut seconds: Vec<i64> =
            levels.iter().flat_map(|(at, _)| [at / 1000, (at + 999) / 1000]).collect();
        seconds.dedup();
        seconds.retain(|second| *second < end.max(1));
        let mut told = None;
        let mut periods = Vec::new();
        for (index, second) in seconds.iter().enumerate() {
            let next = seconds.get(index + 1).copied().unwrap_or(end) * 1000;
            let here = second * 1000;
            let at_first = levels.iter().rev().find(|(at, _)| *at <= here);
            let within = levels.iter().filter(|(at, _)| (here + 1..next).contains(at));
            let level = at_first.into_iter().chain(within).map(|(_, level)| *level).reduce(Level::and);
            if let (Some(level), Ok(start_s)) = (level, u32::try_from(*second))
                && told != Some(level)
            {
                told = Some(level);
                periods.push(level.to_period(start_s, unit));
            }
        }
        CompositeSchedule { connector, start: Some(from), duration_s: Some(duration_s), unit, periods }
    }

    /// The level from each moment on at which it may change, in milliseconds from the start.
    fn levels(&self, outlets: &[Outlet], from: Timestamp, end: i64) -> Vec<(i64, Level)> {
        let mut levels = Vec::new();
        let mut at = Some(0);
        while let Some(now) = at {
            let (level, until) = self.together(outlets, from, from.plus(TimeDelta::milliseconds(now)));
            levels.push((now, level));
            at = until.map(|until| until.millis_since(from).max(now + 1)).filter(|next| *next < end);
        }
        levels
    }

    /// The level of one or more connectors together at a moment, and until when.
    fn together(&self, outlets: &[Outlet], from: Timestamp, at: Timestamp) -> (Level, Option<Timestamp>) {
        let mut until = None;
        let mut station: Option<Level> = None;
        let mut sum = Level { each: 0, phases: 1 };
        for outlet in outlets {
            let begins_now = Charge { local: u64::MAX, id: None, began: from };
            let limits = self.in_force(outlet.connector, Some(&outlet.charge.unwrap_or(begins_now)), at);
            until = sooner(until, limits.until);
            station = limits.station;
            let own = limits.own().map_or(outlet.rating, |own| own.and(outlet.rating));
            sum = Level { each: sum.each.saturating_add(own.each), phases: sum.phases.max(own.phases) };
        }
        (station.map_or(sum, |station| station.and(sum)), until)
    }
}
