//! A station at a socket, as the driver API's tests play it: it says of every call what it is told to say, and begins
//! and ends charges as it is asked.

use crate::roaming::peer::until;
use crate::support::node::TestNode;
use futures_util::{SinkExt, StreamExt};
use roamwatt::domain::station::StationId;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// What the station does at calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Says yes, and does it.
    Obliging,
    /// Says yes, and nobody plugs in.
    Waiting,
    /// Says no.
    Refusing,
    /// Says nothing.
    Silent,
}

pub(crate) struct Station {
    orders: mpsc::UnboundedSender<Value>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Station {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Station {
    /// Comes to the node as `id`.
    pub(crate) async fn come(node: &TestNode, id: &str, manner: Manner) -> Self {
        let mut request = node.ws_url(&format!("/ocpp/{id}")).into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let (orders, mut to_send) = mpsc::unbounded_channel::<Value>();
        let clock = node.app().clock.clone();
        orders
            .send(call("BootNotification", json!({"chargePointVendor": "V", "chargePointModel": "M"})))
            .unwrap();
        let task = tokio::spawn(async move {
            let (mut sink, mut source) = socket.split();
            // A meter value waits until its charge has a number.
            let (mut transaction, mut booted) = (0, false);
            loop {
                tokio::select! {
                    Some(mut frame) = to_send.recv(), if transaction != 0 || !booted => {
                        booted = true;
                        if frame[3].get("transactionId").is_some() {
                            frame[3]["transactionId"] = json!(transaction);
                        }
                        if sink.send(Message::text(frame.to_string())).await.is_err() { return }
                    }
                    Some(Ok(message)) = source.next() => {
                        let Ok(frame) = serde_json::from_str::<Value>(message.to_text().unwrap_or_default()) else { continue };
                        if frame[0] == 3 {
                            transaction = frame[2]["transactionId"].as_i64().unwrap_or(transaction);
                        }
                        if frame[0] != 2 || manner == Manner::Silent { continue }
                        let status = if manner == Manner::Refusing { "Rejected" } else { "Accepted" };
                        let reply = json!([3, frame[1], {"status": status}]);
                        if sink.send(Message::text(reply.to_string())).await.is_err() { return }
                        let next = match (frame[2].as_str().unwrap(), manner) {
                            ("RemoteStartTransaction", Manner::Obliging) => call("StartTransaction", json!({
                                "connectorId": 1, "idTag": frame[3]["idTag"], "meterStart": 1_000,
                                "timestamp": clock.now(),
                            })),
                            ("RemoteStopTransaction", Manner::Obliging) => call("StopTransaction", json!({
                                "transactionId": transaction, "meterStop": 11_000, "timestamp": clock.now(),
                                "reason": "Remote",
                            })),
                            _ => continue,
                        };
                        if sink.send(Message::text(next.to_string())).await.is_err() { return }
                    }
                    else => return,
                }
            }
        });
        let station = StationId::parse(id).unwrap();
        until("the station is there", async || node.app().stations.is_connected(&station)).await;
        Self { orders, task }
    }

    /// Sends a meter value of the charge that goes on, Wh.
    pub(crate) fn meter(&self, node: &TestNode, wh: i64) {
        let value = json!({
            "connectorId": 1, "transactionId": 0,
            "meterValue": [{"timestamp": node.app().now(), "sampledValue": [{"value": wh.to_string()}]}],
        });
        self.orders.send(call("MeterValues", value)).unwrap();
    }
}

fn call(action: &str, payload: Value) -> Value {
    json!([2, uuid::Uuid::new_v4().to_string(), action, payload])
}
