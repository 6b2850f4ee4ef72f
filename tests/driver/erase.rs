//! A driver is deleted: what is personal goes, what accounts rest on stays.

use super::charging::{until_state, wish};
use super::phone::{AppOf, EMSP, Phone};
use super::station::{Manner, Station};
use crate::charging::site::{Site, token};
use crate::roaming::peer::{FakePartner, until, until_told};
use crate::support::db::{TestDb, on_each_engine};
use crate::web::operator::Operator;
use reqwest::Method;
use roamwatt::clock::Clock;
use roamwatt::db::{DbError, commands, driver_grants, driver_orders, drivers, tokens};
use roamwatt::domain::party::Role;
use serde_json::{Value, json};
use std::time::Duration;

async fn site(db: &TestDb, count: usize) -> Site {
    Site::bare(db.url(), count, Clock::System, |config| {
        config.charging.cdr_delay = Duration::from_millis(100);
        config.driver.start_window = Duration::from_secs(3);
        config.driver.driver_per_second = 1000;
        config.driver.driver_burst = 1000;
    })
    .await
}

async fn give_card(app: &AppOf<'_>, driver: &str, uid: &str) -> u16 {
    let url = app.node.url(&format!("/driver/v1/drivers/{driver}/tokens/RFID/{uid}"));
    app.node.client.put(url).basic_auth(&app.id, Some(&app.secret)).send().await.unwrap().status().as_u16()
}

async fn delete(phone: &Phone<'_>) -> (u16, Value) {
    phone.ask(Method::DELETE, "/me", None).await
}

on_each_engine! {
    async fn a_driver_is_forgotten_and_the_accounts_stay(db: TestDb) {
        let site = site(&db, 1).await;
        let node = &site.node;
        let operator = Operator::of_role(node, "operator").await;
        let cpo = FakePartner::start();
        let partner = cpo.join_as(node, "cpo", &[("NL*CPO", Role::Cpo)]).await;
        let app = AppOf::new(node, "app").await;
        let given = app.exchange("anna").await;
        let anna = app.driver("anna").await;
        let mut card = token("04A2B3C4", true);
        card.party = EMSP.parse().unwrap();
        node.app().db.write(move |conn| tokens::upsert(conn, &card, None)).await.unwrap();
        assert_eq!(give_card(&app, &anna.driver_id, "04A2B3C4").await, 200);
        let uid = anna.get("/tokens").await[0]["uid"].as_str().unwrap().to_owned();
        until_told(node, partner).await;
        assert_eq!(cpo.holds(&format!("tokens/DE/EMP/{uid}")).unwrap()["valid"], json!(true));

        // Not while a charge goes on.
        let _station = Station::come(node, "CS0", Manner::Obliging).await;
        let (_, order) = anna.ask(Method::POST, "/charges", Some(wish("E0"))).await;
        let started = until_state(&anna, &order, "STARTED").await;
        let session = started["session_id"].as_str().unwrap().to_owned();
        let (status, problem) = delete(&anna).await;
        assert_eq!(status, 409, "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&session) && detail.contains("goes on"), "{detail}");
        let path = format!("/drivers/{}", anna.driver_id);
        let refused = operator.send(Method::DELETE, &path, None).await;
        assert_eq!(refused.status(), 409);
        assert_eq!(anna.get("/tokens").await.as_array().unwrap().len(), 2, "nothing was changed");
        anna.ask(Method::POST, &format!("/sessions/DE*ABC/{session}/stop"), None).await;
        let receipt = format!("/sessions/DE*ABC/{session}/receipt");
        until("there is a receipt", async || anna.status(&receipt).await == 200).await;
        let before = (operator.get("/sessions").await, operator.get("/cdrs").await);

        let (status, _) = delete(&anna).await;
        assert_eq!(status, 204);
        for path in ["/tokens", "/sessions", "/locations?bbox=0,0,1,1", &receipt] {
            assert_eq!(anna.status(path).await, 401, "{path}");
        }
        assert_eq!(delete(&anna).await.0, 401, "once is enough");
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", given["refresh_token"].as_str().unwrap())];
        assert_eq!(app.ask(&refresh).await.status(), 400);
        // Nothing personal is left.
        let (driver, id) = (anna.driver_id.clone(), order["id"].as_str().unwrap().to_owned());
        let hash = node.app().keys.hash(given["refresh_token"].as_str().unwrap());
        let left = move |conn: &mut _| {
            Ok::<_, DbError>([
                drivers::find(conn, &driver)?.is_some(),
                !drivers::token_keys(conn, &driver)?.is_empty(),
                !driver_orders::of_driver(conn, &driver)?.is_empty(),
                commands::find(conn, &id)?.is_some(),
                driver_grants::by_refresh_token(conn, &hash)?.is_some(),
            ])
        };
        assert_eq!(node.app().db.read(left).await.unwrap(), [false; 5]);
        assert_eq!(operator.get("/drivers?subject=anna").await, json!([]));
        // The partner is told that the token is good no more; the accounts are as they were.
        until("the partner knows", async || {
            cpo.holds(&format!("tokens/DE/EMP/{uid}")).unwrap()["valid"] == json!(false)
        })
        .await;
        assert_eq!((operator.get("/sessions").await, operator.get("/cdrs").await), before);
        assert_eq!(before.1.as_array().unwrap().len(), 1);

        // Under the same id comes somebody new; the card can be given to another.
        let new = app.driver("anna").await;
        assert_ne!(new.driver_id, anna.driver_id);
        assert_eq!(new.get("/sessions").await["sessions"], json!([]));
        assert_eq!(new.get("/receipts").await["documents"], json!([]));
        assert_ne!(new.get("/tokens").await[0]["uid"], json!(uid));
        let otto = app.driver("otto").await;
        assert_eq!(give_card(&app, &otto.driver_id, "04A2B3C4").await, 200);
        site.node.stop().await;
    }

    async fn what_is_on_its_way_is_waited_for(db: TestDb) {
        let site = site(&db, 2).await;
        let node = &site.node;
        let anna = AppOf::new(node, "app").await.driver("anna").await;
        let _station = Station::come(node, "CS0", Manner::Waiting).await;
        let (_, order) = anna.ask(Method::POST, "/charges", Some(wish("E0"))).await;
        until_state(&anna, &order, "ACCEPTED").await;
        let (status, problem) = delete(&anna).await;
        assert_eq!(status, 409, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("waits for the car"), "{problem}");
        until_state(&anna, &order, "EXPIRED").await;
        // One that was refused holds nothing up.
        let (_, refused) = anna.ask(Method::POST, "/charges", Some(wish("E1"))).await;
        assert_eq!(refused["state"], json!("REFUSED"));
        assert_eq!(delete(&anna).await.0, 204);
        site.node.stop().await;
    }

    async fn an_operator_finds_and_deletes_drivers(db: TestDb) {
        let site = site(&db, 1).await;
        let node = &site.node;
        let (app, other) = (AppOf::new(node, "app").await, AppOf::new(node, "other").await);
        let (anna, otto, away) = (app.driver("anna").await, app.driver("otto").await, other.driver("anna").await);
        let operator = Operator::of_role(node, "operator").await;
        let ids = async |query: &str| {
            let found = operator.get(&format!("/drivers{query}")).await;
            let ids = found.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
            ids.collect::<Vec<_>>()
        };
        let all = ids("").await;
        assert_eq!(all.len(), 3);
        assert_eq!(ids("?app=app&subject=anna").await, std::slice::from_ref(&anna.driver_id));
        assert_eq!(ids("?app=other").await, std::slice::from_ref(&away.driver_id));
        assert_eq!(ids("?limit=1&offset=1").await, all[1..2]);
        let listed = operator.get("/drivers?app=app&subject=otto").await;
        assert_eq!((&listed[0]["app"], &listed[0]["subject"], listed[0].get("issuer")), (&json!("app"), &json!("otto"), None));

        let viewer = Operator::of_role(node, "viewer").await;
        let path = format!("/drivers/{}", otto.driver_id);
        assert_eq!(viewer.send(Method::DELETE, &path, None).await.status(), 403);
        assert_eq!(otto.status("/tokens").await, 200);
        assert_eq!(operator.send(Method::DELETE, &path, None).await.status(), 204);
        assert_eq!(otto.status("/locations?bbox=0,0,1,1").await, 401);
        assert_eq!(operator.send(Method::DELETE, &path, None).await.status(), 404);
        assert_eq!((anna.status("/tokens").await, away.status("/tokens").await), (200, 200));
        // No partner held its token, so nothing of it is left.
        assert_eq!(ids("").await.len(), 2);
        let tokens = operator.get("/tokens").await;
        let app_users = tokens.as_array().unwrap().iter().filter(|token| token["type"] == "APP_USER").count();
        assert_eq!(app_users, 2);
        site.node.stop().await;
    }
}
