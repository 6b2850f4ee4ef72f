//! Sockets: who holds a station's seat, what is asked of it, and how a socket ends.

use super::client::{Client, basic, boot_payload};
use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::app::App;
use roamwatt::charging::{StationAnswer, StationCall, StationCallError};
use roamwatt::config::Config;
use roamwatt::db::{frames, station_access, stations};
use roamwatt::domain::Timestamp;
use roamwatt::domain::charging_profile::{
    ChargingProfile, ProfileKind, ProfilePurpose, RateUnit, SchedulePeriod,
};
use roamwatt::domain::station::StationId;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn cs0() -> StationId {
    StationId::parse("CS0").unwrap()
}

fn quick(config: &mut Config) {
    config.ocpp.meter_value_interval = None;
    config.ocpp.takeover_timeout = Duration::from_millis(300);
    config.ocpp.call_timeout = Duration::from_secs(1);
    config.ocpp.queue_length = 2;
}

fn reset() -> StationCall {
    StationCall::Reset { hard: false }
}

type Asked = tokio::task::JoinHandle<Result<StationAnswer, StationCallError>>;

/// Asks CS0 in the background.
fn ask(app: &Arc<App>, call: StationCall) -> Asked {
    let app = Arc::clone(app);
    tokio::spawn(async move { app.stations.call(&cs0(), call, Some("corr-1")).await })
}

async fn answer(client: &mut Client, payload: Value) -> Value {
    let call = client.receive().await;
    assert_eq!(call[0], 2, "{call}");
    client.send(json!([3, call[1], payload]).to_string()).await;
    call
}

on_each_engine! {
    async fn a_station_answers_what_it_is_asked(db: TestDb) {
        let site = Site::start(db.url(), 1, quick).await;
        let app = site.node.app();
        assert_eq!(app.stations.call(&cs0(), reset(), None).await, Err(StationCallError::Offline));
        let mut client = Client::boot(&site.node, "CS0").await;
        assert!(app.stations.is_connected(&cs0()));

        let asked = ask(app, StationCall::GetConfiguration { keys: vec!["A".to_owned(), "B".to_owned()] });
        let known = json!({"configurationKey": [{"key": "A", "readonly": false, "value": "1"}], "unknownKey": ["B"]});
        let call = answer(&mut client, known).await;
        assert_eq!((&call[2], &call[3]), (&json!("GetConfiguration"), &json!({"key": ["A", "B"]})));
        let keys = vec![("A".to_owned(), Some("1".to_owned()), false)];
        let wanted = StationAnswer::Configuration { keys, unknown: vec!["B".to_owned()] };
        assert_eq!(asked.await.unwrap(), Ok(wanted));

        let asked = ask(app, StationCall::RemoteStart { connector: Some(1), id_tag: "04A1".to_owned() });
        let call = answer(&mut client, json!({"status": "Rejected"})).await;
        assert_eq!(call[3], json!({"connectorId": 1, "idTag": "04A1"}));
        assert_eq!(asked.await.unwrap(), Ok(StationAnswer::Status("Rejected".to_owned())));

        let asked = ask(app, StationCall::TriggerMessage { message: "Heartbeat".to_owned(), connector: None });
        let call = client.receive().await;
        client.send(json!([4, call[1], "NotSupported", "no", {}]).to_string()).await;
        let refused = StationCallError::Refused { code: "NotSupported".to_owned(), description: "no".to_owned() };
        assert_eq!(asked.await.unwrap(), Err(refused));

        let asked = ask(app, reset());
        answer(&mut client, json!({"state": "Accepted"})).await;
        assert!(matches!(asked.await.unwrap(), Err(StationCallError::Unreadable(why)) if why.contains("$.status")));
        let long = StationCall::RemoteStart { connector: None, id_tag: "x".repeat(30) };
        let unsendable = app.stations.call(&cs0(), long, None).await;
        assert!(matches!(unsendable, Err(StationCallError::Unsendable(why)) if why.contains("idTag")));
    }

    async fn a_station_is_given_limits_and_says_what_it_will_keep_to(db: TestDb) {
        let site = Site::start(db.url(), 1, quick).await;
        let app = site.node.app();
        let mut client = Client::boot(&site.node, "CS0").await;

        let start = Timestamp::parse("2026-03-01T08:00:00Z").unwrap();
        let period = |start_s, tenths| SchedulePeriod { start_s, limit: Decimal::new(tenths, 1), phases: Some(3) };
        let profile = ChargingProfile {
            id: 11,
            stack_level: 2,
            purpose: ProfilePurpose::Tx,
            transaction_id: Some(7),
            kind: ProfileKind::Absolute,
            start: Some(start),
            valid_from: None,
            valid_to: None,
            unit: RateUnit::Amperes,
            periods: vec![period(0, 160), period(900, 63)],
            duration_s: None,
        };
        let asked = ask(app, StationCall::SetChargingProfile { connector: 1, profile: profile.clone() });
        let call = answer(&mut client, json!({"status": "Accepted"})).await;
        let periods = json!([
            {"startPeriod": 0, "limit": 16, "numberPhases": 3},
            {"startPeriod": 900, "limit": 6.3, "numberPhases": 3}
        ]);
        let wanted = json!({"connectorId": 1, "csChargingProfiles": {
            "chargingProfileId": 11, "transactionId": 7, "stackLevel": 2, "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {"startSchedule": "2026-03-01T08:00:00Z", "chargingRateUnit": "A",
                "chargingSchedulePeriod": periods}}});
        assert_eq!((&call[2], &call[3]), (&json!("SetChargingProfile"), &wanted));
        assert!(asked.await.unwrap().unwrap().is_accepted());

        let asked = ask(app, StationCall::SetChargingProfile { connector: 0, profile: profile.clone() });
        answer(&mut client, json!({"status": "NotSupported"})).await;
        assert_eq!(asked.await.unwrap(), Ok(StationAnswer::Status("NotSupported".to_owned())));
        let fine = ChargingProfile { periods: vec![SchedulePeriod { limit: Decimal::new(605, 2), ..period(0, 0) }], ..profile };
        let unsendable = app.stations.call(&cs0(), StationCall::SetChargingProfile { connector: 1, profile: fine }, None).await;
        assert!(matches!(unsendable, Err(StationCallError::Unsendable(why)) if why.contains("6.05")));

        let composite = StationCall::GetCompositeSchedule { connector: 1, duration_s: 600, unit: Some(RateUnit::Amperes) };
        let asked = ask(app, composite.clone());
        let told = json!({"status": "Accepted", "connectorId": 1, "scheduleStart": "2026-03-01T08:05:00Z",
            "chargingSchedule": {"duration": 600, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}});
        let call = answer(&mut client, told).await;
        let wanted = json!({"connectorId": 1, "duration": 600, "chargingRateUnit": "A"});
        assert_eq!((&call[2], &call[3]), (&json!("GetCompositeSchedule"), &wanted));
        let StationAnswer::Composite { schedule: Some(schedule), .. } = asked.await.unwrap().unwrap() else { panic!() };
        assert_eq!(schedule.start, Some(Timestamp::parse("2026-03-01T08:05:00Z").unwrap()));
        assert_eq!((schedule.connector, schedule.duration_s, schedule.unit), (1, Some(600), RateUnit::Amperes));
        assert_eq!(schedule.at(0), Some(&period(0, 160)));
        let asked = ask(app, composite);
        answer(&mut client, json!({"status": "Rejected"})).await;
        assert!(!asked.await.unwrap().unwrap().is_accepted());

        let clear = StationCall::ClearChargingProfile {
            id: None,
            connector: Some(0),
            purpose: Some(ProfilePurpose::StationMax),
            stack_level: Some(1),
        };
        let asked = ask(app, clear);
        let call = answer(&mut client, json!({"status": "Unknown"})).await;
        let wanted = json!({"connectorId": 0, "chargingProfilePurpose": "ChargePointMaxProfile", "stackLevel": 1});
        assert_eq!((&call[2], &call[3]), (&json!("ClearChargingProfile"), &wanted));
        assert_eq!(asked.await.unwrap(), Ok(StationAnswer::Status("Unknown".to_owned())));

        let asked = ask(app, StationCall::ChangeAvailability { connector: 1, operative: false });
        let call = answer(&mut client, json!({"status": "Scheduled"})).await;
        assert_eq!((&call[2], &call[3]), (&json!("ChangeAvailability"), &json!({"connectorId": 1, "type": "Inoperative"})));
        assert_eq!(asked.await.unwrap(), Ok(StationAnswer::Status("Scheduled".to_owned())));
    }

    async fn one_call_is_in_flight_and_a_few_wait(db: TestDb) {
        let site = Site::start(db.url(), 1, quick).await;
        let app = site.node.app();
        let mut client = Client::boot(&site.node, "CS0").await;
        let first = ask(app, reset());
        let call = client.receive().await;
        // Two may wait behind it; the next is refused at once.
        let (second, third) = (ask(app, reset()), ask(app, StationCall::Reset { hard: true }));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(app.stations.call(&cs0(), reset(), None).await, Err(StationCallError::QueueFull));
        assert_eq!(client.receive_within(Duration::from_millis(200)).await, None, "one at a time");
        // The station may call in the meantime.
        client.call("Heartbeat", json!({})).await;
        client.send(json!([3, call[1], {"status": "Accepted"}]).to_string()).await;
        assert!(first.await.unwrap().unwrap().is_accepted());
        answer(&mut client, json!({"status": "Accepted"})).await;
        answer(&mut client, json!({"status": "Accepted"})).await;
        assert!(second.await.unwrap().is_ok() && third.await.unwrap().is_ok());
    }

    async fn a_late_answer_is_nobodys(db: TestDb) {
        let site = Site::start(db.url(), 1, quick).await;
        let app = site.node.app();
        let mut client = Client::boot(&site.node, "CS0").await;
        let begun = Instant::now();
        let first = ask(app, reset());
        let late = client.receive().await;
        assert_eq!(first.await.unwrap(), Err(StationCallError::Timeout));
        assert!(begun.elapsed() >= Duration::from_secs(1));
        let second = ask(app, reset());
        let call = client.receive().await;
        assert_ne!(late[1], call[1]);
        client.send(json!([3, late[1], {"status": "Accepted"}]).to_string()).await;
        client.send(json!([3, call[1], {"status": "Rejected"}]).to_string()).await;
        assert_eq!(second.await.unwrap(), Ok(StationAnswer::Status("Rejected".to_owned())));
        assert_eq!(app.metrics.refused.with_label_values(&["ocpp", "late_answer"]).get(), 1);
        // A call whose socket ends has no answer, and is not sent on the next one.
        let third = ask(app, reset());
        client.receive().await;
        drop(client);
        assert_eq!(third.await.unwrap(), Err(StationCallError::Offline));
    }

    async fn our_calls_wait_until_a_station_has_booted(db: TestDb) {
        let site = Site::start(db.url(), 1, quick).await;
        let mut client = Client::connect(&site.node, "CS0").await;
        let asked = ask(site.node.app(), reset());
        assert_eq!(client.receive_within(Duration::from_millis(200)).await, None);
        client.call("BootNotification", boot_payload()).await;
        answer(&mut client, json!({"status": "Accepted"})).await;
        assert!(asked.await.unwrap().unwrap().is_accepted());
    }

    async fn a_live_station_is_not_displaced_and_a_dead_one_is(db: TestDb) {
        let site = Site::start(db.url(), 1, quick).await;
        let (node, app) = (&site.node, site.node.app());
        let client = Client::boot(node, "CS0").await;
        // One that reads, and so answers pings.
        let alive = tokio::spawn(async move {
            let mut client = client;
            client.receive_within(Duration::from_secs(3)).await;
            client
        });
        assert_eq!(Client::try_connect(node, "CS0", None).await.err(), Some(409));
        assert_eq!(app.metrics.refused.with_label_values(&["ocpp", "duplicate"]).get(), 1);
        let mut client = alive.await.unwrap();
        client.call("Heartbeat", json!({})).await;
        // Now nobody reads what comes there: half-open, as after a lost network.
        let begun = Instant::now();
        let mut next = Client::try_connect(node, "CS0", None).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(300));
        next.call("Heartbeat", json!({})).await;
        assert_eq!(app.metrics.stations_connected.get(), 1);
        assert_eq!(client.closed().await, Some(1008));
        assert!(app.stations.is_connected(&cs0()));
        let online = |conn: &mut _| stations::find(conn, &cs0());
        assert!(app.db.read(online).await.unwrap().unwrap().online);
    }

    async fn a_silent_socket_is_found_within_two_pings(db: TestDb) {
        let site = Site::start(db.url(), 1, |config| {
            quick(config);
            config.ocpp.ping_interval = Duration::from_millis(300);
        }).await;
        let app = site.node.app();
        let mut client = Client::boot(&site.node, "CS0").await;
        // While it answers pings it stays, though it says nothing.
        assert_eq!(client.receive_within(Duration::from_millis(1500)).await, None);
        client.call("Heartbeat", json!({})).await;
        // Pings from its side are answered as well.
        ping(&mut client).await;
        let begun = Instant::now();
        while app.stations.is_connected(&cs0()) {
            assert!(begun.elapsed() < Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(begun.elapsed() >= Duration::from_millis(250));
        wait_offline(app).await;
    }

    async fn a_changed_password_ends_the_socket(db: TestDb) {
        let site = Site::start(db.url(), 1, quick).await;
        let (node, app) = (&site.node, site.node.app());
        let set = |password: &str| {
            let (hash, now) = (app.keys.hash(password), app.now());
            app.db.write(move |conn| station_access::set_password(conn, &cs0(), Some(&hash), now))
        };
        set("first-password-1").await.unwrap();
        let mut client = Client::try_connect(node, "CS0", Some(&basic("CS0", "first-password-1"))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        client.call("BootNotification", boot_payload()).await;
        set("second-password-").await.unwrap();
        let begun = Instant::now();
        assert_eq!(client.closed().await, Some(1008));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        let old = Client::try_connect(node, "CS0", Some(&basic("CS0", "first-password-1"))).await.err();
        assert_eq!(old, Some(401));
        Client::try_connect(node, "CS0", Some(&basic("CS0", "second-password-"))).await.unwrap();
    }

    async fn an_operator_can_end_a_socket(db: TestDb) {
        let site = Site::start(db.url(), 1, quick).await;
        let mut client = Client::boot(&site.node, "CS0").await;
        site.node.app().stations.disconnect(&cs0(), "because").await;
        assert!(!site.node.app().stations.is_connected(&cs0()));
        assert_eq!(client.closed().await, Some(1008));
    }

    async fn a_node_that_stops_tells_its_stations_to_go_away(db: TestDb) {
        let site = Site::start(db.url(), 3, quick).await;
        let mut clients = Vec::new();
        for number in 0..3 {
            clients.push(Client::boot(&site.node, &format!("CS{number}")).await);
        }
        let app = Arc::clone(site.node.app());
        assert_eq!(app.metrics.stations_connected.get(), 3);
        site.node.stop().await;
        for client in &mut clients {
            assert_eq!(client.closed().await, Some(1001));
        }
        assert_eq!(app.metrics.stations_connected.get(), 0);
        wait_offline(&app).await;
    }

    async fn frames_are_kept_while_somebody_watches(db: TestDb) {
        let site = Site::start(db.url(), 2, quick).await;
        let app = site.node.app();
        let mut unwatched = Client::boot(&site.node, "CS1").await;
        let mut client = Client::boot(&site.node, "CS0").await;
        let until = app.now().plus(chrono::TimeDelta::seconds(60));
        app.db.write(move |conn| frames::watch(conn, "CS0", until)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1300)).await;
        client.call("Authorize", json!({"idTag": "04A1B2C3"})).await;
        unwatched.call("Authorize", json!({"idTag": "04A1B2C3"})).await;
        let key = StationCall::ChangeConfiguration { key: "AuthorizationKey".to_owned(), value: "s3cret".to_owned() };
        let asked = ask(app, key);
        answer(&mut client, json!({"status": "Accepted"})).await;
        asked.await.unwrap().unwrap();
        let vendor = StationCall::DataTransfer { vendor_id: "V".to_owned(), message_id: None, data: Some("to=04A1B2C3".to_owned()) };
        let asked = ask(app, vendor);
        answer(&mut client, json!({"status": "Accepted", "data": "from=04A1B2C3"})).await;
        asked.await.unwrap().unwrap();
        client.call("DataTransfer", json!({"vendorId": "V", "data": {"card": ["04A1B2C3"]}})).await;
        let lines = loop {
            let lines = app.db.read(|conn| frames::after(conn, frames::EVERY_STATION, 0, 100)).await.unwrap();
            if lines.len() >= 8 {
                break lines;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
        assert_eq!(kinds, ["in", "out", "out", "in", "out", "in", "in", "out"], "{lines:?}");
        assert!(lines.iter().all(|line| line.station_id == "CS0"));
        assert_eq!(lines[0].frame, r#"[2,"c2","Authorize",{"idTag":"***C3"}]"#);
        assert!(lines[2].frame.contains("AuthorizationKey") && !lines[2].frame.contains("s3cret"));
        // What a vendor means by its data is not known, so none of it is shown.
        assert!(lines.iter().all(|line| !line.frame.contains("04A1B2C3")), "{lines:?}");
        assert_eq!(lines[6].frame, r#"[2,"c3","DataTransfer",{"data":"***","vendorId":"V"}]"#);
    }
}

async fn ping(client: &mut Client) {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::{Bytes, Message};
    client.socket.send(Message::Ping(Bytes::from_static(b"are you there"))).await.unwrap();
    loop {
        match client.socket.next().await.unwrap().unwrap() {
            Message::Pong(bytes) => return assert_eq!(&bytes[..], b"are you there"),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until the database says that CS0 is offline.
async fn wait_offline(app: &App) {
    for _ in 0..50 {
        let station = app.db.read(|conn| stations::find(conn, &cs0())).await.unwrap().unwrap();
        if !station.online {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still online");
}
