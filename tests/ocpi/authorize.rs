//! Real-time authorization: what a CPO asks us about our drivers.

use super::ownership::{our, token};
use super::peer::{OURS, Peer, add_party, fixture, node, with};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use roamwatt::clock::Clock;
use roamwatt::db::DbError;
use roamwatt::domain::party::Role;
use roamwatt::roaming::catalogue;
use serde_json::{Value, json};

async fn keep(node: &TestNode, all: &[Value]) {
    let (all, now): (Vec<_>, _) = (all.iter().map(token).collect(), node.app().now());
    let kept = node.app().db.write::<_, DbError, _>(move |conn| {
        all.iter().try_for_each(|object| catalogue::put_token(conn, object, now).map(drop))
    });
    kept.await.unwrap();
}

on_each_engine! {
    async fn a_driver_may_or_may_not_charge(db: TestDb) {
        let node = node(db.url()).await;
        let (abc, xyz) = (Peer::abc(&node).await, Peer::xyz(&node).await);
        let good = our("token_full", json!({"uid": "GOOD"}));
        let app = our("token_full", json!({"uid": "APP", "type": "APP_USER"}));
        let blocked = our("token_full", json!({"uid": "BLOCKED", "valid": false}));
        keep(&node, &[good.clone(), app.clone(), blocked.clone()]).await;
        xyz.put("/cpo/tokens/NL/XYZ/THEIRS", &with(fixture("token_full"), json!({"uid": "THEIRS"}))).await;
        let place = json!({"location_id": "L", "evse_uids": ["E"]});

        let answer = abc.post("/emsp/tokens/GOOD/authorize", &place).await;
        assert_eq!(answer.codes(), (200, 1000), "{answer:?}");
        let info = answer.data();
        assert_eq!((&info["allowed"], &info["token"], &info["location"]), (&json!("ALLOWED"), &good, &place));
        let reference = info["authorization_reference"].as_str().unwrap().to_owned();
        assert!((1..=36).contains(&reference.len()));
        // Without a place, in three ways; each authorization has its own reference.
        for body in [None, Some("null"), Some(" {} ")] {
            let path = "/emsp/tokens/good/authorize/?type=RFID";
            let answer = abc.send(Method::POST, path, &[], body.map(|text| text.as_bytes().to_vec())).await;
            assert_eq!((answer.codes(), &answer.data()["allowed"]), ((200, 1000), &json!("ALLOWED")), "{body:?}");
            assert!(answer.data().get("location").is_none());
            assert_ne!(answer.data()["authorization_reference"], json!(reference));
        }
        let answer = abc.post("/emsp/tokens/BLOCKED/authorize", &place).await;
        assert_eq!(answer.data(), &json!({"allowed": "BLOCKED", "token": blocked}));
        let answer = abc.post("/emsp/tokens/APP/authorize?type=APP_USER", &place).await;
        assert_eq!((&answer.data()["allowed"], &answer.data()["token"]), (&json!("ALLOWED"), &app));

        for unknown in ["NONE/authorize", "APP/authorize", "GOOD/authorize?type=OTHER", "THEIRS/authorize"] {
            let answer = abc.post(&format!("/emsp/tokens/{unknown}"), &place).await;
            assert_eq!((answer.codes(), answer.body.get("data")), ((404, 2004), None), "{unknown}");
        }
        for (body, wanted) in [(json!({"evse_uids": []}), "$.location_id: is required and missing"), (json!([]), "$: a LocationReferences is wanted")] {
            let answer = abc.post("/emsp/tokens/GOOD/authorize", &body).await;
            assert_eq!(answer.codes(), (200, 2001), "{body}");
            assert!(answer.message().starts_with(wanted), "{}", answer.message());
        }
        assert_eq!(abc.post("/emsp/tokens/GOOD/authorize?type=CARD", &place).await.codes(), (200, 2001));
        assert_eq!(xyz.post("/emsp/tokens/GOOD/authorize", &place).await.codes(), (403, 2000), "no CPO");
        // A request to one of our parties is about its tokens.
        add_party(&node, "AT*OUR", &[Role::Emsp]).await;
        let to = [("OCPI-to-country-code", "AT"), ("OCPI-to-party-id", "OUR")];
        let answer = abc.send(Method::POST, "/emsp/tokens/GOOD/authorize", &to, None).await;
        assert_eq!(answer.codes(), (404, 2004));
    }

    async fn a_place_may_be_needed(db: TestDb) {
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            config.roaming.authorize_needs_location = true;
        }).await;
        add_party(&node, OURS, &[Role::Emsp]).await;
        let abc = Peer::abc(&node).await;
        keep(&node, &[our("token_full", json!({"uid": "GOOD"})), our("token_full", json!({"uid": "BLOCKED", "valid": false}))]).await;
        let ask = async |uid: &str| abc.send(Method::POST, &format!("/emsp/tokens/{uid}/authorize"), &[], None).await;
        assert_eq!(ask("GOOD").await.codes(), (200, 2002));
        assert_eq!(ask("BLOCKED").await.data()["allowed"], json!("BLOCKED"));
        assert_eq!(ask("NONE").await.codes(), (404, 2004));
        let answer = abc.post("/emsp/tokens/GOOD/authorize", &json!({"location_id": "L"})).await;
        assert_eq!(answer.data()["allowed"], json!("ALLOWED"));
    }
}
