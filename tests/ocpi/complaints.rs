//! What people complain about in other systems, where no other test here shows it.

use super::ownership::{location, our};
use super::peer::{Peer, fixture, node, with};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::roaming::catalogue;
use serde_json::{Value, json};

on_each_engine! {
    async fn a_token_that_is_not_encoded_is_known_all_the_same(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        for (authorization, http) in [
            (format!("Token {}", abc.token), 200),
            (format!("token  {} ", abc.token), 200),
            (format!("Token {}x", abc.token), 401),
            ("Token ".to_owned(), 401),
            ("Token \u{fffd}%%%".to_owned(), 401),
            (format!("Basic {}", abc.token), 401),
        ] {
            for path in ["/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/cpo/locations"] {
                let request = node.client.get(node.url(path)).header("Authorization", authorization.as_bytes());
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status().as_u16(), http, "{authorization:?} {path}");
                assert!(answer.json::<Value>().await.unwrap()["status_code"].is_number(), "an envelope");
            }
        }
        for path in ["/ocpi/versions", "/ocpi/2.2.1", "/ocpi/2.2.1/cpo/locations"] {
            assert_eq!(node.get(path).await.status(), 401, "{path} is not open");
        }
    }

    async fn one_odd_object_does_not_lose_the_page(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        let mut odd = our("location_full", json!({"id": "ODD", "parking_type": "ON_THE_MOON", "evses": null}));
        odd["time_zone"] = json!("Mars/Olympus");
        let good = our("location_full", json!({"id": "GOOD"}));
        for place in [&odd, &good] {
            let (place, now) = (location(place), node.app().now());
            node.app().db.write(move |conn| catalogue::put_location(conn, &place, now)).await.unwrap();
        }
        assert_eq!(xyz.get("/cpo/locations").await.data(), &json!([odd, good]));
    }

    async fn times_are_written_with_z_and_at_most_milliseconds(db: TestDb) {
        let node = node(db.url()).await;
        let abc = Peer::abc(&node).await;
        let path = "/emsp/sessions/DE/ABC/S-1";
        for (sent, kept) in [
            ("2026-02-03T10:00:00", "2026-02-03T10:00:00Z"),
            ("2026-02-03T12:00:00+02:00", "2026-02-03T10:00:00Z"),
            ("2026-02-03T10:00:00.123456789Z", "2026-02-03T10:00:00.123Z"),
            ("2026-02-03T10:00:00.000Z", "2026-02-03T10:00:00Z"),
        ] {
            let told = abc.put(path, &with(fixture("session_full"), json!({"last_updated": sent}))).await;
            assert!(matches!(told.codes(), (200 | 201, 1000)), "{sent}: {told:?}");
            assert_eq!(abc.get(path).await.data()["last_updated"], json!(kept), "{sent}");
            let at = told.body["timestamp"].as_str().unwrap();
            assert!(at.ends_with('Z') && at.len() <= "2026-02-03T10:00:00.123Z".len(), "{at}");
        }
    }
}
