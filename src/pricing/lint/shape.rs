//! What is not known, or has no meaning where it stands.

use super::{Advice, Severity, Sheet, push};
use crate::domain::tariff::{
    DayOfWeek, ReservationRestriction, TariffDimension, TariffElement, TariffRestrictions,
};
use crate::pricing::rates::Use;

pub(super) fn lint(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    validity(sheet, into);
    for (index, element) in sheet.tariff.elements.iter().enumerate() {
        components(index, element, into);
        if let Some(restrictions) = &element.restrictions {
            unknown_restrictions(&format!("$.elements[{index}].restrictions"), restrictions, into);
        }
    }
    let of_charges = [Use::Energy, Use::Time, Use::Parking, Use::Flat];
    if !sheet.all().any(|(of, rate)| of_charges.contains(&of) && rate.applies()) {
        let advice = "for charging that is free, give one element without restrictions with a FLAT of 0";
        let said = ("no element prices a charge: every charge is free", advice);
        push(into, Severity::Warning, "nothing-priced", "$.elements", said);
    }
}

fn validity(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    if let (Some(start), Some(end)) = (sheet.tariff.start_date_time, sheet.tariff.end_date_time)
        && start >= end
    {
        let reason = format!("the tariff ends at {end}, and begins at {start}: it is never valid");
        let said = (reason, "let end_date_time be later than start_date_time");
        push(into, Severity::Error, "empty-validity", "$.end_date_time", said);
    }
}

fn components(index: usize, element: &TariffElement, into: &mut Vec<Advice>) {
    let path = format!("$.elements[{index}].price_components");
    if element.price_components.is_empty() {
        let said =
            ("the element has no price component: it prices nothing", "add one, or take the element out");
        push(into, Severity::Warning, "empty-element", &path, said);
    }
    let reservation = element.restrictions.as_ref().and_then(|given| given.reservation.as_ref());
    for (at, component) in element.price_components.iter().enumerate() {
        let path = format!("{path}[{at}].type");
        match (&component.dimension, reservation) {
            (TariffDimension::Other(word), _) => {
                let reason = format!("{word} is no dimension of a tariff: it is not priced");
                let advice = "use ENERGY, TIME (charging), PARKING_TIME (not charging) or FLAT";
                push(into, Severity::Warning, "unknown-dimension", path, (reason, advice));
            }
            (dimension @ (TariffDimension::Energy | TariffDimension::ParkingTime), Some(_)) => {
                let reason = format!("a reservation has no {dimension}: it is not priced");
                let advice =
                    "price a reservation with FLAT and TIME; for the charge, use an element of its own";
                push(into, Severity::Error, "reservation-dimension", path, (reason, advice));
            }
            _ => {}
        }
    }
}

fn unknown_restrictions(path: &str, restrictions: &TariffRestrictions, into: &mut Vec<Advice>) {
    let mut unknown = |path: String, reason: String, advice: &str| {
        push(into, Severity::Warning, "unknown-restriction", path, (reason, advice));
    };
    for name in restrictions.extra.keys() {
        let reason = format!("{name} is no restriction of OCPI: whoever does not know it ignores it");
        unknown(format!("{path}.{name}"), reason, "say it with the restrictions of OCPI, or take it out");
    }
    for (at, day) in restrictions.day_of_week.iter().flatten().enumerate() {
        if let DayOfWeek::Other(word) = day {
            let reason = format!("{word} is no day: it never matches");
            unknown(format!("{path}.day_of_week[{at}]"), reason, "use MONDAY to SUNDAY");
        }
    }
    if let Some(ReservationRestriction::Other(word)) = &restrictions.reservation {
        let reason = format!("{word} is no kind of reservation: the element prices nothing");
        unknown(format!("{path}.reservation"), reason, "use RESERVATION or RESERVATION_EXPIRES");
    }
}
