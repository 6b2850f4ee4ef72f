//! Steps, limits, VAT and digits.

use super::{Advice, Severity, Sheet, push};
use crate::domain::tariff::{Price, Tariff, TaxIncluded};
use crate::domain::{Kwh, Money};
use crate::pricing::policy::minor_units;
use crate::pricing::rates::{Rate, Use};
use rust_decimal::Decimal;

/// Decimals that a number has (types, "number").
const DECIMALS: u32 = 4;

pub(super) fn lint(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    for (of, rate) in sheet.all() {
        step(sheet.tariff, of, rate, into);
        if rate.component.price < Money::ZERO {
            let reason = format!("the price is {}: the driver is paid", rate.component.price);
            let path = format!("{}.price", rate.at.path());
            push(into, Severity::Warning, "negative-price", path, (reason, "check the sign"));
        }
    }
    digits(sheet.tariff, into);
    limits(sheet, into);
}

fn step(tariff: &Tariff, of: Use, rate: &Rate<'_>, into: &mut Vec<Advice>) {
    let (unit, units_of_price) = match of {
        Use::Energy => ("Wh", 1_000),
        Use::Time | Use::Parking | Use::ReservationTime | Use::ExpiredTime => ("s", 3_600),
        Use::Flat | Use::ReservationFlat | Use::ExpiredFlat => return,
    };
    let step = rate.component.step_size;
    let path = format!("{}.step_size", rate.at.path());
    if step == 0 {
        let said = (format!("there are no steps of 0 {unit}: it is read as 1"), "write 1");
        push(into, Severity::Warning, "step-size-zero", path, said);
    } else if step > 1 && rate.is_paid() {
        let price = rate.component.price.decimal();
        let most =
            price.checked_mul(Decimal::from(step)).and_then(|all| all.checked_div(units_of_price.into()));
        let Some(most) = most else { return };
        // A step that costs less than the smallest coin surprises nobody.
        let coin = Decimal::new(1, minor_units(&tariff.currency));
        let severity = if most >= coin { Severity::Warning } else { Severity::Hint };
        let most = most.round_dp(DECIMALS).normalize();
        let reason = format!(
            "what is used is rounded up to a multiple of {step} {unit}: up to {most} {} more than what was used",
            tariff.currency
        );
        push(into, severity, "step-size-above-one", path, (reason, "bill what is used: write 1"));
    }
}

/// Numbers with more decimals than OCPI has.
fn digits(tariff: &Tariff, into: &mut Vec<Advice>) {
    let mut check = |path: String, number: Option<Decimal>| {
        let Some(number) = number.filter(|number| number.normalize().scale() > DECIMALS) else { return };
        let reason = format!("{number} has more than {DECIMALS} decimals: others may cut or round it");
        let said = (reason, "write at most 4 decimals");
        push(into, Severity::Warning, "too-many-decimals", path, said);
    };
    for (name, price) in [("min_price", &tariff.min_price), ("max_price", &tariff.max_price)] {
        let Some(price) = price else { continue };
        check(format!("$.{name}"), Some(price.excl_vat.decimal()));
        check(format!("$.{name}"), price.incl_vat.map(Money::decimal));
    }
    for (at, element) in tariff.elements.iter().enumerate() {
        for (component, price) in element.price_components.iter().enumerate() {
            let path = format!("$.elements[{at}].price_components[{component}]");
            check(format!("{path}.price"), Some(price.price.decimal()));
            check(format!("{path}.vat"), price.vat);
        }
        let Some(given) = &element.restrictions else { continue };
        let path = format!("$.elements[{at}].restrictions");
        check(format!("{path}.min_kwh"), given.min_kwh.map(Kwh::decimal));
        check(format!("{path}.max_kwh"), given.max_kwh.map(Kwh::decimal));
        check(format!("{path}.min_power"), given.min_power);
        check(format!("{path}.max_power"), given.max_power);
        check(format!("{path}.min_current"), given.min_current);
        check(format!("{path}.max_current"), given.max_current);
    }
}

fn limits(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    let tariff = sheet.tariff;
    for (name, limit) in [("min_price", &tariff.min_price), ("max_price", &tariff.max_price)] {
        if limit.is_none()
            && let Some(found) = tariff.extra.get(name)
        {
            let reason = format!("{found} is no price: it limits nothing");
            let advice = "give an object with the amount before and after VAT";
            push(into, Severity::Error, "limit-not-a-price", format!("$.{name}"), (reason, advice));
        }
        if let Some(limit) = limit {
            vat_of(sheet, name, limit, into);
        }
    }
    if let (Some(min), Some(max)) = (&tariff.min_price, &tariff.max_price) {
        let after = matches!((min.incl_vat, max.incl_vat), (Some(min), Some(max)) if min > max);
        if min.excl_vat > max.excl_vat || after {
            let said = ("min_price is above max_price: max_price wins", "let min_price be the lower one");
            push(into, Severity::Error, "min-price-above-max-price", "$.min_price", said);
        }
    }
    below_flat(sheet, into);
}

/// A limit that the fixed fee alone goes beyond.
fn below_flat(sheet: &Sheet<'_>, into: &mut Vec<Advice>) {
    let Some(max) = &sheet.tariff.max_price else { return };
    let gross = sheet.tariff.tax_included == Some(TaxIncluded::Yes);
    let most = if gross { max.incl_vat.unwrap_or(max.excl_vat) } else { max.excl_vat };
    for rate in sheet.of_use(Use::Flat).iter().filter(|rate| rate.applies() && rate.component.price > most) {
        let reason = format!(
            "the fixed fee {} is above max_price {most}: a charge never costs it whole",
            rate.component.price
        );
        let said = (reason, "let max_price be above the fixed fee, or lower the fee");
        push(into, Severity::Warning, "max-price-below-flat", rate.at.path(), said);
    }
}

/// Whether a limit before and after VAT fits the rates of the components.
fn vat_of(sheet: &Sheet<'_>, name: &'static str, limit: &Price, into: &mut Vec<Advice>) {
    let of_charges = [Use::Energy, Use::Time, Use::Parking, Use::Flat];
    let paid = sheet.all().filter(|(of, rate)| of_charges.contains(of) && rate.is_paid());
    let rates: Vec<Option<Decimal>> = paid.map(|(_, rate)| rate.component.vat).collect();
    let Some(after) = limit.incl_vat else {
        if rates.iter().any(Option::is_some) {
            let reason = "the prices have VAT, and the limit says only what it is before VAT";
            let said = (reason, "give the limit after VAT as well");
            push(into, Severity::Hint, "limit-without-vat", format!("$.{name}"), said);
        }
        return;
    };
    let percents = || rates.iter().map(|rate| rate.unwrap_or(Decimal::ZERO));
    let (Some(least), Some(most)) = (percents().min(), percents().max()) else { return };
    let with = |percent: Decimal| {
        let factor = Decimal::ONE.checked_add(percent.checked_div(Decimal::ONE_HUNDRED)?)?;
        limit.excl_vat.decimal().checked_mul(factor)
    };
    let coin = Decimal::new(1, minor_units(&sheet.tariff.currency));
    let within = |after: Decimal| {
        Some(after >= with(least)?.checked_sub(coin)? && after <= with(most)?.checked_add(coin)?)
    };
    if within(after.decimal()) == Some(false) {
        let rates = if least == most {
            format!("a rate of {least} %")
        } else {
            format!("rates of {least} % to {most} %")
        };
        let reason = format!("{} before and {after} after VAT do not fit {rates}", limit.excl_vat);
        let said = (reason, "compute one from the other with the rate of the prices");
        push(into, Severity::Warning, "limit-vat-mismatch", format!("$.{name}"), said);
    }
}
