//! Ad hoc charging as drivers see it: `cargo bench --bench ad_hoc` (`-- 200` for fewer charges).
//!
//! A node as a process of its own, and in this one the provider, the stations and the drivers' phones, over loopback:
//! a thousand drivers open the page behind their code, pay and charge; each station sends a meter value every ten
//! seconds, and each phone has its page's event stream open. Told are the time to a page's first byte and its size,
//! before all that and during it, and how much of a core the node takes. docs/benchmarks.md has the targets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::panic,
    clippy::arithmetic_side_effects
)]
#![allow(clippy::as_conversions, clippy::float_arithmetic, missing_docs)]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/payments/fake.rs"]
mod fake;

use fake::Fake;
use futures_util::StreamExt;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use roamwatt::config::{Config, Secret};
use roamwatt::db::{DbError, locations, parties, payment_merchants, stations, tariffs};
use roamwatt::domain::location::Location;
use roamwatt::domain::party::{Party, PartyId, Role};
use roamwatt::domain::payment::Merchant;
use roamwatt::domain::station::{Station, StationAuth, StationConnector, StationId};
use roamwatt::domain::tariff::Tariff;
use roamwatt::node::{Node, NodeOptions};
use roamwatt::payments::code::Code;
use roamwatt::simulate::{PowerCurve, StationConfig, StationSim};
use serde_json::json;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SECRET_KEY: &str = "a key that only this bench uses, long enough";
/// From one meter value of a charge to the next.
const SAMPLES_EVERY: Duration = Duration::from_secs(10);
/// How long the running charges are looked at.
const MEASURED: Duration = Duration::from_secs(60);
/// Pages that are timed.
const PAGES: usize = 500;
/// Drivers that come at the same time.
const AT_ONCE: usize = 16;

fn main() {
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(count));
}

/// A hundred EVSEs to a location, with a price of three parts.
fn location(number: usize, evses: std::ops::Range<usize>) -> Location {
    let now = "2026-01-01T00:00:00Z";
    let evse = |at: usize| {
        json!({
            "uid": format!("E{at}"), "evse_id": format!("DE*ABC*E{at}"), "status": "AVAILABLE", "last_updated": now, "extra": {},
            "connectors": [{
                "id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE", "max_voltage": 230,
                "max_amperage": 16, "tariff_ids": ["T1"], "last_updated": now, "extra": {}
            }]
        })
    };
    serde_json::from_value(json!({
        "party": { "country_code": "DE", "party_id": "ABC" }, "id": format!("LOC{number}"), "publish": true,
        "name": "Market", "address": "Market 1", "city": "Ludwigsburg", "country": "DEU",
        "coordinates": { "latitude": "48.89", "longitude": "9.18", "extra": {} }, "time_zone": "Europe/Berlin",
        "evses": evses.map(evse).collect::<Vec<_>>(), "last_updated": now, "extra": {}
    }))
    .unwrap()
}

fn tariff() -> Tariff {
    let component = |kind: &str, price: &str, step_size: u32| json!({"type": kind, "price": price.parse::<serde_json::Number>().unwrap(), "vat": 19.0, "step_size": step_size});
    serde_json::from_value(json!({
        "party": {"country_code": "DE", "party_id": "ABC"}, "id": "T1", "currency": "EUR",
        "elements": [{"price_components": [
            component("ENERGY", "0.49", 1), component("FLAT", "0.50", 1), component("PARKING_TIME", "6.00", 60)]}],
        "last_updated": "2026-01-01T00:00:00Z", "extra": {},
    }))
    .unwrap()
}

/// Writes what the node sells; the addresses behind the codes.
async fn seed(count: usize, database: &str) -> Vec<String> {
    let mut config = Config::default();
    config.database.url = database.parse().unwrap();
    config.security.secret_key = Secret::new(SECRET_KEY);
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    let node = Node::start(config, NodeOptions::default()).await.unwrap();
    let now = node.app().now();
    let party: PartyId = "DE*ABC".parse().unwrap();
    let write = move |conn: &mut _| {
        let cpo = Party { id: party.clone(), name: "ABC".into(), website: None, roles: vec![Role::Cpo] };
        parties::insert(conn, &cpo, now)?;
        tariffs::upsert(conn, &tariff(), None)?;
        let merchant = Merchant {
            name: "ABC Charging GmbH".into(),
            address: vec!["Musterweg 1".into(), "10115 Berlin".into()],
            tax_id: Some("DE123456789".into()),
            account: None,
        };
        payment_merchants::put(conn, &party, &merchant)?;
        for first in (0..count).step_by(100) {
            let evses = first..(first + 100).min(count);
            let here = location(first / 100, evses.clone());
            locations::upsert(conn, &here, None)?;
            for at in evses {
                let station = Station::new(
                    StationId::parse(&format!("B{at}")).unwrap(),
                    party.clone(),
                    here.id.clone(),
                    StationAuth::None,
                    vec![StationConnector::new(1, format!("E{at}").into(), "1".into())],
                );
                stations::insert(conn, &station, None, now)?;
            }
        }
        Ok::<_, DbError>(())
    };
    node.app().db.write(write).await.unwrap();
    let keys = &node.app().keys;
    let code = |at: usize| Code { evse: format!("DE*ABC*E{at}"), until: None }.path(keys);
    let codes = (0..count).map(code).collect();
    node.stop().await;
    codes
}

/// The node as a user runs it. It ends with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    fn start(folder: &Path, database: &str, port: u16, provider: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_roamwatt"))
            .arg("serve")
            .current_dir(folder)
            .env("ROAMWATT_DATABASE__URL", database)
            .env("ROAMWATT_SECURITY__SECRET_KEY", SECRET_KEY)
            .env("ROAMWATT_SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("ROAMWATT_LOG__LEVEL", "warn")
            .env("ROAMWATT_OCPP__ALLOW_NO_AUTH", "true")
            .env("ROAMWATT_OCPP__METER_VALUE_INTERVAL", format!("{}s", SAMPLES_EVERY.as_secs()))
            .env("ROAMWATT_LIMITS__ADDRESS_PER_SECOND", "100000")
            .env("ROAMWATT_LIMITS__ADDRESS_BURST", "100000")
            .env("ROAMWATT_PAYMENTS__PROVIDER", "stripe")
            .env("ROAMWATT_PAYMENTS__STRIPE_URL", provider)
            .env("ROAMWATT_PAYMENTS__STRIPE_PUBLISHABLE_KEY", "pk_test_1")
            .env("ROAMWATT_PAYMENTS__STRIPE_SECRET_KEY", fake::SECRET_KEY)
            .env("ROAMWATT_PAYMENTS__STRIPE_WEBHOOK_SECRET", fake::WEBHOOK_SECRET)
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Time that all of its threads were on a core; those that ended are not counted.
    fn cpu(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.0.id())).unwrap();
        let nanos = threads.filter_map(|thread| {
            let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }

    /// Memory that it holds, MiB.
    fn memory(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }
}

/// The drivers' phones.
#[derive(Clone)]
struct Phones {
    base: String,
    client: Client,
}

impl Phones {
    async fn get(&self, path: &str) -> String {
        let response = self.client.get(format!("{}{path}", self.base)).send().await.unwrap();
        assert!(response.status().is_success() || response.status().is_redirection(), "{path}: {response:?}");
        response.text().await.unwrap()
    }

    /// From the code to a hold; the address of the payment.
    async fn pay(&self, fake: &Fake, code: &str) -> String {
        let offer = self.get(code).await;
        let body = format!("nonce={}&email=", between(&offer, "name=\"nonce\" value=\"", "\""));
        let request = self.client.post(format!("{}{code}", self.base)).body(body);
        let begun = request.header("Content-Type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert_eq!(begun.status(), StatusCode::SEE_OTHER);
        let charge = begun.headers()[LOCATION].to_str().unwrap().to_owned();
        let page = self.get(&charge).await;
        let intent = format!("pi_{}", between(&page, "pi_", "_secret"));
        fake.pay(&intent);
        self.get(&format!("{charge}/back")).await;
        charge
    }

    /// Times a page as a phone gets it that was never here: its first byte, each time on a new connection.
    async fn time(&self, what: &str, paths: &[String]) {
        let stranger =
            Client::builder().no_proxy().redirect(Policy::none()).pool_max_idle_per_host(0).build().unwrap();
        let mut times = Vec::new();
        for at in 0..PAGES {
            let url = format!("{}{}", self.base, paths[at % paths.len()]);
            let begun = Instant::now();
            let response = stranger.get(url).header(ACCEPT_ENCODING, "gzip").send().await.unwrap();
            times.push(begun.elapsed());
            assert_eq!(response.status(), StatusCode::OK);
            drop(response.bytes().await.unwrap());
        }
        times.sort_unstable();
        let quantile = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
        let (plain, packed) = self.size(&paths[0]).await;
        println!(
            "{what}: first byte p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms; {plain} bytes with its script, {packed} as sent",
            quantile(50),
            quantile(99),
            quantile(100)
        );
    }

    /// Bytes of a page and of its script: plain, and as they go over the line.
    async fn size(&self, path: &str) -> (usize, usize) {
        let page = self.get(path).await;
        let script = format!("/pay/assets/{}", between(&page, "src=\"/pay/assets/", "\""));
        let (mut plain, mut packed) = (0, 0);
        for path in [path, &script] {
            plain += self.get(path).await.len();
            let request = self.client.get(format!("{}{path}", self.base)).header(ACCEPT_ENCODING, "gzip");
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
            packed += response.bytes().await.unwrap().len();
        }
        (plain, packed)
    }

    /// Keeps the stream of a payment's page open and counts its events.
    async fn listen(self, charge: String, events: Arc<AtomicUsize>) {
        let response = self.client.get(format!("{}{charge}/events", self.base)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut stream = response.bytes_stream();
        while let Some(part) = stream.next().await {
            let Ok(part) = part else { return };
            if part.starts_with(b"event: payment") {
                events.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("there is no {from} in {text}"));
    rest.split_once(to).unwrap().0
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(180);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn run(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("bench.db").display());
    let codes = seed(count, &database).await;
    let fake = Fake::start();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let node = Process::start(folder.path(), &database, port, &fake.url);
    let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let phones = Phones { base: format!("http://127.0.0.1:{port}"), client };
    let health = format!("{}/readyz", phones.base);
    let end = Instant::now() + Duration::from_secs(30);
    while !phones.client.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(Instant::now() < end, "the node does not answer");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let spawn = |at: usize| {
        let mut config = StationConfig::new(format!("ws://127.0.0.1:{port}/ocpp"), format!("B{at}"));
        config.curve = PowerCurve::Ac { watts: 11_040, phases: 3 };
        config.meter_interval = SAMPLES_EVERY;
        config.auto_plug = Some(Duration::from_secs(2));
        config.seed = at as u64;
        StationSim::spawn(config).unwrap()
    };
    let stations: Vec<StationSim> = (0..count).map(spawn).collect();
    until("all stations are let in", || stations.iter().all(|station| station.snapshot().accepted)).await;
    phones.time("offer, nobody charges", &codes).await;

    let begun = Instant::now();
    let events = Arc::new(AtomicUsize::new(0));
    let pay = |code: String| {
        let (phones, fake, events) = (phones.clone(), fake.clone(), Arc::clone(&events));
        async move {
            let charge = phones.pay(&fake, &code).await;
            let listening = tokio::spawn(phones.listen(charge.clone(), events));
            (charge, listening)
        }
    };
    let paid: Vec<_> =
        futures_util::stream::iter(codes.clone()).map(pay).buffer_unordered(AT_ONCE).collect().await;
    println!("{count} drivers paid within {:.1} s", begun.elapsed().as_secs_f64());
    let charging = |station: &StationSim| station.snapshot().connector(1).is_some_and(|one| one.charging);
    until("all charge", || stations.iter().all(charging)).await;
    let charges: Vec<String> = paid.iter().map(|(charge, _)| charge.clone()).collect();
    tokio::time::sleep(2 * SAMPLES_EVERY).await;

    let (cpu, told, begun) = (node.cpu(), events.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(MEASURED).await;
    let (cpu, seconds) = (node.cpu() - cpu, begun.elapsed().as_secs_f64());
    let told = events.load(Ordering::Relaxed) - told;
    println!(
        "{count} charges, a sample each {} s, as many open streams, {seconds:.0} s: {:.0} % of a core, {told} events told, {} MiB",
        SAMPLES_EVERY.as_secs(),
        cpu.as_secs_f64() / seconds * 100.0,
        node.memory(),
    );
    assert!(paid.iter().all(|(_, listening)| !listening.is_finished()), "all streams are open");
    assert!(stations.iter().all(charging), "all still charge");
    phones.time("offer, all charge", &codes).await;
    phones.time("charge, all charge", &charges).await;
    for station in &stations {
        drop(station.shutdown().await);
    }
}
