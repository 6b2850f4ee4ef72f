//! The live log of frames.

use super::{command, run};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::clock::Clock;
use roamwatt::db::{Db, DbError, frames};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

async fn add(db: &Db, station: &'static str, kind: &'static str, frame: &'static str) {
    let now = Clock::System.now();
    let done: Result<(), DbError> = db.write(move |conn| frames::add(conn, station, now, kind, frame)).await;
    done.unwrap();
}

on_each_engine! {
    async fn frames_are_followed_as_they_come(db: TestDb) {
        let open = db.open();
        add(&open, "CS1", "in", "[2,\"0\",\"Heartbeat\",{}]").await;
        let mut child = command(db.url(), &["station", "log", "CS1", "--follow", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();

        // The follower asks the nodes for frames before it reads on.
        let begun = Instant::now();
        loop {
            let watched: Result<Vec<String>, DbError> =
                open.read(|conn| frames::watched(conn, Clock::System.now())).await;
            if watched.unwrap() == ["CS1"] {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody watches");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        add(&open, "CS2", "in", "[2,\"1\",\"Heartbeat\",{}]").await;
        add(&open, "CS1", "refused", "wrong password").await;
        add(&open, "CS1", "out", "[3,\"1\",{}]").await;
        let seen = tokio::task::spawn_blocking(move || {
            lines.take(2).map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()).collect::<Vec<_>>()
        });
        let seen = tokio::time::timeout(Duration::from_secs(20), seen).await.unwrap().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(seen[0]["text"], "wrong password");
        assert_eq!((&seen[1]["kind"], &seen[1]["station"]), (&"out".into(), &"CS1".into()));

        let kept = run(&db, &["station", "log", "--lines", "2"]);
        let texts: Vec<&str> = kept.out.lines().map(|line| &line[25..]).collect();
        assert_eq!(texts, ["CS1  refused wrong password", "CS1  → [3,\"1\",{}]"]);
    }
}
