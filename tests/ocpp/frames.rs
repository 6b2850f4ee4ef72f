//! What a station sends, right and wrong, and what it is answered.

use super::client::{Client, boot_payload, meter_payload, start_payload, stop_payload};
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use futures_util::SinkExt;
use roamwatt::config::Config;
use roamwatt::db::{charges, meter_samples};
use roamwatt::domain::session::SessionStatus;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// Without the setting that a station gets after its boot, where it is not the subject.
fn quiet(config: &mut Config) {
    config.ocpp.meter_value_interval = None;
}

on_each_engine! {
    async fn a_whole_charge(db: TestDb) {
        let site = Site::start(db.url(), 1, |config| {
            quiet(config);
            config.charging.cdr_delay = Duration::from_secs(60);
        }).await;
        let mut client = Client::connect(&site.node, "CS0").await;
        let boot = client.call("BootNotification", boot_payload()).await;
        assert_eq!(boot, json!({"status": "Accepted", "currentTime": "2026-03-01T08:00:00Z", "interval": 300}));
        let beat = client.call("Heartbeat", json!({})).await;
        assert_eq!(beat, json!({"currentTime": "2026-03-01T08:00:00Z"}));
        let status = json!({"connectorId": 1, "errorCode": "NoError", "status": "Preparing"});
        assert_eq!(client.call("StatusNotification", status).await, json!({}));
        let info = client.call("Authorize", json!({"idTag": "04a1"})).await;
        assert_eq!(info["idTagInfo"]["status"], "Accepted");
        let info = client.call("Authorize", json!({"idTag": "NOBODY"})).await;
        assert_eq!(info["idTagInfo"]["status"], "Invalid");

        let started = client.call("StartTransaction", start_payload("04A1")).await;
        assert_eq!(started["idTagInfo"]["status"], "Accepted");
        let id = &started["transactionId"];
        assert!(id.as_i64().unwrap() > 0);
        let values = meter_payload(id, "08:15:00", 3000);
        assert_eq!(client.call("MeterValues", values).await, json!({}));
        let stopped = client.call("StopTransaction", stop_payload(id, "08:30:00", 6000)).await;
        assert_eq!(stopped, json!({}));

        site.settle_after(61).await;
        let cdr = site.cdr_at(0).await;
        assert_eq!(cdr.total_energy.decimal().normalize().to_string(), "5");
        assert_eq!(site.sessions().await[0].status, SessionStatus::Completed);
        let data = json!({"vendorId": "com.example", "data": "x"});
        assert_eq!(client.call("DataTransfer", data).await, json!({"status": "UnknownVendorId"}));
        site.node.stop().await;
    }

    async fn a_clock_that_is_a_century_ahead_keeps_no_charge_from_going_on(db: TestDb) {
        let site = Site::start(db.url(), 1, quiet).await;
        let mut client = Client::boot(&site.node, "CS0").await;
        let started = client.call("StartTransaction", start_payload("04A1")).await;
        let id = &started["transactionId"];
        let ahead = |mut payload: Value, year: u32, wh: u32| {
            payload["meterValue"][0] = json!({
                "timestamp": format!("{year}-03-01T08:00:00Z"), "sampledValue": [{"value": wh.to_string()}],
            });
            payload
        };
        let values = meter_payload(id, "08:10:00", 2000);
        assert_eq!(client.call("MeterValues", values.clone()).await, json!({}));
        for (year, wh) in [(2999, 9000), (2127, 9500)] {
            // Twice, as a station that heard no answer sends it.
            for _ in 0..2 {
                assert_eq!(client.call("MeterValues", ahead(values.clone(), year, wh)).await, json!({}));
            }
        }
        let session = site.sessions().await.remove(0);
        let (energy, cost) = (session.kwh, session.total_cost.unwrap());
        assert_eq!(energy.decimal().normalize().to_string(), "1");
        assert_eq!(cost.excl_vat.to_string(), "0.89");
        // All of it is kept, and what comes after it counts.
        let transaction = i32::try_from(id.as_i64().unwrap()).unwrap();
        let kept = move |conn: &mut _| {
            let charge = charges::by_transaction(conn, "CS0", transaction)?.unwrap();
            meter_samples::of_charge(conn, &charge.session_id)
        };
        assert_eq!(site.node.app().db.read(kept).await.unwrap().len(), 3);
        assert_eq!(client.call("MeterValues", meter_payload(id, "08:20:00", 3000)).await, json!({}));
        assert_eq!(site.sessions().await[0].kwh.decimal().normalize().to_string(), "2");
        // A connector's word of then has no effect either.
        let status = json!({
            "connectorId": 1, "errorCode": "NoError", "status": "SuspendedEV", "timestamp": "2999-03-01T08:00:00Z",
        });
        assert_eq!(client.call("StatusNotification", status).await, json!({}));
        let mut stop = stop_payload(id, "08:30:00", 4000);
        stop["timestamp"] = json!("2999-03-01T08:30:00Z");
        assert_eq!(client.call("StopTransaction", stop).await, json!({}));
        site.settle_after(3600).await;
        let cdr = site.cdr_at(0).await;
        assert_eq!(cdr.end_date_time.to_string(), "2026-03-01T08:20:00Z", "its last meter value");
        assert_eq!(cdr.total_energy.decimal().normalize().to_string(), "3");
        site.node.stop().await;
    }

    async fn what_cannot_be_understood_is_answered_and_the_connection_stays(db: TestDb) {
        let site = Site::start(db.url(), 1, quiet).await;
        let mut client = Client::boot(&site.node, "CS0").await;
        for (frame, code, named) in [
            (r#"[2,"1","Heartbeat"]"#, "FormationViolation", "four elements"),
            (r#"[2,"1","Heartbeat",{}"#, "FormationViolation", "not valid JSON"),
            (r#"[2,"1",7,{}]"#, "FormationViolation", "$[2]"),
            (r#"[2,"1","Heartbeat",[]]"#, "FormationViolation", "must be an object"),
            (r#"[2,"1","Nonsense",{}]"#, "NotImplemented", "'Nonsense'"),
            (r#"[2,"1","FirmwareStatusNotification",{"status":"Idle"}]"#, "NotSupported", "not offered"),
            (r#"[2,"1","RemoteStartTransaction",{"idTag":"1"}]"#, "NotSupported", "not offered"),
            (r#"[2,"1","Authorize",{}]"#, "OccurenceConstraintViolation", "$.idTag"),
            (r#"[2,"1","Authorize",{"idTag":{}}]"#, "TypeConstraintViolation", "$.idTag"),
            (
                r#"[2,"1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"yesterday","sampledValue":[]}]}]"#,
                "PropertyConstraintViolation",
                "$.meterValue[0].timestamp",
            ),
            (
                r#"[2,"1","StatusNotification",{"connectorId":-1,"errorCode":"NoError","status":"Available"}]"#,
                "PropertyConstraintViolation",
                "$.connectorId",
            ),
        ] {
            client.send(frame).await;
            let answer = client.receive().await;
            assert_eq!((&answer[0], &answer[1], &answer[2]), (&json!(4), &json!("1"), &json!(code)), "{frame}");
            assert!(answer[3].as_str().unwrap().contains(named), "{frame}: {answer}");
            assert_eq!(answer[4], json!({}), "{frame}");
        }
        // Nothing that could be answered; the next good one is.
        for frame in ["", "hello", "{}", "[]", "[2]", r#"[2,5,"Heartbeat",{}]"#, "[9,\"1\",{}]", "[3,\"1\",{}]", "[3]"] {
            client.send(frame).await;
        }
        client.socket.send(Message::binary(vec![0, 1])).await.unwrap();
        client.call("Heartbeat", json!({})).await;
        let refused = &site.node.app().metrics.refused;
        assert!(refused.with_label_values(&["ocpp", "malformed_frame"]).get() >= 10);
        assert_eq!(refused.with_label_values(&["ocpp", "unexpected_answer"]).get(), 1);
        assert!(site.sessions().await.is_empty());
        // A station's mistakes that leave no doubt are taken, and counted.
        let status = json!({"connectorId": "1", "errorCode": "noerror", "status": "Available", "extra": 1});
        client.call("StatusNotification", status).await;
        let counted = site.node.app().metrics.ocpp_violations.with_label_values(&["StatusNotification"]).get();
        assert_eq!(counted, 3);
    }

    async fn a_frame_that_is_too_large_ends_the_connection_with_its_reason(db: TestDb) {
        let site = Site::start(db.url(), 1, |config| {
            quiet(config);
            config.ocpp.max_frame = 2048;
        }).await;
        let mut client = Client::boot(&site.node, "CS0").await;
        let data = "x".repeat(1500);
        client.call("DataTransfer", json!({"vendorId": "v", "data": data})).await;
        client.send(format!(r#"[2,"1","DataTransfer",{{"vendorId":"{}"}}]"#, "x".repeat(3000))).await;
        assert_eq!(client.closed().await, Some(1009));
    }

    async fn nothing_is_taken_before_the_boot_and_the_boot_holds_for_later_connections(db: TestDb) {
        let site = Site::start(db.url(), 1, quiet).await;
        let mut client = Client::connect(&site.node, "CS0").await;
        for (action, payload) in [("Heartbeat", json!({})), ("StartTransaction", start_payload("04A1"))] {
            let answer = client.ask(action, payload).await;
            assert_eq!((&answer[0], &answer[2]), (&json!(4), &json!("SecurityError")));
        }
        assert!(site.sessions().await.is_empty());
        // Both at once, as many stations do: answered in their order.
        client.send(json!([2, "b", "BootNotification", boot_payload()]).to_string()).await;
        let status = json!({"connectorId": 0, "errorCode": "NoError", "status": "Available"});
        client.send(json!([2, "s", "StatusNotification", status]).to_string()).await;
        assert_eq!(client.receive().await[1], "b");
        let second = client.receive().await;
        assert_eq!((&second[0], &second[1]), (&json!(3), &json!("s")));
        drop(client);

        let mut again = reconnect(&site).await;
        again.call("Heartbeat", json!({})).await;
    }

    async fn the_same_call_again_gets_the_same_answer_and_has_no_second_effect(db: TestDb) {
        let site = Site::start(db.url(), 1, quiet).await;
        let mut client = Client::boot(&site.node, "CS0").await;
        let frame = json!([2, "same", "StartTransaction", start_payload("04A1")]).to_string();
        let mut answers = Vec::new();
        for _ in 0..3 {
            client.send(frame.clone()).await;
            answers.push(client.receive().await);
        }
        // Another id, and another connection.
        let by_other_id = client.call("StartTransaction", start_payload("04A1")).await;
        drop(client);
        let mut client = reconnect(&site).await;
        client.send(frame).await;
        answers.push(client.receive().await);
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        assert_eq!(answers[0][2], by_other_id);
        assert_eq!(site.sessions().await.len(), 1);
        // The same id with another content is another call.
        let id = &by_other_id["transactionId"];
        client.send(json!([2, "same", "StopTransaction", stop_payload(id, "09:00:00", 2000)]).to_string()).await;
        assert_eq!(client.receive().await, json!([3, "same", {}]));
        site.settle_after(61).await;
        assert_eq!(site.cdr_at(0).await.total_energy.decimal().normalize().to_string(), "1");
    }

    async fn a_transaction_message_that_can_be_read_always_gets_a_result(db: TestDb) {
        let site = Site::start(db.url(), 2, quiet).await;
        let mut other = Client::boot(&site.node, "CS1").await;
        let foreign = other.call("StartTransaction", start_payload("04A2")).await["transactionId"].clone();
        let mut client = Client::boot(&site.node, "CS0").await;
        for id in [json!(-1), json!(0), json!(4711), json!(9_999_999_999_i64), foreign] {
            let stopped = client.call("StopTransaction", stop_payload(&id, "08:10:00", 5000)).await;
            assert_eq!(stopped, json!({}), "{id}");
            client.call("MeterValues", meter_payload(&id, "08:05:00", 4000)).await;
        }
        let mut start = start_payload("04A1");
        start["connectorId"] = json!(7);
        let started = client.call("StartTransaction", start).await;
        assert_eq!(started, json!({"idTagInfo": {"status": "Invalid"}, "transactionId": 0}));
        // Kept, and without effect on the other station's charge.
        assert_eq!(site.late_messages().await.len(), 11);
        let sessions = site.sessions().await;
        assert_eq!((sessions.len(), &sessions[0].status), (1, &SessionStatus::Active));
        assert!(sessions[0].kwh.is_zero());
    }

    async fn a_station_that_was_removed_is_rejected_and_disconnected(db: TestDb) {
        let site = Site::start(db.url(), 1, quiet).await;
        let mut client = Client::boot(&site.node, "CS0").await;
        let id = roamwatt::domain::station::StationId::parse("CS0").unwrap();
        let remove = move |conn: &mut _| roamwatt::db::stations::remove(conn, &id);
        assert!(site.node.app().db.write(remove).await.unwrap());
        let answer = client.call("BootNotification", boot_payload()).await;
        assert_eq!((&answer["status"], &answer["interval"]), (&json!("Rejected"), &json!(60)));
        let refused = client.ask("Heartbeat", json!({})).await;
        assert_eq!(refused[2], "SecurityError");
        let begun = std::time::Instant::now();
        assert_eq!(client.closed().await, Some(1008));
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert_eq!(Client::try_connect(&site.node, "CS0", None).await.err(), Some(401));
    }

    async fn a_boot_sets_the_interval_of_meter_values(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let mut client = Client::boot(&site.node, "CS0").await;
        let call: Value = client.receive().await;
        assert_eq!((&call[0], &call[2]), (&json!(2), &json!("ChangeConfiguration")));
        assert_eq!(call[3], json!({"key": "MeterValueSampleInterval", "value": "60"}));
        client.send(json!([3, call[1], {"status": "Accepted"}]).to_string()).await;
        client.call("Heartbeat", json!({})).await;
    }
}

/// Connects CS0 again; the node may still be busy with the end of its last connection.
async fn reconnect(site: &Site) -> Client {
    for _ in 0..50 {
        if let Ok(client) = Client::try_connect(&site.node, "CS0", None).await {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the station finds no way back");
}
