//! Fair: equal to a sequence of linear programmes, and nobody can be raised without lowering one who is no better off.

use super::generate::{Kind, PLAIN, demands, site};
use fastrand::Rng;
use microlp::{ComparisonOp, OptimizationDirection, Problem as Programme, Variable};
use proptest::prelude::*;
use roamwatt::load::rows::Rows;
use roamwatt::load::solver::{Demand, Problem, Reason, Shares, solve};

/// A linear problem: for each demand least, most and weight; rows of coefficients with a cap.
struct Linear {
    asking: Vec<(f64, f64, f64)>,
    rows: Vec<(Vec<f64>, f64)>,
}

impl Linear {
    fn of(rows: &Rows, caps: &[f64], demands: &[Demand]) -> Self {
        let mut table = vec![vec![0.0; demands.len()]; rows.rows.len()];
        for (index, demand) in demands.iter().enumerate() {
            for (row, part) in rows.path(demand.leaf, demand.phases) {
                assert!(part.im == 0.0, "these sites are linear");
                table[row][index] = part.re;
            }
        }
        let least = |demand: &Demand| demand.min.max(demand.floor.min(demand.max));
        let asking = demands.iter().map(|demand| (least(demand), demand.max, demand.weight)).collect();
        let rows = table.into_iter().zip(caps.iter().copied()).filter(|(_, cap)| cap.is_finite()).collect();
        Self { asking, rows }
    }

    /// The programme in which those without a value have at least their share at a level; none have less than
    /// their least.
    fn programme(&self, fixed: &[Option<f64>], level: Option<f64>, goal: Option<usize>) -> (f64, Vec<f64>) {
        let mut programme = Programme::new(OptimizationDirection::Maximize);
        let t = programme.add_var(if goal.is_none() { 1.0 } else { 0.0 }, (0.0, 1e4));
        let mut variables: Vec<Variable> = Vec::new();
        for (index, (least, most, _)) in self.asking.iter().enumerate() {
            let value = if goal == Some(index) { 1.0 } else { 0.0 };
            let bounds = fixed[index].map_or((*least, *most), |at| (at, at));
            variables.push(programme.add_var(value, bounds));
        }
        for (index, (least, _, weight)) in self.asking.iter().enumerate() {
            if fixed[index].is_some() {
                continue;
            }
            match level {
                // Everyone but those who stand above the level by their least.
                None => {
                    programme.add_constraint([(variables[index], 1.0), (t, -weight)], ComparisonOp::Ge, 0.0);
                }
                Some(level) => {
                    programme.add_constraint(
                        [(variables[index], 1.0)],
                        ComparisonOp::Ge,
                        least.max(weight * level),
                    );
                }
            }
        }
        for (row, cap) in &self.rows {
            let terms: Vec<(Variable, f64)> = variables.iter().copied().zip(row.iter().copied()).collect();
            programme.add_constraint(terms, ComparisonOp::Le, cap + 1e-9);
        }
        let solution = programme.solve().unwrap().into_solution().ok().unwrap();
        let value = |variable: Variable| solution.var_value(variable);
        (value(t), variables.iter().map(|variable| value(*variable)).collect())
    }

    /// The lexicographic maximum: raise the level of all that can still rise, fix those that cannot, go on.
    fn best(&self) -> Vec<f64> {
        let count = self.asking.len();
        let mut fixed: Vec<Option<f64>> = vec![None; count];
        while fixed.contains(&None) {
            let (level, _) = self.programme(&fixed, None, None);
            // A hair lower, so that the next programme has a solution in spite of rounding.
            let level = level - 1e-9;
            let mut now = Vec::new();
            for index in (0..count).filter(|index| fixed[*index].is_none()) {
                let (_, values) = self.programme(&fixed, Some(level), Some(index));
                let (least, _, weight) = self.asking[index];
                let here = least.max(weight * level);
                if values[index] <= here + 1e-7 {
                    now.push((index, here));
                }
            }
            assert!(!now.is_empty(), "someone is at the limit at level {level}");
            now.into_iter().for_each(|(index, here)| fixed[index] = Some(here));
        }
        fixed.into_iter().map(Option::unwrap).collect()
    }
}

fn solved(rows: &Rows, caps: &[f64], demands: &[Demand]) -> Shares {
    let reserved = vec![0.0; rows.outlets.len()];
    solve(&Problem { rows, caps, reserved: &reserved, demands, min_on_seconds: 900.0 })
}

#[test]
fn small_sites_are_shared_as_a_sequence_of_linear_programmes_shares_them() {
    let mut compared = 0;
    for seed in 0..250 {
        let mut rng = Rng::with_seed(seed);
        let site = site(&mut rng, 7, Kind { scarce: 0.6, ..PLAIN });
        let rows = Rows::compile(&site);
        let caps: Vec<f64> = rows.rows.iter().map(|row| row.cap).collect();
        let mut demands = demands(&mut rng, &rows);
        // Those who are let in; who that is, is another matter.
        let shares = solved(&rows, &caps, &demands);
        let mut grants = shares.grants.iter();
        demands.retain(|_| grants.next().unwrap().amps > 0.0);
        // A floor that does not fit whole is reserved in part: here only those that fit.
        let shares = solved(&rows, &caps, &demands);
        for (demand, grant) in demands.iter_mut().zip(&shares.grants) {
            demand.max = demand.max.min(rows.outlets[demand.leaf].max);
            demand.floor = demand.floor.min((grant.exact * 10.0).floor() / 10.0);
        }
        let shares = solved(&rows, &caps, &demands);
        if demands.is_empty() || shares.grants.iter().any(|grant| grant.amps == 0.0) {
            continue;
        }
        let best = Linear::of(&rows, &caps, &demands).best();
        for (grant, best) in shares.grants.iter().zip(&best) {
            assert!(
                (grant.exact - best).abs() < 1e-6,
                "seed {seed}: {grant:?}, by linear programmes {best}\n{best:?}"
            );
        }
        compared += demands.len();
    }
    assert!(compared > 800, "{compared}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn nobody_can_be_raised_without_lowering_one_who_is_no_better_off(seed in any::<u64>(), size in 1_usize..120) {
        let mut rng = Rng::with_seed(seed);
        let site = site(&mut rng, size, PLAIN);
        let rows = Rows::compile(&site);
        let caps: Vec<f64> = rows.rows.iter().map(|row| row.cap).collect();
        let demands = demands(&mut rng, &rows);
        let shares = solved(&rows, &caps, &demands);
        let mut use_of = vec![0.0; rows.rows.len()];
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); rows.rows.len()];
        for (index, (demand, grant)) in demands.iter().zip(&shares.grants).enumerate() {
            for (row, part) in rows.path(demand.leaf, demand.phases) {
                use_of[row] += part.re * grant.exact;
                users[row].push(index);
            }
        }
        for (demand, grant) in demands.iter().zip(&shares.grants).filter(|(_, grant)| grant.exact > 0.0) {
            let most = demand.max.min(rows.outlets[demand.leaf].max);
            match grant.reason {
                Reason::OwnMaximum => prop_assert!((grant.exact - most).abs() < 0.1 + 1e-6),
                Reason::Row(row) | Reason::Deadline(row) => {
                    prop_assert!((use_of[row] - caps[row]).abs() < 1e-6 * caps[row].max(1.0), "{} is full", rows.rows[row].name);
                    for other in &users[row] {
                        let (theirs, who) = (shares.grants[*other], demands[*other]);
                        let least = who.min.max(who.floor.min(who.max));
                        let above = theirs.exact / who.weight > grant.exact / demand.weight + 1e-6;
                        prop_assert!(!above || theirs.exact <= least + 1e-6, "{theirs:?} {who:?} above {grant:?}");
                    }
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn more_room_never_lowers_the_worst_off(seed in any::<u64>(), size in 1_usize..60) {
        let mut rng = Rng::with_seed(seed);
        let site = site(&mut rng, size, Kind { phasors: true, scarce: 1.0, ..PLAIN });
        let rows = Rows::compile(&site);
        let caps: Vec<f64> = rows.rows.iter().map(|row| row.cap).collect();
        let more: Vec<f64> = caps.iter().map(|cap| cap * 1.2).collect();
        let demands = demands(&mut rng, &rows);
        let demands: Vec<Demand> = demands.into_iter().map(|demand| Demand { floor: 0.0, min: 0.0, ..demand }).collect();
        let level = |shares: &Shares| {
            let levels = shares.grants.iter().zip(&demands).map(|(grant, demand)| grant.exact / demand.weight);
            levels.fold(f64::INFINITY, f64::min)
        };
        let (small, large) = (solved(&rows, &caps, &demands), solved(&rows, &more, &demands));
        prop_assert!(level(&large) >= level(&small) - 1e-9);
    }
}
