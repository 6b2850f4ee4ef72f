//! Elements that never apply, that get in each other's way, and situations that none of them prices.

use super::{Advice, Severity, Sheet, noun, push};
use crate::domain::Kwh;
use crate::domain::tariff::{DayOfWeek, TariffRestrictions};
use crate::pricing::rates::{MOST_COMPARED, Never, Rate, Use};
use crate::pricing::region::Region;
use rust_decimal::Decimal;

pub(super) fn lint(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    for (index, element) in sheet.tariff.elements.iter().enumerate() {
        if let Some(restrictions) = &element.restrictions {
            contradictions(&format!("$.elements[{index}].restrictions"), restrictions, into);
        }
    }
    for (of, rates) in &sheet.rates {
        rates.iter().for_each(|rate| unreachable(*of, rate, into));
        if rates.len() > MOST_COMPARED {
            let count = rates.len();
            let reason = format!(
                "{count} components price {}: only the first {MOST_COMPARED} are compared with each other",
                noun(*of)
            );
            let said = (reason, "split the tariff: no driver understands so many prices");
            push(into, Severity::Warning, "too-many-components", "$.elements", said);
        }
        overlaps(*of, rates, into);
        fallback(*of, rates, into);
    }
}

/// Restrictions that no charge can meet.
fn contradictions(path: &str, given: &TariffRestrictions, into: &mut Vec<Advice>) {
    let never = "the element never applies";
    if let (Some(start), Some(end)) = (&given.start_time, &given.end_time)
        && start == end
        && start != "00:00"
    {
        let reason = format!("the window from {start} to {end} is empty: {never}");
        let advice = "for the whole day, leave both times out; 00:00 as end_time is the end of the day";
        push(into, Severity::Error, "empty-time-window", format!("{path}.end_time"), (reason, advice));
    }
    if let (Some(start), Some(end)) = (&given.start_date, &given.end_date)
        && end <= start
    {
        let reason = format!("the last day is the one before {end}, and the first is {start}: {never}");
        let advice = "end_date is exclusive: let it be the day after the last one";
        push(into, Severity::Error, "empty-date-range", format!("{path}.end_date"), (reason, advice));
    }
    let kwh = |energy: Option<Kwh>| energy.map(Kwh::decimal);
    let seconds = |seconds: Option<u64>| seconds.map(Decimal::from);
    let zero = Some(Decimal::ZERO);
    let ranges = [
        ("empty-energy-range", "kwh", kwh(given.min_kwh).or(zero), kwh(given.max_kwh)),
        (
            "empty-duration-range",
            "duration",
            seconds(given.min_duration).or(zero),
            seconds(given.max_duration),
        ),
        ("empty-power-range", "power", given.min_power, given.max_power),
        ("empty-current-range", "current", given.min_current, given.max_current),
    ];
    for (rule, what, least, most) in ranges {
        if let (Some(least), Some(most)) = (least, most)
            && least >= most
        {
            let reason = format!("it applies from {least} on and below {most}, which nothing is: {never}");
            let advice = format!("max_{what} is exclusive: let it be above min_{what}, or leave it out");
            push(into, Severity::Error, rule, format!("{path}.max_{what}"), (reason, advice));
        }
    }
    days(path, given, into);
}

fn days(path: &str, given: &TariffRestrictions, into: &mut Vec<Advice>) {
    let Some(days) = given.day_of_week.as_ref().filter(|days| !days.is_empty()) else { return };
    let any_known = days.iter().any(DayOfWeek::is_known);
    let only_days = TariffRestrictions {
        day_of_week: given.day_of_week.clone(),
        start_date: given.start_date.clone(),
        end_date: given.end_date.clone(),
        ..TariffRestrictions::default()
    };
    let reason = if !any_known {
        "none of the days is one"
    } else if Region::of(Some(&only_days)).has_no_day() {
        "none of the days is between start_date and end_date"
    } else {
        return;
    };
    let said =
        (format!("{reason}: the element never applies"), "name days that come, or leave day_of_week out");
    push(into, Severity::Error, "impossible-days", format!("{path}.day_of_week"), said);
}

fn unreachable(of: Use, rate: &Rate<'_>, into: &mut Vec<Advice>) {
    let path = rate.at.path();
    match rate.never {
        // The restrictions say it themselves, unless it is only parking that they never match.
        Some(Never::Empty) if of == Use::Parking && !Region::of(rate.restrictions).is_empty() => {
            let reason = "while parking, no power and no current flows: the component never applies";
            let advice = "leave power and current out where PARKING_TIME is priced";
            push(into, Severity::Warning, "parking-with-power", path, (reason, advice));
        }
        None | Some(Never::Empty) => {}
        Some(Never::Second) => {
            let reason = format!("the element prices {} a second time: only the first counts", noun(of));
            let advice = "take it out, or put it into an element with other restrictions";
            push(into, Severity::Warning, "duplicate-component", path, (reason, advice));
        }
        Some(Never::Behind(before)) => {
            let reason = format!("wherever it would apply, {} applies first: it never does", before.path());
            shadowed(path, reason, into);
        }
        Some(Never::BehindAll) => {
            let reason =
                format!("wherever it would apply, an earlier price of {} does: it never does", noun(of));
            shadowed(path, reason, into);
        }
    }
}

fn shadowed(path: String, reason: String, into: &mut Vec<Advice>) {
    let advice = "put the narrower element before the broader one, or take this one out";
    push(into, Severity::Warning, "shadowed-component", path, (reason, advice));
}

/// Two elements of which neither is an exception from the other, and which can apply at the same time: the order
/// decides, which may not be meant.
fn overlaps(of: Use, rates: &[Rate<'_>], into: &mut Vec<Advice>) {
    let everything = of.everything();
    let is_narrow =
        |rate: &&Rate<'_>| rate.applies() && !everything.clone().left_by([&rate.region]).is_empty();
    let narrow: Vec<&Rate<'_>> = rates.iter().take(MOST_COMPARED).filter(is_narrow).collect();
    for (at, later) in narrow.iter().enumerate() {
        let wins = narrow.iter().take(at).find(|first| {
            let differ =
                |rate: &Rate<'_>| (rate.component.price, rate.component.vat, rate.component.step_size);
            differ(first) != differ(later)
                && first.region.overlaps(&later.region)
                && !first.region.clone().left_by([&later.region]).is_empty()
        });
        if let Some(first) = wins {
            let reason = format!(
                "it prices {} as $.elements[{}] does, and both can match at once: then $.elements[{}] wins",
                noun(of),
                first.at.element,
                first.at.element
            );
            let advice = "check that the order is meant, or add restrictions so that only one can match";
            push(into, Severity::Hint, "overlapping-elements", rate_element(later), (reason, advice));
        }
    }
}

fn rate_element(rate: &Rate<'_>) -> String {
    format!("$.elements[{}]", rate.at.element)
}

/// Whether something that is priced in some situations is free in others (mod_tariffs, "Tariff Object": "it is
/// advised to always add a default Price Component per dimension").
fn fallback(of: Use, rates: &[Rate<'_>], into: &mut Vec<Advice>) {
    let paid: Vec<&Rate<'_>> = rates.iter().filter(|rate| rate.applies()).collect();
    if paid.is_empty() || rates.len() > MOST_COMPARED {
        return;
    }
    let left = of.everything().left_by(paid.iter().map(|rate| &rate.region));
    if left.is_empty() {
        return;
    }
    let severity = if of == Use::Energy { Severity::Warning } else { Severity::Hint };
    let reason = format!("where none of the restrictions match, {} is free", noun(of));
    let advice =
        "end with an element without restrictions that prices it, with a price of 0 where it shall be free";
    let last = paid.last().map_or_else(|| "$.elements".to_owned(), |rate| rate.at.path());
    push(into, severity, "no-fallback", last, (reason, advice));
}
