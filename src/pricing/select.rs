//! Which price component is active for each dimension: the first in the order of the tariff's elements whose
//! restrictions match (OCPI 2.2.1 mod_tariffs, "Tariff Object" and "TariffRestrictions class").

use super::calendar::Local;
use super::exact::{MILLISECOND, PICO};
use super::policy::WrappedDays;
use super::tariffs::PreparedTariff;
use super::whole::plain;
use crate::domain::tariff::{DayOfWeek, ReservationRestriction, TariffRestrictions};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The place of a price component in its tariff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ComponentRef {
    /// Index in `elements`.
    pub element: usize,
    /// Index in `price_components`.
    pub component: usize,
}

impl ComponentRef {
    /// JSON path from the tariff, for messages.
    #[must_use]
    pub fn path(self) -> String {
        format!("$.elements[{}].price_components[{}]", self.element, self.component)
    }
}

/// A price component of one of several tariffs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Slot {
    /// Index of the tariff.
    #[serde(rename = "t")]
    pub(super) tariff: u16,
    /// Index among the prepared components of that tariff.
    #[serde(rename = "c")]
    pub(super) component: u16,
}

/// A range in which a measured quantity lies, in [`PICO`] parts: the lowest and the highest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measured {
    pub(super) low: i128,
    pub(super) high: i128,
}

impl Measured {
    /// Not known: no restriction on it matches.
    pub(super) const UNKNOWN: Self = Self { low: i128::MIN, high: i128::MAX };

    pub(super) fn one(value: i128) -> Self {
        Self { low: value, high: value }
    }

    pub(super) fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }
}

/// All that restrictions look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    /// Local time.
    pub(super) local: Local,
    /// Milliseconds since the session's start.
    pub(super) elapsed: i64,
    /// Energy since the session's start.
    pub(super) energy: i128,
    /// kW.
    pub(super) power: Measured,
    /// A, over all phases.
    pub(super) current: Measured,
}

/// The dimensions by which components are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookup {
    Energy,
    Time,
    Parking,
    Flat,
    /// TIME of a reservation that was used, or was not.
    ReservationTime {
        expired: bool,
    },
    /// FLAT of a reservation.
    ReservationFlat {
        expired: bool,
    },
}

/// From a least value, inclusive, to a most one, exclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bounds {
    min: Option<i128>,
    max: Option<i128>,
}

impl Bounds {
    fn of(min: Option<Decimal>, max: Option<Decimal>) -> Self {
        Self { min: min.map(pico), max: max.map(pico) }
    }

    fn holds(self, value: Measured) -> bool {
        match self {
            Self { min: None, max: None } => true,
            _ => {
                value.is_known()
                    && self.min.is_none_or(|min| value.low >= min)
                    && self.max.is_none_or(|max| value.high < max)
            }
        }
    }

    fn edges(self) -> impl Iterator<Item = i128> {
        self.min.into_iter().chain(self.max)
    }
}

/// A decimal in [`PICO`] parts. What is finer than that is cut: restrictions and energies have four decimals.
pub(super) fn pico(value: Decimal) -> i128 {
    let mantissa = value.mantissa();
    match 12_u32.checked_sub(value.scale()) {
        Some(zeros) => mantissa.saturating_mul(10_i128.saturating_pow(zeros)),
        None => mantissa.checked_div(10_i128.saturating_pow(value.scale() - 12)).unwrap_or_default(),
    }
}

/// [`PICO`] parts as a decimal.
pub(super) fn from_pico(parts: i128) -> Decimal {
    plain(parts, 12)
}

/// Minutes of `HH:MM`.
fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
fn day_of(text: &str) -> Option<i64> {
    let date: NaiveDate = text.parse().ok()?;
    let epoch = i64::from(NaiveDate::from_ymd_opt(1970, 1, 1)?.num_days_from_ce());
    Some(i64::from(date.num_days_from_ce()) - epoch)
}

/// The end of a day as a minute.
const MIDNIGHT: u16 = 24 * 60;
const ALL_DAYS: u8 = 0b111_1111;
/// The last day of the week, counted from 0.
const SUNDAY: u8 = 6;

/// The restrictions of an element, made ready for comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    /// Something in them cannot be read: they never match.
    unreadable: bool,
    /// Minutes of the day, inclusive and exclusive; the end may be before the start.
    window: Option<(u16, u16)>,
    /// Days since 1970-01-01, inclusive and exclusive.
    dates: (i64, i64),
    /// A bit for each day, Monday is the lowest.
    weekdays: u8,
    wrapped_days: WrappedDays,
    energy: Bounds,
    current: Bounds,
    power: Bounds,
    /// Milliseconds since the session's start.
    duration: (i64, i64),
    /// Nothing that the vehicle does matters to them.
    pub(super) ask_only_for_the_time: bool,
    /// Prices a reservation instead of a charge.
    pub(super) reservation: Option<ReservationRestriction>,
}

impl Rules {
    /// What restrictions say; and, by field, what cannot be read in them.
    pub(super) fn of(
        restrictions: Option<&TariffRestrictions>,
        wrapped_days: WrappedDays,
    ) -> (Self, Vec<(&'static str, String)>) {
        let mut problems = Vec::new();
        let nothing = TariffRestrictions::default();
        let given = restrictions.unwrap_or(&nothing);
        let mut read =
            |field: &'static str, text: &Option<String>, wanted: &str, read: fn(&str) -> Option<i64>| {
                let text = text.as_deref()?;
                let value = read(text);
                if value.is_none() {
                    problems.push((field, format!("'{text}' is not {wanted}: the element never applies")));
                }
                value
            };
        let minute = |text: &str| minute_of_day(text).map(i64::from);
        let start = read("start_time", &given.start_time, "a time like 18:30", minute);
        let end = read("end_time", &given.end_time, "a time like 18:30", minute);
        let from = read("start_date", &given.start_date, "a date like 2026-01-31", day_of);
        let to = read("end_date", &given.end_date, "a date like 2026-01-31", day_of);
        let narrow = |minute: Option<i64>| minute.and_then(|minute| u16::try_from(minute).ok());
        let window = (start.is_some() || end.is_some()).then(|| {
            // 00:00 as the end is the end of the day.
            let end = narrow(end).filter(|end| *end > 0).unwrap_or(MIDNIGHT);
            (narrow(start).unwrap_or(0), end)
        });
        let weekdays = match given.day_of_week.as_deref() {
            None | Some([]) => ALL_DAYS,
            Some(days) => days.iter().filter_map(bit).fold(0, |all, day| all | day),
        };
        let millis =
            |seconds: Option<u64>| seconds.map(|s| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1000));
        let energy = Bounds::of(given.min_kwh.map(|e| e.decimal()), given.max_kwh.map(|e| e.decimal()));
        let current = Bounds::of(given.min_current, given.max_current);
        let power = Bounds::of(given.min_power, given.max_power);
        let rules = Self {
            unreadable: !problems.is_empty(),
            window,
            dates: (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX)),
            weekdays,
            wrapped_days,
            energy,
            current,
            power,
            ask_only_for_the_time: [energy, current, power] == [Bounds::default(); 3],
            duration: (
                millis(given.min_duration).unwrap_or(i64::MIN),
                millis(given.max_duration).unwrap_or(i64::MAX),
            ),
            reservation: given.reservation.clone(),
        };
        (rules, problems)
    }

    /// Whether they hold.
    pub(super) fn hold(&self, now: &Situation) -> bool {
        !self.unreadable
            && self.duration.0 <= now.elapsed
            && now.elapsed < self.duration.1
            && self.hold_by_the_clock(now.local)
            && (self.ask_only_for_the_time || self.hold_by_measure(now))
    }

    /// Whether the part of them holds that looks at what is measured.
    fn hold_by_measure(&self, now: &Situation) -> bool {
        self.energy.holds(Measured::one(now.energy))
            && self.power.holds(now.power)
            && self.current.holds(now.current)
    }

    /// Whether time of day and day of the week match.
    fn hold_at(&self, now: Local) -> bool {
        let today = self.weekdays >> now.weekday & 1 == 1;
        match self.window {
            None => today,
            Some((start, end)) if start <= end => today && start <= now.minute && now.minute < end,
            // Over midnight.
            Some((start, end)) => {
                let evening = now.minute >= start;
                let morning = now.minute < end;
                let yesterday = self.weekdays >> now.weekday.checked_sub(1).unwrap_or(SUNDAY) & 1 == 1;
                let began = match self.wrapped_days {
                    WrappedDays::WindowStart => yesterday,
                    WrappedDays::Calendar => today,
                };
                (evening && today) || (morning && !evening && began)
            }
        }
    }

    /// Whether the clock or the calendar matters to them.
    pub(super) fn look_at_the_clock(&self) -> bool {
        self.window.is_some() || self.weekdays != ALL_DAYS || self.dates != (i64::MIN, i64::MAX)
    }

    /// Minutes of the day at which they begin or cease to match.
    pub(super) fn minutes(&self) -> impl Iterator<Item = u16> {
        self.window.into_iter().flat_map(|(start, end)| [start, end % MIDNIGHT])
    }

    pub(super) fn energies(&self) -> impl Iterator<Item = i128> {
        self.energy.edges()
    }

    pub(super) fn powers(&self) -> impl Iterator<Item = i128> {
        self.power.edges()
    }

    pub(super) fn currents(&self) -> impl Iterator<Item = i128> {
        self.current.edges()
    }

    pub(super) fn durations(&self) -> impl Iterator<Item = i64> {
        [self.duration.0, self.duration.1].into_iter().filter(|edge| *edge > 0 && *edge < i64::MAX)
    }

    /// Whether they could hold between two moments, whatever the car does, with less than `power` and `energy`;
    /// the clock is not looked at.
    pub(super) fn may_hold(&self, elapsed: (i64, i64), power: i128, energy: i128) -> bool {
        !self.unreadable
            && self.duration.0 < elapsed.1
            && self.duration.1 > elapsed.0
            && self.power.min.is_none_or(|min| min <= power)
            && self.energy.min.is_none_or(|min| min <= energy)
    }

    /// Whether the clock's part of them holds.
    pub(super) fn hold_by_the_clock(&self, now: Local) -> bool {
        self.dates.0 <= now.day && now.day < self.dates.1 && self.hold_at(now)
    }
}

fn bit(day: &DayOfWeek) -> Option<u8> {
    Some(match day {
        DayOfWeek::Monday => 1,
        DayOfWeek::Tuesday => 1 << 1,
        DayOfWeek::Wednesday => 1 << 2,
        DayOfWeek::Thursday => 1 << 3,
        DayOfWeek::Friday => 1 << 4,
        DayOfWeek::Saturday => 1 << 5,
        DayOfWeek::Sunday => 1 << 6,
        DayOfWeek::Other(_) => return None,
    })
}

impl PreparedTariff {
    /// The component that is active; none means that it is free.
    pub(super) fn active(&self, lookup: Lookup, now: &Situation) -> Option<u16> {
        let first = |list: &[super::tariffs::Candidate]| {
            list.iter().find(|one| self.rules(one.rules).hold(now)).map(|one| one.component)
        };
        match lookup {
            Lookup::Energy => first(&self.candidates.energy),
            Lookup::Time => first(&self.candidates.time),
            Lookup::Parking => first(&self.candidates.parking),
            Lookup::Flat => first(&self.candidates.flat),
            // "RESERVATION_EXPIRES first, else RESERVATION", per dimension (mod_tariffs,
            // "ReservationRestrictionType", and its examples 17 and 18).
            Lookup::ReservationTime { expired } => expired
                .then(|| first(&self.candidates.expired_time))
                .flatten()
                .or_else(|| first(&self.candidates.reservation_time)),
            Lookup::ReservationFlat { expired } => expired
                .then(|| first(&self.candidates.expired_flat))
                .flatten()
                .or_else(|| first(&self.candidates.reservation_flat)),
        }
    }
}

/// A cell of the grid that the edges of a tariff's restrictions make: within it nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// Inclusive.
    pub(super) low: i128,
    /// Exclusive.
    pub(super) high: i128,
}

impl Cell {
    /// The cell of `value` among sorted edges.
    pub(super) fn of(edges: &[i128], value: i128) -> Self {
        let above = edges.partition_point(|edge| *edge <= value);
        let below = above.checked_sub(1).and_then(|at| edges.get(at));
        Self {
            low: below.copied().unwrap_or(i128::MIN),
            high: edges.get(above).copied().unwrap_or(i128::MAX),
        }
    }

    pub(super) fn holds(self, value: i128) -> bool {
        self.low <= value && value < self.high
    }
}

/// Mean power over a time, to the watt: meters do not know more, and milliseconds that were rounded must not lift a
/// charge at 22 kW over a threshold of 22 kW.
pub(super) fn mean_power(energy: i128, millis: i64) -> Measured {
    const WATT: i128 = PICO / 1_000;
    if millis <= 0 {
        return Measured::UNKNOWN;
    }
    let per_hour = energy.saturating_mul(3_600_000);
    let watts = super::policy::Rounding::HalfUp.divide(per_hour, i128::from(millis).saturating_mul(WATT));
    watts.map_or(Measured::UNKNOWN, |watts| Measured::one(watts.saturating_mul(WATT)))
}

/// Milliseconds in parts of an hour.
pub(super) fn time_parts(millis: i64) -> i128 {
    i128::from(millis).saturating_mul(MILLISECOND)
}
