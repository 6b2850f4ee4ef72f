//! What holds for every command.

use super::{Ran, add_party, command, fixture, run};
use crate::support::db::{TestDb, on_each_engine};
use std::process::Stdio;

#[test]
fn a_reader_that_goes_away_ends_a_command_in_silence() {
    let mut child = command("sqlite://unused.db", &["check", "--defaults"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn a_wrong_command_line_or_configuration_ends_with_2() {
    let run = |arguments: &[&str]| Ran::of(command("sqlite://unused.db", arguments).output().unwrap());
    let typo = run(&["statoin", "list"]);
    assert!(typo.code == 2 && typo.err.contains("'station'"), "{typo:?}");
    assert_eq!(run(&["--help"]).code, 0);
    let role = run(&["party", "add", "--country", "DE", "--party", "ABC", "--role", "boss", "--name", "x"]);
    assert!(role.code == 2 && role.err.contains("cpo, emsp, hub"), "{role:?}");

    let mut wrong = command("sqlite://unused.db", &["station", "list"]);
    wrong.env("ROAMWATT_SERVER__LISTN", "x").env("ROAMWATT_OCPP__CALL_TIMEOUT", "30");
    let ran = Ran::of(wrong.output().unwrap());
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("error: the configuration has 2 mistakes\n"), "{}", ran.err);
    assert!(
        ran.err.contains("ROAMWATT_SERVER__LISTN") && ran.err.contains("ROAMWATT_SERVER__LISTEN"),
        "{ran:?}"
    );

    let mut json = command("sqlite://unused.db", &["--json", "station", "list"]);
    let ran = Ran::of(json.env("ROAMWATT_SERVER__LISTN", "x").output().unwrap());
    let document: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(document["problems"][0]["place"], "ROAMWATT_SERVER__LISTN");
}

#[test]
fn a_file_of_settings_is_named_or_found() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("roamwatt.toml"), "[server]\nlisten = \"127.0.0.1:1\"\n").unwrap();
    std::fs::write(folder.path().join("other.toml"), "[server]\n\nlisten = 1\n").unwrap();
    let check = |arguments: &[&str]| {
        let mut command = command("sqlite://unused.db", arguments);
        Ran::of(command.current_dir(folder.path()).output().unwrap())
    };
    let found = check(&["check", "--json"]);
    assert_eq!(found.json()["public_url"], "http://127.0.0.1:1");
    let named = check(&["check", "--config", "other.toml"]);
    assert!(named.code == 2 && named.out.contains("other.toml:3"), "{named:?}");
    assert!(check(&["check", "--config", "missing.toml"]).out.contains("missing.toml"));
}

#[test]
fn the_printed_defaults_are_a_good_file() {
    let folder = tempfile::tempdir().unwrap();
    let defaults = Ran::of(command("sqlite://x.db", &["check", "--defaults"]).output().unwrap()).out;
    std::fs::write(folder.path().join("roamwatt.toml"), defaults).unwrap();
    let mut check = command("sqlite://x.db", &["check"]);
    let ran = Ran::of(check.current_dir(folder.path()).output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_database_that_is_not_there_is_made_only_by_what_may_be_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.db");
    let url = format!("sqlite://{}", file.display());
    let run = |arguments: &[&str]| {
        let mut command = command(&url, arguments);
        Ran::of(command.env_remove("ROAMWATT_SECURITY__SECRET_KEY").output().unwrap())
    };
    let list = run(&["station", "list"]);
    assert!(list.code == 1 && list.err.contains("there is no database") && !file.exists(), "{list:?}");
    assert_eq!(run(&["check"]).code, 0);
    assert!(!file.exists());

    let created = run(&["--json", "api-key", "create", "--role", "viewer"]).json();
    assert_eq!(created["api_key"].as_str().unwrap().len(), 43);
    assert!(file.exists() && folder.path().join("new.db.key").exists());
    assert_eq!(run(&["--json", "api-key", "list"]).json()[0]["role"], "viewer");

    assert_eq!(run(&["migrate"]).code, 0);
    assert_eq!(run(&["migrate", "--down"]).code, 0);
    let old = run(&["station", "list"]);
    assert!(old.code == 1 && old.err.contains("roamwatt migrate"), "{old:?}");
    assert_eq!(run(&["check"]).code, 1);
    assert_eq!(run(&["migrate"]).code, 0);
    assert_eq!(run(&["station", "list"]).code, 0);

    std::fs::remove_file(folder.path().join("new.db.key")).unwrap();
    let lost = run(&["api-key", "create", "--role", "viewer"]);
    assert!(lost.code == 1 && lost.err.contains("new.db.key"), "{lost:?}");
}

on_each_engine! {
    async fn check_sees_what_is_wrong_with_the_database(db: TestDb) {
        add_party(&db);
        let location = fixture("location_full.json");
        assert_eq!(run(&db, &["import", "locations", location.to_str().unwrap()]).code, 0);
        let ran = run(&db, &["station", "add", "CS1", "--location", "LOC-FULL", "--no-auth"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let good = run(&db, &["check", "--json", "--deep"]).json();
        assert_eq!(good["contents"]["stations"], 1);
        assert_eq!(good["problems"], serde_json::json!([]));
        let mut strict = command(db.url(), &["check"]);
        let ran = Ran::of(strict.env("ROAMWATT_OCPP__ALLOW_NO_AUTH", "false").output().unwrap());
        assert!(ran.code == 1 && ran.out.contains("station CS1 has no password"), "{ran:?}");
    }
}
