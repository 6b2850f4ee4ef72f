//! Who gets tokens, and what they open.

use super::phone::{AppOf, EMSP, EXCHANGE, Phone, USER_ID, refusal};
use crate::roaming::peer::FakePartner;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use roamwatt::clock::Clock;
use roamwatt::db::tokens;
use roamwatt::domain::party::Role;
use roamwatt::domain::token::{Token, TokenType, Whitelist};
use roamwatt::domain::{CiString, Extra, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

const BEGIN: &str = "2026-03-01T08:00:00Z";

fn phone<'a>(node: &'a TestNode, tokens: &Value) -> Phone<'a> {
    Phone {
        node,
        token: tokens["access_token"].as_str().unwrap().to_owned(),
        driver_id: tokens["driver_id"].as_str().unwrap_or_default().to_owned(),
    }
}

fn refresh(tokens: &Value) -> [(&'static str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())]
}

on_each_engine! {
    async fn an_app_exchanges_its_users_id_for_tokens_of_a_driver(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let cpo = FakePartner::start();
        let partner = cpo.join_as(&node, "cpo", &[("NL*CPO", Role::Cpo)]).await;
        let app = AppOf::new(&node, "app").await;
        let first = app.exchange("user-1").await;
        assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("Bearer"), &json!(900)));
        let anna = phone(&node, &first);
        let tokens = anna.get("/tokens").await;
        assert_eq!(tokens.as_array().unwrap().len(), 1);
        let token = &tokens[0];
        assert_eq!((&token["type"], &token["valid"]), (&json!("APP_USER"), &json!(true)));
        let uid = token["uid"].as_str().unwrap();
        assert_eq!(uid.len(), 20, "what an OCPP 1.6 idTag holds");
        let contract = token["contract_id"].as_str().unwrap();
        assert!(contract.starts_with("DE-EMP-C") && contract.len() == 16, "{contract}");
        // Partners are told of the new token.
        crate::roaming::peer::until_told(&node, partner).await;
        let told = cpo.holds(&format!("tokens/DE/EMP/{uid}")).unwrap();
        assert_eq!((&told["type"], &told["contract_id"], &told["issuer"]), (&json!("APP_USER"), &json!(contract), &json!("Charge now")));

        // The same user is the same driver, another one another.
        let again = app.exchange("user-1").await;
        assert_eq!(again["driver_id"], first["driver_id"]);
        assert_eq!(phone(&node, &again).get("/tokens").await, tokens);
        let other = app.exchange("user-2").await;
        assert_ne!(other["driver_id"], first["driver_id"]);
        assert_ne!(phone(&node, &other).get("/tokens").await, tokens);
        // The same id at another app is another driver.
        let elsewhere = AppOf::new(&node, "elsewhere").await.exchange("user-1").await;
        assert_ne!(elsewhere["driver_id"], first["driver_id"]);
        node.stop().await;
    }

    async fn who_does_not_prove_who_he_is_gets_nothing(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let app = AppOf::new(&node, "app").await;
        let exchange = [("grant_type", EXCHANGE), ("subject_token", "u"), ("subject_token_type", USER_ID)];
        let wrong = AppOf { node: &node, id: "app".to_owned(), secret: "guess".to_owned() };
        let response = wrong.ask(&exchange).await;
        assert_eq!(response.headers()["www-authenticate"], "Basic");
        assert_eq!(refusal(response).await, (401, "invalid_client".to_owned()));
        let unknown = AppOf { node: &node, id: "nobody".to_owned(), secret: app.secret.clone() };
        assert_eq!(refusal(unknown.ask(&exchange).await).await, (401, "invalid_client".to_owned()));
        let anonymous = node.client.post(node.url("/driver/v1/token")).send().await.unwrap();
        assert_eq!(refusal(anonymous).await, (401, "invalid_client".to_owned()));
        for (parameters, word) in [
            (vec![], "invalid_request"),
            (vec![("grant_type", "password")], "unsupported_grant_type"),
            (vec![("grant_type", EXCHANGE)], "invalid_request"),
            (vec![("grant_type", EXCHANGE), ("subject_token", "u")], "invalid_request"),
            (vec![("grant_type", EXCHANGE), ("subject_token", " "), ("subject_token_type", USER_ID)], "invalid_request"),
            (vec![("grant_type", "refresh_token")], "invalid_request"),
            (vec![("grant_type", "refresh_token"), ("refresh_token", "guess")], "invalid_grant"),
            (vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", "a.b.c")], "unauthorized_client"),
        ] {
            assert_eq!(refusal(app.ask(&parameters).await).await, (400, word.to_owned()), "{parameters:?}");
        }
        let long = "u".repeat(256);
        let parameters = [("grant_type", EXCHANGE), ("subject_token", long.as_str()), ("subject_token_type", USER_ID)];
        assert_eq!(refusal(app.ask(&parameters).await).await.0, 400);
        // A secret that was replaced opens nothing any more.
        let (secret, hash) = roamwatt::driver::apps::new_app_secret(&node.app().keys);
        let set = move |conn: &mut _| roamwatt::db::driver_apps::set_secret(conn, "app", &hash);
        assert!(node.app().db.write(set).await.unwrap());
        assert_eq!(app.ask(&exchange).await.status(), 401);
        let rotated = AppOf { node: &node, id: "app".to_owned(), secret };
        assert_eq!(rotated.ask(&exchange).await.status(), 200);
        node.stop().await;
    }

    async fn an_access_token_expires_and_cannot_be_made_up(db: TestDb) {
        let clock = Clock::manual(BEGIN.parse().unwrap());
        let node = TestNode::start_with(db.url(), clock.clone(), |_| ()).await;
        let app = AppOf::new(&node, "app").await;
        let mut anna = app.driver("anna").await;
        let good = anna.token.clone();
        assert_eq!(anna.status("/tokens").await, 200);
        let parts: Vec<&str> = good.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        claims["exp"] = json!(9_999_999_999_u64);
        let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
        // One of the operator API has another key, and another purpose.
        let operator = crate::web::operator::Operator::of_role(&node, "operator").await;
        let operators = operator.token.clone();
        for wrong in [
            format!("{good}x"),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{forged}."),
            format!("{}.{forged}.{}", parts[0], parts[2]),
            operators,
            "rubbish".to_owned(),
        ] {
            anna.token = wrong.clone();
            for path in ["/tokens", "/locations?bbox=0,0,1,1", "/sessions"] {
                assert_eq!(anna.status(path).await, 401, "{wrong} {path}");
            }
        }
        let back = node.client.get(node.url("/api/v1/parties")).bearer_auth(&good).send().await.unwrap();
        assert_eq!(back.status(), 401, "a driver is no operator");
        anna.token = good;
        clock.advance(Duration::from_secs(899));
        assert_eq!(anna.status("/tokens").await, 200);
        clock.advance(Duration::from_secs(1));
        let (status, problem) = anna.ask(Method::GET, "/tokens", None).await;
        assert_eq!(status, 401);
        assert!(problem["detail"].as_str().unwrap().contains("expired"), "{problem}");
        node.stop().await;
    }

    async fn a_refresh_token_is_good_once_and_its_second_use_ends_everything(db: TestDb) {
        let clock = Clock::manual(BEGIN.parse().unwrap());
        let node = TestNode::start_with(db.url(), clock.clone(), |_| ()).await;
        let app = AppOf::new(&node, "app").await;
        let first = app.exchange("anna").await;
        let second = app.tokens(&refresh(&first)).await;
        assert_eq!(second["driver_id"], first["driver_id"]);
        assert_ne!(second["refresh_token"], first["refresh_token"]);
        let third = app.tokens(&refresh(&second)).await;
        let anna = phone(&node, &third);
        assert_eq!(anna.status("/tokens").await, 200);
        // Another app can do nothing with it, and does no harm.
        let other = AppOf::new(&node, "other").await;
        assert_eq!(refusal(other.ask(&refresh(&third)).await).await, (400, "invalid_grant".to_owned()));
        assert_eq!(anna.status("/tokens").await, 200);
        // The first one comes again: all that came of it ends, also what was good a moment ago.
        assert_eq!(refusal(app.ask(&refresh(&first)).await).await, (400, "invalid_grant".to_owned()));
        assert_eq!(refusal(app.ask(&refresh(&third)).await).await, (400, "invalid_grant".to_owned()));
        assert_eq!(anna.status("/tokens").await, 401);
        // The driver signs in again and has lost nothing.
        let fresh = app.exchange("anna").await;
        assert_eq!(fresh["driver_id"], first["driver_id"]);

        // It ends when it is not used for long, and when the app takes it back.
        clock.advance(Duration::from_secs(30 * 24 * 3600 - 1));
        let late = app.tokens(&refresh(&fresh)).await;
        clock.advance(Duration::from_secs(30 * 24 * 3600));
        assert_eq!(app.ask(&refresh(&late)).await.status(), 400);
        let last = app.exchange("anna").await;
        let anna = phone(&node, &last);
        let taken = last["refresh_token"].as_str().unwrap();
        assert_eq!(other.post("/driver/v1/revoke", &[("token", taken)]).await.status(), 200);
        assert_eq!(anna.status("/tokens").await, 200, "another app takes nothing back");
        assert_eq!(app.post("/driver/v1/revoke", &[("token", taken)]).await.status(), 200);
        assert_eq!(anna.status("/tokens").await, 401);
        assert_eq!(app.post("/driver/v1/revoke", &[("token", "unknown")]).await.status(), 200);
        node.stop().await;
    }

    async fn an_app_alone_may_look_and_nothing_else(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let app = AppOf::new(&node, "app").await;
        let tokens = app.tokens(&[("grant_type", "client_credentials")]).await;
        assert!(tokens.get("refresh_token").is_none() && tokens.get("driver_id").is_none(), "{tokens}");
        let looker = phone(&node, &tokens);
        assert_eq!(looker.status("/locations?bbox=0,0,1,1").await, 200);
        for path in ["/tokens", "/sessions", "/receipts", "/orders/1"] {
            assert_eq!(looker.status(path).await, 403, "{path}");
        }
        // An app that is gone takes its drivers' tokens with it.
        let anna = app.driver("anna").await;
        let remove = |conn: &mut _| roamwatt::db::driver_apps::remove(conn, "app");
        assert!(node.app().db.write(remove).await.unwrap());
        assert_eq!(anna.status("/tokens").await, 401);
        assert_eq!(app.ask(&[("grant_type", "client_credentials")]).await.status(), 401);
        node.stop().await;
    }

    async fn an_app_gives_a_driver_a_card_of_its_emsp_and_of_nobody_else(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let (app, other) = (AppOf::new(&node, "app").await, AppOf::new(&node, "other").await);
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        let card = |party: &str, uid: &str| Token {
            party: party.parse().unwrap(), uid: uid.into(), token_type: TokenType::Rfid,
            contract_id: CiString::from(format!("DE-EMP-C{uid}")), visual_number: Some("1234".to_owned()),
            issuer: "Emp".to_owned(), group_id: None, valid: true, whitelist: Whitelist::Allowed, language: None,
            default_profile_type: None, energy_contract: None, last_updated: BEGIN.parse::<Timestamp>().unwrap(),
            extra: Extra::new(),
        };
        let (own, foreign) = (card(EMSP, "04A1"), card("DE*XYZ", "04B1"));
        let write = move |conn: &mut _| {
            tokens::upsert(conn, &own, None)?;
            tokens::upsert(conn, &foreign, None)
        };
        node.app().db.write(write).await.unwrap();
        let link = async |app: &AppOf<'_>, method: Method, driver: &str, token: &str| {
            let url = node.url(&format!("/driver/v1/drivers/{driver}/tokens/{token}"));
            let request = node.client.request(method, url).basic_auth(&app.id, Some(&app.secret));
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(link(&app, Method::PUT, &anna.driver_id, "RFID/04a1").await, 200);
        assert_eq!(link(&app, Method::PUT, &anna.driver_id, "RFID/04A1").await, 200, "again");
        assert_eq!(link(&app, Method::PUT, &otto.driver_id, "RFID/04A1").await, 409);
        assert_eq!(link(&app, Method::PUT, &otto.driver_id, "RFID/04B1").await, 404, "another eMSP's");
        assert_eq!(link(&app, Method::PUT, &otto.driver_id, "RFID/NONE").await, 404);
        assert_eq!(link(&other, Method::PUT, &otto.driver_id, "RFID/04A1").await, 404, "another app's driver");
        assert_eq!(link(&other, Method::DELETE, &anna.driver_id, "RFID/04A1").await, 404);
        let all = anna.get("/tokens").await;
        assert_eq!((&all[1]["uid"], &all[1]["type"], &all[1]["visual_number"]), (&json!("04A1"), &json!("RFID"), &json!("1234")));
        // A driver cannot take a card by himself.
        let (status, _) = otto.ask(Method::PUT, &format!("/drivers/{}/tokens/RFID/04A1", otto.driver_id), None).await;
        assert_eq!(status, 401);
        assert_eq!(link(&app, Method::DELETE, &anna.driver_id, "RFID/04A1").await, 204);
        assert_eq!(link(&app, Method::DELETE, &anna.driver_id, "RFID/04A1").await, 404);
        assert_eq!(anna.get("/tokens").await.as_array().unwrap().len(), 1);
        node.stop().await;
    }

    async fn an_operator_adds_and_removes_apps(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let seed = AppOf::new(&node, "seed").await;
        let operator = crate::web::operator::Operator::of_role(&node, "operator").await;
        let input = json!({"id": "charge-now", "party": EMSP, "oidc_issuer": "https://login.example", "oidc_audience": "a"});
        let send = async |method: Method, path: &str, body: Option<Value>| {
            let response = operator.send(method, path, body).await;
            let status = response.status().as_u16();
            (status, serde_json::from_str::<Value>(&response.text().await.unwrap()).unwrap_or_default())
        };
        let (status, made) = send(Method::POST, "/driver-apps", Some(input.clone())).await;
        assert_eq!((status, &made["name"], &made["party"]), (201, &json!("charge-now"), &json!(EMSP)), "{made}");
        assert_eq!(send(Method::POST, "/driver-apps", Some(input)).await.0, 409);
        for wrong in [
            json!({"id": "a b", "party": EMSP}),
            json!({"id": "x", "party": "DE*XYZ"}),
            json!({"id": "x", "party": EMSP, "oidc_issuer": "https://login.example"}),
            json!({"id": "x", "party": EMSP, "oidc_issuer": "nowhere", "oidc_audience": "a"}),
        ] {
            assert_eq!(send(Method::POST, "/driver-apps", Some(wrong.clone())).await.0, 400, "{wrong}");
        }
        let listed = operator.get("/driver-apps").await;
        let ids: Vec<&str> = listed.as_array().unwrap().iter().map(|app| app["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["seed", "charge-now"]);
        assert!(listed[0].get("secret").is_none() && listed[0].get("secret_hash").is_none(), "{listed}");
        let app = AppOf { node: &node, id: "charge-now".to_owned(), secret: made["secret"].as_str().unwrap().to_owned() };
        let own = [("grant_type", "client_credentials")];
        assert_eq!(app.ask(&own).await.status(), 200);
        let (status, rotated) = send(Method::POST, "/driver-apps/charge-now/rotate", None).await;
        assert_eq!((status, app.ask(&own).await.status().as_u16()), (200, 401));
        let app = AppOf { secret: rotated["secret"].as_str().unwrap().to_owned(), ..app };
        assert_eq!(app.ask(&own).await.status(), 200);
        assert_eq!(send(Method::DELETE, "/driver-apps/charge-now", None).await.0, 204);
        assert_eq!(app.ask(&own).await.status(), 401);
        assert_eq!(send(Method::DELETE, "/driver-apps/charge-now", None).await.0, 404);
        assert_eq!(send(Method::POST, "/driver-apps/charge-now/rotate", None).await.0, 404);
        assert_eq!(seed.ask(&own).await.status(), 200);
        node.stop().await;
    }
}
