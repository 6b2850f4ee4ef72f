//! From a new limit of the grid operator to the last decrease at a station: a node in this process, a thousand
//! simulated stations that charge, over real sockets on the loopback interface.
//!
//! `cargo bench --bench grid_limit` (`-- 200` for fewer stations). Each limit is lower than the one before, so that
//! every station has to be told each time. The clients share the machine's cores with the node.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::as_conversions)]
#![allow(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::indexing_slicing, clippy::panic)]

use roamwatt::config::{Config, Secret};
use roamwatt::db::{DbError, load, locations, parties, stations, tokens};
use roamwatt::domain::Timestamp;
use roamwatt::domain::location::Location;
use roamwatt::domain::party::{Party, PartyId, Role};
use roamwatt::domain::station::{Station, StationAuth, StationConnector, StationId};
use roamwatt::domain::token::{Token, TokenType, Whitelist};
use roamwatt::load::control::GridLimit;
use roamwatt::load::ledger::{Entry, Trust};
use roamwatt::load::site::Site;
use roamwatt::node::{Node, NodeOptions};
use roamwatt::simulate::{CarConfig, PowerCurve, StationConfig, StationSim};
use std::time::{Duration, Instant};

fn main() {
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(count));
}

fn site(count: usize) -> Site {
    let mut text = "id = 'bench'\n[grid_control]\nfailsafe_watts = 4200\nheartbeat_seconds = 100000\n\
                    [[node]]\nid = 'grid'\namps = 100000\n"
        .to_owned();
    for at in 0..count {
        text += &format!(
            "[[station]]\nid = 'B{at}'\nparent = 'grid'\n[[station.connector]]\nnumber = 1\namps = 16\n"
        );
    }
    Site::from_toml(&text).unwrap()
}

fn location(count: usize) -> Location {
    let evse = |at: usize| {
        serde_json::json!({
            "uid": format!("E{at}"), "status": "AVAILABLE", "last_updated": "2026-01-01T00:00:00Z", "extra": {},
            "connectors": [{
                "id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE",
                "max_voltage": 230, "max_amperage": 16, "last_updated": "2026-01-01T00:00:00Z", "extra": {}
            }]
        })
    };
    let evses: Vec<_> = (0..count).map(evse).collect();
    serde_json::from_value(serde_json::json!({
        "party": { "country_code": "DE", "party_id": "ABC" }, "id": "LOC1", "publish": true, "address": "Market 1", "city": "Ludwigsburg",
        "country": "DEU", "coordinates": { "latitude": "48.89", "longitude": "9.18", "extra": {} },
        "time_zone": "Europe/Berlin", "evses": evses, "last_updated": "2026-01-01T00:00:00Z", "extra": {}
    }))
    .unwrap()
}

fn token(at: usize, now: Timestamp) -> Token {
    Token {
        party: "DE*EMP".parse().unwrap(),
        uid: format!("T{at}").into(),
        token_type: TokenType::Rfid,
        contract_id: format!("DE-EMP-C{at}").into(),
        visual_number: None,
        issuer: "Emp".to_owned(),
        group_id: None,
        valid: true,
        whitelist: Whitelist::Always,
        language: None,
        default_profile_type: None,
        energy_contract: None,
        last_updated: now,
        extra: roamwatt::domain::Extra::new(),
    }
}

async fn start(count: usize, file: &std::path::Path) -> Node {
    let mut config = Config::default();
    config.database.url = format!("sqlite://{}", file.display()).parse().unwrap();
    config.security.secret_key = Secret::new("a key that only this bench uses, long enough");
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    config.ocpp.allow_no_auth = true;
    config.limits.address_per_second = 100_000;
    config.limits.address_burst = 100_000;
    let node = Node::start(config, NodeOptions::default()).await.unwrap();
    let now = node.app().now();
    let party: PartyId = "DE*ABC".parse().unwrap();
    let seed = move |conn: &mut _| {
        let cpo = Party { id: party.clone(), name: "ABC".into(), website: None, roles: vec![Role::Cpo] };
        parties::insert(conn, &cpo, now)?;
        locations::upsert(conn, &location(count), None)?;
        let mut pages = Vec::new();
        for at in 0..count {
            tokens::upsert(conn, &token(at, now), None)?;
            let station = Station::new(
                StationId::parse(&format!("B{at}")).unwrap(),
                party.clone(),
                "LOC1".into(),
                StationAuth::None,
                vec![StationConnector::new(1, format!("E{at}").into(), "1".into())],
            );
            stations::insert(conn, &station, None, now)?;
            let mut page = Entry::new(160);
            page.trust = Trust::Proven;
            pages.push((format!("B{at}"), 1, page));
        }
        load::keep_pages(conn, &pages)?;
        load::put(conn, &site(count), now)?;
        Ok::<_, DbError>(())
    };
    node.app().db.write(seed).await.unwrap();
    node.app().energy.sites_changed();
    node
}

/// Waits until every station is so; what was not is told.
async fn all(
    stations: &[StationSim],
    what: &str,
    is_so: impl Fn(&roamwatt::simulate::ConnectorSnapshot) -> bool,
) {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let left =
            stations.iter().filter(|station| !station.snapshot().connector(1).is_some_and(&is_so)).count();
        if left == 0 {
            return;
        }
        assert!(Instant::now() < end, "{left} stations: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn run(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let node = start(count, &folder.path().join("bench.db")).await;
    let energy = &node.app().energy;
    while energy.view("bench").await.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    energy.limit("bench", GridLimit { watts: None, until: None }).await;
    let url = format!("ws://{}/ocpp", node.addr());
    let spawn = |at: usize| {
        let mut config = StationConfig::new(&url, format!("B{at}"));
        config.curve = PowerCurve::Ac { watts: 11_040, phases: 3 };
        config.meter_interval = Duration::from_secs(60);
        config.seed = at as u64;
        StationSim::spawn(config).unwrap()
    };
    let stations: Vec<StationSim> = (0..count).map(spawn).collect();
    all(&stations, "have no standing limit", |connector| connector.limits.default == Some(0)).await;
    println!("{count} stations are connected and have their standing limits");
    let begin = |(at, station): (usize, &StationSim)| {
        let station = station.clone();
        tokio::spawn(async move {
            station.plug_in_like(1, CarConfig::new(80_000, 100)).await.unwrap();
            station.present_token(1, &format!("T{at}")).await.unwrap();
        })
    };
    for task in stations.iter().enumerate().map(begin).collect::<Vec<_>>() {
        task.await.unwrap();
    }
    all(&stations, "were not granted 16 A", |connector| connector.limits.transaction == Some(160)).await;
    println!("all charge with 16 A");
    let mut times = Vec::new();
    for tenths in (61..=158).rev().step_by(3) {
        let watts = f64::from(tenths) / 10.0 * 690.0 * count as f64 + 1.0;
        let begun = Instant::now();
        energy.limit("bench", GridLimit { watts: Some(watts), until: None }).await;
        let wanted = u64::from(tenths as u32);
        all(&stations, "were not lowered", |connector| {
            connector.limits.transaction.is_some_and(|limit| limit <= wanted)
        })
        .await;
        times.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!(
        "from a new grid limit to the last of {count} stations that keeps it, {} times: p50 {:?}, p99 {:?}, most {:?}",
        times.len(),
        at(50),
        at(99),
        at(100)
    );
    for station in &stations {
        drop(station.shutdown().await);
    }
    node.stop().await;
}
