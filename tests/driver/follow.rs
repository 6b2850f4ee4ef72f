//! A charge followed as server-sent events.

use super::charging::wish;
use super::phone::{AppOf, Phone};
use super::station::{Manner, Station};
use crate::charging::site::Site;
use crate::roaming::peer::until;
use crate::support::db::{TestDb, on_each_engine};
use futures_util::StreamExt;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use roamwatt::clock::Clock;
use serde_json::{Value, json};
use std::pin::Pin;
use std::time::Duration;

/// A stream of events that is read.
struct Events {
    stream: Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<actix_web::web::Bytes>>>>,
    text: String,
}

impl Events {
    async fn open(phone: &Phone<'_>, session: &str) -> Self {
        let path = format!("/sessions/DE*ABC/{session}/events");
        // Whoever compresses must not hold events back.
        let mut headers = HeaderMap::new();
        headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
        let response = phone.send(Method::GET, &path, headers, None).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_ne!(response.headers().get("content-encoding"), Some(&HeaderValue::from_static("gzip")));
        Self { stream: Box::pin(response.bytes_stream()), text: String::new() }
    }

    /// The next event: its name and its data; none at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let (Some(name), Some(data)) = (field("event: "), field("data: ")) {
                    assert!(field("id: ").unwrap().parse::<i64>().is_ok());
                    return Some((name, serde_json::from_str(&data).unwrap()));
                }
            }
            let piece = tokio::time::timeout(Duration::from_secs(20), self.stream.next()).await.unwrap();
            self.text.push_str(std::str::from_utf8(&piece?.unwrap()).unwrap());
        }
    }
}

on_each_engine! {
    async fn a_driver_sees_the_charge_grow_until_its_receipt(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::System, |config| {
            config.charging.cdr_delay = Duration::from_secs(1);
            config.driver.streams_per_driver = 2;
        })
        .await;
        let node = &site.node;
        let app = AppOf::new(node, "app").await;
        let (anna, otto) = (app.driver("anna").await, app.driver("otto").await);
        let station = Station::come(node, "CS0", Manner::Obliging).await;
        let (status, order) = anna.ask(Method::POST, "/charges", Some(wish("E0"))).await;
        assert_eq!(status, 202);
        let order = crate::driver::charging::until_state(&anna, &order, "STARTED").await;
        let session = order["session_id"].as_str().unwrap().to_owned();

        let mut events = Events::open(&anna, &session).await;
        let (name, first) = events.next().await.unwrap();
        assert_eq!((name.as_str(), &first["status"], &first["kwh"]), ("session", &json!("ACTIVE"), &json!("0")));
        for (wh, kwh) in [(2_000, "1"), (3_500, "2.5")] {
            station.meter(node, wh);
            let (_, seen) = events.next().await.unwrap();
            assert_eq!(seen["kwh"], json!(kwh));
            assert!(seen["cost"]["gross"].is_string(), "{seen}");
        }
        // Who comes again gets the state of the moment; too many at once are refused; nobody else sees anything.
        let mut again = Events::open(&anna, &session).await;
        assert_eq!(again.next().await.unwrap().1["kwh"], json!("2.5"));
        let path = format!("/sessions/DE*ABC/{session}/events");
        let third = anna.send(Method::GET, &path, HeaderMap::new(), None).await;
        assert_eq!(third.status(), 429);
        assert!(third.headers().contains_key("retry-after"));
        assert_eq!(otto.status(&path).await, 404);
        drop(again);
        until("the place of the stream that was dropped is free", async || {
            station.meter(node, 3_500);
            let response = anna.send(Method::GET, &path, HeaderMap::new(), None).await;
            response.status() == 200
        })
        .await;

        anna.ask(Method::POST, &format!("/sessions/DE*ABC/{session}/stop"), None).await;
        let mut last = Value::Null;
        let receipt = loop {
            match events.next().await.unwrap() {
                (name, data) if name == "receipt" => break data,
                (_, data) => last = data,
            }
        };
        assert_eq!((&last["status"], &last["kwh"]), (&json!("COMPLETED"), &json!("10")));
        assert_eq!(receipt["total"], json!({"net": "4.40", "tax": "0.84", "gross": "5.24"}));
        assert_eq!(receipt, anna.get(&format!("/sessions/DE*ABC/{session}/receipt")).await);
        assert!(events.next().await.is_none(), "that was the last");
        drop(station);
        site.node.stop().await;
    }

    async fn a_stop_of_the_node_ends_streams_at_once(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::System, |_| ()).await;
        let node = &site.node;
        let anna = AppOf::new(node, "app").await.driver("anna").await;
        let _station = Station::come(node, "CS0", Manner::Obliging).await;
        let (_, order) = anna.ask(Method::POST, "/charges", Some(wish("E0"))).await;
        let order = crate::driver::charging::until_state(&anna, &order, "STARTED").await;
        let mut events = Events::open(&anna, order["session_id"].as_str().unwrap()).await;
        assert!(events.next().await.is_some());
        let begun = std::time::Instant::now();
        site.node.stop().await;
        assert!(events.next().await.is_none());
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    }

    async fn a_stream_ends_when_the_driver_is_shut_out(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::System, |_| ()).await;
        let node = &site.node;
        let app = AppOf::new(node, "app").await;
        let anna = app.driver("anna").await;
        let _station = Station::come(node, "CS0", Manner::Obliging).await;
        let (_, order) = anna.ask(Method::POST, "/charges", Some(wish("E0"))).await;
        let order = crate::driver::charging::until_state(&anna, &order, "STARTED").await;
        let session = order["session_id"].as_str().unwrap();
        let tokens = app.exchange("anna").await;
        let elsewhere =
            Phone { node, token: tokens["access_token"].as_str().unwrap().to_owned(), driver_id: String::new() };
        let (mut here, mut there) = (Events::open(&anna, session).await, Events::open(&elsewhere, session).await);
        assert!(here.next().await.is_some() && there.next().await.is_some());
        let begun = std::time::Instant::now();
        let taken = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(app.post("/driver/v1/revoke", &[("token", taken)]).await.status(), 200);
        assert!(there.next().await.is_none());
        // The other device goes on until the app is gone.
        assert!(roamwatt::driver::apps::remove(node.app(), "app").await.unwrap());
        assert!(here.next().await.is_none());
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        site.node.stop().await;
    }
}
