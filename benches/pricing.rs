//! How fast a charge is priced, on one core: `cargo bench --bench pricing`. A measurement is the median of its rounds,
//! after a warm-up; docs/benchmarks.md, "Pricing", has figures.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::arithmetic_side_effects
)]
#![allow(clippy::as_conversions, clippy::float_arithmetic, missing_docs)]

use roamwatt::domain::tariff::Tariff;
use roamwatt::domain::{Kwh, Timestamp};
use roamwatt::pricing::{
    Activity, CdrToPrice, PricingPolicy, Progress, RunningCost, StatedCharge, Tariffs, price_all,
};
use rust_decimal::Decimal;
use serde_json::json;
use std::hint::black_box;
use std::time::Duration;

const ZONE: chrono_tz::Tz = chrono_tz::Europe::Berlin;
const MINUTE: i64 = 60_000;
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(200);

/// A start fee, energy by day and by night, parking after four hours but not at night; VAT and steps everywhere.
fn tariff() -> Tariff {
    let component = |kind: &str, price: &str, step: u32| {
        let price: serde_json::Value = serde_json::from_str(price).unwrap();
        json!({"type": kind, "price": price, "vat": 19, "step_size": step})
    };
    let whole = json!({
        "party": {"country_code": "DE", "party_id": "ROA"},
        "id": "DAY-AND-NIGHT",
        "currency": "EUR",
        "min_price": {"excl_vat": 0.5, "incl_vat": 0.6},
        "elements": [
            {"price_components": [component("FLAT", "0.35", 1)]},
            {"price_components": [component("ENERGY", "0.49", 100)],
             "restrictions": {"start_time": "07:00", "end_time": "22:00"}},
            {"price_components": [component("ENERGY", "0.39", 100)]},
            {"price_components": [component("PARKING_TIME", "6.00", 60)],
             "restrictions": {"min_duration": 14400, "start_time": "08:00", "end_time": "20:00"}},
            {"price_components": [component("TIME", "0.60", 60)]},
        ],
        "last_updated": "2026-01-01T00:00:00Z",
        "extra": {},
    });
    serde_json::from_value(whole).unwrap()
}

fn at(millis: i64) -> Timestamp {
    // 2026-01-14T05:00:00Z: an hour before the day's price.
    Timestamp::from_millis(1_768_366_800_000 + millis).unwrap()
}

/// A meter value every five minutes.
fn progress(minutes: i64, charging: impl Fn(i64) -> bool) -> Vec<Progress> {
    let mut wh = 0;
    let one = |minute: i64| {
        let activity = if charging(minute) { Activity::Charging } else { Activity::Parking };
        let now = Progress::measured(at(minute * MINUTE), Kwh::parse(Decimal::new(wh, 3)).unwrap(), activity);
        wh += if charging(minute) { 917 } else { 0 };
        now
    };
    (0..=minutes / 5).map(|five| five * 5).map(one).collect()
}

/// How long this thread was running: what else the machine does in the meantime does not count.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Calls a second: the median of rounds.
fn measure(what: &str, target: f64, mut call: impl FnMut()) {
    let mut rates: Vec<f64> = Vec::new();
    for round in 0..=ROUNDS {
        let (begun, mut calls) = (cpu_time(), 0_u32);
        while cpu_time() - begun < ROUND {
            for _ in 0..20_000 {
                call();
            }
            calls += 20_000;
        }
        // The first is the warm-up.
        if round > 0 {
            rates.push(f64::from(calls) / (cpu_time() - begun).as_secs_f64());
        }
    }
    rates.sort_by(f64::total_cmp);
    let median = rates[ROUNDS / 2];
    let verdict = if target == 0.0 {
        ""
    } else if median >= target {
        "holds"
    } else {
        "MISSED"
    };
    println!("{what:<52} {median:>12.0}/s  target {target:>9.0}/s  {verdict}");
}

/// Prices the periods of a charge as a partner does.
fn stated(
    what: &str,
    target: f64,
    tariffs: &Tariffs,
    list: &[Tariff],
    progress: &[Progress],
    periods: usize,
) {
    let running = price_all(tariffs, ZONE, progress).unwrap();
    let told = running.periods(tariffs).unwrap();
    assert_eq!(told.len(), periods);
    let cdr = CdrToPrice {
        start: progress[0].at,
        end: progress[progress.len() - 1].at,
        zone: ZONE,
        tariffs: list,
        periods: &told,
    };
    let charge = StatedCharge::new(&cdr).unwrap();
    assert_eq!(charge.cost(tariffs).unwrap(), running.cost(tariffs).unwrap());
    measure(what, target, || {
        black_box(black_box(&charge).cost(black_box(tariffs)).unwrap());
    });
}

fn main() {
    let list = [tariff()];
    let tariffs = Tariffs::new(&list, PricingPolicy::default()).unwrap();
    // By night, by day, parked.
    let three = progress(180, |minute| minute < 120);
    stated("StatedCharge::cost, 3 periods", 1_000_000.0, &tariffs, &list, &three, 3);
    let seventy = progress(700, |minute| minute % 20 < 10);
    stated("StatedCharge::cost, 70 periods", 100_000.0, &tariffs, &list, &seventy, 70);

    let start = progress(0, |_| true)[0];
    let mut running = RunningCost::start(&tariffs, ZONE, start).unwrap();
    let mut seconds = 0;
    measure("RunningCost::advance, one meter value", 5_000_000.0, || {
        seconds += 1;
        let energy = Kwh::parse(Decimal::new(seconds * 3, 3)).unwrap();
        if seconds >= 40_000 {
            running = RunningCost::start(&tariffs, ZONE, start).unwrap();
            seconds = 0;
        } else {
            let next = Progress::measured(at(seconds * 1000), energy, Activity::Charging);
            running.advance(black_box(&tariffs), black_box(next)).unwrap();
        }
    });
    let running = price_all(&tariffs, ZONE, &three).unwrap();
    measure("RunningCost::cost", 0.0, || {
        black_box(black_box(&running).cost(black_box(&tariffs)).unwrap());
    });
}
