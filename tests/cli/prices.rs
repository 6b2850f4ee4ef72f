//! What charges cost, from the command line, without any database.

use super::{Ran, command};
use serde_json::{Value, json};

/// Runs a command where there is no database, in a folder of its own with these files.
fn run_with_files(arguments: &[&str], files: &[(&str, &str)]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = command("sqlite:///nowhere/at/all.db", arguments);
    Ran::of(command.current_dir(folder.path()).output().unwrap())
}

/// The specification's tariff for `step_size` (OCPI 2.2.1 mod_tariffs, "PriceComponent class").
const STEPS: &str = r#"{"id": "22", "currency": "EUR", "elements": [
    {"price_components": [{"type": "TIME", "price": 1.20, "step_size": 1800},
                          {"type": "PARKING_TIME", "price": 1.00, "step_size": 900}],
     "restrictions": {"start_time": "00:00", "end_time": "17:00"}},
    {"price_components": [{"type": "TIME", "price": 2.40, "step_size": 900},
                          {"type": "PARKING_TIME", "price": 1.00, "step_size": 900}],
     "restrictions": {"start_time": "17:00", "end_time": "20:00"}},
    {"price_components": [{"type": "TIME", "price": 2.40, "step_size": 900}],
     "restrictions": {"start_time": "20:00", "end_time": "00:00"}}]}"#;

/// 12 minutes of charging from 19:40 local time on, then 8 minutes of parking that are billed and 12 that are free.
const EVENING: &str = r#"{"currency": "EUR",
    "start_date_time": "2026-01-14T18:40:00Z", "end_date_time": "2026-01-14T19:12:00Z",
    "charging_periods": [
        {"start_date_time": "2026-01-14T18:40:00Z", "dimensions": [{"type": "TIME", "volume": 0.2}]},
        {"start_date_time": "2026-01-14T18:52:00Z", "dimensions": [{"type": "PARKING_TIME", "volume": 0.1333}]},
        {"start_date_time": "2026-01-14T19:00:00Z", "dimensions": [{"type": "PARKING_TIME", "volume": 0.2}]}]}"#;

const FILES: &[(&str, &str)] = &[("tariff.json", STEPS), ("cdr.json", EVENING)];

fn priced(more: &[&str]) -> Ran {
    run_with_files(&[&["cdr", "price", "cdr.json", "--tariff", "tariff.json"], more].concat(), FILES)
}

fn amount(value: &Value) -> (String, String) {
    (value["excl_vat"].to_string(), value["incl_vat"].to_string())
}

fn both(amount: &str) -> (String, String) {
    (amount.to_owned(), amount.to_owned())
}

#[test]
fn the_specifications_evening_costs_73_cents() {
    let json = priced(&["--timezone", "Europe/Berlin", "--json"]).json();
    assert_eq!(json["currency"], "EUR");
    assert_eq!(amount(&json["total_cost"]), both("0.73"));
    assert_eq!(amount(&json["total_time_cost"]), both("0.48"));
    assert_eq!(amount(&json["total_parking_cost"]), both("0.25"));
    for free in ["total_fixed_cost", "total_energy_cost", "total_reservation_cost"] {
        assert_eq!(json[free], Value::Null, "{free}");
    }
    let kinds = |lines: &Value| -> Vec<String> {
        lines.as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
    };
    let periods = json["periods"].as_array().unwrap();
    assert_eq!(kinds(&periods[0]["lines"]), ["TIME"]);
    assert_eq!(kinds(&periods[1]["lines"]), ["PARKING_TIME"]);
    assert_eq!(kinds(&periods[2]["lines"]), [""; 0], "free");
    assert_eq!(kinds(&json["lines"]), ["PARKING_TIME_STEP_SIZE"]);
    assert_eq!(json["lines"][0]["quantity"].to_string(), "420", "seconds");
    assert_eq!(json["lines"][0]["component"], "$.elements[1].price_components[1]");
    assert_eq!(json["warnings"], json!([]));
    // The same as text: every line, and the total.
    let german = priced(&["--timezone", "Europe/Berlin", "--language", "de"]);
    assert!(german.out.starts_with("2026-01-14 19:40:00 – 19:52:00"), "{german:?}");
    assert!(
        german.out.contains("Standzeit, bis zum vollen Schritt: 0:07:00 h × 1,00 EUR/h = 0,116667 EUR"),
        "{german:?}"
    );
    assert!(german.out.ends_with("Summe 0,73 EUR\n"), "{german:?}");
}

#[test]
fn without_a_zone_it_is_said_that_utc_is_taken() {
    let json = priced(&["--json"]).json();
    assert_eq!(json["time_zone"], "UTC");
    assert!(json["warnings"][0]["reason"].as_str().unwrap().contains("the zone is not told"), "{json}");
}

#[test]
fn bad_documents_are_refused_with_every_place() {
    let disorder = EVENING.replace("2026-01-14T19:00:00Z\", \"dim", "2026-01-14T18:50:00Z\", \"dim");
    let wrong = EVENING.replace("0.1333", "-0.1333").replace("EUR", "EUX");
    let tariff = STEPS.replace("17:00\"}", "25:00\"}").replace("\"step_size\": 1800", "\"step_size\": -1");
    let files = &[
        ("tariff.json", tariff.as_str()),
        ("cdr.json", EVENING),
        ("disorder.json", disorder.as_str()),
        ("wrong.json", wrong.as_str()),
    ];
    for (file, places) in [
        ("disorder.json", &["$.charging_periods[2].start_date_time"][..]),
        ("wrong.json", &["$.currency", "$.charging_periods[1].dimensions[0].volume"]),
        ("cdr.json", &["$.elements[0].restrictions.end_time", "$.elements[0].price_components[0].step_size"]),
    ] {
        let refused = run_with_files(&["cdr", "price", file, "--tariff", "tariff.json"], files);
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
        for place in places {
            assert!(refused.err.contains(place), "{file}, {place}: {refused:?}");
        }
    }
    let refused = run_with_files(&["tariff", "lint", "tariff.json"], files);
    for place in ["$.elements[0].restrictions.end_time", "$.elements[0].price_components[0].step_size"] {
        assert!(refused.code == 1 && refused.err.contains(place), "{place}: {refused:?}");
    }
    let zone = priced(&["--timezone", "Europe/Nowhere"]);
    assert!(zone.code == 2 && zone.err.contains("Europe/Nowhere"), "{zone:?}");
    let other = STEPS.replace("EUR", "SEK");
    let files = &[("tariff.json", other.as_str()), ("cdr.json", EVENING)];
    let refused = run_with_files(&["cdr", "price", "cdr.json", "--tariff", "tariff.json"], files);
    assert!(refused.code == 1 && refused.err.contains("$.tariffs[0].currency"), "{refused:?}");
}

#[test]
fn a_simulated_charge_is_priced_and_what_has_no_effect_is_a_warning() {
    let tariff = r#"{"currency": "EUR", "max_price": 5, // a plain number
        "elements": [{"price_components": [{"type": "ENERGY", "price": 0.3333, "step_size": 1000}]},
                     {"price_components": [{"type": "SESSION_TIME", "price": 6, "step_size": 60}]}]}"#;
    let arguments = [
        "tariff",
        "price",
        "tariff.json",
        "--from",
        "2026-01-14T15:02:00+01:00",
        "--to",
        "2026-01-15T15:12:00+01:00",
        "--energy-kwh",
        "39.5",
        "--max-power-kw",
        "24",
        "--timezone",
        "Europe/Amsterdam",
        "--json",
    ];
    let json = run_with_files(&arguments, &[("tariff.json", tariff)]).json();
    assert_eq!(amount(&json["total_cost"]), both("13.33"));
    assert_eq!(json["total_energy"].to_string(), "39.5");
    assert_eq!(json["total_parking_cost"], Value::Null);
    let places: Vec<&str> = json["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["path"].as_str().unwrap())
        .collect();
    assert!(
        places.contains(&"$.max_price") && places.contains(&"$.elements[1].price_components[0].type"),
        "{places:?}"
    );
    let backwards = [&arguments[..6], &["2026-01-14T15:00:00+01:00"], &arguments[7..]].concat();
    let refused = run_with_files(&backwards, &[("tariff.json", tariff)]);
    assert!(refused.code == 1 && refused.err.contains("before it begins"), "{refused:?}");
}
