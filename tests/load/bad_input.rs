//! Nonsense raises nothing and breaks nothing.

use super::generate::{PLAIN, car, demands, site};
use fastrand::Rng;
use proptest::prelude::*;
use roamwatt::load::rows::Rows;
use roamwatt::load::site::Site;
use roamwatt::load::solver::{Demand, Problem, Reason, solve};

fn board() -> Rows {
    let text = r#"
        id = "x"
        node = [{ id = "grid", amps = 32 }]
        station = [
            { id = "A", parent = "grid", connector = [{ number = 1, amps = 32 }] },
            { id = "B", parent = "grid", connector = [{ number = 1, amps = 32 }] },
        ]
    "#;
    Rows::compile(&Site::from_toml(text).unwrap())
}

fn amps(rows: &Rows, caps: &[f64], reserved: &[f64], demands: &[Demand]) -> Vec<f64> {
    let problem = Problem { rows, caps, reserved, demands, min_on_seconds: 900.0 };
    solve(&problem).grants.iter().map(|grant| grant.amps).collect()
}

const CAPS: [f64; 4] = [32.0, 32.0, 32.0, f64::INFINITY];

#[test]
fn a_cap_that_is_no_number_allows_nothing() {
    let rows = board();
    let both = [car(0), car(1)];
    assert_eq!(amps(&rows, &CAPS, &[], &both), [16.0, 16.0]);
    for bad in [f64::NAN, -1.0, f64::NEG_INFINITY, 0.0] {
        assert_eq!(amps(&rows, &[32.0, bad, 32.0, 1e9], &[], &both), [0.0, 0.0], "{bad}");
    }
    assert_eq!(amps(&rows, &[], &[], &both), [0.0, 0.0]);
    assert_eq!(amps(&rows, &[32.0, 32.0], &[], &both), [0.0, 0.0]);
}

#[test]
fn a_reserve_that_is_no_number_is_all_that_the_connector_gives() {
    let rows = board();
    for bad in [f64::NAN, f64::INFINITY] {
        assert_eq!(amps(&rows, &CAPS, &[bad, 0.0], &[car(1)]), [0.0]);
    }
    assert_eq!(amps(&rows, &CAPS, &[-5.0, 0.0], &[car(1)]), [32.0]);
    assert_eq!(amps(&rows, &CAPS, &[20.0, 0.0], &[car(1)]), [12.0]);
}

#[test]
fn a_demand_that_is_nonsense_gets_no_more_than_its_share() {
    let rows = board();
    let nan = f64::NAN;
    for bad in [
        Demand { max: nan, ..car(0) },
        Demand { max: -3.0, ..car(0) },
        Demand { max: f64::NEG_INFINITY, ..car(0) },
        Demand { min: 40.0, ..car(0) },
        Demand { max: 5.9, ..car(0) },
        Demand { leaf: 7, ..car(0) },
        Demand { leaf: usize::MAX, ..car(0) },
    ] {
        assert_eq!(amps(&rows, &CAPS, &[], &[bad, car(1)]), [0.0, 32.0], "{bad:?}");
    }
    for odd in [
        Demand { weight: nan, ..car(0) },
        Demand { weight: -1.0, ..car(0) },
        Demand { weight: 0.0, ..car(0) },
        Demand { floor: nan, ..car(0) },
        Demand { floor: f64::INFINITY, ..car(0) },
        Demand { floor: -5.0, ..car(0) },
        Demand { min: nan, ..car(0) },
        Demand { max: f64::INFINITY, ..car(0) },
        Demand { laxity: Some(nan), waited: nan, on_for: Some(nan), ..car(0) },
        Demand { phases: Some([false; 3]), ..car(0) },
    ] {
        assert_eq!(amps(&rows, &CAPS, &[], &[odd, car(1)]), [16.0, 16.0], "{odd:?}");
    }
    assert_eq!(amps(&rows, &CAPS, &[], &[car(0), car(0)]), [32.0, 0.0]);
}

#[test]
fn a_site_that_does_not_hold_together_grants_nothing_where_it_does_not() {
    let mut site = Site::from_toml(
        r#"
        id = "x"
        node = [{ id = "grid", amps = 32 }, { id = "a", parent = "grid" }, { id = "b", parent = "grid" }]
        station = [
            { id = "A", parent = "a", connector = [{ number = 1, amps = 32 }] },
            { id = "B", parent = "b", connector = [{ number = 1, amps = 32 }] },
        ]
    "#,
    )
    .unwrap();
    site.nodes[1].parent = Some("a".to_owned());
    let rows = Rows::compile(&site);
    assert_eq!(amps(&rows, &CAPS, &[], &[car(0), car(1)]), [0.0, 32.0]);
    site.nodes[1].parent = Some("nobody".to_owned());
    let rows = Rows::compile(&site);
    assert_eq!(amps(&rows, &CAPS, &[], &[car(0), car(1)]), [0.0, 32.0]);
    site.stations[1].parent = "nobody".to_owned();
    let rows = Rows::compile(&site);
    assert_eq!(amps(&rows, &CAPS, &[], &[car(0), car(1)]), [0.0, 0.0]);
    site.nodes.clear();
    let rows = Rows::compile(&site);
    assert_eq!(amps(&rows, &[], &[], &[car(0), car(1)]), [0.0, 0.0]);
    let problem =
        Problem { rows: &rows, caps: &[], reserved: &[], demands: &[car(0)], min_on_seconds: 900.0 };
    assert_ne!(solve(&problem).grants[0].reason, Reason::OwnMaximum);
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..64.0_f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e308, -1e308, 1e-308]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn whatever_the_numbers_every_grant_is_a_number_within_its_bounds(
        seed in any::<u64>(),
        numbers in prop::collection::vec(any_number(), 64),
    ) {
        let mut rng = Rng::with_seed(seed);
        let site = site(&mut rng, 9, PLAIN);
        let rows = Rows::compile(&site);
        let mut at = numbers.iter().copied().cycle();
        let mut next = || at.next().unwrap();
        let mut odd = |good: f64, rng: &mut Rng| if rng.f64() < 0.3 { next() } else { good };
        let caps: Vec<f64> = rows.rows.iter().map(|row| odd(row.cap, &mut rng)).collect();
        let reserved: Vec<f64> = rows.outlets.iter().map(|_| odd(0.0, &mut rng)).collect();
        let mut demands = demands(&mut rng, &rows);
        for demand in &mut demands {
            demand.min = odd(demand.min, &mut rng);
            demand.max = odd(demand.max, &mut rng);
            demand.weight = odd(demand.weight, &mut rng);
            demand.floor = odd(demand.floor, &mut rng);
            demand.waited = odd(demand.waited, &mut rng);
            demand.laxity = Some(odd(900.0, &mut rng));
            demand.on_for = Some(odd(100.0, &mut rng)).filter(|seconds| *seconds > 1.0);
        }
        let shares = solve(&Problem { rows: &rows, caps: &caps, reserved: &reserved, demands: &demands, min_on_seconds: next() });
        for (demand, grant) in demands.iter().zip(&shares.grants) {
            let most = if demand.max.is_nan() { 0.0 } else { demand.max.max(0.0) };
            prop_assert!(grant.amps >= 0.0 && grant.amps <= most + 1e-6, "{grant:?} of {demand:?}");
            prop_assert!(grant.amps <= rows.outlets[demand.leaf].max, "{grant:?}");
            for (row, _) in rows.path(demand.leaf, demand.phases) {
                prop_assert!(grant.amps == 0.0 || caps[row] > 0.0, "{grant:?} below {:?}", caps[row]);
            }
        }
    }
}
