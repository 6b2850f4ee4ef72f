//! When a location is open (OCPI 2.2.1 mod_locations, "Hours class"): local times by weekday, and exceptions from
//! them. A closing goes before an opening, and an exception before the regular hours.

use super::location::{ExceptionalPeriod, Hours, RegularHours};
use super::values::Timestamp;
use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;

/// How far ahead the next change is looked for: a week has each regular period once.
const AHEAD: u64 = 8;
/// Minutes of a day and of a week.
const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;

impl Hours {
    /// Whether it is open at a moment, in its zone.
    #[must_use]
    pub fn is_open(&self, at: Timestamp, zone: Tz) -> bool {
        self.without_regular(at).unwrap_or_else(|| self.is_regularly_open(at, zone))
    }

    /// Whether it is open at a moment, where that does not depend on the regular hours.
    #[must_use]
    pub fn without_regular(&self, at: Timestamp) -> Option<bool> {
        let during = |periods: &Option<Vec<ExceptionalPeriod>>| {
            periods.iter().flatten().any(|period| period.period_begin <= at && at < period.period_end)
        };
        if during(&self.exceptional_closings) {
            return Some(false);
        }
        (self.twentyfourseven || during(&self.exceptional_openings)).then_some(true)
    }

    /// Whether it is open by the regular hours, whatever exceptions there are.
    #[must_use]
    pub fn is_regularly_open(&self, at: Timestamp, zone: Tz) -> bool {
        let today = at.utc().with_timezone(&zone).date_naive();
        // A period that passes midnight began yesterday.
        let days = [today.pred_opt(), Some(today)].into_iter().flatten();
        days.flat_map(|day| self.spans(day, zone)).any(|(begin, end)| begin <= at && at < end)
    }

    /// The regular hours as minutes of a local week, from Monday on: from, and to. It is true of every week in which the
    /// clocks are not changed.
    #[must_use]
    pub fn week(&self) -> Vec<(u32, u32)> {
        let mut week = Vec::new();
        for hours in self.regular_hours.iter().flatten().filter(|hours| (1..=7).contains(&hours.weekday)) {
            let Some((begin, end)) = times(hours) else { continue };
            let (begin, end) = (minute_of_day(begin), minute_of_day(end));
            let midnight = u32::from(hours.weekday).saturating_sub(1).saturating_mul(DAY);
            let from = midnight.saturating_add(begin);
            let to = midnight.saturating_add(end).saturating_add(if end <= begin { DAY } else { 0 });
            week.push((from, to.min(WEEK)));
            if to > WEEK {
                week.push((0, to.saturating_sub(WEEK)));
            }
        }
        week
    }

    /// When it opens or closes next, if it does within a week.
    #[must_use]
    pub fn next_change(&self, at: Timestamp, zone: Tz) -> Option<Timestamp> {
        let today = at.utc().with_timezone(&zone).date_naive();
        let days = (0..=AHEAD).filter_map(|ahead| today.checked_add_days(Days::new(ahead)));
        let days = today.pred_opt().into_iter().chain(days);
        let regular = days.flat_map(|day| self.spans(day, zone)).flat_map(|(begin, end)| [begin, end]);
        let exceptions = self.exceptional_openings.iter().chain(&self.exceptional_closings).flatten();
        let exceptions = exceptions.flat_map(|period| [period.period_begin, period.period_end]);
        let last = at.plus(TimeDelta::weeks(1));
        let mut edges: Vec<Timestamp> =
            regular.chain(exceptions).filter(|edge| *edge > at && *edge <= last).collect();
        edges.sort_unstable();
        let now = self.is_open(at, zone);
        edges.into_iter().find(|edge| self.is_open(*edge, zone) != now)
    }

    /// The regular periods that begin on a day.
    fn spans(&self, day: NaiveDate, zone: Tz) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let weekday = day.weekday().number_from_monday();
        let hours = self.regular_hours.iter().flatten();
        let of_day = hours.filter(move |hours| u32::from(hours.weekday) == weekday);
        of_day.filter_map(move |hours| span(hours, day, zone))
    }
}

/// From when to when a regular period is, if its times are any. One that ends at or before its begin ends on the
/// next day.
fn span(hours: &RegularHours, day: NaiveDate, zone: Tz) -> Option<(Timestamp, Timestamp)> {
    let (begin, end) = times(hours)?;
    let last_day = if end <= begin { day.succ_opt()? } else { day };
    Some((moment(day, begin, zone)?, moment(last_day, end, zone)?))
}

/// The times of a regular period, if they are any; `24:00` is the midnight that ends the day.
fn times(hours: &RegularHours) -> Option<(NaiveTime, NaiveTime)> {
    let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
    let end = if hours.period_end == "24:00" { NaiveTime::MIN } else { time(&hours.period_end)? };
    Some((time(&hours.period_begin)?, end))
}

fn minute_of_day(time: NaiveTime) -> u32 {
    time.num_seconds_from_midnight() / 60
}

/// The moment at which the clocks of a zone show a time; of two, the first, and where they skip it, an hour later.
fn moment(day: NaiveDate, time: NaiveTime, zone: Tz) -> Option<Timestamp> {
    let local = day.and_time(time);
    let found = zone.from_local_datetime(&local).earliest();
    let found = found.or_else(|| {
        let later = local.checked_add_signed(TimeDelta::hours(1))?;
        zone.from_local_datetime(&later).earliest()
    });
    found.map(|at| Timestamp::new(at.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;
    use serde_json::{Value, json};

    fn hours(of: Value) -> Hours {
        serde_json::from_value(of).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn regular_hours_are_local_and_may_pass_midnight() {
        let shop = hours(json!({"twentyfourseven": false, "regular_hours": [
            {"weekday": 1, "period_begin": "08:00", "period_end": "12:00"},
            {"weekday": 1, "period_begin": "13:00", "period_end": "24:00"},
            {"weekday": 6, "period_begin": "20:00", "period_end": "02:00"},
        ]}));
        // 2026-06-01 is a Monday; Berlin is two hours ahead.
        for (time, open) in [
            ("2026-06-01T05:59:00Z", false),
            ("2026-06-01T06:00:00Z", true),
            ("2026-06-01T10:00:00Z", false),
            ("2026-06-01T11:00:00Z", true),
            ("2026-06-01T21:59:00Z", true),
            ("2026-06-01T22:00:00Z", false),
            ("2026-06-06T18:00:00Z", true),
            ("2026-06-06T23:59:00Z", true),
            ("2026-06-07T00:00:00Z", false),
        ] {
            assert_eq!(shop.is_open(at(time), Berlin), open, "{time}");
        }
        let next = |time: &str| shop.next_change(at(time), Berlin).unwrap().to_string();
        assert_eq!(next("2026-06-01T06:00:00Z"), "2026-06-01T10:00:00Z");
        assert_eq!(next("2026-06-06T23:00:00Z"), "2026-06-07T00:00:00Z");
        assert_eq!(next("2026-06-07T00:00:00Z"), "2026-06-08T06:00:00Z");
    }

    #[test]
    fn exceptions_go_before_regular_hours_and_closings_before_openings() {
        let always = hours(json!({"twentyfourseven": true, "exceptional_closings": [
            {"period_begin": "2026-12-24T12:00:00Z", "period_end": "2026-12-26T00:00:00Z"}]}));
        assert!(!always.is_open(at("2026-12-24T12:00:00Z"), Berlin));
        assert_eq!(always.next_change(at("2026-12-24T00:00:00Z"), Berlin), Some(at("2026-12-24T12:00:00Z")));
        assert_eq!(always.next_change(at("2026-01-01T00:00:00Z"), Berlin), None);
        let rare = hours(json!({"twentyfourseven": false,
            "exceptional_openings": [{"period_begin": "2026-05-01T08:00:00Z", "period_end": "2026-05-01T18:00:00Z"}],
            "exceptional_closings": [{"period_begin": "2026-05-01T12:00:00Z", "period_end": "2026-05-01T13:00:00Z"}]}));
        let open = ["07:59", "08:00", "12:30", "13:00", "18:00"]
            .map(|time| rare.is_open(at(&format!("2026-05-01T{time}:00Z")), Berlin));
        assert_eq!(open, [false, true, false, true, false]);
    }

    #[test]
    fn clocks_that_are_changed_keep_the_hours() {
        let night = hours(json!({"twentyfourseven": false, "regular_hours": [
            {"weekday": 7, "period_begin": "02:30", "period_end": "04:00"}]}));
        // On 2026-03-29 the clocks go from 02:00 to 03:00.
        assert!(!night.is_open(at("2026-03-29T01:29:00Z"), Berlin));
        assert!(night.is_open(at("2026-03-29T01:30:00Z"), Berlin));
        assert!(!night.is_open(at("2026-03-29T02:00:00Z"), Berlin));
    }
}
