//! A charge as it goes on: the stream of an open page.

use super::scene::{Browser, begun_of, code_of};
use crate::payments::scene::Scene;
use crate::payments::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::domain::payment::PaymentState;
use serde_json::Value;
use std::time::Duration;

/// An open stream.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    /// The next event, within a time that is far longer than it takes.
    async fn next(&mut self) -> Value {
        let read = async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let (event, rest) = (event.to_owned(), rest.to_owned());
                    self.text = rest;
                    if let Some(data) = event.strip_prefix("event: payment\ndata: ") {
                        return serde_json::from_str(data).unwrap();
                    }
                    continue;
                }
                let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("an event comes")
    }
}

on_each_engine! {
    /// What changes is told at once, to those who watch it.
    async fn figures_come_as_the_meter_runs(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let charge = browser.begin(&code_of(&scene, "DE*ABC*E0"), "").await;
        let response = browser.get(&format!("{charge}/events")).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut events = Events { response, text: String::new() };
        assert!(events.next().await["state"].as_str().unwrap().starts_with("created "));

        scene.fake.pay("pi_1");
        browser.get(&format!("{charge}/back")).await;
        let mut event = events.next().await;
        while !event["state"].as_str().unwrap().starts_with("start_sent ") {
            event = events.next().await;
        }
        station.hears("RemoteStartTransaction", 1).await;
        let begun = begun_of(&scene, &charge).await;
        let (transaction, _) = scene.begins(&station, &begun).await;
        scene.until(&begun, PaymentState::Charging).await;
        for wh in [1_000, 2_500] {
            scene.turn(300);
            scene.meters(&station, &transaction, wh).await;
            let wanted = format!("{} kWh", if wh == 1_000 { "1" } else { "2.5" });
            let mut event = events.next().await;
            while event["fields"]["kwh"] != wanted.as_str() {
                event = events.next().await;
            }
            assert!(event["state"].as_str().unwrap().starts_with("charging "), "{event}");
        }
        // Another page that is open gets how it stands at once.
        let response = browser.get(&format!("{charge}/events?lang=de")).await;
        let mut german = Events { response, text: String::new() };
        assert_eq!(german.next().await["fields"]["kwh"], "2,5 kWh");
        scene.ends(&station, &transaction, 3_000).await;
        scene.settle().await;
        let mut event = events.next().await;
        while !event["state"].as_str().unwrap().starts_with("captured ") {
            event = events.next().await;
        }
    }

    /// Whoever has the address of a payment cannot keep a node busy with it.
    async fn a_payment_has_no_more_streams_than_devices(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let charge = browser.begin(&code_of(&scene, "DE*ABC*E0"), "").await;
        let mut open = Vec::new();
        for _ in 0..8 {
            let response = browser.get(&format!("{charge}/events")).await;
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["cache-control"], "no-store");
            open.push(response);
        }
        assert_eq!(browser.get(&format!("{charge}/events")).await.status(), 429);
        assert_eq!(browser.get(&charge).await.status(), 200, "the page itself is there");
    }
}
