//! A station in the hands of a test: it says what it is told to, word for word.

use crate::support::node::TestNode;
use base64::Engine;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connected station.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    calls: u32,
}

/// `Basic …` of a user and a password.
pub(crate) fn basic(user: &str, password: impl AsRef<[u8]>) -> String {
    let text = [user.as_bytes(), b":", password.as_ref()].concat();
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

impl Client {
    /// Connects with that Authorization header, or gets the HTTP status of the refusal.
    pub(crate) async fn try_connect(
        node: &TestNode,
        id_in_path: &str,
        authorization: Option<&str>,
    ) -> Result<Self, u16> {
        let mut request = node.ws_url(&format!("/ocpp/{id_in_path}")).into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        if let Some(authorization) = authorization {
            request.headers_mut().insert("Authorization", authorization.parse().unwrap());
        }
        match tokio::time::timeout(PATIENCE, connect_async(request)).await.expect("an answer in time") {
            Ok((socket, response)) => {
                assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "ocpp1.6");
                Ok(Self { socket, calls: 0 })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects a station that needs no password.
    pub(crate) async fn connect(node: &TestNode, id: &str) -> Self {
        Self::try_connect(node, id, None).await.unwrap()
    }

    /// Connects it and boots it.
    pub(crate) async fn boot(node: &TestNode, id: &str) -> Self {
        let mut client = Self::connect(node, id).await;
        let answer = client.call("BootNotification", boot_payload()).await;
        assert_eq!(answer["status"], "Accepted");
        client
    }

    pub(crate) async fn send(&mut self, frame: impl Into<String>) {
        self.socket.send(Message::text(frame.into())).await.unwrap();
    }

    /// The next frame, or `None` when nothing comes for that long.
    pub(crate) async fn receive_within(&mut self, patience: Duration) -> Option<Value> {
        let next = async {
            loop {
                match self.socket.next().await.expect("a frame").unwrap() {
                    Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => panic!("a text frame, not {other:?}"),
                }
            }
        };
        tokio::time::timeout(patience, next).await.ok()
    }

    /// The next frame.
    pub(crate) async fn receive(&mut self) -> Value {
        self.receive_within(PATIENCE).await.expect("a frame in time")
    }

    /// Calls and returns the whole answer.
    pub(crate) async fn ask(&mut self, action: &str, payload: Value) -> Value {
        self.calls += 1;
        let id = format!("c{}", self.calls);
        self.send(json!([2, id, action, payload]).to_string()).await;
        let answer = self.receive().await;
        assert_eq!(answer[1], *id, "{answer}");
        answer
    }

    /// Calls and returns the payload of the CALLRESULT.
    pub(crate) async fn call(&mut self, action: &str, payload: Value) -> Value {
        let answer = self.ask(action, payload).await;
        assert_eq!(answer[0], 3, "{answer}");
        answer[2].clone()
    }

    /// Waits until the socket is closed by the node, and gives the code.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        let end = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("the end in time")
    }
}

pub(crate) fn boot_payload() -> Value {
    json!({"chargePointVendor": "Tester", "chargePointModel": "T1", "firmwareVersion": "1.0"})
}

pub(crate) fn start_payload(id_tag: &str) -> Value {
    json!({"connectorId": 1, "idTag": id_tag, "meterStart": 1000, "timestamp": "2026-03-01T08:00:00Z"})
}

pub(crate) fn meter_payload(transaction_id: &Value, time: &str, wh: u32) -> Value {
    let value =
        json!({"timestamp": format!("2026-03-01T{time}Z"), "sampledValue": [{"value": wh.to_string()}]});
    json!({"connectorId": 1, "transactionId": transaction_id, "meterValue": [value]})
}

pub(crate) fn stop_payload(transaction_id: &Value, time: &str, wh: u32) -> Value {
    let timestamp = format!("2026-03-01T{time}Z");
    json!({"transactionId": transaction_id, "meterStop": wh, "timestamp": timestamp, "reason": "Local"})
}
