//! What load management is told over HTTP and keeps over a restart of the node: what is expected at a site, and what is
//! wished for a car.

use super::load::{depot, now_when, put, runs};
use super::operator::Operator;
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/load/sites/depot/outlook";

fn outlook() -> Value {
    // The clock of the node stands at 08:00.
    json!({
        "prices": [
            { "from": "2026-03-01T07:00:00Z", "value": 0.31 },
            { "from": "2026-03-01T09:00:00+00:00", "value": -0.02 },
        ],
        "sun_kw": { "from": "2026-03-01T09:00:00+01:00", "minutes": 15, "values": [4, 5.5] },
    })
}

/// The outlook as it comes back: steps with an end.
fn steps() -> Value {
    json!({
        "prices": [
            { "from": "2026-03-01T07:00:00Z", "value": 0.31 },
            { "from": "2026-03-01T09:00:00Z", "value": -0.02 },
            { "from": "2026-03-01T11:00:00Z", "value": null },
        ],
        "sun_kw": [
            { "from": "2026-03-01T08:00:00Z", "value": 4.0 },
            { "from": "2026-03-01T08:15:00Z", "value": 5.5 },
            { "from": "2026-03-01T08:30:00Z", "value": null },
        ],
    })
}

fn followed() -> Value {
    json!([
        { "of": "prices", "from": "2026-03-01T07:00:00Z", "until": "2026-03-01T11:00:00Z", "now": 0.31, "used": true },
        { "of": "sun_kw", "from": "2026-03-01T08:00:00Z", "until": "2026-03-01T08:30:00Z", "now": 4.0, "used": true },
    ])
}

/// Another node on the same database, at the same time.
async fn again(site: Site, db: &TestDb) -> TestNode {
    let clock = site.clock.clone();
    site.node.stop().await;
    TestNode::start_with(db.url(), clock, |_| ()).await
}

on_each_engine! {
    async fn an_outlook_is_followed_at_once_and_after_a_restart(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        for method in [Method::GET, Method::DELETE] {
            assert_eq!(operator.problem(method, PATH, None).await.0, 404);
        }
        assert_eq!(operator.problem(Method::PUT, PATH, Some(outlook())).await.0, 404, "no such site");
        put(&operator, &depot()).await;
        let (status, problem) = operator.problem(Method::GET, PATH, None).await;
        assert!(status == 404 && problem["detail"].as_str().unwrap().contains("has no outlook"), "{problem}");
        assert_eq!(operator.get("/load/sites/depot/now").await["outlook"], json!([]));

        let taken = operator.send(Method::PUT, PATH, Some(outlook())).await;
        assert_eq!(taken.status(), 200);
        let taken: Value = taken.json().await.unwrap();
        assert_eq!(taken, followed());
        now_when(&operator, |now| now["outlook"] == followed()).await;
        assert_eq!(operator.get(PATH).await, steps());
        // What comes back can be written; a change of the site changes nothing of it.
        assert_eq!(operator.send(Method::PUT, PATH, Some(steps())).await.status(), 200);
        put(&operator, &depot()).await;
        assert_eq!(operator.get(PATH).await, steps());
        now_when(&operator, |now| now["outlook"] == followed()).await;

        let node = again(site, &db).await;
        let operator = Operator::of_role(&node, "operator").await;
        runs(&operator, "/load/sites/depot").await;
        now_when(&operator, |now| now["outlook"] == followed()).await;

        assert_eq!(operator.send(Method::DELETE, PATH, None).await.status(), 204);
        now_when(&operator, |now| now["outlook"] == json!([])).await;
        assert_eq!(operator.problem(Method::GET, PATH, None).await.0, 404);
        assert_eq!(operator.problem(Method::DELETE, PATH, None).await.0, 404);
        // Of the past: taken, not followed, and reported.
        let past = json!({ "co2": { "from": "2026-02-01T00:00:00Z", "minutes": 60, "values": [400, 90] } });
        let taken: Value = operator.send(Method::PUT, PATH, Some(past)).await.json().await.unwrap();
        assert_eq!((&taken[0]["of"], &taken[0]["used"]), (&json!("co2"), &json!(false)));
        let now = now_when(&operator, |now| now["outlook"][0]["of"] == "co2").await;
        assert_eq!((&now["outlook"][0]["used"], &now["outlook"][0]["now"]), (&json!(false), &Value::Null));
        for _ in 0..500 {
            let events = operator.get("/load/sites/depot/events").await;
            if events.as_array().unwrap().iter().any(|event| event["kind"] == "outlook_ended" && event["about"] == "co2") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("that the series has ended is not on record");
    }

    async fn an_outlook_that_makes_no_sense_is_refused_with_its_place_and_changes_nothing(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        put(&operator, &depot()).await;
        assert_eq!(operator.send(Method::PUT, PATH, Some(outlook())).await.status(), 200);
        let step = |from: &str, value: Value| json!({ "from": from, "value": value });
        let (eight, nine) = ("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
        let long = vec![json!(1); 1_501];
        for (body, at) in [
            (json!({ "prices": [step(nine, json!(1)), step(eight, json!(1))] }), "$.prices[1].from"),
            (json!({ "prices": [step("noon", json!(1))] }), "$.prices[0].from"),
            (json!({ "prices": [step(eight, json!("1"))] }), "$.prices[0].value"),
            (json!({ "prices": [step(eight, json!(1e300))] }), "$.prices[0].value"),
            (json!({ "prices": [{ "from": eight }] }), "$.prices[0]"),
            (json!({ "prices": 1 }), "$.prices"),
            (json!({ "sun_kw": [step(eight, json!(-1))] }), "$.sun_kw[0].value"),
            (json!({ "sun_kw": { "from": eight, "minutes": 15, "values": long } }), "$.sun_kw"),
            (json!({ "co2": { "from": eight, "minutes": 0, "values": [1] } }), "$.co2.minutes"),
            (json!({ "prices": [step(eight, json!(1))], "co2": [step(eight, json!(1))] }), "$.co2_price"),
            (json!({ "price": [] }), "$.price"),
            (json!({}), "$"),
            (json!([]), "$"),
        ] {
            let (status, problem) = operator.problem(Method::PUT, PATH, Some(body.clone())).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{body}: {problem}");
        }
        assert_eq!(operator.get(PATH).await, steps());
    }

    async fn a_wish_is_kept_over_a_restart_and_forgotten_with_its_charge(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        put(&operator, &depot()).await;
        let started = site.begin(0, "04A1", 0, 0).await;
        let charges = |now: &Value| now["connectors"][0]["transaction_id"] == started.transaction_id;
        now_when(&operator, charges).await;
        let wish = json!({ "most_amps": 7.5, "energy_kwh": 20, "departure": "2026-03-01T18:00:00Z" });
        let path = "/load/stations/CS0/connectors/1/wish";
        assert_eq!(operator.send(Method::PUT, path, Some(wish)).await.status(), 204);
        let shown = json!({ "most_amps": 7.5, "energy_kwh": 20.0, "departure": "2026-03-01T18:00:00Z", "class": null });
        assert_eq!(operator.get("/load/sites/depot/now").await["connectors"][0]["wish"], shown);
        // From the first register on that is seen after the wish.
        site.meter(0, started.transaction_id, 10, 500).await;
        site.meter(0, started.transaction_id, 20, 3_000).await;
        let left = |now: &Value| now["connectors"][0]["wish"]["energy_kwh"] == json!(17.5);
        now_when(&operator, left).await;

        let node = again(site, &db).await;
        let operator = Operator::of_role(&node, "operator").await;
        runs(&operator, "/load/sites/depot").await;
        let now = now_when(&operator, charges).await;
        assert_eq!(now["connectors"][0]["wish"], shown, "what it got is known with the next meter value");
        let site = Site { clock: node.app().clock.clone(), node };
        let operator = Operator::of_role(&site.node, "operator").await;
        site.meter(0, started.transaction_id, 30, 4_000).await;
        now_when(&operator, |now| now["connectors"][0]["wish"]["energy_kwh"] == json!(16.5)).await;
        site.end(0, started.transaction_id, 60, 5_000).await;
        now_when(&operator, |now| now["connectors"][0]["wish"].is_null()).await;
        let next = site.begin(0, "04A1", 70, 5_000).await;
        let now = now_when(&operator, |now| now["connectors"][0]["transaction_id"] == next.transaction_id).await;
        assert_eq!(now["connectors"][0]["wish"], Value::Null);
    }
}
