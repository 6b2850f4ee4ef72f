//! Sharing what there is, now: weighted max-min fairness over all rows.

use super::rows::Leaf;

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
    /// Which of the station's phases the car uses, L1 first; all that the connector has while that is not known.
    pub phases: [bool; 3],
    /// What it must have to be ready in time, amperes; 0 where nothing presses.
    pub floor: f64,
    /// Seconds that are left over if it charged at `max` from now on to its departure; none where that is not known.
    pub laxity: Option<f64>,
    /// Seconds for which it has charged without a break; none when it does not charge.
    pub on_for: Option<f64>,
    /// Seconds for which it has waited for its turn.
    pub waited: f64,
}
