//! A station whose clock is off, through its socket: seen, told, and kept free for.

use crate::charging::site::{Site, at};
use crate::ocpp::client::{Client, boot_payload};
use crate::support::db::{TestDb, on_each_engine};
use crate::web::load::{depot, now_when, put};
use crate::web::operator::Operator;
use serde_json::{Value, json};
use std::time::Duration;

/// Says something, and takes whatever limit comes meanwhile.
async fn say(client: &mut Client, action: &str, payload: Value) {
    client.send(json!([2, "said", action, payload]).to_string()).await;
    loop {
        let frame = client.receive().await;
        if frame[1] == "said" {
            assert_eq!(frame[0], 3, "{frame}");
            return;
        }
        client.send(json!([3, frame[1], { "status": "Accepted" }]).to_string()).await;
    }
}

/// A status that is dated so many seconds after the beginning; one without a date says nothing of the clock.
async fn status(client: &mut Client, second: Option<i64>) {
    let mut payload = json!({ "connectorId": 1, "errorCode": "NoError", "status": "Available" });
    if let Some(second) = second {
        payload["timestamp"] = json!(at(second).to_string());
    }
    say(client, "StatusNotification", payload).await;
}

on_each_engine! {
    async fn a_clock_that_is_off_is_seen_and_told(db: TestDb) {
        let site = Site::start(db.url(), 2, |config| config.ocpp.allow_no_auth = true).await;
        let operator = Operator::of_role(&site.node, "operator").await;
        put(&operator, &depot()).await;
        let mut client = Client::connect(&site.node, "CS0").await;
        say(&mut client, "BootNotification", boot_payload()).await;
        now_when(&operator, |now| now["connectors"][0]["online"] == true).await;
        // What waited in the station while it was not connected is late, and says nothing.
        for second in [-3_600, -3_000, -2_400, -1_800, -1_800, -1_800] {
            status(&mut client, Some(second)).await;
        }
        status(&mut client, None).await;
        assert_eq!(operator.get("/load/sites/depot/now").await["clocks"], json!([]));
        // What is dated in the future was not late.
        status(&mut client, Some(400)).await;
        let clocks = |seconds: i64| json!([{ "station": "CS0", "seconds": seconds }]);
        now_when(&operator, |now| now["clocks"] == clocks(400)).await;
        status(&mut client, Some(-5)).await;
        now_when(&operator, |now| now["clocks"] == json!([])).await;
        // Late by the same, time and again.
        let mut second = 0;
        for _ in 0..3 {
            let values = json!([{ "timestamp": at(second - 300).to_string(), "sampledValue": [{ "value": "100" }] }]);
            say(&mut client, "MeterValues", json!({ "connectorId": 1, "meterValue": values })).await;
            // What is asked of the site waits in the same line: now it has heard of the message.
            operator.get("/load/sites/depot/now").await;
            site.clock.advance(Duration::from_secs(20));
            second += 20;
        }
        now_when(&operator, |now| now["clocks"] == clocks(-300)).await;
        for _ in 0..500 {
            let events = operator.get("/load/sites/depot/events").await;
            let of = |kind: &str| {
                let found = events.as_array().unwrap().iter().find(|event| event["kind"] == kind)?;
                Some((found["about"].clone(), found["detail"]["seconds"].clone()))
            };
            if let (Some(ahead), Some(behind)) = (of("clock_ahead"), of("clock_behind")) {
                assert_eq!((ahead, behind), ((json!("CS0"), json!(400)), (json!("CS0"), json!(300))));
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it is not on record");
    }
}
