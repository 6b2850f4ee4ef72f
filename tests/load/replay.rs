//! Replays: cases computed by hand to the watt-hour, formats of sessions, bad files.

use chrono::{DateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use roamwatt::load::plan::Aims;
use roamwatt::load::replay::live::Live;
use roamwatt::load::replay::run::{Departures, Setting, under};
use roamwatt::load::replay::sessions::{AcnTime, read, read_prices};
use roamwatt::load::replay::{Policy, Score, Session, replay};
use roamwatt::load::site::Site;
use std::io::Write;

/// Two stations on one phase, 16 A each, on a connection of 20 A: 4.6 kW.
pub(crate) const SITE: &str = r#"
id = "yard"
[[node]]
id = "grid"
amps = 20
[[station]]
id = "A"
parent = "grid"
connector = [{ number = 1, amps = 16, wiring = "L1" }]
[[station]]
id = "B"
parent = "grid"
connector = [{ number = 1, amps = 16, wiring = "L1" }]
"#;

/// A wants 4.6 kWh from 8:00 to 10:00, B 2.3 kWh from 8:30 to 9:30.
const SESSIONS: &str = "id,station,connector,arrival,departure,energy_kwh\n\
    a,A,1,2026-01-05T08:00:00Z,2026-01-05T10:00:00Z,4.6\n\
    b,B,1,2026-01-05T08:30:00Z,2026-01-05T09:30:00Z,2.3\n";

fn site() -> Site {
    Site::from_toml(SITE).unwrap()
}

fn sessions() -> Vec<Session> {
    read(SESSIONS.as_bytes(), AcnTime::default()).unwrap()
}

fn played(site: &Site, policy: Policy) -> Score {
    replay(site, &sessions(), &Setting { policy, ..Setting::default() }).unwrap()
}

fn served(score: &Score) -> Vec<f64> {
    score.sessions.iter().map(|one| (one.delivered_kwh * 1e6).round() / 1e6).collect()
}

#[test]
fn each_policy_to_the_watt_hour() {
    // 10 A are 2.3 kW. B needs an hour of 10 A; A has 16 A (3.68 kW) alone, for half an hour at each end.
    let split = played(&site(), Policy::EqualSplit);
    assert_eq!((served(&split), split.violations), (vec![4.6, 2.3], 0));
    let peak = &split.rows[0];
    assert_eq!((peak.node.as_str(), peak.of.as_str(), peak.cap, peak.peak), ("grid", "L1", 20.0, 20.0));
    // Half the connection is 10 A: A alone has 10 A, with B both have 5 A, which no car can use.
    let half = under(&site(), 0.5, None);
    assert_eq!(served(&played(&half, Policy::EqualSplit)), [2.3, 0.0]);
    // First come: A has 10 A for two hours, and B gets nothing.
    let first = played(&half, Policy::FirstCome);
    assert_eq!((served(&first), first.percent.round()), (vec![4.6, 0.0], 67.0));
    // Jain's index of the shares 1 and 0 is a half.
    assert!((first.fairness - 0.5).abs() < 1e-9);
    // Uncontrolled, both take 16 A until A has had its 4.6 kWh, which takes 75 minutes.
    let none = played(&site(), Policy::Uncontrolled);
    assert_eq!(served(&none), [4.6, 2.3]);
    assert!(none.violations > 0 && (none.rows[0].peak - 32.0).abs() < 1e-9, "{none:?}");
    for policy in [Policy::Solver, Policy::Planner] {
        let setting = Setting { policy, departures: Departures::Known, ..Setting::default() };
        let score = replay(&site(), &sessions(), &setting).unwrap();
        // Where both are there, currents that are rounded down leave a little.
        assert!(score.percent > 99.5 && score.violations == 0, "{policy}: {score:?}");
    }
}

#[test]
fn a_limit_in_kilowatts_and_prices_count() {
    // 2.3 kW are 10 A.
    let narrow = under(&site(), 1.0, Some(2.3));
    let score = played(&narrow, Policy::FirstCome);
    assert_eq!(served(&score), [4.6, 0.0]);
    let power = score.rows.iter().find(|row| row.unit == "W").unwrap();
    assert!((power.cap - 2300.0).abs() < 1e-6 && power.peak <= 2300.0, "{power:?}");
    let prices = read_prices(b"time,price\n2026-01-05T00:00:00Z,0.20\n2026-01-05T09:00:00Z,0.40\n").unwrap();
    let setting = Setting { policy: Policy::FirstCome, prices, ..Setting::default() };
    // 2.3 kWh in the first hour and in the second.
    let cost = replay(&narrow, &sessions(), &setting).unwrap().cost.unwrap();
    assert!((cost - 2.3 * 0.6).abs() < 1e-6, "{cost}");
}

/// As acnportal 0.3.3 writes it, shortened.
const QUEUE: &str = r#"{"id": "1", "version": "0.3.3", "dependency_versions": {"numpy": "2.4.6"}, "context_dict": {
    "4": {"class": "acnportal.acnsim.models.battery.Battery", "attributes": {"_max_power": 7, "_capacity": 5.5}},
    "3": {"class": "acnportal.acnsim.models.ev.EV", "attributes": {"_arrival": 12, "_departure": 36,
          "_session_id": "s0", "_station_id": "A", "_requested_energy": 5.5, "_estimated_departure": 30,
          "_energy_delivered": 0, "_current_charging_rate": 0, "_battery": "4"}},
    "2": {"class": "acnportal.acnsim.events.event.PluginEvent",
          "attributes": {"timestamp": 12, "event_type": "Plugin", "precedence": 10, "ev": "3"}},
    "5": {"class": "acnportal.acnsim.events.event.RecomputeEvent",
          "attributes": {"timestamp": 20, "event_type": "Recompute", "precedence": 20}},
    "1": {"class": "acnportal.acnsim.events.event_queue.EventQueue",
          "attributes": {"_timestep": 0, "_queue": [[12, "2"], [20, "5"]]}}}}"#;

fn gzipped(text: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn event_queues_of_acn_sim_are_read_gzipped_or_not() {
    let time = AcnTime { minutes: 5.0, start: at("2026-01-05T00:00:00Z") };
    for bytes in [QUEUE.as_bytes().to_vec(), gzipped(QUEUE)] {
        let sessions = read(&bytes, time).unwrap();
        let [one] = sessions.as_slice() else { panic!("{sessions:?}") };
        assert_eq!((one.arrival, one.departure), (at("2026-01-05T01:00:00Z"), at("2026-01-05T03:00:00Z")));
        assert_eq!(one.expected_departure, Some(at("2026-01-05T02:30:00Z")));
        assert_eq!((one.station.as_str(), one.energy_kwh, one.max_kw), ("A", 5.5, Some(7.0)));
    }
}

#[test]
fn json_of_ours_is_read_as_a_list_or_a_document() {
    let one = r#"{"station": "A", "arrival": "2026-01-05T08:00:00+01:00", "departure": "2026-01-05T10:00:00Z",
        "energy_kwh": 3, "phases": 1}"#;
    let list = read(format!("[{one}]").as_bytes(), AcnTime::default()).unwrap();
    let document = read(format!("{{\"sessions\": [{one}]}}").as_bytes(), AcnTime::default()).unwrap();
    assert_eq!(list, document);
    assert_eq!((list[0].arrival, list[0].connector), (at("2026-01-05T07:00:00Z"), 1));
}

#[test]
fn bad_files_are_refused_with_the_place() {
    let early = SESSIONS.replace("2026-01-05T09:30:00Z", "2026-01-05T08:30:00Z");
    let negative = SESSIONS.replace(",4.6", ",-4.6");
    let broken = SESSIONS.replace("2026-01-05T08:30:00Z", "half past eight");
    let field = r#"[{"station": "A", "arrival": "2026-01-05T08:00:00Z", "departure": 7, "energy_kwh": 3}]"#;
    let lost = QUEUE.replace("\"ev\": \"3\"", "\"ev\": \"33\"");
    let number = QUEUE.replace("\"_requested_energy\": 5.5", "\"_requested_energy\": null");
    let mut cut = gzipped(QUEUE);
    cut.truncate(60);
    for (bytes, place) in [
        (b"".to_vec(), "$"),
        (b"{".to_vec(), "$"),
        (early.into_bytes(), "line 3.departure"),
        (negative.into_bytes(), "line 2.energy_kwh"),
        (broken.into_bytes(), "line 3"),
        (field.as_bytes().to_vec(), "$[0].departure"),
        (lost.into_bytes(), "$.context_dict.1._queue[0]"),
        (number.into_bytes(), "$.context_dict.3._requested_energy"),
        (cut, "$"),
    ] {
        let error = read(&bytes, AcnTime::default()).unwrap_err();
        assert_eq!(error.path, place, "{error}");
    }
    let other = SESSIONS.replace("a,A,1", "a,A,2");
    let other = read(other.as_bytes(), AcnTime::default()).unwrap();
    let error = replay(&site(), &other, &Setting::default()).unwrap_err();
    assert!(error.to_string().contains("no connector 2 at a station \"A\""), "{error}");
    let twice = SESSIONS.replace("b,B,1", "b,A,1");
    let twice = read(twice.as_bytes(), AcnTime::default()).unwrap();
    let error = replay(&site(), &twice, &Setting::default()).unwrap_err();
    assert!(error.to_string().contains("another car is still there"), "{error}");
}

#[test]
fn a_simulator_is_answered_line_by_line() {
    let mut live = Live::new(&site(), Some(Aims::default()), TimeDelta::minutes(5));
    let state = r#"{"time": "2026-01-05T08:00:00Z", "cars": [
        {"station": "A", "id": "a", "energy_kwh": 4.6, "departure": "2026-01-05T10:00:00Z"},
        {"station": "B", "id": "b", "energy_kwh": 2.3}], "caps": [{"node": "grid", "amps": 18}]}"#;
    let answer = live.read(state).unwrap();
    assert_eq!(answer.by, "planner");
    let sum: f64 = answer.limits.iter().map(|limit| limit.amps).sum();
    assert!((17.9..18.0 + 1e-9).contains(&sum), "{answer:?}");
    for (line, place) in [
        (r#"{"time": "soon"}"#, "$.time"),
        (r#"{"time": "2026-01-05T08:00:00Z", "cars": [{"station": "C"}]}"#, "$.cars[0].station"),
        (
            r#"{"time": "2026-01-05T08:00:00Z", "cars": [{"station": "A", "max_amps": -1}]}"#,
            "$.cars[0].max_amps",
        ),
        (r#"{"time": "2026-01-05T08:00:00Z", "caps": [{"node": "roof", "watts": 1}]}"#, "$.caps[0]"),
    ] {
        assert_eq!(live.read(line).unwrap_err().path, place);
    }
}
