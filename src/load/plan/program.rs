//! The programme: most energy first, soon, fairly, evenly; and cheaply where prices are known.
//!
//! For car i and slot k let z be the part of its most current. It maximises
//!
//! `Σ kWh(z)·stays·(1 + class − haste·k/K − thrift·price) − fairness/2·Σ wanted·unmet² − smoothness/2·Σ kWh·z²`
//!
//! over `0 ≤ z ≤ 1`, each car's energy at most what it wants, and each row in each slot within its cap: linear rows
//! as inequalities, phasor rows as second-order cones, exactly.

#![expect(
    clippy::float_arithmetic,
    reason = "coefficients of a convex programme; nothing here is money or energy that is sold"
)]
#![expect(clippy::arithmetic_side_effects, reason = "sums of phasors are sums of floating-point numbers")]

use super::{Aims, Car, NoPlan, Outlook, SLOT_HOURS};
use crate::load::rows::{Phasor, Rows};
use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus, SupportedConeT,
};
use std::time::Instant;

/// A plan: currents of each car in each slot, as the programme wants them.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// For each car in the order in which they were given, amperes in each slot until it leaves.
    pub amps: Vec<Vec<f64>>,
    /// What is expected to arrive in all, kWh.
    pub kwh: f64,
}

impl Plan {
    /// What a car gets in the first slot, amperes.
    #[must_use]
    pub fn now(&self, car: usize) -> f64 {
        self.amps.get(car).and_then(|slots| slots.first()).copied().unwrap_or(0.0)
    }
}

/// Plans for the cars that are there.
///
/// # Errors
/// When it takes longer than it may, when not even standing still keeps to all rows, or when the numbers are bad.
pub fn plan(rows: &Rows, cars: &[Car], outlook: &Outlook, aims: &Aims) -> Result<Plan, NoPlan> {
    let begun = Instant::now();
    let mut program = Program::default();
    let cars_vars = program.add_cars(cars, outlook, aims);
    program.add_rows(rows, cars, outlook, &cars_vars)?;
    program.add_grid(cars, outlook, aims, &cars_vars);
    let left = aims.time_limit.checked_sub(begun.elapsed()).ok_or(NoPlan::Late)?;
    let z = program.solve(left.as_secs_f64())?;
    let mut kwh = 0.0;
    let amps = cars.iter().zip(&cars_vars).map(|(car, vars)| {
        let slots = vars.iter().zip(&car.stays).map(|(var, stays)| {
            let part = z.get(*var).copied().unwrap_or(0.0).clamp(0.0, 1.0);
            kwh += part * car.max * car.kw_per_amp * SLOT_HOURS * stays;
            part * car.max
        });
        slots.collect()
    });
    let amps = amps.collect();
    Ok(Plan { amps, kwh })
}

/// The programme as `clarabel` takes it: ½ zᵀPz + qᵀz over Az + s = b, s in cones.
#[derive(Debug, Default)]
struct Program {
    /// Diagonal of P.
    square: Vec<f64>,
    q: Vec<f64>,
    /// Triplets of A for rows that are equalities, inequalities and cones, each counted from 0.
    equal: Block,
    least: Block,
    cone: Block,
}

#[derive(Debug, Default)]
struct Block {
    row: Vec<usize>,
    column: Vec<usize>,
    value: Vec<f64>,
    b: Vec<f64>,
}

impl Block {
    fn add(&mut self, terms: impl IntoIterator<Item = (usize, f64)>, b: f64) {
        let row = self.b.len();
        for (column, value) in terms {
            self.row.push(row);
            self.column.push(column);
            self.value.push(value);
        }
        self.b.push(b);
    }
}

impl Program {
    fn variable(&mut self, q: f64, square: f64) -> usize {
        self.q.push(q);
        self.square.push(square);
        self.q.len().saturating_sub(1)
    }

    /// Variables, bounds and energy of each car; gives its variables by slot.
    fn add_cars(&mut self, cars: &[Car], outlook: &Outlook, aims: &Aims) -> Vec<Vec<usize>> {
        let prices = Prices::new(&outlook.prices);
        let free_sun = !outlook.sun_kw.is_empty();
        let mut all = Vec::with_capacity(cars.len());
        for car in cars {
            let value = (1.0 + f64::from(car.class.clamp(0, 8))) * if car.weight > 0.0 { 1.0 } else { 0.0 };
            let hours = car.hours().max(SLOT_HOURS);
            let full = car.max * car.kw_per_amp * SLOT_HOURS;
            let wanted = (car.wants_kwh + car.has_kwh).max(1e-6);
            let mut vars = Vec::new();
            let mut taken = Vec::new();
            let mut expected = Vec::new();
            let mut at = 0.0;
            for (slot, stays) in car.stays.iter().take(aims.slots).enumerate() {
                let late = aims.haste * (at / hours).min(1.0);
                // With the sun's own energy, cost is counted on what the grid delivers, in `add_grid`.
                let dear = if free_sun { 0.0 } else { aims.thrift * prices.at(slot) };
                let kwh = full * stays;
                let var = self.variable(-kwh * (value - late - dear), aims.smoothness * kwh);
                self.least.add([(var, 1.0)], 1.0);
                self.least.add([(var, -1.0)], 0.0);
                vars.push(var);
                // One whose departure is a guess takes all of it if it happens to stay.
                taken.push((var, if car.told { kwh } else { full } / wanted));
                expected.push((var, kwh / wanted));
                at += SLOT_HOURS;
            }
            self.least.add(taken, car.wants_kwh.max(0.0) / wanted);
            // unmet + Σ share = 1 − what it has
            let unmet = self.variable(0.0, aims.fairness * wanted * car.weight.max(0.0));
            expected.push((unmet, 1.0));
            self.equal.add(expected, 1.0 - car.has_kwh / wanted);
            all.push(vars);
        }
        all
    }

    /// Each row in each slot.
    fn add_rows(
        &mut self,
        rows: &Rows,
        cars: &[Car],
        outlook: &Outlook,
        vars: &[Vec<usize>],
    ) -> Result<(), NoPlan> {
        // For each row the cars below it: variables by slot, and what all of z means there.
        let mut below: Vec<Vec<(&[usize], Phasor)>> = vec![Vec::new(); rows.rows.len()];
        for (car, vars) in cars.iter().zip(vars) {
            for (row, part) in rows.path(car.leaf, car.phases) {
                if let Some(below) = below.get_mut(row) {
                    below.push((vars, part * car.max));
                }
            }
        }
        let slots = vars.iter().map(Vec::len).max().unwrap_or(0);
        for (number, (row, below)) in rows.rows.iter().zip(&below).enumerate() {
            for slot in 0..slots {
                let cap = cap_at(outlook, number, slot).unwrap_or(row.cap);
                if cap.is_nan() || cap < 0.0 {
                    return Err(NoPlan::Infeasible);
                }
                let now = below.iter().filter_map(|(vars, part)| Some((*vars.get(slot)?, *part)));
                if now.clone().map(|(_, part)| part.length()).sum::<f64>() <= cap {
                    continue;
                }
                // Rows of a few hundred amperes and of many thousand watts come to the same size.
                let by = cap.max(1e-3);
                if row.linear {
                    self.least.add(now.map(|(var, part)| (var, part.re / by)), cap / by);
                } else {
                    self.cone.add([], cap / by);
                    self.cone.add(now.clone().map(|(var, part)| (var, part.re / by)), 0.0);
                    self.cone.add(now.map(|(var, part)| (var, part.im / by)), 0.0);
                }
            }
        }
        Ok(())
    }

    /// What the grid delivers in each slot, where the site makes power itself and prices are known.
    fn add_grid(&mut self, cars: &[Car], outlook: &Outlook, aims: &Aims, vars: &[Vec<usize>]) {
        if outlook.sun_kw.is_empty() {
            return;
        }
        let prices = Prices::new(&outlook.prices);
        let slots = vars.iter().map(Vec::len).max().unwrap_or(0);
        for slot in 0..slots {
            let sun = at_or_last(&outlook.sun_kw, slot).unwrap_or(0.0).max(0.0) * SLOT_HOURS;
            // Without prices, what the grid delivers is dear and the sun is not.
            let price = if outlook.prices.is_empty() { 1.0 } else { prices.at(slot).max(0.05) };
            let grid = self.variable(aims.thrift * price, 0.0);
            self.least.add([(grid, -1.0)], 0.0);
            let mut taken: Vec<_> = cars
                .iter()
                .zip(vars)
                .filter_map(|(car, vars)| Some((*vars.get(slot)?, car.max * car.kw_per_amp * SLOT_HOURS)))
                .collect();
            taken.push((grid, -1.0));
            self.least.add(taken, sun);
        }
    }

    fn solve(self, seconds: f64) -> Result<Vec<f64>, NoPlan> {
        let variables = self.q.len();
        if variables == 0 {
            return Ok(Vec::new());
        }
        let (equal, least, cone) = (self.equal.b.len(), self.least.b.len(), self.cone.b.len());
        let mut rows = self.equal.row;
        rows.extend(self.least.row.iter().map(|row| row.saturating_add(equal)));
        rows.extend(self.cone.row.iter().map(|row| row.saturating_add(equal).saturating_add(least)));
        let columns = [self.equal.column, self.least.column, self.cone.column].concat();
        let values = [self.equal.value, self.least.value, self.cone.value].concat();
        let b = [self.equal.b, self.least.b, self.cone.b].concat();
        if !b.iter().chain(&values).chain(&self.q).chain(&self.square).all(|number| number.is_finite()) {
            return Err(NoPlan::Numbers);
        }
        let mut cones = Vec::new();
        if equal > 0 {
            cones.push(SupportedConeT::ZeroConeT(equal));
        }
        if least > 0 {
            cones.push(SupportedConeT::NonnegativeConeT(least));
        }
        cones.extend((0..cone.div_euclid(3)).map(|_| SupportedConeT::SecondOrderConeT(3)));
        let a = CscMatrix::new_from_triplets(b.len(), variables, rows, columns, values);
        let diagonal: Vec<usize> = (0..variables).collect();
        let p = CscMatrix::new_from_triplets(variables, variables, diagonal.clone(), diagonal, self.square);
        let settings: DefaultSettings<f64> = DefaultSettingsBuilder::default()
            .verbose(false)
            .time_limit(seconds)
            .max_threads(1)
            .tol_gap_rel(1e-6)
            .tol_gap_abs(1e-6)
            .tol_feas(1e-7)
            .build()
            .map_err(|_| NoPlan::Numbers)?;
        let mut solver =
            DefaultSolver::new(&p, &self.q, &a, &b, &cones, settings).map_err(|_| NoPlan::Numbers)?;
        solver.solve();
        match solver.solution.status {
            SolverStatus::Solved | SolverStatus::AlmostSolved => Ok(solver.solution.x),
            SolverStatus::MaxTime => Err(NoPlan::Late),
            SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible => Err(NoPlan::Infeasible),
            _ => Err(NoPlan::Numbers),
        }
    }
}

/// The cap of a row in a slot, where the outlook knows one.
fn cap_at(outlook: &Outlook, row: usize, slot: usize) -> Option<f64> {
    outlook.caps.get(slot).or(outlook.caps.last())?.get(row).copied()
}

fn at_or_last(series: &[f64], slot: usize) -> Option<f64> {
    series.get(slot).or(series.last()).copied()
}

/// Prices between 0, the cheapest, and 1, the dearest.
struct Prices<'a> {
    series: &'a [f64],
    least: f64,
    spread: f64,
}

impl<'a> Prices<'a> {
    fn new(series: &'a [f64]) -> Self {
        let least = series.iter().copied().fold(f64::INFINITY, f64::min);
        let most = series.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { series, least, spread: (most - least).max(1e-9) }
    }

    fn at(&self, slot: usize) -> f64 {
        at_or_last(self.series, slot).map_or(0.0, |price| (price - self.least) / self.spread)
    }
}
