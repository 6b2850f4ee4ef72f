//! What came of a replay.

#![expect(clippy::float_arithmetic, reason = "sums and shares of a simulation; nothing here is billed")]

use super::Policy;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// How it was shared.
    pub policy: Policy,
    /// What the sessions wanted, kWh.
    pub wanted_kwh: f64,
    /// What they got, kWh.
    pub delivered_kwh: f64,
    /// The second of the first, per cent.
    pub percent: f64,
    /// Jain's index of the shares: 1 when every session got the same part of what it wanted, 1/n when one got all.
    pub fairness: f64,
    /// What the energy cost, in the unit of the prices; none without prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// How often was decided.
    pub decisions: usize,
    /// How often there was no plan, and the solver decided alone.
    pub without_plan: usize,
    /// In how many spans of time a row was above its cap.
    pub violations: usize,
    /// The rows with a cap, from the grid connection down.
    pub rows: Vec<Peak>,
    /// The sessions, in the order of arrival.
    pub sessions: Vec<Served>,
}

/// The most that a row carried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Peak {
    /// The node's or station's id.
    pub node: String,
    /// What of it: `L1`, `L2`, `L3`, `power`, …
    pub of: String,
    /// `A` or `W`.
    pub unit: &'static str,
    /// Its cap at that moment.
    pub cap: f64,
    /// The most it carried.
    pub peak: f64,
    /// When that began; none when it carried nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

/// What a session got.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Served {
    /// Its id.
    pub id: String,
    /// What it wanted, kWh.
    pub wanted_kwh: f64,
    /// What it got, kWh.
    pub delivered_kwh: f64,
}

/// Jain's index of the parts that sessions got of what they wanted; those that wanted nothing do not count.
#[must_use]
pub fn fairness(sessions: &[Served]) -> f64 {
    let shares = sessions.iter().filter(|one| one.wanted_kwh > 0.0);
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for one in shares {
        let share = one.delivered_kwh / one.wanted_kwh;
        count += 1.0;
        sum += share;
        squares += share * share;
    }
    if squares > 0.0 { sum * sum / (count * squares) } else { 1.0 }
}
