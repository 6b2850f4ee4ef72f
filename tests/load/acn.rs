//! The site models of ACN-Sim, whose constraints were published: `tests/fixtures/load/acn.json` has the matrices, phase
//! angles and limits of `acnportal` 0.3 (`caltech_acn` and `jpl_acn`). A site of ours with the same wiring must come to
//! the same sums of currents.

use super::generate::car;
use roamwatt::load::rows::{Phasor, Quantity, Rows};
use roamwatt::load::site::Site;
use roamwatt::load::solver::{Demand, Problem, solve};
use serde_json::{Value, json};

fn published(site: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../fixtures/load/acn.json")).unwrap();
    all[site].clone()
}

/// acnportal's transformers pass a quarter of a phase's current on: 480 V to 480 / 4 · √3.
const SECONDARY: f64 = 120.0 * 1.732_050_807_568_877_2;

fn number(value: &Value) -> f64 {
    value.to_string().parse().unwrap()
}

/// A site with these nodes, and each EVSE at the node that its constraints name.
fn site(model: &Value, nodes: Value, parent: impl Fn(&dyn Fn(&str) -> bool) -> String) -> Site {
    let constraints = model["constraints"].as_array().unwrap();
    let evses = model["evses"].as_array().unwrap();
    let stations: Vec<Value> = evses
        .iter()
        .enumerate()
        .map(|(at, id)| {
            let within = |name: &str| {
                let named = constraints.iter().filter(|row| row["name"].as_str().unwrap().starts_with(name));
                named.into_iter().any(|row| number(&row["coefficients"][at]) != 0.0)
            };
            let rotation = match number(&model["angles"][at]) as i32 {
                30 => "RST",
                -90 => "STR",
                150 => "TRS",
                other => panic!("{other}"),
            };
            json!({"id": id, "parent": parent(&within), "rotation": rotation,
                   "connector": [{"number": 1, "amps": 32, "wiring": "L1-L2"}]})
        })
        .collect();
    let text = json!({"id": "acn", "volts": 277.128, "node": nodes, "station": stations}).to_string();
    Site::from_json(&text).unwrap()
}

fn caltech() -> (Value, Site) {
    let model = published("caltech");
    let transformer = json!({"windings": "delta-wye", "primary_volts": 480, "secondary_volts": SECONDARY});
    let nodes = json!([
        {"id": "primary", "amps": 180.505415},
        {"id": "secondary", "parent": "primary", "amps": 416.666667, "transformer": transformer},
        {"id": "CC Pod", "parent": "secondary", "amps": 80},
        {"id": "AV Pod", "parent": "secondary", "amps": 80},
    ]);
    let site = site(&model, nodes, |within| {
        let pod = ["CC Pod", "AV Pod"].into_iter().find(|pod| within(pod));
        pod.unwrap_or("secondary").to_owned()
    });
    (model, site)
}

fn jpl() -> (Value, Site) {
    let model = published("jpl");
    let transformer = json!({"windings": "delta-wye", "primary_volts": 480, "secondary_volts": SECONDARY});
    let (first, upper) = ("First Floor Transformer", "Third/Fourth Floor Transformer");
    let nodes = json!([
        {"id": "grid"},
        {"id": "first", "parent": "grid", "amps": 216.506351},
        {"id": first, "parent": "first", "amps": 125, "transformer": transformer},
        {"id": "upper", "parent": "grid", "amps": 721.687836},
        {"id": upper, "parent": "upper", "amps": 416.666667, "transformer": transformer},
        {"id": "First Floor SP1", "parent": first, "amps": 100},
        {"id": "First Floor SP2", "parent": first, "amps": 100},
        {"id": "Third Floor Panel", "parent": upper, "amps": 225},
        {"id": "Fourth Floor Panel", "parent": upper, "amps": 225},
    ]);
    let panels = ["First Floor SP1", "First Floor SP2", "Third Floor Panel", "Fourth Floor Panel"];
    let site = site(&model, nodes, |within| {
        let panel = panels.into_iter().find(|panel| within(&format!("{panel} I_")));
        panel.unwrap_or(if within(first) { first } else { upper }).to_owned()
    });
    (model, site)
}

/// Our row for a constraint.
fn row_of(rows: &Rows, name: &str) -> usize {
    let phase = match name.chars().last().unwrap().to_ascii_uppercase() {
        'B' => Quantity::L2,
        'C' => Quantity::L3,
        // The pods hang between L1 and L2.
        _ => Quantity::L1,
    };
    let node = match name {
        "CC Pod" | "AV Pod" => name,
        _ if name.starts_with("Primary") => "primary",
        _ if name.starts_with("Secondary") => "secondary",
        _ if name.starts_with("First Floor Transformer Primary") => "first",
        _ if name.starts_with("Third/Fourth Floor Transformer Primary") => "upper",
        _ => name.split(" Secondary").next().unwrap().split(" I_").next().unwrap(),
    };
    rows.row(node, phase).unwrap_or_else(|| panic!("{name} is {node}"))
}

fn same_sums((model, site): (Value, Site)) {
    let rows = Rows::compile(&site);
    let mut rng = fastrand::Rng::with_seed(3);
    for constraint in model["constraints"].as_array().unwrap() {
        let name = constraint["name"].as_str().unwrap();
        let row = row_of(&rows, name);
        assert!((rows.rows[row].cap - number(&constraint["limit"])).abs() < 1e-5, "{name}");
        for _ in 0..20 {
            let (mut theirs, mut ours) = (Phasor::ZERO, Phasor::ZERO);
            let amps: Vec<f64> = rows.outlets.iter().map(|_| rng.f64() * 32.0).collect();
            for (at, amps) in amps.iter().enumerate() {
                let turned = Phasor::degrees(number(&model["angles"][at]));
                theirs = theirs + turned * (number(&constraint["coefficients"][at]) * amps);
            }
            for term in rows.terms(row) {
                ours = ours + Phasor { re: term.re, im: term.im } * amps[term.leaf];
            }
            let (theirs, ours) = (theirs.length(), ours.length());
            assert!((theirs - ours).abs() < 1e-4 * theirs.max(1.0), "{name}: {ours}, published {theirs}");
        }
    }
}

#[test]
fn caltech_has_the_published_constraints() {
    same_sums(caltech());
}

#[test]
fn jpl_has_the_published_constraints() {
    same_sums(jpl());
}

/// Everyone alike under a cap: the phasor sums allow more than a sum of absolutes, and we lose less than half a percent
/// of what they allow.
#[test]
fn little_is_lost_by_the_directions() {
    let (model, site) = caltech();
    let rows = Rows::compile(&site);
    for kilowatts in [20.0, 30.0, 45.0, 100.0] {
        let mut caps: Vec<f64> = rows.rows.iter().map(|row| row.cap).collect();
        for constraint in model["constraints"].as_array().unwrap() {
            let name = constraint["name"].as_str().unwrap();
            let part = kilowatts / 150.0;
            if !name.ends_with("Pod") {
                caps[row_of(&rows, name)] *= part;
            }
        }
        let demand = |leaf| Demand { min: 0.0, ..car(leaf) };
        let demands: Vec<Demand> = (0..rows.outlets.len()).map(demand).collect();
        let problem =
            Problem { rows: &rows, caps: &caps, reserved: &[], demands: &demands, min_on_seconds: 900.0 };
        let shares = solve(&problem);
        let amps: Vec<f64> = shares.grants.iter().map(|grant| grant.exact).collect();
        let fullest = rows.rows.iter().enumerate().map(|(row, _)| {
            let sum = rows
                .terms(row)
                .fold(Phasor::ZERO, |sum, term| sum + Phasor { re: term.re, im: term.im } * amps[term.leaf]);
            sum.length() / caps[row]
        });
        let fullest = fullest.fold(0.0, f64::max);
        assert!(fullest <= 1.0 + 1e-9 && fullest > 0.995, "{kilowatts} kW: {fullest}");
        let least = amps.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(least > 0.5, "{least}");
    }
}
