//! Against a Stripe server that we did not write: localstripe (PyPI), as a process. It knows no idempotency keys, no
//! connected accounts and no disputes, and sends no message when an amount is held; those are the fake's.

use super::fake::Fake;
use super::proxy::{Line, Proxy};
use super::scene::Scene;
use super::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use crate::support::not_run::not_run;
use roamwatt::domain::payment::{PaymentReason, PaymentState};
use roamwatt::payments::{Begun, advance, stop};
use serde_json::Value;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server, which ends with the test.
pub(crate) struct LocalStripe {
    pub(crate) url: String,
    process: Child,
    client: reqwest::Client,
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl LocalStripe {
    /// On a free port; none, told, where it is missing. `tests/run` installs it.
    pub(crate) fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("ROAMWATT_TEST_PYTHON") else {
            not_run("payments::stripe_local", "localstripe (tests/run installs it)");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(python)
            .args(["-m", "localstripe", "--from-scratch", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            url: format!("http://127.0.0.1:{port}"),
            process,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(30), "localstripe does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(super::fake::SECRET_KEY);
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(super::fake::SECRET_KEY);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The charge of a payment; what was not taken of it counts as given back there.
    async fn charge_of(&self, intent: &str) -> Value {
        let charge = self.get(&format!("/v1/payment_intents/{intent}")).await["latest_charge"].clone();
        match charge.as_str() {
            Some(id) => self.get(&format!("/v1/charges/{id}")).await,
            None => charge,
        }
    }

    /// The driver pays with that card, as the page's element would; the status of the answer.
    async fn pay(&self, intent: &str, card: &str) -> u16 {
        let form = [
            ("type", "card"),
            ("card[number]", card),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2040"),
            ("card[cvc]", "123"),
        ];
        let (status, method) = self.post("/v1/payment_methods", &form).await;
        assert_eq!(status, 200, "{method}");
        let method = method["id"].as_str().unwrap();
        let (status, answer) =
            self.post(&format!("/v1/payment_intents/{intent}"), &[("payment_method", method)]).await;
        assert_eq!(status, 200, "{answer}");
        self.post(&format!("/v1/payment_intents/{intent}/confirm"), &[]).await.0
    }
}

async fn scene(db: &TestDb, stripe: &LocalStripe) -> Scene {
    Scene::start_with(db, Fake::start(), &stripe.url, None, |_| ()).await
}

async fn intent_of(scene: &Scene, begun: &Begun) -> String {
    scene.shown(begun).await.payment.intent_id.unwrap()
}

on_each_engine! {
    /// From the hold to the capture and a refund in part.
    async fn a_foreign_server_holds_takes_and_gives_back(db: TestDb) {
        let Some(stripe) = LocalStripe::start() else { return };
        let scene = scene(&db, &stripe).await;
        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        assert!(begun.page.as_ref().unwrap().client_secret.starts_with("pi_"));
        let intent = intent_of(&scene, &begun).await;
        assert_eq!(stripe.pay(&intent, "4242424242424242").await, 200);
        advance(scene.app(), &begun.key).await.unwrap();
        station.hears("RemoteStartTransaction", 1).await;
        let (transaction, status) = scene.begins(&station, &begun).await;
        assert_eq!(status, "Accepted");
        scene.turn(600);
        scene.ends(&station, &transaction, 10_000).await;
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Captured).await;
        assert_eq!(view.captured.to_string(), "5.24");
        let charge = stripe.charge_of(&intent).await;
        assert_eq!((charge["captured"].clone(), charge["amount_refunded"].clone()), (true.into(), (6000 - 524).into()));

        let wish = roamwatt::payments::desk::RefundWish {
            amount: Some("1.24".parse().unwrap()),
            note: "Broken cable".into(),
            by: "a test".into(),
        };
        roamwatt::payments::desk::refund(scene.app(), &begun.view.id, wish).await.unwrap();
        let done = async {
            while scene.shown(&begun).await.payment.refunded.to_string() != "1.24" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(15), done).await.expect("the refund is made");
        let refunds = stripe.get(&format!("/v1/refunds?payment_intent={intent}")).await;
        let ours: Vec<&Value> = refunds["data"].as_array().unwrap().iter()
            .filter(|refund| refund["metadata"]["operation"].is_string()).collect();
        assert_eq!((ours.len(), ours[0]["amount"].clone()), (1, 124.into()), "{refunds}");
    }

    /// A card that is declined, then one that is not; and a driver who gives up.
    async fn a_foreign_server_declines_and_releases(db: TestDb) {
        let Some(stripe) = LocalStripe::start() else { return };
        let scene = scene(&db, &stripe).await;
        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        let intent = intent_of(&scene, &begun).await;
        assert_eq!(stripe.pay(&intent, "4000000000000341").await, 402);
        let view = advance(scene.app(), &begun.key).await.unwrap();
        assert_eq!((view.state, view.reason), (PaymentState::Created, Some(PaymentReason::Declined)));

        let second = scene.begin().await;
        let intent = intent_of(&scene, &second).await;
        assert_eq!(stripe.pay(&intent, "4242424242424242").await, 200);
        advance(scene.app(), &second.key).await.unwrap();
        station.hears("RemoteStartTransaction", 1).await;
        stop(scene.app(), &second.key).await.unwrap();
        scene.until(&second, PaymentState::Cancelled).await;
        assert_eq!(stripe.get(&format!("/v1/payment_intents/{intent}")).await["status"], "canceled");
    }

    /// Every kind of fault at every call, on the line to a server that is not ours: what was taken is what is due, once,
    /// and no hold stays open.
    async fn every_fault_on_the_line_to_a_foreign_server(db: TestDb) {
        let Some(stripe) = LocalStripe::start() else { return };
        // What it takes at least: hold, look, capture; the fault stands at each of them.
        for fault in [Line::CutBefore, Line::CutAfter, Line::Twice, Line::Slow(400)] {
            for position in 0..4_usize {
                let db = db.another();
                let proxy = Proxy::to(&stripe.url).await;
                let mut script = vec![Line::Good; position];
                script.push(fault);
                proxy.be(script);
                let scene = Scene::start_with(&db, Fake::start(), &proxy.url, None, |_| ()).await;
                let station = scene.station(0, Manners::default()).await;
                let begun = scene.begin().await;
                let intent = intent_of(&scene, &begun).await;
                assert_eq!(stripe.pay(&intent, "4242424242424242").await, 200);
                advance(scene.app(), &begun.key).await.unwrap();
                let line = format!("{fault:?} at {position}");
                scene.charged_over_a_bad_line(&station, &begun, &line).await;
                let view = scene.view(&begun).await;
                assert_eq!((view.captured.to_string(), view.released.to_string()), ("5.24".into(), "54.76".into()));
                let cdr = scene.site.cdr_at(0).await;
                assert_eq!(Some(view.captured), cdr.total_cost.incl_vat);
                let charge = stripe.charge_of(&intent).await;
                let there = (charge["captured"].clone(), charge["amount_refunded"].clone());
                assert_eq!(there, (true.into(), (6000 - 524).into()), "{line}");
                let all = stripe.get("/v1/payment_intents?limit=100").await;
                let holds = all["data"].as_array().unwrap().iter().filter(|one| one["status"] == "requires_capture");
                assert_eq!(holds.count(), 0, "{line}");
            }
        }
    }
}
