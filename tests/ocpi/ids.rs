//! Ids are any printable text: those that mean something in a URL come percent-encoded, and are found.

use super::ownership::{location, our};
use super::peer::{Peer, fixture, node, with};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::roaming::catalogue;
use serde_json::{Value, json};

/// Ids, and how each stands in a URL.
const ODD: [(&str, &str); 6] = [
    ("a#b", "a%23b"),
    ("a/b", "a%2Fb"),
    ("a%b", "a%25b"),
    ("a b", "a%20b"),
    ("a?b", "a%3Fb"),
    ("%23#+%2F", "%2523%23%2B%252F"),
];

/// A location whose only EVSE and connector are named like it.
fn place(whole: Value, id: &str) -> Value {
    let mut place = with(whole, json!({ "id": id, "publish": true }));
    place["evses"].as_array_mut().unwrap().truncate(1);
    place["evses"][0]["uid"] = json!(id);
    place["evses"][0]["connectors"].as_array_mut().unwrap().truncate(1);
    place["evses"][0]["connectors"][0]["id"] = json!(id);
    place
}

on_each_engine! {
    async fn what_is_told_under_any_id_is_found_again(db: TestDb) {
        let node = node(db.url()).await;
        let (abc, xyz) = (Peer::abc(&node).await, Peer::xyz(&node).await);
        for (id, in_url) in ODD {
            for (peer, base, object) in [
                (&abc, "/emsp/locations/DE/ABC", place(fixture("location_full"), id)),
                (&abc, "/emsp/tariffs/DE/ABC", with(fixture("tariff_full"), json!({ "id": id }))),
                (&abc, "/emsp/sessions/DE/ABC", with(fixture("session_full"), json!({ "id": id }))),
                (&xyz, "/cpo/tokens/NL/XYZ", with(fixture("token_full"), json!({ "uid": id }))),
            ] {
                let path = format!("{base}/{in_url}");
                let told = peer.put(&path, &object).await;
                assert_eq!(told.codes(), (201, 1000), "{path}: {told:?}");
                assert_eq!(peer.get(&path).await.data(), &object, "{path}");
            }
            let path = format!("/emsp/locations/DE/ABC/{in_url}/{in_url}");
            let patch = json!({ "status": "CHARGING", "last_updated": "2026-06-01T00:00:00Z" });
            assert_eq!(abc.patch(&path, &patch).await.codes(), (200, 1000), "{path}");
            assert_eq!(abc.get(&path).await.data()["status"], json!("CHARGING"), "{path}");
            assert_eq!(abc.get(&format!("{path}/{in_url}")).await.data()["id"], json!(id), "{path}");
        }
    }

    async fn what_is_ours_is_served_under_any_id(db: TestDb) {
        let node = node(db.url()).await;
        let xyz = Peer::xyz(&node).await;
        for (id, in_url) in ODD {
            let wanted = place(our("location_full", json!({})), id);
            let (object, now) = (location(&wanted), node.app().now());
            node.app().db.write(move |conn| catalogue::put_location(conn, &object, now)).await.unwrap();
            let path = format!("/cpo/locations/{in_url}");
            assert_eq!(xyz.get(&path).await.data(), &wanted, "{path}");
            let evse = &wanted["evses"][0];
            assert_eq!(xyz.get(&format!("{path}/{in_url}")).await.data(), evse, "{path}");
            assert_eq!(xyz.get(&format!("{path}/{in_url}/{in_url}")).await.data(), &evse["connectors"][0]);
        }
        assert_eq!(xyz.get("/cpo/locations").await.header("x-total-count"), ODD.len().to_string());
    }
}
