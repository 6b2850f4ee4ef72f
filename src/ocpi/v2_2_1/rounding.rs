//! Numbers as this node writes them: at most 4 decimals (OCPI 2.2.1 types, "number"), halves away from zero.
//! Within the node amounts stay exact, and what a partner sent keeps its digits.

use crate::domain::charging_period::ChargingPeriod;
use crate::domain::tariff::Price;
use crate::domain::{Kwh, Money};
use rust_decimal::{Decimal, RoundingStrategy};

/// Rounds a number.
pub(crate) fn at_most_4(number: &mut Decimal) {
    if number.scale() > 4 {
        *number = number.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero);
    }
}

/// Rounds an energy.
pub(crate) fn kwh_at_most_4(energy: &mut Kwh) {
    let mut number = energy.decimal();
    at_most_4(&mut number);
    // Rounding stays within the bounds of the type: they are whole numbers.
    *energy = Kwh::parse(number).unwrap_or(*energy);
}

/// Rounds both amounts of a price.
pub(crate) fn price_at_most_4(price: &mut Price) {
    let Price { excl_vat, incl_vat, extra: _ } = price;
    for amount in std::iter::once(excl_vat).chain(incl_vat) {
        let mut number = amount.decimal();
        at_most_4(&mut number);
        *amount = Money::parse(number).unwrap_or(*amount);
    }
}

/// Rounds the volumes of a charging period.
pub(crate) fn period_at_most_4(period: &mut ChargingPeriod) {
    period.dimensions.iter_mut().for_each(|dimension| at_most_4(&mut dimension.volume));
}
