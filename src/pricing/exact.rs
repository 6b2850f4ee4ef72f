//! The number in which money is computed: a fraction that never rounds.
//!
//! A price per hour times a number of seconds does not end as a decimal, so an amount is kept as a whole number
//! of parts of which one unit of currency has `10^scale × 3,600,000` (the milliseconds of an hour). Sums of
//! exact parts are exact, whatever their order.

use super::PricingError;
use super::policy::Rounding;
use crate::domain::Money;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Milliseconds of an hour: the part of the denominator that is not a power of ten.
pub(super) const HOUR_MS: i128 = 3_600_000;

/// Decimals that [`crate::domain::Kwh`] and [`Money`] may have.
pub(super) const MAX_SCALE: u32 = 12;

/// An exact amount of money. Two are equal exactly when they are the same amount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Exact {
    /// Parts.
    numerator: i128,
    /// Power of ten in the denominator; as small as it can be.
    scale: u32,
}

/// The whole number and the scale of a decimal, without trailing zeros.
fn parts(value: Decimal) -> (i128, u32) {
    let value = value.normalize();
    (value.mantissa(), value.scale())
}

/// Ten to the power of `exponent`.
fn pow10(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

const TOO_LARGE: PricingError = PricingError::TooLarge { what: "an amount of money" };

impl Exact {
    /// No money.
    pub const ZERO: Self = Self { numerator: 0, scale: 0 };

    /// The same value with the smallest scale, so that equal values are equal fields.
    fn reduced(mut self) -> Self {
        while self.scale > 0 && self.numerator % 10 == 0 {
            self.numerator /= 10;
            self.scale -= 1;
        }
        self
    }

    /// An amount, as it is.
    ///
    /// # Errors
    /// Never for values within the range of [`Money`]; the type says so for the sake of the callers.
    pub fn from_money(amount: Money) -> Result<Self, PricingError> {
        Self::price_times(amount, HOUR_MS, 0)
    }

    /// A price per kWh times an energy in kWh × 10^-12.
    pub(super) fn for_energy(price: Money, pico_kwh: i128) -> Result<Self, PricingError> {
        let mut energy = Self { numerator: pico_kwh, scale: MAX_SCALE };
        energy = energy.reduced();
        let volume = energy.numerator.checked_mul(HOUR_MS).ok_or(TOO_LARGE)?;
        Self::price_times(price, volume, energy.scale)
    }

    /// A price per hour times a time in milliseconds.
    pub(super) fn for_time(price: Money, millis: i128) -> Result<Self, PricingError> {
        Self::price_times(price, millis, 0)
    }

    fn price_times(price: Money, parts_of_unit: i128, unit_scale: u32) -> Result<Self, PricingError> {
        let (mantissa, scale) = parts(price.decimal());
        let numerator = mantissa.checked_mul(parts_of_unit).ok_or(TOO_LARGE)?;
        Ok(Self { numerator, scale: scale + unit_scale }.reduced())
    }

    /// With `percent` VAT on top.
    ///
    /// # Errors
    /// When the result has too many digits.
    pub fn with_vat(self, percent: Decimal) -> Result<Self, PricingError> {
        let (mantissa, scale) = parts(percent);
        let hundred = pow10(scale + 2).ok_or(TOO_LARGE)?;
        let factor = hundred.checked_add(mantissa).ok_or(TOO_LARGE)?;
        let factor = Self { numerator: factor, scale: scale + 2 }.reduced();
        let numerator = self.numerator.checked_mul(factor.numerator).ok_or(TOO_LARGE)?;
        Ok(Self { numerator, scale: self.scale + factor.scale }.reduced())
    }

    /// Both numerators over the same denominator.
    fn aligned(self, other: Self) -> Result<(i128, i128, u32), PricingError> {
        let scale = self.scale.max(other.scale);
        let lift = |value: Self| {
            pow10(scale - value.scale).and_then(|by| value.numerator.checked_mul(by)).ok_or(TOO_LARGE)
        };
        Ok((lift(self)?, lift(other)?, scale))
    }

    /// The sum.
    ///
    /// # Errors
    /// When it has too many digits.
    pub fn plus(self, other: Self) -> Result<Self, PricingError> {
        let (a, b, scale) = self.aligned(other)?;
        Ok(Self { numerator: a.checked_add(b).ok_or(TOO_LARGE)?, scale }.reduced())
    }

    /// The difference.
    ///
    /// # Errors
    /// When it has too many digits.
    pub fn minus(self, other: Self) -> Result<Self, PricingError> {
        let (a, b, scale) = self.aligned(other)?;
        Ok(Self { numerator: a.checked_sub(b).ok_or(TOO_LARGE)?, scale }.reduced())
    }

    /// Which of two is more.
    ///
    /// # Errors
    /// When they cannot be brought to one denominator.
    pub fn compare(self, other: Self) -> Result<Ordering, PricingError> {
        let (a, b, _) = self.aligned(other)?;
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
        let (numerator, denominator) = if self.scale >= decimals {
            let tens = pow10(self.scale - decimals).ok_or(TOO_LARGE)?;
            (self.numerator, tens.checked_mul(HOUR_MS).ok_or(TOO_LARGE)?)
        } else {
            let tens = pow10(decimals - self.scale).ok_or(TOO_LARGE)?;
            (self.numerator.checked_mul(tens).ok_or(TOO_LARGE)?, HOUR_MS)
        };
        let whole = rounding.divide(numerator, denominator).ok_or(TOO_LARGE)?;
        let scale = decimals;
        let amount = Decimal::try_from_i128_with_scale(whole, scale).map_err(|_| TOO_LARGE)?;
        Ok(Money::parse(amount)?)
    }
}
