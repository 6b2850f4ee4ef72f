//! Backup and restore.

use super::{Ran, add_party, command, fixture, run};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use crate::support::not_run::not_run;
use std::path::Path;

/// PostgreSQL's own programs do its backups.
fn tools_for(db: &TestDb) -> bool {
    let there = std::process::Command::new("pg_dump").arg("--version").output().is_ok();
    if db.url().starts_with("postgres") && !there {
        not_run("cli::backups", "pg_dump");
        return false;
    }
    true
}

fn fill(db: &TestDb) {
    add_party(db);
    let location = fixture("location_full.json");
    assert_eq!(run(db, &["import", "locations", location.to_str().unwrap()]).code, 0);
    assert_eq!(run(db, &["station", "add", "CS1", "--location", "LOC-FULL"]).code, 0);
}

fn stations(db: &TestDb) -> Vec<String> {
    let list = run(db, &["station", "list", "--json"]).json();
    list.as_array().unwrap().iter().map(|station| station["id"].as_str().unwrap().to_owned()).collect()
}

on_each_engine! {
    async fn what_was_backed_up_comes_back(db: TestDb) {
        if !tools_for(&db) {
            return;
        }
        fill(&db);
        let file = db.folder().join("backup");
        let file = file.to_str().unwrap();
        // While a node runs.
        let node = TestNode::start(db.url()).await;
        let backup = run(&db, &["backup", file]);
        assert_eq!(backup.code, 0, "{backup:?}");
        node.stop().await;
        let again = run(&db, &["backup", file]);
        assert!(again.code == 1 && again.err.contains("exists already"), "{again:?}");

        assert_eq!(run(&db, &["station", "remove", "CS1"]).code, 0);
        let kept = run(&db, &["restore", file, "--verify"]);
        assert!(kept.code == 1 && kept.err.contains("--replace"), "{kept:?}");
        assert_eq!(run(&db, &["restore", file, "--verify", "--dry-run"]).code, 0);
        assert!(stations(&db).is_empty());
        let restored = run(&db, &["restore", file, "--verify", "--replace", "--json"]).json();
        assert_eq!(restored["contents"]["stations"], 1);
        assert_eq!(stations(&db), ["CS1"]);
    }
}

#[test]
fn a_backup_that_is_not_whole_replaces_nothing() {
    let Some(db) = TestDb::new(crate::support::db::Engine::Sqlite, "cli::backups::not_whole") else { return };
    fill(&db);
    let place = |name: &str| db.folder().join(name).to_str().unwrap().to_owned();
    let good = place("good");
    assert_eq!(run(&db, &["backup", &good]).code, 0);
    let bytes = std::fs::read(&good).unwrap();
    for (name, bytes, says) in [
        ("half", &bytes[..bytes.len() / 2], "is no good backup"),
        ("text", b"nothing of ours".as_slice(), "is no good backup"),
        ("empty", b"".as_slice(), "no database of this program"),
    ] {
        let bad = place(name);
        std::fs::write(&bad, bytes).unwrap();
        let refused = run(&db, &["restore", &bad, "--verify", "--replace"]);
        assert!(refused.code == 1 && refused.err.contains(says), "{refused:?}");
        assert_eq!(stations(&db), ["CS1"]);
    }
    let missing = run(&db, &["restore", &place("missing"), "--replace"]);
    assert!(missing.code == 1 && missing.err.contains("cannot read"), "{missing:?}");
    let leftovers: Vec<_> = std::fs::read_dir(db.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".tmp") || name.contains("replaced"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn a_database_in_use_is_not_replaced_and_a_key_travels_with_its_backup() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let run = |database: &str, arguments: &[&str]| {
        let mut command = command(&format!("sqlite://{database}"), arguments);
        Ran::of(command.env_remove("ROAMWATT_SECURITY__SECRET_KEY").output().unwrap())
    };
    let (one, two, backup) = (at("one.db"), at("two.db"), at("backup"));
    assert_eq!(run(&one, &["migrate"]).code, 0);
    let made = run(&one, &["backup", &backup, "--json"]).json();
    assert_eq!(made["key_file"], format!("{backup}.key"));

    assert_eq!(run(&two, &["restore", &backup, "--verify"]).code, 0);
    let key = |path: &str| std::fs::read_to_string(format!("{path}.key")).unwrap();
    assert_eq!(key(&two), key(&one));
    assert_eq!(run(&two, &["check"]).code, 0);

    let holder =
        roamwatt::db::Db::open(&format!("sqlite://{two}").parse().unwrap(), &Default::default()).unwrap();
    let busy = run(&two, &["restore", &backup, "--replace"]);
    assert!(busy.code == 1 && busy.err.contains("is in use"), "{busy:?}");
    assert!(Path::new(&two).exists());
    drop(holder);

    std::fs::remove_file(format!("{backup}.key")).unwrap();
    let keyless = run(&at("three.db"), &["restore", &backup]);
    assert!(keyless.code == 1 && keyless.err.contains("the key of the backup"), "{keyless:?}");
}
