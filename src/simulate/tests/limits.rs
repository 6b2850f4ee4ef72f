//! Stations that obey charging profiles, and some that do not, with a clock that the test turns.

use super::*;
use crate::clock::Clock;
use crate::domain::Timestamp;

/// A station whose clock stands at noon until it is turned.
fn turned(server: &Server) -> (StationConfig, Clock) {
    let clock = Clock::manual(Timestamp::parse("2026-03-02T12:00:00Z").unwrap());
    (StationConfig { clock: Some(clock.clone()), ..config(server) }, clock)
}

fn car(phases: u8) -> CarConfig {
    CarConfig { phases, ..CarConfig::new(200_000, 200) }
}

/// Begins a charge and returns its id.
async fn begin(station: &StationSim, connector: i32, car: CarConfig) -> i64 {
    station.plug_in_like(connector, car).await.unwrap();
    station.present_token(connector, &format!("A{connector}")).await.unwrap();
    let id = |now: &Snapshot| now.connector(connector).unwrap().transaction_id;
    id(&station.wait_for(SOON, |now| id(now).is_some()).await.unwrap()).unwrap()
}

async fn after(clock: &Clock, station: &StationSim, seconds: u64) -> Snapshot {
    clock.advance(Duration::from_secs(seconds));
    station.measure().await.unwrap()
}

/// A profile in amperes on each phase, from now on without an end.
fn profile(id: i32, purpose: &str, transaction: Option<i64>, amperes: f64) -> Value {
    let mut profile = json!({"chargingProfileId": id, "stackLevel": 1, "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute", "chargingSchedule": {"startSchedule": "2026-03-02T11:59:00Z",
        "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amperes}]}});
    if let Some(transaction) = transaction {
        profile["transactionId"] = json!(transaction);
    }
    profile
}

impl Server {
    async fn limit(&mut self, connector: i32, profile: Value) -> Value {
        let set = json!({"connectorId": connector, "csChargingProfiles": profile});
        let answer = self.call("SetChargingProfile", set).await;
        answer.get("status").cloned().unwrap_or(answer)
    }

    async fn composite(&mut self, connector: i32) -> Value {
        let asked = json!({"connectorId": connector, "duration": 60, "chargingRateUnit": "A"});
        self.call("GetCompositeSchedule", asked).await
    }

    /// The values of the next MeterValues from that moment on, as text by measurand and phase.
    async fn metered(&mut self, since: Timestamp) -> Vec<(String, String)> {
        self.next(|call| match call {
            StationCall::MeterValues(values) if values.meter_value[0].timestamp >= since => {
                let all = values.meter_value[0].sampled_value.iter().map(|sampled| {
                    let phase = sampled.phase.as_ref().map(|phase| format!(" {phase}"));
                    let what = sampled.measurand.as_ref().unwrap();
                    (format!("{what}{}", phase.unwrap_or_default()), sampled.value.clone())
                });
                Some(all.collect())
            }
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn a_car_follows_the_profile_of_its_transaction_until_it_ends() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (config, clock) = turned(&server);
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    assert_eq!(server.limit(1, profile(1, "TxProfile", None, 10.0)).await, "Rejected", "nothing charges");
    let id = begin(&station, 1, car(3)).await;
    assert_eq!(after(&clock, &station, 20).await.milliamperes, [16_000; 3]);
    assert_eq!(server.limit(1, profile(1, "TxProfile", Some(id + 1), 10.0)).await, "Rejected");
    assert_eq!(server.limit(1, profile(1, "TxProfile", Some(id), 10.0)).await, "Accepted");
    let now = after(&clock, &station, 2).await;
    assert_eq!(
        (now.milliamperes, now.connectors[0].offered_deciamperes),
        ([16_000; 3], 100),
        "a car takes its time"
    );
    let begun = after(&clock, &station, 1).await;
    assert_eq!((begun.milliamperes, begun.connectors[0].watts), ([10_000; 3], 6900));
    assert_eq!(begun.connectors[0].limits.transaction, Some(100));
    let since = clock.now();
    let hour = after(&clock, &station, 3600).await;
    // To the Wh, though the clock was turned by an hour at once.
    assert_eq!(hour.connectors[0].energy_wh - begun.connectors[0].energy_wh, 6900);
    let metered = server.metered(since).await;
    let found = |what: &str| metered.iter().find(|(name, _)| name == what).map(|(_, value)| value.as_str());
    for phase in ["L1", "L2", "L3"] {
        assert_eq!(found(&format!("Current.Import {phase}")), Some("10.0"), "{metered:?}");
    }
    assert_eq!((found("Current.Offered"), found("Power.Active.Import")), (Some("10.0"), Some("6900")));
    let told = server.composite(1).await;
    assert_eq!(
        told["chargingSchedule"]["chargingSchedulePeriod"],
        json!([{"startPeriod": 0, "limit": 10, "numberPhases": 3}])
    );
    assert_eq!((&told["scheduleStart"], &told["connectorId"]), (&json!(clock.now().to_string()), &json!(1)));

    station.stop(1).await.unwrap();
    assert_eq!(station.measure().await.unwrap().milliamperes, [0; 3]);
    station.unplug(1).await.unwrap();
    begin(&station, 1, car(3)).await;
    let now = after(&clock, &station, 20).await;
    assert_eq!((now.milliamperes, now.connectors[0].limits), ([16_000; 3], LimitsInForce::default()));
    assert_eq!(server.call("ClearChargingProfile", json!({})).await["status"], "Unknown");
}

#[tokio::test]
async fn a_schedule_is_followed_to_the_second_and_a_pause_is_shown() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (config, clock) = turned(&server);
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    let id = begin(&station, 1, car(3)).await;
    let before = after(&clock, &station, 60).await;
    let mut steps = profile(5, "TxProfile", Some(id), 16.0);
    // From 12:02 on 8 A, from 12:10 on a pause, from 12:20 on 6.5 A.
    steps["chargingSchedule"]["chargingSchedulePeriod"] = json!([{"startPeriod": 0, "limit": 16},
        {"startPeriod": 180, "limit": 8}, {"startPeriod": 660, "limit": 5.9}, {"startPeriod": 1260, "limit": 6.5}]);
    assert_eq!(server.limit(1, steps).await, "Accepted");
    let (mut statuses, mut events) = (Vec::new(), station.events());
    let end = after(&clock, &station, 1740).await;
    // It follows each step three seconds later, and takes five to come up again after the pause.
    let watt_seconds = 63 * 11_040 + 480 * 5520 + 5 * 3680 + 592 * 4485;
    let energy = end.connectors[0].energy_wh - before.connectors[0].energy_wh;
    assert!(energy.abs_diff(watt_seconds / 3600) <= 1, "{energy} {}", watt_seconds / 3600);
    assert_eq!((end.milliamperes, end.connectors[0].limits.transaction), ([6500; 3], Some(65)));
    while let Ok(event) = events.try_recv() {
        if let Event::Status { status, .. } = event {
            statuses.push(status);
        }
    }
    assert_eq!(statuses, [ConnectorStatus::SuspendedEvse, ConnectorStatus::Charging]);
}

#[tokio::test]
async fn limits_hold_offline_and_over_a_reboot() {
    for forgets in [false, true] {
        let mut server = Server::start(|_| Reaction::Usual).await;
        let (mut config, clock) = turned(&server);
        config.misbehaviour.forgets = forgets;
        let station = StationSim::spawn(config).unwrap();
        accepted(&station).await;
        assert_eq!(server.limit(0, profile(1, "TxDefaultProfile", None, 8.0)).await, "Accepted");
        let id = begin(&station, 1, car(3)).await;
        let now = after(&clock, &station, 20).await;
        assert_eq!((now.milliamperes, now.connectors[0].limits.default), ([8000; 3], Some(80)));
        assert_eq!(server.limit(1, profile(2, "TxProfile", Some(id), 12.0)).await, "Accepted");
        station.go_offline().await.unwrap();
        assert_eq!(after(&clock, &station, 1000).await.milliamperes, [12_000; 3]);
        // Without a server, with the default.
        station.stop(1).await.unwrap();
        station.unplug(1).await.unwrap();
        station.plug_in_like(1, car(3)).await.unwrap();
        station.present_token(1, "B").await.unwrap();
        assert_eq!(after(&clock, &station, 1000).await.milliamperes, [8000; 3]);
        station.go_online().await.unwrap();
        station.wait_for(SOON, |now| now.online && now.unsent == 0).await.unwrap();
        station.reboot().await.unwrap();
        assert_eq!(station.measure().await.unwrap().milliamperes, [0; 3]);
        let boots = |call| matches!(call, StationCall::BootNotification(_)).then_some(());
        server.next(boots).await;
        server.next(boots).await;
        accepted(&station).await;
        station.unplug(1).await.unwrap();
        begin(&station, 1, car(3)).await;
        let amperes = if forgets { 16_000 } else { 8000 };
        assert_eq!(after(&clock, &station, 20).await.milliamperes, [amperes; 3], "{forgets}");
    }
}

#[tokio::test]
async fn connectors_share_the_limit_of_their_station() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (config, clock) = turned(&server);
    let config = StationConfig { connectors: 3, rotation: PhaseRotation::Str, ..config };
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    let keys =
        ["ConnectorPhaseRotation", "SupportedFeatureProfiles", "ChargingScheduleAllowedChargingRateUnit"];
    let known = server.call("GetConfiguration", json!({ "key": keys })).await;
    let value = |index: usize| known["configurationKey"][index]["value"].clone();
    assert_eq!(
        [value(0), value(1), value(2)],
        ["1.STR,2.STR,3.STR", "Core,RemoteTrigger,SmartCharging", "Current,Power"]
    );

    assert_eq!(server.limit(1, profile(1, "ChargePointMaxProfile", None, 20.0)).await, "Rejected");
    assert_eq!(server.limit(0, profile(1, "ChargePointMaxProfile", None, 20.0)).await, "Accepted");
    begin(&station, 1, car(1)).await;
    let now = after(&clock, &station, 20).await;
    assert_eq!(now.milliamperes, [0, 16_000, 0], "its L1 is the grid's L2");
    begin(&station, 2, car(3)).await;
    // Nobody takes more before the first takes less.
    for _ in 0..30 {
        let now = after(&clock, &station, 1).await;
        assert!(now.milliamperes.iter().all(|sum| *sum <= 20_000), "{now:?}");
    }
    let now = station.measure().await.unwrap();
    assert_eq!((now.milliamperes, now.connectors[1].milliamperes), ([10_000, 20_000, 10_000], [10_000; 3]));
    assert_eq!(server.limit(2, profile(2, "TxDefaultProfile", None, 7.0)).await, "Accepted");
    let now = after(&clock, &station, 20).await;
    assert_eq!(now.milliamperes, [7000, 20_000, 7000]);
    // Three times 6 A fit, and what is left is shared; whole watts are a little less than a third.
    begin(&station, 3, car(2)).await;
    let now = after(&clock, &station, 30).await;
    let offered: Vec<u64> = now.connectors.iter().map(|connector| connector.offered_deciamperes).collect();
    assert_eq!((offered, now.milliamperes), (vec![66, 66, 66], [6667, 19_999, 13_333]));
    // Less than 12 A: the one that came last pauses.
    assert_eq!(server.limit(0, profile(1, "ChargePointMaxProfile", None, 15.0)).await, "Accepted");
    let now = after(&clock, &station, 30).await;
    let seen: Vec<&ConnectorStatus> = now.connectors.iter().map(|connector| &connector.status).collect();
    assert_eq!(
        seen,
        [&ConnectorStatus::Charging, &ConnectorStatus::Charging, &ConnectorStatus::SuspendedEvse]
    );
    assert!(now.milliamperes[1] <= 15_000 && now.connectors[2].milliamperes == [0; 3]);
    let told = server.composite(0).await;
    assert_eq!(told["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"], 15);
}

#[tokio::test]
async fn some_cars_sleep_after_a_pause() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (config, clock) = turned(&server);
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    let sleeper = CarConfig { sleeps_after: Some(Duration::from_secs(300)), ..car(3) };
    let id = begin(&station, 1, sleeper).await;
    for (pause, asleep) in [(200, false), (400, true)] {
        assert_eq!(server.limit(1, profile(1, "TxProfile", Some(id), 0.0)).await, "Accepted");
        let now = after(&clock, &station, pause).await;
        assert_eq!((&now.connectors[0].status, now.milliamperes), (&ConnectorStatus::SuspendedEvse, [0; 3]));
        assert_eq!(server.limit(1, profile(1, "TxProfile", Some(id), 16.0)).await, "Accepted");
        let now = after(&clock, &station, 60).await;
        let status = if asleep { ConnectorStatus::SuspendedEv } else { ConnectorStatus::Charging };
        assert_eq!((&now.connectors[0].status, now.connectors[0].asleep), (&status, asleep));
        assert_eq!(now.milliamperes == [0; 3], asleep);
    }
}

#[tokio::test]
async fn stations_misbehave_as_they_are_told() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    for (profiles, answer, told) in [
        (ProfileManners::Ignores, "Accepted", json!(10)),
        (ProfileManners::Rejects, "Rejected", json!(16)),
        (ProfileManners::NotSupported, "NotSupported", json!(16)),
        (ProfileManners::Lacks, "NotSupported", Value::Null),
    ] {
        let (mut config, clock) = turned(&server);
        config.misbehaviour.profiles = profiles;
        let station = StationSim::spawn(config).unwrap();
        accepted(&station).await;
        begin(&station, 1, car(3)).await;
        assert_eq!(server.limit(0, profile(1, "TxDefaultProfile", None, 10.0)).await, answer);
        let composite = server.composite(1).await;
        assert_eq!(composite["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"], told, "{profiles:?}");
        assert_eq!(after(&clock, &station, 60).await.milliamperes, [16_000; 3]);
        let known = server.call("GetConfiguration", json!({"key": ["ChargeProfileMaxStackLevel"]})).await;
        assert_eq!(known.get("unknownKey").is_some(), profiles == ProfileManners::Lacks);
        station.shutdown().await.unwrap();
    }
}

#[tokio::test]
async fn what_the_schema_allows_and_the_text_forbids_is_an_error() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (config, _clock) = turned(&server);
    let bounds = smart::Bounds { watts: false, ..smart::Bounds::default() };
    let station = StationSim::spawn(StationConfig { bounds, ..config }).unwrap();
    accepted(&station).await;
    let good = || profile(1, "TxDefaultProfile", None, 10.0);
    assert_eq!(server.limit(2, good()).await, "PropertyConstraintViolation");
    let mut unknown = good();
    unknown["chargingSchedule"]["chargingRateUnit"] = json!("kW");
    assert_eq!(server.limit(0, unknown).await, "PropertyConstraintViolation");
    let mut watts = good();
    watts["chargingSchedule"]["chargingRateUnit"] = json!("W");
    assert_eq!(server.limit(0, watts).await, "Rejected");
    let asked = json!({"connectorId": 1, "duration": 60, "chargingRateUnit": "W"});
    assert_eq!(server.call("GetCompositeSchedule", asked).await, json!({"status": "Rejected"}));
    let asked = json!({"connectorId": 7, "duration": 60});
    assert_eq!(server.call("GetCompositeSchedule", asked).await["status"], "Rejected");
    let asked = json!({"connectorId": 1, "duration": 60, "chargingRateUnit": "kW"});
    assert_eq!(server.call("GetCompositeSchedule", asked).await, "PropertyConstraintViolation");
}

#[tokio::test]
async fn answers_come_late_or_never() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (mut config, _clock) = turned(&server);
    config.misbehaviour.answers_after = Duration::from_millis(400);
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    let begun = std::time::Instant::now();
    assert_eq!(server.limit(0, profile(1, "TxDefaultProfile", None, 10.0)).await, "Accepted");
    assert!(begun.elapsed() >= Duration::from_millis(400));
    station.shutdown().await.unwrap();

    let (mut config, _clock) = turned(&server);
    config.misbehaviour.loses = 100;
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    for id in 1..=8 {
        let set = json!({"connectorId": 0, "csChargingProfiles": profile(id, "TxDefaultProfile", None, f64::from(id) + 8.0)});
        server.to_station.send(json!([2, "lost", "SetChargingProfile", set]).to_string()).unwrap();
    }
    // Of eight, some are done though nobody hears of it.
    station.wait_for(SOON, |now| now.connectors[0].limits.default.is_some()).await.unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(200), server.answers.recv()).await;
    assert!(silence.is_err(), "{silence:?}");
}

#[tokio::test]
async fn links_and_power_fail_by_simulated_time() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (mut config, clock) = turned(&server);
    config.misbehaviour.outages =
        Some(Every { pause: Duration::from_secs(600), lasting: Duration::from_secs(300) });
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    clock.advance(Duration::from_secs(299));
    assert!(station.measure().await.unwrap().online);
    clock.advance(Duration::from_secs(601));
    station.wait_for(SOON, |now| !now.online).await.unwrap();
    clock.advance(Duration::from_secs(300));
    station.wait_for(SOON, |now| now.online).await.unwrap();
    station.shutdown().await.unwrap();

    let (mut config, clock) = turned(&server);
    config.misbehaviour.reboots = Some(Every { pause: Duration::from_secs(600), lasting: Duration::ZERO });
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    begin(&station, 1, car(3)).await;
    server.so_far();
    clock.advance(Duration::from_secs(900));
    let stop = server
        .next(|call| if let StationCall::StopTransaction(stop) = call { Some(stop) } else { None })
        .await;
    assert_eq!(stop.reason, Some(StopReason::PowerLoss));
}

#[tokio::test]
async fn a_remote_start_brings_its_profile_with_it() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (config, clock) = turned(&server);
    let station = StationSim::spawn(config).unwrap();
    accepted(&station).await;
    station.plug_in_like(1, car(3)).await.unwrap();
    for wrong in [profile(1, "TxProfile", Some(7), 10.0), profile(1, "TxDefaultProfile", None, 10.0)] {
        let start = json!({"connectorId": 1, "idTag": "R", "chargingProfile": wrong});
        assert_eq!(server.call("RemoteStartTransaction", start).await["status"], "Rejected");
    }
    let start =
        json!({"connectorId": 1, "idTag": "R", "chargingProfile": profile(1, "TxProfile", None, 10.0)});
    assert_eq!(server.call("RemoteStartTransaction", start).await["status"], "Accepted");
    let now = station.wait_for(SOON, |now| now.connectors[0].transaction_id.is_some()).await.unwrap();
    assert_eq!(after(&clock, &station, 30).await.milliamperes, [10_000; 3]);
    // The same level for the transaction takes its place (errata 3.42).
    let id = now.connectors[0].transaction_id;
    assert_eq!(server.limit(1, profile(2, "TxProfile", id, 12.0)).await, "Accepted");
    assert_eq!(after(&clock, &station, 30).await.milliamperes, [12_000; 3]);
    station.stop(1).await.unwrap();
    assert_eq!(server.call("ClearChargingProfile", json!({})).await["status"], "Unknown");
}

#[tokio::test]
async fn a_connector_goes_out_of_service_after_its_charge() {
    let mut server = Server::start(|_| Reaction::Usual).await;
    let (config, clock) = turned(&server);
    let station = StationSim::spawn(StationConfig { connectors: 2, ..config }).unwrap();
    accepted(&station).await;
    begin(&station, 1, car(3)).await;
    let off = json!({"connectorId": 0, "type": "Inoperative"});
    assert_eq!(server.call("ChangeAvailability", off).await["status"], "Scheduled");
    let now = after(&clock, &station, 30).await;
    let seen = |now: &Snapshot| now.connectors.iter().map(|c| c.status.clone()).collect::<Vec<_>>();
    assert_eq!(seen(&now), [ConnectorStatus::Charging, ConnectorStatus::Unavailable]);
    station.stop(1).await.unwrap();
    station.unplug(1).await.unwrap();
    let now = station.measure().await.unwrap();
    assert_eq!(seen(&now), [ConnectorStatus::Unavailable, ConnectorStatus::Unavailable]);
    assert!(station.present_token(2, "A").await.is_err());
    let start = json!({"connectorId": 2, "idTag": "R"});
    assert_eq!(server.call("RemoteStartTransaction", start).await["status"], "Rejected");
    for (change, status) in [
        (json!({"connectorId": 2, "type": "Operative"}), "Accepted"),
        (json!({"connectorId": 9, "type": "Operative"}), "Rejected"),
        (json!({"connectorId": 1, "type": "Inoperative"}), "Accepted"),
    ] {
        assert_eq!(server.call("ChangeAvailability", change).await["status"], status);
    }
    assert_eq!(
        seen(&station.measure().await.unwrap()),
        [ConnectorStatus::Unavailable, ConnectorStatus::Available]
    );
}
