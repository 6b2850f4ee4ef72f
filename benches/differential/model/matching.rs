//! Which component is active in a period (OCPI 2.2.1 mod_tariffs, "Tariff Object", "TariffRestrictions").

use super::rules::{Question, Rules};
use super::spans::{Range, Span};
use crate::session::Activity;
use crate::tariffs::WEEK;
use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use roamwatt::domain::tariff::{
    PriceComponent, ReservationRestriction, Tariff, TariffDimension, TariffRestrictions,
};
use rust_decimal::Decimal;

/// The first component of the dimension, in the tariff of the period, whose element matches.
pub(crate) fn active<'t>(
    tariffs: &'t [Tariff],
    dimension: &TariffDimension,
    span: &Span,
    rules: Rules,
) -> Option<&'t PriceComponent> {
    let tariff = tariffs.get(span.tariff)?;
    let first = |kind: Option<ReservationRestriction>| {
        tariff.elements.iter().find_map(|element| {
            let found = element.price_components.iter().find(|one| one.dimension == *dimension)?;
            let all = element.restrictions.as_ref();
            let of_kind = all.and_then(|all| all.reservation.clone()) == kind;
            let matched = all.is_none_or(|all| matches(all, span, rules));
            ((of_kind || rules.foreign(Question::Reservation)) && matched).then_some(found)
        })
    };
    match span.activity {
        Activity::Charging | Activity::Parking => first(None),
        // One that was not used is priced as such, where the tariff says how.
        Activity::Reserved if span.expired => first(Some(ReservationRestriction::ReservationExpires))
            .or_else(|| first(Some(ReservationRestriction::Reservation))),
        Activity::Reserved => first(Some(ReservationRestriction::Reservation)),
    }
}

fn matches(all: &TariffRestrictions, span: &Span, rules: Rules) -> bool {
    let since = u64::try_from(span.since).unwrap_or_default();
    let seconds = |least: u64| least.saturating_mul(1000);
    in_range(all.min_kwh.map(|kwh| kwh.decimal()), all.max_kwh.map(|kwh| kwh.decimal()), span.used)
        && all.min_duration.is_none_or(|least| since >= seconds(least))
        && all.max_duration.is_none_or(|most| since < seconds(most))
        && power(all.min_power, all.max_power, span.power, rules)
        && power(all.min_current, all.max_current, span.current, rules)
        && in_time(all, span, rules)
}

fn in_range(least: Option<Decimal>, most: Option<Decimal>, value: Decimal) -> bool {
    least.is_none_or(|least| value >= least) && most.is_none_or(|most| value < most)
}

fn power(least: Option<Decimal>, most: Option<Decimal>, told: Range, rules: Rules) -> bool {
    let told = if rules.foreign(Question::UnknownPower) { told.told } else { told.known };
    // What is not told matches in the other engine, and never in ours.
    let unknown = rules.foreign(Question::UnknownPower);
    let (low, high) = if rules.foreign(Question::PowerRange) { (told.1, told.0) } else { told };
    least.is_none_or(|least| low.map_or(unknown, |low| low >= least))
        && most.is_none_or(|most| high.map_or(unknown, |high| high < most))
}

/// Local time, date and day of the week.
fn in_time(all: &TariffRestrictions, span: &Span, rules: Rules) -> bool {
    let date =
        |text: &Option<String>| text.as_deref().and_then(|text| NaiveDate::parse_from_str(text, "%F").ok());
    let today = span.local.date();
    let Some(window) = window(all, span.local.time(), rules) else { return false };
    let day = match window {
        // The part of a window that lies behind midnight.
        Window::SinceYesterday if !rules.foreign(Question::DayOfWindow) => {
            today.checked_sub_days(Days::new(1)).unwrap_or(today)
        }
        _ => today,
    };
    let index = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or_default();
    let days = all.day_of_week.as_ref().filter(|days| !days.is_empty());
    date(&all.start_date).is_none_or(|first| today >= first)
        && date(&all.end_date).is_none_or(|end| today < end)
        && days.is_none_or(|days| WEEK.get(index).is_some_and(|day| days.contains(day)))
}

/// Where in its window of the day a moment lies.
enum Window {
    Today,
    SinceYesterday,
}

fn window(all: &TariffRestrictions, now: NaiveTime, rules: Rules) -> Option<Window> {
    let time = |text: &Option<String>| {
        text.as_deref().and_then(|text| NaiveTime::parse_from_str(text, "%H:%M").ok())
    };
    let midnight = NaiveTime::MIN;
    let start = time(&all.start_time);
    let end = time(&all.end_time);
    let (from, to) = match (start, end) {
        (None | Some(NaiveTime::MIN), Some(end)) if end == midnight => {
            return (!rules.foreign(Question::EndAtMidnight)).then_some(Window::Today);
        }
        (Some(start), Some(end)) if start == end => return None,
        (start, end) => (start.unwrap_or(midnight), end.filter(|end| *end != midnight)),
    };
    match to {
        None => (now >= from).then_some(Window::Today),
        Some(to) if from < to => (now >= from && now < to).then_some(Window::Today),
        Some(_) if now >= from => Some(Window::Today),
        Some(to) => (now < to).then_some(Window::SinceYesterday),
    }
}
