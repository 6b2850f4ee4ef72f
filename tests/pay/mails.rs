//! Receipts by mail, to a mail server that we did not write (aiosmtpd, as a process).

use super::scene::{Browser, begun_of, code_of};
use crate::payments::fake::Fake;
use crate::payments::scene::Scene;
use crate::payments::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::not_run::not_run;
use roamwatt::db::receipt_mails;
use roamwatt::domain::payment::PaymentState;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The mail server: it writes its port, and then each mail as a line of JSON.
struct MailServer {
    process: Child,
    lines: Option<BufReader<ChildStdout>>,
    port: u16,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl MailServer {
    /// `mood` is `good`, or `refuses` for one that takes nothing.
    fn start(mood: &str) -> Option<Self> {
        let Some(python) = std::env::var_os("ROAMWATT_TEST_PYTHON") else {
            not_run("pay::mails", "aiosmtpd (tests/run installs it)");
            return None;
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/mail_server.py");
        let mut process = Command::new(python).args([script, mood]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        Some(Self { process, lines: Some(lines), port: line.trim().parse().unwrap() })
    }

    /// The next mail.
    async fn next(&mut self) -> serde_json::Value {
        let mut lines = self.lines.take().unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            (lines, line)
        });
        let (lines, line) = tokio::time::timeout(Duration::from_secs(30), read).await.unwrap().unwrap();
        self.lines = Some(lines);
        serde_json::from_str(&line).unwrap()
    }
}

async fn scene(db: &TestDb, server: &MailServer) -> Scene {
    let fake = Fake::start();
    let (url, mail) = (fake.url.clone(), format!("smtp+plain://127.0.0.1:{}", server.port));
    Scene::start_with(db, fake, &url, None, move |config| {
        config.mail.url = Some(mail.parse().unwrap());
        config.mail.from = Some("ABC Charging <receipts@example.org>".parse().unwrap());
    })
    .await
}

on_each_engine! {
    /// An address given before the charge, and another one after it.
    async fn a_receipt_goes_to_the_address_that_was_given(db: TestDb) {
        let Some(mut server) = MailServer::start("good") else { return };
        let scene = scene(&db, &server).await;
        let station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let charge = browser.begin(&code_of(&scene, "DE*ABC*E0"), "anna@example.org").await;
        scene.fake.pay("pi_1");
        browser.get(&format!("{charge}/back")).await;
        station.hears("RemoteStartTransaction", 1).await;
        let begun = begun_of(&scene, &charge).await;
        let (transaction, _) = scene.begins(&station, &begun).await;
        scene.ends(&station, &transaction, 10_000).await;
        scene.settle().await;
        scene.until(&begun, PaymentState::Captured).await;

        let mail = server.next().await;
        assert_eq!(mail["to"], serde_json::json!(["anna@example.org"]));
        assert_eq!(mail["subject"], "Your receipt DEABC-000001 from ABC Charging GmbH");
        assert!(mail["from"].as_str().unwrap().contains("receipts@example.org"), "{mail}");
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains("Total: €5.24") && text.contains("10 kWh"), "{text}");
        assert_eq!(mail["attachment"], "Receipt-DEABC-000001.pdf");
        assert!(mail["attachment_begins"].as_str().unwrap().starts_with("%PDF-"), "{mail}");

        let set = browser.post(&format!("{charge}/email"), &[("email", "no address")]).await;
        assert_eq!(set.status().as_u16(), 422);
        browser.post(&format!("{charge}/email"), &[("email", "berta@example.org")]).await;
        assert_eq!(server.next().await["to"], serde_json::json!(["berta@example.org"]));
        assert!(browser.page(&charge).await.contains("The receipt goes to berta@example.org."));
    }

    /// A server that refuses an address for good is not asked again; what it said is kept.
    async fn an_address_that_is_refused_is_given_up(db: TestDb) {
        let Some(server) = MailServer::start("refuses") else { return };
        let scene = scene(&db, &server).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        roamwatt::payments::set_email(scene.app(), &begun.key, "nobody@example.org").await.unwrap();
        scene.ends(&station, &transaction, 10_000).await;
        scene.settle().await;
        scene.until(&begun, PaymentState::Captured).await;
        let id = begun.view.id.clone();
        let given_up = async {
            loop {
                let key = id.clone();
                let mail = scene.app().db.read(move |conn| receipt_mails::find(conn, &key)).await.unwrap().unwrap();
                if mail.tries > 0 {
                    return mail;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let mail = tokio::time::timeout(Duration::from_secs(30), given_up).await.unwrap();
        assert_eq!((mail.next_at, mail.sent_at, mail.tries), (None, None, 1));
        assert!(mail.note.unwrap().contains("no such mailbox"));
    }
}
