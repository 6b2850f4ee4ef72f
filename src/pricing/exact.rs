//! The number in which money is computed: a fraction that never rounds.
//!
//! A price per hour times a number of seconds does not end as a decimal, and neither does a gross price without
//! its tax, so an amount is a whole number over `36 × 10^scale × divisor`. Sums of exact parts are exact,
//! whatever their order.
//!
//! The quantities are whole numbers as well: energy in [`PICO`] parts of a kWh, time in [`HOUR`] parts of an
//! hour, which hold both milliseconds and the decimal hours of OCPI exactly.
//!
//! The numbers are of 128 bits, or of 64 where that is enough: [`super::whole`].

use super::PricingError;
use super::policy::Rounding;
use super::whole::{Whole, trimmed};
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
        Self { mantissa: value.mantissa(), scale: value.scale() }.reduced()
    }

    /// `100 + percent` over a hundred: what a net amount is multiplied with.
    pub(super) fn with_tax(percent: Decimal) -> Result<Self, PricingError> {
        let percent = Self::of(percent);
        let hundred = i128::power_of_ten(percent.scale + 2).ok_or(TooLarge)?;
        let mantissa = hundred.checked_add(percent.mantissa).ok_or(TooLarge)?;
        Ok(Self { mantissa, scale: percent.scale + 2 }.reduced())
    }

    #[inline]
    fn reduced(mut self) -> Self {
        while self.scale > 0
            && let Some((mantissa, 0)) = self.mantissa.divided(10)
        {
            self.mantissa = mantissa;
            self.scale -= 1;
        }
        self
    }
}

/// An amount has more digits than this system computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount of money is too large, or has too many decimals, to be computed exactly")]
pub struct TooLarge;

impl From<TooLarge> for PricingError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge { what: "an amount of money" }
    }
}

/// An exact amount of money. Two are equal exactly when they are the same amount.
pub type Exact = Fraction<i128>;

/// An exact amount of money in numbers of some size; [`Exact`] has room for all.
#[derive(Debug, Clone, Copy)]
pub struct Fraction<N> {
    numerator: N,
    /// Power of ten in the denominator.
    scale: u32,
    /// The rest of the denominator, beside [`BASE`]; at least 1, and no larger than numerators can be.
    divisor: u64,
}

/// Both numerators over one denominator, which is the scale and the divisor.
type Aligned<N> = (N, N, u32, u64);

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[inline]
fn power_of_ten<N: Whole>(exponent: u32) -> Result<N, TooLarge> {
    N::power_of_ten(exponent).ok_or(TooLarge)
}

#[inline]
fn times<N: Whole>(a: N, b: N) -> Result<N, TooLarge> {
    a.times(b).ok_or(TooLarge)
}

#[inline]
fn of<N: Whole>(value: i128) -> Result<N, TooLarge> {
    N::of(value).ok_or(TooLarge)
}

impl<N: Whole> Default for Fraction<N> {
    fn default() -> Self {
        Self::ZERO
    }
}

impl<N: Whole> PartialEq for Fraction<N> {
    /// Amounts that are too different to be brought to one denominator are not equal.
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other) == Ok(Ordering::Equal)
    }
}
impl<N: Whole> Eq for Fraction<N> {}

impl<N: Whole> Fraction<N> {
    /// No money.
    pub const ZERO: Self = Self { numerator: N::ZERO, scale: 0, divisor: 1 };

    /// An amount, as it is.
    ///
    /// # Errors
    /// Never for an [`Exact`] of a value within the range of [`Money`]; the type says so for the sake of the callers.
    #[inline]
    pub fn from_money(amount: Money) -> Result<Self, TooLarge> {
        Self::once(Parts::of(amount.decimal()))
    }

    /// A price that is charged once.
    #[inline]
    pub(super) fn once(price: Parts) -> Result<Self, TooLarge> {
        Ok(Self { numerator: times(of(price.mantissa)?, of(BASE)?)?, scale: price.scale, divisor: 1 })
    }

    /// A price per kWh times an energy in [`PICO`] parts of a kWh.
    #[inline]
    pub(super) fn for_energy(price: Parts, energy: i128) -> Result<Self, TooLarge> {
        let (quantity, zeros) = trimmed(energy);
        let numerator = times(times(of(price.mantissa)?, of(quantity)?)?, of(BASE)?)?;
        Ok(Self { numerator, scale: price.scale + MAX_SCALE - zeros, divisor: 1 })
    }

    /// A price per hour times a time in [`HOUR`] parts of an hour.
    #[inline]
    pub(super) fn for_time(price: Parts, time: i128) -> Result<Self, TooLarge> {
        let (quantity, zeros) = trimmed(time);
        let numerator = times(of(price.mantissa)?, of(quantity)?)?;
        Ok(Self { numerator, scale: price.scale + HOUR_SCALE - zeros, divisor: 1 })
    }

    /// With tax on top; the factor is that of [`Parts::with_tax`].
    #[inline]
    pub(super) fn taxed(self, factor: Parts) -> Result<Self, TooLarge> {
        let numerator = times(self.numerator, of(factor.mantissa)?)?;
        Ok(Self { numerator, scale: self.scale + factor.scale, ..self })
    }

    /// Without the tax that is in it; the factor is that of [`Parts::with_tax`].
    pub(super) fn untaxed(self, factor: Parts) -> Result<Self, TooLarge> {
        let by = u64::try_from(factor.mantissa).ok().filter(|by| *by > 0).ok_or(TooLarge)?;
        let numerator = times(self.numerator, power_of_ten(factor.scale)?)?;
        let divisor = self.divisor.checked_mul(by).ok_or(TooLarge)?;
        of::<N>(divisor.into())?;
        Ok(Self { numerator, divisor, ..self }.reduced())
    }

    /// The same amount in numbers that have room for all.
    #[inline]
    pub(super) fn exact(self) -> Exact {
        Exact { numerator: self.numerator.wide(), scale: self.scale, divisor: self.divisor }
    }

    /// The same value with the smallest denominator.
    fn reduced(mut self) -> Self {
        let by = |divisor: u64| N::of(divisor.into());
        let rest = by(self.divisor).and_then(|divisor| self.numerator.divided(divisor));
        let rest = rest.map_or(1, |(_, rest)| u64::try_from(rest.wide().unsigned_abs()).unwrap_or(1));
        let common = greatest_common_divisor(self.divisor, rest);
        if common > 1
            && let Some((numerator, _)) = by(common).and_then(|common| self.numerator.divided(common))
        {
            self.numerator = numerator;
            self.divisor /= common;
        }
        while self.scale > 0
            && let Some((numerator, rest)) = by(10).and_then(|ten| self.numerator.divided(ten))
            && rest == N::ZERO
        {
            self.numerator = numerator;
            self.scale -= 1;
        }
        self
    }

    /// Both numerators over one denominator.
    #[inline]
    fn aligned(self, other: Self) -> Result<Aligned<N>, TooLarge> {
        if self.divisor == other.divisor
            && let Ok(aligned) = Self::scaled(self, other)
        {
            return Ok(aligned);
        }
        Self::divided(self, other).or_else(|_| Self::divided(self.reduced(), other.reduced()))
    }

    /// Over the same power of ten; the divisor is that of both.
    #[inline]
    fn scaled(a: Self, b: Self) -> Result<Aligned<N>, TooLarge> {
        match a.scale.cmp(&b.scale) {
            Ordering::Equal => Ok((a.numerator, b.numerator, a.scale, a.divisor)),
            Ordering::Less => {
                let left = times(a.numerator, power_of_ten(b.scale - a.scale)?)?;
                Ok((left, b.numerator, b.scale, a.divisor))
            }
            Ordering::Greater => {
                let right = times(b.numerator, power_of_ten(a.scale - b.scale)?)?;
                Ok((a.numerator, right, a.scale, a.divisor))
            }
        }
    }

    /// Over the same power of ten and the same divisor.
    #[inline(never)]
    fn divided(a: Self, b: Self) -> Result<Aligned<N>, TooLarge> {
        let (left, right, scale, divisor) = Self::scaled(a, b)?;
        if a.divisor == b.divisor {
            return Ok((left, right, scale, divisor));
        }
        let common = greatest_common_divisor(a.divisor, b.divisor).max(1);
        let left = times(left, of((b.divisor / common).into())?)?;
        let right = times(right, of((a.divisor / common).into())?)?;
        let divisor = (a.divisor / common).checked_mul(b.divisor).ok_or(TooLarge)?;
        of::<N>(divisor.into())?;
        Ok((left, right, scale, divisor))
    }

    /// The sum.
    ///
    /// # Errors
    /// When it has too many digits.
    #[inline]
    pub fn plus(self, other: Self) -> Result<Self, TooLarge> {
        if other.is_zero() {
            return Ok(self);
        }
        if self.is_zero() {
            return Ok(other);
        }
        let (a, b, scale, divisor) = self.aligned(other)?;
        Ok(Self { numerator: a.plus(b).ok_or(TooLarge)?, scale, divisor })
    }

    /// The difference.
    ///
    /// # Errors
    /// When it has too many digits.
    #[inline]
    pub fn minus(self, other: Self) -> Result<Self, TooLarge> {
        let numerator = other.numerator.negated().ok_or(TooLarge)?;
        self.plus(Self { numerator, ..other })
    }

    /// Which of two is more.
    ///
    /// # Errors
    /// When they cannot be brought to one denominator.
    #[inline]
    pub fn compare(self, other: Self) -> Result<Ordering, TooLarge> {
        let (a, b, ..) = self.aligned(other)?;
        Ok(a.cmp(&b))
    }

    /// Whether it is nothing.
    #[must_use]
    #[inline]
    pub fn is_zero(self) -> bool {
        self.numerator == N::ZERO
    }

    /// The amount with `decimals` decimals: the one place where money is rounded. It has exactly that many,
    /// so that 5 euros read 5.00.
    ///
    /// # Errors
    /// When the amount leaves the range of [`Money`].
    #[inline]
    pub fn round(self, decimals: u32, rounding: Rounding) -> Result<Money, PricingError> {
        let decimals = decimals.min(MAX_SCALE);
        let whole =
            self.quotient(decimals, rounding).or_else(|_| self.reduced().quotient(decimals, rounding))?;
        Ok(Money::parse(whole.decimal(decimals).ok_or(TooLarge)?)?)
    }

    #[inline]
    fn quotient(self, decimals: u32, rounding: Rounding) -> Result<N, TooLarge> {
        let base = times(of(BASE)?, of(self.divisor.into())?)?;
        let (numerator, denominator) = match self.scale.checked_sub(decimals) {
            Some(more) => (self.numerator, times(power_of_ten(more)?, base)?),
            None => (times(self.numerator, power_of_ten(decimals - self.scale)?)?, base),
        };
        rounding.divide(numerator, denominator).ok_or(TooLarge)
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
