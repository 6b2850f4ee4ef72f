//! Small sites whose shares are known by reckoning.

use super::generate;
use roamwatt::load::rows::{Quantity, Rows};
use roamwatt::load::site::Site;
use roamwatt::load::solver::{Demand, Problem, Reason, Shares, solve};

fn board(limit: &str, connectors: &[&str]) -> Rows {
    let mut text = format!("id = \"x\"\nnode = [{{ id = \"grid\", {limit} }}]\n");
    for (index, connector) in connectors.iter().enumerate() {
        let (rotation, connector) = connector.split_once('|').unwrap_or(("RST", connector));
        text += &format!(
            "[[station]]\nid = \"CP-{index}\"\nparent = \"grid\"\nrotation = \"{rotation}\"\nconnector = [{{ number = 1, amps = 32{connector} }}]\n"
        );
    }
    Rows::compile(&Site::from_toml(&text).unwrap())
}

fn car(leaf: usize) -> Demand {
    Demand { phases: Some([true; 3]), ..generate::car(leaf) }
}

fn one(leaf: usize) -> Demand {
    Demand { phases: Some([true, false, false]), ..car(leaf) }
}

fn share(rows: &Rows, reserved: &[f64], demands: &[Demand]) -> Shares {
    let caps: Vec<f64> = rows.rows.iter().map(|row| row.cap).collect();
    solve(&Problem { rows, caps: &caps, reserved, demands, min_on_seconds: 900.0 })
}

fn amps(shares: &Shares) -> Vec<f64> {
    shares.grants.iter().map(|grant| grant.amps).collect()
}

#[test]
fn what_is_left_by_one_goes_to_the_others_by_weight() {
    let rows = board("amps = 40", &["", "", ""]);
    let demands = [Demand { max: 8.0, ..car(0) }, car(1), Demand { weight: 2.0, ..car(2) }];
    let shares = share(&rows, &[], &demands);
    assert_eq!(amps(&shares), [8.0, 10.6, 21.3]);
    assert_eq!(shares.explain(&rows, 0), "CP-0 connector 1: 8 A, all that it asks for");
    assert_eq!(shares.explain(&rows, 1), "CP-1 connector 1: 10.6 A, its share: L1 of grid is used up");
}

#[test]
fn a_car_on_one_phase_takes_nothing_from_the_others_and_rotation_spreads_them() {
    let rows = board("amps = 32", &["", "", ""]);
    let demands = [one(0), one(1), one(2)];
    assert_eq!(amps(&share(&rows, &[], &demands)), [10.6; 3]);
    let rows = board("amps = 32", &["RST|", "STR|", "TRS|"]);
    assert_eq!(amps(&share(&rows, &[], &demands)), [32.0; 3]);
    // Of which phase it is not known, each counts.
    let unknown: Vec<Demand> = demands.iter().map(|demand| Demand { phases: None, ..*demand }).collect();
    assert_eq!(amps(&share(&rows, &[], &unknown)), [10.6; 3]);
}

#[test]
fn watts_are_a_row_as_well() {
    let rows = board("watts = 13800", &["", ""]);
    let shares = share(&rows, &[], &[car(0), one(1)]);
    assert_eq!(amps(&shares), [15.0, 15.0]);
    let row = rows.row("grid", Quantity::Watts).unwrap();
    assert_eq!((shares.used[row], shares.left[row]), (13_800.0, 0.0));
}

#[test]
fn who_finds_no_room_for_its_minimum_waits_and_turns_go_around() {
    let rows = board("amps = 13", &["", "", ""]);
    let on = |leaf, seconds| Demand { on_for: Some(seconds), ..car(leaf) };
    let off = |leaf, seconds| Demand { waited: seconds, ..car(leaf) };
    let shares = share(&rows, &[], &[on(0, 100.0), on(1, 100.0), off(2, 3000.0)]);
    assert_eq!(amps(&shares), [6.5, 6.5, 0.0]);
    let row = rows.row("grid", Quantity::L1).unwrap();
    assert_eq!(shares.grants[2].reason, Reason::Waiting(row));
    assert!(shares.explain(&rows, 2).ends_with("waits for its turn: L1 of grid has no room for its minimum"));
    // One has had its turn.
    let shares = share(&rows, &[], &[on(0, 1000.0), on(1, 100.0), off(2, 10.0)]);
    assert_eq!(amps(&shares), [0.0, 6.5, 6.5]);
    // Nobody waits: nobody is stopped.
    let shares = share(&rows, &[], &[on(0, 1000.0), on(1, 1000.0)]);
    assert_eq!(amps(&shares), [6.5, 6.5]);
    // A higher class comes first, whatever the turns.
    let shares = share(&rows, &[], &[on(0, 100.0), on(1, 200.0), Demand { class: 1, ..off(2, 0.0) }]);
    assert_eq!(shares.grants[2].amps, 6.5);
    // So does one that must leave, after those that have just begun.
    let late = Demand { laxity: Some(-60.0), floor: 7.0, ..off(2, 0.0) };
    let shares = share(&rows, &[], &[on(0, 100.0), on(1, 1000.0), late]);
    assert_eq!(amps(&shares), [6.0, 0.0, 7.0]);
    assert_eq!(shares.grants[2].reason, Reason::Deadline(row));
}

/// Who takes turns on a board with room for two, with a decision each minute for a day.
#[test]
fn over_a_day_everyone_has_had_its_turns_and_none_was_short() {
    let rows = board("amps = 13", &["", "", "", "", ""]);
    let mut on: Vec<Option<f64>> = vec![None; 5];
    let (mut waited, mut total) = (vec![0.0_f64; 5], vec![0.0_f64; 5]);
    for _ in 0..24 * 60 {
        let demands: Vec<Demand> =
            (0..5).map(|leaf| Demand { on_for: on[leaf], waited: waited[leaf], ..car(leaf) }).collect();
        let shares = share(&rows, &[], &demands);
        for grant in &shares.grants {
            let leaf = grant.leaf;
            if grant.amps > 0.0 {
                on[leaf] = Some(on[leaf].map_or(60.0, |seconds| seconds + 60.0));
                (waited[leaf], total[leaf]) = (0.0, total[leaf] + 1.0);
            } else {
                assert!(on[leaf].is_none_or(|seconds| seconds >= 900.0), "a turn of {:?}", on[leaf]);
                (on[leaf], waited[leaf]) = (None, waited[leaf] + 60.0);
            }
        }
    }
    let each = 24.0 * 60.0 * 2.0 / 5.0;
    assert!(total.iter().all(|minutes| (minutes - each).abs() < 30.0), "{total:?}");
}

#[test]
fn what_is_reserved_counts_whether_it_is_drawn_or_not() {
    let rows = board("amps = 40", &["", "", ""]);
    // An empty connector whose station is out of reach.
    assert_eq!(amps(&share(&rows, &[10.0, 0.0, 0.0], &[car(1), car(2)])), [15.0, 15.0]);
    // Its own reserve costs nobody anything.
    let shares = share(&rows, &[0.0, 20.0, 0.0], &[car(1), car(2), car(0)]);
    assert_eq!(amps(&shares), [20.0, 10.0, 10.0]);
    let row = rows.row("grid", Quantity::L1).unwrap();
    assert_eq!(shares.grants[0].reason, Reason::Reserved(row));
    assert_eq!(shares.used[row], 40.0);
    let small = Demand { max: 8.0, ..car(1) };
    assert_eq!(amps(&share(&rows, &[0.0, 20.0, 0.0], &[small, car(2), car(0)])), [8.0, 10.0, 10.0]);
}

#[test]
fn where_reserves_exceed_a_row_what_is_drawn_comes_down_as_far_as_it_can() {
    let rows = board("amps = 40", &["", "", "", ""]);
    let row = rows.row("grid", Quantity::L1).unwrap();
    // Three fallbacks of 16 A are too much for 40 A: those that answer share what one out of reach leaves.
    let shares = share(&rows, &[16.0, 16.0, 16.0, 0.0], &[car(1), car(2)]);
    assert_eq!(amps(&shares), [12.0, 12.0]);
    assert!(shares.left[row] < 0.0);
    // None gets more than its reserve, and one without a reserve nothing.
    let shares = share(&rows, &[32.0, 7.0, 8.0, 0.0], &[car(1), car(2), car(3)]);
    assert_eq!(amps(&shares), [7.0, 0.0, 0.0]);
    assert_eq!(shares.grants[0].reason, Reason::Exceeded(row));
    assert_eq!(shares.grants[1].reason, Reason::Waiting(row));
    assert_eq!(shares.grants[2].reason, Reason::Waiting(row));
}

#[test]
fn a_station_with_two_connectors_shares_its_fuse() {
    let text = r#"
        id = "x"
        node = [{ id = "grid" }]
        [[station]]
        id = "A"
        parent = "grid"
        amps = 32
        connector = [{ number = 1, amps = 32 }, { number = 2, amps = 32, wiring = "L1" }]
    "#;
    let rows = Rows::compile(&Site::from_toml(text).unwrap());
    let shares = share(&rows, &[], &[car(0), car(1)]);
    assert_eq!(amps(&shares), [16.0, 16.0]);
    assert!(shares.explain(&rows, 0).ends_with("L1 of A is used up"));
}

#[test]
fn a_rectifier_counts_on_three_phases_whatever_its_car_says() {
    let rows = board("amps = 40", &[", dc_efficiency = 0.94", ""]);
    let shares = share(&rows, &[], &[one(0), one(1)]);
    assert_eq!(amps(&shares), [20.0, 20.0]);
    let l3 = shares.used[rows.row("grid", Quantity::L3).unwrap()];
    assert!((l3 - 20.0).abs() < 1e-9, "{l3}");
}

#[test]
fn one_phase_may_carry_only_so_much_more_than_another() {
    let rows = board("amps = 100, unbalance_amps = 20", &["", ""]);
    let shares = share(&rows, &[], &[one(0), one(1)]);
    assert_eq!(amps(&shares), [10.0, 10.0]);
    let row = rows.row("grid", Quantity::UnbalanceL1).unwrap();
    assert_eq!(shares.grants[0].reason, Reason::Unbalance(row));
    assert_eq!((shares.used[row], shares.left[row]), (20.0, 0.0));
    assert!(shares.explain(&rows, 0).ends_with("unbalance of L1 of grid is at its limit"));
    // A car on three phases makes it neither better nor worse.
    let shares = share(&rows, &[], &[one(0), car(1)]);
    assert_eq!(amps(&shares), [20.0, 32.0]);
    // Cars on all phases carry each other.
    let rows = board("amps = 100, unbalance_amps = 20", &["RST|", "STR|", "TRS|"]);
    assert_eq!(amps(&share(&rows, &[], &[one(0), one(1), one(2)])), [32.0; 3]);
    let shares = share(&rows, &[], &[one(0), one(1), Demand { max: 7.0, ..one(2) }]);
    assert_eq!(amps(&shares), [27.0, 27.0, 7.0]);
    // One whose phases are not known may be on L1, or on L1 and L2, and carries nobody.
    let unknown = |leaf| Demand { phases: None, ..car(leaf) };
    assert_eq!(amps(&share(&rows, &[], &[unknown(0), unknown(1), unknown(2)])), [10.0; 3]);
}

#[test]
fn whoever_must_leave_has_what_it_needs_and_the_rest_is_shared() {
    let rows = board("amps = 40", &["", "", ""]);
    let shares = share(&rows, &[], &[Demand { floor: 20.0, ..car(0) }, car(1), car(2)]);
    assert_eq!(amps(&shares), [20.0, 10.0, 10.0]);
    // A need that does not fit is met as far as it can.
    let shares = share(&rows, &[], &[Demand { floor: 30.0, ..car(0) }, Demand { floor: 30.0, ..car(1) }]);
    assert_eq!(shares.grants[0].amps + shares.grants[1].amps, 40.0);
}
