//! Load management over HTTP: sites, what they are told, and what is seen of them.

use super::operator::{Operator, problem};
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) fn depot() -> Value {
    json!({
        "id": "depot",
        "name": "The depot",
        "time_zone": "Europe/Berlin",
        "node": [
            { "id": "grid", "amps": 63 },
            { "id": "board", "parent": "grid", "amps": { "l1": 32, "l2": 32, "l3": 25.5 } },
        ],
        "station": [
            { "id": "CS0", "parent": "board", "connector": [{ "number": 1, "amps": 32, "fallback_amps": 6 }] },
            { "id": "CS1", "parent": "grid", "connector": [{ "number": 1, "amps": 16 }] },
        ],
        "meter": [{ "id": "house", "node": "grid", "measures": "background", "worst_amps": 40 }],
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut site = depot();
    change(&mut site);
    site
}

/// Writes the depot, or another site, and waits until the node runs it.
pub(crate) async fn put(operator: &Operator<'_>, site: &Value) {
    let path = format!("/load/sites/{}", site["id"].as_str().unwrap());
    let written = operator.send(Method::PUT, &path, Some(site.clone())).await;
    assert_eq!(written.status(), 200, "{:?}", written.text().await);
    runs(operator, &path).await;
}

/// Waits until the node runs the site of a path.
pub(crate) async fn runs(operator: &Operator<'_>, path: &str) {
    for _ in 0..500 {
        if operator.send(Method::GET, &format!("{path}/now"), None).await.status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the node does not run the site");
}

/// The site now, as soon as something is so.
pub(crate) async fn now_when(operator: &Operator<'_>, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut now = Value::Null;
    for _ in 0..500 {
        now = operator.get("/load/sites/depot/now").await;
        if is_so(&now) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not come: {now:#}");
}

async fn kinds(operator: &Operator<'_>) -> Vec<String> {
    let events = operator.get("/load/sites/depot/events").await;
    events.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

/// Waits until so many limits of the grid operator are on record: that is written beside the answer.
async fn recorded(operator: &Operator<'_>, limits: usize) {
    for _ in 0..500 {
        if kinds(operator).await.iter().filter(|kind| *kind == "grid_limit").count() == limits {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("limits are not on record: {:?}", kinds(operator).await);
}

/// What is left to cars on L1 of the connection, and whether the meter is good.
fn left(now: &Value) -> (f64, bool) {
    let limits = now["limits"].as_array().unwrap();
    let row = limits.iter().find(|row| row["node"] == "grid" && row["of"] == "L1").unwrap();
    (row["for_cars"].as_f64().unwrap(), now["meters"][0]["good"].as_bool().unwrap())
}

on_each_engine! {
    async fn a_site_is_written_changed_and_removed(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        assert_eq!(operator.get("/load/sites").await, json!([]));
        let path = "/load/sites/depot";
        assert_eq!(operator.problem(Method::GET, path, None).await.0, 404);
        let entry = json!({ "id": "depot", "name": "The depot", "stations": 2, "revision": 1 });
        let written = operator.send(Method::PUT, path, Some(depot())).await;
        assert_eq!(written.status(), 200);
        assert_eq!(written.json::<Value>().await.unwrap(), entry);
        assert_eq!(operator.get("/load/sites").await, json!([entry]));

        // What comes back is the same site, with what was left out filled in; and it can be written as it is.
        let shown = operator.get(path).await;
        assert_eq!(shown["node"][1]["amps"], json!({ "l1": 32.0, "l2": 32.0, "l3": 25.5 }));
        assert_eq!((&shown["station"][0]["connector"][0]["min_amps"], &shown["volts"]), (&json!(6.0), &json!(230.0)));
        assert_eq!(shown["meter"][0]["stale_seconds"], 60);
        put(&operator, &shown).await;
        assert_eq!(operator.get(path).await, shown);
        assert_eq!(operator.get("/load/sites").await[0]["revision"], 2);

        let now = operator.get("/load/sites/depot/now").await;
        let connectors = now["connectors"].as_array().unwrap();
        assert_eq!(connectors.len(), 2);
        assert_eq!((&connectors[0]["station"], &connectors[0]["online"]), (&json!("CS0"), &json!(false)));
        assert_eq!((&connectors[0]["trust"], &connectors[0]["kept_free_amps"]), (&json!("unproven"), &json!(32.0)));
        assert!(connectors[0]["why"].as_str().unwrap().contains("never confirmed a limit"), "{now:#}");
        assert_eq!((&now["grid"], &now["meters"][0]["good"]), (&json!(null), &json!(false)));
        // The connection has no limit in watts: such rows are not shown.
        assert!(now["limits"].as_array().unwrap().iter().all(|row| row["unit"] == "A"), "{now:#}");

        assert_eq!(operator.send(Method::DELETE, path, None).await.status(), 204);
        assert_eq!(operator.problem(Method::DELETE, path, None).await.0, 404);
        assert_eq!(operator.problem(Method::GET, path, None).await.0, 404);
        for _ in 0..500 {
            if operator.send(Method::GET, "/load/sites/depot/now", None).await.status() == 404 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the node still runs the site");
    }

    async fn what_is_wrong_with_a_site_is_told_by_its_place(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let connector = |name: &'static str, value: Value| {
            with(move |site| site["station"][0]["connector"][0][name] = value)
        };
        for (body, at) in [
            (with(|site| site["node"][0]["parent"] = json!("board")), "$.node"),
            (with(|site| site["node"][1]["parent"] = json!("attic")), "$.node[1].parent"),
            (with(|site| site["node"][1]["parent"] = Value::Null), "$.node[1].parent"),
            (with(|site| site["node"][1]["parent"] = json!("board")), "$.node[1].parent"),
            (with(|site| site["node"][1]["id"] = json!("CS1")), "$.station[1].id"),
            (with(|site| site["node"][0]["amps"] = json!(-63)), "$.node[0].amps"),
            (with(|site| site["node"][1]["amps"]["l2"] = json!(-1)), "$.node[1].amps.l2"),
            (with(|site| site["node"][0]["watts"] = json!(1e300)), "$.node[0].watts"),
            (with(|site| site["node"][0]["amps"] = json!("NaN")), "$.node[0].amps"),
            (with(|site| site["node"][0]["amperes"] = json!(63)), "$.node[0].amperes"),
            (with(|site| site["station"][1]["parent"] = json!("attic")), "$.station[1].parent"),
            (with(|site| site["station"][1]["connector"] = json!([])), "$.station[1].connector"),
            (with(|site| site["station"][1]["rotation"] = json!("RRR")), "$.station[1].rotation"),
            (connector("amps", json!(0)), "$.station[0].connector[0].amps"),
            (connector("amps", json!("32")), "$.station[0].connector[0].amps"),
            (connector("wiring", json!("L4")), "$.station[0].connector[0].wiring"),
            (connector("number", json!(0)), "$.station[0].connector[0].number"),
            (connector("fallback_amps", json!(40)), "$.station[0].connector[0].fallback_amps"),
            (with(|site| site["meter"][0]["node"] = json!("attic")), "$.meter[0].node"),
            (with(|site| site["meter"][0]["mqtt"] = json!({ "topic": "a/#" })), "$.meter[0].mqtt"),
            (with(|site| site["grid_control"] = json!({ "failsafe_watts": -1 })), "$.grid_control.failsafe_watts"),
            (with(|site| site["time_zone"] = json!("Berlin")), "$.time_zone"),
            (with(|site| site["id"] = json!("yard")), "$.id"),
            (json!("depot"), "$"),
        ] {
            for (method, path) in [(Method::PUT, "/load/sites/depot"), (Method::POST, "/load/check")] {
                // Checking asks for no id in particular.
                if path.ends_with("check") && at == "$.id" {
                    continue;
                }
                let (status, problem) = operator.problem(method, path, Some(body.clone())).await;
                assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{path} {body}: {problem}");
            }
        }
        // Of several, all are told.
        let twice = with(|site| {
            site["node"][0]["amps"] = json!(-1);
            site["station"][0]["parent"] = json!("attic");
        });
        let (_, problem) = operator.problem(Method::PUT, "/load/sites/depot", Some(twice)).await;
        assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
        // What is no number is no JSON.
        for number in ["NaN", "Infinity", "-Infinity"] {
            let text = depot().to_string().replace("63", number);
            let request = site.node.client.put(site.node.url("/api/v1/load/sites/depot")).bearer_auth(&operator.token);
            let answer = request.header("Content-Type", "application/json").body(text).send().await.unwrap();
            assert_eq!(problem_of(answer).await, 400, "{number}");
        }
        assert_eq!(operator.get("/load/sites").await, json!([]), "nothing of that was written");
    }

    async fn a_site_that_is_not_safe_alone_is_refused_with_what_does_not_fit(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let unsafe_site = with(|site| site["station"][0]["connector"][0]["fallback_amps"] = json!(30));
        let (status, problem) = operator.problem(Method::PUT, "/load/sites/depot", Some(unsafe_site.clone())).await;
        assert_eq!(status, 409);
        // 40 A of other load at worst leave 23 A of 63; the board has 25.5 A on L3.
        let rows: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|row| row["at"].as_str().unwrap()).collect();
        assert_eq!(rows, ["L1 of grid", "L2 of grid", "L3 of grid", "L3 of board"]);
        assert!(problem["errors"][3]["detail"].as_str().unwrap().contains("25.5 A allowed, 4.5 A too much"), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("fallback_amps of 11.5 everywhere would fit"), "{problem}");
        assert_eq!(operator.problem(Method::GET, "/load/sites/depot", None).await.0, 404);

        let viewer = Operator::of_role(&site.node, "viewer").await;
        let checked = viewer.send(Method::POST, "/load/check", Some(unsafe_site)).await;
        assert_eq!(checked.status(), 200);
        let checked: Value = checked.json().await.unwrap();
        assert_eq!((&checked["fits"], &checked["highest_fallback_amps"]), (&json!(false), &json!(11.5)));
        assert_eq!(checked["over"][3]["limit"], "L3 of board");
        let good: Value = viewer.send(Method::POST, "/load/check", Some(depot())).await.json().await.unwrap();
        assert_eq!((&good["fits"], &good["over"]), (&json!(true), &json!([])));

        // A station belongs to one site.
        put(&operator, &depot()).await;
        let yard = with(|site| site["id"] = json!("yard"));
        let (status, problem) = operator.problem(Method::PUT, "/load/sites/yard", Some(yard)).await;
        assert_eq!(status, 409);
        assert!(problem["detail"].as_str().unwrap().contains("CS0 is in the site depot already"), "{problem}");
    }

    async fn a_meter_counts_until_it_talks_nonsense(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let path = "/load/sites/depot/meters/house";
        let reading = json!({ "l1": 20, "l2": 3.5, "l3": -7 });
        assert_eq!(operator.problem(Method::POST, path, Some(reading.clone())).await.0, 404, "no such site");
        put(&operator, &depot()).await;
        let (status, problem) = operator.problem(Method::POST, "/load/sites/depot/meters/attic", Some(reading.clone())).await;
        assert!(status == 404 && problem["detail"].as_str().unwrap().contains("no meter attic"), "{problem}");
        for (body, at) in [
            (json!({ "l1": 20, "l2": 3.5 }), "$"),
            (json!({ "l1": "20", "l2": 3.5, "l3": 1 }), "$.l1"),
            (json!({ "l1": null, "l2": 3.5, "l3": 1 }), "$.l1"),
            (json!({ "l1": 20, "l2": 3.5, "l3": 1, "l4": 1 }), "$.l4"),
            (json!({ "l1": 20, "l2": 3.5, "l3": 1, "at": "noon" }), "$.at"),
        ] {
            let (status, problem) = operator.problem(Method::POST, path, Some(body.clone())).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{body}: {problem}");
        }
        assert_eq!(left(&operator.get("/load/sites/depot/now").await), (23.0, false));

        let tell = async |body: Value| operator.send(Method::POST, path, Some(body)).await.status().as_u16();
        assert_eq!(tell(reading).await, 204);
        let now = now_when(&operator, |now| left(now) == (43.0, true)).await;
        assert_eq!(now["meters"][0]["last"], "2026-03-01T08:00:00Z");
        // What feeds in makes no room.
        assert!(now["limits"].as_array().unwrap().iter().any(|row| row["of"] == "L3" && row["for_cars"] == 63.0), "{now:#}");
        // It is taken, for the sender need not know what is made of it.
        assert_eq!(tell(json!({ "l1": 1e9, "l2": 1, "l3": 1, "at": "2026-03-01T08:00:01Z" })).await, 204);
        now_when(&operator, |now| left(now) == (23.0, false)).await;
        assert_eq!(tell(json!({ "l1": 10, "l2": 1, "l3": 1, "at": "2026-03-01T08:00:02Z" })).await, 204);
        now_when(&operator, |now| left(now) == (43.0, true)).await;
        // From the future.
        assert_eq!(tell(json!({ "l1": 1, "l2": 1, "l3": 1, "at": "2026-03-02T08:00:00Z" })).await, 204);
        now_when(&operator, |now| left(now) == (23.0, false)).await;
        assert_eq!(tell(json!({ "l1": 10, "l2": 1, "l3": 1, "at": "2026-03-01T08:00:03Z" })).await, 204);
        now_when(&operator, |now| left(now) == (43.0, true)).await;
        // Silence.
        site.clock.advance(Duration::from_secs(70));
        now_when(&operator, |now| left(now) == (23.0, false)).await;
        assert!(kinds(&operator).await.contains(&"meter_lost".to_owned()));
    }

    async fn the_grid_operator_limits_a_site_that_agreed_to_it(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let (limit, heartbeat) = ("/load/sites/depot/grid-limit", "/load/sites/depot/grid-heartbeat");
        let watts = |watts: Value| Some(json!({ "watts": watts }));
        assert_eq!(operator.problem(Method::PUT, limit, watts(json!(4200))).await.0, 404);
        put(&operator, &depot()).await;
        for (method, path, body) in [(Method::PUT, limit, watts(json!(4200))), (Method::POST, heartbeat, None)] {
            let (status, problem) = operator.problem(method, path, body).await;
            assert!(status == 404 && problem["detail"].as_str().unwrap().contains("no grid_control"), "{problem}");
        }
        put(&operator, &with(|site| site["grid_control"] = json!({ "failsafe_watts": 13020 }))).await;
        let now = now_when(&operator, |now| now["grid"]["state"] == "init").await;
        assert_eq!(now["grid"]["watts"], 13020.0);
        for (body, at) in [
            (json!({ "watts": -1 }), "$.watts"),
            (json!({ "watts": "4200" }), "$.watts"),
            (json!({ "watts": 1e300 }), "$.watts"),
            // A slip must not lift a limit.
            (json!({}), "$"),
            (json!({ "until": "2026-03-01T09:00:00Z" }), "$"),
            (json!({ "Watts": 4200 }), "$.Watts"),
        ] {
            let (status, problem) = operator.problem(Method::PUT, limit, Some(body.clone())).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{body}: {problem}");
        }
        assert_eq!(operator.send(Method::POST, heartbeat, None).await.status(), 204);
        now_when(&operator, |now| now["grid"] == json!({ "state": "free", "watts": null })).await;
        assert_eq!(operator.send(Method::PUT, limit, watts(json!(4200))).await.status(), 204);
        let now = now_when(&operator, |now| now["grid"] == json!({ "state": "limited", "watts": 4200.0 })).await;
        let row = now["limits"].as_array().unwrap().iter().find(|row| row["unit"] == "W").unwrap().clone();
        assert_eq!((&row["of"], &row["limit"], &row["for_cars"]), (&json!("power"), &json!(null), &json!(4200.0)));
        recorded(&operator, 1).await;
        assert_eq!(operator.send(Method::PUT, limit, watts(Value::Null)).await.status(), 204);
        recorded(&operator, 2).await;
        now_when(&operator, |now| now["grid"]["state"] == "free").await;
        let until = json!({ "watts": 3000, "until": "2026-03-01T08:01:00Z" });
        assert_eq!(operator.send(Method::PUT, limit, Some(until)).await.status(), 204);
        now_when(&operator, |now| now["grid"]["watts"] == 3000.0).await;
        recorded(&operator, 3).await;
        site.clock.advance(Duration::from_secs(61));
        now_when(&operator, |now| now["grid"]["state"] == "free").await;
        // Nobody is heard any more.
        site.clock.advance(Duration::from_secs(120));
        now_when(&operator, |now| now["grid"] == json!({ "state": "failsafe", "watts": 13020.0 })).await;

        let events = operator.get("/load/sites/depot/events").await;
        let limits: Vec<&Value> = events.as_array().unwrap().iter().filter(|event| event["kind"] == "grid_limit").collect();
        let said: Vec<&Value> = limits.iter().map(|event| &event["detail"]["watts"]).collect();
        assert_eq!(said, [&json!(4200.0), &json!(null), &json!(3000.0)], "{events:#}");
        assert_eq!((&limits[0]["about"], &limits[0]["at"]), (&json!("depot"), &json!("2026-03-01T08:00:00Z")));
        // In parts: behind a place, and in a time.
        let last = limits[2]["seq"].as_i64().unwrap();
        let after = operator.get(&format!("/load/sites/depot/events?after={last}")).await;
        assert!(after.as_array().unwrap().iter().all(|event| event["seq"].as_i64().unwrap() > last), "{after:#}");
        assert_eq!(operator.get("/load/sites/depot/events?to=2026-03-01").await, json!([]));
        assert_eq!(operator.get("/load/sites/depot/events?from=2026-03-02").await, json!([]));
        let all = operator.get("/load/sites/depot/events?from=2026-03-01&to=2026-03-02").await;
        assert!(all.as_array().unwrap().starts_with(events.as_array().unwrap()), "{all:#}");
        assert_eq!(operator.problem(Method::GET, "/load/sites/depot/events?from=noon", None).await.0, 400);
        assert_eq!(operator.problem(Method::GET, "/load/sites/yard/events", None).await.0, 404);
    }

    async fn a_wish_is_for_a_car_that_is_there(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let path = "/load/stations/CS0/connectors/1/wish";
        let wish = || Some(json!({ "most_amps": 3, "energy_kwh": 20, "departure": "2026-03-01T18:00:00Z", "class": 2 }));
        assert_eq!(operator.problem(Method::PUT, path, wish()).await.0, 404, "no site has the station");
        assert_eq!(operator.problem(Method::POST, "/load/stations/CS0/forgive", None).await.0, 404);
        put(&operator, &depot()).await;
        let (status, problem) = operator.problem(Method::PUT, path, wish()).await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains("no car charges at CS0"), "{problem}");
        assert_eq!(operator.problem(Method::PUT, "/load/stations/CS0/connectors/9/wish", wish()).await.0, 404);
        assert_eq!(operator.problem(Method::PUT, "/load/stations/CS9/connectors/1/wish", wish()).await.0, 404);
        assert_eq!(operator.problem(Method::PUT, "/load/stations/C%20S/connectors/1/wish", wish()).await.0, 400);
        for (body, at) in [
            (json!({ "most_amps": -1 }), "$.most_amps"),
            (json!({ "energy_kwh": 1e300 }), "$.energy_kwh"),
            (json!({ "departure": "later" }), "$.departure"),
            (json!({ "class": 1.5 }), "$.class"),
            (json!({ "amps": 6 }), "$.amps"),
        ] {
            let (status, problem) = operator.problem(Method::PUT, path, Some(body.clone())).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{body}: {problem}");
        }
        let started = site.begin(0, "04A1", 0, 0).await;
        now_when(&operator, |now| now["connectors"][0]["transaction_id"] == started.transaction_id).await;
        assert_eq!(operator.send(Method::PUT, path, wish()).await.status(), 204);
        assert_eq!(operator.send(Method::PUT, path, Some(json!({}))).await.status(), 204);
        site.end(0, started.transaction_id, 60, 100).await;
        now_when(&operator, |now| now["connectors"][0]["transaction_id"].is_null()).await;
        assert_eq!(operator.problem(Method::PUT, path, wish()).await.0, 409);
        assert_eq!(operator.send(Method::POST, "/load/stations/CS0/forgive", None).await.status(), 204);
        assert_eq!(operator.problem(Method::POST, "/load/stations/CS9/forgive", None).await.0, 404);
    }

    async fn a_day_is_drawn(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        assert_eq!(operator.problem(Method::GET, "/load/sites/depot/chart", None).await.0, 404);
        put(&operator, &depot()).await;
        for path in ["chart", "chart?node=board", "chart?node=CS0&day=2026-03-01", "chart?day=2020-02-29"] {
            let answer = operator.send(Method::GET, &format!("/load/sites/depot/{path}"), None).await;
            assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "image/svg+xml"));
            let svg = answer.text().await.unwrap();
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
            assert!(svg.contains("depot"), "{svg}");
        }
        for (path, at) in [("chart?node=attic", "node"), ("chart?day=2026-02-30", "day"), ("chart?month=2", "month")] {
            let (status, problem) = operator.problem(Method::GET, &format!("/load/sites/depot/{path}"), None).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{path}: {problem}");
        }
    }

    async fn who_only_looks_changes_nothing(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        put(&operator, &with(|site| site["grid_control"] = json!({ "failsafe_watts": 13020 }))).await;
        let reading = json!({ "l1": 1, "l2": 1, "l3": 1 });
        for role in ["viewer", "finance"] {
            let caller = Operator::of_role(&site.node, role).await;
            for (method, path, body) in [
                (Method::PUT, "/load/sites/depot", Some(depot())),
                (Method::DELETE, "/load/sites/depot", None),
                (Method::POST, "/load/sites/depot/meters/house", Some(reading.clone())),
                (Method::PUT, "/load/sites/depot/grid-limit", Some(json!({ "watts": null }))),
                (Method::POST, "/load/sites/depot/grid-heartbeat", None),
                (Method::PUT, "/load/stations/CS0/connectors/1/wish", Some(json!({}))),
                (Method::POST, "/load/stations/CS0/forgive", None),
                (Method::PUT, "/load/sites/depot/outlook", Some(json!({}))),
                (Method::DELETE, "/load/sites/depot/outlook", None),
            ] {
                assert_eq!(caller.problem(method, path, body).await.0, 403, "{role} {path}");
            }
            for path in ["", "/depot", "/depot/now", "/depot/events"] {
                caller.get(&format!("/load/sites{path}")).await;
            }
            assert_eq!(caller.send(Method::GET, "/load/sites/depot/chart", None).await.status(), 200);
        }
        let stranger = site.node.get("/api/v1/load/sites").await;
        assert_eq!(problem_of(stranger).await, 401);
        assert_eq!(operator.get("/load/sites/depot/now").await["grid"]["state"], "init");
    }
}

/// The status of an answer that must be a problem.
async fn problem_of(answer: reqwest::Response) -> u16 {
    problem(answer).await.0
}
