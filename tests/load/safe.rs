//! No row above its cap, in any generated site: recomputed by a checker that shares no code with the solver.

use super::checker::{Draw, violations};
use super::generate::{Kind, PLAIN, demands, reserved, site};
use chrono::{DateTime, Utc};
use fastrand::Rng;
use roamwatt::load::rows::Rows;
use roamwatt::load::site::{Node, PerPhase, Site};
use roamwatt::load::solver::{Demand, Problem, Reason, Shares, Solver};

/// A Wednesday, 17:30 in Berlin.
fn then() -> DateTime<Utc> {
    "2026-01-14T16:30:00Z".parse().unwrap()
}

/// A node's limits at that time, computed anew: schedule and margin.
fn limits(site: &Site, node: &Node) -> ([f64; 3], f64) {
    let mut amps = node.amps.map_or([f64::INFINITY; 3], PerPhase::values);
    let mut watts = node.watts.unwrap_or(f64::INFINITY);
    for window in &node.schedule {
        let (from, to) = (window.from.to_string(), window.to.to_string());
        let now = "17:30";
        let inside = if from < to {
            from.as_str() <= now && now < to.as_str()
        } else {
            from.as_str() <= now || now < to.as_str()
        };
        if inside {
            let lower = window.amps.map_or([f64::INFINITY; 3], PerPhase::values);
            amps = [0, 1, 2].map(|phase| amps[phase].min(lower[phase]));
            watts = watts.min(window.watts.unwrap_or(f64::INFINITY));
        }
    }
    let volts = site.volts_at(&node.id);
    (amps.map(|amps| amps - node.margin_amps), watts - 3.0 * volts * node.margin_amps)
}

fn draws(rows: &Rows, demands: &[Demand], shares: &Shares, reserved: &[f64]) -> Vec<Draw> {
    let idle = |leaf: usize| Draw { amps: reserved[leaf], granted: 0.0, phases: None };
    let mut draws: Vec<Draw> = (0..rows.outlets.len()).map(idle).collect();
    for (demand, grant) in demands.iter().zip(&shares.grants) {
        assert_eq!(demand.leaf, grant.leaf);
        let amps = grant.amps.max(reserved[demand.leaf]);
        draws[demand.leaf] = Draw { amps, granted: grant.amps, phases: demand.phases };
    }
    draws
}

/// What must hold of each grant by itself.
fn look_at_grants(rows: &Rows, demands: &[Demand], shares: &Shares) {
    for (demand, grant) in demands.iter().zip(&shares.grants) {
        let outlet = &rows.outlets[demand.leaf];
        let line = shares.explain(rows, 0);
        assert!(line.contains(" A, "), "{line}");
        assert!(grant.amps == 0.0 || grant.amps >= demand.min - 1e-9, "{grant:?} {demand:?}");
        assert!(grant.amps <= demand.max.min(outlet.max) + 1e-9, "{grant:?} {demand:?}");
        assert!((grant.amps * 10.0 - (grant.amps * 10.0).round()).abs() < 1e-9, "{grant:?}");
        assert!(grant.amps <= grant.exact + 1e-8, "{grant:?}");
    }
}

/// Solves a generated problem with and without reserves and has it checked; the sum of what was granted.
fn check(seed: u64, connectors: usize, kind: Kind) -> f64 {
    let mut rng = Rng::with_seed(seed);
    let site = site(&mut rng, connectors, kind);
    let rows = Rows::compile(&site);
    let demands = demands(&mut rng, &rows);
    let caps: Vec<f64> =
        rows.caps_at(then()).iter().zip(&rows.rows).map(|(cap, row)| cap - row.margin).collect();
    let mut solver = Solver::default();
    let mut sum = 0.0;
    let some = reserved(&mut rng, &rows);
    for reserved in [vec![0.0; rows.outlets.len()], some] {
        let problem = Problem {
            rows: &rows,
            caps: &caps,
            reserved: &reserved,
            demands: &demands,
            min_on_seconds: 900.0,
        };
        let shares = solver.solve(&problem);
        look_at_grants(&rows, &demands, &shares);
        let draws = draws(&rows, &demands, &shares, &reserved);
        let idle: Vec<Draw> = {
            let mut idle = draws.clone();
            for demand in &demands {
                idle[demand.leaf].amps = reserved[demand.leaf];
                idle[demand.leaf].granted = 0.0;
            }
            idle
        };
        // What reserves alone exceed cannot be kept; nothing else may be exceeded, and that by no more.
        let before = violations(&site, &idle, |node| limits(&site, node));
        let after = violations(&site, &draws, |node| limits(&site, node));
        for (node, what, amount, limit) in after {
            let same = before.iter().find(|(n, w, ..)| *n == node && *w == what);
            let allowed = same.map_or(limit, |(_, _, amount, _)| *amount);
            assert!(
                amount <= allowed + 1e-6 * allowed.max(1.0),
                "seed {seed}: {node} {what}: {amount} of {limit}"
            );
        }
        sum += shares.grants.iter().map(|grant| grant.amps).sum::<f64>();
        for (row, left) in shares.left.iter().enumerate() {
            let name = &rows.rows[row].name;
            let reserves = before.iter().any(|(node, ..)| **node == *name.node);
            assert!(
                *left >= -1e-6 * caps[row].abs().max(1.0) || reserves || caps[row] < 0.0,
                "seed {seed}: {name}: {left}"
            );
        }
    }
    assert!(sum.is_finite());
    sum
}

#[test]
fn small_plain_sites_are_safe() {
    let granted: f64 = (0..200).map(|seed| check(seed, 8, PLAIN)).sum();
    assert!(granted > 500.0);
}

#[test]
fn small_sites_with_everything_are_safe() {
    let kind = Kind { phasors: true, unbalance: true, schedules: true, scarce: 0.4 };
    let granted: f64 = (0..200).map(|seed| check(seed, 15, kind)).sum();
    assert!(granted > 500.0);
}

#[test]
fn sites_of_hundreds_with_everything_are_safe() {
    for seed in 0..6 {
        let scarce = [0.2, 0.5, 0.8][seed as usize % 3];
        check(seed, 400, Kind { phasors: seed % 2 == 0, unbalance: seed % 3 != 0, schedules: true, scarce });
    }
}

#[test]
fn sites_of_ten_thousand_are_safe() {
    check(1, 10_000, PLAIN);
    check(2, 10_000, Kind { phasors: true, unbalance: true, schedules: true, scarce: 0.5 });
}

/// A checker that finds nothing proves nothing: with a tenth of an ampere more for whoever is at a full row, it does.
#[test]
fn the_checker_sees_a_tenth_of_an_ampere_too_much() {
    let kind = Kind { phasors: true, unbalance: false, schedules: false, scarce: 0.5 };
    let (mut tried, mut seen) = (0, 0);
    for seed in 0..60 {
        let mut rng = Rng::with_seed(seed);
        let site = site(&mut rng, 6, kind);
        let rows = Rows::compile(&site);
        let demands = demands(&mut rng, &rows);
        let caps: Vec<f64> = rows.rows.iter().map(|row| row.cap).collect();
        let reserved = vec![0.0; rows.outlets.len()];
        let problem = Problem {
            rows: &rows,
            caps: &caps,
            reserved: &reserved,
            demands: &demands,
            min_on_seconds: 900.0,
        };
        let mut shares = Solver::default().solve(&problem);
        let tight = |reason: Reason| matches!(reason, Reason::Row(row) if rows.rows[row].linear);
        if !shares.grants.iter().any(|grant| tight(grant.reason)) {
            continue;
        }
        tried += 1;
        for grant in &mut shares.grants {
            if grant.exact > 0.0 {
                grant.amps = grant.exact + if tight(grant.reason) { 0.1 } else { 0.0 };
            }
        }
        let draws = draws(&rows, &demands, &shares, &reserved);
        seen += usize::from(!violations(&site, &draws, |node| limits(&site, node)).is_empty());
    }
    assert!(tried > 20 && seen == tried, "{seen} of {tried}");
}
