//! CDRs for accounting, over HTTP.

use super::operator::Operator;
use crate::cli::exports::write_cdrs;
use crate::cli::run;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// More than two batches.
const MANY: u32 = 1100;

on_each_engine! {
    /// Both write the same bytes, which the command line's own tests look at.
    async fn an_export_is_that_of_the_command_line(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        write_cdrs(&db, MANY).await;
        let finance = Operator::of_role(&node, "finance").await;
        for (format, kind, name) in
            [("csv", "text/csv; charset=utf-8; header=present", "cdrs.csv"), ("jsonl", "application/x-ndjson", "cdrs.jsonl")]
        {
            let response = finance.send(Method::GET, &format!("/cdrs/export?format={format}"), None).await;
            assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (200, &kind.parse().unwrap()));
            assert_eq!(response.headers()["content-disposition"], format!("attachment; filename=\"{name}\""));
            // Sent while it is read: nobody knows its length at its beginning.
            assert_eq!(response.headers()["transfer-encoding"], "chunked");
            assert!(!response.headers().contains_key("content-length"));
            let command = run(&db, &["export", "cdrs", "--format", format, "--json"]);
            assert_eq!(response.text().await.unwrap(), command.out, "{format}");
            let lines = usize::try_from(MANY).unwrap() + usize::from(format == "csv");
            assert_eq!(command.out.lines().count(), lines);

            let sums: Value = serde_json::from_str(&command.err).unwrap();
            assert_eq!(finance.get("/cdrs/totals").await, sums);
            assert_eq!(sums["cdrs"], MANY);
        }

        // A part of it, by days and by moments.
        let answer = async |query: &str| {
            finance.send(Method::GET, &format!("/cdrs/export?{query}"), None).await.text().await.unwrap()
        };
        let line = ["export", "cdrs", "--from", "2026-02-02", "--to", "2026-02-04"];
        let command = run(&db, &line).out;
        assert_eq!(command.lines().count(), 1 + 80);
        assert_eq!(answer("from=2026-02-02&to=2026-02-04").await, command);
        assert_eq!(answer("from=2026-02-02T00:00:00Z&to=2026-02-04T01:00:00%2B01:00").await, command);
        assert_eq!(finance.get("/cdrs/totals?from=2026-02-02&to=2026-02-04").await["cdrs"], 80);
        // Where there is nothing, the headings stand alone.
        let headings = command.lines().next().unwrap();
        assert_eq!(answer("direction=received").await, format!("{headings}\r\n"));
        assert_eq!(answer("format=jsonl&from=2027-01-01").await, "");
        let none = finance.get("/cdrs/totals?direction=received").await;
        assert_eq!(none, json!({ "cdrs": 0, "charges": 0, "energy_kwh": "0", "costs": {} }));
        node.stop().await;
    }

    async fn an_export_is_for_finance_and_operators(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        for path in ["/cdrs/export", "/cdrs/totals"] {
            for role in ["finance", "operator"] {
                let response = Operator::of_role(&node, role).await.send(Method::GET, path, None).await;
                assert_eq!(response.status(), 200, "{role} {path}");
            }
            let viewer = Operator::of_role(&node, "viewer").await;
            let (status, problem) = viewer.problem(Method::GET, path, None).await;
            assert_eq!(status, 403, "{path}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("viewer") && detail.contains("finance or operator"), "{detail}");
        }
        let finance = Operator::of_role(&node, "finance").await;
        for (query, at) in [
            ("format=xml", "format"), ("from=1.1.2026", "from"), ("to=2026-02-30", "to"), ("direction=both", "direction"),
            ("from=2026-02-02&to=2026-02-02", "from"), ("limit=1", "limit"),
        ] {
            let (status, problem) = finance.problem(Method::GET, &format!("/cdrs/export?{query}"), None).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{query}: {problem}");
        }
        assert_eq!(finance.problem(Method::GET, "/cdrs/totals?format=csv", None).await.0, 400);
        assert_eq!(finance.problem(Method::POST, "/cdrs/export", None).await.0, 405);
        node.stop().await;
    }

    /// The rest is read only when somebody takes it.
    async fn an_export_that_nobody_reads_to_its_end_stops(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        write_cdrs(&db, MANY).await;
        let finance = Operator::of_role(&node, "finance").await;
        let mut response = finance.send(Method::GET, "/cdrs/export", None).await;
        let first = response.chunk().await.unwrap().unwrap();
        assert!(first.starts_with(b"direction,country_code,"));
        drop(response);
        let begun = std::time::Instant::now();
        node.stop().await;
        assert!(begun.elapsed() < Duration::from_secs(4), "nothing of it runs on");
    }
}
