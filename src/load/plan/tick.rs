//! One decision: who gets what until the next.

#![expect(
    clippy::float_arithmetic,
    reason = "amperes and hours; nothing here is money or energy that is sold"
)]

use super::guide::{Guided, guided};
use super::program::plan;
use super::{Aims, Car, NoPlan, Outlook, Stays};
use crate::load::rows::{Leaf, Phases, Quantity, Rows};
use crate::load::solver::{self, Demand, Problem, Shares};

/// What is the same for all cars.
#[derive(Debug, Clone, Copy)]
pub struct Tick<'a> {
    /// The site.
    pub rows: &'a Rows,
    /// The cap of each row now, as [`Problem::caps`].
    pub caps: &'a [f64],
    /// What counts for each connector in any case, as [`Problem::reserved`].
    pub reserved: &'a [f64],
    /// How long a car charges before another may take its turn, seconds.
    pub min_on_seconds: f64,
    /// Hours until the next decision: no car is offered more than it can still take in them.
    pub hours: f64,
    /// How long cars stayed here that have left.
    pub stays: &'a Stays,
    /// What is known of the hours to come.
    pub outlook: &'a Outlook,
    /// How to weigh a plan; none to do without one.
    pub aims: Option<&'a Aims>,
}

/// A car that is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Present {
    /// What it asks of the solver. Its weight and class count for the plan as well.
    pub demand: Demand,
    /// What it still wants, kWh; none while nobody said: then it is planned as if it wanted to charge all the time.
    pub wants_kwh: Option<f64>,
    /// What it has got, kWh.
    pub has_kwh: f64,
    /// In how many hours it leaves; none where nobody said.
    pub leaves_in: Option<f64>,
    /// The hour of the day at which it came, 0 to 24.
    pub came_at: f64,
    /// For how many hours it has been there.
    pub been: f64,
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planned {
    /// A plan was made and carried out.
    Yes,
    /// None was asked for, or nobody is there.
    NotAsked,
    /// There was none, and the solver decided alone.
    Without(NoPlan),
}

/// Who gets what.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// For each car in their order; rounded down to tenths, and what the rounding left is handed out again.
    pub shares: Shares,
    /// Whether a plan stands behind it.
    pub planned: Planned,
}

/// What arrives at a car for each ampere, kW: from the watts at the grid connection and, for direct current, the
/// efficiency of its rectifier.
#[must_use]
pub fn kw_per_amp(rows: &Rows, leaf: Leaf, phases: Phases) -> f64 {
    let watts = rows
        .path(leaf, phases)
        .find(|(row, _)| rows.rows.get(*row).is_some_and(|row| row.name.of == Quantity::Watts));
    let efficiency = rows.outlets.get(leaf).and_then(|outlet| outlet.dc_efficiency).unwrap_or(1.0);
    watts.map_or(0.0, |(_, part)| part.re * efficiency / 1000.0)
}

/// Decides, with a plan where one is asked for and can be had in time, and by the solver alone otherwise.
#[must_use]
pub fn decide(tick: &Tick<'_>, cars: &[Present]) -> Decision {
    let demands: Vec<Demand> = cars.iter().map(|car| bounded(tick, car)).collect();
    let (demands, planned) = match tick.aims {
        Some(aims) if !cars.is_empty() => match look_ahead(tick, aims, cars, &demands) {
            Ok(guided) => (in_two_rounds(tick, &guided), Planned::Yes),
            Err(why) => (demands, Planned::Without(why)),
        },
        _ => (demands, Planned::NotAsked),
    };
    let mut shares = solved(tick, &demands);
    hand_out_the_rest(tick, &demands, &mut shares);
    Decision { shares, planned }
}

fn solved(tick: &Tick<'_>, demands: &[Demand]) -> Shares {
    let Tick { rows, caps, reserved, min_on_seconds, .. } = *tick;
    solver::solve(&Problem { rows, caps, reserved, demands, min_on_seconds })
}

/// A car takes its minimum or nothing, so one for which the plan has nothing now would take it from those for whom
/// it has. Where there are such cars, the others are served first, and what they get is their floor; unless more
/// flows in all when everyone may come, because what the others leave is less than a minimum.
fn in_two_rounds(tick: &Tick<'_>, guided: &[Guided]) -> Vec<Demand> {
    let mut demands: Vec<Demand> = guided.iter().map(|one| one.demand).collect();
    let waits = |one: &Guided| !one.in_plan && one.demand.min > 0.0 && one.demand.max > 0.0;
    if !guided.iter().any(waits) {
        return demands;
    }
    let first: Vec<Demand> = guided.iter().filter(|one| !waits(one)).map(|one| one.demand).collect();
    let grants = solved(tick, &first).grants;
    let served = demands.iter_mut().zip(guided).filter(|(_, one)| !waits(one));
    for ((demand, _), grant) in served.zip(grants) {
        demand.floor = grant.amps;
    }
    let together: Vec<Demand> = guided.iter().map(|one| one.demand).collect();
    let flows = |demands: &[Demand]| -> f64 {
        let grants = solved(tick, demands).grants;
        let power = grants
            .iter()
            .zip(demands)
            .map(|(grant, demand)| grant.amps * kw_per_amp(tick.rows, demand.leaf, demand.phases));
        power.sum()
    };
    if flows(&together) > flows(&demands) * 1.01 { together } else { demands }
}

/// A car's demand, with no more than it can take until the next decision.
fn bounded(tick: &Tick<'_>, car: &Present) -> Demand {
    let mut demand = car.demand;
    let Some(wants) = car.wants_kwh.filter(|wants| wants.is_finite()) else { return demand };
    let kw = kw_per_amp(tick.rows, demand.leaf, demand.phases);
    if kw <= 0.0 || tick.hours <= 0.0 {
        return demand;
    }
    if wants <= 0.0 {
        demand.max = 0.0;
        return demand;
    }
    if demand.laxity.is_none() && demand.max > 0.0 {
        demand.laxity = car.leaves_in.map(|hours| (hours - wants / (kw * demand.max)) * 3600.0);
    }
    let enough = (wants / (kw * tick.hours) * 10.0 - 1e-6).ceil() / 10.0;
    demand.max = demand.max.min(enough.max(demand.min));
    demand
}

/// The demands as a plan wants them served.
fn look_ahead(
    tick: &Tick<'_>,
    aims: &Aims,
    cars: &[Present],
    demands: &[Demand],
) -> Result<Vec<Guided>, NoPlan> {
    let mut planned = Vec::with_capacity(cars.len());
    let mut known = Vec::new();
    for car in cars {
        let (demand, wants) = (car.demand, car.wants_kwh.filter(|wants| wants.is_finite()));
        let kw = kw_per_amp(tick.rows, demand.leaf, demand.phases);
        let most = tick.rows.outlets.get(demand.leaf).map_or(0.0, |outlet| outlet.max).min(demand.max);
        let stays = match car.leaves_in {
            Some(hours) => Car::until(hours),
            None => tick.stays.chances(car.came_at, car.been, aims.slots),
        };
        // One that has outstayed what it said may go at any time.
        let stays = if stays.is_empty() { vec![0.5] } else { stays };
        if !(kw > 0.0 && most > 0.0) || wants.is_some_and(|wants| wants <= 0.0) {
            planned.push(None);
            continue;
        }
        planned.push(Some(known.len()));
        let mut plannable = Car {
            leaf: demand.leaf,
            phases: demand.phases,
            wants_kwh: wants.unwrap_or(0.0),
            has_kwh: car.has_kwh.max(0.0),
            kw_per_amp: kw,
            max: most,
            weight: demand.weight,
            class: demand.class,
            stays,
            told: car.leaves_in.is_some_and(|hours| hours > 0.0),
        };
        if wants.is_none() {
            plannable.wants_kwh = most * kw * plannable.hours();
        }
        known.push(plannable);
    }
    let mut outlook = tick.outlook.clone();
    if outlook.caps.is_empty() {
        outlook.caps.push(tick.caps.to_vec());
    }
    let plan = plan(tick.rows, &known, &outlook, aims)?;
    Ok(guided(cars, demands, &planned, &plan, &outlook, tick.min_on_seconds))
}

/// The demands of cars as a plan wants them served: weights, classes, floors and ceilings that hold until the next
/// plan. In between the solver shares by them what the rows have at each moment.
///
/// # Errors
/// When there is no plan, or not in time.
pub fn guide(tick: &Tick<'_>, aims: &Aims, cars: &[Present]) -> Result<Vec<Guided>, NoPlan> {
    let demands: Vec<Demand> = cars.iter().map(|car| bounded(tick, car)).collect();
    let mut guided = look_ahead(tick, aims, cars, &demands)?;
    let served = in_two_rounds(tick, &guided);
    for (guided, demand) in guided.iter_mut().zip(served) {
        guided.demand = demand;
    }
    Ok(guided)
}

/// Rounding down leaves up to 0.1 A of each car unused. It is handed out in whole tenths: to those first who lost
/// most, then to any below its most, as far as every direction of every row above has room, as the solver counts.
fn hand_out_the_rest(tick: &Tick<'_>, demands: &[Demand], shares: &mut Shares) {
    let uneven = |(row, cap): (&crate::load::rows::Row, &f64)| row.name.of.is_unbalance() && cap.is_finite();
    if tick.rows.rows.iter().zip(tick.caps).any(uneven) {
        return;
    }
    let mut sides = Sides::new(tick, demands, shares);
    let mut order: Vec<usize> = (0..shares.grants.len()).collect();
    let lost = |at: &usize| shares.grants.get(*at).map_or(0.0, |grant| grant.exact - grant.amps);
    order.sort_by(|a, b| lost(b).total_cmp(&lost(a)));
    for at in order {
        let (Some(grant), Some(demand)) = (shares.grants.get_mut(at), demands.get(at)) else { continue };
        let raised = (grant.amps * 10.0 + 1.0).round() / 10.0;
        let stands = grant.amps <= 0.0 && (demand.min > 0.0 || grant.exact <= 0.0);
        if stands || raised > demand.max || !sides.raise(tick, demand, raised - grant.amps) {
            continue;
        }
        grant.amps = raised;
    }
    for (side, (load, _)) in tick.rows.facets.iter().zip(&sides.loads) {
        if let (Some(left), Some(used)) = (shares.left.get_mut(side.row), shares.used.get_mut(side.row)) {
            let more = (load / side.share - *used).max(0.0);
            *left -= more;
            *used += more;
        }
    }
}

/// What each direction of each row carries, and what it may.
struct Sides {
    loads: Vec<(f64, f64)>,
}

impl Sides {
    /// What is reserved counts everywhere: where that alone exceeds a row, nothing is handed out below it.
    fn new(tick: &Tick<'_>, demands: &[Demand], shares: &Shares) -> Self {
        let cap = |row: usize| tick.caps.get(row).copied().filter(|cap| !cap.is_nan()).unwrap_or(0.0);
        let loads = tick.rows.facets.iter().map(|side| (0.0, cap(side.row) * side.share));
        let mut sides = Self { loads: loads.collect() };
        let mut granted = vec![(0.0, None); tick.rows.outlets.len()];
        for (grant, demand) in shares.grants.iter().zip(demands) {
            if let Some(granted) = granted.get_mut(grant.leaf) {
                *granted = (grant.amps, demand.phases);
            }
        }
        for (leaf, (amps, phases)) in granted.into_iter().enumerate() {
            let reserved = match tick.reserved.get(leaf) {
                Some(amps) if amps.is_finite() => amps.max(0.0),
                Some(_) => tick.rows.outlets.get(leaf).map_or(0.0, |outlet| outlet.max),
                None => 0.0,
            };
            let amps = reserved.max(amps);
            if amps > 0.0 {
                sides.take(tick, leaf, phases, amps);
            }
        }
        sides
    }

    fn take(&mut self, tick: &Tick<'_>, leaf: Leaf, phases: Phases, amps: f64) {
        tick.rows.each_side(leaf, phases, |side, amount| {
            if let Some((load, _)) = self.loads.get_mut(side) {
                *load += amount * amps;
            }
        });
    }

    /// Takes so many amperes more for a demand, if all directions above have room for them.
    fn raise(&mut self, tick: &Tick<'_>, demand: &Demand, amps: f64) -> bool {
        let mut room = true;
        tick.rows.each_side(demand.leaf, demand.phases, |side, amount| {
            room &= self.loads.get(side).is_some_and(|(load, most)| load + amount * amps <= *most);
        });
        if room {
            self.take(tick, demand.leaf, demand.phases, amps);
        }
        room
    }
}
