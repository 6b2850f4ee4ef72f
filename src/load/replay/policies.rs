//! The ways to share what there is, at one moment: ours, and what others do.

#![expect(
    clippy::float_arithmetic,
    reason = "amperes of a simulation; nothing here is money or energy that is sold"
)]
#![expect(clippy::arithmetic_side_effects, reason = "sums of phasors are sums of floating-point numbers")]

use crate::load::rows::{Leaf, Phases, Phasor, Rows};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A way to share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Ours without looking ahead: fair over all rows at each moment.
    Solver,
    /// Ours: looks ahead, and has the solver carry it out.
    Planner,
    /// Who came first gets all that it takes, then the next.
    FirstCome,
    /// What each row has, divided by the cars below it, whether they take it or not.
    EqualSplit,
    /// Everyone takes what it can.
    Uncontrolled,
}

impl Policy {
    /// All of them, ours first.
    pub const ALL: [Self; 5] =
        [Self::Planner, Self::Solver, Self::FirstCome, Self::EqualSplit, Self::Uncontrolled];
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Solver => "solver",
            Self::Planner => "planner",
            Self::FirstCome => "first-come",
            Self::EqualSplit => "equal-split",
            Self::Uncontrolled => "uncontrolled",
        })
    }
}

/// A car that asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asking {
    /// Where it stands.
    pub leaf: Leaf,
    /// Its phases, while they are known.
    pub phases: Phases,
    /// The least it charges with, amperes.
    pub min: f64,
    /// The most it takes, amperes.
    pub max: f64,
}

/// Everyone takes what it can, amperes.
#[must_use]
pub fn uncontrolled(cars: &[Asking]) -> Vec<f64> {
    cars.iter().map(|car| car.max).collect()
}

/// In the order in which they are given, each gets what the rows have left, in steps of 0.1 A.
#[must_use]
pub fn first_come(rows: &Rows, caps: &[f64], cars: &[Asking]) -> Vec<f64> {
    let mut sums = vec![Phasor::ZERO; caps.len()];
    let mut amps = Vec::with_capacity(cars.len());
    for car in cars {
        let path: Vec<_> = rows.path(car.leaf, car.phases).collect();
        let fits = |x: f64| {
            path.iter().all(|(row, part)| {
                let sum = sums.get(*row).copied().unwrap_or_default() + *part * x;
                caps.get(*row).is_none_or(|cap| sum.length() <= *cap)
            })
        };
        let (mut low, mut high) = (0.0, car.max);
        if fits(high) {
            low = high;
        }
        while high - low > 1e-3 {
            let middle = f64::midpoint(low, high);
            if fits(middle) { low = middle } else { high = middle }
        }
        let x = usable(low, car);
        for (row, part) in &path {
            if let Some(sum) = sums.get_mut(*row) {
                *sum = *sum + *part * x;
            }
        }
        amps.push(x);
    }
    amps
}

/// Each gets the least of what the rows above it have for each car below them.
#[must_use]
pub fn equal_split(rows: &Rows, caps: &[f64], cars: &[Asking]) -> Vec<f64> {
    let mut lengths = vec![0.0; caps.len()];
    for car in cars {
        for (row, part) in rows.path(car.leaf, car.phases) {
            if let Some(length) = lengths.get_mut(row) {
                *length += part.length();
            }
        }
    }
    let share = |car: &Asking| {
        let shares = rows.path(car.leaf, car.phases).filter_map(|(row, _)| {
            let (cap, length) = (caps.get(row)?, lengths.get(row)?);
            Some((cap / length).max(0.0))
        });
        usable(shares.fold(car.max, f64::min), car)
    };
    cars.iter().map(share).collect()
}

/// Rounded down to 0.1 A, and nothing below what a car charges with.
fn usable(amps: f64, car: &Asking) -> f64 {
    let rounded = (amps * 10.0 + 1e-9).floor() / 10.0;
    if rounded < car.min { 0.0 } else { rounded }
}
