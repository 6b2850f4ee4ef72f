//! Receipts are the CDRs, also when one was taken back.

use super::phone::{AppOf, Phone};
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use roamwatt::db::tokens;
use roamwatt::domain::CiString;
use roamwatt::domain::token::{Token, TokenType};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The uid of a driver's token, as stations read it.
async fn uid(phone: &Phone<'_>) -> String {
    phone.get("/tokens").await[0]["uid"].as_str().unwrap().to_owned()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

on_each_engine! {
    async fn a_receipt_says_what_its_cdr_says_and_follows_its_corrections(db: TestDb) {
        let site = Site::bare(db.url(), 2, roamwatt::clock::Clock::manual(crate::charging::site::at(0)), |config| {
            config.driver.access_token_lifetime = std::time::Duration::from_secs(86_400);
        })
        .await;
        let app = AppOf::new(&site.node, "app").await;
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        let tag = uid(&anna).await;
        let transaction = site.begin(0, &tag, 0, 1_000).await.transaction_id;
        site.meter(0, transaction, 600, 6_000).await;
        site.end(0, transaction, 1_200, 11_333).await;
        site.settle_after(2_000).await;
        let cdr = site.cdr_at(0).await;
        let path = format!("/sessions/DE*ABC/{}/receipt", cdr.session_id.clone().unwrap());
        let receipt = anna.get(&path).await;
        assert_eq!(receipt["state"], json!("FINAL"));
        let document = &receipt["documents"][0];
        assert_eq!((&document["id"], &document["kwh"]), (&json!(cdr.id), &json!(cdr.total_energy.to_string())));
        assert_eq!(document["contract_id"], json!(cdr.cdr_token.contract_id));
        assert_eq!((&document["start"], &document["end"]), (&json!(cdr.start_date_time), &json!(cdr.end_date_time)));
        let total = &document["bill"]["total"];
        assert_eq!(decimal(&total["net"]), cdr.total_cost.excl_vat.decimal());
        assert_eq!(decimal(&total["gross"]), cdr.total_cost.incl_vat.unwrap().decimal());
        assert_eq!(decimal(&total["tax"]), decimal(&total["gross"]) - decimal(&total["net"]));
        let lines = document["bill"]["lines"].as_array().unwrap();
        let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
        assert!(kinds.starts_with(&["FIXED", "ENERGY"]), "{kinds:?}");
        for field in ["net", "gross"] {
            let sum: Decimal = lines.iter().map(|line| decimal(&line[field])).sum();
            assert_eq!(sum, decimal(&total[field]), "{field}");
        }
        assert_eq!(receipt["total"], *total);
        assert_eq!(otto.status(&path).await, 404);

        // Taken back without another one: nothing is to be paid.
        let operator = crate::web::operator::Operator::of_role(&site.node, "operator").await;
        let credit = format!("/cdrs/DE*ABC/{}/credit", cdr.id);
        let response = operator.send(Method::POST, &credit, Some(json!({"reason": "by mistake"}))).await;
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
        let receipt = anna.get(&path).await;
        assert_eq!(receipt["state"], json!("CREDITED"), "{receipt}");
        assert_eq!((decimal(&receipt["total"]["net"]), decimal(&receipt["total"]["gross"])), (Decimal::ZERO, Decimal::ZERO));
        let taken_back = &receipt["documents"][1];
        assert_eq!((&taken_back["credit"], &taken_back["credits"]), (&json!(true), &json!(cdr.id)));
        for (was, is) in lines.iter().zip(taken_back["bill"]["lines"].as_array().unwrap()) {
            assert_eq!(decimal(&is["net"]), -decimal(&was["net"]), "{is}");
        }
        // Both are among the driver's CDRs, the newest first, a page at a time.
        let first = anna.get("/receipts?limit=1").await;
        assert_eq!(first["documents"][0]["credit"], json!(true));
        let second = anna.get(&format!("/receipts?limit=1&after={}", first["next"].as_str().unwrap())).await;
        assert_eq!((&second["documents"][0]["id"], second.get("next")), (&json!(cdr.id), None));
        site.node.stop().await;
    }

    async fn a_driver_sees_the_charges_of_all_his_tokens_and_of_no_others(db: TestDb) {
        let site = Site::bare(db.url(), 3, roamwatt::clock::Clock::manual(crate::charging::site::at(0)), |_| ()).await;
        let app = AppOf::new(&site.node, "app").await;
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        let tag = uid(&anna).await;
        // A card of Anna's, and an app's token that somebody has under the same uid as the card.
        let card = crate::charging::site::token("04A1", true);
        let twin = Token { token_type: TokenType::OtherType, contract_id: CiString::from("DE-EMP-CTWIN"), ..card.clone() };
        let write = move |conn: &mut _| {
            tokens::upsert(conn, &card, None)?;
            tokens::upsert(conn, &twin, None)
        };
        site.node.app().db.write(write).await.unwrap();
        let url = site.node.url(&format!("/driver/v1/drivers/{}/tokens/OTHER/04A1", otto.driver_id));
        let response = site.node.client.put(url).basic_auth(&app.id, Some(&app.secret)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let url = site.node.url(&format!("/driver/v1/drivers/{}/tokens/RFID/04A1", anna.driver_id));
        let response = site.node.client.put(url).basic_auth(&app.id, Some(&app.secret)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        site.begin(0, &tag, 0, 0).await;
        site.begin(1, "04A1", 10, 0).await;
        let mine = anna.get("/sessions").await;
        let places: Vec<&str> = mine["sessions"].as_array().unwrap().iter().map(|one| one["evse_uid"].as_str().unwrap()).collect();
        assert_eq!(places, ["E1", "E0"], "the newest first");
        assert_eq!(otto.get("/sessions").await["sessions"], json!([]));
        let first = anna.get("/sessions?limit=1").await;
        assert_eq!(first["sessions"][0]["evse_uid"], json!("E1"));
        let second = anna.get(&format!("/sessions?limit=1&after={}", first["next"].as_str().unwrap())).await;
        assert_eq!((&second["sessions"][0]["evse_uid"], second.get("next")), (&json!("E0"), None));
        for wrong in ["limit=0", "limit=201", "after=x", "active=perhaps", "colour=red"] {
            assert_eq!(anna.status(&format!("/sessions?{wrong}")).await, 400, "{wrong}");
        }
        site.node.stop().await;
    }
}
