//! Commands that eMSPs send us, and results that CPOs post to us.

use super::ownership::{location, our};
use super::peer::{ABC, OURS, Peer, XYZ, add_party, fixture, node, party, with};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use futures_util::{SinkExt, StreamExt};
use roamwatt::clock::Clock;
use roamwatt::db::commands::CommandRow;
use roamwatt::db::{DbError, commands, stations};
use roamwatt::domain::party::Role;
use roamwatt::domain::station::{Station, StationAuth, StationConnector, StationId};
use roamwatt::ocpi::url_guard::{Allowances, approve};
use roamwatt::roaming::catalogue;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const URL: &str = "http://127.0.0.1:1/results/7";

fn start(changes: Value) -> Value {
    with(with(fixture("start_session_full"), json!({"response_url": URL})), changes)
}

fn stop(session_id: &str) -> Value {
    json!({"response_url": URL, "session_id": session_id})
}

/// A location of ours, not published, with a station at its one EVSE.
async fn site(node: &TestNode) {
    let place = our("location_full", json!({"publish_allowed_to": null}));
    let (place, now) = (location(&place), node.app().now());
    let station = Station::new(
        StationId::parse("CS1").unwrap(),
        party(OURS),
        "LOC-FULL".into(),
        StationAuth::None,
        vec![StationConnector::new(1, "E-1".into(), "1".into())],
    );
    let kept = node.app().db.write::<_, DbError, _>(move |conn| {
        catalogue::put_location(conn, &place, now)?;
        stations::insert(conn, &station, None, now)
    });
    kept.await.unwrap();
}

/// The answer of a station that gives none.
const SILENT: &str = "";

/// A station that says of every call what `answer` says, and begins and ends charges as it is told.
async fn connect(node: &TestNode, answer: &'static str) -> tokio::task::JoinHandle<()> {
    let mut request = node.ws_url("/ocpp/CS1").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let boot = json!([2, "boot", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]);
    socket.send(Message::text(boot.to_string())).await.unwrap();
    let station = tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            let Ok(text) = message.to_text() else { continue };
            let Ok(frame) = serde_json::from_str::<Value>(text) else { continue };
            if frame[0] != 2 || answer == SILENT {
                continue;
            }
            let reply = json!([3, frame[1], {"status": answer}]);
            if socket.send(Message::text(reply.to_string())).await.is_err() {
                return;
            }
            if frame[2] == "RemoteStartTransaction" && answer == "Accepted" {
                let begin = json!([2, "begin", "StartTransaction", {
                    "connectorId": 1, "idTag": frame[3]["idTag"], "meterStart": 0, "timestamp": "2026-05-01T10:00:00Z"
                }]);
                drop(socket.send(Message::text(begin.to_string())).await);
            }
        }
    });
    let id = StationId::parse("CS1").unwrap();
    for _ in 0..200 {
        if node.app().stations.is_connected(&id) {
            return station;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the station did not come in");
}

/// What became of the only command, once it is known.
async fn outcome(node: &TestNode, kind: &'static str) -> CommandRow {
    for _ in 0..500 {
        let find = move |conn: &mut roamwatt::db::DbConn| {
            use diesel::prelude::*;
            use roamwatt::db::schema::commands::dsl;
            let id: Option<String> =
                dsl::commands.filter(dsl::kind.eq(kind)).select(dsl::id).first(conn).optional()?;
            Ok::<_, DbError>(match id {
                Some(id) => commands::find(conn, &id)?,
                None => None,
            })
        };
        let row = node.app().db.read(find).await.unwrap();
        if let Some(row) = row.filter(|row| row.state == "DONE") {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no result of {kind}");
}

on_each_engine! {
    async fn what_cannot_be_done_is_answered_at_once(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        site(&node).await;
        for (changes, code, result, wanted) in [
            (json!({"location_id": "NONE"}), 2003, "REJECTED", "no location NONE"),
            (json!({"evse_uid": "E-9"}), 2003, "REJECTED", "no EVSE E-9"),
            (json!({"connector_id": "9"}), 2003, "REJECTED", "no connector 9"),
            (json!({}), 1000, "REJECTED", "the station CS1 is not connected"),
        ] {
            let answer = xyz.post("/cpo/commands/START_SESSION", &start(changes.clone())).await;
            assert_eq!(answer.codes(), (200, code), "{changes}: {answer:?}");
            assert_eq!(answer.data()["result"], json!(result), "{changes}");
            assert_eq!(answer.data()["timeout"], json!(node.app().config.charging.command_timeout.as_secs()));
            let text = answer.data()["message"][0]["text"].as_str().unwrap();
            assert!(text.starts_with(wanted), "{changes}: {text}");
        }
        let answer = xyz.post("/cpo/commands/STOP_SESSION", &stop("NONE")).await;
        assert_eq!((answer.codes(), &answer.data()["result"]), ((200, 1000), &json!("UNKNOWN_SESSION")));
        for (command, name) in [
            ("RESERVE_NOW", "reserve_now_full"), ("CANCEL_RESERVATION", "cancel_reservation_full"),
            ("UNLOCK_CONNECTOR", "unlock_connector_full"),
        ] {
            let path = format!("/cpo/commands/{command}");
            let answer = xyz.post(&path, &with(fixture(name), json!({"response_url": URL}))).await;
            assert_eq!((answer.codes(), &answer.data()["result"]), ((200, 1000), &json!("NOT_SUPPORTED")), "{command}");
            let refused = xyz.post(&path, &json!({"response_url": URL})).await;
            assert_eq!(refused.codes(), (200, 2001), "{command}");
        }
        let refused = xyz.post("/cpo/commands/DANCE", &json!({})).await;
        assert_eq!(refused.codes(), (404, 2001));
        assert_eq!(xyz.get("/cpo/commands/START_SESSION").await.http, 405);
    }

    async fn a_command_names_where_its_result_goes_and_its_own_driver(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        site(&node).await;
        for url in ["http://169.254.169.254/latest", "http://127.0.0.1:2/results", "https://127.0.0.1:1/x", "no url", "ftp://127.0.0.1:1/"] {
            assert!(approve(url, &xyz.partner.allowed_origins, Allowances::default()).is_err(), "{url}");
            let refused = xyz.post("/cpo/commands/START_SESSION", &start(json!({"response_url": url}))).await;
            assert_eq!(refused.codes(), (200, 2001), "{url}");
            assert!(refused.message().starts_with("$.response_url: "), "{}", refused.message());
        }
        let mut others = start(json!({}));
        others["token"]["party_id"] = json!("OTH");
        let refused = xyz.post("/cpo/commands/START_SESSION", &others).await;
        assert_eq!(refused.codes(), (200, 2001));
        assert_eq!(refused.message(), "$.token: this connection does not speak for NL*OTH as EMSP");
        let refused = xyz.post("/cpo/commands/START_SESSION", &start(json!({"token": null}))).await;
        assert_eq!(refused.message(), "$.token: is required and missing");
    }

    async fn a_charge_is_started_and_stopped_from_afar(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        let other = Peer::join(&node, &[("NL*OTH", Role::Emsp)]).await;
        site(&node).await;
        let station = connect(&node, "Accepted").await;
        let mut events = node.app().wakes.events.subscribe();
        let answer = xyz.post("/cpo/commands/START_SESSION", &start(json!({"authorization_reference": "REF-9"}))).await;
        assert_eq!((answer.codes(), &answer.data()["result"]), ((200, 1000), &json!("ACCEPTED")), "{answer:?}");
        let row = outcome(&node, "START_SESSION").await;
        assert_eq!((row.result.as_deref(), row.response_url.as_deref()), (Some("ACCEPTED"), Some(URL)));
        assert!(row.correlation_id.is_some());
        // The charge that follows is the driver's, with the eMSP's reference.
        let session = loop {
            use roamwatt::app::Event;
            if let Event::SessionChanged(id) = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap().unwrap() {
                break id;
            }
        };
        let seen = xyz.get("/cpo/sessions").await;
        let seen = &seen.data()[0];
        assert_eq!((&seen["id"], &seen["auth_method"], &seen["authorization_reference"]),
            (&json!(session), &json!("COMMAND"), &json!("REF-9")));

        let answer = other.post("/cpo/commands/STOP_SESSION", &stop(&session)).await;
        assert_eq!(answer.data()["result"], json!("UNKNOWN_SESSION"), "another's driver");
        let answer = xyz.post("/cpo/commands/STOP_SESSION", &stop(&session)).await;
        assert_eq!((answer.codes(), &answer.data()["result"]), ((200, 1000), &json!("ACCEPTED")));
        assert_eq!(outcome(&node, "STOP_SESSION").await.result.as_deref(), Some("ACCEPTED"));

        // Charging preferences: the EVSE of the fixture takes none until it says that it does.
        let path = format!("/cpo/sessions/{session}/charging_preferences");
        let wanted = json!({"profile_type": "REGULAR"});
        assert_eq!(other.put(&path, &wanted).await.codes(), (404, 2001));
        assert_eq!(xyz.put("/cpo/sessions/NONE/charging_preferences", &wanted).await.codes(), (404, 2001));
        let refused = xyz.put(&path, &json!({"energy_need": 3})).await;
        assert_eq!((refused.codes(), refused.message()), ((200, 2001), "$.profile_type: is required and missing"));
        for (capabilities, codes, data) in [
            (json!(["RFID_READER"]), (404, 2001), Value::Null),
            (json!(["CHARGING_PREFERENCES_CAPABLE"]), (200, 1000), json!("ACCEPTED")),
        ] {
            let mut place = our("location_full", json!({"publish": true}));
            place["evses"][0]["capabilities"] = capabilities;
            let (place, now) = (location(&place), node.app().now());
            node.app().db.write(move |conn| catalogue::put_location(conn, &place, now)).await.unwrap();
            let answer = xyz.put(&path, &wanted).await;
            assert_eq!((answer.codes(), answer.data()), (codes, &data), "{answer:?}");
        }
        let answer = xyz.put(&path, &json!({"profile_type": "GREEN"})).await;
        assert_eq!(answer.data(), &json!("PROFILE_TYPE_NOT_SUPPORTED"));
        station.abort();
    }

    async fn a_station_may_refuse(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        site(&node).await;
        let station = connect(&node, "Rejected").await;
        let answer = xyz.post("/cpo/commands/START_SESSION", &start(json!({"evse_uid": null, "connector_id": null}))).await;
        assert_eq!(answer.data()["result"], json!("ACCEPTED"));
        assert_eq!(outcome(&node, "START_SESSION").await.result.as_deref(), Some("REJECTED"));
        station.abort();
    }

    async fn a_station_that_says_nothing_is_a_timeout_and_no_failure(db: TestDb) {
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            config.ocpp.call_timeout = Duration::from_millis(300);
        }).await;
        add_party(&node, OURS, &[Role::Cpo]).await;
        let xyz = Peer::xyz(&node).await;
        site(&node).await;
        let station = connect(&node, SILENT).await;
        let answer = xyz.post("/cpo/commands/START_SESSION", &start(json!({}))).await;
        assert_eq!(answer.data()["result"], json!("ACCEPTED"));
        assert_eq!(outcome(&node, "START_SESSION").await.result.as_deref(), Some("TIMEOUT"));
        station.abort();
    }

    async fn a_result_is_kept_once(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        let other = Peer::join(&node, &[("DE*OTH", Role::Cpo)]).await;
        let now = node.app().now();
        let row = |id: &str, direction: &str| CommandRow {
            id: id.to_owned(),
            kind: "START_SESSION".to_owned(),
            direction: direction.to_owned(),
            partner_id: Some(abc.partner.id),
            from_party: Some(XYZ.to_owned()),
            to_party: Some(ABC.to_owned()),
            station_id: None,
            connector: None,
            id_tag: None,
            session_id: None,
            authorization_reference: None,
            token: None,
            response_url: None,
            correlation_id: None,
            state: "SENT".to_owned(),
            result: None,
            message: None,
            created: now,
            expires_at: now.plus(chrono::TimeDelta::hours(1)),
            delivered: true,
        };
        let rows = [row("out-1", "out"), row("in-1", "in")];
        node.app().db.write::<_, DbError, _>(move |conn| rows.iter().try_for_each(|row| commands::insert(conn, row))).await.unwrap();
        let timed_out = json!({"result": "TIMEOUT", "message": [{"language": "en", "text": "no answer"}]});
        let path = "/emsp/commands/START_SESSION/out-1";
        for (peer, path) in [
            (&other, path), (&abc, "/emsp/commands/STOP_SESSION/out-1"), (&abc, "/emsp/commands/START_SESSION/in-1"),
            (&abc, "/emsp/commands/START_SESSION/out-2"),
        ] {
            assert_eq!(peer.post(path, &timed_out).await.codes(), (404, 2001), "{path}");
        }
        assert_eq!(abc.post(path, &json!({"message": []})).await.codes(), (200, 2001));
        assert_eq!(abc.post(path, &timed_out).await.codes(), (200, 1000));
        assert_eq!(abc.post(path, &json!({"result": "ACCEPTED"})).await.codes(), (200, 1000));
        let kept = node.app().db.read(|conn| commands::find(conn, "out-1")).await.unwrap().unwrap();
        assert_eq!((kept.state.as_str(), kept.result.as_deref(), kept.message.as_deref()), ("DONE", Some("TIMEOUT"), Some("no answer")));
        let untouched = node.app().db.read(|conn| commands::find(conn, "in-1")).await.unwrap().unwrap();
        assert_eq!(untouched.state, "SENT");
    }
}
