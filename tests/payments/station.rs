//! A station in the hands of a test that answers what it is asked by itself: it starts and stops when the test says so.

use crate::support::node::TestNode;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// How it answers.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    /// To RemoteStartTransaction; none is silence.
    pub(crate) start: Option<&'static str>,
    /// Its ConnectionTimeOut; none where it does not say.
    pub(crate) connection_time_out: Option<&'static str>,
}

impl Default for Manners {
    fn default() -> Self {
        Self { start: Some("Accepted"), connection_time_out: None }
    }
}

type Asked = Arc<Mutex<Vec<(String, Value)>>>;
type Call = (String, Value, oneshot::Sender<Value>);

/// The station. Its socket closes with it.
pub(crate) struct Station {
    calls: mpsc::UnboundedSender<Call>,
    asked: Asked,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Station {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Station {
    /// Connects and boots.
    pub(crate) async fn connect(node: &TestNode, id: &str, manners: Manners) -> Self {
        let mut request = node.ws_url(&format!("/ocpp/{id}")).into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        let (calls, mut outgoing) = mpsc::unbounded_channel::<Call>();
        let asked: Asked = Arc::default();
        let heard = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut waiting: HashMap<String, oneshot::Sender<Value>> = HashMap::new();
            let mut number = 0;
            loop {
                tokio::select! {
                    call = outgoing.recv() => {
                        let Some((action, payload, reply)) = call else { return };
                        number += 1;
                        let id = format!("s{number}");
                        waiting.insert(id.clone(), reply);
                        let frame = json!([2, id, action, payload]).to_string();
                        if socket.send(Message::text(frame)).await.is_err() { return; }
                    }
                    frame = socket.next() => {
                        let Some(Ok(frame)) = frame else { return };
                        let Message::Text(text) = frame else { continue };
                        let frame: Value = serde_json::from_str(&text).unwrap();
                        let id = frame[1].as_str().unwrap().to_owned();
                        if frame[0] != 2 {
                            if let Some(reply) = waiting.remove(&id) { drop(reply.send(frame[2].clone())); }
                            continue;
                        }
                        let action = frame[2].as_str().unwrap().to_owned();
                        let answer = answer(&action, &manners);
                        heard.lock().unwrap().push((action, frame[3].clone()));
                        if let Some(answer) = answer {
                            let frame = json!([3, id, answer]).to_string();
                            if socket.send(Message::text(frame)).await.is_err() { return; }
                        }
                    }
                }
            }
        });
        let station = Self { calls, asked, task };
        let boot = json!({"chargePointVendor": "Tester", "chargePointModel": "T1"});
        assert_eq!(station.call("BootNotification", boot).await["status"], "Accepted");
        station.status("Available").await;
        station
    }

    /// Calls, and returns the answer.
    pub(crate) async fn call(&self, action: &str, payload: Value) -> Value {
        let (reply, answer) = oneshot::channel();
        self.calls.send((action.to_owned(), payload, reply)).unwrap();
        tokio::time::timeout(PATIENCE, answer).await.expect("an answer in time").unwrap()
    }

    pub(crate) async fn status(&self, status: &str) {
        let payload = json!({"connectorId": 1, "errorCode": "NoError", "status": status});
        self.call("StatusNotification", payload).await;
    }

    /// What it was asked of that action.
    pub(crate) fn asked(&self, action: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(name, _)| name == action).map(|(_, payload)| payload.clone()).collect()
    }

    /// Waits until it was asked so often of that action; the last one.
    pub(crate) async fn hears(&self, action: &str, times: usize) -> Value {
        let heard = async {
            loop {
                let asked = self.asked(action);
                if asked.len() >= times {
                    return asked[times - 1].clone();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let heard = tokio::time::timeout(PATIENCE, heard).await;
        heard.unwrap_or_else(|_| panic!("{action} {times} times; was asked {:?}", self.asked.lock().unwrap()))
    }
}

fn answer(action: &str, manners: &Manners) -> Option<Value> {
    Some(match action {
        "RemoteStartTransaction" => json!({"status": manners.start?}),
        "RemoteStopTransaction" | "ChangeConfiguration" => json!({"status": "Accepted"}),
        "GetConfiguration" => {
            let keys = manners
                .connection_time_out
                .map(|value| json!({"key": "ConnectionTimeOut", "readonly": false, "value": value}));
            json!({"configurationKey": keys.into_iter().collect::<Vec<_>>(), "unknownKey": []})
        }
        _ => json!({"status": "Rejected"}),
    })
}
