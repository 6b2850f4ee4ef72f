//! One sentence of what a driver pays.

use super::Sheet;
use super::amounts::{About, Taxed};
use super::conditions::{Condition, Factor};
use super::lines::{conditions_behind, limit_amount};
use super::words::Unit;
use crate::pricing::rates::{Rate, Use};

pub(super) fn summary(sheet: &Sheet<'_>) -> String {
    let words = sheet.words;
    let prices: Vec<String> = [Use::Energy, Use::Time, Use::Parking, Use::Flat]
        .into_iter()
        .filter_map(|of| price(sheet, of))
        .collect();
    let limits: Vec<String> = [
        sheet.tariff.min_price.as_ref().map(|limit| words.at_least(&limit_amount(sheet, limit))),
        sheet.tariff.max_price.as_ref().map(|limit| words.at_most(&limit_amount(sheet, limit))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut text = if prices.is_empty() && sheet.tariff.min_price.is_none() {
        words.charging_is_free().to_owned()
    } else {
        words.you_pay(&words.list(&prices), &words.list(&limits))
    };
    let of_reservation = [Use::ReservationFlat, Use::ReservationTime, Use::ExpiredFlat, Use::ExpiredTime];
    if of_reservation.into_iter().any(|of| sheet.of_use(of).iter().any(Rate::is_paid)) {
        text.push(' ');
        text.push_str(words.reservation_costs());
    }
    text
}

/// What one dimension costs: a price, or from which to which.
fn price(sheet: &Sheet<'_>, of: Use) -> Option<String> {
    let words = sheet.words;
    let rates = sheet.of_use(of);
    let paid: Vec<(usize, &Rate<'_>)> = rates.iter().enumerate().filter(|(_, rate)| rate.is_paid()).collect();
    let amounts: Vec<About> =
        paid.iter().map(|(_, rate)| Taxed::of(sheet.tariff, rate.component).shown()).collect();
    let least = amounts.iter().copied().min_by_key(|about| about.amount)?;
    let most = amounts.iter().copied().max_by_key(|about| about.amount)?;
    let unit = Unit::of(of);
    let mut text = if least.amount == most.amount {
        amount(sheet, least, unit)
    } else {
        words.range(&bare(sheet, least, unit), &amount(sheet, most, unit))
    };
    let while_of = words.while_of(of);
    if !while_of.is_empty() {
        text = format!("{text} {while_of}");
    }
    let behind =
        |(at, rate): (usize, &Rate<'_>)| conditions_behind(rate, rates.get(..at).unwrap_or_default());
    let own = match paid.as_slice() {
        [only] => behind(*only),
        _ => Vec::new(),
    };
    if paid.len() == 1 && !own.contains(&Condition::Otherwise) {
        let said: Vec<String> = own.iter().map(|condition| words.condition(condition)).collect();
        return Some(if said.is_empty() { text } else { format!("{text} ({})", said.join(", ")) });
    }
    let all = rates.iter().enumerate().filter(|(_, rate)| rate.applies());
    let mut factors: Vec<Factor> = all.flat_map(behind).filter_map(|condition| condition.factor()).collect();
    factors.sort_unstable();
    factors.dedup();
    // Where the same price applies one after the other, nothing depends on anything.
    let applying = || rates.iter().filter(|rate| rate.applies());
    let regions = applying().map(|rate| &rate.region);
    let same = applying().all(|rate| rate.is_paid())
        && least.amount == most.amount
        && of.everything().within_dates_of(regions.clone()).left_by(regions).is_empty();
    if !factors.is_empty() && !same {
        let said: Vec<String> = factors.into_iter().map(|factor| words.factor(factor).to_owned()).collect();
        text.push_str(&format!(" ({})", words.depending_on(&words.list(&said))));
    }
    Some(text)
}

/// An amount per kWh, per minute or once.
fn amount(sheet: &Sheet<'_>, about: About, unit: Unit) -> String {
    let words = sheet.words;
    let bare = bare(sheet, about, unit);
    match unit {
        Unit::Hour => format!("{bare} {}", words.per_minute()),
        Unit::Kwh => format!("{bare} {}", words.per(unit)),
        Unit::Once => bare,
    }
}

fn bare(sheet: &Sheet<'_>, about: About, unit: Unit) -> String {
    let about = if unit == Unit::Hour { about.per_minute() } else { about };
    let text = sheet.words.amount(&sheet.tariff.currency, about.amount);
    if about.exact { text } else { sheet.words.about(&text) }
}
