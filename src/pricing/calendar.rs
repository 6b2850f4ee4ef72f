//! The local time of a place, and when it next matters to a tariff.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

/// A moment on the clock and the calendar of a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Local {
    /// Minutes since midnight, by the clock.
    pub(super) minute: u16,
    /// Days since 1970-01-01.
    pub(super) day: i64,
    /// 0 is Monday.
    pub(super) weekday: u8,
}

/// How far the clocks of `zone` are ahead of UTC, in milliseconds.
fn offset(zone: Tz, at: i64) -> i64 {
    let moment = DateTime::from_timestamp_millis(at).unwrap_or_default().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&moment).fix().local_minus_utc()) * SECOND
}

fn with_offset(at: i64, offset: i64) -> Local {
    let local = at.saturating_add(offset);
    let day = local.div_euclid(DAY);
    let minute = local.rem_euclid(DAY) / MINUTE;
    // 1970-01-01 was a Thursday.
    let weekday = (day + 3).rem_euclid(7);
    Local {
        minute: u16::try_from(minute).unwrap_or_default(),
        day,
        weekday: u8::try_from(weekday).unwrap_or_default(),
    }
}

/// The local times of moments that are close to each other, without asking the zone's rules for each.
pub(super) struct Clock {
    zone: Tz,
    /// Within these moments (inclusive) the offset is known.
    known: (i64, i64),
    offset: i64,
}

impl Clock {
    /// For moments between `from` and `to`; others are allowed and cost more.
    pub(super) fn new(zone: Tz, from: i64, to: i64) -> Self {
        let first = offset(zone, from);
        // No zone changes its clocks twice within a week and back again.
        let one = to.saturating_sub(from) < 7 * DAY && first == offset(zone, to);
        Self { zone, known: if one { (from, to) } else { (from, from) }, offset: first }
    }

    /// The local time of a moment.
    pub(super) fn local(&self, at: i64) -> Local {
        let known = self.known.0 <= at && at <= self.known.1;
        with_offset(at, if known { self.offset } else { offset(self.zone, at) })
    }
}

/// The first moment after `at` at which the clock shows one of `minutes` (sorted, since midnight), or at which the
/// clocks are changed; [`i64::MAX`] where there are none.
pub(super) fn next_edge(zone: Tz, at: i64, minutes: &[u16]) -> i64 {
    let Some(first) = minutes.first() else { return i64::MAX };
    let now = offset(zone, at);
    let local = at.saturating_add(now);
    let midnight = local.div_euclid(DAY) * DAY;
    let today =
        minutes.iter().map(|minute| midnight + i64::from(*minute) * MINUTE).find(|edge| *edge > local);
    let next = today.unwrap_or(midnight + DAY + i64::from(*first) * MINUTE) - now;
    if offset(zone, next) == now { next } else { clocks_changed(zone, at, next, now) }
}

/// The first moment after `from` at which the offset is not `old` any more; at `to` it is not.
fn clocks_changed(zone: Tz, from: i64, to: i64, old: i64) -> i64 {
    let (mut before, mut after) = (from, to);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset(zone, middle) == old { before = middle } else { after = middle }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    #[test]
    fn local_times_follow_the_zone() {
        let clock = Clock::new(Berlin, at("2026-03-27T12:00:00Z"), at("2026-03-30T12:00:00Z"));
        let seen = |text| {
            let Local { minute, weekday, .. } = clock.local(at(text));
            (minute / 60, minute % 60, weekday)
        };
        assert_eq!(seen("2026-03-27T12:30:59Z"), (13, 30, 4));
        assert_eq!(seen("2026-03-29T00:59:00Z"), (1, 59, 6));
        assert_eq!(seen("2026-03-29T01:00:00Z"), (3, 0, 6), "clocks go forward");
        assert_eq!(seen("2026-03-30T22:00:00Z"), (0, 0, 1), "beyond what was asked for");
    }

    #[test]
    fn edges_are_those_of_the_clock_and_its_changes() {
        let edges = [0, 7 * 60, 22 * 60 + 30];
        let next =
            |text| DateTime::from_timestamp_millis(next_edge(Berlin, at(text), &edges)).unwrap().to_rfc3339();
        assert_eq!(next("2026-01-14T05:59:59.999Z"), "2026-01-14T06:00:00+00:00");
        assert_eq!(next("2026-01-14T06:00:00Z"), "2026-01-14T21:30:00+00:00", "never the moment itself");
        assert_eq!(next("2026-01-14T21:30:00Z"), "2026-01-14T23:00:00+00:00");
        assert_eq!(next("2026-03-28T23:00:00Z"), "2026-03-29T01:00:00+00:00", "clocks go forward");
        assert_eq!(next("2026-03-29T01:00:00Z"), "2026-03-29T05:00:00+00:00");
        assert_eq!(next("2026-10-25T00:30:00Z"), "2026-10-25T01:00:00+00:00", "clocks go back");
        assert_eq!(next_edge(Berlin, 0, &[]), i64::MAX);
    }
}
