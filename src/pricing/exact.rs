//! The number in which money is computed: a fraction that never rounds.
//!
//! A price per hour times a number of seconds does not end as a decimal, and neither does a gross price without
//! its tax, so an amount is a whole number over `36 × 10^scale × divisor`. Sums of exact parts are exact,
//! whatever their order.
//!
//! The quantities are whole numbers as well: energy in [`PICO`] parts of a kWh, time in [`HOUR`] parts of an
//! hour, which hold both milliseconds and the decimal hours of OCPI exactly.

use super::PricingError;
use super::policy::Rounding;
use crate::domain::Money;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Decimals that [`crate::domain::Kwh`] and [`Money`] may have.
pub(super) const MAX_SCALE: u32 = 12;
/// Parts of a kWh, kW or A in which quantities are counted.
pub(super) const PICO: i128 = 1_000_000_000_000;
/// Parts of an hour in which times are counted: 10^-12 hours are 3,600 of them, a millisecond is 10^9.
pub(super) const HOUR: i128 = 3_600_000_000_000_000;
/// Parts of a millisecond.
pub(super) const MILLISECOND: i128 = 1_000_000_000;
/// What makes hours of milliseconds a decimal.
const BASE: i128 = 36;
/// [`HOUR`] is this power of ten times [`BASE`].
const HOUR_SCALE: u32 = 14;

/// A decimal as a whole number and a power of ten, made ready for computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    mantissa: i128,
    scale: u32,
}

impl Parts {
    pub(super) fn of(value: Decimal) -> Self {
        let value = value.normalize();
        Self { mantissa: value.mantissa(), scale: value.scale() }
    }

    /// `100 + percent` over a hundred: what a net amount is multiplied with.
    pub(super) fn with_tax(percent: Decimal) -> Result<Self, PricingError> {
        let percent = Self::of(percent);
        let hundred = pow10(percent.scale + 2)?;
        let mantissa = hundred.checked_add(percent.mantissa).ok_or(TOO_LARGE)?;
        Ok(Self { mantissa, scale: percent.scale + 2 }.reduced())
    }

    fn reduced(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }
}

/// An exact amount of money. Two are equal exactly when they are the same amount.
#[derive(Debug, Clone, Copy)]
pub struct Exact {
    numerator: i128,
    /// Power of ten in the denominator.
    scale: u32,
    /// The rest of the denominator, beside [`BASE`]; at least 1.
    divisor: u64,
}

const TOO_LARGE: PricingError = PricingError::TooLarge { what: "an amount of money" };

/// Ten to the power of `exponent`.
fn pow10(exponent: u32) -> Result<i128, PricingError> {
    match exponent {
        0..=18 => Ok(i128::from(10_i64.pow(exponent))),
        _ => 10_i128.checked_pow(exponent).ok_or(TOO_LARGE),
    }
}

/// The product; quick where both are small, as they are.
fn times(a: i128, b: i128) -> Result<i128, PricingError> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Ok(i128::from(a).saturating_mul(i128::from(b))),
        _ => a.checked_mul(b).ok_or(TOO_LARGE),
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

/// A quantity without those trailing zeros that quantities usually have, and how many were taken away. Charges are
/// metered in Wh and milliseconds, and small numbers multiply and divide many times faster.
fn trimmed(quantity: i128) -> (i128, u32) {
    let Ok(small) = i64::try_from(quantity) else { return (quantity, 0) };
    for (tens, zeros) in [(1_000_000_000, 9), (100_000_000, 8), (1_000_000, 6)] {
        if small % tens == 0 {
            return (i128::from(small / tens), zeros);
        }
    }
    (quantity, 0)
}

impl Default for Exact {
    fn default() -> Self {
        Self::ZERO
    }
}

impl PartialEq for Exact {
    /// Amounts that are too different to be brought to one denominator are not equal.
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other) == Ok(Ordering::Equal)
    }
}
impl Eq for Exact {}

impl Exact {
    /// No money.
    pub const ZERO: Self = Self { numerator: 0, scale: 0, divisor: 1 };

    /// An amount, as it is.
    ///
    /// # Errors
    /// Never for values within the range of [`Money`]; the type says so for the sake of the callers.
    pub fn from_money(amount: Money) -> Result<Self, PricingError> {
        Self::once(Parts::of(amount.decimal()))
    }

    /// A price that is charged once.
    pub(super) fn once(price: Parts) -> Result<Self, PricingError> {
        Ok(Self { numerator: times(price.mantissa, BASE)?, scale: price.scale, divisor: 1 })
    }

    /// A price per kWh times an energy in [`PICO`] parts of a kWh.
    pub(super) fn for_energy(price: Parts, energy: i128) -> Result<Self, PricingError> {
        let (quantity, zeros) = trimmed(energy);
        let numerator = times(times(price.mantissa, quantity)?, BASE)?;
        Ok(Self { numerator, scale: price.scale + MAX_SCALE - zeros, divisor: 1 })
    }

    /// A price per hour times a time in [`HOUR`] parts of an hour.
    pub(super) fn for_time(price: Parts, time: i128) -> Result<Self, PricingError> {
        let (quantity, zeros) = trimmed(time);
        let numerator = times(price.mantissa, quantity)?;
        Ok(Self { numerator, scale: price.scale + HOUR_SCALE - zeros, divisor: 1 })
    }

    /// With tax on top; the factor is that of [`Parts::with_tax`].
    pub(super) fn taxed(self, factor: Parts) -> Result<Self, PricingError> {
        let numerator = times(self.numerator, factor.mantissa)?;
        Ok(Self { numerator, scale: self.scale + factor.scale, ..self })
    }

    /// Without the tax that is in it; the factor is that of [`Parts::with_tax`].
    pub(super) fn untaxed(self, factor: Parts) -> Result<Self, PricingError> {
        let by = u64::try_from(factor.mantissa).ok().filter(|by| *by > 0).ok_or(TOO_LARGE)?;
        let numerator = times(self.numerator, pow10(factor.scale)?)?;
        let divisor = self.divisor.checked_mul(by).ok_or(TOO_LARGE)?;
        Ok(Self { numerator, divisor, ..self }.reduced())
    }

    /// The same value with the smallest denominator.
    fn reduced(mut self) -> Self {
        let common = greatest_common_divisor(self.numerator.unsigned_abs(), u128::from(self.divisor));
        if common > 1
            && let (Ok(by), Ok(small)) = (i128::try_from(common), u64::try_from(common))
        {
            self.numerator = self.numerator.checked_div(by).unwrap_or_default();
            self.divisor /= small;
        }
        while self.scale > 0 && self.numerator % 10 == 0 {
            self.numerator /= 10;
            self.scale -= 1;
        }
        self
    }

    /// Both numerators over one denominator.
    fn aligned(self, other: Self) -> Result<(i128, i128, u32, u64), PricingError> {
        if self.scale == other.scale && self.divisor == other.divisor {
            return Ok((self.numerator, other.numerator, self.scale, self.divisor));
        }
        Self::lifted(self, other).or_else(|_| Self::lifted(self.reduced(), other.reduced()))
    }

    fn lifted(a: Self, b: Self) -> Result<(i128, i128, u32, u64), PricingError> {
        let scale = a.scale.max(b.scale);
        let (mut left, mut right) =
            (times(a.numerator, pow10(scale - a.scale)?)?, times(b.numerator, pow10(scale - b.scale)?)?);
        let mut divisor = a.divisor;
        if a.divisor != b.divisor {
            let common = greatest_common_divisor(u128::from(a.divisor), u128::from(b.divisor));
            let common = u64::try_from(common).map_err(|_| TOO_LARGE)?.max(1);
            left = times(left, i128::from(b.divisor / common))?;
            right = times(right, i128::from(a.divisor / common))?;
            divisor = (a.divisor / common).checked_mul(b.divisor).ok_or(TOO_LARGE)?;
        }
        Ok((left, right, scale, divisor))
    }

    /// The sum.
    ///
    /// # Errors
    /// When it has too many digits.
    pub fn plus(self, other: Self) -> Result<Self, PricingError> {
        if other.numerator == 0 {
            return Ok(self);
        }
        if self.numerator == 0 {
            return Ok(other);
        }
        let (a, b, scale, divisor) = self.aligned(other)?;
        Ok(Self { numerator: a.checked_add(b).ok_or(TOO_LARGE)?, scale, divisor })
    }

    /// The difference.
    ///
    /// # Errors
    /// When it has too many digits.
    pub fn minus(self, other: Self) -> Result<Self, PricingError> {
        let numerator = other.numerator.checked_neg().ok_or(TOO_LARGE)?;
        self.plus(Self { numerator, ..other })
    }

    /// Which of two is more.
    ///
    /// # Errors
    /// When they cannot be brought to one denominator.
    pub fn compare(self, other: Self) -> Result<Ordering, PricingError> {
        let (a, b, ..) = self.aligned(other)?;
        Ok(a.cmp(&b))
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// The amount with `decimals` decimals: the one place where money is rounded. It has exactly that many,
    /// so that 5 euros read 5.00.
    ///
    /// # Errors
    /// When the amount leaves the range of [`Money`].
    pub fn round(self, decimals: u32, rounding: Rounding) -> Result<Money, PricingError> {
        let decimals = decimals.min(MAX_SCALE);
        let whole =
            self.quotient(decimals, rounding).or_else(|_| self.reduced().quotient(decimals, rounding))?;
        let amount = Decimal::try_from_i128_with_scale(whole, decimals).map_err(|_| TOO_LARGE)?;
        Ok(Money::parse(amount)?)
    }

    fn quotient(self, decimals: u32, rounding: Rounding) -> Result<i128, PricingError> {
        let base = times(BASE, i128::from(self.divisor))?;
        let (numerator, denominator) = match self.scale.checked_sub(decimals) {
            Some(more) => (self.numerator, times(pow10(more)?, base)?),
            None => (times(self.numerator, pow10(decimals - self.scale)?)?, base),
        };
        rounding.divide(numerator, denominator).ok_or(TOO_LARGE)
    }

    /// The amount as a decimal for people: all its digits where it ends within 12, else rounded to 12.
    ///
    /// # Errors
    /// When the amount leaves the range of [`Money`].
    pub fn to_decimal(self) -> Result<Decimal, PricingError> {
        Ok(self.round(MAX_SCALE, Rounding::HalfUp)?.decimal().normalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Parts {
        Parts::of(text.parse().unwrap())
    }

    #[test]
    fn thirds_and_gross_prices_stay_exact() {
        // 20 minutes at 1.00 per hour, three times, is 1.00.
        let third = Exact::for_time(parts("1"), HOUR / 3).unwrap();
        let whole = third.plus(third).unwrap().plus(third).unwrap();
        assert_eq!(whole, Exact::once(parts("1")).unwrap());
        // 1.19 gross at 19 % is 1.00 net, and 1.00 gross is no decimal but still comes back.
        let tax = Parts::with_tax("19".parse().unwrap()).unwrap();
        assert_eq!(
            Exact::once(parts("1.19")).unwrap().untaxed(tax).unwrap(),
            Exact::once(parts("1")).unwrap()
        );
        let net = Exact::once(parts("1")).unwrap().untaxed(tax).unwrap();
        assert_eq!(net.taxed(tax).unwrap(), Exact::once(parts("1")).unwrap());
        assert_eq!(net.round(4, Rounding::HalfUp).unwrap().to_string(), "0.8403");
        let reduced = Parts::with_tax("7".parse().unwrap()).unwrap();
        let mixed = net.plus(Exact::once(parts("1")).unwrap().untaxed(reduced).unwrap()).unwrap();
        assert_eq!(mixed.round(6, Rounding::HalfUp).unwrap().to_string(), "1.774916");
    }

    #[test]
    fn amounts_beyond_the_range_are_errors() {
        let huge = Parts::of("1000000000".parse().unwrap());
        let energy = 1_000_000_000 * PICO;
        assert!(Exact::for_energy(huge, energy).unwrap().round(2, Rounding::HalfUp).is_err());
        assert!(Exact::once(huge).unwrap().untaxed(parts("-1")).is_err());
    }
}
