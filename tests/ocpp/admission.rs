//! Who is let in, and what others are told.

use super::client::{Client, basic};
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use roamwatt::db::{frames, station_access, stations};
use roamwatt::domain::station::StationId;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PASSWORD: &str = "5ecret:with-20-bytes";

async fn set_password(node: &TestNode, id: &str, password: Option<&str>) {
    let app = node.app();
    let (id, hash, now) =
        (StationId::parse(id).unwrap(), password.map(|password| app.keys.hash(password)), app.now());
    let there = app
        .db
        .write(move |conn| station_access::set_password(conn, &id, hash.as_deref(), now))
        .await
        .unwrap();
    assert!(there);
}

/// Sends a request word for word and reads what comes until the node closes, or for a second.
async fn raw(node: &TestNode, request: &str) -> String {
    let mut socket = TcpStream::connect(node.addr()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(1), socket.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

fn upgrade(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// Without what differs from answer to answer.
fn comparable(answer: &str) -> String {
    let kept = answer.lines().filter(|line| {
        let lower = line.to_ascii_lowercase();
        !lower.starts_with("date:") && !lower.starts_with("x-request-id:")
    });
    kept.collect::<Vec<_>>().join("\n")
}

on_each_engine! {
    async fn a_station_comes_in_with_its_password_in_any_form(db: TestDb) {
        let site = Site::start(db.url(), 1, |config| config.ocpp.allow_no_auth = false).await;
        let node = &site.node;
        set_password(node, "CS0", Some(PASSWORD)).await;
        let hex: String = PASSWORD.bytes().map(|byte| format!("{byte:02X}")).collect();
        for sent in [PASSWORD, &hex] {
            let mut client = Client::try_connect(node, "CS0", Some(&basic("CS0", sent))).await.unwrap();
            client.socket.close(None).await.unwrap();
            client.closed().await;
        }
        // Set as hexadecimal digits, sent as the bytes that they stand for.
        set_password(node, "CS0", Some("00ff10e2")).await;
        let header = basic("CS0", [0x00, 0xff, 0x10, 0xe2]);
        Client::try_connect(node, "CS0", Some(&header)).await.unwrap();
    }

    async fn everybody_else_gets_the_same_answer(db: TestDb) {
        let site = Site::start(db.url(), 3, |config| config.ocpp.allow_no_auth = false).await;
        let node = &site.node;
        set_password(node, "CS0", Some(PASSWORD)).await;
        set_password(node, "CS1", Some("another-password")).await;
        let wrong = basic("CS0", "wrong");
        let unknown = raw(node, &upgrade("/ocpp/NOBODY", &format!("Authorization: {}\r\n", basic("NOBODY", "wrong")))).await;
        assert!(unknown.starts_with("HTTP/1.1 401"), "{unknown}");
        let refused = [
            ("CS0", Some(wrong.as_str())),
            ("CS0", Some(&basic("CS1", "another-password"))),
            ("CS0", Some(&basic("CS1", PASSWORD))),
            ("CS0", Some("Bearer abc")),
            ("CS0", Some("Basic ????")),
            ("CS0", None),
            // Added without a password, where that is not allowed.
            ("CS2", None),
            ("CS2", Some(&basic("CS2", ""))),
            ("", None),
            ("CS0%20x", Some(&wrong)),
            ("CS0/x", Some(&wrong)),
            (&"x".repeat(49), None),
        ];
        for (path, header) in refused {
            let header = header.map(|header| format!("Authorization: {header}\r\n")).unwrap_or_default();
            let answer = raw(node, &upgrade(&format!("/ocpp/{path}"), &header)).await;
            assert_eq!(comparable(&answer), comparable(&unknown), "{path} {header}");
        }
        // Not even whether it is a WebSocket is looked at before.
        let plain = raw(node, "GET /ocpp/CS0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(plain.starts_with("HTTP/1.1 401"), "{plain}");

        let counted = |reason| node.app().metrics.refused.with_label_values(&["ocpp", reason]).get();
        assert_eq!((counted("unknown_station"), counted("wrong_password"), counted("wrong_user")), (1, 1, 2));
        assert_eq!((counted("password_needed"), counted("malformed_id")), (2, 4));

        // The log tells the operator the reason, and nobody the secret.
        let lines = refused_lines(node, 14).await;
        let of = |station: &str, reason: &str| {
            lines.iter().any(|(id, text)| id == station && text.contains(reason))
        };
        assert!(of("NOBODY", "no station has this id") && of("CS0", "wrong password"), "{lines:?}");
        assert!(of("CS0", "no password was sent") && of("CS2", "allow_no_auth is off"), "{lines:?}");
        let all = format!("{lines:?}");
        assert!(!all.contains(PASSWORD) && !all.contains(&wrong) && !all.contains("another-password"), "{all}");
    }

    async fn a_wrong_password_and_an_unknown_id_take_the_same_time(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        set_password(&site.node, "CS0", Some(PASSWORD)).await;
        for id in ["CS0", "NOBODY"] {
            let begun = Instant::now();
            let refused = Client::try_connect(&site.node, id, Some(&basic(id, "wrong"))).await.err();
            assert_eq!(refused, Some(401));
            // Both wait for the same moment, which hides what the database took.
            assert!(begun.elapsed() >= Duration::from_millis(40), "{id}: {:?}", begun.elapsed());
        }
    }

    async fn a_station_without_a_password_comes_in_where_that_is_allowed(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        Client::connect(&site.node, "CS0").await;
    }

    async fn an_id_may_be_percent_encoded(db: TestDb) {
        let site = Site::start(db.url(), 1, |config| config.ocpp.meter_value_interval = None).await;
        let id = StationId::parse("DE*ABC#1%ä").unwrap();
        let now = site.node.app().now();
        let template = StationId::parse("CS0").unwrap();
        site.node.app().db.write(move |conn| {
            let mut station = stations::find(conn, &template)?.unwrap();
            station.connectors.clear();
            station.id = id.clone();
            stations::insert(conn, &station, None, now)
        }).await.unwrap();
        let mut client = Client::boot(&site.node, "DE%2AABC%231%25%C3%A4").await;
        client.call("Heartbeat", serde_json::json!({})).await;
    }

    async fn without_a_common_subprotocol_the_socket_is_opened_and_closed(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        for more in ["", "Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.5\r\n"] {
            let answer = raw(&site.node, &upgrade("/ocpp/CS0", more)).await;
            assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
            assert!(!answer.to_ascii_lowercase().contains("sec-websocket-protocol"), "{answer}");
            assert!(answer.contains("the subprotocol ocpp1.6 is spoken here"), "{answer}");
        }
        assert!(!site.node.app().stations.is_connected(&StationId::parse("CS0").unwrap()));
        let lines = refused_lines(&site.node, 2).await;
        assert!(lines.iter().any(|(_, text)| text.contains("ocpp2.0.1")), "{lines:?}");
        // The first of the station's that is spoken here is taken.
        let both = upgrade("/ocpp/CS0", "Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6\r\n");
        let answer = raw(&site.node, &both).await.to_ascii_lowercase();
        assert!(answer.contains("sec-websocket-protocol: ocpp1.6\r\n"), "{answer}");
    }

    async fn what_is_no_websocket_is_told_so(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let answer = raw(&site.node, "GET /ocpp/CS0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert_eq!(site.node.app().metrics.refused.with_label_values(&["ocpp", "handshake"]).get(), 1);
    }
}

/// The refused connections of the frame log, once so many are there.
async fn refused_lines(node: &TestNode, count: usize) -> Vec<(String, String)> {
    for _ in 0..100 {
        let lines =
            node.app().db.read(|conn| frames::after(conn, frames::EVERY_STATION, 0, 1000)).await.unwrap();
        let lines: Vec<_> = lines.into_iter().filter(|line| line.kind == "refused").collect();
        if lines.len() >= count {
            return lines.into_iter().map(|line| (line.station_id, line.frame)).collect();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("fewer than {count} refused connections in the log");
}
