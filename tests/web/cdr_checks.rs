//! CDRs of partners that are priced again when they come: what differs is kept, shown and decided about.

use super::operator::Operator;
use crate::ocpi::peer::{Peer, fixture, node, with};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use serde_json::{Value, json};

/// A CDR of DE*ABC: 10 kWh at 0.50 and a fee of 1.00, with 19 % VAT.
fn cdr(id: &str, changes: Value) -> Value {
    let cdr = with(
        fixture("cdr_full"),
        json!({
            "id": id,
            "credit": null, "credit_reference_id": null, "signed_data": null,
            "total_fixed_cost": { "excl_vat": 1.00, "incl_vat": 1.19 },
            "total_energy_cost": { "excl_vat": 5.00, "incl_vat": 5.95 },
            "total_cost": { "excl_vat": 6.00, "incl_vat": 7.14 },
            "total_energy": 10,
            "tariffs": [tariff(json!(null))],
            "charging_periods": [{
                "start_date_time": "2026-02-03T10:00:00Z",
                "dimensions": [{ "type": "ENERGY", "volume": 10 }, { "type": "TIME", "volume": 1.5 }],
                "tariff_id": "T-1"
            }],
        }),
    );
    with(cdr, changes)
}

fn tariff(restrictions: Value) -> Value {
    let mut dear = json!({ "price_components": [
        { "type": "ENERGY", "price": 0.50, "vat": 19, "step_size": 1 },
        { "type": "FLAT", "price": 1.00, "vat": 19, "step_size": 1 }
    ] });
    if !restrictions.is_null() {
        dear["restrictions"] = restrictions;
    }
    let cheap =
        json!({ "price_components": [{ "type": "ENERGY", "price": 0.10, "vat": 19, "step_size": 1 }] });
    json!({
        "country_code": "DE", "party_id": "ABC", "id": "T-1", "currency": "EUR",
        "elements": [dear, cheap], "last_updated": "2026-01-01T00:00:00Z"
    })
}

async fn take(abc: &Peer<'_>, cdr: &Value) {
    let taken = abc.post("/emsp/cdrs", cdr).await;
    assert_eq!(taken.codes(), (201, 1000), "{taken:?}");
}

async fn check(finance: &Operator<'_>, id: &str) -> Value {
    finance.get(&format!("/cdrs/DE*ABC/{id}/check")).await
}

async fn listed(finance: &Operator<'_>, query: &str) -> Vec<String> {
    let list = finance.get(&format!("/cdrs?{query}")).await;
    list.as_array().unwrap().iter().map(|cdr| cdr["id"].as_str().unwrap().to_owned()).collect()
}

fn fields(check: &Value) -> Vec<&str> {
    check["differences"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect()
}

async fn post(finance: &Operator<'_>, id: &str, what: &str, body: Value) -> Value {
    let response = finance.send(Method::POST, &format!("/cdrs/DE*ABC/{id}/{what}"), Some(body)).await;
    assert_eq!(response.status(), 200, "{what}");
    response.json().await.unwrap()
}

async fn start(db: &TestDb) -> TestNode {
    node(db.url()).await
}

on_each_engine! {
    async fn what_differs_is_kept_and_decided_about(db: TestDb) {
        let node = start(&db).await;
        let abc = Peer::abc(&node).await;
        let finance = Operator::of_role(&node, "finance").await;
        take(&abc, &cdr("C-RIGHT", json!({}))).await;
        // A cent is within the tolerance.
        take(&abc, &cdr("C-CENT", json!({ "total_cost": { "excl_vat": 6.01, "incl_vat": 7.15 } }))).await;
        let wrong = json!({
            "total_cost": { "excl_vat": 6.50, "incl_vat": 7.735 }, "total_energy": 11, "total_parking_time": 0.5,
            "total_parking_cost": { "excl_vat": 0.5 }
        });
        take(&abc, &cdr("C-WRONG", wrong)).await;

        let right = check(&finance, "C-RIGHT").await;
        assert_eq!((&right["state"], &right["differences"], &right["warnings"]), (&json!("OK"), &json!([]), &json!([])));
        assert_eq!(check(&finance, "C-CENT").await["state"], "OK");
        let found = check(&finance, "C-WRONG").await;
        assert_eq!(found["state"], "DIFFERS");
        assert_eq!(
            fields(&found),
            [
                "total_cost.excl_vat", "total_cost.incl_vat", "total_parking_cost.excl_vat", "total_energy",
                "total_parking_time"
            ]
        );
        assert_eq!(
            found["differences"][0],
            json!({ "field": "total_cost.excl_vat", "stated": "6.5", "computed": "6.00", "difference": "0.50" })
        );
        assert_eq!(found["dispute"], json!({ "state": "open" }));
        assert_eq!(listed(&finance, "check=differs").await, ["C-WRONG"]);
        assert_eq!(listed(&finance, "dispute=open").await, ["C-WRONG"]);
        assert!(listed(&finance, "check=unpriceable").await.is_empty());

        // Decided by those who may, about what is a partner's.
        let dispute = "/cdrs/DE*ABC/C-WRONG/dispute";
        let note = json!({ "note": "Nobody parked" });
        let viewer = Operator::of_role(&node, "viewer").await;
        assert_eq!(viewer.problem(Method::POST, dispute, Some(note.clone())).await.0, 403);
        assert_eq!(finance.problem(Method::POST, dispute, Some(json!({ "note": " " }))).await.0, 400);
        let unknown = finance.problem(Method::POST, "/cdrs/DE*ABC/C-NONE/dispute", Some(note.clone())).await;
        assert_eq!(unknown.0, 404);
        let disputed = post(&finance, "C-WRONG", "dispute", note).await;
        assert_eq!((&disputed["dispute"]["state"], &disputed["dispute"]["note"]), (&json!("disputed"), &json!("Nobody parked")));
        assert!(disputed["dispute"]["by"].as_str().unwrap().starts_with("API key "));
        assert!(disputed["dispute"]["at"].is_string());
        assert_eq!(listed(&finance, "dispute=disputed").await, ["C-WRONG"]);
        // A check keeps the decision.
        let again = finance.send(Method::POST, "/cdrs/DE*ABC/C-WRONG/check", None).await;
        assert_eq!(again.json::<Value>().await.unwrap()["dispute"], disputed["dispute"]);
        assert_eq!(check(&finance, "C-WRONG").await["dispute"], disputed["dispute"]);
        let accepted = post(&finance, "C-WRONG", "accept", json!({ "note": "Agreed on the phone" })).await;
        assert_eq!(accepted["dispute"]["state"], "accepted");
        assert!(listed(&finance, "dispute=disputed").await.is_empty());
        // One that is right can be disputed as well.
        assert_eq!(post(&finance, "C-RIGHT", "dispute", json!({ "note": "Not our driver" })).await["state"], "OK");
        assert_eq!(listed(&finance, "check=differs").await, ["C-WRONG"]);
        node.stop().await;
    }

    async fn what_cannot_be_priced_is_taken_and_says_why(db: TestDb) {
        let node = start(&db).await;
        let abc = Peer::abc(&node).await;
        let finance = Operator::of_role(&node, "finance").await;
        let early = json!([{ "start_date_time": "2026-02-03T09:00:00Z",
            "dimensions": [{ "type": "ENERGY", "volume": 10 }] }]);
        let mut dollars = tariff(json!(null));
        dollars["currency"] = json!("USD");
        for (id, changes, place) in [
            ("C-NONE", json!({ "tariffs": null }), "$.tariffs"),
            ("C-EARLY", json!({ "charging_periods": early }), "$.charging_periods[0].start_date_time"),
            ("C-USD", json!({ "tariffs": [dollars] }), "$.tariffs[0].currency"),
        ] {
            take(&abc, &cdr(id, changes)).await;
            let found = check(&finance, id).await;
            assert_eq!((&found["state"], &found["warnings"][0]["path"]), (&json!("UNPRICEABLE"), &json!(place)), "{id}");
        }
        let free = json!({
            "tariffs": null, "total_cost": { "excl_vat": 0 }, "total_fixed_cost": null, "total_energy_cost": null,
            "charging_periods": [{ "start_date_time": "2026-02-03T10:00:00Z",
                "dimensions": [{ "type": "ENERGY", "volume": 10 }, { "type": "TIME", "volume": 1.5 }] }]
        });
        take(&abc, &cdr("C-FREE", free)).await;
        assert_eq!(check(&finance, "C-FREE").await["state"], "OK");
        assert_eq!(listed(&finance, "check=unpriceable").await, ["C-NONE", "C-EARLY", "C-USD"]);
        let (status, problem) = finance.problem(Method::GET, "/cdrs/DE*ABC/C-NONE/explanation", None).await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains("$.tariffs"), "{problem}");
        node.stop().await;
    }

    /// 10:00 UTC is 11:00 in Berlin: dear from 11:00 on there, and cheap by a clock in UTC.
    async fn the_zone_is_that_of_the_partners_location(db: TestDb) {
        let node = start(&db).await;
        let abc = Peer::abc(&node).await;
        let finance = Operator::of_role(&node, "finance").await;
        let tariffs = json!({ "tariffs": [tariff(json!({ "start_time": "11:00", "end_time": "23:00" }))] });
        take(&abc, &cdr("C-BEFORE", tariffs.clone())).await;
        let before = check(&finance, "C-BEFORE").await;
        assert_eq!(before["state"], "DIFFERS");
        let warnings = before["warnings"].as_array().unwrap();
        assert!(warnings.iter().any(|warning| warning["path"] == "$.cdr_location"), "{warnings:?}");

        let put = abc.put("/emsp/locations/DE/ABC/LOC-FULL", &fixture("location_full")).await;
        assert_eq!(put.code(), 1000, "{put:?}");
        take(&abc, &cdr("C-AFTER", tariffs)).await;
        assert_eq!(check(&finance, "C-AFTER").await["state"], "OK");
        // On demand the other one as well; nothing is left to be looked at.
        let again = finance.send(Method::POST, "/cdrs/DE*ABC/C-BEFORE/check", None).await;
        assert_eq!(again.json::<Value>().await.unwrap()["state"], "OK");
        assert!(listed(&finance, "check=differs").await.is_empty());
        let explained = finance.get("/cdrs/DE*ABC/C-BEFORE/explanation").await;
        assert_eq!((&explained["time_zone"], &explained["recorded"]), (&json!("Europe/Berlin"), &json!(false)));
        assert_eq!(explained["total_cost"].to_string(), r#"{"excl_vat":6.00,"incl_vat":7.14}"#);
        assert_eq!(explained["periods"][0]["lines"][0]["kind"], "ENERGY");
        assert_eq!(explained["lines"][0]["kind"], "FLAT");
        node.stop().await;
    }

    async fn a_credit_cdr_finds_its_original(db: TestDb) {
        let node = start(&db).await;
        let abc = Peer::abc(&node).await;
        let finance = Operator::of_role(&node, "finance").await;
        let credit = |id: &str, of: &str, excl: Value| {
            let total = json!({ "excl_vat": excl, "incl_vat": -7.14 });
            cdr(id, json!({ "credit": true, "credit_reference_id": of, "total_cost": total, "remark": "Wrong meter" }))
        };
        // Before its original: kept and reported, and in order when the original has come.
        take(&abc, &credit("C-1-C", "C-1", json!(-6.00))).await;
        let alone = check(&finance, "C-1-C").await;
        assert_eq!((&alone["state"], fields(&alone)), (&json!("DIFFERS"), vec!["credit_reference_id"]));
        assert_eq!(listed(&finance, "check=differs").await, ["C-1-C"]);
        take(&abc, &cdr("C-1", json!({}))).await;
        assert_eq!(check(&finance, "C-1-C").await["state"], "OK");
        assert!(listed(&finance, "check=differs").await.is_empty());
        let original = finance.get("/cdrs/DE*ABC/C-1").await;
        assert_eq!((&original["correction"]["credit"], &original["correction"]["reason"]), (&json!("C-1-C"), &json!("Wrong meter")));
        assert_eq!(finance.get("/cdrs/DE*ABC/C-1-C").await["correction"]["original"], "C-1");

        // A second one, one of a credit CDR, and one of another amount.
        take(&abc, &credit("C-1-D", "C-1", json!(-6.00))).await;
        let twice = check(&finance, "C-1-D").await;
        assert_eq!(twice["differences"][0]["reason"], "it was taken back before, by C-1-C");
        take(&abc, &credit("C-1-E", "C-1-C", json!(-6.00))).await;
        assert_eq!(check(&finance, "C-1-E").await["differences"][0]["reason"], "that is a credit CDR itself");
        take(&abc, &cdr("C-2", json!({}))).await;
        take(&abc, &credit("C-2-C", "C-2", json!(-5.00))).await;
        let less = check(&finance, "C-2-C").await;
        assert!(fields(&less).contains(&"total_cost.excl_vat"), "{less}");
        // Partners' CDRs are not ours to credit.
        let (status, problem) =
            finance.problem(Method::POST, "/cdrs/DE*ABC/C-2/credit", Some(json!({ "reason": "no" }))).await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains("partner"), "{problem}");
        node.stop().await;
    }
}
