//! Sharing what there is, now: weighted max-min fairness over all rows.
//!
//! Who may charge at all is decided first ([`admission`]), since a car takes its minimum or nothing; then what is
//! left is filled like water ([`fill`]). Limits of unbalance need a few fillings more ([`unbalance`]). Nothing is
//! remembered from one time to the next: who has charged for how long, and waited, stands in the demands.

mod admission;
mod fill;
mod heap;
mod prepare;
mod reason;
mod unbalance;

pub use reason::Reason;

use super::rows::{Leaf, Phases, Rows};
use prepare::Work;

/// What a connector asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// The connector.
    pub leaf: Leaf,
    /// The least that is of use, amperes.
    pub min: f64,
    /// The most that is of use, amperes.
    pub max: f64,
    /// Its share beside others.
    pub weight: f64,
    /// Who is served first: higher before lower.
    pub class: i32,
    /// Which of the station's phases the car uses, L1 first; none while that is not known: then the worst counts
    /// in every row. They count for what is reserved here as well: where another car could come unseen, they are
    /// not known.
    pub phases: Phases,
    /// What it must have to be ready in time, amperes; 0 where nothing presses.
    pub floor: f64,
    /// Seconds that are left over if it charged at `max` from now on to its departure; none where that is not known.
    pub laxity: Option<f64>,
    /// Seconds for which it has charged without a break; none when it does not charge.
    pub on_for: Option<f64>,
    /// Seconds for which it has waited for its turn.
    pub waited: f64,
}

/// What is to be shared, and among whom.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The site.
    pub rows: &'a Rows,
    /// The cap of each row, by its index, after margins, background and a grid operator's limits were taken off,
    /// amperes or watts. What is no number, or missing, allows nothing; a row of unbalance has the site's limit.
    pub caps: &'a [f64],
    /// By connector, amperes that count in every row above it even when it is granted less: a row reckons with the
    /// larger of the two. What is no number counts as the most that the connector gives.
    ///
    /// Where they alone exceed a row, those of the connectors with a demand are not counted there, but none of
    /// these is granted more than what is reserved for it: what they draw is brought down as far as it can be.
    pub reserved: &'a [f64],
    /// Connectors with a car, each at most once.
    pub demands: &'a [Demand],
    /// How long a car charges, once it does, before another may take its turn, seconds.
    pub min_on_seconds: f64,
}

/// Who gets what.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// For each demand, in their order.
    pub grants: Vec<Grant>,
    /// What of each row may flow, reserves included, amperes or watts. A phasor row says the most that can come of
    /// any draw up to the grants, at most half a percent too much.
    pub used: Vec<f64>,
    /// What of each row's cap is left; below zero where reserves alone exceed it.
    pub left: Vec<f64>,
    /// How often the water was filled in: 1 where no limit of unbalance is near.
    pub passes: u32,
}

/// What a connector may draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grant {
    /// The connector.
    pub leaf: Leaf,
    /// Amperes, in tenths: 0, or at least what is of use.
    pub amps: f64,
    /// The water's level before rounding, amperes.
    pub exact: f64,
    /// Why not more.
    pub reason: Reason,
}

impl Shares {
    /// A line for people: what a demand gets and why not more.
    #[must_use]
    pub fn explain(&self, rows: &Rows, demand: usize) -> String {
        let Some(grant) = self.grants.get(demand) else { return String::new() };
        let reason = grant.reason.told(rows);
        match rows.outlets.get(grant.leaf) {
            Some(outlet) => {
                format!("{} connector {}: {} A, {reason}", outlet.station, outlet.connector, grant.amps)
            }
            None => format!("connector {} is not in the site: {} A, {reason}", grant.leaf, grant.amps),
        }
    }
}

/// Solves one problem; [`Solver`] does the same and keeps its memory for the next.
#[must_use]
pub fn solve(problem: &Problem<'_>) -> Shares {
    Solver::default().solve(problem)
}

/// A solver with its working memory.
#[derive(Debug, Default)]
pub struct Solver {
    work: Work,
}

impl Solver {
    /// Shares what there is. Every input has an answer: what is no number is taken so that it raises nothing.
    #[must_use]
    pub fn solve(&mut self, problem: &Problem<'_>) -> Shares {
        self.work.prepare(problem);
        let passes = unbalance::fill_within(&mut self.work, problem);
        self.work.shares(problem, passes)
    }
}
