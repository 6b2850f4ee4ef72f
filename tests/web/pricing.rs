//! Advice on tariffs and their explanation, through HTTP.

use super::operator::Operator;
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use serde_json::{Value, json};

/// A tariff as JSON, with its digits as they are written.
fn tariff(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn posted(operator: &Operator<'_>, path: &str, body: Value) -> Value {
    let response = operator.send(Method::POST, path, Some(body)).await;
    assert_eq!(response.status(), 200, "{path}");
    response.json().await.unwrap()
}

on_each_engine! {
    async fn a_tariff_is_judged_and_explained_without_being_stored(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let viewer = Operator::of_role(&node, "viewer").await;
        let json = tariff(
            r#"{"currency": "EUR", "elements": [{"price_components": [
                {"type": "ENERGY", "price": 0.38, "vat": 19, "step_size": 1000}, {"type": "MOOD", "price": 1, "step_size": 1}]}]}"#,
        );
        let judged = posted(&viewer, "/pricing/tariffs/lint", json.clone()).await;
        assert_eq!(judged["warnings"][0]["path"], "$.elements[0].price_components[1].type");
        let rules: Vec<&Value> = judged["advice"].as_array().unwrap().iter().map(|one| &one["rule"]).collect();
        assert_eq!(rules, ["unknown-dimension", "step-size-above-one"]);
        assert_eq!(
            judged["advice"][1],
            json!({
                "path": "$.elements[0].price_components[0].step_size",
                "severity": "warning",
                "rule": "step-size-above-one",
                "reason": "what is used is rounded up to a multiple of 1000 Wh: up to 0.38 EUR more than what was used",
                "advice": "bill what is used: write 1",
            })
        );

        let english = posted(&viewer, "/pricing/tariffs/explain", json.clone()).await;
        assert_eq!((&english["language"], &english["currency"]), (&json!("en"), &json!("EUR")));
        assert_eq!(english["summary"], "You pay €0.4522 per kWh.");
        assert_eq!(
            english["lines"][0],
            json!({
                "part": "per_kwh",
                "text": "Energy: €0.4522 per kWh incl. 19% VAT (€0.38 per kWh without VAT), billed in steps of 1 kWh (rounded up).",
                "path": "$.elements[0].price_components[0]",
                "net": "0.38",
                "gross": "0.4522",
                "vat": "19",
                "step": "billed in steps of 1 kWh (rounded up)",
            })
        );
        let german = posted(&viewer, "/pricing/tariffs/explain?language=de&version=2.1.1", json).await;
        assert_eq!(german["summary"], "Sie zahlen 0,38 € je kWh.");
        assert_eq!(viewer.get("/tariffs").await, json!([]));
        node.stop().await;
    }

    async fn every_place_of_a_bad_tariff_is_told(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let viewer = Operator::of_role(&node, "viewer").await;
        let bad = json!({"currency": "EURO", "elements": [{"price_components": [{"type": "ENERGY"}]}]});
        for path in ["/pricing/tariffs/lint", "/pricing/tariffs/explain"] {
            let (status, problem) = viewer.problem(Method::POST, path, Some(bad.clone())).await;
            assert_eq!(status, 400);
            assert_eq!(problem["detail"], "the body is no OCPI 2.2.1 tariff that can be priced");
            let currency = "'EURO' is no currency: an ISO 4217 code like EUR is wanted";
            let price = "$.elements[0].price_components[0].price";
            assert_eq!(
                problem["errors"],
                json!([
                    {"in": "body", "at": "$.currency", "detail": currency},
                    {"in": "body", "at": price, "detail": "is missing"},
                ])
            );
            let wrong = format!("{path}?version=2.2");
            let (status, problem) = viewer.problem(Method::POST, &wrong, Some(bad.clone())).await;
            assert_eq!(status, 400);
            let detail = "query version: '2.2' is no OCPI version that can be read: 2.1.1, 2.2.1 and 2.3.0 are";
            assert_eq!(problem["detail"], detail);
        }
        let french = "/pricing/tariffs/explain?language=fr";
        let (status, problem) = viewer.problem(Method::POST, french, Some(bad)).await;
        assert_eq!(status, 400);
        let detail = "query language: 'fr' is no language in which a tariff can be explained: en and de are";
        assert_eq!(problem["detail"], detail);
        node.stop().await;
    }

    async fn a_stored_tariff_is_explained(db: TestDb) {
        let site = Site::start(db.url(), 0, |_| ()).await;
        let viewer = Operator::of_role(&site.node, "viewer").await;
        let path = "/tariffs/DE*ABC/T1/explanation";
        let summary = viewer.get(path).await["summary"].clone();
        assert!(summary.as_str().unwrap().starts_with("You pay €"), "{summary}");
        let german = viewer.get(&format!("{path}?language=de")).await;
        assert!(german["summary"].as_str().unwrap().starts_with("Sie zahlen "), "{german}");
        assert_eq!(viewer.problem(Method::GET, "/tariffs/DE*ABC/T2/explanation", None).await.0, 404);
        site.node.stop().await;
    }

    async fn a_charge_and_a_cdr_are_priced_without_being_stored(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let viewer = Operator::of_role(&node, "viewer").await;
        let elements = r#"[{"price_components": [{"type": "ENERGY", "price": 0.40, "vat": 19, "step_size": 1}],
                            "restrictions": {"end_time": "17:00"}},
                           {"price_components": [{"type": "ENERGY", "price": 0.60, "vat": 19, "step_size": 1}]}]"#;
        let charge = tariff(&format!(
            r#"{{"tariff": {{"currency": "EUR", "elements": {elements}}}, "timezone": "Europe/Berlin", "energy_kwh": 22,
                "from": "2026-01-14T15:30:00Z", "to": "2026-01-14T17:00:00Z", "max_power_kw": 22}}"#
        ));
        let price = posted(&viewer, "/pricing/tariffs/price", charge.clone()).await;
        // Half of it before 17:00 in Berlin: 11 × 0.40 + 11 × 0.60.
        assert_eq!(price["total_cost"].to_string(), r#"{"excl_vat":11.00,"incl_vat":13.09}"#);
        assert_eq!(price["periods"][1]["start_date_time"], "2026-01-14T16:00:00Z");
        assert_eq!(price["periods"][1]["interpolated"], true);

        let cdr = tariff(&format!(
            r#"{{"currency": "EUR", "start_date_time": "2026-01-14T15:30:00Z", "end_date_time": "2026-01-14T16:30:00Z",
                "tariffs": [{{"id": "T", "currency": "EUR", "elements": {elements}}}],
                "charging_periods": [{{"start_date_time": "2026-01-14T15:30:00Z", "tariff_id": "T",
                                       "dimensions": [{{"type": "ENERGY", "volume": 22}}]}}]}}"#
        ));
        let price = posted(&viewer, "/pricing/cdrs/price?timezone=Europe/Berlin", cdr.clone()).await;
        assert_eq!(price["total_cost"].to_string(), r#"{"excl_vat":8.80,"incl_vat":10.47}"#);
        assert_eq!(price["warnings"][0]["path"], "$.charging_periods[0]", "a price changes within it");

        for (path, body, at) in [
            ("/pricing/cdrs/price?timezone=Mars", cdr.clone(), "timezone"),
            ("/pricing/cdrs/price", json!({"currency": "EUR"}), "$.start_date_time"),
            ("/pricing/tariffs/price", json!({"tariff": {}}), "$"),
        ] {
            let response = viewer.send(Method::POST, path, Some(body)).await;
            assert_eq!(response.status(), 400, "{path}");
            let problem: Value = response.json().await.unwrap();
            let places: Vec<&str> =
                problem["errors"].as_array().unwrap().iter().map(|error| error["at"].as_str().unwrap()).collect();
            assert!(places.iter().any(|place| place.starts_with(at)), "{path}: {problem}");
        }
    }
}
