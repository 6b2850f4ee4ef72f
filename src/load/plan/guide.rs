//! From the first slot of a plan to what the solver is asked for.
//!
//! The plan's currents become the weights of the solver. Its water then reaches level 1 where everyone has what was
//! planned; where rows have more than the plan thought, it rises further, and where they have less, it stops
//! earlier, in the plan's proportions. So nothing is left unused, and no row carries more than it may.

#![expect(
    clippy::float_arithmetic,
    reason = "amperes of a plan; nothing here is money or energy that is sold"
)]

use super::tick::Present;
use super::{Outlook, Plan, SLOT_HOURS};
use crate::load::solver::Demand;

/// The least weight, as a part of what a car takes: it is for what nobody else can use.
const LEAST: f64 = 1e-4;

/// A demand as the plan wants it served.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guided {
    /// With the plan's weight, class and ceiling.
    pub demand: Demand,
    /// Whether the plan has something for it now.
    pub in_plan: bool,
    /// In how many hours the plan has something for it; none where it has nothing at all.
    pub begins_in: Option<f64>,
    /// Whether it is held back because energy costs less later.
    pub held: bool,
}

/// The demands of cars, as the plan wants them served. `planned` says for each car which of the plan's it is; one
/// that the plan does not know keeps its demand. Nobody is sent out of turn who has charged for less than
/// `min_on_seconds`.
pub(super) fn guided(
    cars: &[Present],
    demands: &[Demand],
    planned: &[Option<usize>],
    plan: &Plan,
    outlook: &Outlook,
    min_on_seconds: f64,
) -> Vec<Guided> {
    // Only where energy has a price is it of use to wait.
    let priced = !outlook.prices.is_empty() || !outlook.sun_kw.is_empty();
    let guide = |((car, demand), planned): ((&Present, &Demand), &Option<usize>)| {
        let mut demand = *demand;
        let Some(planned) = planned else {
            return Guided { demand, in_plan: true, begins_in: None, held: false };
        };
        // One that did not say when it leaves might leave with nothing: it waits for no price.
        let may_wait = priced && car.leaves_in.is_some();
        let stays_in = priced && !may_wait;
        let target = plan.now(*planned);
        let least = if stays_in { demand.min } else { demand.max * LEAST };
        demand.weight = target.max(least).max(1e-6);
        // What presses is in the plan already, weighed against what presses elsewhere.
        demand.floor = 0.0;
        // A car takes its minimum or nothing. Those for which the plan has less than half of it wait for their turn.
        let on = demand.on_for.is_some_and(|seconds| seconds < min_on_seconds);
        let slots = plan.amps.get(*planned).map(Vec::as_slice).unwrap_or_default();
        let best = slots.iter().copied().fold(0.0, f64::max);
        // The rest of a charge may be less than that in every slot: it flows in the best of them.
        let half = car.demand.min / 2.0;
        let half = if may_wait { half.min(best / 2.0) } else { half };
        let enough = |amps: f64| amps >= half && amps > 0.05;
        let in_plan = on || stays_in || enough(target);
        demand.class = demand.class.saturating_mul(2).saturating_add(i32::from(in_plan));
        let whole = demand.max;
        if may_wait {
            let ceiling = (target * 10.0 - 1e-3).ceil() / 10.0;
            demand.max = if in_plan { demand.max.min(ceiling.max(demand.min)) } else { 0.0 };
        }
        let first = slots.iter().position(|amps| enough(*amps)).and_then(|slot| u32::try_from(slot).ok());
        let begins_in = first.map(|slot| f64::from(slot) * SLOT_HOURS);
        Guided { demand, in_plan, begins_in, held: demand.max < whole }
    };
    cars.iter().zip(demands).zip(planned).map(guide).collect()
}
