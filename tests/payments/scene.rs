//! A driver at a charging point: a node with a manual clock, a station at its socket, and a payment provider.

use super::fake::{self, Fake};
use super::station::{Manners, Station};
use crate::charging::site::{Site, at};
use crate::support::db::TestDb;
use crate::support::node::TestNode;
use roamwatt::app::App;
use roamwatt::clock::Clock;
use roamwatt::config::{Config, ProviderName, Secret};
use roamwatt::db::{DbError, payment_lists, payment_merchants, payments};
use roamwatt::domain::payment::{Merchant, PaymentState};
use roamwatt::payments::begin::new_nonce;
use roamwatt::payments::desk::{self, Shown};
use roamwatt::payments::{Begin, Begun, PaymentError, PaymentView, advance, begin, view};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// The scene.
pub(crate) struct Scene {
    pub(crate) site: Site,
    pub(crate) fake: Fake,
    url: String,
    provider_url: String,
    account: Option<&'static str>,
}

fn configure(config: &mut Config, provider_url: &str) {
    config.payments.provider = ProviderName::Stripe;
    config.payments.stripe_url = Some(provider_url.parse().unwrap());
    config.payments.stripe_publishable_key = "pk_test_1".to_owned();
    config.payments.stripe_secret_key = Secret::new(fake::SECRET_KEY);
    config.payments.stripe_webhook_secret = Secret::new(fake::WEBHOOK_SECRET);
    config.payments.request_timeout = Duration::from_secs(3);
    config.ocpp.meter_value_interval = None;
}

impl Scene {
    /// With the fake as it is.
    pub(crate) async fn start(db: &TestDb) -> Self {
        let fake = Fake::start();
        let url = fake.url.clone();
        Self::start_with(db, fake, &url, None, |_| ()).await
    }

    /// Where the provider is reached at another address than the fake's own, and sells on an account.
    pub(crate) async fn start_with(
        db: &TestDb,
        fake: Fake,
        provider_url: &str,
        account: Option<&'static str>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let site = Site::start(db.url(), 2, |config| {
            configure(config, provider_url);
            change(config);
        })
        .await;
        let merchant = Merchant {
            name: "ABC Charging GmbH".to_owned(),
            address: vec!["Musterweg 1".to_owned(), "10115 Berlin".to_owned()],
            tax_id: Some("DE123456789".to_owned()),
            account: account.map(ToOwned::to_owned),
        };
        let write = move |conn: &mut _| payment_merchants::put(conn, &"DE*ABC".parse().unwrap(), &merchant);
        site.node.app().db.write(write).await.unwrap();
        let (url, provider_url) = (db.url().to_owned(), provider_url.to_owned());
        Self { site, fake, url, provider_url, account }
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        self.site.node.app()
    }

    /// Ends the node at once, in the middle of whatever it does, and starts another one on its database.
    pub(crate) async fn kill(self) -> Self {
        let Self { site: Site { node, clock }, fake, url, provider_url, account } = self;
        drop(node);
        let node = TestNode::start_with(&url, clock.clone(), |config| configure(config, &provider_url)).await;
        Self { site: Site { node, clock }, fake, url, provider_url, account }
    }

    /// Connects `CS0`, or another one.
    pub(crate) async fn station(&self, number: usize, manners: Manners) -> Station {
        Station::connect(&self.site.node, &format!("CS{number}"), manners).await
    }

    pub(crate) async fn try_begin(&self, evse: &str, nonce: &str) -> Result<Begun, PaymentError> {
        let wanted = Begin {
            evse: evse.to_owned(),
            connector: None,
            language: "de".to_owned(),
            email: None,
            nonce: nonce.to_owned(),
        };
        begin(self.app(), wanted).await
    }

    /// A driver opens the page of `E0` and is asked for a card.
    pub(crate) async fn begin(&self) -> Begun {
        self.try_begin("DE*ABC*E0", &new_nonce()).await.unwrap()
    }

    /// The same, and the driver pays: the hold is there, and the page comes back.
    pub(crate) async fn paid(&self) -> Begun {
        let begun = self.begin().await;
        self.fake.pay(&self.intent_of(&begun).await);
        advance(self.app(), &begun.key).await.unwrap();
        begun
    }

    /// The provider's id of a payment.
    pub(crate) async fn intent_of(&self, begun: &Begun) -> String {
        self.shown(begun).await.payment.intent_id.expect("the provider was asked")
    }

    pub(crate) async fn view(&self, begun: &Begun) -> PaymentView {
        view(self.app(), &begun.key).await.unwrap()
    }

    /// The payment with all that happened to it.
    pub(crate) async fn shown(&self, begun: &Begun) -> Shown {
        let id = begun.view.id.clone();
        self.app().db.read(move |conn| desk::show(conn, &id)).await.unwrap().unwrap()
    }

    /// Waits until the payment stands so.
    pub(crate) async fn until(&self, begun: &Begun, state: PaymentState) -> PaymentView {
        let reached = async {
            loop {
                let view = self.view(begun).await;
                if view.state == state {
                    return view;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, reached).await {
            Ok(view) => view,
            Err(_) => panic!("the payment should be {state} and is {:#?}", self.shown(begun).await),
        }
    }

    /// Turns the clock.
    pub(crate) fn turn(&self, seconds: u64) {
        self.site.clock.advance(Duration::from_secs(seconds));
    }

    /// Turns the clock and settles charges that are due.
    pub(crate) async fn settle(&self) {
        self.site.settle_after(61).await;
    }

    fn time(&self) -> String {
        self.site.clock.now().to_string()
    }

    /// The car is plugged in, and the station begins: the transaction's id and what it is told.
    pub(crate) async fn begins(&self, station: &Station, begun: &Begun) -> (Value, String) {
        let id_tag = self.shown(begun).await.payment.id_tag;
        let payload =
            json!({"connectorId": 1, "idTag": id_tag, "meterStart": 1000, "timestamp": self.time()});
        let answer = station.call("StartTransaction", payload).await;
        (answer["transactionId"].clone(), answer["idTagInfo"]["status"].as_str().unwrap().to_owned())
    }

    /// So many Wh of the charge so far.
    pub(crate) async fn meters(&self, station: &Station, transaction: &Value, wh: u32) {
        let value = json!({"timestamp": self.time(), "sampledValue": [{"value": (1000 + wh).to_string()}]});
        let payload = json!({"connectorId": 1, "transactionId": transaction, "meterValue": [value]});
        station.call("MeterValues", payload).await;
    }

    /// The charge ends with so many Wh.
    pub(crate) async fn ends(&self, station: &Station, transaction: &Value, wh: u32) {
        let payload = json!({"transactionId": transaction, "meterStop": 1000 + wh, "timestamp": self.time(), "reason": "Local"});
        station.call("StopTransaction", payload).await;
    }

    /// From nothing to a charge that goes on.
    pub(crate) async fn charging(&self, station: &Station) -> (Begun, Value) {
        let begun = self.paid().await;
        station.hears("RemoteStartTransaction", 1).await;
        let (transaction, status) = self.begins(station, &begun).await;
        assert_eq!(status, "Accepted");
        self.until(&begun, PaymentState::Charging).await;
        (begun, transaction)
    }

    /// From nothing to a charge of so many Wh that was taken, with the station where it was made.
    pub(crate) async fn captured(&self, wh: u32) -> (Begun, Station) {
        let station = self.station(0, Manners::default()).await;
        let (begun, transaction) = self.charging(&station).await;
        self.turn(60);
        self.ends(&station, &transaction, wh).await;
        self.settle().await;
        self.until(&begun, PaymentState::Captured).await;
        (begun, station)
    }

    /// Waits until so much is known to be given back.
    pub(crate) async fn refunded(&self, begun: &Begun, amount: &str) {
        let done = async {
            while self.shown(begun).await.payment.refunded.to_string() != amount {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, done).await.is_err() {
            panic!("{amount} should be refunded: {:#?}", self.shown(begun).await);
        }
    }

    /// From a hold to what is taken for ten kWh, over whatever line to the provider there is: what fails is tried again.
    pub(crate) async fn charged_over_a_bad_line(&self, station: &Station, begun: &Begun, line: &str) {
        let asked = async {
            // Where the page came back and the provider was not reached, the poll goes on.
            while station.asked("RemoteStartTransaction").is_empty() {
                self.turn(5);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        assert!(asked.is_ok(), "{line}: {:#?}", self.shown(begun).await);
        let (transaction, status) = self.begins(station, begun).await;
        assert_eq!(status, "Accepted", "{line}");
        self.turn(60);
        self.ends(station, &transaction, 10_000).await;
        self.settle().await;
        let captured = async {
            while self.view(begun).await.state != PaymentState::Captured {
                self.turn(5);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let captured = tokio::time::timeout(PATIENCE, captured).await;
        assert!(captured.is_ok(), "{line}: {:#?}", self.shown(begun).await);
    }

    /// Sends a message of the provider, and gives the status of the answer.
    pub(crate) async fn tell(&self, id: &str, kind: &str, object: Value) -> u16 {
        let seconds = self.site.clock.now().millis() / 1000;
        let (signature, body) = fake::message(id, kind, object, self.account, seconds);
        self.send(&signature, body).await
    }

    /// Sends whatever to where the provider's messages go.
    pub(crate) async fn send(&self, signature: &str, body: impl Into<reqwest::Body>) -> u16 {
        let url = self.site.node.url("/payments/webhooks/stripe");
        let request = self.site.node.client.post(url).header("Stripe-Signature", signature);
        request.header("Content-Type", "application/json").body(body).send().await.unwrap().status().as_u16()
    }

    /// What must be true of every payment whenever nothing is under way: no more taken than held, no more given back
    /// than taken, the ledger says the same, and the provider too.
    pub(crate) async fn check_money(&self, begun: &Begun) {
        let Shown { payment, ledger, .. } = self.shown(begun).await;
        assert!(payment.captured <= payment.held, "{payment:?}");
        assert!(payment.refunded <= payment.captured, "{payment:?}");
        let sum = |kind: &str| {
            let amounts =
                ledger.iter().filter(|line| line.kind.as_str() == kind).map(|line| line.amount.decimal());
            amounts.sum::<rust_decimal::Decimal>()
        };
        assert_eq!(sum("held"), payment.held.decimal());
        assert_eq!(sum("captured"), payment.captured.decimal());
        assert_eq!(sum("released") - sum("release_undone"), payment.released.decimal());
        assert_eq!(sum("refunded") - sum("refund_failed"), payment.refunded.decimal());
        assert_eq!(sum("written_off") - sum("write_off_undone"), payment.written_off.decimal());
        if payment.state.is_over() {
            assert_eq!(
                sum("held"),
                sum("captured") + sum("released") - sum("release_undone"),
                "nothing is held any more: {ledger:?}"
            );
        }
        let Some(intent) = payment.intent_id.clone() else { return };
        let cents = |amount: roamwatt::domain::Money| amount.decimal() * rust_decimal::Decimal::ONE_HUNDRED;
        assert_eq!(cents(payment.captured), self.fake.stands(&intent).1.into(), "{payment:?}");
        let back: i64 = self.fake.refunds_of(&intent).iter().sum();
        assert_eq!(cents(payment.refunded), back.into());
        if payment.state.is_over() && payment.session_id.is_none() {
            assert_eq!(self.fake.open_holds(), 0);
        }
    }

    /// Every payment in the database.
    pub(crate) async fn all(&self) -> Vec<payments::Payment> {
        let read = |conn: &mut _| {
            let filter = payment_lists::PaymentFilter::default();
            payment_lists::list(conn, &filter, roamwatt::db::page::Page::first(1000))
        };
        let slice: Result<_, DbError> = self.app().db.read(read).await;
        slice.unwrap().items
    }

    /// A clock of a site, for stations that are simulated.
    pub(crate) fn clock(&self) -> Clock {
        self.site.clock.clone()
    }
}

/// When every story begins, in seconds since 1970.
pub(crate) fn begin_seconds() -> i64 {
    at(0).millis() / 1000
}
