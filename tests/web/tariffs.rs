//! Tariffs as goods over HTTP: an operator writes, assigns and removes them.

use super::objects::add_emsp_and_partner;
use super::operator::Operator;
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use serde_json::{Value, json};

fn input(price: &str) -> Value {
    json!({
        "currency": "EUR",
        "elements": [{ "components": [{ "type": "ENERGY", "price": price, "vat": "19" }] }],
    })
}

async fn ids_at(operator: &Operator<'_>, evse: usize) -> Value {
    operator.get("/locations/DE*ABC/LOC1").await["evses"][evse]["connectors"][0]["tariff_ids"].clone()
}

on_each_engine! {
    async fn a_tariff_is_written_assigned_and_removed(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        site.name_no_tariffs().await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let path = "/tariffs/DE*ABC/DAY";
        let created = operator.send(Method::PUT, path, Some(input("0.49"))).await;
        assert_eq!(created.status(), 201);
        let created: Value = created.json().await.unwrap();
        assert_eq!((&created["elements"][0]["components"][0]["price"], &created["warnings"]), (&json!("0.49"), &json!(null)));
        assert_eq!(operator.get(path).await, created);
        assert_eq!(operator.send(Method::PUT, path, Some(input("0.59"))).await.status(), 200);
        assert_eq!(ids_at(&operator, 0).await, json!([]), "not assigned");

        let assign = json!({ "party": "DE*ABC", "tariff_id": "day", "location_id": "LOC1", "evse_uid": "E0" });
        let made = operator.send(Method::POST, "/tariff-assignments", Some(assign.clone())).await;
        assert_eq!(made.status(), 201);
        let made: Value = made.json().await.unwrap();
        assert_eq!((&made["tariff_id"], &made["evse_uid"], &made["connector_id"]), (&json!("DAY"), &json!("E0"), &json!(null)));
        assert_eq!(operator.get("/tariff-assignments?tariff_id=DAY").await, json!([made]));
        assert_eq!(operator.get("/tariff-assignments?tariff_id=T1").await, json!([]));
        assert_eq!((ids_at(&operator, 0).await, ids_at(&operator, 1).await), (json!(["DAY"]), json!([])));
        assert_eq!(operator.problem(Method::POST, "/tariff-assignments", Some(assign)).await.0, 409);

        // It prices what begins now.
        let started = site.begin(0, "04A1", 0, 0).await;
        site.meter(0, started.transaction_id, 60, 2_000).await;
        assert_eq!(site.sessions().await[0].total_cost.as_ref().unwrap().excl_vat.to_string(), "1.18");

        let (status, problem) = operator.problem(Method::DELETE, path, None).await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains("in use"), "{problem}");
        let assignment = format!("/tariff-assignments/{}", made["id"]);
        let gone = operator.send(Method::DELETE, &assignment, None).await;
        assert_eq!(gone.json::<Value>().await.unwrap(), made);
        assert_eq!(operator.problem(Method::DELETE, &assignment, None).await.0, 404);
        assert_eq!(operator.send(Method::DELETE, path, None).await.status(), 204);
        assert_eq!(operator.problem(Method::DELETE, path, None).await.0, 404);
        assert_eq!(ids_at(&operator, 0).await, json!([]));
    }

    async fn what_is_wrong_with_a_tariff_is_told_by_its_place(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let with = |change: &dyn Fn(&mut Value)| {
            let mut tariff = input("0.49");
            change(&mut tariff);
            tariff
        };
        for (body, at) in [
            (input("0.12345"), "$.elements[0].components[0].price"),
            (input("cheap"), "$.elements[0].components[0].price"),
            (with(&|tariff| tariff["elements"][0]["components"][0]["price"] = json!(0.49)), "$.elements[0].components[0].price"),
            (with(&|tariff| tariff["elements"][0]["components"][0]["type"] = json!("SESSION_TIME")), "$.elements[0].components[0].type"),
            (with(&|tariff| tariff["max_price"] = json!("30")), "$.max_price"),
            (with(&|tariff| tariff["elements"] = json!([])), "$.elements"),
            (with(&|tariff| tariff["currency"] = json!("euro")), "$.currency"),
            (with(&|tariff| tariff["type"] = json!("CHEAP")), "$.type"),
            (with(&|tariff| tariff["price"] = json!("1")), "$.price"),
            (with(&|tariff| tariff["elements"][0]["restrictions"] = json!({ "start_time": "8:00" })), "$.elements[0].restrictions.start_time"),
            (with(&|tariff| tariff["elements"][0]["restrictions"] = json!({ "end_date": "2026-02-30" })), "$.elements[0].restrictions.end_date"),
            (with(&|tariff| tariff["elements"][0]["restrictions"] = json!({ "days": ["SUNDAY", "HOLIDAY"] })), "$.elements[0].restrictions.days"),
        ] {
            let (status, problem) = operator.problem(Method::PUT, "/tariffs/DE*ABC/X", Some(body.clone())).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{body}: {problem}");
        }
        assert_eq!(operator.problem(Method::PUT, "/tariffs/FR*ABC/X", Some(input("1"))).await.0, 404);
        let viewer = Operator::of_role(&site.node, "viewer").await;
        assert_eq!(viewer.problem(Method::PUT, "/tariffs/DE*ABC/X", Some(input("1"))).await.0, 403);
        assert_eq!(viewer.problem(Method::DELETE, "/tariffs/DE*ABC/T1", None).await.0, 403);
        assert_eq!(operator.problem(Method::DELETE, "/tariffs/DE*ABC/T1", None).await.0, 409, "connectors name it");
        for (body, at) in [
            (json!({ "party": "DE*ABC", "tariff_id": "T1" }), "$"),
            (json!({ "party": "DE*ABC", "tariff_id": "T1", "everywhere": true, "group": "g" }), "$"),
            (json!({ "party": "DE*ABC", "tariff_id": "T1", "evse_uid": "E0" }), "$.location_id"),
            (json!({ "party": "DE*ABC", "tariff_id": "T1", "location_id": "L", "connector_id": "1" }), "$.evse_uid"),
            (json!({ "party": "DE*ABC", "tariff_id": "T9", "everywhere": true }), "$.tariff_id"),
            (json!({ "party": "DE*ABC", "tariff_id": "T1", "location_id": "L9" }), "$.location_id"),
            (json!({ "party": "DE*ABC", "tariff_id": "T1", "everywhere": true, "partner": "Nobody" }), "$.partner"),
            (json!({ "party": "DE*ABC", "tariff_id": "T1", "everywhere": true, "emsp": "NL*XYZ", "token_group": "g" }), "$"),
            (json!({ "party": "DE*ABC", "tariff_id": "T1", "group": "g" }), "$.group"),
            (json!({ "party": "?", "tariff_id": "T1", "everywhere": true }), "$.party"),
        ] {
            let (status, problem) = operator.problem(Method::POST, "/tariff-assignments", Some(body.clone())).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{body}: {problem}");
        }
    }

    async fn what_does_not_price_is_assigned_only_knowingly(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let odd = |tariff: &mut roamwatt::domain::tariff::Tariff| {
            tariff.extra.insert("max_price".to_owned(), json!(30));
        };
        site.add_tariff("ODD", "0.10", odd).await;
        assert_eq!(operator.get("/tariffs/DE*ABC/ODD").await["warnings"][0]["path"], "$.max_price");
        let mut assign = json!({ "party": "DE*ABC", "tariff_id": "ODD", "everywhere": true });
        let (status, problem) = operator.problem(Method::POST, "/tariff-assignments", Some(assign.clone())).await;
        assert_eq!((status, &problem["errors"][0]["at"]), (409, &json!("$.max_price")));
        assign["accept_warnings"] = json!(true);
        assert_eq!(operator.send(Method::POST, "/tariff-assignments", Some(assign)).await.status(), 201);
    }

    async fn groups_are_written_and_removed(db: TestDb) {
        let site = Site::start(db.url(), 2, |_| ()).await;
        site.name_no_tariffs().await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let depots = json!({ "stations": ["CS0"], "connectors": [] });
        let made = operator.send(Method::PUT, "/tariff-groups/depots", Some(depots)).await;
        assert_eq!(made.status(), 200);
        assert_eq!(made.json::<Value>().await.unwrap()["stations"], json!(["CS0"]));
        let fleet = json!({ "tokens": ["NL*XYZ/04A2"], "contracts": ["NL-XYZ-C1"] });
        assert_eq!(operator.send(Method::PUT, "/tariff-groups/fleet", Some(fleet)).await.status(), 200);
        let assign = json!({ "party": "DE*ABC", "tariff_id": "T1", "group": "depots" });
        assert_eq!(operator.send(Method::POST, "/tariff-assignments", Some(assign)).await.status(), 201);
        assert_eq!((ids_at(&operator, 0).await, ids_at(&operator, 1).await), (json!(["T1"]), json!([])));
        let moved = json!({ "connectors": ["LOC1/E1/1"] });
        assert_eq!(operator.send(Method::PUT, "/tariff-groups/depots", Some(moved)).await.status(), 200);
        assert_eq!((ids_at(&operator, 0).await, ids_at(&operator, 1).await), (json!([]), json!(["T1"])));
        for (body, at) in [
            (json!({}), "$"),
            (json!({ "stations": ["CS9"] }), "$.stations"),
            (json!({ "connectors": ["LOC1"] }), "$.connectors[0]"),
            (json!({ "tokens": ["NL*XYZ/1", "2"] }), "$.tokens[1]"),
            (json!({ "stations": ["CS0"], "tokens": ["NL*XYZ/1"] }), "$"),
            (json!({ "tokens": ["NL*XYZ/1"] }), "$"),
        ] {
            let (status, problem) = operator.problem(Method::PUT, "/tariff-groups/depots", Some(body.clone())).await;
            assert_eq!((status, problem["errors"][0]["at"].as_str()), (400, Some(at)), "{body}: {problem}");
        }
        assert_eq!(operator.problem(Method::DELETE, "/tariff-groups/depots", None).await.0, 409);
        assert_eq!(operator.send(Method::DELETE, "/tariff-groups/fleet", None).await.status(), 204);
        assert_eq!(operator.problem(Method::DELETE, "/tariff-groups/fleet", None).await.0, 404);
        let names: Vec<Value> = operator.get("/tariff-groups").await.as_array().unwrap().iter().map(|g| g["name"].clone()).collect();
        assert_eq!(names, ["depots"]);
    }

    async fn an_operator_sees_what_a_partner_sees(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        let partner = add_emsp_and_partner(&site.node).await;
        site.add_tariff("SPECIAL", "0.10", |_| ()).await;
        let assign = json!({
            "party": "DE*ABC", "tariff_id": "SPECIAL", "everywhere": true, "partner": partner.to_string()
        });
        assert_eq!(operator.send(Method::POST, "/tariff-assignments", Some(assign)).await.status(), 201);
        let ids = async |query: &str| {
            operator.get(&format!("/locations{query}")).await[0]["evses"][0]["connectors"][0]["tariff_ids"].clone()
        };
        assert_eq!(ids("").await, json!(["T1"]));
        assert_eq!(ids(&format!("?as_partner={partner}")).await, json!(["SPECIAL"]));
        let (status, problem) = operator.problem(Method::GET, "/locations?as_partner=99", None).await;
        assert_eq!((status, &problem["errors"][0]["at"]), (400, &json!("as_partner")));
    }
}
