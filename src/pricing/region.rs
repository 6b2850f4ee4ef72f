//! The situations in which a tariff element applies, as sets: whether two elements can apply at the same time,
//! and what an element leaves to those behind it (OCPI 2.2.1 mod_tariffs, "TariffRestrictions").
//!
//! A situation is a minute of the week, a day, and the energy, duration, power and current of a charge. What
//! these have to do with each other (a duration is not reached without time passing) is not looked at, so a set
//! may hold situations that never come; what is empty here is never reached.

use crate::domain::Kwh;
use crate::domain::tariff::{DayOfWeek, TariffRestrictions};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

const MINUTES_OF_DAY: usize = 24 * 60;
const MINUTES_OF_WEEK: usize = 7 * MINUTES_OF_DAY;
const DAYS: [DayOfWeek; 7] = [
    DayOfWeek::Monday,
    DayOfWeek::Tuesday,
    DayOfWeek::Wednesday,
    DayOfWeek::Thursday,
    DayOfWeek::Friday,
    DayOfWeek::Saturday,
    DayOfWeek::Sunday,
];

/// More pieces than this are not computed: what is left is then taken to be possible.
const MOST_PIECES: usize = 100;

/// From a least value, inclusive, to a most one, exclusive; either may be missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Option<Decimal>,
    pub(super) to: Option<Decimal>,
}

impl Span {
    fn new(from: Option<Decimal>, to: Option<Decimal>) -> Self {
        Self { from, to }
    }

    /// Of a quantity that is never negative: from 0 on says nothing.
    fn from_zero(from: Option<Decimal>, to: Option<Decimal>) -> Self {
        Self { from: from.filter(|from| *from > Decimal::ZERO), to }
    }

    fn is_empty(self, least: Option<Decimal>) -> bool {
        let from = self.from.or(least);
        matches!((from, self.to), (Some(from), Some(to)) if from >= to)
    }

    fn intersection(self, other: Self) -> Self {
        let from = match (self.from, other.from) {
            (Some(one), Some(two)) => Some(one.max(two)),
            (one, two) => one.or(two),
        };
        let to = match (self.to, other.to) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self { from, to }
    }

    /// What of this span lies before `other`, and what behind it.
    fn outside(self, other: Self) -> [Option<Self>; 2] {
        let before = other.from.map(|from| self.intersection(Self { from: None, to: Some(from) }));
        let behind = other.to.map(|to| self.intersection(Self { from: Some(to), to: None }));
        [before, behind]
    }
}

const WORDS: usize = MINUTES_OF_WEEK.div_ceil(64);

/// The minutes of a week, from Monday 00:00: a bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Week([u64; WORDS]);

impl Week {
    /// Minutes of the windows that begin on the given days. A window over midnight belongs to the day on which it
    /// begins; 00:00 as the end is the end of the day.
    fn of(restrictions: &TariffRestrictions) -> Self {
        let start = restrictions.start_time.as_deref().map_or(0, minute_of);
        let end = restrictions.end_time.as_deref().map_or(0, minute_of);
        let end = if end == 0 { MINUTES_OF_DAY } else { end };
        let length = if start <= end { end - start } else { MINUTES_OF_DAY - start + end };
        let mut week = Self([0; WORDS]);
        for (day, name) in DAYS.iter().enumerate() {
            if applies_on(restrictions, name) {
                let begin = day * MINUTES_OF_DAY + start;
                (begin..begin + length).for_each(|minute| week.set(minute % MINUTES_OF_WEEK));
            }
        }
        week
    }

    /// All minutes of one day, Monday being 0.
    fn day(day: usize) -> Self {
        let mut week = Self([0; WORDS]);
        (day * MINUTES_OF_DAY..(day + 1) * MINUTES_OF_DAY).for_each(|minute| week.set(minute));
        week
    }

    fn set(&mut self, minute: usize) {
        if let Some(word) = self.0.get_mut(minute / 64) {
            *word |= 1 << (minute % 64);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn combined(&self, other: &Self, keep: impl Fn(u64, u64) -> u64) -> Self {
        let mut words = [0; WORDS];
        for (word, (one, two)) in words.iter_mut().zip(self.0.iter().zip(&other.0)) {
            *word = keep(*one, *two);
        }
        Self(words)
    }

    /// Without the days of which no date of a short range is one.
    fn on_dates(self, dates: Span) -> Self {
        let days = |span: Span| Some((i64::try_from(span.from?).ok()?, i64::try_from(span.to?).ok()?));
        let Some((first, end)) = days(dates).filter(|(first, end)| end - first < 7) else { return self };
        let none = Self([0; WORDS]);
        // 1970-01-01 was a Thursday.
        let weekdays = (first..end).filter_map(|day| usize::try_from((day + 3).rem_euclid(7)).ok());
        let wanted = weekdays.fold(none, |all, day| all.combined(&Self::day(day), |one, two| one | two));
        self.combined(&wanted, |own, wanted| own & wanted)
    }
}

/// Whether an element applies on a day of the week; no list, and a list of none, are every day.
pub(super) fn applies_on(restrictions: &TariffRestrictions, day: &DayOfWeek) -> bool {
    restrictions.day_of_week.as_ref().is_none_or(|days| days.is_empty() || days.contains(day))
}

/// Minutes from midnight of `HH:MM`; 0 where it cannot be read, which reading does not let pass.
fn minute_of(text: &str) -> usize {
    let read = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        Some(hours.parse::<usize>().ok()?.min(24) * 60 + minutes.parse::<usize>().ok()?.min(59))
    };
    read(text).map_or(0, |minute| minute % MINUTES_OF_DAY)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
fn day_of(text: &str) -> Option<Decimal> {
    let date: NaiveDate = text.parse().ok()?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?.num_days_from_ce();
    Some(Decimal::from(date.num_days_from_ce() - epoch))
}

/// A set of situations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    week: Week,
    dates: Span,
    energy: Span,
    duration: Span,
    power: Span,
    current: Span,
}

/// Reads or replaces one of the spans of a region.
type Axis = fn(&mut Region) -> &mut Span;
const AXES: [Axis; 5] = [
    |region| &mut region.dates,
    |region| &mut region.energy,
    |region| &mut region.duration,
    |region| &mut region.power,
    |region| &mut region.current,
];

impl Region {
    /// Where restrictions match; without any, everywhere.
    pub(super) fn of(restrictions: Option<&TariffRestrictions>) -> Self {
        let nothing = TariffRestrictions::default();
        let given = restrictions.unwrap_or(&nothing);
        let date = |text: &Option<String>| text.as_deref().and_then(day_of);
        let kwh = |energy: Option<Kwh>| energy.map(Kwh::decimal);
        let seconds = |seconds: Option<u64>| seconds.map(Decimal::from);
        let dates = Span::new(date(&given.start_date), date(&given.end_date));
        Self {
            week: Week::of(given),
            dates,
            energy: Span::from_zero(kwh(given.min_kwh), kwh(given.max_kwh)),
            duration: Span::from_zero(seconds(given.min_duration), seconds(given.max_duration)),
            power: Span::from_zero(given.min_power, given.max_power),
            current: Span::from_zero(given.min_current, given.max_current),
        }
    }

    /// Only what can be while the vehicle does not ask for power.
    pub(super) fn while_parking(mut self) -> Self {
        // Whatever the smallest step is: no power at all.
        let none = Span::new(None, Some(Decimal::new(1, 12)));
        self.power = self.power.intersection(none);
        self.current = self.current.intersection(none);
        self
    }

    /// Whether there is no such situation.
    pub(super) fn is_empty(&self) -> bool {
        let zero = Some(Decimal::ZERO);
        self.dates.is_empty(None)
            || self.energy.is_empty(zero)
            || self.duration.is_empty(zero)
            || self.power.is_empty(None)
            || self.current.is_empty(None)
            || self.week.is_empty()
    }

    /// Whether there is none because the dates have none of the days of the week.
    pub(super) fn has_no_day(&self) -> bool {
        !self.week.is_empty() && self.week.clone().on_dates(self.dates).is_empty()
    }

    fn with(mut self, axis: Axis, span: Span) -> Self {
        *axis(&mut self) = span;
        self
    }

    fn intersection(&self, other: &Self) -> Self {
        Self {
            week: self.week.combined(&other.week, |one, two| one & two),
            dates: self.dates.intersection(other.dates),
            energy: self.energy.intersection(other.energy),
            duration: self.duration.intersection(other.duration),
            power: self.power.intersection(other.power),
            current: self.current.intersection(other.current),
        }
    }

    /// Whether there are situations in both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        !self.intersection(other).is_empty()
    }

    /// What is in this set and not in `other`, in pieces that have nothing in common.
    fn minus(mut self, other: &Self, pieces: &mut Vec<Self>) {
        if !self.overlaps(other) {
            pieces.push(self);
            return;
        }
        let mut other = other.clone();
        for axis in AXES {
            let (own, cut) = (*axis(&mut self), *axis(&mut other));
            for piece in own.outside(cut).into_iter().flatten() {
                pieces.push(self.clone().with(axis, piece));
            }
            self = self.with(axis, own.intersection(cut));
        }
        self.week = self.week.combined(&other.week, |own, cut| own & !cut);
        pieces.push(self);
    }

    /// What the sets before leave of this one, in pieces; none where they leave nothing.
    pub(super) fn left_by<'a>(self, before: impl IntoIterator<Item = &'a Self>) -> Vec<Self> {
        let mut left = vec![self];
        for other in before {
            let mut next = Vec::with_capacity(left.len());
            for piece in left {
                piece.minus(other, &mut next);
            }
            next.retain(|piece| !piece.is_empty());
            if next.is_empty() || next.len() > MOST_PIECES {
                return next;
            }
            left = next;
        }
        left.retain(|piece| !piece.is_empty());
        left
    }

    /// The same set on any date from the first to the last of those given.
    pub(super) fn within_dates_of<'a>(mut self, others: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let from: Option<Vec<Decimal>> = others.clone().map(|other| other.dates.from).collect();
        let to: Option<Vec<Decimal>> = others.map(|other| other.dates.to).collect();
        let hull = Span {
            from: from.and_then(|days| days.into_iter().min()),
            to: to.and_then(|days| days.into_iter().max()),
        };
        self.dates = self.dates.intersection(hull);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn region(restrictions: serde_json::Value) -> Region {
        Region::of(Some(&serde_json::from_value(restrictions).unwrap()))
    }

    fn covered(what: serde_json::Value, by: &[serde_json::Value]) -> bool {
        let by: Vec<Region> = by.iter().cloned().map(region).collect();
        region(what).left_by(&by).is_empty()
    }

    #[test]
    fn windows_wrap_and_belong_to_the_day_on_which_they_begin() {
        let night = json!({"start_time": "22:00", "end_time": "06:00", "day_of_week": ["SUNDAY"]});
        let monday = json!({"end_time": "06:00", "day_of_week": ["MONDAY"]});
        assert!(region(night.clone()).overlaps(&region(monday)));
        let tuesday = json!({"end_time": "06:00", "day_of_week": ["TUESDAY"]});
        assert!(!region(night).overlaps(&region(tuesday)));
        let day = json!({"start_time": "08:00", "end_time": "20:00"});
        let rest = json!({"start_time": "20:00", "end_time": "08:00"});
        assert!(!region(day.clone()).overlaps(&region(rest.clone())));
        assert!(covered(json!({}), &[day, rest]));
        assert!(covered(json!({}), &[json!({"start_time": "00:00", "end_time": "00:00"})]));
        assert!(region(json!({"start_time": "08:00", "end_time": "08:00"})).is_empty());
    }

    #[test]
    fn several_elements_can_cover_another_together() {
        let early = json!({"max_duration": 5400});
        let late = json!({"min_duration": 5400});
        assert!(covered(json!({}), &[early.clone(), late.clone()]));
        assert!(!covered(json!({}), &[early, json!({"min_duration": 5401})]));
        let weekend = json!({"day_of_week": ["SATURDAY", "SUNDAY"]});
        let week = json!({"day_of_week": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]});
        assert!(covered(json!({"min_kwh": 3, "min_power": 11}), &[weekend, week, late]));
        assert!(covered(
            json!({"start_date": "2022-10-01", "end_date": "2023-08-01"}),
            &[json!({"start_date": "2022-06-13", "end_date": "2023-08-01"})]
        ));
    }

    #[test]
    fn nothing_is_below_zero_energy_and_no_power_flows_while_parking() {
        assert!(region(json!({"max_kwh": 0})).is_empty());
        assert!(region(json!({"max_duration": 0})).is_empty());
        assert!(covered(json!({}), &[json!({"min_kwh": 0})]));
        assert!(region(json!({"min_power": 9999})).while_parking().is_empty());
        assert!(!region(json!({"max_power": 22})).while_parking().is_empty());
    }

    #[test]
    fn a_short_range_of_dates_has_only_its_days() {
        // A Monday.
        let day = json!({"start_date": "2026-01-05", "end_date": "2026-01-06", "day_of_week": ["SUNDAY"]});
        assert!(region(day).has_no_day());
        let week = json!({"start_date": "2026-01-05", "end_date": "2026-01-12", "day_of_week": ["SUNDAY"]});
        assert!(!region(week).has_no_day());
    }
}
