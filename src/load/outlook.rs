//! What an operator expects of the hours to come at a site: what a kWh costs, its CO₂, and what the sun gives.
//!
//! Each is a series of steps; a step holds until the next, and one without a value says that nothing is known from
//! then on. The planner follows them where a car may wait. They say nothing about limits: an expected sun never
//! raises a cap, only meters tell what flows.

#![expect(
    clippy::float_arithmetic,
    reason = "means of prices and powers that are expected; nothing here is money or energy that is sold"
)]

mod read;

pub use read::OutlookError;

use super::ledger::Millis;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most steps of a series: fifteen days of quarters of an hour and one more.
pub const MOST_STEPS: usize = 1_500;

/// A value from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From when.
    pub from: DateTime<Utc>,
    /// What; none where nothing is known from then on.
    #[serde(deserialize_with = "Option::deserialize")]
    pub value: Option<f64>,
}

/// Values in the order of time. The last step has none: it is the end.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Series {
    steps: Vec<Step>,
}

impl Series {
    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// When it begins, and when it ends; none where nothing was said.
    #[must_use]
    pub fn reach(&self) -> Option<(Millis, Millis)> {
        let at = |step: &Step| step.from.timestamp_millis();
        Some((at(self.steps.first()?), at(self.steps.last()?)))
    }

    /// Whether it says something of a moment that is still to come.
    #[must_use]
    pub fn reaches(&self, now: Millis) -> bool {
        self.reach().is_some_and(|(_, until)| now < until)
    }

    /// The value at a moment.
    #[must_use]
    pub fn at(&self, now: Millis) -> Option<f64> {
        let next = self.steps.partition_point(|step| step.from.timestamp_millis() <= now);
        self.steps.get(next.checked_sub(1)?)?.value
    }

    /// When the value changes next.
    fn next_change(&self, now: Millis) -> Option<Millis> {
        let next = self.steps.partition_point(|step| step.from.timestamp_millis() <= now);
        self.steps.get(next).map(|step| step.from.timestamp_millis())
    }

    /// The mean of what is known between two moments.
    fn mean(&self, from: Millis, to: Millis) -> Option<f64> {
        let (mut sum, mut known, mut at) = (0.0, 0.0, from);
        while at < to {
            let until = self.next_change(at).unwrap_or(to).min(to);
            let weight = super::round::float(until.saturating_sub(at));
            if let Some(value) = self.at(at) {
                sum += value * weight;
                known += weight;
            }
            at = until;
        }
        (known > 0.0).then(|| sum / known)
    }
}

/// One of the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// What a kWh costs.
    Prices,
    /// Grams of CO₂ for each kWh.
    Co2,
    /// What the sun gives, kW.
    SunKw,
}

impl Expected {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Prices, Self::Co2, Self::SunKw];

    /// As documents name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prices => "prices",
            Self::Co2 => "co2",
            Self::SunKw => "sun_kw",
        }
    }

    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Prices => "prices",
            Self::Co2 => "CO₂",
            Self::SunKw => "the sun",
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A series as it is seen at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExpectedView {
    /// Which.
    pub of: Expected,
    /// When it begins.
    pub from: Millis,
    /// When it ends.
    pub until: Millis,
    /// Its value now.
    pub now: Option<f64>,
    /// Whether it says something of the time ahead; one that has ended is ignored.
    pub used: bool,
}

/// What is expected at a site.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SiteOutlook {
    /// What a kWh costs, in any currency: only differences count.
    #[serde(skip_serializing_if = "Series::is_empty")]
    pub prices: Series,
    /// Grams of CO₂ for each kWh.
    #[serde(skip_serializing_if = "Series::is_empty")]
    pub co2: Series,
    /// What a kilogram of CO₂ counts beside the prices, in their currency. Without prices, CO₂ alone counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub co2_price: Option<f64>,
    /// The power that the site is expected to make itself, kW.
    #[serde(skip_serializing_if = "Series::is_empty")]
    pub sun_kw: Series,
}

impl SiteOutlook {
    /// One of the series.
    #[must_use]
    pub fn series(&self, of: Expected) -> &Series {
        match of {
            Expected::Prices => &self.prices,
            Expected::Co2 => &self.co2,
            Expected::SunKw => &self.sun_kw,
        }
    }

    /// Those that say something, with when they begin and end.
    pub fn told(&self) -> impl Iterator<Item = (Expected, Millis, Millis)> + '_ {
        let reach = |of: Expected| self.series(of).reach().map(|(from, until)| (of, from, until));
        Expected::ALL.into_iter().filter_map(reach)
    }

    /// The series that say something, as they are at a moment.
    #[must_use]
    pub fn seen(&self, now: Millis) -> Vec<ExpectedView> {
        let view = |(of, from, until): (Expected, Millis, Millis)| {
            let series = self.series(of);
            ExpectedView { of, from, until, now: series.at(now), used: series.reaches(now) }
        };
        self.told().map(view).collect()
    }

    /// When a value changes next.
    #[must_use]
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        Expected::ALL.into_iter().filter_map(|of| self.series(of).next_change(now)).min()
    }

    /// What a kWh costs in each of the slots to come. Where nothing is known it costs the mean of what is, so that it
    /// is neither sought nor shunned. Empty where there is no difference.
    #[must_use]
    pub fn prices_ahead(&self, now: Millis, slots: usize, slot: Millis) -> Vec<f64> {
        let (prices, co2) = (self.prices.reaches(now), self.co2.reaches(now));
        let cost = |from: Millis, to: Millis| {
            let grams = || self.co2.mean(from, to);
            match (prices, co2) {
                (true, true) => {
                    let counts = self.co2_price.unwrap_or(0.0) / 1_000.0;
                    Some(self.prices.mean(from, to)? + grams()? * counts)
                }
                (true, false) => self.prices.mean(from, to),
                (false, true) => grams(),
                (false, false) => None,
            }
        };
        let costs: Vec<Option<f64>> = each_slot(now, slots, slot).map(|(from, to)| cost(from, to)).collect();
        let known = || costs.iter().flatten().copied();
        let (least, most) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), cost| {
            (least.min(cost), most.max(cost))
        });
        if most - least <= 1e-9 || known().next().is_none() {
            return Vec::new();
        }
        let count = known().fold(0.0, |count, _| count + 1.0);
        let mean = known().sum::<f64>() / count;
        costs.into_iter().map(|cost| cost.unwrap_or(mean)).collect()
    }

    /// What the sun gives in each of the slots to come, kW; nothing where nothing is known. Empty where it gives nothing
    /// at all.
    #[must_use]
    pub fn sun_ahead(&self, now: Millis, slots: usize, slot: Millis) -> Vec<f64> {
        let kw: Vec<f64> =
            each_slot(now, slots, slot).map(|(from, to)| self.sun_kw.mean(from, to).unwrap_or(0.0)).collect();
        if kw.iter().any(|kw| *kw > 0.0) { kw } else { Vec::new() }
    }
}

fn each_slot(now: Millis, slots: usize, slot: Millis) -> impl Iterator<Item = (Millis, Millis)> {
    std::iter::successors(Some(now), move |at| at.checked_add(slot))
        .map(move |from| (from, from.saturating_add(slot)))
        .take(slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;

    fn outlook(json: &str) -> SiteOutlook {
        SiteOutlook::from_json(json).unwrap_or_else(|error| panic!("{error}"))
    }

    fn at(text: &str) -> Millis {
        text.parse::<DateTime<Utc>>().unwrap_or_default().timestamp_millis()
    }

    #[test]
    fn a_step_holds_until_the_next_and_a_slot_has_the_mean() {
        let outlook = outlook(
            r#"{"prices": [{"from": "2026-01-05T08:00:00Z", "value": 0.2}, {"from": "2026-01-05T09:30:00Z", "value": 0.4}]}"#,
        );
        let now = at("2026-01-05T08:30:00Z");
        assert_eq!(outlook.prices.at(now), Some(0.2));
        assert_eq!(outlook.next_change(now), Some(at("2026-01-05T09:30:00Z")));
        // The last holds for as long as the one before: until 11:00.
        assert_eq!(outlook.prices.reach(), Some((at("2026-01-05T08:00:00Z"), at("2026-01-05T11:00:00Z"))));
        let ahead = outlook.prices_ahead(now, 4, HOUR);
        let near =
            |at: usize, wanted: f64| (ahead.get(at).copied().unwrap_or(f64::NAN) - wanted).abs() < 1e-9;
        // Half an hour of the third is known; of the fourth nothing, so it has the mean of the others.
        assert!(near(0, 0.2) && near(1, 0.4) && near(2, 0.4) && near(3, 1.0 / 3.0), "{ahead:?}");
        assert!(
            outlook.prices_ahead(at("2026-01-05T09:30:00Z"), 4, HOUR).is_empty(),
            "no difference any more"
        );
    }

    #[test]
    fn co2_counts_beside_prices_by_its_own_price_and_alone_without() {
        let both = outlook(
            r#"{"prices": {"from": "2026-01-05T08:00:00Z", "minutes": 60, "values": [0.2, 0.3]}, "co2_price": 0.5,
                "co2": {"from": "2026-01-05T08:00:00Z", "minutes": 60, "values": [400, 100]}}"#,
        );
        let now = at("2026-01-05T08:00:00Z");
        let ahead = both.prices_ahead(now, 2, HOUR);
        assert!(
            matches!(ahead.as_slice(), [a, b] if (a - 0.4).abs() < 1e-9 && (b - 0.35).abs() < 1e-9),
            "{ahead:?}"
        );
        let alone = SiteOutlook { prices: Series::default(), ..both };
        assert_eq!(alone.prices_ahead(now, 2, HOUR), [400.0, 100.0]);
    }

    #[test]
    fn no_sun_is_expected_where_nothing_is_known() {
        let sun =
            outlook(r#"{"sun_kw": {"from": "2026-01-05T10:00:00Z", "minutes": 60, "values": [4, null, 2]}}"#);
        assert_eq!(sun.sun_ahead(at("2026-01-05T09:00:00Z"), 6, HOUR), [0.0, 4.0, 0.0, 2.0, 0.0, 0.0]);
        assert!(sun.sun_ahead(at("2026-01-05T14:00:00Z"), 6, HOUR).is_empty());
    }
}
