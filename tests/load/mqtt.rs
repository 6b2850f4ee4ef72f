//! A site meter over a real MQTT broker: mosquitto, on a port of its own, with a password.

use crate::support::db::{Engine, TestDb, run_test};
use crate::support::node::TestNode;
use crate::support::not_run::not_run;
use roamwatt::clock::Clock;
use roamwatt::config::Secret;
use roamwatt::db::DbError;
use roamwatt::energy::sites::put_site;
use roamwatt::load::control::SiteView;
use roamwatt::load::rows::Quantity;
use roamwatt::load::site::Site;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const USER: &str = "roamwatt";
const PASSWORD: &str = "only for this broker";
const TOPIC: &str = "shellypro3em-test/status/em:0";

/// A program of mosquitto, which Debian keeps out of a user's PATH.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The broker's programs, or `None`, told, where they are missing. `tests/run` installs them.
fn programs() -> Option<[PathBuf; 3]> {
    let found = ["mosquitto", "mosquitto_passwd", "mosquitto_pub"].map(program);
    if let [Some(broker), Some(passwords), Some(publish)] = found {
        return Some([broker, passwords, publish]);
    }
    not_run("load::mqtt", "mosquitto (tests/run installs it)");
    let compulsory = std::env::var_os("ROAMWATT_REQUIRE_MOSQUITTO").is_some();
    assert!(!compulsory, "mosquitto or mosquitto-clients is missing");
    None
}

/// A broker, which ends with the test.
struct Broker {
    programs: [PathBuf; 3],
    port: u16,
    config: PathBuf,
    running: Option<Child>,
}

impl Broker {
    /// On a free port of the loopback address, with its files in that folder.
    fn start(programs: [PathBuf; 3], folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (config, passwords) = (folder.join("mosquitto.conf"), folder.join("passwords"));
        let made =
            Command::new(&programs[1]).arg("-b").arg("-c").arg(&passwords).args([USER, PASSWORD]).output();
        assert!(made.as_ref().unwrap().status.success(), "{made:?}");
        // As root it would become another user, who may not read this folder.
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {}\npersistence false\nuser root\n",
            passwords.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut broker = Self { programs, port, config, running: None };
        broker.run();
        broker
    }

    fn run(&mut self) {
        let child = Command::new(&self.programs[0])
            .arg("-c")
            .arg(&self.config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.running = Some(child);
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(10), "mosquitto does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn publish(&self, topic: &str, message: &str, more: &[&str]) {
        let port = self.port.to_string();
        let said = Command::new(&self.programs[2])
            .args(["-h", "127.0.0.1", "-p", &port, "-u", USER, "-P", PASSWORD, "-t", topic, "-m", message])
            .args(more)
            .output()
            .unwrap();
        assert!(said.status.success(), "{said:?}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            // No panic here, since a failing test may be unwinding already.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn site(topic: &str) -> Site {
    Site::from_toml(&format!(
        r#"
id = "office"
[[node]]
id = "grid"
amps = 63
[[station]]
id = "A"
parent = "grid"
connector = [{{ number = 1, amps = 16 }}]
[[meter]]
id = "main"
node = "grid"
measures = "background"
worst_amps = 40
stale_seconds = 3
[meter.mqtt]
topic = "{topic}"
l1 = "/a_current"
l2 = "/b_current"
l3 = "/c_current"
"#
    ))
    .unwrap()
}

async fn write(node: &TestNode, site: Site) {
    let app = node.app();
    let now = app.now();
    app.db
        .write(move |conn| {
            put_site(conn, &site, now).unwrap();
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    app.energy.sites_changed();
}

/// What the site's phases have for cars, and whether its meter is good.
fn seen(view: &SiteView) -> ([f64; 3], bool) {
    let cap = |of: Quantity| view.rows.iter().find(|row| row.node == "grid" && row.of == of).unwrap().cap;
    ([Quantity::L1, Quantity::L2, Quantity::L3].map(cap), view.meters[0].1)
}

/// Does something again and again until the site is seen so.
async fn until(node: &TestNode, wanted: ([f64; 3], bool), mut again: impl FnMut()) {
    let begin = Instant::now();
    loop {
        again();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let view = node.app().energy.view("office").await;
        if view.as_ref().map(seen) == Some(wanted) {
            return;
        }
        let passed = begin.elapsed();
        assert!(passed < Duration::from_secs(30), "wanted {wanted:?}, seen {:?}", view.as_ref().map(seen));
    }
}

/// 63 A less the meter's worst case.
const WORST: ([f64; 3], bool) = ([23.0; 3], false);

async fn story(db: TestDb, programs: [PathBuf; 3]) {
    let mut broker = Broker::start(programs, db.folder());
    let message = r#"{"a_current": 20, "b_current": "10.5", "c_current": 3.0}"#;
    let measured = ([43.0, 52.5, 60.0], true);
    // Nobody knows how old that is.
    broker.publish(TOPIC, r#"{"a_current": 1, "b_current": 1, "c_current": 1}"#, &["-r"]);
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let node = TestNode::start_with(db.url(), Clock::System, |config| {
        config.load.mqtt_url = Some(url.parse().unwrap());
        config.load.mqtt_user = USER.to_owned();
        config.load.mqtt_password = Secret::new(PASSWORD);
    })
    .await;
    write(&node, site(TOPIC)).await;
    until(&node, WORST, || ()).await;
    until(&node, measured, || broker.publish(TOPIC, message, &[])).await;

    for garbage in ["offline", "{}", r#"{"a_current": 20, "b_current": null, "c_current": 3}"#, "1e999", ""] {
        until(&node, WORST, || broker.publish(TOPIC, garbage, &[])).await;
        until(&node, measured, || broker.publish(TOPIC, message, &[])).await;
    }

    // Silence, of the meter or of the broker, is the worst case.
    broker.stop();
    until(&node, WORST, || ()).await;
    broker.run();
    until(&node, measured, || broker.publish(TOPIC, message, &[])).await;

    // Another topic is asked for while the node runs, and the first one counts no more. The highest of a minute
    // counts, so these are higher than what was there.
    write(&node, site("other")).await;
    let message = r#"{"a_current": 30, "b_current": 30, "c_current": 30}"#;
    let measured = ([33.0; 3], true);
    until(&node, measured, || broker.publish("other", message, &[])).await;
    for _ in 0..5 {
        broker.publish(TOPIC, r#"{"a_current": 50, "b_current": 50, "c_current": 50}"#, &[]);
        broker.publish("other", message, &[]);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(node.app().energy.view("office").await.as_ref().map(seen), Some(measured));
    }
    node.stop().await;
}

#[test]
fn a_meter_is_read_lost_and_found_again() {
    let Some(programs) = programs() else { return };
    run_test(Engine::Sqlite, "load::mqtt", |db| story(db, programs));
}
