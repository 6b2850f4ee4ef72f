//! What mod_cdrs of 2.2.1 and 2.3.0 say of `step_size`, by figures: once per session, over the session's total.

use super::both_ways::*;
use super::*;
use Activity::{Charging, Parking};

/// One component before 17:00 and another after it.
fn at_five(dimension: &str, prices: [&str; 2], steps: [u32; 2]) -> Tariff {
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let element = |at: usize, restrictions: Value| {
        json!({"price_components": [{"type": dimension, "price": number(prices[at]), "step_size": steps[at]}],
               "restrictions": restrictions})
    };
    tariff(&json!({"elements": [
        element(0, json!({"end_time": "17:00"})),
        element(1, json!({"start_time": "17:00"})),
    ]}))
}

const ENERGY: [LineKind; 2] = [LineKind::Energy, LineKind::EnergyStep];
const TIME: [LineKind; 2] = [LineKind::Time, LineKind::TimeStep];
const PARKING: [LineKind; 2] = [LineKind::Parking, LineKind::ParkingStep];

fn afternoon(time: &str) -> Timestamp {
    local(ZONE, &format!("2026-01-14 {time}"))
}

#[test]
fn energy_is_rounded_over_the_whole_session() {
    let tariff = at_five("ENERGY", ["0.20", "0.27"], [500, 500]);
    let progress = [
        Progress::measured(afternoon("16:30"), kwh("0"), Charging),
        Progress::measured(afternoon("17:00"), kwh("4.3"), Charging),
        Progress::measured(afternoon("17:10"), kwh("5.4"), Charging),
    ];
    let priced = both_ways(&[tariff], ZONE, &progress);
    assert_eq!(billed(&priced.explained, &ENERGY), decimal("5.5"));
    // 4.3 × 0.20 + 1.2 × 0.27 = 0.86 + 0.324.
    assert_eq!(priced.total(), without_vat("1.18"));
}

#[test]
fn time_is_rounded_over_the_whole_session() {
    let tariff = at_five("TIME", ["5", "7"], [600, 600]);
    let priced = both_ways(&[tariff], ZONE, &plugged_in(afternoon("16:54"), "5", 28, 0));
    assert_eq!(billed(&priced.explained, &TIME), decimal("1800"));
    // 6 min × 5.00 + 24 min × 7.00 = 0.50 + 2.80.
    assert_eq!(priced.total(), without_vat("3.30"));
}

#[test]
fn parking_is_rounded_over_the_whole_session_too() {
    let tariff = at_five("PARKING_TIME", ["6", "12"], [60, 600]);
    let priced = both_ways(&[tariff], ZONE, &plugged_in(afternoon("16:44"), "5", 10, 10));
    // 6 min × 6.00 + 4 min × 12.00: ten minutes are one step of the last.
    assert_eq!(billed(&priced.explained, &PARKING), decimal("600"));
    assert_eq!(priced.total(), without_vat("1.40"));
}

#[test]
fn the_step_of_the_last_component_counts() {
    let late = at_five("TIME", ["6", "12"], [900, 60]);
    // 6 min and 5 min: 11 min are whole minutes. 0.60 + 1.00.
    assert_eq!(both_ways(&[late], ZONE, &plugged_in(afternoon("16:54"), "5", 11, 0)).total().0, "1.60");
    let early = at_five("TIME", ["6", "12"], [60, 900]);
    // 11 min are billed as 15: 6 min × 6.00 and 9 min × 12.00.
    assert_eq!(both_ways(&[early], ZONE, &plugged_in(afternoon("16:54"), "5", 11, 0)).total().0, "2.40");
}

#[test]
fn where_both_are_priced_only_parking_is_rounded() {
    // 21 min × 1.00 + 20 min (of 16) × 2.00: 41 min in all.
    let tariff = simple(&[("TIME", "1.00", None, 600), ("PARKING_TIME", "2.00", None, 600)]);
    let priced =
        both_ways(std::slice::from_ref(&tariff), ZONE, &plugged_in(afternoon("14:00"), "10", 21, 16));
    assert_eq!(billed(&priced.explained, &TIME), decimal("1260"));
    assert_eq!(billed(&priced.explained, &PARKING), decimal("1200"));
    assert_eq!(priced.total(), without_vat("1.02"), "0.35 + 0.6666…");
    // Whichever comes last: charging goes on after the pause.
    let mut progress = plugged_in(afternoon("14:00"), "10", 21, 16);
    progress[2].activity = Charging;
    progress.push(Progress::measured(afternoon("14:40"), kwh("11"), Charging));
    let priced = both_ways(&[tariff], ZONE, &progress);
    assert_eq!(billed(&priced.explained, &TIME), decimal("1440"));
    assert_eq!(billed(&priced.explained, &PARKING), decimal("1200"));
    // 21 min of charging and 7 of parking, by five minutes each: 21 and 10.
    let five = simple(&[("TIME", "1.00", None, 300), ("PARKING_TIME", "2.00", None, 300)]);
    let priced = both_ways(&[five], ZONE, &plugged_in(afternoon("14:00"), "10", 21, 7));
    assert_eq!(billed(&priced.explained, &TIME), decimal("1260"));
    assert_eq!(billed(&priced.explained, &PARKING), decimal("600"));
}

#[test]
fn where_parking_is_free_charging_is_rounded() {
    let tariff = simple(&[("TIME", "1.00", None, 600)]);
    let priced = both_ways(&[tariff], ZONE, &plugged_in(afternoon("14:00"), "10", 21, 16));
    assert_eq!(billed(&priced.explained, &TIME), decimal("1800"));
}

#[test]
fn a_change_of_the_tariff_rounds_nothing() {
    // Half an hour by each; the first bills whole hours, the second whole minutes.
    let mut cheap = simple(&[("TIME", "1.00", None, 3600)]);
    cheap.id = "CHEAP".into();
    let fast = simple(&[("TIME", "3.00", None, 60)]);
    let at =
        |time: &str, tariff| Progress { tariff, ..Progress::measured(afternoon(time), kwh("0"), Charging) };
    let progress = [at("14:00", 0), at("14:30", 1), at("15:00", 1)];
    let priced = both_ways(&[cheap, fast], ZONE, &progress);
    assert_eq!(billed(&priced.explained, &TIME), decimal("3600"));
    assert_eq!(priced.total(), without_vat("2.00"));
}

#[test]
fn a_step_of_nothing_is_a_whole_unit_and_a_flat_has_none() {
    for size in [0, 1] {
        let tariff = simple(&[("TIME", "3600", None, size), ("FLAT", "1", None, 500)]);
        let start = afternoon("14:00");
        let progress = [
            Progress::measured(start, kwh("0"), Charging),
            Progress::measured(later(start, 10_001), kwh("0.05"), Parking),
        ];
        // 10.001 s are billed as 11.
        assert_eq!(both_ways(&[tariff], ZONE, &progress).total(), without_vat("12.00"));
    }
}
