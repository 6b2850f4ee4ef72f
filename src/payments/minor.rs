//! Money at the border to providers: whole numbers of the minor unit of a currency (ISO 4217), which is a hundredth
//! of it, or a thousandth, or it has none.

use super::provider::Minor;
use crate::domain::{Money, ValueError};
use crate::pricing::minor_units;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

fn out_of_range(found: impl ToString) -> ValueError {
    ValueError::OutOfRange { what: "amount", found: found.to_string(), wanted: "an amount within range" }
}

/// How many minor units a unit of the currency has.
fn units_in(currency: &str) -> Decimal {
    Decimal::from(10_u64.saturating_pow(minor_units(currency)))
}

/// An amount in minor units. What is finer is cut off, in the driver's favour.
///
/// # Errors
/// When it is out of range.
pub fn to_minor(amount: Money, currency: &str) -> Result<Minor, ValueError> {
    let scaled = amount.decimal().checked_mul(units_in(currency)).ok_or_else(|| out_of_range(amount))?;
    let whole = scaled.round_dp_with_strategy(0, RoundingStrategy::ToZero);
    whole.to_i64().map(Minor).ok_or_else(|| out_of_range(amount))
}

/// An amount of minor units, with the decimals of its currency.
///
/// # Errors
/// When it is out of range.
pub fn from_minor(Minor(amount): Minor, currency: &str) -> Result<Money, ValueError> {
    let places = minor_units(currency);
    let exact = Decimal::from(amount).checked_div(units_in(currency)).ok_or_else(|| out_of_range(amount))?;
    let mut exact = exact;
    exact.rescale(places);
    Money::parse(exact)
}

/// An amount cut to what can be taken in its currency.
///
/// # Errors
/// When it is out of range.
pub fn payable(amount: Money, currency: &str) -> Result<Money, ValueError> {
    from_minor(to_minor(amount, currency)?, currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_its_own_minor_unit() {
        for (amount, currency, minor, back) in [
            ("12.34", "EUR", 1234, "12.34"),
            ("12.3", "EUR", 1230, "12.30"),
            ("12.349", "EUR", 1234, "12.34"),
            ("500", "JPY", 500, "500"),
            ("500.9", "JPY", 500, "500"),
            ("1.2345", "KWD", 1234, "1.234"),
            ("0", "EUR", 0, "0.00"),
            ("60", "XXX", 6000, "60.00"),
        ] {
            let money: Money = amount.parse().unwrap();
            let found = to_minor(money, currency).unwrap();
            assert_eq!(found, Minor(minor), "{amount} {currency}");
            assert_eq!(from_minor(found, currency).unwrap().to_string(), back, "{amount} {currency}");
            assert_eq!(payable(money, currency).unwrap().to_string(), back);
        }
        assert!(from_minor(Minor(i64::MAX), "EUR").is_err());
    }
}
