//! Chance, the same for the same seed: every case has dice of its own, so that it can be thrown again alone.

use rust_decimal::Decimal;

/// Dice of one case.
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    /// The dice of the case with this number.
    pub(crate) fn of_case(seed: u64, number: u64) -> Self {
        // Neighbouring seeds must not give neighbouring cases.
        let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number.wrapping_mul(0xD1B5_4A32_D192_ED03);
        Self(fastrand::Rng::with_seed(mixed))
    }

    /// True in `percent` of a hundred throws.
    pub(crate) fn chance(&mut self, percent: u8) -> bool {
        self.0.u8(0..100) < percent
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.i64(low..=high)
    }

    /// A decimal from `low` to `high` units of the last of its `scale` digits.
    pub(crate) fn decimal(&mut self, low: i64, high: i64, scale: u32) -> Decimal {
        Decimal::new(self.between(low, high), scale).normalize()
    }

    /// One of them; the default where there is none.
    pub(crate) fn pick<T: Clone + Default>(&mut self, all: &[T]) -> T {
        self.0.choice(all).cloned().unwrap_or_default()
    }
}
