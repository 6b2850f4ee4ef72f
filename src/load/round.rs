//! From numbers with fractions to whole ones and back.

/// The whole number below, 0 for what is below that or no number, the largest for what is above that.
#[must_use]
#[expect(
    clippy::as_conversions,
    reason = "`as` saturates, and makes 0 of what is no number: both are wanted"
)]
pub(super) fn whole(value: f64) -> u32 {
    value as u32
}

/// Milliseconds as a number with fractions; exact for some 285,000 years.
#[must_use]
#[expect(clippy::as_conversions, reason = "no time that a calendar can say is rounded")]
pub(super) fn float(value: i64) -> f64 {
    value as f64
}
