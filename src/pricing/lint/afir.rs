//! Whether a price of ad hoc charging can be displayed as Regulation (EU) 2023/1804 (AFIR) wants it.
//!
//! Article 5(4): at points of 50 kW and more the ad hoc price is based on the price per kWh, besides which there may
//! be a price per minute that discourages long occupancy. At other points all components are shown before a charge
//! begins, in the order: per kWh, per minute, per session, any other. A driver must know them beforehand, which he
//! cannot where they depend on what the station and the battery will do.

use super::{Advice, Severity, Sheet, push};
use crate::domain::tariff::{TariffRestrictions, TariffType};
use crate::pricing::rates::{Rate, Use};

/// Currencies of the countries in which the Regulation applies: the EU and the European Economic Area.
const CURRENCIES: [&str; 11] = ["EUR", "BGN", "CZK", "DKK", "HUF", "PLN", "RON", "SEK", "NOK", "ISK", "CHF"];

pub(super) fn lint(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    let tariff = sheet.tariff;
    let is_ad_hoc = matches!(tariff.tariff_type, None | Some(TariffType::AdHocPayment));
    if !is_ad_hoc || !CURRENCIES.contains(&tariff.currency.as_str()) {
        return;
    }
    no_energy_price(sheet, into);
    power(sheet, into);
    tiers(sheet, into);
    for rate in sheet.of_use(Use::Flat).iter().filter(|rate| rate.is_paid()) {
        let reason =
            "at points of 50 kW and more, a fee per session is no part of an ad hoc price (AFIR Art. 5(4))";
        let said = (reason, "use it at slower points only, or put it into the price per kWh");
        push(into, Severity::Hint, "afir-session-fee", rate.at.path(), said);
    }
    let from_start = |rate: &&Rate<'_>| {
        let later = rate.restrictions.and_then(|given| given.min_duration).is_some_and(|seconds| seconds > 0);
        rate.is_paid() && !later
    };
    if let Some(rate) = sheet.of_use(Use::Time).iter().find(from_start) {
        let reason = "charging time costs from the first minute on: at points of 50 kW and more, a price per minute is \
                      there to discourage long occupancy (AFIR Art. 5(4))";
        let said = (reason, "begin with min_duration, or price PARKING_TIME instead");
        push(into, Severity::Hint, "afir-time-price-from-start", rate.at.path(), said);
    }
}

fn no_energy_price(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    let of_time = [Use::Time, Use::Parking, Use::Flat];
    let first = sheet.all().find(|(of, rate)| of_time.contains(of) && rate.is_paid());
    let has_energy = sheet.of_use(Use::Energy).iter().any(Rate::applies);
    if let Some((_, rate)) = first.filter(|_| !has_energy) {
        let reason = "a charge costs something, and energy has no price: at points of 50 kW and more the ad hoc price \
                      is based on the price per kWh (AFIR Art. 5(4))";
        let said = (reason, "price ENERGY, and time only besides");
        push(into, Severity::Warning, "afir-no-energy-price", rate.at.path(), said);
    }
}

fn depends_on_power(given: &TariffRestrictions) -> bool {
    given.min_power.is_some()
        || given.max_power.is_some()
        || given.min_current.is_some()
        || given.max_current.is_some()
}

fn power(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    let mut said = Vec::new();
    for (_, rate) in sheet.all().filter(|(of, rate)| *of != Use::Parking && rate.applies()) {
        let is_first = !said.contains(&rate.at.element);
        if is_first && rate.restrictions.is_some_and(depends_on_power) {
            said.push(rate.at.element);
            let reason = "the price depends on power or current, which a driver cannot foresee: it cannot be shown \
                          before the charge begins (AFIR Art. 5(4))";
            let advice = "make a tariff for each kind of connector instead";
            let path = format!("$.elements[{}].restrictions", rate.at.element);
            push(into, Severity::Warning, "afir-power-dependent-price", path, (reason, advice));
        }
    }
}

/// A price per kWh that changes while a charge goes on.
fn tiers(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    let rates: Vec<&Rate<'_>> = sheet.of_use(Use::Energy).iter().filter(|rate| rate.applies()).collect();
    let differ =
        rates.iter().any(|rate| Some(rate.component.price) != rates.first().map(|r| r.component.price));
    let is_tier = |given: &TariffRestrictions| {
        given.min_kwh.is_some()
            || given.max_kwh.is_some()
            || given.min_duration.is_some()
            || given.max_duration.is_some()
    };
    let tier = rates.iter().find(|rate| rate.restrictions.is_some_and(is_tier));
    if let Some(rate) = tier.filter(|_| differ) {
        let reason = "the price per kWh changes with the energy or the time of the charge: all of its prices have to be \
                      shown before the charge begins (AFIR Art. 5(4))";
        let said = (reason, "use one price per kWh where the display shows only one");
        push(into, Severity::Hint, "afir-energy-tiers", rate.at.path(), said);
    }
}
