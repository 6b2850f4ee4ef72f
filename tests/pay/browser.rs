//! A driver with a phone: chromium, headless, from the code to the receipt, against a simulated station and a Stripe
//! server that we did not write. Screenshots are kept in `target/screenshots`.
//!
//! localstripe knows a card element only; `tests/python/stripe_shim.js` puts what our pages use before it.

use super::scene::code_of;
use crate::payments::fake::Fake;
use crate::payments::scene::Scene;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::not_run::not_run;
use roamwatt::domain::payment::PaymentState;
use roamwatt::domain::station::StationId;
use roamwatt::simulate::{StationConfig, StationSim};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The programs that the tests need; none, told, where one is missing.
struct Tools {
    python: OsString,
    chromium: OsString,
}

impl Tools {
    fn find() -> Option<Self> {
        let found = (std::env::var_os("ROAMWATT_TEST_PYTHON"), std::env::var_os("ROAMWATT_TEST_CHROMIUM"));
        let (Some(python), Some(chromium)) = found else {
            not_run("pay::browser", "chromium and playwright (tests/run installs them)");
            assert!(
                std::env::var_os("ROAMWATT_REQUIRE_SHARED").is_none(),
                "ROAMWATT_TEST_CHROMIUM is not set"
            );
            return None;
        };
        Some(Self { python, chromium })
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR")));
        command.env("ROAMWATT_TEST_CHROMIUM", &self.chromium);
        command
    }

    /// What the driver saw.
    async fn drive(&self, task: Value) -> Value {
        let mut process =
            self.script("browser.py").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        process.stdin.take().unwrap().write_all(task.to_string().as_bytes()).unwrap();
        let output = tokio::task::spawn_blocking(|| process.wait_with_output()).await.unwrap().unwrap();
        assert!(output.status.success(), "the browser's script failed");
        let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(seen["failed"].is_null(), "{}\n{:#}", seen["failed"].as_str().unwrap_or_default(), seen);
        assert_eq!(seen["violations"], json!([]), "what axe finds (WCAG)");
        seen
    }
}

/// localstripe with the script for pages; it ends with the test.
struct Stripe {
    process: Child,
    url: String,
}

impl Drop for Stripe {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Stripe {
    fn start(tools: &Tools) -> Self {
        let mut process = tools.script("stripe_server.py").stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { process, url: format!("http://127.0.0.1:{}", port.trim()) }
    }
}

/// A scene whose provider is that server and whose station is simulated; time goes thirty times as fast.
struct Street {
    scene: Scene,
    _station: StationSim,
    turning: tokio::task::JoinHandle<()>,
}

impl Drop for Street {
    fn drop(&mut self) {
        self.turning.abort();
    }
}

impl Street {
    async fn open(db: &TestDb, stripe: &Stripe) -> Self {
        let script = format!("{}/stripe.js", stripe.url);
        let scene = Scene::start_with(db, Fake::start(), &stripe.url, None, move |config| {
            config.payments.stripe_script_url = Some(script.parse().unwrap());
            // A driver types for a while, and time goes fast here.
            config.payments.pay_within = Duration::from_secs(86_400);
            config.payments.connect_timeout = Duration::from_secs(3_600);
            config.mail.url = Some("smtp+plain://127.0.0.1:9".parse().unwrap());
            config.mail.from = Some("receipts@example.org".parse().unwrap());
        })
        .await;
        let mut config = StationConfig::new(scene.site.node.ws_url("/ocpp"), "CS0");
        config.clock = Some(scene.clock());
        config.auto_plug = Some(Duration::from_secs(20));
        let station = StationSim::spawn(config).unwrap();
        let id = StationId::parse("CS0").unwrap();
        let connected = async {
            while !scene.app().stations.is_connected(&id) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), connected).await.expect("the station connects");
        let clock = scene.clock();
        let turning = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                clock.advance(Duration::from_secs(3));
            }
        });
        Self { scene, _station: station, turning }
    }

    fn task(&self, name: &str, story: &str) -> Value {
        json!({
            "name": name,
            "story": story,
            "url": self.scene.site.node.url(&code_of(&self.scene, "DE*ABC*E0")),
            "screenshots": format!("{}/target/screenshots", env!("CARGO_MANIFEST_DIR")),
            "texts": {
                "to_payment": "Continue to payment", "payment": "Payment", "charging": "Charging", "stop": "Stop charging",
                "thanks": "Thank you", "receipt": "Receipt", "receipt_pdf": "Receipt as PDF",
            },
        })
    }
}

on_each_engine! {
    /// A card whose owner confirms with the bank; then the whole charge.
    async fn a_driver_pays_charges_and_has_a_receipt(db: TestDb) {
        let Some(tools) = Tools::find() else { return };
        let stripe = Stripe::start(&tools);
        let street = Street::open(&db, &stripe).await;
        let mut task = street.task("english", "whole");
        task["cards"] = json!([["4000002760003184", "complete"]]);
        let seen = tools.drive(task).await;
        assert!(seen["offer"].as_str().unwrap().contains("€60.00"), "{seen}");
        assert_eq!(seen["same_document"], true, "figures changed without a reload");
        assert!(seen["receipt"].as_str().unwrap().contains("ABC Charging GmbH"), "{seen}");
        assert_eq!(seen["problems"].as_array().unwrap().iter().filter(|text| text.as_str().unwrap().contains("Content Security")).count(), 0, "{seen}");
        for request in seen["requests"].as_array().unwrap() {
            let url = request.as_str().unwrap();
            assert!(url.starts_with(&street.scene.site.node.url("/")) || url.starts_with(&stripe.url), "{url}");
        }
        let all = street.scene.all().await;
        let [payment] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(payment.state, PaymentState::Captured);
        assert!(payment.captured.decimal() > rust_decimal::Decimal::ZERO && payment.captured <= payment.held);
        let pdf = std::fs::read(seen["pdf"].as_str().unwrap()).unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
    }

    /// In German, on a dark screen; the driver does not confirm with the bank first.
    async fn a_german_driver_on_a_dark_screen(db: TestDb) {
        let Some(tools) = Tools::find() else { return };
        let stripe = Stripe::start(&tools);
        let street = Street::open(&db, &stripe).await;
        let mut task = street.task("german", "whole");
        task["locale"] = json!("de-DE");
        task["colours"] = json!("dark");
        task["email"] = json!("anna@example.org");
        task["cards"] = json!([["4000002760003184", "fail"], ["4242424242424242", "good"]]);
        task["texts"] = json!({
            "to_payment": "Weiter zur Zahlung", "payment": "Zahlung", "charging": "Es wird geladen", "stop": "Laden beenden",
            "thanks": "Vielen Dank", "receipt": "Beleg", "receipt_pdf": "Beleg als PDF",
        });
        let seen = tools.drive(task).await;
        assert!(seen["receipt"].as_str().unwrap().contains("Steuer"), "{seen}");
        assert!(seen["sums"].as_str().unwrap().contains("€"), "{seen}");
    }

    /// A card that is declined: the form stays, and says so. (localstripe takes no second card for the same payment.)
    async fn a_declined_card_is_told_and_the_form_stays(db: TestDb) {
        let Some(tools) = Tools::find() else { return };
        let stripe = Stripe::start(&tools);
        let street = Street::open(&db, &stripe).await;
        let mut task = street.task("declined", "declined");
        task["cards"] = json!([["4000000000000341", "declined"]]);
        let seen = tools.drive(task).await;
        assert_eq!(seen["errors"].as_array().unwrap().len(), 1, "{seen}");
        assert_eq!(street.scene.all().await[0].captured.decimal(), rust_decimal::Decimal::ZERO);
    }

    /// Without scripts one comes as far as the provider's form, and is told.
    async fn without_scripts_the_driver_is_told(db: TestDb) {
        let Some(tools) = Tools::find() else { return };
        let stripe = Stripe::start(&tools);
        let street = Street::open(&db, &stripe).await;
        let seen = tools.drive(street.task("no-script", "without_script")).await;
        assert_eq!(seen["headings"], json!(["Payment"]));
    }
}
