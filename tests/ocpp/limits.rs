//! Limits all the way: the backend gives a simulated station a charging profile, and its meter shows that it is
//! obeyed.

use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::charging::{StationAnswer, StationCall};
use roamwatt::domain::charging_profile::{
    ChargingProfile, ProfileKind, ProfilePurpose, RateUnit, SchedulePeriod,
};
use roamwatt::domain::station::StationId;
use roamwatt::simulate::{CarConfig, StationConfig, StationSim};
use rust_decimal::Decimal;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn cs0() -> StationId {
    StationId::parse("CS0").unwrap()
}

async fn ask(site: &Site, call: StationCall) -> StationAnswer {
    site.node.app().stations.call(&cs0(), call, None).await.unwrap()
}

async fn give(site: &Site, profile: ChargingProfile) -> StationAnswer {
    ask(site, StationCall::SetChargingProfile { connector: 1, profile }).await
}

/// Amperes on each phase, from a minute ago without an end.
fn profile(
    site: &Site,
    purpose: ProfilePurpose,
    transaction_id: Option<i32>,
    amperes: u32,
) -> ChargingProfile {
    ChargingProfile {
        id: if purpose == ProfilePurpose::Tx { 2 } else { 1 },
        stack_level: 0,
        purpose,
        transaction_id,
        kind: ProfileKind::Absolute,
        start: Some(site.clock.now().minus(chrono::TimeDelta::seconds(60))),
        valid_from: None,
        valid_to: None,
        unit: RateUnit::Amperes,
        periods: vec![SchedulePeriod { start_s: 0, limit: Decimal::from(amperes), phases: Some(3) }],
        duration_s: None,
    }
}

/// Turns the clock of both, and says what the station draws then on each phase.
async fn drawn(site: &Site, station: &StationSim, seconds: u64) -> [u64; 3] {
    site.clock.advance(Duration::from_secs(seconds));
    station.measure().await.unwrap().milliamperes
}

async fn begin(station: &StationSim) -> i32 {
    station.plug_in_like(1, CarConfig::new(80_000, 200)).await.unwrap();
    station.present_token(1, "04A1").await.unwrap();
    let now = station.wait_for(PATIENCE, |now| now.connectors[0].transaction_id.is_some()).await.unwrap();
    i32::try_from(now.connectors[0].transaction_id.unwrap()).unwrap()
}

on_each_engine! {
    async fn a_station_obeys_what_the_backend_asks_of_it(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let mut config = StationConfig::new(site.node.ws_url("/ocpp"), "CS0");
        config.clock = Some(site.clock.clone());
        let station = StationSim::spawn(config).unwrap();
        station.wait_for(PATIENCE, |now| now.accepted).await.unwrap();

        assert!(give(&site, profile(&site, ProfilePurpose::TxDefault, None, 8)).await.is_accepted());
        let transaction = begin(&station).await;
        assert_eq!(drawn(&site, &station, 20).await, [8000; 3]);
        let other = profile(&site, ProfilePurpose::Tx, Some(transaction + 1), 13);
        assert_eq!(give(&site, other).await, StationAnswer::Status("Rejected".to_owned()));
        assert!(give(&site, profile(&site, ProfilePurpose::Tx, Some(transaction), 13)).await.is_accepted());
        assert_eq!(drawn(&site, &station, 5).await, [13_000; 3]);

        let composite = StationCall::GetCompositeSchedule { connector: 1, duration_s: 300, unit: Some(RateUnit::Amperes) };
        let StationAnswer::Composite { schedule: Some(schedule), .. } = ask(&site, composite).await else { panic!() };
        assert_eq!(schedule.start, Some(site.clock.now()));
        assert_eq!(schedule.at(299).map(|period| period.limit), Some(Decimal::from(13)));

        // Without a backend the limits stay.
        station.go_offline().await.unwrap();
        assert_eq!(drawn(&site, &station, 600).await, [13_000; 3]);
        station.go_online().await.unwrap();
        station.wait_for(PATIENCE, |now| now.online && now.unsent == 0).await.unwrap();

        // With the transaction goes its profile, and the default is in force.
        station.stop(1).await.unwrap();
        station.unplug(1).await.unwrap();
        station.wait_for(PATIENCE, |now| now.unsent == 0).await.unwrap();
        begin(&station).await;
        assert_eq!(drawn(&site, &station, 30).await, [8000; 3]);
        let clear = |purpose| StationCall::ClearChargingProfile { id: None, connector: None, purpose, stack_level: None };
        assert_eq!(ask(&site, clear(Some(ProfilePurpose::Tx))).await, StationAnswer::Status("Unknown".to_owned()));
        assert!(ask(&site, clear(None)).await.is_accepted());
        assert_eq!(drawn(&site, &station, 30).await, [16_000; 3]);
        station.shutdown().await.unwrap();
        site.node.stop().await;
    }
}
