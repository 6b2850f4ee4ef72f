//! Who gets into the operator API, and how far.

use super::operator::{Operator, api_key, exchange, problem};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use roamwatt::clock::Clock;
use serde_json::{Value, json};
use std::time::Duration;

on_each_engine! {
    async fn a_key_is_exchanged_for_a_token_that_expires(db: TestDb) {
        let clock = Clock::manual("2026-03-01T08:00:00Z".parse().unwrap());
        let node = TestNode::start_with(db.url(), clock.clone(), |_| ()).await;
        let key = api_key(&node, "viewer").await;
        let answer: Value = exchange(&node, &key).await.json().await.unwrap();
        assert_eq!(answer["expires_in"], 900);
        assert_eq!(answer["token_type"], "Bearer");
        let token = answer["access_token"].as_str().unwrap();

        let ask = async |token: &str| {
            node.client.get(node.url("/api/v1/parties")).bearer_auth(token).send().await.unwrap()
        };
        assert_eq!(ask(token).await.status(), 200);
        // The key itself opens nothing else, and no token opens the exchange.
        assert_eq!(problem(ask(&key).await).await.0, 401);
        assert_eq!(problem(exchange(&node, token).await).await.0, 401);
        // Neither does a token that somebody changed, nor one that nobody signed.
        let mut parts: Vec<&str> = token.split('.').collect();
        assert_eq!(problem(ask(&format!("{token}x")).await).await.0, 401);
        let other = "eyJhbGciOiJub25lIn0";
        parts[0] = other;
        assert_eq!(problem(ask(&parts.join(".")).await).await.0, 401);
        parts[2] = "";
        assert_eq!(problem(ask(&parts.join(".")).await).await.0, 401);

        clock.advance(Duration::from_secs(899));
        assert_eq!(ask(token).await.status(), 200);
        clock.advance(Duration::from_secs(1));
        let (status, document) = problem(ask(token).await).await;
        assert_eq!(status, 401);
        assert!(document["detail"].as_str().unwrap().contains("expired"), "{document}");
        node.stop().await;
    }

    async fn who_says_nothing_or_rubbish_is_told_what_to_send(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let nothing = node.get("/api/v1/stations").await;
        assert_eq!(nothing.headers()["www-authenticate"], "Bearer");
        assert_eq!(problem(nothing).await.0, 401);
        assert_eq!(problem(exchange(&node, "guess").await).await.0, 401);
        let basic = node.client.post(node.url("/api/v1/token")).basic_auth("a", Some("b"));
        assert_eq!(problem(basic.send().await.unwrap()).await.0, 401);
        node.stop().await;
    }

    async fn each_role_does_what_it_may_and_no_more(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let viewer = Operator::of_role(&node, "viewer").await;
        let finance = Operator::of_role(&node, "finance").await;
        let operator = Operator::of_role(&node, "operator").await;
        let lists =
            ["parties", "stations", "late-messages", "sessions", "cdrs", "tokens", "tariffs", "locations", "partners"];
        for who in [&viewer, &finance, &operator] {
            for list in lists {
                assert_eq!(who.get(&format!("/{list}")).await, json!([]), "{list}");
            }
        }
        let changes = [
            (Method::POST, "/stations/CS1/remote-start", json!({ "token_uid": "A" })),
            (Method::POST, "/stations/CS1/remote-stop", json!({ "session_id": "A" })),
            (Method::POST, "/stations/CS1/reset", json!({ "kind": "soft" })),
            (Method::POST, "/stations/CS1/trigger", json!({ "message": "Heartbeat" })),
            (Method::PUT, "/stations/CS1/configuration/A", json!({ "value": "1" })),
            (Method::PUT, "/tokens/DE*ABC/RFID/A", json!({ "contract_id": "C" })),
            (Method::DELETE, "/tokens/DE*ABC/RFID/A", json!(null)),
            (Method::POST, "/tokens/DE*ABC/RFID/A/block", json!(null)),
            (Method::POST, "/tokens/DE*ABC/RFID/A/unblock", json!(null)),
        ];
        for (method, path, body) in changes {
            let body = Some(body).filter(|body| !body.is_null());
            for who in [&viewer, &finance] {
                let (status, document) = who.problem(method.clone(), path, body.clone()).await;
                assert_eq!(status, 403, "{path}");
                assert!(document["detail"].as_str().unwrap().contains("operator"), "{document}");
            }
            // An operator gets further: there is no such station or token.
            assert_eq!(operator.problem(method, path, body).await.0, 404, "{path}");
        }
        node.stop().await;
    }

    async fn mistakes_are_told_by_their_place(db: TestDb) {
        let node = TestNode::start_with(db.url(), Clock::System, |config| config.server.max_body = 4096).await;
        let operator = Operator::of_role(&node, "operator").await;
        for (path, at) in [
            ("/sessions?limit=-1", "limit"),
            ("/sessions?limit=abc", "limit"),
            ("/sessions?limit=0", "limit"),
            ("/sessions?limit=1001", "limit"),
            ("/sessions?offset=-1", "offset"),
            ("/sessions?limt=1", "limt"),
            ("/sessions?limit=1&limit=2", "limit"),
            ("/sessions?status=active", "status"),
            ("/sessions?changed_from=yesterday", "changed_from"),
            ("/sessions?whose=ours&partner=1", "partner"),
            ("/stations?online=maybe", "online"),
            ("/stations?party=D", "party"),
            ("/parties/DE*ABC?x=1", "x"),
            ("/parties/D", "party"),
            ("/partners/one", "id"),
            ("/tokens/DE*ABC/CARD/1", "type"),
        ] {
            let (status, document) = operator.problem(Method::GET, path, None).await;
            assert_eq!((status, document["errors"][0]["at"].as_str()), (400, Some(at)), "{path} {document}");
            assert!(document["errors"][0]["detail"].is_string());
        }
        let path = "/tokens/DE*ABC/RFID/1";
        for (body, at) in [
            (json!([]), "$"),
            (json!({}), "$"),
            (json!({ "contract_id": 5 }), "$.contract_id"),
            (json!({ "contract_id": "" }), "$.contract_id"),
            (json!({ "contract_id": "C", "contract": "D" }), "$.contract"),
            (json!({ "contract_id": "C", "whitelist": "SOMETIMES" }), "$.whitelist"),
            (json!({ "contract_id": "C", "language": "german" }), "$.language"),
        ] {
            let (status, document) = operator.problem(Method::PUT, path, Some(body)).await;
            assert_eq!((status, document["errors"][0]["at"].as_str()), (400, Some(at)), "{document}");
        }
        for (path, method, status) in [
            ("/parties/DE*ABC", Method::GET, 404),
            ("/stations/CS9", Method::GET, 404),
            ("/sessions/DE*ABC/1", Method::GET, 404),
            ("/cdrs/DE*ABC/1", Method::GET, 404),
            ("/tokens/DE*ABC/RFID/1", Method::GET, 404),
            ("/tariffs/DE*ABC/1", Method::GET, 404),
            ("/locations/DE*ABC/1", Method::GET, 404),
            ("/partners/1", Method::GET, 404),
            ("/nothing", Method::GET, 404),
            ("/parties", Method::DELETE, 405),
            ("/tokens/DE*ABC/RFID/1", Method::POST, 405),
        ] {
            assert_eq!(operator.problem(method, path, None).await.0, status, "{path}");
        }
        let put = |kind: &str, body: String| {
            let request = node.client.put(node.url("/api/v1/tokens/DE*ABC/RFID/1")).bearer_auth(&operator.token);
            request.header("Content-Type", kind).body(body).send()
        };
        let large = format!("{{\"contract_id\":\"{}\"}}", "x".repeat(5000));
        assert_eq!(problem(put("application/json", large).await.unwrap()).await.0, 413);
        assert_eq!(problem(put("text/plain", "{}".to_owned()).await.unwrap()).await.0, 415);
        let (status, document) = problem(put("application/json", "{\"a\":".to_owned()).await.unwrap()).await;
        assert_eq!(status, 400);
        assert!(document["detail"].as_str().unwrap().contains("line 1"), "{document}");
        node.stop().await;
    }
}
