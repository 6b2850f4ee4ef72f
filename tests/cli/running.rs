//! A running node sees within two seconds what a command changes in its database, though nobody tells it.

use super::catalogue::{import, location};
use super::{KEY, add_party, fixture, run};
use crate::ocpi::peer::{Peer, with};
use crate::ocpp::client::{Client, start_payload, stop_payload};
use crate::roaming::peer::FakePartner;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use roamwatt::clock::Clock;
use roamwatt::config::Secret;
use roamwatt::domain::party::Role;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What the command line promises.
const PROMISE: Duration = Duration::from_secs(2);

/// A node with the key of the commands.
async fn start(db: &TestDb) -> TestNode {
    TestNode::start_with(db.url(), Clock::System, |config| {
        config.security.secret_key = Secret::new(KEY);
        config.ocpp.meter_value_interval = None;
    })
    .await
}

/// Runs a command, which must succeed, and waits until the node shows what it did, as it must within the promise.
async fn after(db: &TestDb, arguments: &[&str], shown: impl AsyncFnMut() -> bool) -> Value {
    let document = run(db, &[arguments, &["--json"]].concat()).json();
    soon(&arguments.join(" "), shown).await;
    document
}

async fn soon(what: &str, mut shown: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !shown().await {
        assert!(begun.elapsed() < PROMISE, "not seen within {PROMISE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the station is told of a card.
async fn authorize(station: &mut Client, uid: &str) -> String {
    let answer = station.call("Authorize", json!({ "idTag": uid })).await;
    answer["idTagInfo"]["status"].as_str().unwrap().to_owned()
}

/// An operator's access token.
async fn exchange(node: &TestNode, key: &str) -> reqwest::Response {
    node.client.post(node.url("/api/v1/token")).bearer_auth(key).send().await.unwrap()
}

struct Operator<'n> {
    node: &'n TestNode,
    token: String,
}

impl<'n> Operator<'n> {
    async fn new(db: &TestDb, node: &'n TestNode) -> Self {
        let key = run(db, &["api-key", "create", "--role", "viewer", "--json"]).json();
        let answer: Value = exchange(node, key["api_key"].as_str().unwrap()).await.json().await.unwrap();
        Self { node, token: answer["access_token"].as_str().unwrap().to_owned() }
    }

    async fn sees(&self, path: &str) -> bool {
        let request = self.node.client.get(self.node.url(&format!("/api/v1{path}")));
        request.bearer_auth(&self.token).send().await.unwrap().status() == 200
    }
}

/// Whether a page of a list holds an object of that id, or uid.
async fn lists(peer: &Peer<'_>, path: &str, id: &str) -> bool {
    let page = peer.get(path).await;
    page.data().as_array().unwrap().iter().any(|object| object["id"] == id || object["uid"] == id)
}

on_each_engine! {
    async fn a_card_charges_and_is_refused_as_the_command_line_says(db: TestDb) {
        add_party(&db);
        assert_eq!(import(&db, "locations", &json!([location("L1")]), &[]).code, 0);
        assert_eq!(run(&db, &["station", "add", "CS1", "--location", "L1", "--no-auth"]).code, 0);
        let node = start(&db).await;
        let mut station = Client::boot(&node, "CS1").await;

        // As long as no partner is told of tokens, a token can go for good.
        assert_eq!(authorize(&mut station, "04A1").await, "Invalid");
        let add = |uid| ["token", "add", "--uid", uid, "--contract", "DE-ABC-C12345678-X"];
        after(&db, &add("04A1"), async || authorize(&mut station, "04A1").await == "Accepted").await;
        after(&db, &["token", "remove", "04A1"], async || authorize(&mut station, "04A1").await == "Invalid").await;

        let partner = FakePartner::start();
        partner.join_as(&node, "CPO", &[("NL*CPO", Role::Cpo)]).await;
        let told = |valid: bool| partner.holds("tokens/DE/ABC/04A2").is_some_and(|token| token["valid"] == valid);
        after(&db, &add("04A2"), async || authorize(&mut station, "04A2").await == "Accepted" && told(true)).await;
        let started = station.call("StartTransaction", start_payload("04A2")).await;
        assert_eq!(started["idTagInfo"]["status"], "Accepted");
        station.call("StopTransaction", stop_payload(&started["transactionId"], "09:00:00", 2000)).await;

        let blocked = async |station: &mut Client| authorize(station, "04A2").await == "Blocked" && told(false);
        after(&db, &["token", "block", "04A2"], async || blocked(&mut station).await).await;
        // At another time, for the same message again gets the same answer again.
        let later = with(start_payload("04A2"), json!({ "meterStart": 2000, "timestamp": "2026-03-01T10:00:00Z" }));
        let refused = station.call("StartTransaction", later).await;
        assert_eq!(refused["idTagInfo"]["status"], "Blocked");
        after(&db, &["token", "unblock", "04A2"], async || {
            authorize(&mut station, "04A2").await == "Accepted" && told(true)
        })
        .await;
        let removed = after(&db, &["token", "remove", "04A2"], async || blocked(&mut station).await).await;
        assert_eq!(removed["result"], "blocked", "the partner holds it");
        node.stop().await;
    }

    async fn what_is_imported_is_served_and_told(db: TestDb) {
        add_party(&db);
        let node = start(&db).await;
        let operator = Operator::new(&db, &node).await;
        let partner = FakePartner::start();
        partner.join_as(&node, "told", &[("NL*TLD", Role::Emsp), ("NL*TLD", Role::Cpo)]).await;
        let peer = Peer::join(&node, &[("NL*ASK", Role::Emsp), ("NL*ASK", Role::Cpo)]).await;
        let put = |what: &str, object: Value| {
            let done = import(&db, what, &json!([object]), &["--party", "DE*ABC"]).json();
            assert_eq!(done["imported"], 1, "{what}: {done}");
        };

        put("locations", location("L1"));
        soon("import locations", async || {
            operator.sees("/locations/DE*ABC/L1").await
                && peer.get("/cpo/locations/L1").await.codes() == (200, 1000)
                && partner.holds("locations/DE/ABC/L1").is_some()
        })
        .await;
        put("locations", with(location("L1"), json!({ "name": "Market" })));
        soon("import locations, again", async || {
            peer.get("/cpo/locations/L1").await.data()["name"] == "Market"
                && partner.holds("locations/DE/ABC/L1").is_some_and(|place| place["name"] == "Market")
        })
        .await;
        let energy = json!([{ "price_components": [{ "type": "ENERGY", "price": 0.5, "step_size": 1 }] }]);
        put("tariffs", json!({ "id": "T1", "currency": "EUR", "elements": energy }));
        soon("import tariffs", async || operator.sees("/tariffs/DE*ABC/T1").await).await;
        // Partners are told of what is sold somewhere.
        assert!(!lists(&peer, "/cpo/tariffs", "T1").await);
        after(&db, &["tariff", "assign", "T1", "--party", "DE*ABC", "--all"], async || {
            lists(&peer, "/cpo/tariffs", "T1").await && partner.holds("tariffs/DE/ABC/T1").is_some()
        })
        .await;
        let token: Value = serde_json::from_slice(&std::fs::read(fixture("token_full.json")).unwrap()).unwrap();
        put("tokens", with(token, json!({ "uid": "04A1", "country_code": "DE", "party_id": "ABC" })));
        soon("import tokens", async || {
            operator.sees("/tokens/DE*ABC/RFID/04A1").await
                && lists(&peer, "/emsp/tokens", "04A1").await
                && partner.holds("tokens/DE/ABC/04A1").is_some()
        })
        .await;
        node.stop().await;
    }

    async fn who_may_come_in_is_what_the_command_line_says(db: TestDb) {
        add_party(&db);
        let node = start(&db).await;
        let operator = Operator::new(&db, &node).await;
        let peer = Peer::join(&node, &[("NL*XYZ", Role::Emsp)]).await;
        let name = peer.partner.name.clone();

        // A party: operators see it, and partners can write to it.
        let to_new = async || {
            let headers = [("OCPI-to-country-code", "DE"), ("OCPI-to-party-id", "NEW")];
            peer.send(Method::GET, "/cpo/locations", &headers, None).await.code()
        };
        assert!(!operator.sees("/parties/DE*NEW").await && to_new().await == 4001);
        let add = ["party", "add", "--country", "DE", "--party", "NEW", "--role", "cpo", "--name", "New"];
        after(&db, &add, async || operator.sees("/parties/DE*NEW").await && to_new().await == 1000).await;

        // A partner that is invited may look at the versions, and at nothing else before it has registered.
        let invite = ["partner", "invite", "--name", "Guest", "--allow-origin", "http://127.0.0.1:9", "--json"];
        let invited = run(&db, &invite).json();
        assert_eq!(invited["versions_url"], node.url("/ocpi/versions"));
        let guest = Peer { token: invited["token"].as_str().unwrap().to_owned(), ..peer.clone() };
        let versions = node.url("/ocpi/versions");
        soon("partner invite", async || guest.get(&versions).await.codes() == (200, 1000)).await;
        assert_eq!(guest.get("/cpo/locations").await.http, 401);
        after(&db, &["partner", "remove", "--name", "Guest"], async || guest.get(&versions).await.http == 401).await;

        let answered = async |http: u16| peer.get("/cpo/locations").await.http == http;
        assert!(answered(200).await);
        after(&db, &["partner", "suspend", "--name", &name], async || answered(403).await).await;
        after(&db, &["partner", "resume", "--name", &name], async || answered(200).await).await;
        after(&db, &["partner", "remove", "--name", &name], async || answered(401).await).await;

        // A key of the operator API.
        let created = run(&db, &["api-key", "create", "--role", "finance", "--json"]).json();
        let key = created["api_key"].as_str().unwrap();
        soon("api-key create", async || exchange(&node, key).await.status() == 200).await;
        let number = created["id"].to_string();
        after(&db, &["api-key", "remove", &number], async || exchange(&node, key).await.status() == 401).await;
        node.stop().await;
    }

    /// Those who are told by push, too: nothing while the partner is suspended, and all of it after.
    async fn a_partner_is_told_as_long_as_it_is_registered(db: TestDb) {
        add_party(&db);
        let node = start(&db).await;
        let partner = FakePartner::start();
        partner.join_as(&node, "told", &[("NL*TLD", Role::Emsp)]).await;
        let told = |id: &str| partner.holds(&format!("locations/DE/ABC/{id}")).is_some();
        let put = |id: &str| assert_eq!(import(&db, "locations", &json!([location(id)]), &[]).code, 0);
        put("L1");
        soon("import locations", async || told("L1")).await;
        let worker_is_there = async || node.get("/metrics").await.text().await.unwrap().contains("partner=\"told\"");
        after(&db, &["partner", "suspend", "--name", "told"], async || !worker_is_there().await).await;
        put("L2");
        after(&db, &["partner", "resume", "--name", "told"], async || told("L2")).await;
        after(&db, &["partner", "remove", "--name", "told"], async || !worker_is_there().await).await;
        put("L3");
        tokio::time::sleep(PROMISE).await;
        assert!(!told("L3"));
        node.stop().await;
    }
}
