//! A CDR that is credited and replaced: what the eMSP gets, what the books say, and that nothing changed.

use super::peer::{EMP, FakePartner, until_told};
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use crate::web::operator::Operator;
use reqwest::Method;
use roamwatt::domain::party::Role;
use serde_json::{Value, json};

/// A charge of 2 kWh: 0.50 and 2 × 0.39, that is 1.28, with VAT 1.52.
async fn with_a_cdr(db: &TestDb) -> Site {
    let site = Site::start(db.url(), 1, |_| ()).await;
    let started = site.begin(0, "04A1", 60, 1000).await;
    site.end(0, started.transaction_id, 660, 3000).await;
    site.settle_after(3600).await;
    site
}

async fn credit(operator: &Operator<'_>, id: &str, body: Value) -> (u16, Value) {
    let response = operator.send(Method::POST, &format!("/cdrs/DE*ABC/{id}/credit"), Some(body)).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn get(operator: &Operator<'_>, path: &str) -> Value {
    operator.send(Method::GET, path, None).await.json().await.unwrap()
}

on_each_engine! {
    async fn a_credit_and_a_replacement_reach_the_emsp_and_the_books(db: TestDb) {
        let site = with_a_cdr(&db).await;
        let partner = FakePartner::start();
        let number = partner.join_as(&site.node, EMP, &[(EMP, Role::Emsp)]).await;
        until_told(&site.node, number).await;
        let original = site.cdr_at(0).await;
        let id = original.id.to_string();
        let sent = partner.holds(&format!("cdrs/{id}")).unwrap();
        let finance = Operator::of_role(&site.node, "finance").await;
        let before = partner.heard().len();

        let viewer = Operator::of_role(&site.node, "viewer").await;
        assert_eq!(credit(&viewer, &id, json!({ "reason": "x" })).await.0, 403);
        let (status, made) = credit(&finance, &id, json!({ "reason": "Meter replaced", "kwh": "1.5" })).await;
        assert_eq!(status, 201, "{made}");
        let (credited, new) = (made["credit"]["id"].as_str().unwrap(), made["replacement"]["id"].as_str().unwrap());
        assert!(credited.len() <= 36 && new.len() <= 36 && credited != id && new != id && new != credited);
        until_told(&site.node, number).await;

        // Both, the credit CDR first.
        let posted: Vec<Value> = partner.seen()[before..].iter().map(|seen| seen.body.clone()).collect();
        assert_eq!(posted.len(), 2);
        let mut expected = sent.clone();
        expected["id"] = json!(credited);
        expected["credit"] = json!(true);
        expected["credit_reference_id"] = json!(id);
        expected["total_cost"] = json!({ "excl_vat": -1.28, "incl_vat": -1.52 });
        expected["remark"] = json!("Meter replaced");
        expected["last_updated"] = posted[0]["last_updated"].clone();
        assert_eq!(posted[0], expected, "all the data of the original, and the negative of its cost");
        let replacement = &posted[1];
        assert_eq!(replacement["id"], new);
        assert!(replacement.get("credit").is_none() && replacement.get("credit_reference_id").is_none());
        // 0.50 + 1.5 × 0.39 = 1.085, with VAT 1.29115.
        assert_eq!(replacement["total_cost"], json!({ "excl_vat": 1.09, "incl_vat": 1.29 }));
        assert_eq!(replacement["total_energy"], json!(1.5));
        assert_eq!(replacement["session_id"], sent["session_id"]);

        // The original is as it was.
        assert_eq!(site.cdrs().await.into_iter().find(|cdr| cdr.id == original.id).unwrap(), original);
        // Once only, and never a credit CDR.
        let again = credit(&finance, &id, json!({ "reason": "again" })).await;
        assert!(again.0 == 409 && again.1["detail"].as_str().unwrap().contains(credited), "{again:?}");
        assert_eq!(credit(&finance, credited, json!({ "reason": "again" })).await.0, 409);
        assert_eq!(credit(&finance, "C-NONE", json!({ "reason": "x" })).await.0, 404);
        assert_eq!(credit(&finance, new, json!({ "reason": "" })).await.0, 400);
        assert_eq!(credit(&finance, new, json!({ "reason": "x", "kwh": "1", "reprice": true })).await.0, 400);
        assert_eq!(site.cdrs().await.len(), 3);

        // Why, who and when.
        let correction = &get(&finance, &format!("/cdrs/DE*ABC/{id}")).await["correction"];
        assert_eq!((&correction["credit"], &correction["replacement"]), (&json!(credited), &json!(new)));
        assert_eq!(correction["reason"], "Meter replaced");
        assert!(correction["made_by"].as_str().unwrap().starts_with("API key ") && correction["made_at"].is_string());
        assert_eq!(&get(&finance, &format!("/cdrs/DE*ABC/{new}")).await["correction"], correction);

        // All three are the replacement alone.
        let totals = get(&finance, "/cdrs/totals").await;
        assert_eq!((&totals["cdrs"], &totals["charges"], &totals["energy_kwh"]), (&json!(3), &json!(1), &json!("1.5")));
        assert_eq!(totals["costs"]["EUR"], json!({ "excl_vat": "1.09", "vat": "0.20", "incl_vat": "1.29" }));
        let export = finance.send(Method::GET, "/cdrs/export?format=jsonl", None).await.text().await.unwrap();
        let column = |name: &str| -> Vec<String> {
            export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()[name].to_string()).collect()
        };
        assert_eq!(column("total_energy_kwh"), ["2", "2", "1.5"]);
        assert_eq!(column("net_energy_kwh"), ["2", "-2", "1.5"]);

        // Each of them costs what it says, and says by which zone.
        for id in [&id, credited, new] {
            assert_eq!(get(&finance, &format!("/cdrs/DE*ABC/{id}/check")).await["state"], "OK", "{id}");
            let explained = get(&finance, &format!("/cdrs/DE*ABC/{id}/explanation")).await;
            assert_eq!((&explained["recorded"], &explained["time_zone"]), (&json!(true), &json!("Europe/Berlin")));
        }
        let ours = credit_dispute(&finance, &id).await;
        assert!(ours.0 == 409 && ours.1["detail"].as_str().unwrap().contains("ours"), "{ours:?}");
    }

    async fn a_replacement_follows_an_edited_document(db: TestDb) {
        let site = with_a_cdr(&db).await;
        let partner = FakePartner::start();
        let number = partner.join_as(&site.node, EMP, &[(EMP, Role::Emsp)]).await;
        until_told(&site.node, number).await;
        let id = site.cdr_at(0).await.id.to_string();
        let sent = partner.holds(&format!("cdrs/{id}")).unwrap();
        let operator = Operator::of_role(&site.node, "operator").await;

        let mut wrong = sent.clone();
        wrong["charging_periods"][0]["start_date_time"] = json!("2020-01-01T00:00:00Z");
        let (status, problem) = credit(&operator, &id, json!({ "reason": "x", "replacement": wrong })).await;
        assert!(status == 400 && problem["detail"].as_str().unwrap().contains("charging_periods[0]"), "{problem}");
        assert_eq!(site.cdrs().await.len(), 1, "nothing was credited");

        let mut edited = sent.clone();
        edited["tariffs"][0]["elements"][0]["price_components"][1]["price"] = json!(0.29);
        edited["total_cost"] = json!({ "excl_vat": 99, "incl_vat": 99 });
        let (status, made) = credit(&operator, &id, json!({ "reason": "Wrong tariff", "replacement": edited })).await;
        assert_eq!(status, 201, "{made}");
        until_told(&site.node, number).await;
        let new = made["replacement"]["id"].as_str().unwrap();
        let held = partner.holds(&format!("cdrs/{new}")).unwrap();
        // 0.50 + 2 × 0.29; what the document states of the cost does not count.
        assert_eq!(held["total_cost"], json!({ "excl_vat": 1.08, "incl_vat": 1.29 }));
        let mut expected = sent.clone();
        for field in ["id", "tariffs", "total_cost", "total_energy_cost", "last_updated"] {
            expected[field] = held[field].clone();
        }
        assert_eq!(held, expected, "all else is as in the original");
        // The replacement can be corrected in its turn.
        assert_eq!(credit(&operator, new, json!({ "reason": "Priced anew", "reprice": true })).await.0, 201);
        let totals = get(&operator, "/cdrs/totals").await;
        assert_eq!((&totals["cdrs"], &totals["charges"]), (&json!(5), &json!(1)));
    }
}

async fn credit_dispute(operator: &Operator<'_>, id: &str) -> (u16, Value) {
    let note = Some(json!({ "note": "x" }));
    let response = operator.send(Method::POST, &format!("/cdrs/DE*ABC/{id}/dispute"), note).await;
    (response.status().as_u16(), response.json().await.unwrap())
}
