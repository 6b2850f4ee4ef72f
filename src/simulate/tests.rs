//! Simulated stations against a small server of the tests' own, which checks that everything they send is as
//! the specification says.

use super::*;
use crate::domain::station::ConnectorStatus;
use crate::ocpp::frame::{ErrorCode, Frame, write_error};
use crate::ocpp::v1_6::{
    AuthorizationStatus, Authorize, MeterValues, RegistrationStatus, ResetType, StationCall, StopReason,
};
use crate::ocpp::wire::Violations;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_util::sync::CancellationToken;

mod limits;

const SOON: Duration = Duration::from_secs(20);

/// What the server does with a call.
enum Reaction {
    Usual,
    Answer(Value),
    Refuse,
    Drop,
    Stall(Duration),
}

type React = dyn Fn(&StationCall) -> Reaction + Send + Sync;

struct Server {
    url: String,
    calls: mpsc::UnboundedReceiver<StationCall>,
    answers: mpsc::UnboundedReceiver<Value>,
    to_station: broadcast::Sender<String>,
    authorization: Arc<Mutex<VecDeque<String>>>,
}

impl Server {
    async fn start(react: impl Fn(&StationCall) -> Reaction + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ocpp", listener.local_addr().unwrap());
        let (told, calls) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let to_station = broadcast::Sender::new(16);
        let authorization = Arc::new(Mutex::new(VecDeque::new()));
        let react: Arc<React> = Arc::new(react);
        let (sender, seen) = (to_station.clone(), Arc::clone(&authorization));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (react, told, answered) = (Arc::clone(&react), told.clone(), answered.clone());
                tokio::spawn(serve(stream, react, told, answered, sender.subscribe(), Arc::clone(&seen)));
            }
        });
        Self { url, calls, answers, to_station, authorization }
    }

    /// The next call that is wanted; others before it are passed over.
    async fn next<T>(&mut self, mut wanted: impl FnMut(StationCall) -> Option<T>) -> T {
        tokio::time::timeout(SOON, async {
            loop {
                if let Some(found) = wanted(self.calls.recv().await.unwrap()) {
                    return found;
                }
            }
        })
        .await
        .expect("the station did not call in time")
    }

    /// Calls the station and returns its answer.
    async fn call(&mut self, action: &str, payload: Value) -> Value {
        self.to_station.send(json!([2, "from-server", action, payload]).to_string()).unwrap();
        tokio::time::timeout(SOON, self.answers.recv()).await.unwrap().unwrap()
    }

    /// Everything that was called until now.
    fn so_far(&mut self) -> Vec<StationCall> {
        std::iter::from_fn(|| self.calls.try_recv().ok()).collect()
    }
}

#[allow(clippy::result_large_err, reason = "the signature is the library's")]
async fn serve(
    stream: TcpStream,
    react: Arc<React>,
    told: mpsc::UnboundedSender<StationCall>,
    answered: mpsc::UnboundedSender<Value>,
    mut to_station: broadcast::Receiver<String>,
    seen: Arc<Mutex<VecDeque<String>>>,
) {
    let shake = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        assert_eq!(request.headers()["Sec-WebSocket-Protocol"], "ocpp1.6");
        let authorization =
            request.headers().get("Authorization").map(|value| value.to_str().unwrap().to_owned());
        seen.lock().unwrap().push_back(authorization.unwrap_or_default());
        response.headers_mut().insert("Sec-WebSocket-Protocol", "ocpp1.6".parse().unwrap());
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, shake).await.unwrap();
    loop {
        let text = tokio::select! {
            text = to_station.recv() => {
                socket.send(Message::text(text.unwrap())).await.unwrap();
                continue;
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(_)) => continue,
                _ => return,
            }
        };
        let mut violations = Violations::default();
        match Frame::parse(&text, &mut violations).unwrap() {
            Frame::Call { id, action, payload } => {
                let read = StationCall::read(&action, payload).unwrap();
                assert_eq!(read.violations, [], "{text}");
                let answer = match react(&read.message) {
                    Reaction::Usual => json!([3, id, usual(&read.message)]).to_string(),
                    Reaction::Answer(payload) => json!([3, id, payload]).to_string(),
                    Reaction::Refuse => write_error(&id, &ErrorCode::InternalError, "not now"),
                    Reaction::Drop => {
                        drop(told.send(read.message));
                        return;
                    }
                    Reaction::Stall(time) => {
                        tokio::time::sleep(time).await;
                        json!([3, id, usual(&read.message)]).to_string()
                    }
                };
                drop(told.send(read.message));
                drop(socket.send(Message::text(answer)).await);
            }
            Frame::Result { payload, .. } => {
                drop(answered.send(serde_json::from_str(payload.get()).unwrap()));
            }
            Frame::Error { code, .. } => drop(answered.send(json!(code.as_str()))),
        }
        assert_eq!(violations.into_vec(), [], "{text}");
    }
}

fn usual(call: &StationCall) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1000);
    match call {
        StationCall::BootNotification(_) => {
            json!({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
        }
        StationCall::Heartbeat(_) => json!({"currentTime": "2026-01-01T00:00:00Z"}),
        StationCall::Authorize(Authorize { id_tag }) => {
            let status = if id_tag.as_str() == "STOLEN" { "Blocked" } else { "Accepted" };
            json!({"idTagInfo": {"status": status}})
        }
        StationCall::StartTransaction(start) => {
            let status = if start.id_tag.as_str() == "LATE" { "Invalid" } else { "Accepted" };
            json!({"idTagInfo": {"status": status}, "transactionId": NEXT.fetch_add(1, Ordering::Relaxed)})
        }
        StationCall::DataTransfer(_) => json!({"status": "UnknownVendorId"}),
        StationCall::MeterValues(_)
        | StationCall::StatusNotification(_)
        | StationCall::StopTransaction(_) => json!({}),
    }
}

fn config(server: &Server) -> StationConfig {
    StationConfig {
        speed: 600,
        meter_interval: Duration::from_secs(60),
        reconnect_least: Duration::from_millis(20),
        reconnect_most: Duration::from_millis(100),
        reboot_time: Duration::from_millis(20),
        ..StationConfig::new(&server.url, "CS1")
    }
}

async fn accepted(station: &StationSim) {
    station.wait_for(SOON, |now| now.accepted).await.unwrap();
}

fn words(calls: &[StationCall]) -> Vec<String> {
    let word = |call: &StationCall| match call {
        StationCall::StatusNotification(status) => format!("{} {}", status.connector_id, status.status),
        other => other.action().to_owned(),
    };
    let mut words: Vec<String> = calls.iter().map(word).collect();
    words.dedup();
    words
}

fn register(values: &MeterValues) -> i64 {
    values.meter_value[0].sampled_value[0].value.parse().unwrap()
}

#[tokio::test]
async fn a_whole_charge() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let config = StationConfig { password: Some("secret".to_owned()), ..config(&server) };
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    station.plug_in(1).await.unwrap();
    station.present_token(1, "04A2B3C4").await.unwrap();
    let mut registers = Vec::new();
    while registers.len() < 4 {
        registers.push(server.next_meter_value().await);
    }
    station.stop(1).await.unwrap();
    station.unplug(1).await.unwrap();
    let stop = server
        .next(|call| if let StationCall::StopTransaction(stop) = call { Some(stop) } else { None })
        .await;
    station.wait_for(SOON, |now| now.unsent == 0).await.unwrap();

    let grew = registers.windows(2).all(|pair| pair[0].2 < pair[1].2 && pair[0].1 < pair[1].1);
    assert!(grew, "{registers:?}");
    // Some 180 Wh a minute at 11 kW.
    let (first, last) = (&registers[0], &registers[3]);
    let watts = (last.2 - first.2) * 3_600_000 / last.1.millis_since(first.1);
    assert!((10_000..12_000).contains(&watts), "{watts} W: {registers:?}");
    assert_eq!(stop.transaction_id, first.0);
    assert_eq!(stop.reason, Some(StopReason::Local));
    assert!(stop.meter_stop.decimal() >= last.2.into());
    assert_eq!(stop.transaction_data.unwrap().0.len(), 2);
    let basic = server.authorization.lock().unwrap().pop_front();
    assert_eq!(basic.unwrap(), "Basic Q1MxOnNlY3JldA==");
    assert_eq!(station.snapshot().connector(1).unwrap().status, ConnectorStatus::Available);
}

impl Server {
    /// Transaction, time and register of the next meter value.
    async fn next_meter_value(&mut self) -> (i64, crate::domain::Timestamp, i64) {
        self.next(|call| match call {
            StationCall::MeterValues(m) => {
                Some((m.transaction_id.unwrap(), m.meter_value[0].timestamp, register(&m)))
            }
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn calls_come_one_by_one_in_the_order_of_what_happened() {
    let suspended = |now: &Snapshot| now.connectors[0].status == ConnectorStatus::SuspendedEv;
    let mut server = Server::start(|_| Reaction::Usual).await;
    let station =
        StationSim::spawn(StationConfig { meter_interval: Duration::ZERO, ..config(&server) }).unwrap();
    accepted(&station).await;
    station.plug_in_car(1, 1_000, 700).await.unwrap();
    station.present_token(1, "A").await.unwrap();
    station.wait_for(SOON, suspended).await.unwrap();
    station.unplug(1).await.unwrap();
    let available = |call| match call {
        StationCall::StatusNotification(s)
            if s.status == ConnectorStatus::Available && s.connector_id == 1 =>
        {
            Some(())
        }
        _ => None,
    };
    let mut calls = Vec::new();
    let mut times = 0;
    server
        .next(|call| {
            calls.push(call.clone());
            times += u8::from(available(call).is_some());
            (times == 2).then_some(())
        })
        .await;
    assert_eq!(
        words(&calls),
        [
            "BootNotification",
            "0 Available",
            "1 Available",
            "1 Preparing",
            "Authorize",
            "StartTransaction",
            "1 Charging",
            "1 SuspendedEV",
            "StopTransaction",
            "1 Finishing",
            "1 Available",
        ]
    );
}

#[tokio::test]
async fn a_station_that_is_not_let_in_asks_again_and_sends_nothing_else() {
    let asked = AtomicU64::new(0);
    let mut server = Server::start(move |call| match (call, asked.fetch_add(1, Ordering::Relaxed)) {
        (StationCall::BootNotification(_), n @ (0 | 1)) => {
            let status = if n == 0 { "Pending" } else { "Rejected" };
            Reaction::Answer(json!({"status": status, "currentTime": "2026-01-01T00:00:00Z", "interval": 1}))
        }
        _ => Reaction::Usual,
    })
    .await;
    let station = StationSim::spawn(config(&server)).unwrap();
    let mut events = station.events();
    let begun = std::time::Instant::now();
    accepted(&station).await;
    assert!(begun.elapsed() >= Duration::from_millis(1900), "{:?}", begun.elapsed());
    let mut answers = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::Booted(status) = event {
            answers.push(status);
        }
    }
    let wanted = [RegistrationStatus::Pending, RegistrationStatus::Rejected, RegistrationStatus::Accepted];
    assert_eq!(answers, wanted);
    server.next(|call| matches!(call, StationCall::StatusNotification(_)).then_some(())).await;
}

#[tokio::test]
async fn a_charge_without_a_connection_is_told_later_in_order_with_its_own_times() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let station = StationSim::spawn(config(&server)).unwrap();
    accepted(&station).await;
    station.go_offline().await.unwrap();
    station.wait_for(SOON, |now| !now.online).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.so_far();
    station.plug_in(1).await.unwrap();
    station.present_token(1, "A").await.unwrap();
    station.wait_for(SOON, |now| now.unsent >= 3).await.unwrap();
    station.stop(1).await.unwrap();
    station.unplug(1).await.unwrap();
    let ended = crate::clock::Clock::System.now();
    assert!(server.so_far().is_empty());
    station.go_online().await.unwrap();
    station.wait_for(SOON, |now| now.online && now.unsent == 0).await.unwrap();
    let calls = server.so_far();
    let words: Vec<String> = words(&calls).into_iter().filter(|word| !word.contains(' ')).collect();
    assert_eq!(words, ["StartTransaction", "MeterValues", "StopTransaction"], "no BootNotification again");
    let mut times = Vec::new();
    let mut ids = Vec::new();
    for call in &calls {
        match call {
            StationCall::StartTransaction(start) => times.push(start.timestamp),
            StationCall::MeterValues(values) => {
                times.push(values.meter_value[0].timestamp);
                ids.extend(values.transaction_id);
            }
            StationCall::StopTransaction(stop) => {
                times.push(stop.timestamp);
                ids.push(stop.transaction_id);
            }
            _ => {}
        }
    }
    assert!(times.is_sorted() && times[0] < times[times.len() - 1]);
    assert!(ids.len() >= 2 && ids.iter().all(|id| *id == ids[0] && *id >= 1000), "{ids:?}");
    assert!(times[0] < ended.plus(chrono::TimeDelta::hours(1)));
}

#[tokio::test]
async fn what_was_not_answered_is_sent_again() {
    let starts = AtomicU64::new(0);
    let mut server = Server::start(move |call| match call {
        StationCall::StartTransaction(_) => match starts.fetch_add(1, Ordering::Relaxed) {
            0 => Reaction::Drop,
            1 => Reaction::Refuse,
            _ => Reaction::Usual,
        },
        _ => Reaction::Usual,
    })
    .await;
    let station = StationSim::spawn(config(&server)).unwrap();
    accepted(&station).await;
    server
        .to_station
        .send(
            json!([2, "c", "ChangeConfiguration", {"key": "TransactionMessageRetryInterval",
        "value": "0"}])
            .to_string(),
        )
        .unwrap();
    assert_eq!(server.answers.recv().await.unwrap()["status"], "Accepted");
    station.plug_in(1).await.unwrap();
    station.present_token(1, "A").await.unwrap();
    let mut starts = Vec::new();
    server
        .next(|call| match call {
            StationCall::StartTransaction(start) => {
                starts.push(start);
                None
            }
            StationCall::MeterValues(values) => values.transaction_id,
            _ => None,
        })
        .await;
    assert_eq!(starts.len(), 3);
    assert!(starts.iter().all(|start| *start == starts[0]), "the same message each time");
}

#[tokio::test]
async fn a_refused_token_charges_nothing_and_a_late_refusal_ends_the_charge() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let station = StationSim::spawn(config(&server)).unwrap();
    accepted(&station).await;
    let refused = station.present_token(1, "STOLEN").await.unwrap_err();
    assert_eq!(refused, SimError::Refused(AuthorizationStatus::Blocked));
    assert!(station.stop(1).await.is_err() && station.unplug(1).await.is_err());
    assert_eq!(station.plug_in(7).await, Err(SimError::NoConnector(7)));
    assert!(matches!(station.present_token(1, &"x".repeat(21)).await, Err(SimError::Token(_))));
    station.plug_in(1).await.unwrap();
    station.present_token(1, "LATE").await.unwrap();
    let stop = server
        .next(|call| if let StationCall::StopTransaction(stop) = call { Some(stop) } else { None })
        .await;
    assert_eq!(stop.reason, Some(StopReason::DeAuthorized));
}

#[tokio::test]
async fn the_server_configures_starts_stops_and_resets_it() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let config = StationConfig { auto_plug: Some(Duration::from_secs(5)), connectors: 2, ..config(&server) };
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;

    let known =
        server.call("GetConfiguration", json!({"key": ["NumberOfConnectors", "AuthorizationKey"]})).await;
    assert_eq!(
        known,
        json!({"configurationKey": [{"key": "NumberOfConnectors", "readonly": true, "value": "2"}],
        "unknownKey": ["AuthorizationKey"]})
    );
    let answer = server.call("ChangeConfiguration", json!({"key": "NumberOfConnectors", "value": "5"})).await;
    assert_eq!(answer["status"], "Rejected");
    assert_eq!(server.call("DataTransfer", json!({"vendorId": "X"})).await["status"], "UnknownVendorId");
    assert_eq!(server.call("UnlockConnector", json!({"connectorId": 1})).await, "NotSupported");
    assert_eq!(server.call("Reset", json!({})).await, "OccurenceConstraintViolation");
    let answer = server.call("TriggerMessage", json!({"requestedMessage": "Heartbeat"})).await;
    assert_eq!(answer["status"], "Accepted");
    server.next(|call| matches!(call, StationCall::Heartbeat(_)).then_some(())).await;
    let answer =
        server.call("TriggerMessage", json!({"requestedMessage": "MeterValues", "connectorId": 9})).await;
    assert_eq!(answer["status"], "Rejected");

    let answer = server.call("RemoteStartTransaction", json!({"connectorId": 2, "idTag": "R"})).await;
    assert_eq!(answer["status"], "Accepted");
    let start =
        server.next(|call| if let StationCall::StartTransaction(s) = call { Some(s) } else { None }).await;
    assert_eq!((start.connector_id, start.id_tag.as_str()), (2, "R"));
    let answer = server.call("RemoteStartTransaction", json!({"connectorId": 2, "idTag": "S"})).await;
    assert_eq!(answer["status"], "Rejected");
    let has_id = |now: &Snapshot| now.connectors[1].transaction_id.is_some();
    let now = station.wait_for(SOON, has_id).await.unwrap();
    let id = now.connectors[1].transaction_id.unwrap();
    assert_eq!(
        server.call("RemoteStopTransaction", json!({"transactionId": id + 1})).await["status"],
        "Rejected"
    );
    assert_eq!(
        server.call("RemoteStopTransaction", json!({"transactionId": id})).await["status"],
        "Accepted"
    );
    let stop =
        server.next(|call| if let StationCall::StopTransaction(s) = call { Some(s) } else { None }).await;
    assert_eq!((stop.transaction_id, stop.reason), (id, Some(StopReason::Remote)));

    let answer = server.call("RemoteStartTransaction", json!({"connectorId": 1, "idTag": "R"})).await;
    assert_eq!(answer["status"], "Accepted");
    station.wait_for(SOON, |now| now.connectors[0].transaction_id.is_some()).await.unwrap();
    let mut events = station.events();
    assert_eq!(server.call("Reset", json!({"type": "Soft"})).await["status"], "Accepted");
    let stop =
        server.next(|call| if let StationCall::StopTransaction(s) = call { Some(s) } else { None }).await;
    assert_eq!(stop.reason, Some(StopReason::SoftReset));
    server.next(|call| matches!(call, StationCall::BootNotification(_)).then_some(())).await;
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push(event);
    }
    let resetting = told.iter().position(|event| *event == Event::Resetting(ResetType::Soft)).unwrap();
    let answered = told.iter().position(|event| matches!(event, Event::StopAnswered { .. })).unwrap();
    assert!(answered < resetting, "{told:?}");
}

#[tokio::test]
async fn a_new_password_is_used_from_the_next_connection_which_comes_at_once() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let station = StationSim::spawn(config(&server)).unwrap();
    accepted(&station).await;
    let mut events = station.events();
    let hex = "303132333435363738396162636465663031";
    let answer = server.call("ChangeConfiguration", json!({"key": "AuthorizationKey", "value": hex})).await;
    assert_eq!(answer["status"], "Accepted");
    let again = async { while events.recv().await.unwrap() != Event::Connected {} };
    tokio::time::timeout(SOON, again).await.unwrap();
    let seen: Vec<String> = server.authorization.lock().unwrap().iter().cloned().collect();
    assert_eq!(seen, ["", "Basic Q1MxOjAxMjM0NTY3ODlhYmNkZWYwMQ=="]);
}

fn options(server: &Server) -> FleetOptions {
    FleetOptions {
        url: server.url.clone(),
        count: 5,
        id_prefix: "CS".to_owned(),
        password: None,
        connectors: 1,
        curve: PowerCurve::AC_11,
        meter_interval: Duration::from_secs(60),
        speed: 1,
        duration: Some(Duration::from_secs(1)),
        charging_share: 100,
        id_tags: vec!["A".to_owned()],
        seed: 7,
        rate: None,
        variety: Variety::default(),
        progress_every: Duration::from_millis(300),
    }
}

#[tokio::test]
async fn an_open_loop_offers_its_rate_and_counts_latency_from_the_due_time() {
    let seen = AtomicU64::new(0);
    let mut server = Server::start(move |call| match call {
        // One stall on one of the five stations: twenty messages become due meanwhile.
        StationCall::MeterValues(_) if seen.fetch_add(1, Ordering::Relaxed) == 50 => {
            Reaction::Stall(Duration::from_millis(400))
        }
        _ => Reaction::Usual,
    })
    .await;
    let options = FleetOptions {
        rate: Some(Rate::PerSecond(250)),
        id_tags: vec!["A{n}".to_owned()],
        ..options(&server)
    };
    let mut lines = Vec::new();
    let report =
        run_fleet(options, CancellationToken::new(), |line| lines.push(line.to_owned())).await.unwrap();
    let load = report.load.unwrap();
    assert!((240..=255).contains(&load.offered), "{load:?}");
    assert_eq!((load.answered, load.unanswered), (load.offered, 0));
    assert!(load.latency_micros.max >= 395_000, "{load:?}");
    // Without counting from the due time only one in 250 would be slow.
    assert!(load.latency_micros.p90 > 10_000 || load.latency_micros.p99 > 200_000, "{load:?}");
    assert_eq!((report.charges_started, report.charges_stopped, report.unsent), (5, 5, 0));
    let tags = |call: &StationCall| match call {
        StationCall::StartTransaction(start) => Some(start.id_tag.as_str().to_owned()),
        _ => None,
    };
    let calls = server.so_far();
    let used: std::collections::BTreeSet<String> = calls.iter().filter_map(tags).collect();
    assert_eq!(Vec::from_iter(used), ["A1", "A2", "A3", "A4", "A5"]);
    assert_eq!(words(&calls).last().unwrap(), "1 Available", "connectors are left free");
    assert!(lines.iter().any(|line| line.contains("5/5 connected  5 charging")), "{lines:?}");
}

#[tokio::test]
async fn a_load_does_not_begin_with_charges_that_were_refused() {
    let server = Server::start(|_| Reaction::Usual).await;
    let rate = Some(Rate::Max);
    let options = FleetOptions { rate, id_tags: vec!["LATE".to_owned()], ..options(&server) };
    let error = run_fleet(options, CancellationToken::new(), |_| {}).await.unwrap_err();
    let FleetError::NoCharge { source, .. } = error else { panic!("{error}") };
    assert_eq!(source, SimError::Refused(AuthorizationStatus::Invalid));
}

#[tokio::test]
async fn a_closed_loop_sends_as_fast_as_it_is_answered() {
    let server = Server::start(|_| Reaction::Usual).await;
    let options = FleetOptions { rate: Some(Rate::Max), ..options(&server) };
    let load = run_fleet(options, CancellationToken::new(), |_| {}).await.unwrap().load.unwrap();
    assert!(load.answered > 500 && load.unanswered == 0, "{load:?}");
    assert_eq!(load.wanted_per_second, None);
}

#[tokio::test]
async fn drivers_come_charge_and_go_and_are_sent_home_in_the_end() {
    let server = Server::start(|_| Reaction::Usual).await;
    let stop = CancellationToken::new();
    let options =
        FleetOptions { speed: 3600, duration: None, connectors: 2, charging_share: 60, ..options(&server) };
    let stopper = stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(4)).await;
        stopper.cancel();
    });
    let report = run_fleet(options, stop, |_| {}).await.unwrap();
    assert!(report.charges_started >= 8, "{report:?}");
    assert_eq!(report.charges_started, report.charges_stopped);
    assert!(report.energy_wh > 20_000, "{report:?}");
    assert_eq!(
        (report.refused, report.timed_out, report.unreadable, report.unsent),
        (0, 0, 0, 0),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_wrong_url_is_said_before_anything_runs() {
    let server = Server::start(|_| Reaction::Usual).await;
    let options = FleetOptions { url: "http://127.0.0.1/ocpp".to_owned(), ..options(&server) };
    let error = run_fleet(options, CancellationToken::new(), |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("ws or wss"), "{error}");
}

#[tokio::test]
async fn a_station_without_a_server_does_not_spin() {
    let refusals = AtomicU64::new(0);
    let mut server = Server::start(move |call| match call {
        StationCall::StartTransaction(_) if refusals.fetch_add(1, Ordering::Relaxed) == 0 => Reaction::Refuse,
        _ => Reaction::Usual,
    })
    .await;
    let station =
        StationSim::spawn(StationConfig { meter_interval: Duration::ZERO, ..config(&server) }).unwrap();
    accepted(&station).await;
    let wait = json!({"key": "TransactionMessageRetryInterval", "value": "1"});
    assert_eq!(server.call("ChangeConfiguration", wait).await["status"], "Accepted");
    station.plug_in(1).await.unwrap();
    station.present_token(1, "A").await.unwrap();
    server.next(|call| matches!(call, StationCall::StartTransaction(_)).then_some(())).await;
    station.go_offline().await.unwrap();
    // Long enough for the wait before the repetition to be over, with nobody to repeat it to.
    let before = cpu_ticks();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let spent = cpu_ticks() - before;
    assert!(spent < 100, "{spent} ticks of processor time in 2.5 s");
    station.go_online().await.unwrap();
    station.wait_for(SOON, |now| now.connectors[0].transaction_id.is_some()).await.unwrap();
}

/// Processor time of this thread in hundredths of a second.
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[tokio::test]
async fn a_server_that_is_not_there_is_reported() {
    let server = Server::start(|_| Reaction::Usual).await;
    let options = FleetOptions { url: "ws://127.0.0.1:9/ocpp".to_owned(), ..options(&server) };
    let report = run_fleet(options, CancellationToken::new(), |_| {}).await.unwrap();
    assert_eq!((report.connects, report.sent), (0, 0));
    assert!(report.connect_failures >= 5, "{report:?}");
    assert!(report.last_problem.unwrap().starts_with("CS"));
}
