//! How fast a site's current is shared, on one core: `cargo bench --bench load`. Each measurement is one whole
//! solution, admission and reasons included, after others that warmed up; docs/benchmarks.md has figures.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::arithmetic_side_effects
)]
#![allow(clippy::as_conversions, clippy::float_arithmetic, unsafe_code, missing_docs)]

use fastrand::Rng;
use roamwatt::load::rows::Rows;
use roamwatt::load::site::Site;
use roamwatt::load::solver::{Demand, Problem, Reason, Solver};
use serde_json::{Value, json};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands everything to the system's allocator and only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn in_use() -> usize {
    IN_USE.load(Ordering::Relaxed)
}

/// A site of so many connectors: boards of twenty stations in the three usual rotations, five of them under a floor's
/// board, eight of these under a building's, all under the grid connection; each with amperes, every other with watts.
fn site(connectors: usize, unbalance: bool) -> Site {
    let mut nodes: Vec<Value> = Vec::new();
    let mut stations: Vec<Value> = Vec::new();
    let mut limited = |id: String, parent: Option<String>, below: usize| {
        let amps = 20.0 + below as f64 * 11.0;
        let mut node = json!({"id": id, "amps": amps});
        if let Some(parent) = parent {
            node["parent"] = json!(parent);
        }
        if nodes.len().is_multiple_of(2) {
            node["watts"] = json!(amps * 3.0 * 230.0 * 0.95);
        }
        if unbalance && below <= 100 && below > 20 {
            node["unbalance_amps"] = json!(20.0);
        }
        nodes.push(node);
    };
    let (board, floor, building) = (20, 100, 800);
    limited("grid".to_owned(), None, connectors);
    for at in 0..connectors.div_ceil(building) {
        limited(format!("building-{at}"), Some("grid".to_owned()), building);
    }
    for at in 0..connectors.div_ceil(floor) {
        limited(format!("floor-{at}"), Some(format!("building-{}", at * floor / building)), floor);
    }
    for at in 0..connectors.div_ceil(board) {
        limited(format!("board-{at}"), Some(format!("floor-{}", at * board / floor)), board);
    }
    for at in 0..connectors {
        let rotation = ["RST", "STR", "TRS"][at % 3];
        stations.push(json!({
            "id": format!("CP-{at}"), "parent": format!("board-{}", at / board), "rotation": rotation,
            "connector": [{"number": 1, "amps": 32}],
        }));
    }
    let text = json!({"id": "bench", "node": nodes, "station": stations}).to_string();
    Site::from_json(&text).unwrap()
}

/// A car at nine of ten connectors; one in three on one phase, one in ten not known yet.
fn demands(rng: &mut Rng, connectors: usize) -> Vec<Demand> {
    let leaves = (0..connectors).filter(|_| rng.f64() < 0.9).collect::<Vec<_>>();
    let one = |leaf: usize, rng: &mut Rng| Demand {
        leaf,
        min: 6.0,
        max: [10.0, 13.0, 16.0, 20.0, 32.0][rng.usize(0..5)],
        weight: 1.0 + rng.f64(),
        class: rng.i32(0..3),
        phases: [None, Some([true, false, false]), Some([true, false, false]), Some([true; 3])]
            [[0, 1, 1, 1, 2, 3, 3, 3, 3, 3][rng.usize(0..10)]],
        floor: if rng.f64() < 0.05 { 12.0 } else { 0.0 },
        laxity: if rng.bool() { Some(rng.f64() * 20_000.0) } else { None },
        on_for: if rng.f64() < 0.7 { Some(rng.f64() * 10_000.0) } else { None },
        waited: rng.f64() * 3_600.0,
    };
    leaves.into_iter().map(|leaf| one(leaf, rng)).collect()
}

/// Nanoseconds that this thread has computed, where the system tells: on a busy machine a clock counts what others do.
fn computed() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

fn measure(connectors: usize, rounds: usize, unbalance: bool, scarce: f64) {
    let mut rng = Rng::with_seed(7);
    let site = site(connectors, unbalance);
    let before = in_use();
    let begun = Instant::now();
    let rows = Rows::compile(&site);
    let compiled = begun.elapsed().as_secs_f64() * 1e3;
    let of_rows = in_use() - before;
    let caps: Vec<f64> = rows.rows.iter().map(|row| row.cap * scarce).collect();
    let caps: Vec<f64> = caps
        .iter()
        .zip(&rows.rows)
        .map(|(cap, row)| if row.name.of.is_unbalance() { row.cap } else { *cap })
        .collect();
    let reserved: Vec<f64> =
        (0..connectors).map(|leaf| if leaf % 7 == 0 { 6.0 * scarce } else { 0.0 }).collect();
    let mut solver = Solver::default();
    let mut times = Vec::with_capacity(rounds);
    let (mut passes, mut waiting, mut full) = (0, 0, 0);
    let mut of_solver = 0;
    let various: Vec<Vec<Demand>> = (0..5).map(|_| demands(&mut rng, connectors)).collect();
    let mut computing = 0;
    let before = in_use();
    for round in 0..rounds + 3 {
        let demands = &various[round % various.len()];
        if round == 3 {
            computing = computed();
        }
        let problem =
            Problem { rows: &rows, caps: &caps, reserved: &reserved, demands, min_on_seconds: 900.0 };
        let begun = Instant::now();
        let shares = black_box(solver.solve(black_box(&problem)));
        let time = begun.elapsed().as_secs_f64() * 1e3;
        if round >= 3 {
            times.push(time);
        }
        passes = passes.max(shares.passes);
        waiting = shares.grants.iter().filter(|grant| matches!(grant.reason, Reason::Waiting(_))).count();
        full = shares.grants.iter().filter(|grant| matches!(grant.reason, Reason::Row(_))).count();
        of_solver = in_use() - before;
    }
    let mean = (computed() - computing) as f64 / 1e6 / rounds as f64;
    times.sort_by(f64::total_cmp);
    println!(
        "{connectors:>7} EVSEs, {:>9}, {:>6}: p50 {:>7.2} ms, p99 {:>7.2} ms, computing {mean:.2} ms; {passes} passes at most, {full} at a full row, \
         {waiting} wait; {} rows in {compiled:.1} ms; bytes an EVSE: rows {}, solver and answer {}",
        if unbalance { "unbalance" } else { "plain" },
        if scarce < 0.6 { "scarce" } else { "usual" },
        quantile(&times, 0.5),
        quantile(&times, 0.99),
        rows.rows.len(),
        of_rows / connectors,
        of_solver / connectors,
    );
}

fn main() {
    for (connectors, rounds) in [(1_000, 2_000), (10_000, 300), (100_000, 40)] {
        for unbalance in [false, true] {
            for scarce in [1.0, 0.5] {
                measure(connectors, rounds, unbalance, scarce);
            }
        }
    }
}
