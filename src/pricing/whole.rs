//! The whole numbers of which [fractions](super::exact) are made, in two sizes.
//!
//! 128 bits hold every amount that can be priced at all, but a processor multiplies and divides 64 bits at a time, and
//! what a charge really costs fits into those: up to two million euros, by the millisecond, at a price with four
//! decimals and tax in whole percents. So a charge is priced in 64 bits first. Nothing is rounded or cut there: an
//! operation whose result does not fit says so, and everything is computed again in 128 bits. Both sizes run the same
//! code, generic over [`Whole`], and differ in nothing but when a number is too large for them.

use rust_decimal::Decimal;

/// A whole number. An operation gives `None` where its result does not fit.
pub trait Whole: Copy + Ord {
    /// Nothing.
    const ZERO: Self;

    /// A number in this size.
    fn of(value: i128) -> Option<Self>;
    /// The number in the largest size.
    fn wide(self) -> i128;
    /// The sum.
    fn plus(self, other: Self) -> Option<Self>;
    /// The negative.
    fn negated(self) -> Option<Self>;
    /// The product.
    fn times(self, other: Self) -> Option<Self>;
    /// The quotient, towards zero, and the rest.
    fn divided(self, by: Self) -> Option<(Self, Self)>;
    /// Ten to the power of `exponent`.
    fn power_of_ten(exponent: u32) -> Option<Self>;
    /// The number over a power of ten, with so many decimals.
    fn decimal(self, decimals: u32) -> Option<Decimal>;
}

/// The powers of ten that fit into 64 bits.
const POWERS: [i64; 19] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
    10_000_000_000_000_000,
    100_000_000_000_000_000,
    1_000_000_000_000_000_000,
];

impl Whole for i64 {
    const ZERO: Self = 0;

    #[inline]
    fn of(value: i128) -> Option<Self> {
        Self::try_from(value).ok()
    }

    #[inline]
    fn wide(self) -> i128 {
        i128::from(self)
    }

    #[inline]
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }

    #[inline]
    fn negated(self) -> Option<Self> {
        self.checked_neg()
    }

    #[inline]
    fn times(self, other: Self) -> Option<Self> {
        self.checked_mul(other)
    }

    #[inline]
    fn divided(self, by: Self) -> Option<(Self, Self)> {
        Some((self.checked_div(by)?, self.checked_rem(by)?))
    }

    #[inline]
    fn power_of_ten(exponent: u32) -> Option<Self> {
        POWERS.get(usize::try_from(exponent).ok()?).copied()
    }

    #[inline]
    fn decimal(self, decimals: u32) -> Option<Decimal> {
        Decimal::try_new(self, decimals).ok()
    }
}

impl Whole for i128 {
    const ZERO: Self = 0;

    #[inline]
    fn of(value: i128) -> Option<Self> {
        Some(value)
    }

    #[inline]
    fn wide(self) -> i128 {
        self
    }

    #[inline]
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }

    #[inline]
    fn negated(self) -> Option<Self> {
        self.checked_neg()
    }

    /// Quick where both are small.
    #[inline]
    fn times(self, other: Self) -> Option<Self> {
        match (i64::try_from(self), i64::try_from(other)) {
            (Ok(a), Ok(b)) => Some(Self::from(a).saturating_mul(Self::from(b))),
            _ => self.checked_mul(other),
        }
    }

    /// Quick where both are small: a division of 64 bits costs a tenth.
    #[inline]
    fn divided(self, by: Self) -> Option<(Self, Self)> {
        if let (Ok(a), Ok(b)) = (i64::try_from(self), i64::try_from(by))
            && let (Some(whole), Some(rest)) = (a.checked_div(b), a.checked_rem(b))
        {
            return Some((whole.into(), rest.into()));
        }
        // Also the least number of 64 bits divided by -1, which has 65.
        Some((self.checked_div(by)?, self.checked_rem(by)?))
    }

    #[inline]
    fn power_of_ten(exponent: u32) -> Option<Self> {
        i64::power_of_ten(exponent).map_or_else(|| 10_i128.checked_pow(exponent), |power| Some(power.into()))
    }

    #[inline]
    fn decimal(self, decimals: u32) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(self, decimals).ok()
    }
}

/// A number over a power of ten (of at most twelve) as a decimal without trailing zeros.
pub(super) fn plain(value: i128, decimals: u32) -> Decimal {
    let Ok(mut small) = i64::try_from(value) else {
        return value.decimal(decimals).unwrap_or_default().normalize();
    };
    let mut decimals = decimals;
    for (zeros, tens) in [(8, 100_000_000), (4, 10_000), (2, 100), (1, 10)] {
        if decimals >= zeros && small % tens == 0 {
            small /= tens;
            decimals -= zeros;
        }
    }
    small.decimal(decimals).unwrap_or_default()
}

/// A number without those trailing zeros that quantities usually have, and how many were taken away. Charges are
/// metered in Wh and milliseconds.
#[inline]
pub(super) fn trimmed(value: i128) -> (i128, u32) {
    let Ok(small) = i64::try_from(value) else { return (value, 0) };
    for (zeros, tens) in [(9, 1_000_000_000), (8, 100_000_000), (6, 1_000_000)] {
        if small % tens == 0 {
            return (i128::from(small / tens), zeros);
        }
    }
    (value, 0)
}

/// The rest of a division of positive numbers.
pub(super) fn rest(value: i128, by: i128) -> i128 {
    value.divided(by).map_or(0, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers of every size, with and without trailing zeros.
    fn numbers() -> impl Strategy<Value = i128> {
        let edges = [i64::MAX, i64::MIN, 0, 1, -1].map(i128::from).to_vec();
        let edges = edges.into_iter().chain([i128::MAX, i128::MIN, 1_i128 << 95, -1 - (1_i128 << 63)]);
        let near = (proptest::sample::select(edges.collect::<Vec<_>>()), -2..=2_i128);
        prop_oneof![
            (any::<i128>(), 0..127_u32).prop_map(|(value, bits)| value >> bits),
            (any::<i32>(), 0..25_u32)
                .prop_map(|(value, zeros)| i128::from(value).saturating_mul(10_i128.pow(zeros))),
            near.prop_map(|(edge, by)| edge.saturating_add(by)),
        ]
    }

    /// What both sizes say of one operation: where the small one has a result, it is that of the large one.
    fn agree(small: Option<i64>, large: Option<i128>) -> Result<(), TestCaseError> {
        if let Some(small) = small {
            prop_assert_eq!(Some(i128::from(small)), large);
        } else if let Some(large) = large {
            prop_assert!(i64::try_from(large).is_err(), "{} fits", large);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn sixty_four_bits_say_what_the_others_say_or_nothing(a in any::<i64>(), b in any::<i64>(), bits in 0..64_u32) {
            let (a, b) = (a >> bits, b >> (bits / 2));
            let (wide_a, wide_b) = (i128::from(a), i128::from(b));
            agree(a.plus(b), wide_a.plus(wide_b))?;
            agree(a.times(b), wide_a.times(wide_b))?;
            agree(a.negated(), wide_a.negated())?;
            agree(a.divided(b).map(|both| both.0), wide_a.divided(wide_b).map(|both| both.0))?;
            agree(a.divided(b).map(|both| both.1), wide_a.divided(wide_b).map(|both| both.1))?;
            agree(i64::power_of_ten(bits), i128::power_of_ten(bits))?;
            let decimal = |value: Option<Decimal>| value.map(|one| one.to_string());
            prop_assert_eq!(decimal(a.decimal(bits % 29)), decimal(wide_a.decimal(bits % 29)));
        }

        #[test]
        fn the_quick_ways_are_the_plain_ones(a in numbers(), b in numbers(), decimals in 0..=12_u32) {
            prop_assert_eq!(a.times(b), a.checked_mul(b));
            prop_assert_eq!(a.divided(b), a.checked_div(b).zip(a.checked_rem(b)));
            let (quantity, zeros) = trimmed(a);
            prop_assert_eq!(quantity.checked_mul(10_i128.pow(zeros)), Some(a));
            let told = Decimal::try_from_i128_with_scale(a, decimals).unwrap_or_default().normalize();
            prop_assert_eq!(plain(a, decimals).to_string(), told.to_string());
            prop_assert_eq!(plain(a, decimals).scale(), told.scale());
        }
    }
}
