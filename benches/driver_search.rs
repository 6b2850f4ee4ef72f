//! How fast drivers find places: 100,000 EVSEs of partners and ours, 200 requests a second through HTTP on loopback,
//! for half a minute: `cargo bench --bench driver_search`. A request's time runs from the moment at which it was due to
//! the last byte of its answer, so that one that waits counts as what it is. docs/benchmarks.md has the target.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::arithmetic_side_effects
)]
#![allow(clippy::as_conversions, clippy::float_arithmetic, missing_docs)]

use fastrand::Rng;
use roamwatt::config::{Config, Secret};
use roamwatt::db::{DbError, locations, parties, tariffs};
use roamwatt::domain::location::Location;
use roamwatt::domain::party::{Party, Role};
use roamwatt::domain::tariff::Tariff;
use roamwatt::driver::apps::{NewApp, add, new_app_secret};
use roamwatt::node::{Node, NodeOptions};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Places; each has two or three EVSEs, a hundred thousand in all.
const PLACES: usize = 40_000;
const PER_SECOND: u32 = 200;
const SECONDS: u32 = 30;
/// Of the load generator, so that none waits for a connection.
const CONNECTIONS: usize = 32;

/// Half of all places are in fifty towns, the others anywhere between Portugal and Finland.
fn position(rng: &mut Rng, at: usize) -> (f64, f64) {
    if at.is_multiple_of(2) {
        let (latitude, longitude) = town(at / 2 % 50);
        (latitude + rng.f64() * 0.2 - 0.1, longitude + rng.f64() * 0.3 - 0.15)
    } else {
        (37.0 + rng.f64() * 28.0, -9.0 + rng.f64() * 35.0)
    }
}

fn town(number: usize) -> (f64, f64) {
    (38.0 + (number * 7 % 50) as f64 * 0.5, -8.0 + (number * 13 % 50) as f64 * 0.65)
}

fn place(rng: &mut Rng, at: usize) -> Location {
    let (latitude, longitude) = position(rng, at);
    let now = "2026-01-01T00:00:00Z";
    let evses: Vec<Value> = (0..2 + at % 2)
        .map(|number| {
            let fast = rng.u8(0..4) == 0;
            let status = ["AVAILABLE", "AVAILABLE", "CHARGING", "OUTOFORDER"][rng.usize(0..4)];
            json!({
                "uid": format!("E{at}-{number}"), "evse_id": format!("DE*ABC*E{at}*{number}"),
                "status": status, "status_schedule": null, "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
                "connectors": [{
                    "id": "1", "standard": if fast { "IEC_62196_T2_COMBO" } else { "IEC_62196_T2" },
                    "format": "CABLE", "power_type": if fast { "DC" } else { "AC_3_PHASE" },
                    "max_voltage": 400, "max_amperage": 32,
                    "max_electric_power": if fast { 150_000 } else { 22_000 },
                    "tariff_ids": [format!("T{}", at % 200)], "terms_and_conditions": null,
                    "last_updated": now, "extra": {},
                }],
                "floor_level": null, "coordinates": null, "physical_reference": null, "directions": null,
                "parking_restrictions": null, "images": null, "last_updated": now, "extra": {},
            })
        })
        .collect();
    serde_json::from_value(json!({
        "party": {"country_code": "DE", "party_id": "ABC"}, "id": format!("LOC{at}"), "publish": true,
        "publish_allowed_to": null, "name": format!("Place {at}"), "address": format!("Street {at}"),
        "city": "Town", "postal_code": "12345", "state": null, "country": "DEU",
        "coordinates": {"latitude": format!("{latitude:.5}"), "longitude": format!("{longitude:.5}")},
        "related_locations": null, "parking_type": null, "evses": evses, "directions": null,
        "operator": {"name": "Operator"}, "suboperator": null, "owner": null, "facilities": null,
        "time_zone": "Europe/Berlin",
        "opening_times": {"twentyfourseven": !at.is_multiple_of(3), "regular_hours": [
            {"weekday": 1, "period_begin": "08:00", "period_end": "20:00"},
            {"weekday": 6, "period_begin": "08:00", "period_end": "20:00"}]},
        "charging_when_closed": null, "images": null, "energy_mix": null, "last_updated": now, "extra": {},
    }))
    .unwrap()
}

fn tariff(at: usize) -> Tariff {
    serde_json::from_value(json!({
        "party": {"country_code": "DE", "party_id": "ABC"}, "id": format!("T{at}"), "currency": "EUR",
        "elements": [{"price_components": [
            {"type": "ENERGY", "price": (300 + at) as f64 / 1000.0, "vat": 19.0, "step_size": 1}]}],
        "last_updated": "2026-01-01T00:00:00Z", "extra": {},
    }))
    .unwrap()
}

/// What drivers ask: mostly around where they are, with a filter or without, now and then a map of much. What kind of
/// question it is, and its path.
fn request(rng: &mut Rng) -> (&'static str, String) {
    let (latitude, longitude) = town(rng.usize(0..50));
    let filter =
        ["", "&free=true", "&min_power_kw=50", "&standard=IEC_62196_T2&max_price_kwh=0.50", "&open=true"]
            [rng.usize(0..5)];
    match rng.u8(0..20) {
        0..=10 => {
            ("around", format!("/locations?latitude={latitude}&longitude={longitude}&radius=5000{filter}"))
        }
        11..=15 => {
            let (west, south) = (longitude - 0.1, latitude - 0.05);
            ("box", format!("/locations?bbox={west},{south},{},{}{filter}", west + 0.2, south + 0.1))
        }
        16..=18 => {
            let (west, south) = (longitude - 3.0, latitude - 2.0);
            (
                "country",
                format!("/clusters?bbox={west},{south},{},{}&zoom=8{filter}", west + 6.0, south + 4.0),
            )
        }
        _ => ("continent", format!("/clusters?bbox=-12,35,30,68&zoom=5{filter}")),
    }
}

/// A request that was answered.
struct Answered {
    kind: &'static str,
    time: Duration,
    size: usize,
}

fn tell<'a>(kind: &str, answers: impl Iterator<Item = &'a Answered>) {
    let (mut times, mut bytes) = (Vec::new(), 0);
    for answer in answers {
        times.push(answer.time);
        bytes += answer.size;
    }
    times.sort_unstable();
    let quantile = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    println!(
        "  {kind:<9}  {:>5} requests, {:>7} bytes each: p50 {:>6.2} ms, p90 {:>6.2} ms, p99 {:>6.2} ms, longest {:>6.2} ms",
        times.len(),
        bytes / times.len(),
        quantile(50),
        quantile(90),
        quantile(99),
        quantile(100),
    );
}

async fn fill(node: &Node) {
    let now = node.app().now();
    let party = |id: &str, role| Party {
        id: id.parse().unwrap(),
        name: id.to_owned(),
        website: None,
        roles: vec![role],
    };
    let (cpo, emsp) = (party("DE*ABC", Role::Cpo), party("DE*EMP", Role::Emsp));
    let write = move |conn: &mut _| {
        parties::insert(conn, &cpo, now)?;
        parties::insert(conn, &emsp, now)?;
        (0..200).try_for_each(|at| tariffs::upsert(conn, &tariff(at), None))
    };
    node.app().db.write::<_, DbError, _>(write).await.unwrap();
    for begin in (0..PLACES).step_by(2_000) {
        let mut rng = Rng::with_seed(begin as u64);
        let places: Vec<Location> = (begin..begin + 2_000).map(|at| place(&mut rng, at)).collect();
        let write = move |conn: &mut _| places.iter().try_for_each(|one| locations::upsert(conn, one, None));
        node.app().db.write::<_, DbError, _>(write).await.unwrap();
    }
}

/// A token of a driver, as an app gets it.
async fn token(node: &Node, client: &reqwest::Client, base: &str) -> String {
    let (secret, hash) = new_app_secret(&node.app().keys);
    let new =
        NewApp { id: "bench".into(), name: "Bench".into(), party: "DE*EMP".parse().unwrap(), oidc: None };
    let now = node.app().now();
    let add = move |conn: &mut _| Ok::<_, DbError>(add(conn, &new, &hash, now).unwrap());
    node.app().db.write(add).await.unwrap();
    let body = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=u&\
                subject_token_type=urn:roamwatt:params:oauth:token-type:user-id";
    let request = client.post(format!("{base}/token")).basic_auth("bench", Some(secret));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
    let tokens: Value = request.send().await.unwrap().json().await.unwrap();
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.database.url = format!("sqlite://{}", folder.path().join("bench.db").display()).parse().unwrap();
    config.security.secret_key = Secret::new("a key that only this bench uses, long enough");
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    for limit in [
        &mut config.limits.token_per_second,
        &mut config.limits.token_burst,
        &mut config.limits.address_per_second,
        &mut config.limits.address_burst,
        &mut config.driver.app_per_second,
        &mut config.driver.app_burst,
        &mut config.driver.driver_per_second,
        &mut config.driver.driver_burst,
    ] {
        *limit = 100_000;
    }
    let node = Node::start(config, NodeOptions::default()).await.unwrap();
    let base = format!("http://{}/driver/v1", node.addr());
    fill(&node).await;
    let begun = Instant::now();
    while node.app().search.now().len() < PLACES {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let evses: usize = node.app().search.now().places().iter().map(|place| place.spots.len()).sum();
    println!(
        "{PLACES} places with {evses} EVSEs, in the index {:.1} s after they were written",
        begun.elapsed().as_secs_f64()
    );
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(CONNECTIONS).build().unwrap();
    let token = token(&node, &client, &base).await;
    let mut rng = Rng::with_seed(11);
    for pass in ["warm", "measured"] {
        let seconds = if pass == "warm" { 3 } else { SECONDS };
        let start = Instant::now() + Duration::from_millis(100);
        let mut tasks = Vec::new();
        for number in 0..PER_SECOND * seconds {
            let due = start + Duration::from_secs(1) * number / PER_SECOND;
            let (kind, path) = request(&mut rng);
            let request = client.get(format!("{base}{path}")).bearer_auth(&token);
            tasks.push(tokio::spawn(async move {
                tokio::time::sleep_until(due.into()).await;
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 200);
                let size = response.bytes().await.unwrap().len();
                Answered { kind, time: due.elapsed(), size }
            }));
        }
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        println!("{pass}, {PER_SECOND} a second:");
        for kind in ["around", "box", "country", "continent"] {
            tell(kind, answers.iter().filter(|answer| answer.kind == kind));
        }
        tell("all", answers.iter());
    }
    node.stop().await;
}

fn main() {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(run());
}
