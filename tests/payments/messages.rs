//! Messages of the provider: lost, twice, out of order, forged; disputes.

use super::fake::{Fake, message};
use super::scene::Scene;
use super::station::{Manners, Station};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::domain::payment::{PaymentState, StopCause};
use roamwatt::payments::Begun;
use serde_json::{Value, json};

/// The object of a message about a payment of the driver.
fn intent(id: &str, status: &str) -> Value {
    json!({ "id": id, "object": "payment_intent", "status": status })
}

/// The station starts, charges 10 kWh and stops, and it is paid for.
async fn begins_and_ends(scene: &Scene, station: &Station, begun: &Begun) {
    let (transaction, _) = scene.begins(station, begun).await;
    scene.turn(60);
    scene.ends(station, &transaction, 10_000).await;
    scene.settle().await;
    scene.until(begun, PaymentState::Captured).await;
}

on_each_engine! {
    /// The driver's phone is gone after the payment: the message moves it on, and so does the poll where it is lost.
    async fn a_message_or_the_poll_moves_a_payment_on(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        scene.fake.pay("pi_1");
        let kind = "payment_intent.amount_capturable_updated";
        assert_eq!(scene.tell("evt_1", kind, intent("pi_1", "requires_capture")).await, 200);
        station.hears("RemoteStartTransaction", 1).await;
        scene.until(&begun, PaymentState::StartSent).await;

        let other = scene.station(1, Manners::default()).await;
        let lost = scene.try_begin("E1", &roamwatt::payments::begin::new_nonce()).await.unwrap();
        scene.fake.pay("pi_2");
        scene.turn(31);
        other.hears("RemoteStartTransaction", 1).await;
        scene.until(&lost, PaymentState::StartSent).await;
    }

    /// What a message says does not count, only that there was one: twice, late, in another order, of another account.
    async fn messages_come_twice_and_in_any_order(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        // From the future: it is not paid yet.
        assert_eq!(scene.tell("evt_9", "payment_intent.succeeded", intent("pi_1", "succeeded")).await, 200);
        assert_eq!(scene.view(&begun).await.state, PaymentState::Created);
        scene.fake.pay("pi_1");
        let kind = "payment_intent.amount_capturable_updated";
        for _ in 0..2 {
            assert_eq!(scene.tell("evt_1", kind, intent("pi_1", "requires_capture")).await, 200);
        }
        station.hears("RemoteStartTransaction", 1).await;
        begins_and_ends(&scene, &station, &begun).await;
        // Late, and all of them once more.
        for (id, kind) in [("evt_9", "payment_intent.succeeded"), ("evt_1", kind), ("evt_0", "payment_intent.created")] {
            assert_eq!(scene.tell(id, kind, intent("pi_1", "whatever")).await, 200);
        }
        assert_eq!(scene.tell("evt_7", "customer.created", json!({ "id": "cus_1", "object": "customer" })).await, 200);
        assert_eq!(scene.tell("evt_8", kind, intent("pi_unknown", "requires_capture")).await, 200);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let shown = scene.shown(&begun).await;
        let mut ids: Vec<&str> = shown.events.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["evt_0", "evt_1", "evt_9"]);
        assert!(shown.events.iter().all(|event| event.handled), "{:?}", shown.events);
        assert_eq!(station.asked("RemoteStartTransaction").len(), 1);
        assert_eq!(scene.fake.calls("/capture").len(), 1);
        scene.check_money(&begun).await;
    }

    /// Who does not know the secret changes nothing, and is not told why.
    async fn a_forged_message_is_refused(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        scene.fake.pay("pi_1");
        let now = scene.site.clock.now().millis() / 1000;
        let kind = "payment_intent.amount_capturable_updated";
        let (signature, body) = message("evt_1", kind, intent("pi_1", "requires_capture"), None, now);
        let (old, stale) = message("evt_2", kind, intent("pi_1", "requires_capture"), None, now - 3600);
        let before = scene.fake.seen().len();
        for (signature, body) in [
            (signature.clone(), body.replace("pi_1", "pi_2")),
            (signature.replace("v1=", "v1=00"), body.clone()),
            (String::new(), body.clone()),
            (old, stale),
            (signature.clone(), format!("{body} ")),
        ] {
            assert_eq!(scene.send(&signature, body).await, 400, "{signature}");
        }
        assert_eq!(scene.send(&signature, "x".repeat(300 * 1024)).await, 413);
        assert_eq!(scene.fake.seen().len(), before);
        assert!(scene.shown(&begun).await.events.is_empty());
        assert_eq!(scene.send(&signature, body).await, 200);
    }

    /// The bank claims the money back: it is recorded, no refund is made on top, and a dispute that is won is over.
    async fn a_dispute_is_recorded_until_it_is_decided(db: TestDb) {
        let scene = Scene::start(&db).await;
        let (begun, _station) = scene.captured(10_000).await;
        let object = json!({ "id": "dp_1", "object": "dispute", "payment_intent": "pi_1", "charge": "ch_1" });
        scene.fake.dispute("dp_1", "pi_1", 524, "warning_needs_response");
        assert_eq!(scene.tell("evt_1", "charge.dispute.created", object.clone()).await, 200);
        scene.fake.dispute("dp_1", "pi_1", 524, "needs_response");
        // Nobody answers for a while: the message is not forgotten.
        scene.fake.be_down(true);
        assert_eq!(scene.tell("evt_2", "charge.dispute.updated", object.clone()).await, 200);
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        scene.fake.be_down(false);
        scene.until(&begun, PaymentState::Disputed).await;
        assert_eq!(scene.shown(&begun).await.payment.disputed.to_string(), "5.24");
        let wish = roamwatt::payments::desk::RefundWish { amount: None, note: "x".into(), by: "a test".into() };
        let refused = roamwatt::payments::desk::refund(scene.app(), &begun.view.id, wish).await.unwrap_err();
        assert!(refused.to_string().contains("disputed"), "{refused}");
        scene.fake.dispute("dp_1", "pi_1", 524, "won");
        assert_eq!(scene.tell("evt_3", "charge.dispute.closed", object).await, 200);
        scene.until(&begun, PaymentState::Captured).await;
        let shown = scene.shown(&begun).await;
        let kinds: Vec<&str> = shown.ledger.iter().map(|line| line.kind.as_str()).collect();
        assert_eq!(kinds, ["held", "captured", "released", "disputed", "dispute_won"]);
        assert_eq!(shown.payment.disputed.to_string(), "0");
    }

    /// The hold is gone at the provider while the car charges: the charge is stopped, and what it cost is written off.
    async fn a_hold_that_is_gone_ends_the_charge(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        scene.fake.cancel("pi_1");
        assert_eq!(scene.tell("evt_1", "payment_intent.canceled", intent("pi_1", "canceled")).await, 200);
        station.hears("RemoteStopTransaction", 1).await;
        assert_eq!(scene.view(&begun).await.stopping, Some(StopCause::HoldLapses));
        scene.turn(60);
        scene.ends(&station, &transaction, 1_000).await;
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Failed).await;
        assert_eq!(view.reason, Some(roamwatt::domain::payment::PaymentReason::HoldLapsed));
        // 0.50 + 0.39, and 19 % on it.
        assert_eq!(scene.shown(&begun).await.payment.written_off.to_string(), "1.06");
        scene.check_money(&begun).await;
    }

    /// The same where the message is lost: the provider is asked now and then.
    async fn a_hold_that_is_gone_is_seen_without_a_message(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        scene.fake.cancel("pi_1");
        scene.turn(1_800);
        scene.meters(&station, &transaction, 100).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert_eq!(station.asked("RemoteStopTransaction").len(), 0);
        scene.turn(1_801);
        station.hears("RemoteStopTransaction", 1).await;
        scene.ends(&station, &transaction, 200).await;
        scene.settle().await;
        scene.until(&begun, PaymentState::Failed).await;
        scene.check_money(&begun).await;
    }

    /// Each party sells on its own account, and messages of other accounts do not concern it.
    async fn a_party_sells_on_its_own_account(db: TestDb) {
        let fake = Fake::start();
        let url = fake.url.clone();
        let scene = Scene::start_with(&db, fake, &url, Some("acct_abc"), |_| ()).await;
        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        assert_eq!(begun.page.as_ref().unwrap().account.as_deref(), Some("acct_abc"));
        scene.fake.pay("pi_1");
        let now = scene.site.clock.now().millis() / 1000;
        let kind = "payment_intent.amount_capturable_updated";
        for account in [None, Some("acct_other")] {
            let (signature, body) = message(&format!("evt_{account:?}"), kind, intent("pi_1", ""), account, now);
            assert_eq!(scene.send(&signature, body).await, 200);
        }
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(scene.view(&begun).await.state, PaymentState::Created);
        assert!(scene.shown(&begun).await.events.is_empty());
        assert_eq!(scene.tell("evt_1", kind, intent("pi_1", "")).await, 200);
        station.hears("RemoteStartTransaction", 1).await;
        begins_and_ends(&scene, &station, &begun).await;
        let seen = scene.fake.seen();
        assert!(seen.len() >= 4 && seen.iter().all(|seen| seen.account.as_deref() == Some("acct_abc")), "{seen:?}");
    }
}
