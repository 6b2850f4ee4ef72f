//! What restrictions say, one by one (OCPI 2.2.1 mod_tariffs, "TariffRestrictions").

use crate::domain::Kwh;
use crate::domain::tariff::{DayOfWeek, TariffRestrictions};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// One restriction, or two that belong together: from a minimum on, and below a maximum.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// Where nothing before it applies.
    Otherwise,
    /// Time of day; `HH:MM`.
    Window(Option<String>, Option<String>),
    /// Days of the week, Monday being 0.
    Days(Vec<usize>),
    /// From the first day on and before the second; both in the local calendar.
    Dates(Option<NaiveDate>, Option<NaiveDate>),
    /// kWh of the charge.
    Energy(Option<Decimal>, Option<Decimal>),
    /// Seconds since the start of the charge.
    Duration(Option<u64>, Option<u64>),
    /// kW.
    Power(Option<Decimal>, Option<Decimal>),
    /// A over all phases.
    Current(Option<Decimal>, Option<Decimal>),
    /// A word that is not known.
    Unknown(String),
}

/// On what a price depends, for a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Factor {
    TimeOfDay,
    Day,
    Date,
    Energy,
    Duration,
    Power,
    Current,
    Other,
}

impl Condition {
    pub(super) fn factor(&self) -> Option<Factor> {
        Some(match self {
            Self::Otherwise => return None,
            Self::Window(..) => Factor::TimeOfDay,
            Self::Days(_) => Factor::Day,
            Self::Dates(..) => Factor::Date,
            Self::Energy(..) => Factor::Energy,
            Self::Duration(..) => Factor::Duration,
            Self::Power(..) => Factor::Power,
            Self::Current(..) => Factor::Current,
            Self::Unknown(_) => Factor::Other,
        })
    }
}

/// The conditions of an element, in the order in which people say them.
pub(super) fn conditions(given: Option<&TariffRestrictions>) -> Vec<Condition> {
    let Some(given) = given else { return Vec::new() };
    let mut found = Vec::new();
    // From midnight on, and until the end of the day, is always.
    let clock = |text: &Option<String>| text.clone().filter(|text| text != "00:00");
    match (clock(&given.start_time), clock(&given.end_time)) {
        (None, None) => {}
        (start, end) => {
            let start = start.or_else(|| given.start_time.clone());
            let end = end.or_else(|| given.end_time.clone());
            found.push(Condition::Window(start, end));
        }
    }
    days(given, &mut found);
    let date = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
    let dates: (Option<NaiveDate>, Option<NaiveDate>) = (date(&given.start_date), date(&given.end_date));
    if dates != (None, None) {
        found.push(Condition::Dates(dates.0, dates.1));
    }
    let above_zero = |number: &Decimal| *number > Decimal::ZERO;
    let min_kwh = given.min_kwh.map(Kwh::decimal).filter(above_zero);
    let max_kwh = given.max_kwh.map(Kwh::decimal);
    range(min_kwh, max_kwh, Condition::Energy, &mut found);
    range(given.min_power.filter(above_zero), given.max_power, Condition::Power, &mut found);
    range(given.min_current.filter(above_zero), given.max_current, Condition::Current, &mut found);
    let min_duration = given.min_duration.filter(|seconds| *seconds > 0);
    range(min_duration, given.max_duration, Condition::Duration, &mut found);
    found.extend(given.extra.keys().map(|name| Condition::Unknown(name.clone())));
    found
}

/// A condition with a minimum, a maximum or both.
fn range<T>(
    least: Option<T>,
    most: Option<T>,
    condition: impl FnOnce(Option<T>, Option<T>) -> Condition,
    found: &mut Vec<Condition>,
) {
    if least.is_some() || most.is_some() {
        found.push(condition(least, most));
    }
}

fn days(given: &TariffRestrictions, found: &mut Vec<Condition>) {
    let Some(days) = given.day_of_week.as_ref().filter(|days| !days.is_empty()) else { return };
    let number = |day: &DayOfWeek| DayOfWeek::WORDS.iter().position(|word| *word == day.as_str());
    let mut numbers: Vec<usize> = days.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() < 7 && !numbers.is_empty() {
        found.push(Condition::Days(numbers));
    }
    let unknown = days.iter().filter(|day| !day.is_known());
    found.extend(unknown.map(|day| Condition::Unknown(day.to_string())));
}
