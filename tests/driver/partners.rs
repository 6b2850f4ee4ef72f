//! Charging at a roaming partner's stations: commands to the CPO, its sessions and its CDRs.

use super::charging::{ask_with_key, until_state};
use super::phone::{AppOf, EMSP, Phone};
use super::places::indexed;
use crate::ocpi::fake::{Fake, Mood, role};
use crate::ocpi::peer::{Peer, fixture, with};
use crate::ocpi::registering::{joined_with, node_with};
use crate::roaming::peer::until;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use roamwatt::domain::party::Role;
use serde_json::{Value, json};
use std::time::Duration;

const PLACE: &str = "/emsp/locations/NL/CPO/LOC-FULL";

async fn start_node(db: &TestDb) -> TestNode {
    node_with(db.url(), EMSP, &[Role::Emsp], |config| {
        config.roaming.command_timeout = Duration::from_secs(2);
        config.driver.driver_per_second = 1000;
        config.driver.driver_burst = 1000;
    })
    .await
}

fn owned(object: Value, change: Value) -> Value {
    with(with(object, json!({"country_code": "NL", "party_id": "CPO"})), change)
}

fn place(capabilities: Value) -> Value {
    let mut place = owned(fixture("location_full"), json!({"publish": true, "publish_allowed_to": null}));
    place["evses"][0]["capabilities"] = capabilities;
    place
}

/// A CPO that has registered, and whose place and tariff were pulled.
async fn cpo(node: &TestNode) -> (Fake, Peer<'_>) {
    let (fake, token, partner) = joined_with(node, "cpo", json!([role("NL*CPO", "CPO")]), |state| {
        state.lists.insert("locations", vec![place(json!(["REMOTE_START_STOP_CAPABLE"]))]);
        state.lists.insert("tariffs", vec![owned(fixture("tariff_full"), json!({}))]);
    })
    .await;
    indexed(node, 1).await;
    (fake, Peer { node, partner, token })
}

fn says(fake: &Fake, command: &str, result: &str) {
    let data = json!({"result": result, "timeout": 30});
    let body = json!({"status_code": 1000, "data": data, "timestamp": "2026-01-01T00:00:00Z"});
    fake.state().answers.insert(format!("/{command}"), (200, body));
}

fn wish() -> Value {
    json!({"party": "NL*CPO", "location_id": "LOC-FULL", "evse_uid": "E-1", "connector_id": "1"})
}

/// The last command of that kind that the CPO got.
async fn command(fake: &Fake, kind: &str) -> Value {
    let end = format!("/{kind}");
    until("the command came", async || fake.count("POST", &end) > 0).await;
    fake.seen("POST", &end).pop().unwrap().body
}

/// A session of the CPO with the driver's token.
fn session(started: &Value, id: &str, change: Value) -> Value {
    let token = &started["token"];
    let own = json!({
        "country_code": "NL", "party_id": "CPO", "id": id,
        "cdr_token": {
            "country_code": token["country_code"], "party_id": token["party_id"], "uid": token["uid"],
            "type": token["type"], "contract_id": token["contract_id"],
        },
        "authorization_reference": started["authorization_reference"], "status": "ACTIVE", "end_date_time": null,
    });
    with(with(fixture("session_full"), own), change)
}

async fn tell(peer: &Peer<'_>, session: &Value) {
    let path = format!("/emsp/sessions/NL/CPO/{}", session["id"].as_str().unwrap());
    let answer = peer.put(&path, session).await;
    assert!(answer.http < 300, "{answer:?}");
}

async fn post_result(peer: &Peer<'_>, command: &Value, result: &str) {
    let url = command["response_url"].as_str().unwrap();
    let message = json!([{"language": "en", "text": "so it is"}]);
    assert_eq!(peer.post(url, &json!({"result": result, "message": message})).await.http, 200);
}

async fn stand(phone: &Phone<'_>, order: &Value) -> Value {
    phone.get(&format!("/orders/{}", order["id"].as_str().unwrap())).await
}

on_each_engine! {
    async fn a_driver_charges_at_a_partners_station(db: TestDb) {
        let node = start_node(&db).await;
        let (fake, peer) = cpo(&node).await;
        let app = AppOf::new(&node, "app").await;
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        says(&fake, "START_SESSION", "ACCEPTED");
        says(&fake, "STOP_SESSION", "ACCEPTED");
        let place = anna.get("/locations/NL*CPO/LOC-FULL").await;
        assert_eq!((&place["own"], &place["can_start"]), (&json!(false), &json!(true)));

        let (status, order) = ask_with_key(&anna, "/charges", "k1", Some(wish())).await;
        assert_eq!((status, &order["state"]), (202, &json!("REQUESTED")), "{order}");
        let started = command(&fake, "START_SESSION").await;
        assert_eq!(started["location_id"], json!("LOC-FULL"));
        assert_eq!((&started["evse_uid"], &started["connector_id"]), (&json!("E-1"), &json!("1")));
        assert_eq!(started["authorization_reference"], order["id"]);
        assert_eq!(started["token"]["uid"], anna.get("/tokens").await[0]["uid"]);
        assert_eq!(started["token"]["type"], json!("APP_USER"));
        // The same request again asks nobody again.
        ask_with_key(&anna, "/charges", "k1", Some(wish())).await;
        post_result(&peer, &started, "ACCEPTED").await;
        let accepted = until_state(&anna, &order, "ACCEPTED").await;
        assert_eq!(accepted["message"], json!("so it is"));
        tell(&peer, &session(&started, "S-1", json!({}))).await;
        let order = until_state(&anna, &order, "STARTED").await;
        assert_eq!(order["session_id"], json!("S-1"));
        assert_eq!(fake.count("POST", "/START_SESSION"), 1);
        let seen = anna.get("/sessions/NL*CPO/S-1").await;
        assert_eq!((&seen["kwh"], &seen["cost"]["gross"]), (&json!("12.3450"), &json!("7.2836")));
        assert_eq!(otto.status("/sessions/NL*CPO/S-1").await, 404);
        assert_eq!(otto.ask(Method::POST, "/sessions/NL*CPO/S-1/stop", None).await.0, 404);

        let (status, stop) = ask_with_key(&anna, "/sessions/NL*CPO/S-1/stop", "k2", None).await;
        assert_eq!((status, &stop["kind"]), (202, &json!("STOP")));
        let stopped = command(&fake, "STOP_SESSION").await;
        assert_eq!(stopped["session_id"], json!("S-1"));
        post_result(&peer, &stopped, "ACCEPTED").await;
        until_state(&anna, &stop, "ACCEPTED").await;
        tell(&peer, &session(&started, "S-1", json!({"status": "COMPLETED", "end_date_time": "2026-02-03T11:30:00Z"}))).await;
        until_state(&anna, &stop, "STOPPED").await;

        // The receipt is the CPO's CDR.
        let token = session(&started, "S-1", json!({}))["cdr_token"].clone();
        let cdr = with(fixture("cdr_full"), json!({
            "country_code": "NL", "party_id": "CPO", "id": "C-1", "session_id": "S-1", "cdr_token": token,
            "credit": null, "credit_reference_id": null,
        }));
        let answer = peer.post("/emsp/cdrs", &cdr).await;
        assert!(answer.http < 300, "{answer:?}");
        let receipt = anna.get("/sessions/NL*CPO/S-1/receipt").await;
        let bill = &receipt["documents"][0]["bill"];
        let number = |value: &Value| value.to_string().parse::<rust_decimal::Decimal>().unwrap();
        let text = |value: &Value| value.as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap();
        assert_eq!(text(&bill["total"]["net"]), number(&cdr["total_cost"]["excl_vat"]));
        assert_eq!(text(&bill["total"]["gross"]), number(&cdr["total_cost"]["incl_vat"]));
        let lines = bill["lines"].as_array().unwrap();
        let sum = |field: &str| lines.iter().map(|line| text(&line[field])).sum::<rust_decimal::Decimal>();
        assert_eq!((sum("net"), sum("gross")), (text(&bill["total"]["net"]), text(&bill["total"]["gross"])));
        assert_eq!(otto.status("/sessions/NL*CPO/S-1/receipt").await, 404);
        assert_eq!(otto.get("/receipts").await["documents"], json!([]));
        assert_eq!(anna.get("/receipts").await["documents"][0]["id"], json!("C-1"));
        node.stop().await;
    }

    async fn what_a_partner_says_is_told_as_it_is(db: TestDb) {
        let node = start_node(&db).await;
        let (fake, peer) = cpo(&node).await;
        let anna = AppOf::new(&node, "app").await.driver("anna").await;
        let mut keys = ["a", "b", "c", "d", "e", "f", "g"].into_iter();
        let mut start = async || ask_with_key(&anna, "/charges", keys.next().unwrap(), Some(wish())).await.1;
        says(&fake, "START_SESSION", "REJECTED");
        assert_eq!(until_state(&anna, &start().await, "REFUSED").await["result"], json!("REJECTED"));
        says(&fake, "START_SESSION", "NOT_SUPPORTED");
        assert_eq!(until_state(&anna, &start().await, "REFUSED").await["result"], json!("NOT_SUPPORTED"));
        fake.state().mood = Mood::Http(503);
        let order = start().await;
        let failed = until_state(&anna, &order, "FAILED").await;
        assert!(failed["message"].as_str().unwrap().contains("cannot be reached"), "{failed}");
        fake.state().mood = Mood::Well;
        // Agreed to, and then the result says otherwise, or never comes.
        says(&fake, "START_SESSION", "ACCEPTED");
        let seen = fake.count("POST", "/START_SESSION");
        let order = start().await;
        until("the command came", async || fake.count("POST", "/START_SESSION") > seen).await;
        assert_eq!(stand(&anna, &order).await["state"], json!("REQUESTED"));
        post_result(&peer, &command(&fake, "START_SESSION").await, "EVSE_OCCUPIED").await;
        assert_eq!(until_state(&anna, &order, "REFUSED").await["result"], json!("EVSE_OCCUPIED"));
        let order = start().await;
        until_state(&anna, &order, "TIMEOUT").await;
        // A session that comes all the same counts, also one that does not repeat the reference.
        let started = command(&fake, "START_SESSION").await;
        let now = node.app().now().to_string();
        let late = session(&started, "S-9", json!({"authorization_reference": null, "start_date_time": now}));
        tell(&peer, &late).await;
        assert_eq!(until_state(&anna, &order, "STARTED").await["session_id"], json!("S-9"));
        node.stop().await;
    }

    async fn an_evse_is_reserved_where_its_cpo_offers_that(db: TestDb) {
        let node = start_node(&db).await;
        let (fake, peer) = cpo(&node).await;
        let app = AppOf::new(&node, "app").await;
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        let offers = async |capabilities: Value| {
            assert!(peer.put(PLACE, &place(capabilities)).await.http < 300);
        };
        let mut wanted = wish();
        wanted.as_object_mut().unwrap().remove("connector_id");
        wanted["expires"] = json!(node.app().now().plus(chrono::TimeDelta::hours(1)));
        offers(json!(["RFID_READER"])).await;
        let (_, order) = ask_with_key(&anna, "/reservations", "a", Some(wanted.clone())).await;
        assert_eq!(order["state"], json!("REFUSED"));
        assert!(order["message"].as_str().unwrap().contains("RESERVABLE"), "{order}");
        assert_eq!(fake.count("POST", "/RESERVE_NOW"), 0);

        offers(json!(["RFID_READER", "RESERVABLE"])).await;
        assert_eq!(anna.get("/locations/NL*CPO/LOC-FULL").await["evses"][0]["reservable"], json!(true));
        says(&fake, "RESERVE_NOW", "ACCEPTED");
        says(&fake, "CANCEL_RESERVATION", "ACCEPTED");
        let (_, order) = ask_with_key(&anna, "/reservations", "b", Some(wanted.clone())).await;
        let reserve = command(&fake, "RESERVE_NOW").await;
        assert_eq!((&reserve["reservation_id"], &reserve["expiry_date"]), (&order["id"], &wanted["expires"]));
        assert_eq!(reserve["evse_uid"], json!("E-1"));
        post_result(&peer, &reserve, "ACCEPTED").await;
        until_state(&anna, &order, "ACCEPTED").await;
        let (status, problem) = anna.ask(Method::DELETE, "/me", None).await;
        assert_eq!(status, 409, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("reservation"), "{problem}");
        let place = format!("/reservations/{}", order["id"].as_str().unwrap());
        assert_eq!(otto.ask(Method::DELETE, &place, None).await.0, 404);
        let (status, given_up) = anna.ask(Method::DELETE, &place, None).await;
        assert_eq!((status, &given_up["kind"]), (202, &json!("CANCEL_RESERVATION")));
        let cancel = command(&fake, "CANCEL_RESERVATION").await;
        assert_eq!(cancel["reservation_id"], order["id"]);
        post_result(&peer, &cancel, "CANCELED_RESERVATION").await;
        until_state(&anna, &given_up, "ACCEPTED").await;
        assert_eq!(anna.ask(Method::DELETE, "/me", None).await.0, 204, "what was given up holds nobody up");
        node.stop().await;
    }

    async fn a_charge_of_a_partner_that_fell_silent_holds_nobody_up(db: TestDb) {
        let node = start_node(&db).await;
        let (fake, peer) = cpo(&node).await;
        let app = AppOf::new(&node, "app").await;
        let anna = app.driver("anna").await;
        says(&fake, "START_SESSION", "ACCEPTED");
        let (_, order) = ask_with_key(&anna, "/charges", "k1", Some(wish())).await;
        let started = command(&fake, "START_SESSION").await;
        let (status, problem) = anna.ask(Method::DELETE, "/me", None).await;
        assert_eq!(status, 409, "the CPO was asked: {problem}");
        post_result(&peer, &started, "ACCEPTED").await;
        let told = |days| json!({"last_updated": node.app().now().minus(chrono::TimeDelta::days(days)).to_string()});
        tell(&peer, &session(&started, "S-1", told(2))).await;
        until_state(&anna, &order, "STARTED").await;
        tell(&peer, &session(&started, "S-2", told(0))).await;
        let (status, problem) = anna.ask(Method::DELETE, "/me", None).await;
        assert_eq!(status, 409, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("S-2"), "{problem}");
        let ended = with(told(0), json!({"status": "COMPLETED", "end_date_time": "2026-02-03T11:30:00Z"}));
        tell(&peer, &session(&started, "S-2", ended)).await;
        assert_eq!(anna.ask(Method::DELETE, "/me", None).await.0, 204);
        node.stop().await;
    }
}
