//! What the log of a running node says: a request can be followed from the operator to the station.

use super::catalogue::{import, location};
use super::{add_party, command, run};
use crate::support::db::{TestDb, on_each_engine};
use futures_util::{SinkExt, StreamExt};
use roamwatt::db::DbError;
use roamwatt::db::schema::commands::dsl;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const PATIENCE: Duration = Duration::from_secs(20);

/// The binary as a node, and the lines of its log so far. It ends with this.
struct Serving {
    child: Child,
    /// `127.0.0.1:PORT`.
    address: String,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Serving {
    fn start(db: &TestDb) -> Self {
        let mut child = command(db.url(), &["serve", "--listen", "127.0.0.1:0", "--json"])
            .env("ROAMWATT_LOG__FORMAT", "json")
            .env("ROAMWATT_LOG__LEVEL", "info,roamwatt::ocpp=debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().extend(serde_json::from_str::<Value>(&line).ok());
            }
        });
        // The document is written over several lines.
        let mut said =
            serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter::<Value>();
        let said = said.next().expect("it says where it listens").unwrap();
        Self { child, address: said["listening"].as_str().unwrap().to_owned(), log }
    }

    /// The line of the log that is so, once it is there.
    async fn logged(&self, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            if let Some(line) = self.log.lock().unwrap().iter().find(|line| so(line)) {
                return line.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "not logged: {what}: {:#?}", self.log.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn wait_for(&self, message: &str) {
        self.logged(message, |line| line["message"] == message).await;
    }
}

/// A station that accepts whatever it is called for, and charges with the card at once.
async fn connect(address: &str) -> tokio::task::JoinHandle<()> {
    let mut request = format!("ws://{address}/ocpp/CS1").into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let boot = json!({ "chargePointVendor": "V", "chargePointModel": "M" });
    let start =
        json!({ "connectorId": 1, "idTag": "04A1", "meterStart": 0, "timestamp": "2026-05-01T10:00:00Z" });
    for (action, payload) in [("BootNotification", boot), ("StartTransaction", start)] {
        socket.send(Message::text(json!([2, action, action, payload]).to_string())).await.unwrap();
    }
    tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            let Ok(frame) = message.to_text().map(serde_json::from_str::<Value>) else { continue };
            let Ok(frame) = frame else { continue };
            if frame[0] == 2 {
                let answer = json!([3, frame[1], { "status": "Accepted" }]);
                if socket.send(Message::text(answer.to_string())).await.is_err() {
                    return;
                }
            }
        }
    })
}

on_each_engine! {
    async fn an_operators_command_is_followed_to_the_station(db: TestDb) {
        add_party(&db);
        assert_eq!(import(&db, "locations", &json!([location("L1")]), &[]).code, 0);
        assert_eq!(run(&db, &["station", "add", "CS1", "--location", "L1", "--no-auth"]).code, 0);
        assert_eq!(run(&db, &["token", "add", "--uid", "04A1", "--contract", "C1"]).code, 0);
        let key = run(&db, &["api-key", "create", "--role", "operator", "--json"]).json();
        let serving = Serving::start(&db);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = |path: &str| format!("http://{}/api/v1{path}", serving.address);
        let answer = client.post(url("/token")).bearer_auth(key["api_key"].as_str().unwrap()).send().await.unwrap();
        let token: Value = answer.json().await.unwrap();
        let token = token["access_token"].as_str().unwrap();
        let station = connect(&serving.address).await;
        serving.wait_for("a station connected").await;

        let begun = Instant::now();
        let session = loop {
            let page = client.get(url("/sessions")).bearer_auth(token).send().await.unwrap();
            let page: Value = page.json().await.unwrap();
            if let Some(id) = page[0]["id"].as_str() {
                break id.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "no session: {page}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };

        for (command, body, action, message) in [
            ("remote-start", json!({ "token_uid": "04A1" }), "RemoteStartTransaction", "an operator starts a charge"),
            ("remote-stop", json!({ "session_id": session }), "RemoteStopTransaction", "an operator stops a charge"),
            ("reset", json!({ "kind": "soft" }), "Reset", "an operator restarts a station"),
            ("trigger", json!({ "message": "Heartbeat" }), "TriggerMessage", ""),
        ] {
            let id = format!("from-the-dashboard-{command}");
            let request = client.post(url(&format!("/stations/CS1/{command}"))).bearer_auth(token);
            let request = request.header("Content-Type", "application/json").body(body.to_string());
            let answer = request.header("X-Correlation-ID", &id).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{command}");
            let called =
                |line: &Value| line["message"] == "calling a station" && line["action"] == action;
            let line = serving.logged(action, called).await;
            assert_eq!((&line["correlation_id"], &line["station"]), (&json!(id), &json!("CS1")), "{line}");
            if !message.is_empty() {
                let line = serving.logged(message, |line| line["message"] == message).await;
                assert_eq!(line["span"]["correlation_id"], json!(id), "{line}");
            }
        }
        // The rows of the commands carry them too.
        let read = |conn: &mut _| {
            use diesel::prelude::*;
            let ids = dsl::commands.order(dsl::created).select(dsl::correlation_id);
            Ok::<Vec<Option<String>>, DbError>(ids.load(conn)?)
        };
        let kept = db.open().read(read).await;
        let wanted = ["remote-start", "remote-stop"].map(|command| Some(format!("from-the-dashboard-{command}")));
        assert_eq!(kept.unwrap(), wanted);
        station.abort();
    }
}
