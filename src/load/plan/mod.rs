//! Looking ahead: a convex programme over the next hours, whose first step the solver of the present tick carries out.
//!
//! - [`program`] is the programme and the answer of `clarabel`;
//! - [`stays`] says how long cars will stay whose departure nobody told;
//! - [`guide`](mod@guide) turns the first slot of a plan into what the solver is asked for;
//! - [`tick`] is one decision: plan, guide, solve, and without a plan when it is late or there is none.
//!
//! A plan never decides what a row may carry. It gives the solver weights and ceilings, and the solver, which is
//! exact, shares what the rows have at this moment. So a plan that is a little wrong costs a little energy and no
//! fuse.

#![expect(
    clippy::float_arithmetic,
    reason = "amperes, shares and hours of a plan; nothing here is money or energy that is sold"
)]

pub mod guide;
pub mod program;
pub mod stays;
pub mod tick;

pub use guide::Guided;
pub use program::{Plan, plan};
pub use stays::Stays;
pub use tick::{Decision, Planned, Present, Tick, decide, guide};

use super::rows::{Leaf, Phases};
use std::time::Duration;

/// Hours of a slot: 15 minutes, as markets and meters count.
pub const SLOT_HOURS: f64 = 0.25;

/// A car for which energy is planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Car {
    /// Where it stands.
    pub leaf: Leaf,
    /// Which phases it uses, while that is known.
    pub phases: Phases,
    /// What it still wants, kWh.
    pub wants_kwh: f64,
    /// What it has got since it came, kWh.
    pub has_kwh: f64,
    /// What arrives at it for each ampere, kW.
    pub kw_per_amp: f64,
    /// The most it takes, amperes.
    pub max: f64,
    /// Its share beside others.
    pub weight: f64,
    /// Who is served first: higher before lower.
    pub class: i32,
    /// For each slot, the chance that it is still there, 0 to 1: in a slot in which it leaves, the part for which
    /// it stays. Where the list ends it has gone.
    pub stays: Vec<f64>,
    /// Whether that is its departure as it was told, and no guess.
    pub told: bool,
}

impl Car {
    /// The chance to be there in each slot, for a departure that is known: hours from now.
    #[must_use]
    pub fn until(hours: f64) -> Vec<f64> {
        let mut rest = hours.max(0.0);
        let mut stays = Vec::new();
        while rest > 1e-9 && stays.len() < MOST_SLOTS {
            stays.push((rest / SLOT_HOURS).min(1.0));
            rest -= SLOT_HOURS;
        }
        stays
    }

    /// For how many hours it may be expected to stay.
    #[must_use]
    pub fn hours(&self) -> f64 {
        self.stays.iter().sum::<f64>() * SLOT_HOURS
    }
}

/// How far a plan looks at the most: two days.
const MOST_SLOTS: usize = 192;

/// What is known of the hours to come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlook {
    /// For each slot the caps of all rows, in their order, with margins and other loads taken off. After the last
    /// slot its caps stay; with none, a row has its own.
    pub caps: Vec<Vec<f64>>,
    /// For each slot what a kWh costs, in money or grams of CO₂: only differences count. After the last slot its
    /// price stays.
    pub prices: Vec<f64>,
    /// For each slot the power that the site makes itself, kW, which costs nothing. It is part of `caps` already
    /// where it raises them.
    pub sun_kw: Vec<f64>,
}

/// How a plan weighs what it is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aims {
    /// What a kWh loses in value from now to the departure of its car, of 1: earlier is better, and those who leave
    /// sooner go first.
    pub haste: f64,
    /// By how much more a kWh counts for a car that has nothing yet than for one that has all.
    pub fairness: f64,
    /// How much a full ampere counts less than the first one, of 1: currents are spread a little.
    pub smoothness: f64,
    /// What the dearest kWh loses in value against the cheapest, of 1.
    pub thrift: f64,
    /// How long it may take.
    pub time_limit: Duration,
    /// How many slots it looks ahead at the most.
    pub slots: usize,
}

impl Default for Aims {
    fn default() -> Self {
        Self {
            haste: 0.1,
            fairness: 1.0,
            smoothness: 0.02,
            thrift: 0.5,
            time_limit: Duration::from_secs(1),
            slots: 96,
        }
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlan {
    /// It took longer than it may.
    #[error("the plan was late")]
    Late,
    /// No currents keep to all rows, not even none: a cap below 0.
    #[error("there is no plan that keeps to all limits")]
    Infeasible,
    /// The numbers were not good enough.
    #[error("the plan could not be computed")]
    Numbers,
}
