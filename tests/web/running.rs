//! A node starts, says how it is, and stops.

use super::operator::Operator;
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use futures_util::StreamExt;
use roamwatt::db::settings;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

on_each_engine! {
    async fn a_node_starts_says_how_it_is_and_stops(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let live = node.get("/livez").await;
        assert_eq!(live.status(), 200);
        let ready = node.get("/readyz").await;
        assert_eq!(ready.status(), 200);
        assert_eq!(ready.json::<Value>().await.unwrap()["database"], "ok");

        let url = node.app().public_url.clone();
        assert_eq!(url, node.url(""));
        let stored = node.app().db.read(|conn| settings::get(conn, settings::PUBLIC_URL)).await.unwrap();
        assert_eq!(stored, Some(url));

        // A database whose schema is older is not ready, though it lives.
        node.app().db.revert_last_migration().await.unwrap();
        let ready = node.get("/readyz").await;
        assert_eq!(ready.status(), 503);
        assert!(ready.text().await.unwrap().contains("migrations are missing"));
        assert_eq!(node.get("/livez").await.status(), 200);

        let (client, url) = (node.client.clone(), node.url("/livez"));
        node.stop().await;
        assert!(client.get(url).send().await.unwrap_err().is_connect());
    }

    async fn a_stop_finishes_what_runs_and_tells_stations_to_come_back(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let mut request = site.node.ws_url("/ocpp/CS0").into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();

        // A request that is half sent when the stop begins is finished.
        let (app, node) = (Arc::clone(site.node.app()), site.node);
        let operator = Operator::of_role(&node, "operator").await;
        let body = "{\"kind\": \"soft\"}";
        let head = format!(
            "POST /api/v1/stations/CS1/reset HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            operator.token,
            body.len(),
        );
        let address = node.url("").replace("http://", "");
        let mut request = TcpStream::connect(&address).await.unwrap();
        request.write_all(head.as_bytes()).await.unwrap();
        request.write_all(&body.as_bytes()[..5]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let writing = app.db.write(|conn| settings::set(conn, "stop", "written"));
        let rest = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(TcpStream::connect(&address).await.is_err() || !answers(&address).await);
            request.write_all(&body.as_bytes()[5..]).await.unwrap();
            let mut answer = String::new();
            request.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let (answer, written, ()) = tokio::join!(rest, writing, node.stop());
        assert!(answer.starts_with("HTTP/1.1 404 Not Found"), "{answer}");
        written.unwrap();
        let kept = app.db.read(|conn| settings::get(conn, "stop")).await.unwrap();
        assert_eq!(kept.as_deref(), Some("written"));

        let close = loop {
            match socket.next().await {
                Some(Ok(Message::Close(close))) => break close.unwrap(),
                Some(Ok(_)) => {}
                other => panic!("no close frame but {other:?}"),
            }
        };
        assert_eq!(close.code, CloseCode::Away);
    }

    async fn two_nodes_run_in_one_process(db: TestDb) {
        let other = db.another();
        let (one, two) = (TestNode::start(db.url()).await, TestNode::start(other.url()).await);
        assert_ne!(one.url(""), two.url(""));
        assert_eq!(one.get("/readyz").await.status(), 200);
        one.stop().await;
        assert_eq!(two.get("/readyz").await.status(), 200);
        two.stop().await;
    }
}

/// Whether a new connection gets an answer within a moment.
async fn answers(address: &str) -> bool {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(200)).build().unwrap();
    client.get(format!("http://{address}/livez")).send().await.is_ok()
}
