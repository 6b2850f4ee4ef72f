//! A checker that shares no code with the solver: it reads the site and computes every current of every node with
//! complex numbers.

use roamwatt::load::site::{Node, Rotation, Site, Windings, Wiring};
use std::collections::HashMap;

type Complex = (f64, f64);

fn polar(length: f64, degrees: f64) -> Complex {
    (length * degrees.to_radians().cos(), length * degrees.to_radians().sin())
}

fn plus(a: Complex, b: Complex) -> Complex {
    (a.0 + b.0, a.1 + b.1)
}

fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn scale(a: Complex, by: f64) -> Complex {
    (a.0 * by, a.1 * by)
}

const VOLTAGE: [f64; 3] = [0.0, -120.0, 120.0];

/// What a connector may draw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draw {
    /// Granted or reserved, the larger, amperes.
    pub(super) amps: f64,
    /// Granted.
    pub(super) granted: f64,
    /// The car's phases; none when they are not known.
    pub(super) phases: Option<[bool; 3]>,
}

/// The ways in which a car on a connector may use its phases, each as the currents on the node's three phases.
fn ways(wiring: Wiring, direct: bool, rotation: Rotation, phases: Option<[bool; 3]>) -> Vec<[Complex; 3]> {
    let to = match rotation {
        Rotation::Rst => [0, 1, 2],
        Rotation::Rts => [0, 2, 1],
        Rotation::Srt => [1, 0, 2],
        Rotation::Str => [1, 2, 0],
        Rotation::Trs => [2, 0, 1],
        Rotation::Tsr => [2, 1, 0],
    };
    let there = match wiring {
        Wiring::Three => [true; 3],
        Wiring::L1 => [true, false, false],
        Wiring::Two => [true, true, false],
        Wiring::L1ToL2 => {
            let angle = |phase: usize| polar(1.0, VOLTAGE[phase]);
            let volts = plus(angle(to[0]), scale(angle(to[1]), -1.0));
            let unit = scale(volts, 1.0 / volts.0.hypot(volts.1));
            let mut flows = [(0.0, 0.0); 3];
            flows[to[0]] = unit;
            flows[to[1]] = scale(unit, -1.0);
            return vec![flows];
        }
    };
    let flows = |mask: [bool; 3]| {
        let mut flows = [(0.0, 0.0); 3];
        for own in 0..3 {
            if mask[own] && there[own] {
                flows[to[own]] = polar(1.0, VOLTAGE[to[own]]);
            }
        }
        flows
    };
    match phases {
        _ if direct => vec![flows([true; 3])],
        Some(mask) if (0..3).all(|own| !mask[own] || there[own]) && mask.contains(&true) => vec![flows(mask)],
        _ => {
            let all = (1..8_u8).map(|bits| [bits & 1 > 0, bits & 2 > 0, bits & 4 > 0]);
            all.filter(|mask| (0..3).all(|own| !mask[own] || there[own])).map(flows).collect()
        }
    }
}

fn through(node: &Node, flows: [Complex; 3]) -> [Complex; 3] {
    let Some(transformer) = node.transformer else { return flows };
    let [a, b, c] = flows;
    match transformer.windings {
        Windings::WyeWye => {
            flows.map(|flow| scale(flow, transformer.secondary_volts / transformer.primary_volts))
        }
        Windings::DeltaWye => {
            let n = transformer.primary_volts / (transformer.secondary_volts / 3.0_f64.sqrt());
            let minus = |x: Complex, y: Complex| times(plus(x, scale(y, -1.0)), polar(1.0 / n, 30.0));
            [minus(a, c), minus(b, a), minus(c, b)]
        }
    }
}

/// The connectors below a node: for each the ways of its currents there, and what it may draw.
type Below = Vec<(Vec<[Complex; 3]>, f64, Draw)>;

/// Everything that is above its limit: node, quantity, found, allowed. `limits` gives a node's amperes on each phase
/// and watts, after schedule and margin.
pub(super) fn violations(
    site: &Site,
    draws: &[Draw],
    limits: impl Fn(&Node) -> ([f64; 3], f64),
) -> Vec<(String, String, f64, f64)> {
    let index: HashMap<&str, usize> =
        site.nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
    let mut below: Vec<Below> = vec![Vec::new(); site.nodes.len()];
    let volts: Vec<f64> = site.nodes.iter().map(|node| site.volts_at(&node.id)).collect();
    let mut found = Vec::new();
    let mut leaf = 0;
    for station in &site.stations {
        let mut own: Below = Vec::new();
        for connector in &station.connectors {
            let draw = draws[leaf];
            leaf += 1;
            let direct = connector.dc_efficiency.is_some();
            let mut flows = ways(connector.wiring, direct, station.rotation, draw.phases);
            let lines = flows.iter().map(|way| way.iter().filter(|flow| flow.0.hypot(flow.1) > 0.0).count());
            let volts = volts[index[station.parent.as_str()]];
            let watts = match connector.wiring {
                Wiring::L1ToL2 => 3.0_f64.sqrt() * volts,
                _ => lines.max().unwrap() as f64 * volts,
            };
            own.push((flows.clone(), watts, draw));
            let mut at = Some(index[station.parent.as_str()]);
            while let Some(node) = at {
                below[node].push((flows.clone(), watts, draw));
                flows = flows.into_iter().map(|way| through(&site.nodes[node], way)).collect();
                at = site.nodes[node].parent.as_deref().map(|parent| index[parent]);
            }
        }
        if let Some(amps) = station.amps {
            for phase in 0..3 {
                over(&mut found, &station.id, &format!("L{}", phase + 1), worst(&own, phase), amps);
            }
        }
    }
    for (node, below) in site.nodes.iter().zip(&below) {
        let (amps, watts) = limits(node);
        for (phase, amps) in amps.into_iter().enumerate().filter(|(_, amps)| amps.is_finite()) {
            over(&mut found, &node.id, &format!("L{}", phase + 1), worst(below, phase), amps);
        }
        over(&mut found, &node.id, "W", below.iter().map(|(_, watts, draw)| watts * draw.amps).sum(), watts);
        if let Some(limit) = node.unbalance_amps {
            for (one, other) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
                let name = format!("L{} over L{}", one + 1, other + 1);
                over(&mut found, &node.id, &name, apart(below, one, other), limit);
            }
        }
    }
    found
}

fn over(found: &mut Vec<(String, String, f64, f64)>, node: &str, what: &str, amount: f64, limit: f64) {
    if amount > limit + 1e-6 * limit.abs().max(1.0) {
        found.push((node.to_owned(), what.to_owned(), amount, limit));
    }
}

/// The most that can flow on a phase, whatever part of its amperes each draws and whichever phases it uses.
fn worst(below: &Below, phase: usize) -> f64 {
    // Currents that all point the same way simply add up.
    let mut all = below.iter().flat_map(|(ways, ..)| ways.iter().map(|way| way[phase]));
    let Some(first) = all.clone().find(|flow| flow.0.hypot(flow.1) > 1e-9) else { return 0.0 };
    let same = |flow: Complex| {
        let (across, along) = (first.0 * flow.1 - first.1 * flow.0, first.0 * flow.0 + first.1 * flow.1);
        across.abs() < 1e-9 && along > -1e-9
    };
    if all.all(same) {
        let most = |ways: &Vec<[Complex; 3]>| {
            ways.iter().map(|way| way[phase].0.hypot(way[phase].1)).fold(0.0, f64::max)
        };
        return below.iter().map(|(ways, _, draw)| most(ways) * draw.amps).sum();
    }
    let reach = |angle: f64| -> Complex {
        let unit = polar(1.0, angle);
        below.iter().fold((0.0, 0.0), |sum, (ways, _, draw)| {
            let along = |flow: &Complex| flow.0 * unit.0 + flow.1 * unit.1;
            let most =
                ways.iter().map(|way| way[phase]).max_by(|a, b| along(a).total_cmp(&along(b))).unwrap();
            if along(&most) > 0.0 { plus(sum, scale(most, draw.amps)) } else { sum }
        })
    };
    let mut best = 0.0_f64;
    for step in 0..12 {
        let mut angle = f64::from(step) * 30.0;
        // The farthest point in a direction lies in a better direction itself.
        for _ in 0..3 {
            let point = reach(angle);
            best = best.max(point.0.hypot(point.1));
            angle = point.1.atan2(point.0).to_degrees();
        }
    }
    best
}

/// The most by which the active current of one phase can exceed another's, if all draw what they are granted.
fn apart(below: &Below, one: usize, other: usize) -> f64 {
    let active = |way: &[Complex; 3], phase: usize| {
        let unit = polar(1.0, VOLTAGE[phase]);
        way[phase].0 * unit.0 + way[phase].1 * unit.1
    };
    below
        .iter()
        .map(|(ways, _, draw)| {
            // Of a car that is not known yet: L1, L1 and L2, or all three; never L2 or L3 without L1.
            let likely = ways.iter().enumerate().filter(|(at, _)| ways.len() == 1 || [0, 2, 6].contains(at));
            let most = likely.map(|(_, way)| active(way, one) - active(way, other));
            draw.granted * most.max_by(f64::total_cmp).unwrap()
        })
        .sum()
}
