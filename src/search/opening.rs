//! When places are open, quickly: a search asks that of tens of thousands of places at one moment. What the hours mean
//! is said in `domain::opening`; here they are made ready once.

use crate::domain::Timestamp;
use crate::domain::location::Hours;
use chrono::{Datelike, Offset, TimeDelta, Timelike};
use chrono_tz::Tz;
use std::cell::RefCell;
use std::hash::{Hash, Hasher};

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// When a place is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    hours: Hours,
    zone: Tz,
    /// From and to, in minutes of the local week.
    week: Vec<(u32, u32)>,
}

impl Hash for Opening {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.zone.hash(state);
        self.week.hash(state);
    }
}

impl Opening {
    /// Makes hours ready.
    #[must_use]
    pub fn new(hours: Hours, zone: Tz) -> Self {
        let week = hours.week();
        Self { hours, zone, week }
    }

    /// Whether it is open at a moment.
    #[must_use]
    pub fn is_open(&self, moment: &Moment) -> bool {
        if let Some(open) = self.hours.without_regular(moment.at) {
            return open;
        }
        match moment.minute_of_week(self.zone) {
            Some(minute) => self.week.iter().any(|(begin, end)| *begin <= minute && minute < *end),
            None => self.hours.is_regularly_open(moment.at, self.zone),
        }
    }
}

/// A moment, and what the clocks of zones show then. One search makes one.
#[derive(Debug, Clone)]
pub struct Moment {
    at: Timestamp,
    zones: RefCell<Vec<(Tz, Option<u32>)>>,
}

impl Moment {
    /// A moment.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { at, zones: RefCell::default() }
    }

    /// The minute of the local week, from Monday on; nothing where the clocks of the zone are changed within two days,
    /// which is for the hours themselves to decide.
    fn minute_of_week(&self, zone: Tz) -> Option<u32> {
        let mut zones = self.zones.borrow_mut();
        if let Some((_, minute)) = zones.iter().find(|(known, _)| *known == zone) {
            return *minute;
        }
        let offset = |days| {
            let there = self.at.plus(TimeDelta::days(days)).utc().with_timezone(&zone);
            there.offset().fix()
        };
        let local = self.at.utc().with_timezone(&zone);
        let steady = (-2..=2).all(|days| offset(days) == local.offset().fix());
        let minute = steady.then(|| {
            let days = local.weekday().num_days_from_monday();
            days.saturating_mul(DAY)
                .saturating_add(local.hour().saturating_mul(60))
                .saturating_add(local.minute())
        });
        zones.push((zone, minute));
        minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{America::New_York, Asia::Kathmandu, Australia::Lord_Howe, Europe::Berlin, UTC};
    use proptest::prelude::*;
    use serde_json::json;

    fn time() -> impl Strategy<Value = String> {
        prop_oneof![
            1 => Just("24:00".to_owned()),
            8 => (0..24_u32, 0..60_u32).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}")),
        ]
    }

    proptest! {
        /// The quick way says what the hours say, around changes of the clocks as well.
        #[test]
        fn it_is_open_when_its_hours_say_so(
            periods in prop::collection::vec((1..=7_u8, time(), time()), 0..6),
            zone in prop::sample::select(vec![New_York, Kathmandu, Lord_Howe, Berlin, UTC]),
            // 2026, by minutes and odd seconds.
            minute in 0..365 * 24 * 60_i64,
            second in 0..60_i64,
        ) {
            let regular: Vec<_> = periods
                .iter()
                .map(|(weekday, begin, end)| json!({"weekday": weekday, "period_begin": begin, "period_end": end}))
                .collect();
            let hours: Hours =
                serde_json::from_value(json!({"twentyfourseven": false, "regular_hours": regular})).unwrap();
            let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
            let at = begin.plus(TimeDelta::seconds(minute * 60 + second));
            let quick = Opening::new(hours.clone(), zone).is_open(&Moment::new(at));
            prop_assert_eq!(quick, hours.is_open(at, zone), "{} in {}: {:?}", at, zone, periods);
        }
    }
}
