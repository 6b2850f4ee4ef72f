//! The taxes of a receipt by rate. A CDR says its total before and after tax only (OCPI 2.2.1 mod_cdrs, `total_cost`); what
//! each rate has of it is reckoned from the lines.

use super::PaymentError;
use super::receipt::TaxRow;
use crate::domain::{Money, ValueError};
use crate::pricing::{CostLine, Exact, LineKind, PricingError, PricingPolicy};
use rust_decimal::Decimal;

/// The taxes by rate. What has no rate of its own (a least or a highest price, rounding) is shared among the rates: of
/// what changes the net, each takes as much as its part of the net is, and of what changes the tax, as its part of the
/// tax is. What a least price adds without a tax on it has no rate (OCPI 2.2.1 mod_tariffs, `min_price`). The rows are
/// together exactly the total.
pub(super) fn taxes(
    lines: &[CostLine],
    net: Money,
    gross: Money,
    policy: PricingPolicy,
    currency: &str,
) -> Result<Vec<TaxRow>, PaymentError> {
    let mut rates: Vec<Option<Decimal>> = Vec::new();
    let (mut nets, mut taxes): (Vec<Exact>, Vec<Exact>) = (Vec::new(), Vec::new());
    for line in lines {
        let tax = line.incl_vat.minus(line.excl_vat).map_err(PricingError::from)?;
        let rate = match &line.price {
            Some(price) => price.vat.map(|rate| rate.normalize()),
            None if line.kind == LineKind::MinPrice && tax.is_zero() => None,
            None => continue,
        };
        let at = rates.iter().position(|known| *known == rate).unwrap_or(rates.len());
        match (nets.get_mut(at), taxes.get_mut(at)) {
            (Some(known_net), Some(known_tax)) => {
                *known_net = known_net.plus(line.excl_vat).map_err(PricingError::from)?;
                *known_tax = known_tax.plus(tax).map_err(PricingError::from)?;
            }
            _ => {
                rates.push(rate);
                nets.push(line.excl_vat);
                taxes.push(tax);
            }
        }
    }
    if rates.is_empty() {
        return Ok(vec![TaxRow { rate: None, net, tax: gross.minus(net)?, gross }]);
    }
    let places = policy.decimals(currency);
    let nets = shared(net, &weights(nets)?, places)?;
    let taxes = shared(gross.minus(net)?, &weights(taxes)?, places)?;
    let rows = rates.into_iter().zip(nets.into_iter().zip(taxes));
    rows.map(|(rate, (net, tax))| Ok(TaxRow { rate, net, tax, gross: net.plus(tax)? })).collect()
}

fn weights(amounts: Vec<Exact>) -> Result<Vec<Decimal>, PricingError> {
    amounts.into_iter().map(|amount| Ok(amount.to_decimal()?.max(Decimal::ZERO))).collect()
}

/// Shares an amount by weights, in whole units of so many decimals that are together exactly the amount: each part is
/// cut, and what is left over goes, a unit each, to those of which most was cut off. Without any weight, the first takes
/// all.
fn shared(total: Money, weights: &[Decimal], places: u32) -> Result<Vec<Money>, ValueError> {
    let too_large = || ValueError::OutOfRange {
        what: "amount",
        found: total.to_string(),
        wanted: "an amount within range",
    };
    let sum = weights.iter().try_fold(Decimal::ZERO, |sum, weight| sum.checked_add(*weight));
    let sum = sum.ok_or_else(too_large)?;
    let mut parts: Vec<(Decimal, Decimal)> = Vec::new();
    let mut left = total.decimal();
    for weight in weights {
        let share = if sum.is_zero() { Some(Decimal::ZERO) } else { weight.checked_div(sum) };
        let exact = share.and_then(|share| total.decimal().checked_mul(share)).ok_or_else(too_large)?;
        let cut = exact.trunc_with_scale(places);
        left = left.checked_sub(cut).ok_or_else(too_large)?;
        parts.push((cut, exact.checked_sub(cut).ok_or_else(too_large)?));
    }
    let unit = Decimal::new(1, places);
    let mut by_rest: Vec<&mut (Decimal, Decimal)> = parts.iter_mut().collect();
    by_rest.sort_by_key(|(_, rest)| std::cmp::Reverse(*rest));
    for (part, _) in by_rest {
        if left >= unit && !sum.is_zero() {
            *part = part.checked_add(unit).ok_or_else(too_large)?;
            left = left.checked_sub(unit).ok_or_else(too_large)?;
        }
    }
    if let Some((first, _)) = parts.first_mut() {
        *first = first.checked_add(left).ok_or_else(too_large)?;
    }
    let rescaled = |(mut part, _): (Decimal, Decimal)| {
        part.rescale(part.scale().max(places));
        Money::parse(part)
    };
    parts.into_iter().map(rescaled).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::{Billed, LinePrice};

    fn shares(total: &str, weights: &[&str]) -> Vec<String> {
        let weights: Vec<Decimal> = weights.iter().map(|weight| weight.parse().unwrap()).collect();
        let parts = shared(total.parse().unwrap(), &weights, 2).unwrap();
        parts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn shares_are_exactly_the_whole() {
        assert_eq!(shares("10.00", &["1", "1", "1"]), ["3.34", "3.33", "3.33"]);
        assert_eq!(shares("5.24", &["4.4"]), ["5.24"]);
        assert_eq!(shares("0.02", &["1", "2", "7"]), ["0.00", "0.01", "0.01"]);
        assert_eq!(shares("7.00", &["0", "0"]), ["7.00", "0.00"]);
        assert_eq!(shares("0", &["3", "4"]), ["0.00", "0.00"]);
        assert_eq!(shares("-1.00", &["1", "1"]), ["-0.50", "-0.50"]);
    }

    fn line(kind: LineKind, vat: Option<Option<&str>>, excl: &str, incl: &str) -> CostLine {
        let exact = |text: &str| Exact::from_money(text.parse().unwrap()).unwrap();
        let price = vat.map(|vat| LinePrice {
            tariff: "T".into(),
            tariff_index: 0,
            component: crate::pricing::ComponentRef { element: 0, component: 0 },
            price: Money::ZERO,
            vat: vat.map(|rate| rate.parse().unwrap()),
            gross: false,
            step_size: 1,
        });
        let quantity = Billed::Once;
        CostLine { kind, period: None, price, quantity, excl_vat: exact(excl), incl_vat: exact(incl) }
    }

    fn rows(lines: &[CostLine], net: &str, gross: &str) -> Vec<String> {
        let made =
            taxes(lines, net.parse().unwrap(), gross.parse().unwrap(), PricingPolicy::default(), "EUR");
        let shown = |row: TaxRow| {
            let rate = row.rate.map_or("-".to_owned(), |rate| rate.to_string());
            format!("{rate}: {} + {} = {}", row.net, row.tax, row.gross)
        };
        made.unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn each_rate_takes_its_part_of_what_has_none() {
        let energy = line(LineKind::Energy, Some(Some("19")), "10.00", "11.90");
        let parking = line(LineKind::Parking, Some(Some("7")), "10.00", "10.70");
        let of = |bound: Option<CostLine>, net: &str, gross: &str| {
            let lines: Vec<CostLine> = [energy.clone(), parking.clone()].into_iter().chain(bound).collect();
            rows(&lines, net, gross)
        };
        assert_eq!(of(None, "20.00", "22.60"), ["19: 10.00 + 1.90 = 11.90", "7: 10.00 + 0.70 = 10.70"]);
        // Half of all that was used, at the same rates.
        let most = line(LineKind::MaxPrice, None, "-10.00", "-11.30");
        assert_eq!(of(Some(most), "10.00", "11.30"), ["19: 5.00 + 0.95 = 5.95", "7: 5.00 + 0.35 = 5.35"]);
        let most = line(LineKind::MaxPrice, None, "-19.99", "-22.59");
        assert_eq!(of(Some(most), "0.01", "0.01"), ["19: 0.01 + 0.00 = 0.01", "7: 0.00 + 0.00 = 0.00"]);
        // A least price that names no amount after tax adds something without tax.
        let least = line(LineKind::MinPrice, None, "5.00", "5.00");
        assert_eq!(
            of(Some(least), "25.00", "27.60"),
            ["19: 10.00 + 1.90 = 11.90", "7: 10.00 + 0.70 = 10.70", "-: 5.00 + 0.00 = 5.00"]
        );
        let least = line(LineKind::MinPrice, None, "20.00", "22.60");
        assert_eq!(
            of(Some(least), "40.00", "45.20"),
            ["19: 20.00 + 3.80 = 23.80", "7: 20.00 + 1.40 = 21.40"]
        );
        // Nothing was used, and there is a least price.
        assert_eq!(rows(&[], "1.00", "1.19"), ["-: 1.00 + 0.19 = 1.19"]);
        let untaxed = line(LineKind::Energy, Some(None), "3.00", "3.00");
        assert_eq!(rows(&[untaxed], "3.00", "3.00"), ["-: 3.00 + 0.00 = 3.00"]);
    }
}
