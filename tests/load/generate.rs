//! Random sites and demands, by seed.

use fastrand::Rng;
use roamwatt::load::rows::Rows;
use roamwatt::load::site::Site;
use roamwatt::load::solver::Demand;
use serde_json::{Value, json};

/// What a generated site may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Loads between phases and transformers.
    pub(super) phasors: bool,
    /// Limits of unbalance.
    pub(super) unbalance: bool,
    /// Schedules and margins.
    pub(super) schedules: bool,
    /// How scarce the current is, about: 1 is enough for everyone.
    pub(super) scarce: f64,
}

pub(super) const PLAIN: Kind = Kind { phasors: false, unbalance: false, schedules: false, scarce: 0.4 };

fn tenths(rng: &mut Rng, from: i32, to: i32) -> f64 {
    f64::from(rng.i32(from * 10..=to * 10)) / 10.0
}

/// A site with about so many connectors.
pub(super) fn site(rng: &mut Rng, connectors: usize, kind: Kind) -> Site {
    let text = json(rng, connectors, kind).to_string();
    Site::from_json(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn json(rng: &mut Rng, connectors: usize, kind: Kind) -> Value {
    let boards = (connectors / 12).max(1) + rng.usize(0..3);
    let mut volts = vec![if kind.phasors { 277.0 } else { 230.0 }];
    let mut parents: Vec<Option<usize>> = vec![None];
    let mut transformers = vec![Value::Null];
    for board in 1..=boards {
        // A few long ways down, many short ones.
        let parent = rng.usize(board.saturating_sub(5)..board).min(rng.usize(0..board).max(board / 3));
        let above = volts[parent];
        parents.push(Some(parent));
        if kind.phasors && above > 200.0 && rng.f64() < 0.5 {
            let windings = if rng.f64() < 0.7 { "delta-wye" } else { "wye-wye" };
            let primary = above * 3.0_f64.sqrt();
            transformers
                .push(json!({"windings": windings, "primary_volts": primary, "secondary_volts": 208}));
            volts.push(208.0 / 3.0_f64.sqrt());
        } else {
            transformers.push(Value::Null);
            volts.push(above);
        }
    }
    let mut below = vec![0_usize; boards + 1];
    let mut stations = Vec::new();
    let mut count = 0;
    while count < connectors {
        let board = rng.usize(0..=boards);
        let rotation = ["RST", "RTS", "SRT", "STR", "TRS", "TSR"][rng.usize(0..6)];
        let here = if rng.f64() < 0.3 { 2 } else { 1 };
        let each: Vec<Value> = (1..=here).map(|number: usize| connector(rng, number, kind)).collect();
        let mut station = json!({
            "id": format!("CP-{}", stations.len()), "parent": format!("node-{board}"),
            "rotation": rotation, "connector": each,
        });
        if rng.f64() < 0.3 {
            station["amps"] = json!(tenths(rng, 12, 40));
        }
        stations.push(station);
        count += here;
        let mut up = Some(board);
        while let Some(board) = up {
            below[board] += here;
            up = parents[board];
        }
    }
    let nodes: Vec<Value> = (0..=boards)
        .map(|board| {
            let mut node = json!({"id": format!("node-{board}")});
            if let Some(parent) = parents[board] {
                node["parent"] = json!(format!("node-{parent}"));
            }
            if !transformers[board].is_null() {
                node["transformer"] = transformers[board].clone();
            }
            limits(rng, &mut node, below[board] as f64, volts[board], kind);
            node
        })
        .collect();
    json!({
        "id": "generated", "time_zone": "Europe/Berlin", "volts": volts[0], "node": nodes, "station": stations,
    })
}

fn connector(rng: &mut Rng, number: usize, kind: Kind) -> Value {
    let min = tenths(rng, 5, 8);
    let weight = [1.0, 1.0, 2.0, 0.5, 1.7][rng.usize(0..5)];
    let mut connector = json!({
        "number": number, "amps": tenths(rng, 16, 32), "min_amps": min,
        "weight": weight,
        "fallback_amps": if rng.bool() { 0.0 } else { min },
    });
    let draw = rng.f64();
    if draw < 0.1 {
        connector["dc_efficiency"] = json!(0.94);
    } else if draw < 0.3 {
        connector["wiring"] = json!("L1");
    } else if draw < 0.4 {
        connector["wiring"] = json!("L1+L2");
    } else if kind.phasors && draw < 0.8 {
        connector["wiring"] = json!("L1-L2");
    }
    connector
}

fn limits(rng: &mut Rng, node: &mut Value, below: f64, volts: f64, kind: Kind) {
    let amps = 10.0 + (below * 24.0 * kind.scarce * (0.4 + 1.2 * rng.f64())).round();
    match rng.usize(0..4) {
        0 => {}
        1 => node["amps"] = json!({"l1": amps, "l2": amps + 7.0, "l3": (amps - 3.0).max(0.0)}),
        _ => node["amps"] = json!(amps),
    }
    if rng.f64() < 0.3 {
        node["watts"] = json!((amps * volts * 2.5).round());
    }
    if kind.unbalance && rng.f64() < 0.4 {
        node["unbalance_amps"] = json!(tenths(rng, 10, 30));
    }
    if kind.schedules && rng.f64() < 0.3 {
        node["margin_amps"] = json!(tenths(rng, 0, 2));
        let window = match rng.usize(0..4) {
            0 => json!({"from": "17:00", "to": "20:00", "amps": (amps * 0.7).round()}),
            1 => json!({"from": "22:00", "to": "18:00", "watts": (amps * volts * 1.5).round()}),
            2 => json!({"from": "08:00", "to": "09:00", "amps": 1.0}),
            _ => json!({"from": "00:00", "to": "24:00", "days": ["wed"], "amps": (amps * 0.8).round()}),
        };
        node["schedule"] = json!([window]);
    }
}

/// A car at most of the connectors.
pub(super) fn demands(rng: &mut Rng, rows: &Rows) -> Vec<Demand> {
    let mut demands = Vec::new();
    for (leaf, outlet) in rows.outlets.iter().enumerate() {
        if rng.f64() < 0.2 {
            continue;
        }
        let phases = match rng.usize(0..4) {
            0 => None,
            1 => Some([true, false, false]),
            2 => Some(outlet.phases),
            _ => Some([true, outlet.phases[1], false]),
        };
        demands.push(Demand {
            leaf,
            min: outlet.min,
            max: (outlet.min + tenths(rng, -1, 26)).max(0.0),
            weight: outlet.weight,
            class: rng.i32(0..2),
            phases,
            floor: if rng.f64() < 0.1 { tenths(rng, 6, 20) } else { 0.0 },
            laxity: if rng.f64() < 0.3 { Some(rng.f64() * 7200.0 - 600.0) } else { None },
            on_for: if rng.bool() { Some(rng.f64() * 3600.0) } else { None },
            waited: rng.f64() * 3600.0,
        });
    }
    rng.shuffle(&mut demands);
    demands
}

/// Reserves: the fallback of many, more of some.
pub(super) fn reserved(rng: &mut Rng, rows: &Rows) -> Vec<f64> {
    let reserve = |rng: &mut Rng, outlet: &roamwatt::load::rows::Outlet| match rng.usize(0..20) {
        0 => outlet.max,
        1..=5 => outlet.fallback,
        _ => 0.0,
    };
    rows.outlets.iter().map(|outlet| reserve(rng, outlet)).collect()
}

/// A car that has just come, takes 6 to 32 A and says nothing.
pub(super) fn car(leaf: usize) -> Demand {
    Demand {
        leaf,
        min: 6.0,
        max: 32.0,
        weight: 1.0,
        class: 0,
        phases: None,
        floor: 0.0,
        laxity: None,
        on_for: None,
        waited: 0.0,
    }
}
