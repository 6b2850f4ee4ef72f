//! The node is killed at each point, and another one goes on from its database: nothing is taken twice, no hold stays.

use super::fake::Fault;
use super::scene::Scene;
use super::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::domain::payment::{PaymentReason, PaymentState};
use roamwatt::payments::begin::new_nonce;
use roamwatt::payments::{Begun, advance, stop};
use std::time::Duration;

/// Waits until the fake saw so many calls whose path contains the text.
async fn seen(scene: &Scene, path: &str, times: usize) {
    let done = async {
        while scene.fake.calls(path).len() < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), done)
        .await
        .unwrap_or_else(|_| panic!("{path} {times} times"));
}

/// A charge of 5.24 that has ended and is not settled; its station is away.
async fn charged(scene: &Scene) -> Begun {
    let station = scene.station(0, Manners::default()).await;
    let (begun, transaction) = scene.charging(&station).await;
    scene.turn(60);
    scene.ends(&station, &transaction, 10_000).await;
    begun
}

on_each_engine! {
    /// Killed after the provider was asked to make ready to hold, before its answer came.
    async fn killed_while_the_payment_begins(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        for _ in 0..3 {
            scene.fake.fail("POST /v1/payment_intents", Fault::After(503));
        }
        let nonce = new_nonce();
        assert!(scene.try_begin("E0", &nonce).await.is_err());
        let scene = scene.kill().await;
        let _station = scene.station(0, Manners::default()).await;
        // The page is sent once more, and gets the same payment at the provider.
        let begun = scene.try_begin("E0", &nonce).await.unwrap();
        assert_eq!(scene.intent_of(&begun).await, scene.fake.only());
        // Or the driver is gone: it ends by itself.
        scene.turn(15 * 60 + 1);
        scene.until(&begun, PaymentState::Expired).await;
        assert_eq!(scene.fake.open_holds(), 0);
    }

    /// Killed between the driver's payment and whatever tells us of it.
    async fn killed_after_the_driver_paid(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        scene.fake.pay("pi_1");
        drop(station);
        let scene = scene.kill().await;
        let station = scene.station(0, Manners::default()).await;
        // No page comes back, and no message comes: the poll finds it.
        scene.turn(31);
        station.hears("RemoteStartTransaction", 1).await;
        scene.until(&begun, PaymentState::StartSent).await;
    }

    /// Killed after the station was asked and before it answered; and before it was asked at all.
    async fn killed_around_the_start(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners { start: None, ..Manners::default() }).await;
        let begun = scene.paid().await;
        station.hears("RemoteStartTransaction", 1).await;
        drop(station);
        let scene = scene.kill().await;
        let station = scene.station(0, Manners::default()).await;
        let (transaction, status) = scene.begins(&station, &begun).await;
        assert_eq!(status, "Accepted", "the station starts what it was asked for");
        scene.turn(60);
        scene.ends(&station, &transaction, 10_000).await;
        scene.settle().await;
        scene.until(&begun, PaymentState::Captured).await;
        scene.check_money(&begun).await;

        // Written that it is asked, and killed before it is: it is asked by the next node.
        let second = scene.try_begin("E0", &new_nonce()).await.unwrap();
        let intent = scene.intent_of(&second).await;
        scene.fake.pay(&intent);
        let id = second.view.id.clone();
        let now = scene.site.clock.now();
        let forge = move |conn: &mut _| {
            let mut payment = roamwatt::db::payments::find(conn, &id)?.unwrap();
            payment.move_to(PaymentState::Authorised, None).unwrap();
            payment.held = payment.hold;
            roamwatt::db::payment_ledger::add(conn, &payment, roamwatt::domain::payment::LedgerKind::Held, payment.hold, None, now)?;
            assert!(roamwatt::db::payment_claims::claim(conn, &payment)?);
            payment.move_to(PaymentState::StartSent, None).unwrap();
            payment.command_id = Some("a command that was never written".to_owned());
            payment.details.0.connect_by = Some(now.plus(chrono::TimeDelta::seconds(180)));
            payment.next_at = Some(now);
            roamwatt::db::payments::update(conn, &payment)
        };
        scene.app().db.write(forge).await.unwrap();
        drop(station);
        let scene = scene.kill().await;
        let station = scene.station(0, Manners::default()).await;
        scene.turn(3);
        station.hears("RemoteStartTransaction", 1).await;
        scene.turn(181);
        let view = scene.until(&second, PaymentState::Expired).await;
        assert_eq!(view.reason, Some(PaymentReason::NobodyPluggedIn));
        scene.check_money(&second).await;
    }

    /// Killed while the car charges: the next node watches it, and stops it before it costs more than is held.
    async fn killed_during_the_charge(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        scene.meters(&station, &transaction, 1).await;
        drop(station);
        let scene = scene.kill().await;
        let station = scene.station(0, Manners::default()).await;
        // 60 EUR are 128 kWh, nearly six hours at 22 kW; nothing is heard for longer than that.
        scene.turn(6 * 3600);
        station.hears("RemoteStopTransaction", 1).await;
        scene.ends(&station, &transaction, 100_000).await;
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Captured).await;
        // 0.50 + 100 kWh * 0.39 = 39.50, and 19 % on it.
        assert_eq!(view.captured.to_string(), "47.01");
        scene.check_money(&begun).await;
    }

    /// Killed after the money was taken, before that was written: it is found, and not taken again.
    async fn killed_while_the_money_is_taken(db: TestDb) {
        let scene = Scene::start(&db).await;
        let begun = charged(&scene).await;
        for _ in 0..3 {
            scene.fake.fail("/capture", Fault::After(503));
        }
        scene.settle().await;
        seen(&scene, "/capture", 1).await;
        let scene = scene.kill().await;
        scene.turn(60);
        let view = scene.until(&begun, PaymentState::Captured).await;
        assert_eq!(view.captured.to_string(), "5.24");
        let keys: std::collections::BTreeSet<_> =
            scene.fake.calls("/capture").into_iter().map(|seen| seen.key.unwrap()).collect();
        assert_eq!(keys.len(), 1, "the same operation, however often it was sent: {keys:?}");
        scene.check_money(&begun).await;
        assert_eq!(view.receipt_number.as_deref(), Some("DEABC-000001"));
    }

    /// Killed after the charge had settled and before anything was asked of the provider.
    async fn killed_between_the_cdr_and_the_capture(db: TestDb) {
        let scene = Scene::start(&db).await;
        let begun = charged(&scene).await;
        scene.fake.be_down(true);
        scene.settle().await;
        scene.until(&begun, PaymentState::Capturing).await;
        let scene = scene.kill().await;
        scene.fake.be_down(false);
        scene.turn(15 * 60);
        scene.until(&begun, PaymentState::Captured).await;
        assert_eq!(scene.fake.calls("/capture").len(), 1);
        scene.check_money(&begun).await;
    }

    /// Killed while a hold is given back, done at the provider or not.
    async fn killed_while_a_hold_is_given_back(db: TestDb) {
        for fault in [Fault::After(503), Fault::Before(503)] {
            let db = db.another();
            let scene = Scene::start(&db).await;
            let station = scene.station(0, Manners::default()).await;
            let begun = scene.paid().await;
            station.hears("RemoteStartTransaction", 1).await;
            for _ in 0..3 {
                scene.fake.fail("/cancel", fault);
            }
            stop(scene.app(), &begun.key).await.unwrap();
            seen(&scene, "/cancel", 1).await;
            drop(station);
            let scene = scene.kill().await;
            scene.turn(60);
            scene.until(&begun, PaymentState::Cancelled).await;
            assert_eq!(scene.fake.stands("pi_1"), ("canceled", 0), "{fault:?}");
            scene.check_money(&begun).await;
        }
    }

    /// Killed while money is given back: it is found, and not given back twice.
    async fn killed_while_money_is_given_back(db: TestDb) {
        let scene = Scene::start(&db).await;
        let (begun, station) = scene.captured(10_000).await;
        scene.fake.fail("POST /v1/refunds", Fault::After(503));
        let amount = Some("1.00".parse().unwrap());
        let wish = roamwatt::payments::desk::RefundWish { amount, note: "x".into(), by: "a test".into() };
        roamwatt::payments::desk::refund(scene.app(), &begun.view.id, wish).await.unwrap();
        seen(&scene, "POST /v1/refunds", 1).await;
        drop(station);
        let scene = scene.kill().await;
        scene.turn(60);
        scene.refunded(&begun, "1.00").await;
        assert_eq!(scene.fake.refunds_of("pi_1"), [100]);
        scene.check_money(&begun).await;
        advance(scene.app(), &begun.key).await.unwrap();
        assert_eq!(scene.fake.refunds_of("pi_1"), [100]);
    }
}
