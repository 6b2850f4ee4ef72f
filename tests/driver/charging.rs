//! Starting and stopping at our own stations.

use super::phone::{AppOf, Phone};
use super::places::indexed;
use super::station::{Manner, Station};
use crate::charging::site::Site;
use crate::roaming::peer::until;
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use roamwatt::clock::Clock;
use roamwatt::domain::token::{TokenKey, TokenType};
use roamwatt::roaming::catalogue::set_token_valid;
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) fn wish(evse: &str) -> Value {
    json!({"party": "DE*ABC", "location_id": "LOC1", "evse_uid": evse})
}

/// Asks with a key; the status and the order.
pub(crate) async fn ask_with_key(
    phone: &Phone<'_>,
    path: &str,
    key: &'static str,
    body: Option<Value>,
) -> (u16, Value) {
    let mut headers = HeaderMap::new();
    headers.insert("Idempotency-Key", HeaderValue::from_static(key));
    let response = phone.send(Method::POST, path, headers, body).await;
    let status = response.status().as_u16();
    if status == 202 {
        let place = response.headers()["location"].to_str().unwrap().to_owned();
        let order: Value = response.json().await.unwrap();
        assert_eq!(place, format!("/driver/v1/orders/{}", order["id"].as_str().unwrap()));
        return (status, order);
    }
    (status, response.json().await.unwrap())
}

/// Waits until an order is in a state.
pub(crate) async fn until_state(phone: &Phone<'_>, order: &Value, state: &str) -> Value {
    let path = format!("/orders/{}?wait=5", order["id"].as_str().unwrap());
    until(state, async || phone.get(&path).await["state"] == state).await;
    phone.get(&path).await
}

/// A site whose clock is the machine's: sockets wait by it.
async fn site(db: &TestDb, count: usize) -> Site {
    Site::bare(db.url(), count, Clock::System, |config| {
        config.charging.command_timeout = Duration::from_secs(2);
        config.charging.cdr_delay = Duration::from_secs(1);
        config.ocpp.call_timeout = Duration::from_secs(1);
        config.driver.start_window = Duration::from_secs(2);
        config.driver.driver_per_second = 1000;
        config.driver.driver_burst = 1000;
    })
    .await
}

on_each_engine! {
    async fn a_driver_starts_and_stops_a_charge_at_a_station_of_ours(db: TestDb) {
        let site = site(&db, 2).await;
        let node = &site.node;
        let app = AppOf::new(node, "app").await;
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        let station = Station::come(node, "CS0", Manner::Obliging).await;
        indexed(node, 1).await;
        let (status, order) = ask_with_key(&anna, "/charges", "k1", Some(wish("E0"))).await;
        assert_eq!((status, &order["kind"]), (202, &json!("START")), "{order}");
        let order = until_state(&anna, &order, "STARTED").await;
        // The session may be there before the station's answer is.
        let path = format!("/orders/{}", order["id"].as_str().unwrap());
        until("the answer is told", async || anna.get(&path).await["result"] == "ACCEPTED").await;
        let session = order["session_id"].as_str().unwrap().to_owned();
        let path = format!("/sessions/DE*ABC/{session}");
        let seen = anna.get(&path).await;
        assert_eq!((&seen["status"], &seen["reference"]), (&json!("ACTIVE"), &order["id"]));
        assert_eq!((&seen["location_name"], &seen["address"]), (&json!("Market"), &json!("Market 1, Ludwigsburg")));

        // The same request again is the same order, and no second start; another one with the key is refused.
        let (_, again) = ask_with_key(&anna, "/charges", "k1", Some(wish("E0"))).await;
        assert_eq!((&again["id"], &again["state"]), (&order["id"], &json!("STARTED")));
        let mut other = wish("E0");
        other["connector_id"] = json!("1");
        let (status, problem) = ask_with_key(&anna, "/charges", "k1", Some(other)).await;
        assert_eq!(status, 422, "{problem}");
        // Another driver's key is another key.
        let (status, others) = ask_with_key(&otto, "/charges", "k1", Some(wish("E1"))).await;
        assert_eq!((status, others["id"] != order["id"]), (202, true));

        // The charge is its driver's alone.
        for path in [path.clone(), format!("{path}/receipt"), format!("/orders/{}", order["id"].as_str().unwrap())] {
            assert_eq!(otto.status(&path).await, 404, "{path}");
        }
        assert_eq!(otto.ask(Method::POST, &format!("{path}/stop"), None).await.0, 404);
        assert_eq!(anna.get("/sessions?active=true").await["sessions"][0]["id"], json!(session));
        assert_eq!(anna.status(&format!("{path}/receipt")).await, 404, "there is none yet");

        station.meter(node, 6_000);
        until("the energy shows", async || anna.get(&path).await["kwh"] == "5").await;
        let (status, stop) = ask_with_key(&anna, &format!("{path}/stop"), "k2", None).await;
        assert_eq!((status, &stop["kind"]), (202, &json!("STOP")), "{stop}");
        let stop = until_state(&anna, &stop, "STOPPED").await;
        assert_eq!(stop["session_id"], json!(session));
        let (_, again) = ask_with_key(&anna, &format!("{path}/stop"), "k2", None).await;
        assert_eq!(again["id"], stop["id"]);
        let (status, problem) = ask_with_key(&anna, &format!("{path}/stop"), "k3", None).await;
        assert_eq!(status, 409, "{problem}");

        // Ten kWh at 0.39 and 0.50 once, with 19 % VAT.
        until("there is a receipt", async || anna.status(&format!("{path}/receipt")).await == 200).await;
        let receipt = anna.get(&format!("{path}/receipt")).await;
        assert_eq!(receipt["state"], json!("FINAL"));
        let bill = &receipt["documents"][0]["bill"];
        assert_eq!(bill["total"], json!({"net": "4.40", "tax": "0.84", "gross": "5.24"}), "{receipt}");
        let ended = anna.get(&path).await;
        assert_eq!((&ended["status"], &ended["kwh"], &ended["cost"]["gross"]), (&json!("COMPLETED"), &json!("10"), &json!("5.24")));
        assert_eq!(anna.get("/sessions?active=true").await["sessions"], json!([]));
        drop(station);
        site.node.stop().await;
    }

    async fn what_comes_to_nothing_is_told_as_it_is(db: TestDb) {
        let site = site(&db, 4).await;
        let node = &site.node;
        let anna = AppOf::new(node, "app").await.driver("anna").await;
        // Offline: told at once.
        let (status, order) = ask_with_key(&anna, "/charges", "a", Some(wish("E0"))).await;
        assert_eq!((status, &order["state"]), (202, &json!("REFUSED")));
        assert_eq!(order["message"], json!("the station is not connected"));
        // It says no, says nothing, says yes and nobody plugs in.
        let _refusing = Station::come(node, "CS1", Manner::Refusing).await;
        let _silent = Station::come(node, "CS2", Manner::Silent).await;
        let _waiting = Station::come(node, "CS3", Manner::Waiting).await;
        let (_, order) = ask_with_key(&anna, "/charges", "b", Some(wish("E1"))).await;
        let order = until_state(&anna, &order, "REFUSED").await;
        assert_eq!((&order["result"], &order["message"]), (&json!("REJECTED"), &json!("the station refused")));
        let (_, order) = ask_with_key(&anna, "/charges", "c", Some(wish("E2"))).await;
        assert_eq!(order["state"], json!("REQUESTED"));
        let order = until_state(&anna, &order, "TIMEOUT").await;
        assert_eq!(order["result"], json!("TIMEOUT"));
        let (_, order) = ask_with_key(&anna, "/charges", "d", Some(wish("E3"))).await;
        until_state(&anna, &order, "ACCEPTED").await;
        until_state(&anna, &order, "EXPIRED").await;

        // What is not there, or cannot be meant.
        for (body, status) in [
            (wish("E9"), 404),
            (json!({"party": "DE*ABC", "location_id": "NONE", "evse_uid": "E0"}), 404),
            (json!({"party": "DE*ABC", "location_id": "LOC1", "evse_uid": "E1", "connector_id": "9"}), 404),
            (json!({"party": "DE*ABC", "location_id": "LOC1"}), 400),
            (json!({"party": "DE*ABC", "location_id": "LOC1", "evse_uid": "E1", "when": "now"}), 400),
            (json!({"party": "DE*ABC", "location_id": "LOC1", "evse_uid": "E1", "token": {"type": "RFID", "uid": "04A1"}}), 403),
        ] {
            assert_eq!(anna.ask(Method::POST, "/charges", Some(body.clone())).await.0, status, "{body}");
        }
        assert_eq!(anna.status("/orders/none").await, 404);
        assert_eq!(anna.ask(Method::POST, "/sessions/DE*ABC/none/stop", None).await.0, 404);
        let mut headers = HeaderMap::new();
        headers.insert("Idempotency-Key", HeaderValue::from_static("with space"));
        assert_eq!(anna.send(Method::POST, "/charges", headers, Some(wish("E1"))).await.status(), 400);

        // Our stations take no reservations, and say so.
        let mut wanted = wish("E1");
        wanted["expires"] = json!(node.app().now().plus(chrono::TimeDelta::hours(1)));
        let (status, order) = ask_with_key(&anna, "/reservations", "r", Some(wanted.clone())).await;
        assert_eq!((status, &order["kind"], &order["state"]), (202, &json!("RESERVE"), &json!("REFUSED")));
        assert_eq!(order["message"], json!("the operator's stations take no reservations"));
        wanted["expires"] = json!("2020-01-01T00:00:00Z");
        assert_eq!(anna.ask(Method::POST, "/reservations", Some(wanted)).await.0, 400);

        // A blocked token starts nothing.
        let uid = anna.get("/tokens").await[0]["uid"].as_str().unwrap().to_owned();
        let key = TokenKey { party: "DE*EMP".parse().unwrap(), uid: uid.into(), token_type: TokenType::AppUser };
        let now = node.app().now();
        node.app().db.write(move |conn| set_token_valid(conn, &key, false, now)).await.unwrap();
        let (status, problem) = anna.ask(Method::POST, "/charges", Some(wish("E1"))).await;
        assert_eq!(status, 403, "{problem}");
        site.node.stop().await;
    }
}
