//! What docs/load.md says: its sites can be read and are safe, and its numbers are those of the code.

use roamwatt::load::check::check;
use roamwatt::load::control::{Settings, guaranteed_watts};
use roamwatt::load::ledger::{REACTION, tolerance};
use roamwatt::load::outlook::{MOST_STEPS, SiteOutlook};
use roamwatt::load::rows::{Quantity, Rows};
use roamwatt::load::site::Site;
use roamwatt::load::solver::Reason;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

const PAGE: &str = include_str!("../../docs/load.md");

/// The blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let begin = format!("```{language}\n");
    let after = PAGE.split(&begin).skip(1);
    after.map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n").collect()
}

fn examples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config/examples");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ours = files.filter(|file| file.file_name().unwrap().to_str().unwrap().starts_with("load-"));
    ours.map(|file| (file.display().to_string(), std::fs::read_to_string(file).unwrap())).collect()
}

fn example(name: &str) -> Site {
    let all = examples();
    let (_, text) = all.iter().find(|(file, _)| file.ends_with(&format!("load-{name}.toml"))).unwrap();
    Site::from_toml(text).unwrap()
}

#[test]
fn every_example_is_a_site_that_is_safe_without_its_backend() {
    let blocks = blocks("toml");
    let (sites, settings): (Vec<_>, Vec<_>) = blocks.iter().partition(|block| block.starts_with("id = "));
    for (file, text) in examples() {
        let site = Site::from_toml(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let found = check(&site, &Rows::compile(&site));
        assert!(found.fit(), "{file}: {found:?}");
        assert!(sites.contains(&&text), "docs/load.md shows {file} as it is");
        let json = serde_json::to_string(&site).unwrap();
        assert_eq!(Site::from_json(&json).unwrap(), site, "{file} as JSON");
    }
    assert_eq!(sites.len(), examples().len());
    let defaults: toml::Table = include_str!("../../config/default.toml").parse().unwrap();
    for block in settings {
        let table: toml::Table = block.parse().unwrap();
        for (section, keys) in &table {
            for key in keys.as_table().unwrap().keys() {
                assert!(defaults[section].as_table().unwrap().contains_key(key), "{section}.{key}");
            }
        }
    }
}

#[test]
fn the_outlooks_of_the_page_can_be_read() {
    let json = blocks("json").into_iter().find(|block| block.contains("\"sun_kw\"")).unwrap();
    let read = SiteOutlook::from_json(&json).unwrap();
    assert_eq!(read.told().count(), 3);
    let csv = SiteOutlook::from_csv(&blocks("csv")[0]).unwrap();
    assert_eq!((csv.prices.steps().len(), csv.sun_kw.steps().len()), (4, 2));
    assert!(PAGE.contains(&format!("more than {},{:03} steps", MOST_STEPS / 1_000, MOST_STEPS % 1_000)));
}

#[test]
fn what_does_not_fit_is_told_as_the_page_shows() {
    let mut site = example("depot");
    let connectors = site.stations.iter_mut().flat_map(|station| &mut station.connectors);
    connectors.filter(|connector| connector.fallback_amps > 0.0).for_each(|one| one.fallback_amps = 16.0);
    let found = check(&site, &Rows::compile(&site));
    assert!(!found.fit());
    for over in &found.over {
        assert!(PAGE.contains(&format!("  {over}\n")), "{over}");
    }
}

/// Every key in a document.
fn keys(of: &Value, into: &mut BTreeSet<String>) {
    match of {
        Value::Object(fields) => {
            for (key, value) in fields {
                into.insert(key.clone());
                keys(value, into);
            }
        }
        Value::Array(all) => all.iter().for_each(|one| keys(one, into)),
        _ => {}
    }
}

#[test]
fn every_field_of_a_site_is_described() {
    let mut known = BTreeSet::new();
    for (_, text) in examples() {
        keys(&serde_json::to_value(Site::from_toml(&text).unwrap()).unwrap(), &mut known);
    }
    // What the examples leave out is told all the same.
    known.extend(["watts", "l1", "min_amps", "time_zone", "volts"].map(str::to_owned));
    for key in known {
        let told = ["[[KEY]]", "[[station.KEY]]", "[KEY]", "KEY"].iter().any(|form| {
            let form = format!("`{}`", form.replace("KEY", &key));
            PAGE.contains(&form)
        });
        assert!(told, "docs/load.md does not tell of {key}");
    }
}

#[test]
fn the_meter_of_the_page_is_read_as_it_says() {
    let [meter] = example("meter").meters.try_into().unwrap();
    let source = meter.mqtt.unwrap();
    let message = blocks("json").into_iter().find(|block| block.contains("a_current")).unwrap();
    assert_eq!(source.amps_in(message.as_bytes()), [4.029, 4.027, 3.03]);
    let typed = blocks("sh").into_iter().find(|block| block.contains("mosquitto_pub")).unwrap();
    assert!(typed.contains(&source.topic), "{typed}");
    let partly = typed.split('\'').nth(1).unwrap();
    assert!(source.amps_in(partly.as_bytes()).iter().all(|amps| amps.is_finite()), "{partly}");
}

#[test]
fn line_to_line_stations_take_less_than_the_sum_of_their_amperes() {
    let rows = Rows::compile(&example("american"));
    let panel = rows.row("panel", Quantity::L1).unwrap();
    assert!(!rows.rows[panel].linear);
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_code() {
    let minute = 60_000;
    let settings = Settings::default();
    assert_eq!((settings.lease, settings.renew, settings.skew), (15 * minute, 5 * minute, minute));
    assert_eq!((settings.wear, settings.min_on, settings.probation), (5 * minute, 15 * minute, 2 * minute));
    assert_eq!((settings.dead_band, settings.probe), (10, 80));
    assert_eq!((settings.patience, settings.retry, REACTION), (20_000, 30_000, 10_000));
    assert_eq!((tolerance(60), tolerance(320)), (5, 9), "half an ampere, or 3 %");
    let shares = [1, 2, 4, 10].map(guaranteed_watts);
    let told = [4_200.0, 7_560.0, 13_020.0, 21_210.0];
    assert!(shares.iter().zip(told).all(|(is, told)| (is - told).abs() < 0.5), "{shares:?}");
    assert!(PAGE.contains("4.2, 7.56, 13.02 and 21.21 kW"));
    let agreed = example("meter").grid_control.unwrap();
    assert!((agreed.failsafe_watts - guaranteed_watts(4)).abs() < 0.5);
}

#[test]
fn every_reason_is_explained() {
    let rows = Rows::compile(&example("depot"));
    let row = rows.row("grid", Quantity::L1).unwrap();
    for reason in [
        Reason::OwnMaximum,
        Reason::Row(row),
        Reason::Unbalance(row),
        Reason::Deadline(row),
        Reason::Reserved(row),
        Reason::Waiting(row),
        Reason::Exceeded(row),
        Reason::BelowMinimum,
    ] {
        let told = reason.told(&rows).to_string();
        let words = told.split("L1 of grid");
        assert!(words.clone().all(|part| PAGE.contains(part.trim())), "{told}");
    }
}

#[test]
fn every_route_is_listed() {
    let document: Value = serde_json::from_str(include_str!("../../openapi/roamwatt.json")).unwrap();
    let paths = document["paths"].as_object().unwrap().keys();
    let ours: Vec<&str> = paths.filter_map(|path| path.strip_prefix("/api/v1/load")).collect();
    assert!(ours.len() > 8, "{ours:?}");
    for path in ours {
        assert!(PAGE.contains(&format!("`/load{path}`")), "docs/load.md does not list /load{path}");
    }
}
