//! `load replay` and `load schedule` through the binary itself.

use super::{Ran, command};
use crate::load::replay::SITE;
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;

const SESSIONS: &str = "id,station,arrival,departure,energy_kwh
a,A,2026-01-05T08:00:00Z,2026-01-05T10:00:00Z,4.6
b,B,2026-01-05T08:30:00Z,2026-01-05T09:30:00Z,2.3
";

fn run(arguments: &[&str], stdin: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("site.toml", SITE), ("sessions.csv", SESSIONS)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let wrong = SESSIONS.replace(",2.3", ",much");
    std::fs::write(folder.path().join("wrong.csv"), wrong).unwrap();
    let mut child = command("sqlite:///nowhere/at/all.db", arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read it has closed it already.
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn a_replay_compares_the_policies() {
    let ran = run(&["load", "replay", "site.toml", "sessions.csv", "--scale", "0.5"], "");
    assert_eq!(ran.code, 0, "{ran:?}");
    let line = |policy: &str| ran.out.lines().find(|line| line.starts_with(policy)).unwrap().to_owned();
    let first = line("first-come");
    assert!(first.contains("66.7 %") && first.contains("0.500"), "{first}");
    assert!(line("uncontrolled").contains("100.0 %"), "{ran:?}");
    let json = run(
        &[
            "load",
            "replay",
            "site.toml",
            "sessions.csv",
            "--policy",
            "planner",
            "--limit-kw",
            "2.3",
            "--json",
        ],
        "",
    )
    .json();
    assert_eq!(json[0]["policy"], "planner");
    assert_eq!(json[0]["violations"], 0);
    let delivered: f64 = json[0]["delivered_kwh"].to_string().parse().unwrap();
    assert!((4.5..=4.6 + 1e-9).contains(&delivered), "{json}");
}

#[test]
fn bad_sessions_are_refused_with_the_place() {
    let ran = run(&["load", "replay", "site.toml", "wrong.csv"], "");
    assert!(ran.code == 1 && ran.err.contains("wrong.csv makes no sense"), "{ran:?}");
    assert!(ran.err.contains("line 3: "), "{ran:?}");
    let ran = run(&["load", "replay", "site.toml", "sessions.csv", "--scale", "-1"], "");
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn a_simulator_is_answered_line_by_line() {
    let lines = concat!(
        r#"{"time": "2026-01-05T08:00:00Z", "cars": [{"station": "A", "energy_kwh": 4}, {"station": "B"}]}"#,
        "\n",
        r#"{"time": "2026-01-05T08:05:00Z", "cars": [{"station": "C"}]}"#,
        "\n",
        r#"{"ask": "rows"}"#,
        "\n"
    );
    let ran = run(&["load", "schedule", "site.toml"], lines);
    assert_eq!(ran.code, 0, "{ran:?}");
    let answers: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers[0]["by"], "planner");
    let amps = |at: usize| -> f64 { answers[0]["limits"][at]["amps"].to_string().parse().unwrap() };
    assert!((19.9..=20.0 + 1e-9).contains(&(amps(0) + amps(1))), "{ran:?}");
    assert_eq!(answers[1]["path"], "$.cars[0].station");
    assert!(answers[2]["rows"].as_array().unwrap().iter().any(|row| row["name"] == "L1 of grid"), "{ran:?}");
}
