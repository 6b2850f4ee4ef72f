//! The forty commonest tariffs of a real roaming market with the totals that another implementation expects
//! (`../shared/data/tariffs/popular`): all of them, all runs. What is off is printed; what is off by more than a cent is
//! explained in `docs/pricing.md`.

use super::*;
use crate::support::shared::shared;
use roamwatt::pricing::SimulatedCharge;
use roamwatt::pricing::read::OcpiVersion;
use std::path::{Path, PathBuf};

/// JSON with `//` comments on lines of their own.
fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    serde_json::from_str(&lines.join("\n")).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn number(value: &Value) -> Decimal {
    decimal(&value.to_string())
}

/// Seconds of `H:MM:SS`.
fn seconds(text: &str) -> Decimal {
    let of_it = |sum: Decimal, part: &str| sum * Decimal::from(60) + decimal(part);
    text.split(':').fold(Decimal::ZERO, of_it)
}

/// A charge at full power until the energy is there, then parking until the end.
fn charge_of(input: &Value) -> SimulatedCharge {
    let time = |name: &str| {
        let text = input[name].as_str().unwrap();
        moment(chrono::DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%:z").unwrap().timestamp_millis())
    };
    SimulatedCharge {
        from: time("start_date_time"),
        to: time("end_date_time"),
        energy: Kwh::parse(number(&input["requested_kwh"])).unwrap(),
        power_kw: number(&input["max_power_supply_kw"]),
        current_a: input.get("max_current_supply_amp").map(number),
    }
}

/// Compares a published amount with an expected one, and tells by how much it is off; nothing expected means nothing
/// to pay.
fn check_price(what: &str, expected: &Value, found: Option<&Price>) -> Decimal {
    let nothing = Price { excl_vat: Money::ZERO, incl_vat: None, extra: serde_json::Map::default() };
    let found = found.unwrap_or(&nothing);
    let Some(value) = expected.get("value") else {
        assert!(found.excl_vat.is_zero(), "{what}: nothing expected, {found:?} found");
        return Decimal::ZERO;
    };
    let tolerance = number(&expected["tolerance"]);
    let off = |wanted: &Value, found: Money| (number(wanted) - found.decimal()).abs();
    let excl = off(&value["excl_vat"], found.excl_vat);
    let incl = off(&value["incl_vat"], found.incl_vat.unwrap_or(found.excl_vat));
    assert!(excl.max(incl) <= tolerance, "{what}: {expected} expected, {found:?} found");
    excl.max(incl)
}

fn check_hours(what: &str, expected: &Value, found: Decimal) {
    let Some(value) = expected.get("value") else {
        assert!(found.is_zero(), "{what}: none expected, {found} h found");
        return;
    };
    let off = (seconds(value.as_str().unwrap()) - found * Decimal::from(3600)).abs();
    // The published hours have four decimals, each of two sums may be off by half of the last.
    let tolerance = number(&expected["tolerance_sec"]) + decimal("0.36");
    assert!(off <= tolerance, "{what}: {expected} expected, {found} h found");
}

#[test]
fn popular_tariffs_cost_what_others_compute() {
    let Some(folder) = shared("data/tariffs/popular") else { return };
    let explained = include_str!("../../docs/pricing.md");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let (mut run, mut unexplained) = (0, Vec::new());
    for folder in &folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let json = read(&folder.join("tariff.json"));
        let readable = roamwatt::pricing::read::tariff(&json, OcpiVersion::V2_2_1).unwrap();
        let tariffs = ready(&readable.value);
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files {
            let file_name = file.file_name().unwrap().to_string_lossy().into_owned();
            if !file_name.starts_with("test_run") {
                continue;
            }
            let what = format!("{name}/{file_name}");
            let (input, expect) = {
                let whole = read(&file);
                (whole["input"].clone(), whole["expect"].clone())
            };
            let zone: Tz = input["timezone"].as_str().unwrap().parse().unwrap();
            let running = charge_of(&input).price(&tariffs, zone).unwrap();
            let cost = running.cost(&tariffs).unwrap();
            let total = check_price(&format!("{what} total_cost"), &expect["total_cost"], Some(&cost.total));
            let idle = check_price(
                &format!("{what} total_idle_cost"),
                &expect["total_idle_cost"],
                cost.parking.as_ref(),
            );
            let energy = check_price(
                &format!("{what} total_energy_cost"),
                &expect["total_energy_cost"],
                cost.energy.as_ref(),
            );
            println!("{what}: off by {total} in all, {energy} for energy, {idle} for parking");
            if total.max(idle).max(energy) > decimal("0.01") && !explained.contains(&what) {
                unexplained.push(what.clone());
            }
            let charging = cost.total_time - cost.total_parking_time;
            check_hours(&format!("{what} total_charging_time"), &expect["total_charging_time"], charging);
            check_hours(
                &format!("{what} total_idle_time"),
                &expect["total_idle_time"],
                cost.total_parking_time,
            );
            if let Some(energy) = expect["total_energy"].get("value") {
                let off = (number(energy) - cost.total_energy.decimal()).abs();
                assert!(off <= number(&expect["total_energy"]["tolerance_kwh"]), "{what}: {off} kWh off");
            }
            run += 1;
        }
    }
    println!("popular tariffs: {run} test runs of {} tariffs", folders.len());
    assert!(unexplained.is_empty(), "off by more than a cent, explain in docs/pricing.md: {unexplained:?}");
    assert!(run >= 40 && folders.len() == 40, "{run} run, {} tariffs", folders.len());
}
