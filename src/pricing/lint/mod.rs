//! Advice on a tariff that can be read, but may not say what its author means: elements that never apply, rules
//! that get in each other's way, steps and limits that surprise a driver, prices that cannot be displayed.
//!
//! Each rule is in `docs/tariff-lint.md` with an example. They follow OCPI 2.2.1 mod_tariffs and, for prices of ad
//! hoc charging, Regulation (EU) 2023/1804 (AFIR), Article 5.

mod afir;
mod amounts;
mod reach;
mod shape;
#[cfg(test)]
mod tests;

use super::rates::{Rate, Use, rates};
use crate::domain::tariff::Tariff;
use serde::Serialize;

/// How much a piece of advice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It cannot be meant like this.
    Error,
    /// It is probably not meant like this, or surprises a driver.
    Warning,
    /// It is worth a look.
    Hint,
}

impl Severity {
    /// In a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

/// A place in a tariff, what is the matter there, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// JSON path from the tariff.
    pub path: String,
    /// How much it matters.
    pub severity: Severity,
    /// The rule, e.g. `empty-time-window`; `docs/tariff-lint.md` explains each.
    pub rule: &'static str,
    /// What is the matter.
    pub reason: String,
    /// What to do.
    pub advice: String,
}

/// Every rule that may occur in an [`Advice`].
pub const RULES: &[&str] = &[
    "empty-time-window",
    "empty-date-range",
    "empty-energy-range",
    "empty-duration-range",
    "empty-power-range",
    "empty-current-range",
    "impossible-days",
    "parking-with-power",
    "duplicate-component",
    "shadowed-component",
    "overlapping-elements",
    "no-fallback",
    "too-many-components",
    "step-size-zero",
    "step-size-above-one",
    "min-price-above-max-price",
    "max-price-below-flat",
    "limit-vat-mismatch",
    "limit-without-vat",
    "limit-not-a-price",
    "negative-price",
    "too-many-decimals",
    "unknown-dimension",
    "unknown-restriction",
    "reservation-dimension",
    "empty-element",
    "empty-validity",
    "nothing-priced",
    "afir-no-energy-price",
    "afir-power-dependent-price",
    "afir-energy-tiers",
    "afir-session-fee",
    "afir-time-price-from-start",
];

/// All advice on a tariff, in the order of its elements; nothing where there is nothing to say.
#[must_use]
pub fn lint(tariff: &Tariff) -> Vec<Advice> {
    let sheet = Sheet::of(tariff);
    let mut advice = Vec::new();
    shape::lint(&sheet, &mut advice);
    reach::lint(&sheet, &mut advice);
    amounts::lint(&sheet, &mut advice);
    afir::lint(&sheet, &mut advice);
    advice.sort_by_key(|one| (order(&one.path), one.severity));
    advice
}

/// By the element's number; what is about the whole tariff comes first.
fn order(path: &str) -> Option<usize> {
    path.strip_prefix("$.elements[")?.split(']').next()?.parse().ok()
}

/// A tariff and its components by what they price.
struct Sheet<'a> {
    tariff: &'a Tariff,
    rates: Vec<(Use, Vec<Rate<'a>>)>,
}

impl<'a> Sheet<'a> {
    fn of(tariff: &'a Tariff) -> Self {
        Self { tariff, rates: Use::ALL.into_iter().map(|of| (of, rates(tariff, of))).collect() }
    }

    fn of_use(&self, of: Use) -> &[Rate<'a>] {
        self.rates.iter().find(|(one, _)| *one == of).map_or(&[], |(_, rates)| rates)
    }

    /// Every component that is priced, with what it prices.
    fn all(&self) -> impl Iterator<Item = (Use, &Rate<'a>)> {
        self.rates.iter().flat_map(|(of, rates)| rates.iter().map(|rate| (*of, rate)))
    }
}

/// What a use is called in a sentence.
fn noun(of: Use) -> &'static str {
    match of {
        Use::Energy => "energy",
        Use::Time => "charging time",
        Use::Parking => "parking time",
        Use::Flat => "the fixed fee",
        Use::ReservationTime => "the time of a reservation",
        Use::ReservationFlat => "the fixed fee of a reservation",
        Use::ExpiredTime => "the time of an expired reservation",
        Use::ExpiredFlat => "the fixed fee of an expired reservation",
    }
}

/// Collects advice.
fn push(
    into: &mut Vec<Advice>,
    severity: Severity,
    rule: &'static str,
    path: impl Into<String>,
    (reason, advice): (impl Into<String>, impl Into<String>),
) {
    into.push(Advice { path: path.into(), severity, rule, reason: reason.into(), advice: advice.into() });
}
