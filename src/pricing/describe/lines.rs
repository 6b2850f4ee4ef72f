//! The lines of a description, price by price.

use super::amounts::Taxed;
use super::conditions::{Condition, conditions};
use super::words::Unit;
use super::{Line, Part, Sheet};
use crate::domain::tariff::{Price, TariffElement, TaxIncluded};
use crate::pricing::rates::{Rate, Use};
use crate::pricing::select::ComponentRef;

/// What is shown under which heading, in the order of the Regulation.
const ORDER: [(Use, Part); 8] = [
    (Use::Energy, Part::PerKwh),
    (Use::Time, Part::PerMinute),
    (Use::Parking, Part::PerMinute),
    (Use::Flat, Part::PerSession),
    (Use::ReservationFlat, Part::Other),
    (Use::ReservationTime, Part::Other),
    (Use::ExpiredFlat, Part::Other),
    (Use::ExpiredTime, Part::Other),
];

pub(super) fn lines(sheet: &Sheet<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (of, part) in ORDER {
        let rates = sheet.of_use(of);
        for (at, rate) in rates.iter().enumerate().filter(|(_, rate)| rate.applies()) {
            let before = rates.get(..at).unwrap_or_default();
            lines.push(line(sheet, (of, part), rate, before));
        }
        lines.extend(free_otherwise(sheet, (of, part), rates));
    }
    limits(sheet, &mut lines);
    general(sheet, &mut lines);
    for (of, _) in ORDER {
        for rate in sheet.of_use(of).iter().filter(|rate| !rate.applies()) {
            let mut line = line(sheet, (of, Part::Other), rate, &[]);
            line.text = sheet.words.never_applies(line.text.trim_end_matches('.'));
            lines.push(line);
        }
    }
    not_priced(sheet, &mut lines);
    lines
}

/// The conditions of a component behind others: "otherwise" where an earlier one could match at the same time.
pub(super) fn conditions_behind(rate: &Rate<'_>, before: &[Rate<'_>]) -> Vec<Condition> {
    let mut found = conditions(rate.restrictions);
    if before.iter().any(|earlier| earlier.applies() && earlier.region.overlaps(&rate.region)) {
        found.insert(0, Condition::Otherwise);
    }
    found
}

fn line(sheet: &Sheet<'_>, (of, part): (Use, Part), rate: &Rate<'_>, before: &[Rate<'_>]) -> Line {
    let words = sheet.words;
    let unit = Unit::of(of);
    let price = Taxed::of(sheet.tariff, rate.component);
    let conditions: Vec<String> =
        conditions_behind(rate, before).iter().map(|condition| words.condition(condition)).collect();
    let free = rate.component.price.is_zero();
    let amount =
        if free { words.free().to_owned() } else { words.taxed(&sheet.tariff.currency, price, unit) };
    // What is free may be used by the Wh; a longer step counts all the same where it is the last one.
    let step = words.step(unit, rate.component.step_size).filter(|_| !free || rate.component.step_size > 1);
    let mut text = words.subject(of).to_owned();
    for condition in &conditions {
        text.push_str(&format!(", {condition}"));
    }
    text.push_str(&format!(": {amount}"));
    if let Some(step) = &step {
        text.push_str(&format!(", {step}"));
    }
    text.push('.');
    Line {
        part,
        text,
        path: Some(rate.at.path()),
        net: price.net_amount().map(|amount| amount.to_string()),
        gross: price.gross_amount().map(|amount| amount.to_string()),
        vat: price.vat().map(|percent| percent.to_string()),
        conditions,
        step,
    }
}

/// A line that says that something is free where no element matches. Before the first date and behind the last one
/// that a tariff names it says nothing.
fn free_otherwise(sheet: &Sheet<'_>, (of, part): (Use, Part), rates: &[Rate<'_>]) -> Option<Line> {
    let applying: Vec<&Rate<'_>> = rates.iter().filter(|rate| rate.applies()).collect();
    let paid = applying.iter().any(|rate| rate.is_paid());
    let regions = applying.iter().map(|rate| &rate.region);
    let is_charge = matches!(of, Use::Energy | Use::Time | Use::Parking);
    let left = of.everything().within_dates_of(regions.clone()).left_by(regions);
    if !paid || !is_charge || left.is_empty() {
        return None;
    }
    let otherwise = sheet.words.condition(&Condition::Otherwise);
    let text = format!("{}, {otherwise}: {}.", sheet.words.subject(of), sheet.words.free());
    Some(Line { conditions: vec![otherwise], ..Line::plain(part, text) })
}

/// An amount of a limit, before and after VAT.
pub(super) fn limit_amount(sheet: &Sheet<'_>, limit: &Price) -> String {
    let amount = |money: crate::domain::Money| sheet.words.amount(&sheet.tariff.currency, money.decimal());
    match limit.incl_vat {
        Some(after) if after != limit.excl_vat => {
            sheet.words.limit_taxes(&amount(limit.excl_vat), &amount(after))
        }
        _ => amount(limit.excl_vat),
    }
}

fn limits(sheet: &Sheet<'_>, lines: &mut Vec<Line>) {
    let (tariff, words) = (sheet.tariff, sheet.words);
    for (is_min, name, limit) in
        [(true, "min_price", &tariff.min_price), (false, "max_price", &tariff.max_price)]
    {
        if let Some(limit) = limit {
            let text = words.limit_line(is_min, &limit_amount(sheet, limit));
            let mut line = Line::plain(Part::Other, text);
            line.net = Some(limit.excl_vat.to_string());
            line.gross = limit.incl_vat.map(|amount| amount.to_string());
            lines.push(line);
        } else if let Some(found) = tariff.extra.get(name) {
            let number = found.to_string().trim_matches('"').parse().ok();
            let found = number.map_or_else(|| found.to_string(), |n| words.amount(&tariff.currency, n));
            lines.push(Line::plain(Part::Other, words.no_limit(name, &found)));
        }
    }
}

/// Validity, taxes, for whom, and what the operator says himself.
fn general(sheet: &Sheet<'_>, lines: &mut Vec<Line>) {
    let (tariff, words) = (sheet.tariff, sheet.words);
    let mut say = |text: String| lines.push(Line::plain(Part::Other, text));
    if let Some(at) = tariff.start_date_time {
        say(words.valid_from(&words.moment(at)));
    }
    if let Some(at) = tariff.end_date_time {
        say(words.valid_to(&words.moment(at)));
    }
    let has_vat = tariff.elements.iter().flat_map(|e| &e.price_components).any(|c| c.vat.is_some());
    match tariff.tax_included {
        Some(TaxIncluded::Yes) => say(words.taxes_of_tariff(Some(true)).to_owned()),
        Some(TaxIncluded::No) if !has_vat => say(words.taxes_of_tariff(Some(false)).to_owned()),
        Some(TaxIncluded::NotApplicable) => say(words.taxes_of_tariff(None).to_owned()),
        _ => {}
    }
    if let Some(kind) = &tariff.tariff_type {
        say(words.tariff_type(kind));
    }
    let texts = tariff.tariff_alt_text.iter().flatten();
    let own = texts.clone().find(|text| text.language.eq_ignore_ascii_case(sheet.language.as_str()));
    if let Some(text) = own.or_else(|| texts.clone().next()) {
        say(words.operator_adds(&text.text));
    }
    if let Some(url) = &tariff.tariff_alt_url {
        say(words.more_at(url));
    }
}

/// Components that nobody can price: their dimension is not known, or is none of a reservation.
fn not_priced(sheet: &Sheet<'_>, lines: &mut Vec<Line>) {
    let words = sheet.words;
    for (element, of_element) in sheet.tariff.elements.iter().enumerate() {
        for (component, price) in of_element.price_components.iter().enumerate() {
            if Use::of(of_element, &price.dimension).is_some() {
                continue;
            }
            let amount = words.amount(&sheet.tariff.currency, price.price.decimal());
            let said = said_conditions(sheet, of_element);
            let text = words.not_priced(price.dimension.as_str(), &amount, price.step_size, &said);
            let mut line = Line::plain(Part::Other, text);
            line.path = Some(ComponentRef { element, component }.path());
            lines.push(line);
        }
    }
}

fn said_conditions(sheet: &Sheet<'_>, element: &TariffElement) -> String {
    let said = conditions(element.restrictions.as_ref());
    said.iter().map(|condition| sheet.words.condition(condition)).collect::<Vec<_>>().join(", ")
}
