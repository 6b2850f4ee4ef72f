//! The look-ahead planner: rows kept, all that is feasible delivered, a way out when there is no plan.

use super::generate;
use microlp::{ComparisonOp, OptimizationDirection, Problem};
use roamwatt::load::plan::tick::{Present, Tick, kw_per_amp};
use roamwatt::load::plan::{Aims, Car, NoPlan, Outlook, Planned, SLOT_HOURS, Stays, decide, plan};
use roamwatt::load::rows::{Phasor, Rows};
use roamwatt::load::site::Site;
use std::time::Duration;

/// Three stations on three phases and two between L1 and L2, on a board and a transformer of their own.
fn site(amps: f64) -> Site {
    let stations: String = (0..3)
        .map(|at| {
            format!(
                "[[station]]\nid = \"S{at}\"\nparent = \"grid\"\nconnector = [{{ number = 1, amps = 32 }}]\n"
            )
        })
        .collect();
    let between: String = [("RST", 0), ("STR", 1), ("TRS", 2)]
        .iter()
        .map(|(rotation, at)| {
            format!(
                "[[station]]\nid = \"T{at}\"\nparent = \"secondary\"\nrotation = \"{rotation}\"\n\
                 connector = [{{ number = 1, amps = 32, wiring = \"L1-L2\", min_amps = 0 }}]\n"
            )
        })
        .collect();
    let text = format!(
        "id = \"depot\"\n[[node]]\nid = \"grid\"\namps = {amps}\n[[node]]\nid = \"secondary\"\nparent = \"grid\"\n\
         amps = 40\ntransformer = {{ windings = \"delta-wye\", primary_volts = 400, secondary_volts = 208 }}\n\
         {stations}{between}"
    );
    Site::from_toml(&text).unwrap()
}

fn car(rows: &Rows, leaf: usize, wants_kwh: f64, hours: f64) -> Car {
    Car {
        leaf,
        phases: None,
        wants_kwh,
        has_kwh: 0.0,
        kw_per_amp: kw_per_amp(rows, leaf, None),
        max: 32.0,
        weight: 1.0,
        class: 0,
        stays: Car::until(hours),
        told: true,
    }
}

fn patient() -> Aims {
    Aims { time_limit: Duration::from_secs(30), ..Aims::default() }
}

/// The most that any row carries in any slot, as a part of its cap.
fn fullest(rows: &Rows, cars: &[Car], amps: &[Vec<f64>]) -> f64 {
    let mut fullest = 0.0_f64;
    for slot in 0..amps.iter().map(Vec::len).max().unwrap_or(0) {
        let mut sums = vec![Phasor::ZERO; rows.rows.len()];
        for (car, amps) in cars.iter().zip(amps) {
            let now = amps.get(slot).copied().unwrap_or(0.0);
            for (row, part) in rows.path(car.leaf, None) {
                sums[row] = sums[row] + part * now;
            }
        }
        for (sum, row) in sums.iter().zip(&rows.rows).filter(|(_, row)| row.cap.is_finite()) {
            fullest = fullest.max(sum.length() / row.cap);
        }
    }
    fullest
}

#[test]
fn rows_are_kept_in_every_slot_those_of_phasors_too() {
    let rows = Rows::compile(&site(50.0));
    let cars: Vec<Car> = (0..6).map(|leaf| car(&rows, leaf, 30.0, 4.0)).collect();
    let plan = plan(&rows, &cars, &Outlook::default(), &patient()).unwrap();
    let fullest = fullest(&rows, &cars, &plan.amps);
    assert!((0.999..1.0 + 1e-6).contains(&fullest), "{fullest}");
}

#[test]
fn what_can_be_delivered_is_delivered() {
    // On a board whose rows are linear the most energy is a linear programme's.
    let text = "id = \"board\"\n[[node]]\nid = \"grid\"\namps = 40\n".to_owned()
        + &(0..4)
            .map(|at| {
                format!("[[station]]\nid = \"S{at}\"\nparent = \"grid\"\nconnector = [{{ number = 1, amps = 32 }}]\n")
            })
            .collect::<String>();
    let rows = Rows::compile(&Site::from_toml(&text).unwrap());
    let mut dice = fastrand::Rng::with_seed(7);
    for case in 0..20 {
        let cars: Vec<Car> = (0..4)
            .map(|leaf| car(&rows, leaf, 5.0 + 30.0 * dice.f64(), f64::from(dice.u32(1..12)) * SLOT_HOURS))
            .collect();
        let mut best = Problem::new(OptimizationDirection::Maximize);
        let vars: Vec<Vec<_>> = cars
            .iter()
            .map(|car| {
                car.stays.iter().map(|_| best.add_var(car.kw_per_amp * SLOT_HOURS, (0.0, 32.0))).collect()
            })
            .collect();
        for (car, vars) in cars.iter().zip(&vars) {
            let energy: Vec<_> = vars.iter().map(|var| (*var, car.kw_per_amp * SLOT_HOURS)).collect();
            best.add_constraint(energy, ComparisonOp::Le, car.wants_kwh);
        }
        for slot in 0..12 {
            let now: Vec<_> = vars.iter().filter_map(|vars| Some((*vars.get(slot)?, 1.0))).collect();
            best.add_constraint(now, ComparisonOp::Le, 40.0);
        }
        let best = best.solve().unwrap().into_solution().ok().unwrap().objective();
        let plan = plan(&rows, &cars, &Outlook::default(), &patient()).unwrap();
        assert!(plan.kwh <= best * (1.0 + 1e-6), "case {case}: {} of {best}", plan.kwh);
        assert!(plan.kwh >= best * 0.999, "case {case}: {} of {best}", plan.kwh);
    }
}

fn present(leaf: usize, wants_kwh: f64, leaves_in: Option<f64>) -> Present {
    Present {
        demand: generate::car(leaf),
        wants_kwh: Some(wants_kwh),
        has_kwh: 0.0,
        leaves_in,
        came_at: 8.0,
        been: 0.0,
    }
}

fn decided(
    rows: &Rows,
    caps: &[f64],
    outlook: &Outlook,
    aims: &Aims,
    cars: &[Present],
) -> (Vec<f64>, Planned) {
    let decision = decide(
        &Tick {
            rows,
            caps,
            reserved: &[],
            min_on_seconds: 900.0,
            hours: 1.0 / 12.0,
            stays: &Stays::new(),
            outlook,
            aims: Some(aims),
        },
        cars,
    );
    (decision.shares.grants.iter().map(|grant| grant.amps).collect(), decision.planned)
}

fn caps(rows: &Rows) -> Vec<f64> {
    rows.rows.iter().map(|row| row.cap).collect()
}

#[test]
fn whoever_leaves_soon_goes_first() {
    let rows = Rows::compile(&site(32.0));
    let cars = [present(0, 22.0, Some(1.0)), present(1, 22.0, Some(8.0)), present(2, 22.0, Some(8.0))];
    let (amps, planned) = decided(&rows, &caps(&rows), &Outlook::default(), &patient(), &cars);
    assert_eq!(planned, Planned::Yes);
    assert!(amps[0] > 25.0, "{amps:?}");
    assert!(amps.iter().sum::<f64>() <= 32.0 + 1e-9, "{amps:?}");
}

#[test]
fn a_late_or_impossible_plan_leaves_the_decision_to_the_solver() {
    let rows = Rows::compile(&site(32.0));
    let cars = [present(0, 22.0, Some(1.0)), present(1, 22.0, Some(8.0))];
    let fair = {
        let tick = Tick {
            rows: &rows,
            caps: &caps(&rows),
            reserved: &[],
            min_on_seconds: 900.0,
            hours: 1.0 / 12.0,
            stays: &Stays::new(),
            outlook: &Outlook::default(),
            aims: None,
        };
        decide(&tick, &cars)
    };
    let fair: Vec<f64> = fair.shares.grants.iter().map(|grant| grant.amps).collect();
    let hurried = Aims { time_limit: Duration::ZERO, ..Aims::default() };
    let late = decided(&rows, &caps(&rows), &Outlook::default(), &hurried, &cars);
    assert_eq!(late, (fair.clone(), Planned::Without(NoPlan::Late)));
    let below_nothing = Outlook { caps: vec![vec![-1.0; rows.rows.len()]], ..Outlook::default() };
    let impossible = decided(&rows, &caps(&rows), &below_nothing, &patient(), &cars);
    assert_eq!(impossible, (fair.clone(), Planned::Without(NoPlan::Infeasible)));
    let nonsense = [present(0, f64::NAN, Some(1.0)), present(1, 22.0, Some(8.0))];
    let (amps, _) = decided(&rows, &caps(&rows), &Outlook::default(), &patient(), &nonsense);
    assert!(amps.iter().sum::<f64>() <= 32.0 + 1e-9, "{amps:?}");
}

#[test]
fn where_energy_has_a_price_cars_wait_for_the_cheap_hours() {
    let rows = Rows::compile(&site(64.0));
    let cars = [present(0, 11.0, Some(8.0))];
    let dear_now = Outlook { prices: [vec![0.40; 8], vec![0.10; 24]].concat(), ..Outlook::default() };
    let (amps, _) = decided(&rows, &caps(&rows), &dear_now, &patient(), &cars);
    assert_eq!(amps, [0.0]);
    let cheap_now = Outlook { prices: [vec![0.10; 8], vec![0.40; 24]].concat(), ..Outlook::default() };
    let (amps, _) = decided(&rows, &caps(&rows), &cheap_now, &patient(), &cars);
    assert!(amps[0] > 6.0, "{amps:?}");
    // One that must leave soon charges at any price.
    let (amps, _) = decided(&rows, &caps(&rows), &dear_now, &patient(), &[present(0, 22.0, Some(1.0))]);
    assert!(amps[0] > 25.0, "{amps:?}");
}

#[test]
fn stays_are_learned_by_the_hour_of_arrival() {
    let mut stays = Stays::new();
    for _ in 0..40 {
        stays.left(8.0, 9.0);
        stays.left(18.0, 2.0);
    }
    let there = |came_at: f64, been: f64, hours: usize| {
        stays.chances(came_at, been, 96).get(hours * 4).copied().unwrap_or(0.0)
    };
    assert!(there(8.2, 0.0, 5) > 0.8, "{}", there(8.2, 0.0, 5));
    assert!(there(18.2, 0.0, 5) < 0.4, "{}", there(18.2, 0.0, 5));
    assert!(there(8.2, 8.0, 2) < 0.2, "{}", there(8.2, 8.0, 2));
}
