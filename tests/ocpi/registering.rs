//! The credentials handshake, with us as the server and as the one who begins.

use super::fake::{Fake, Mood, State, role};
use super::peer::{add_party, party};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use roamwatt::clock::Clock;
use roamwatt::config::{Config, Secret};
use roamwatt::db::{changes, partners};
use roamwatt::domain::partner::{DeliveryPolicy, ModuleId, Partner, PartnerStatus, TokenEncoding};
use roamwatt::domain::party::Role;
use roamwatt::roaming::desk::{Desk, RegistrationError};
use roamwatt::roaming::registration::{Invite, Register};
use serde_json::{Value, json};
use std::time::Duration;

/// A node that is quick to try again.
pub(crate) async fn node(database_url: &str, id: &str, roles: &[Role]) -> TestNode {
    node_with(database_url, id, roles, |_| ()).await
}

/// The same with what `change` makes of its configuration.
pub(crate) async fn node_with(
    database_url: &str,
    id: &str,
    roles: &[Role],
    change: impl FnOnce(&mut Config),
) -> TestNode {
    let node = TestNode::start_with(database_url, Clock::System, |config| {
        config.roaming.request_timeout = Duration::from_secs(2);
        config.roaming.retry_first = Duration::from_millis(50);
        config.roaming.retry_max = Duration::from_millis(400);
        config.roaming.poll_interval = Duration::from_millis(100);
        change(config);
    })
    .await;
    add_party(&node, id, roles).await;
    node
}

pub(crate) async fn invite(node: &TestNode, name: &str, origin: &str) -> String {
    let invite = Invite {
        name: name.to_owned(),
        allowed_origins: vec![origin.to_owned()],
        delivery: DeliveryPolicy::Converge,
        encoding: TokenEncoding::Base64,
    };
    let invitation = Desk::of(node.app()).invite(invite).await.unwrap();
    assert_eq!(invitation.versions_url, node.url("/ocpi/versions"));
    invitation.token.reveal().to_owned()
}

pub(crate) async fn register(
    node: &TestNode,
    name: &str,
    url: &str,
    token: &str,
) -> Result<Partner, RegistrationError> {
    let register = Register {
        name: name.to_owned(),
        versions_url: url.to_owned(),
        token: Secret::new(token),
        allowed_origins: Vec::new(),
        delivery: DeliveryPolicy::Converge,
        encoding: TokenEncoding::Base64,
    };
    Desk::of(node.app()).register(register).await
}

/// A platform that has registered with a node: the fake, the token C that it got, and the partner.
pub(crate) async fn joined(node: &TestNode, name: &str, roles: Value) -> (Fake, String, Partner) {
    joined_with(node, name, roles, |_| ()).await
}

/// The same with a platform that `prepare` has readied, since it is asked and told at once.
pub(crate) async fn joined_with(
    node: &TestNode,
    name: &str,
    roles: Value,
    prepare: impl FnOnce(&mut State),
) -> (Fake, String, Partner) {
    let fake = Fake::start(roles);
    prepare(&mut fake.state());
    let token = invite(node, name, &fake.url).await;
    fake.state().token = "b".to_owned();
    let (codes, body) =
        ask(node, Method::POST, "/ocpi/2.2.1/credentials", &token, Some(fake.credentials("b"))).await;
    assert_eq!(codes, (200, 1000), "{body}");
    let token = body["data"]["token"].as_str().unwrap().to_owned();
    (fake, token, partner(node, name).await.unwrap())
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not within ten seconds: {what}");
}

pub(crate) async fn partner(node: &TestNode, name: &str) -> Option<Partner> {
    let name = name.to_owned();
    node.app().db.read(move |conn| partners::by_name(conn, &name)).await.unwrap()
}

/// HTTP status, OCPI status, body.
async fn ask(
    node: &TestNode,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> ((u16, u64), Value) {
    let authorization = format!("Token {}", STANDARD.encode(token));
    ask_with(node, method, path, &[("Authorization", &authorization)], body).await
}

async fn ask_with(
    node: &TestNode,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> ((u16, u64), Value) {
    let mut request = node.client.request(method, node.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let http = response.status().as_u16();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
    ((http, body["status_code"].as_u64().unwrap_or_default()), body)
}

const VERSIONS: &str = "/ocpi/versions";
const CREDENTIALS: &str = "/ocpi/2.2.1/credentials";

on_each_engine! {
    async fn two_nodes_register_and_each_can_call_the_other(db: TestDb) {
        let cpo = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        let emsp = node(db.another().url(), "DE*EMP", &[Role::Emsp]).await;
        let token = invite(&cpo, "the eMSP", &emsp.url("")).await;
        let theirs = register(&emsp, "the CPO", &cpo.url(VERSIONS), &token).await.unwrap();
        let ours = partner(&cpo, "the eMSP").await.unwrap();
        for partner in [&theirs, &ours] {
            assert_eq!(partner.status, PartnerStatus::Registered);
            assert_eq!(partner.version.as_deref(), Some("2.2.1"));
        }
        assert!(theirs.speaks_for(&party("DE*CPO"), &Role::Cpo) && ours.speaks_for(&party("DE*EMP"), &Role::Emsp));
        // Token A is spent on both sides.
        assert_eq!(ask(&cpo, Method::GET, VERSIONS, &token, None).await.0.0, 401);
        // Renewing works from either side, and each still knows the other afterwards.
        Desk::of(cpo.app()).update_credentials("the eMSP").await.unwrap();
        Desk::of(emsp.app()).update_credentials("the CPO").await.unwrap();
        Desk::of(cpo.app()).update_credentials("the eMSP").await.unwrap();
        // Ending it ends it on both sides, and the party is free for another connection.
        Desk::of(emsp.app()).unregister("the CPO").await.unwrap();
        assert_eq!(partner(&cpo, "the eMSP").await.unwrap().status, PartnerStatus::Unregistered);
        let token = invite(&cpo, "the eMSP, again", &emsp.url("")).await;
        register(&emsp, "the CPO", &cpo.url(VERSIONS), &token).await.unwrap();
    }

    async fn every_request_needs_a_token_that_is_known(db: TestDb) {
        let node = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        let token = invite(&node, "peer", "http://127.0.0.1:9").await;
        let encoded = format!("Token {}", STANDARD.encode(&token));
        let raw = format!("token {token}");
        for (authorization, wanted) in [
            (None, 401),
            (Some("Token"), 401),
            (Some("Token nobody-knows-this"), 401),
            (Some("Bearer x"), 401),
            (Some(encoded.as_str()), 200),
            (Some(raw.as_str()), 200),
        ] {
            let headers: Vec<(&str, &str)> = authorization.iter().map(|value| ("Authorization", *value)).collect();
            for path in [VERSIONS, "/ocpi/versions/", "/ocpi/2.2.1", CREDENTIALS] {
                let ((http, code), body) = ask_with(&node, Method::GET, path, &headers, None).await;
                assert_eq!(http, wanted, "{authorization:?} {path}");
                assert_eq!(code, if wanted == 200 { 1000 } else { 2000 }, "{body}");
            }
            // Token A is good for versions and credentials only; nobody learns what else is there.
            for path in ["/ocpi/2.2.1/cpo/locations", "/ocpi/nothing"] {
                let http = ask_with(&node, Method::GET, path, &headers, None).await.0.0;
                assert!(http == 401 || (wanted == 200 && path.ends_with("nothing") && http == 404), "{path}: {http}");
            }
        }
        let (_, body) = ask(&node, Method::GET, CREDENTIALS, &token, None).await;
        assert_eq!(body["data"]["token"], token.as_str(), "GET returns the token that was used");
        assert_eq!(body["data"]["roles"][0]["party_id"], "CPO");
    }

    async fn methods_fit_the_state_of_the_registration(db: TestDb) {
        let node = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        let fake = Fake::start(json!([role("DE*EMP", "EMSP")]));
        let token = invite(&node, "peer", &fake.url).await;
        fake.state().token = "b".to_owned();
        let credentials = Some(fake.credentials("b"));
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(ask(&node, method, CREDENTIALS, &token, credentials.clone()).await.0.0, 405);
        }
        let (codes, body) = ask(&node, Method::POST, CREDENTIALS, &token, credentials.clone()).await;
        assert_eq!(codes, (200, 1000), "{body}");
        let token_c = body["data"]["token"].as_str().unwrap();
        assert_eq!(ask(&node, Method::POST, CREDENTIALS, &token, credentials.clone()).await.0.0, 401, "A is spent");
        assert_eq!(ask(&node, Method::POST, CREDENTIALS, token_c, credentials.clone()).await.0.0, 405);
        assert_eq!(ask(&node, Method::DELETE, CREDENTIALS, token_c, None).await.0, (200, 1000));
        assert_eq!(ask(&node, Method::GET, VERSIONS, token_c, None).await.0.0, 401);
    }

    async fn the_token_before_is_good_until_the_new_one_was_used(db: TestDb) {
        let node = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        let (fake, first, _) = joined(&node, "peer", json!([role("DE*EMP", "EMSP")])).await;
        let put = async |token: &str| {
            let (codes, body) = ask(&node, Method::PUT, CREDENTIALS, token, Some(fake.credentials("b"))).await;
            assert_eq!(codes, (200, 1000), "{body}");
            body["data"]["token"].as_str().unwrap().to_owned()
        };
        // The answer with the second token is lost, so the partner asks again with the first.
        let lost = put(&first).await;
        assert_eq!(ask(&node, Method::GET, VERSIONS, &first, None).await.0.0, 200);
        let third = put(&first).await;
        assert_eq!(ask(&node, Method::GET, VERSIONS, &lost, None).await.0.0, 401, "replaced");
        assert_eq!(ask(&node, Method::GET, VERSIONS, &first, None).await.0.0, 200);
        assert_eq!(ask(&node, Method::GET, VERSIONS, &third, None).await.0.0, 200);
        assert_eq!(ask(&node, Method::GET, VERSIONS, &first, None).await.0.0, 401, "the new one was used");
    }

    async fn a_role_belongs_to_one_connection(db: TestDb) {
        let node = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        joined(&node, "first", json!([role("DE*EMP", "EMSP")])).await;
        for (claim, wanted) in [
            (json!([role("DE*EMP", "EMSP")]), 2001),
            (json!([role("de*emp", "EMSP")]), 2001),
            (json!([role("DE*NEW", "EMSP"), role("DE*CPO", "EMSP")]), 2001),
            (json!([]), 2001),
            (json!([role("DE*EMP", "CPO"), role("DE*NEW", "EMSP")]), 1000),
        ] {
            let fake = Fake::start(claim.clone());
            let token = invite(&node, "second", &fake.url).await;
            fake.state().token = "b".to_owned();
            let (codes, body) = ask(&node, Method::POST, CREDENTIALS, &token, Some(fake.credentials("b"))).await;
            assert_eq!(codes, (200, wanted), "{claim}: {body}");
            assert_eq!(fake.state().seen.is_empty(), wanted != 1000, "{claim}: refused before anything is asked");
        }
    }

    async fn what_cannot_be_used_is_told_and_changes_nothing(db: TestDb) {
        let node = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        let canary = Fake::start(json!([]));
        let fake = Fake::start(json!([role("DE*EMP", "EMSP")]));
        let token = invite(&node, "peer", &fake.url).await;
        fake.state().token = "b".to_owned();
        let with_url = |url: &str| {
            let mut credentials = fake.credentials("b");
            credentials["url"] = json!(url);
            credentials
        };
        let post = async |body: Value| ask(&node, Method::POST, CREDENTIALS, &token, Some(body)).await;
        // URLs that nobody approved are never called.
        for url in [
            canary.versions_url(),
            fake.versions_url().replace("127.0.0.1", "localhost"),
            fake.versions_url().replace("http://", "https://"),
            fake.versions_url().replace("http://", "http://user@"),
            "http://169.254.169.254/versions".to_owned(),
            "file:///etc/passwd".to_owned(),
        ] {
            let (codes, body) = post(with_url(&url)).await;
            assert_eq!(codes, (200, 3001), "{url}: {body}");
        }
        assert!(canary.state().seen.is_empty() && fake.state().seen.is_empty());
        // Details that lead elsewhere are not followed either.
        let elsewhere = json!({"status_code": 1000, "data": [{"version": "2.2.1", "url": format!("{}/2.2.1", canary.url)}], "timestamp": "2026-01-01T00:00:00Z"});
        for (path, answer, wanted) in [
            ("/versions", (200, elsewhere), 3001),
            ("/versions", (200, json!({"status_code": 1000, "data": [{"version": "2.1.1", "url": fake.url}], "timestamp": "2026-01-01T00:00:00Z"})), 3002),
            ("/versions", (302, json!({})), 3001),
            ("/versions", (500, json!({})), 3001),
            ("/2.2.1", (200, json!({"status_code": 1000, "data": {"version": "2.2.1", "endpoints": [{"identifier": "locations", "role": "SENDER", "url": format!("{}/x", fake.url)}]}})), 3003),
            ("/2.2.1", (200, json!({"status_code": 1000, "data": {"version": "2.2.1", "endpoints": [{"identifier": "locations", "role": "RECEIVER", "url": format!("{}/x", canary.url)}]}})), 3001),
            ("/2.2.1", (200, json!({"status_code": 1000, "data": "x"})), 3001),
        ] {
            fake.state().answers = [(path.to_owned(), answer.clone())].into();
            let (codes, body) = post(fake.credentials("b")).await;
            assert_eq!(codes, (200, wanted), "{path} {answer:?}: {body}");
        }
        assert!(canary.state().seen.is_empty());
        fake.state().answers.clear();
        for body in [json!({"token": "b"}), json!([]), json!({"token": 1, "url": "x", "roles": []})] {
            assert_eq!(post(body).await.0, (200, 2001));
        }
        let text = ask_with(&node, Method::POST, CREDENTIALS, &[("Authorization", &format!("Token {token}"))], None).await;
        assert_eq!(text.0, (400, 2001), "no JSON");
        assert_eq!(partner(&node, "peer").await.unwrap().status, PartnerStatus::Invited);
        assert_eq!(post(fake.credentials("b")).await.0, (200, 1000), "and still the token A is good");
    }

    async fn a_suspended_partner_is_refused_and_resumes(db: TestDb) {
        let node = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        let (_fake, token, _) = joined(&node, "peer", json!([role("DE*EMP", "EMSP")])).await;
        let desk = Desk::of(node.app());
        desk.suspend("peer").await.unwrap();
        for path in [VERSIONS, CREDENTIALS, "/ocpi/2.2.1/cpo/locations"] {
            assert_eq!(ask(&node, Method::GET, path, &token, None).await.0.0, 403, "{path}");
        }
        assert!(desk.suspend("peer").await.is_err(), "it is suspended already");
        desk.resume("peer").await.unwrap();
        assert_eq!(ask(&node, Method::GET, "/ocpi/2.2.1/cpo/locations", &token, None).await.0, (200, 1000));
        let (_, untold) = desk.remove("peer").await.unwrap();
        assert_eq!(untold, None);
        assert_eq!(ask(&node, Method::GET, VERSIONS, &token, None).await.0.0, 401);
        assert!(partner(&node, "peer").await.is_none(), "the name is free");
    }

    async fn routing_headers_are_held_against_the_token(db: TestDb) {
        let node = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        let (_fake, token, _) = joined(&node, "peer", json!([role("DE*EMP", "EMSP")])).await;
        let authorization = format!("Token {}", STANDARD.encode(&token));
        for (from, to, wanted) in [
            (None, None, 1000),
            (Some("EMP"), Some("CPO"), 1000),
            (Some("emp"), Some("cpo"), 1000),
            (Some("XXX"), Some("CPO"), 2001),
            (Some("EM"), Some("CPO"), 2001),
            (Some("EMP"), Some("XXX"), 4001),
        ] {
            let mut headers = vec![("Authorization", authorization.as_str()), ("X-Request-ID", "r-1"), ("X-Correlation-ID", "c-1")];
            for (party, country, id) in [
                (from, "OCPI-from-country-code", "OCPI-from-party-id"),
                (to, "OCPI-to-country-code", "OCPI-to-party-id"),
            ] {
                headers.extend(party.iter().flat_map(|party| [(country, "DE"), (id, *party)]));
            }
            let (codes, body) = ask_with(&node, Method::GET, "/ocpi/2.2.1/cpo/locations", &headers, None).await;
            assert_eq!(codes, (200, wanted), "{from:?} {to:?}: {body}");
        }
    }

    async fn we_register_and_the_partner_calls_back_meanwhile(db: TestDb) {
        let node = node(db.url(), "DE*EMP", &[Role::Emsp]).await;
        let fake = Fake::start(json!([role("DE*CPO", "CPO")]));
        let partner = register(&node, "peer", &fake.versions_url(), "token-a-of-the-fake").await.unwrap();
        assert_eq!(fake.state().called_back, [200, 200], "with token B, before its answer");
        assert!(partner.speaks_for(&party("DE*CPO"), &Role::Cpo));
        assert_eq!(partner.endpoint(&ModuleId::Locations, &roamwatt::domain::partner::InterfaceRole::Sender), Some(format!("{}/sender/locations/", fake.url).as_str()));
        let posted = fake.seen("POST", "/credentials").remove(0);
        assert_eq!(posted.body["url"], node.url(VERSIONS).as_str());
        assert!(posted.headers.contains_key("x-request-id"));
        assert!(!posted.headers.contains_key("ocpi-from-party-id"), "none on credentials");
        assert!(matches!(register(&node, "peer", &fake.versions_url(), "x").await, Err(RegistrationError::WrongState { .. })));
    }

    async fn a_registration_that_fails_keeps_nothing(db: TestDb) {
        let node = node(db.url(), "DE*EMP", &[Role::Emsp]).await;
        let fake = Fake::start(json!([role("DE*EMP", "CPO")]));
        let begin = async || register(&node, "peer", &fake.versions_url(), "token-a-of-the-fake").await;
        // It takes our credentials and claims our own party: it is told that there is no registration.
        assert!(matches!(begin().await, Err(RegistrationError::OurParty(_))));
        assert_eq!(fake.count("DELETE", "/credentials"), 1);
        assert!(partner(&node, "peer").await.is_none());
        fake.state().token = "token-a-of-the-fake".to_owned();
        fake.state().answers.insert("/credentials".to_owned(), (405, json!({"status_code": 2000, "status_message": "you are registered"})));
        let error = begin().await.unwrap_err();
        assert!(error.to_string().contains("you are registered"), "{error}");
        assert!(partner(&node, "peer").await.is_none());
        let token = fake.seen("POST", "/credentials").pop().unwrap().body["token"].as_str().unwrap().to_owned();
        assert_eq!(ask(&node, Method::GET, VERSIONS, &token, None).await.0.0, 401, "token B is not good any more");
    }

    async fn without_a_node_at_the_public_url_nothing_is_sent(db: TestDb) {
        let node = node(db.url(), "DE*EMP", &[Role::Emsp]).await;
        let fake = Fake::start(json!([role("DE*CPO", "CPO")]));
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (public_url, before) = (format!("http://{gone}"), Desk::of(node.app()));
        let desk = Desk { public_url: &public_url, ..before };
        let register = Register {
            name: "peer".to_owned(),
            versions_url: fake.versions_url(),
            token: Secret::new("token-a-of-the-fake"),
            allowed_origins: Vec::new(),
            delivery: DeliveryPolicy::Converge,
            encoding: TokenEncoding::Base64,
        };
        let error = desk.register(register).await.unwrap_err();
        assert!(error.to_string().contains(&public_url), "{error}");
        assert!(fake.state().seen.is_empty());
        assert!(partner(&node, "peer").await.is_none());
    }

    async fn what_waits_is_forgotten_with_the_registration(db: TestDb) {
        let node = node(db.url(), "DE*CPO", &[Role::Cpo]).await;
        let (fake, token, partner) = joined(&node, "peer", json!([role("DE*EMP", "EMSP")])).await;
        fake.state().mood = Mood::Http(503);
        let (id, now) = (partner.id, node.app().now());
        let key = changes::ObjectKey::of(&party("DE*CPO"), &"T1".into());
        node.app().db.write(move |conn| changes::mark(conn, id, &ModuleId::Tariffs, &key, now)).await.unwrap();
        assert_eq!(ask(&node, Method::DELETE, CREDENTIALS, &token, None).await.0, (200, 1000));
        assert_eq!(node.app().db.read(move |conn| changes::backlog(conn, id)).await.unwrap(), (0, 0));
    }
}
