//! A station that others wrote, the Python packages `ocpp` and `websockets`, against the node: it checks every
//! answer against OCPP's own schemas.

use crate::charging::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::not_run::not_run;
use roamwatt::charging::{StationAnswer, StationCall};
use roamwatt::config::Config;
use roamwatt::db::{station_access, stations};
use roamwatt::domain::session::SessionStatus;
use roamwatt::domain::station::{ConnectorStatus, StationId};
use serde_json::Value;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PASSWORD: &str = "a-python-password-20";

/// The Python that has the packages, or `None`, told, where there is none.
fn python() -> Option<OsString> {
    let python = std::env::var_os("ROAMWATT_TEST_PYTHON");
    if python.is_none() {
        not_run("ocpp::python_station", "Python with the package `ocpp` (tests/run installs it)");
        assert!(std::env::var_os("ROAMWATT_REQUIRE_SHARED").is_none(), "ROAMWATT_TEST_PYTHON is not set");
    }
    python
}

/// A site whose CS0 has a password.
async fn site(db: &TestDb, change: impl FnOnce(&mut Config)) -> Site {
    let site = Site::start(db.url(), 1, change).await;
    let app = site.node.app();
    let (hash, now) = (app.keys.hash(PASSWORD), app.now());
    app.db.write(move |conn| station_access::set_password(conn, &cs0(), Some(&hash), now)).await.unwrap();
    site
}

fn cs0() -> StationId {
    StationId::parse("CS0").unwrap()
}

fn spawn(site: &Site, python: &OsString, story: &str, password: &str, more: &[&str]) -> Child {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/python/station.py");
    Command::new(python)
        .arg(script)
        .args([story, &site.node.ws_url("/ocpp"), "CS0", password])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the station tells at its end, which must be a good one.
async fn told(child: Child) -> Value {
    // The script ends by itself: it waits for nothing longer than 20 seconds.
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

on_each_engine! {
    async fn a_whole_charge(db: TestDb) {
        let Some(python) = python() else { return };
        let site = site(&db, |_| ()).await;
        let told = told(spawn(&site, &python, "charge", PASSWORD, &["04A1"])).await;
        assert_eq!(told["configuration"]["MeterValueSampleInterval"], "60");
        let sessions = site.sessions().await;
        assert_eq!(sessions.len(), 1);
        assert_eq!(sessions[0].kwh.decimal().normalize().to_string(), "2");
        site.settle_after(61).await;
        assert_eq!(site.cdr_at(0).await.total_energy.decimal().normalize().to_string(), "2");
        let station = site.node.app().db.read(|conn| stations::find(conn, &cs0())).await.unwrap().unwrap();
        assert_eq!(station.boot.unwrap().vendor, "Python");
        assert_eq!(station.connectors[0].status, Some(ConnectorStatus::Available));
    }

    async fn a_charge_that_is_started_and_stopped_from_here(db: TestDb) {
        let Some(python) = python() else { return };
        let site = site(&db, |_| ()).await;
        let app = site.node.app();
        let child = spawn(&site, &python, "remote", PASSWORD, &[]);
        until(|| async { app.stations.is_connected(&cs0()) }).await;
        let start = StationCall::RemoteStart { connector: Some(1), id_tag: "04A1".to_owned() };
        assert_eq!(app.stations.call(&cs0(), start, None).await, Ok(StationAnswer::Status("Accepted".to_owned())));
        until(|| async { site.sessions().await.iter().any(|session| !session.kwh.is_zero()) }).await;
        let keys = StationCall::GetConfiguration { keys: vec!["MeterValueSampleInterval".to_owned()] };
        let configuration = app.stations.call(&cs0(), keys, None).await.unwrap();
        assert!(matches!(configuration, StationAnswer::Configuration { keys, .. } if keys.len() == 1));
        let running = roamwatt::db::charges::active_at;
        let charge = app.db.read(move |conn| running(conn, "CS0", Some(1))).await.unwrap().remove(0);
        let stop = StationCall::RemoteStop { transaction_id: charge.transaction_id };
        assert!(app.stations.call(&cs0(), stop, None).await.unwrap().is_accepted());
        let told = told(child).await;
        assert_eq!(told["transaction_id"], charge.transaction_id);
        assert_eq!(told["id_tag"], "04A1");
        let sessions = site.sessions().await;
        assert_eq!(sessions[0].kwh.decimal().normalize().to_string(), "3");
        assert_ne!(sessions[0].status, SessionStatus::Invalid);
    }

    async fn a_wrong_password(db: TestDb) {
        let Some(python) = python() else { return };
        let site = site(&db, |_| ()).await;
        assert_eq!(told(spawn(&site, &python, "refused", "not-the-password", &[])).await["status"], 401);
        assert!(!site.node.app().stations.is_connected(&cs0()));
    }

    async fn a_malformed_frame(db: TestDb) {
        let Some(python) = python() else { return };
        let site = site(&db, |_| ()).await;
        let told = told(spawn(&site, &python, "malformed", PASSWORD, &[])).await;
        let errors = told["errors"].as_array().unwrap();
        let codes: Vec<&str> = errors.iter().map(|error| error[2].as_str().unwrap()).collect();
        assert_eq!(codes, ["FormationViolation", "OccurenceConstraintViolation", "NotImplemented"]);
        assert!(errors[1][3].as_str().unwrap().contains("$.chargePointModel"), "{errors:?}");
    }
}

/// Waits until something is so.
async fn until<F: Future<Output = bool>>(so: impl Fn() -> F) {
    for _ in 0..200 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come to be so");
}
