//! What a charge costs: tariffs and the progress of a charge in, periods and money out.
//!
//! Pure: no I/O, no clock, nothing of ours but [`crate::domain`]. There is one computation, [`RunningCost`]:
//! the cost shown while charging, the session's `total_cost` and the CDR all ask it, so they cannot differ.
//! It follows OCPI 2.2.1 mod_tariffs ("Tariff Object", "PriceComponent class") and mod_cdrs ("step_size").
//!
//! How it is built:
//! - [`tariffs`] makes tariffs ready: restrictions as numbers, the edges at which anything may change;
//! - [`select`] says which price component is active per dimension; restrictions are its business alone, and
//!   [`calendar`] knows the local time;
//! - [`running`] turns progress into periods: a new one begins when charging turns to parking or back, and
//!   wherever another price component becomes active, between two meter values as well ([`stretch`] is the time
//!   between two of them, [`booking`] makes periods of it);
//! - [`stated`] takes the periods of a CDR as they are; [`check`] compares what comes out with what the CDR states;
//! - both keep a ledger of what was used by price component ([`usage`]), from which [`cost`] makes money: it
//!   applies `step_size`, VAT, `min_price` and `max_price`;
//! - [`exact`] is the number in which that is done, without any rounding, in 64 bits where that is enough
//!   ([`whole`]); [`policy`] is how the few published
//!   amounts are rounded, once each, at the very end.
//!
//! Decided here, because the specification leaves it open (docs/pricing.md has all of it, and why):
//! - A FLAT component is charged once per session: the one that is active when anything is first used, or the first
//!   that becomes active later. Two elements with a FLAT each charge one of them, as for every other dimension ("the
//!   first Tariff Element with a Price Component for that dimension").
//! - A `step_size` of 0 counts as 1. A step of 1 still bills whole Wh and whole seconds (mod_tariffs,
//!   "step_size": 115.2 Wh are billed as 116 Wh).
//! - The step of the last component by which anything was billed counts, so that a period of no length at the
//!   very end changes nothing.
//! - `vat` missing means that no VAT applies. `min_price` or `max_price` without `incl_vat` changes the total
//!   after VAT by as much as the total before VAT: what it adds or takes away carries no VAT. `min_price` with
//!   `incl_vat` holds whatever was used.
//! - Where `min_price` is above `max_price`, `max_price` wins.

mod booking;
mod calendar;
pub mod check;
pub mod choice;
pub mod cost;
pub mod describe;
mod doubts;
pub mod exact;
pub mod explain;
pub mod finding;
mod forecast;
pub mod goods;
pub mod lint;
mod periods;
pub mod policy;
mod priced;
mod rates;
pub mod read;
pub mod record;
mod region;
pub mod report;
pub mod running;
pub mod select;
pub mod simulate;
#[cfg(test)]
mod sizes;
pub mod stated;
pub mod stored;
mod stretch;
mod surplus_ahead;
pub mod tariffs;
mod usage;
mod whole;

pub use check::{Check, CheckState, Difference, Tolerance};
pub use cost::Cost;
pub use exact::Exact;
pub use explain::{Billed, CostLine, ExplainedPeriod, Explanation, LineKind, LinePrice};
pub use finding::Finding;
pub use goods::pricing_warnings;
pub use policy::{PricingPolicy, Rounding, WrappedDays, minor_units};
pub use record::PricingRecord;
pub use running::{Activity, Progress, RunningCost};
pub use select::ComponentRef;
pub use simulate::{SimulatedCharge, SimulationError};
pub use stated::{CdrToPrice, StatedCharge, price_cdr};
pub use tariffs::Tariffs;

use crate::domain::{Timestamp, ValueError};
use tariffs::TariffKey;

/// Why something cannot be priced. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// Progress must be told in the order of time.
    #[error("progress at {next} comes after progress at {last}: it must be told in the order of time")]
    Backwards {
        /// The latest progress that is known.
        last: Timestamp,
        /// The earlier one that came after it.
        next: Timestamp,
    },
    /// A charge is priced from start to end by the tariff as it was at its start: keep a copy of it.
    #[error(
        "the charge began with {began}, and is now to be priced with {now}: price it with the tariff as it \
         was at the start"
    )]
    OtherTariff {
        /// The tariff at the start.
        began: String,
        /// The tariff now.
        now: String,
    },
    /// The exact result has more digits than this system computes with.
    #[error("{what} is too large, or has too many decimals, to be computed exactly")]
    TooLarge {
        /// What was computed.
        what: &'static str,
    },
    /// A sum or a published amount leaves the range of its type.
    #[error("out of range while pricing")]
    Value(#[from] ValueError),
    /// A place in a document that cannot be priced.
    #[error("{0}")]
    Document(Finding),
    /// A state names a component that its tariff does not have: the tariff was changed without a new
    /// `last_updated`.
    #[error("the stored running cost names a price component that its tariff does not have")]
    Unknown,
    /// There is no progress to price.
    #[error("there is nothing to price")]
    Empty,
}

/// Prices a whole charge at once: nothing but [`RunningCost::start`] and one [`RunningCost::advance`] for each
/// further step, so that the result cannot differ from the one that grew while the car charged.
///
/// # Errors
/// As those two; [`PricingError::Empty`] when there is no progress at all.
pub fn price_all(
    tariffs: &Tariffs,
    zone: chrono_tz::Tz,
    progress: &[Progress],
) -> Result<RunningCost, PricingError> {
    let (first, rest) = progress.split_first().ok_or(PricingError::Empty)?;
    let mut running = RunningCost::start(tariffs, zone, *first)?;
    for next in rest {
        running.advance(tariffs, *next)?;
    }
    Ok(running)
}

/// Names tariffs in an error.
fn name(keys: &[TariffKey]) -> String {
    if keys.is_empty() {
        return "no tariff".to_owned();
    }
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
