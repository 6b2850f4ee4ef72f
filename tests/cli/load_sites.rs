//! `load check`, `put`, `list`, `show`, `events`, `chart` and `remove` through the binary itself.

use super::{Ran, run, run_with};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use roamwatt::load::control::GridLimit;
use serde_json::{Value, json};
use std::time::Duration;

const SITE: &str = r#"
id = "depot"
name = "The depot"
[grid_control]
failsafe_watts = 13020
[[node]]
id = "grid"
amps = 63
margin_amps = 1
[[node]]
id = "board"
parent = "grid"
amps = 32
[[station]]
id = "A"
parent = "board"
connector = [{ number = 1, amps = 32 }, { number = 2, amps = 32 }]
[[station]]
id = "B"
parent = "grid"
smart_charging = false
connector = [{ number = 1, amps = 16, wiring = "L1" }]
"#;

fn too_much() -> String {
    SITE.replace("number = 1, amps = 32 }", "number = 1, amps = 32, fallback_amps = 20 }")
        .replace("number = 2, amps = 32 }", "number = 2, amps = 32, fallback_amps = 16 }")
}

/// Runs a command until it succeeds: a node needs a moment.
async fn until(db: &TestDb, arguments: &[&str], is_so: impl Fn(&Ran) -> bool) -> Ran {
    let mut ran = run(db, arguments);
    for _ in 0..100 {
        if is_so(&ran) {
            return ran;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        ran = run(db, arguments);
    }
    panic!("{arguments:?}: {ran:?}");
}

on_each_engine! {
    async fn a_site_is_checked_before_it_is_written(db: TestDb) {
        let good = run_with(&db, &["load", "check", "-"], SITE);
        assert_eq!(good.code, 0, "{good:?}");
        assert!(good.out.contains("depot: 2 nodes, 2 stations, 3 connectors"), "{good:?}");
        assert!(good.out.contains("all fallbacks fit within every limit"), "{good:?}");
        assert!(good.out.contains("The highest fallback that fits at every connector is 6.7 A."), "{good:?}");
        let json = run_with(&db, &["load", "check", "-", "--json"], SITE).json();
        assert_eq!((&json["site"], &json["fits"], &json["connectors"]), (&json!("depot"), &json!(true), &json!(3)));

        let bad = run_with(&db, &["load", "check", "-"], &too_much());
        assert_eq!((bad.code, bad.err.as_str()), (1, ""), "{bad:?}");
        assert!(bad.out.contains("L1 of board: 32.0 A allowed, 4.0 A too much: fallbacks 36.0"), "{bad:?}");
        let bad = run_with(&db, &["load", "check", "-", "--json"], &too_much());
        let told: Value = serde_json::from_str(&bad.out).unwrap();
        assert_eq!((bad.code, &told["fits"], &told["over"][0]["node"]), (1, &json!(false), &json!("board")));
        assert_eq!((&told["over"][0]["of"], &told["over"][0]["excess"]), (&json!("l1"), &json!(4.0)));

        // Nobody lowers fallbacks when nobody is heard.
        let failsafe = SITE.replace("number = 1, amps = 32 }", "number = 1, amps = 32, fallback_amps = 14 }");
        let bad = run_with(&db, &["load", "check", "-"], &failsafe);
        assert!(bad.code == 1 && bad.out.contains("power of grid: 13020.0 W allowed by grid_control"), "{bad:?}");
        assert!(bad.out.contains("reserved by A/1 9660.0, B/1 3680.0"), "{bad:?}");
        let bad: Value = serde_json::from_str(&run_with(&db, &["load", "check", "-", "--json"], &failsafe).out).unwrap();
        assert_eq!((&bad["over"][0]["failsafe"], &bad["over"][0]["excess"]), (&json!(true), &json!(320.0)));
        assert_eq!(bad["over"][0]["reserved"][1], json!({ "station": "B", "connector": 1, "watts": 3680.0 }));

        let wrong = SITE.replace("parent = \"grid\"\namps = 32", "parent = \"board\"\namps = -32");
        let refused = run_with(&db, &["load", "check", "-"], &wrong);
        assert!(refused.code == 1 && refused.err.contains("stdin does not hold together"), "{refused:?}");
        assert!(refused.err.contains("node[1].parent") && refused.err.contains("a cycle: board"), "{refused:?}");
        assert!(refused.err.contains("node[1].amps") && refused.err.contains("found -32"), "{refused:?}");
        for (text, wanted) in [
            (SITE.replace("margin_amps", "margin"), "margin"),
            ("id = ".to_owned(), "docs/load.md"),
            ("{\"id\": 7}".to_owned(), "id"),
        ] {
            let refused = run_with(&db, &["load", "check", "-"], &text);
            assert!(refused.code == 1 && refused.err.contains(wanted), "{refused:?}");
        }
        let missing = run(&db, &["load", "check", "/nowhere/site.toml"]);
        assert!(missing.code == 1 && missing.err.contains("cannot read /nowhere/site.toml"), "{missing:?}");
        assert_eq!(run(&db, &["load", "check"]).code, 2);

        let refused = run_with(&db, &["load", "put", "-"], &too_much());
        assert_eq!(refused.code, 1, "{refused:?}");
        for wanted in ["do not fit: nothing was written", "L2 of board", "a fallback_amps of 6.7 at every connector fits"] {
            assert!(refused.err.contains(wanted), "{wanted}: {refused:?}");
        }
        assert_eq!(run(&db, &["load", "list", "--json"]).json(), json!([]));
    }

    async fn a_site_is_written_listed_and_removed(db: TestDb) {
        let none = run(&db, &["load", "list"]);
        assert!(none.code == 0 && none.out.contains("No site is under load management"), "{none:?}");
        let file = db.folder().join("site.toml");
        std::fs::write(&file, SITE).unwrap();
        let file = file.display().to_string();
        let put = run(&db, &["load", "put", &file]);
        assert_eq!((put.code, put.out.as_str()), (0, "depot is under load management with 2 stations.\n"), "{put:?}");
        let again = run(&db, &["load", "put", &file, "--json"]).json();
        assert_eq!(again, json!({ "site": "depot", "stations": 2 }));
        let listed = run(&db, &["load", "list"]);
        for wanted in ["SITE", "NAME", "STATIONS", "depot", "The depot"] {
            assert!(listed.out.contains(wanted), "{listed:?}");
        }
        let listed = run(&db, &["load", "list", "--json"]).json();
        assert_eq!(listed, json!([{ "id": "depot", "name": "The depot", "stations": 2, "revision": 2 }]));

        let taken = run_with(&db, &["load", "put", "-"], &SITE.replace("\"depot\"", "\"yard\""));
        assert_eq!(taken.code, 1, "{taken:?}");
        for wanted in ["A is in the site depot already", "take it out of the other site first"] {
            assert!(taken.err.contains(wanted), "{taken:?}");
        }
        let json = serde_json::to_string(&json!({ "id": "yard", "node": [{ "id": "grid", "amps": 16 }] })).unwrap();
        assert_eq!(run_with(&db, &["load", "put", "-"], &json).code, 0, "JSON, and no station yet");

        // Nothing runs it.
        let shown = run(&db, &["load", "show", "depot"]);
        assert!(shown.code == 1 && shown.err.contains("no node has run the site depot yet"), "{shown:?}");
        assert!(shown.err.contains("roamwatt serve"), "{shown:?}");
        let events = run(&db, &["load", "events", "depot"]);
        assert!(events.code == 0 && events.out.is_empty() && events.err.contains("Nothing happened"), "{events:?}");
        assert_eq!(run(&db, &["load", "events", "depot", "--csv"]).out, "at,kind,about,detail\n");
        assert!(run(&db, &["load", "chart", "depot"]).out.starts_with("<svg"));
        for command in ["show", "events", "chart", "remove"] {
            let unknown = run(&db, &["load", command, "attic"]);
            assert!(unknown.code == 1 && unknown.err.contains("there is no site attic"), "{unknown:?}");
            assert_eq!(run(&db, &["load", command]).code, 2);
        }
        let removed = run(&db, &["load", "remove", "depot"]);
        assert_eq!((removed.code, removed.out.as_str()), (0, "depot is not under load management any more.\n"));
        assert_eq!(run(&db, &["load", "remove", "yard", "--json"]).json(), json!({ "removed": "yard" }));
        assert_eq!(run(&db, &["load", "remove", "depot"]).code, 1);
        assert_eq!(run(&db, &["load", "list", "--json"]).json(), json!([]));
    }

    async fn an_outlook_is_written_shown_and_forgotten(db: TestDb) {
        let csv = "time,price,sun_kw\n2099-01-01T00:00:00Z,0.3,\n2099-01-01T01:00:00Z,0.1,2.5\n";
        let unknown = run_with(&db, &["load", "outlook", "depot", "-"], csv);
        assert!(unknown.code == 1 && unknown.err.contains("there is no site depot"), "{unknown:?}");
        assert_eq!(run_with(&db, &["load", "put", "-"], SITE).code, 0);
        let none = run(&db, &["load", "outlook", "depot", "--remove"]);
        assert!(none.code == 1 && none.err.contains("the site depot has no outlook"), "{none:?}");
        let written = run_with(&db, &["load", "outlook", "depot", "-"], csv);
        assert_eq!(written.out, "prices: nothing is known of now; from 2099-01-01T00:00:00Z until 2099-01-01T02:00:00Z\n\
            sun_kw: nothing is known of now; from 2099-01-01T01:00:00Z until 2099-01-01T02:00:00Z\n", "{written:?}");
        for (text, place, words) in [
            (csv.replace("0.1,2.5", "NaN,2.5"), "line 3", "NaN is not a number"),
            (csv.replace("0.1,2.5", "0.1,-2.5"), "line 3", "-2.5 is not a number"),
            (csv.replace("01:00", "00:00"), "line 3", "must be later than the one before"),
            ("{\"prices\": 7}".to_owned(), "$.prices", "a list of {from, value}"),
        ] {
            let refused = run_with(&db, &["load", "outlook", "depot", "-"], &text);
            assert!(refused.code == 1 && refused.out.is_empty(), "{refused:?}");
            for wanted in ["stdin makes no sense: nothing was written", place, words, "docs/load.md"] {
                assert!(refused.err.contains(wanted), "{wanted}: {refused:?}");
            }
        }
        assert_eq!(run(&db, &["load", "outlook", "depot"]).code, 2);

        // What another process writes, a running node follows; and so does the one after it.
        for at in 0..2 {
            let node = TestNode::start(db.url()).await;
            let wanted = "Expected prices: nothing is known of now; from 2099-01-01T00:00:00Z until 2099-01-01T02:00:00Z";
            until(&db, &["load", "show", "depot"], |ran| ran.out.contains(wanted)).await;
            if at == 1 {
                let past = r#"{"co2": [{"from": "2020-01-01T00:00:00Z", "value": 400}]}"#;
                let taken = run_with(&db, &["load", "outlook", "depot", "-", "--json"], past).json();
                assert_eq!(taken["outlook"][0]["used"], false, "{taken}");
                let said = run_with(&db, &["load", "outlook", "depot", "-"], past);
                assert!(said.out.contains("co2: ended, not followed; from 2020"), "{said:?}");
                until(&db, &["load", "show", "depot"], |ran| ran.out.contains("Expected co2: ended, not followed; from 2020")).await;
                until(&db, &["load", "events", "depot"], |ran| ran.out.contains("it is not followed any more")).await;
                assert_eq!(run(&db, &["load", "outlook", "depot", "--remove"]).code, 0);
                until(&db, &["load", "show", "depot"], |ran| !ran.out.contains("Expected")).await;
            }
            node.stop().await;
        }
    }

    async fn what_a_node_sees_of_a_site_is_shown(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        assert_eq!(run_with(&db, &["load", "put", "-"], SITE).code, 0);
        // The node finds by itself what another process has written.
        let shown = until(&db, &["load", "show", "depot"], |ran| ran.code == 0).await;
        for wanted in [
            "Grid operator: init, 13020 W",
            "ALLOWED", "FOR CARS", "KEPT FREE", "WRITES TODAY",
            "grid L1", "board L3", "grid power", "A/1", "B/1", "OVER",
            "not connected, and it never confirmed a limit",
            "takes no charging profiles",
        ] {
            assert!(shown.out.contains(wanted), "{wanted}: {}", shown.out);
        }
        let json = run(&db, &["load", "show", "depot", "--json"]).json();
        assert_eq!((&json["site"], &json["view"]["connectors"][0]["station"]), (&json!("depot"), &json!("A")));

        let app = node.app();
        app.energy.limit("depot", GridLimit { watts: Some(4_200.0), until: None }).await;
        until(&db, &["load", "events", "depot"], |ran| ran.out.contains("4200 W")).await;
        app.energy.limit("depot", GridLimit { watts: None, until: None }).await;
        let events = until(&db, &["load", "events", "depot"], |ran| ran.out.contains("lifts")).await;
        assert!(events.out.contains("depot: the grid operator allows 4200 W"), "{}", events.out);
        assert!(events.out.contains("depot: the grid operator lifts its limit"), "{}", events.out);
        let lines = run(&db, &["load", "events", "depot", "--json"]);
        let lines: Vec<Value> = lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let limit = lines.iter().find(|line| line["kind"] == "grid_limit").unwrap();
        assert_eq!((&limit["about"], &limit["detail"]["watts"]), (&json!("depot"), &json!(4200.0)));
        let csv = run(&db, &["load", "events", "depot", "--csv"]);
        assert!(csv.out.starts_with("at,kind,about,detail\n") && csv.out.contains(",grid_limit,depot,"), "{csv:?}");
        let before = run(&db, &["load", "events", "depot", "--to", "2020-01-01T00:00:00Z"]);
        assert!(before.out.is_empty() && before.err.contains("Nothing happened in that time"), "{before:?}");
        assert_eq!(run(&db, &["load", "events", "depot", "--from", "noon"]).code, 2);

        for more in [&[][..], &["--node", "board"], &["--day", "2026-11-27", "--node", "A"]] {
            let chart = run(&db, &[&["load", "chart", "depot"], more].concat());
            assert!(chart.code == 0 && chart.out.starts_with("<svg") && chart.out.contains("</svg>"), "{chart:?}");
        }
        let unknown = run(&db, &["load", "chart", "depot", "--node", "attic"]);
        assert!(unknown.code == 1 && unknown.err.contains("the site depot has no node or station attic"), "{unknown:?}");
        assert_eq!(run(&db, &["load", "chart", "depot", "--day", "2026-02-30"]).code, 2);
        node.stop().await;
    }
}
