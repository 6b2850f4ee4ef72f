//! Each failure of the flow has an outcome: what the driver is told, and that no money stays held.

use super::fake::{Fake, Fault};
use super::scene::{Scene, begin_seconds};
use super::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::domain::payment::{PaymentReason, PaymentState, StopCause};
use roamwatt::payments::begin::new_nonce;
use roamwatt::payments::{Availability, PaymentError, PaymentView, advance, stop};

/// How it ended.
fn outcome(view: &PaymentView) -> (PaymentState, Option<PaymentReason>) {
    (view.state, view.reason)
}

on_each_engine! {
    /// A card that is declined, and a driver who does not confirm, may try again with the same payment; who does not is
    /// told when it is over.
    async fn a_declined_card_may_be_followed_by_another(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        scene.fake.attempt_fails("pi_1", "card_declined");
        let view = advance(scene.app(), &begun.key).await.unwrap();
        assert_eq!(outcome(&view), (PaymentState::Created, Some(PaymentReason::Declined)));
        scene.fake.attempt_fails("pi_1", "payment_intent_authentication_failure");
        let view = advance(scene.app(), &begun.key).await.unwrap();
        assert_eq!(outcome(&view), (PaymentState::Created, Some(PaymentReason::AuthenticationFailed)));
        scene.fake.pay("pi_1");
        advance(scene.app(), &begun.key).await.unwrap();
        station.hears("RemoteStartTransaction", 1).await;

        let other = scene.try_begin("E0", &new_nonce()).await;
        assert!(matches!(other, Err(PaymentError::Unavailable(Availability::Occupied))), "{other:?}");
        let _second = scene.station(1, Manners::default()).await;
        let given_up = scene.try_begin("E1", &new_nonce()).await.unwrap();
        scene.turn(15 * 60 + 1);
        let view = scene.until(&given_up, PaymentState::Expired).await;
        assert_eq!(view.reason, Some(PaymentReason::NotPaid));
        assert_eq!(scene.fake.stands("pi_2").0, "canceled", "it cannot be paid any more");
    }

    /// Nobody answers when the payment begins: nothing was held, and the page may try again.
    async fn a_provider_that_is_down_before_the_hold(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        scene.fake.be_down(true);
        let nonce = new_nonce();
        let failed = scene.try_begin("E0", &nonce).await;
        assert!(matches!(failed, Err(PaymentError::Provider(_))), "{failed:?}");
        assert_eq!(scene.all().await[0].reason, Some(PaymentReason::ProviderDown));
        scene.fake.be_down(false);
        let begun = scene.try_begin("E0", &nonce).await.unwrap();
        assert_eq!(outcome(&begun.view), (PaymentState::Created, None));
        assert_eq!(scene.all().await.len(), 1);
        // The answer was lost: the same key finds the same.
        let other = new_nonce();
        for _ in 0..3 {
            scene.fake.fail("POST /v1/payment_intents", Fault::After(503));
        }
        assert!(scene.try_begin("E0", &other).await.is_err());
        scene.try_begin("E0", &other).await.unwrap();
        assert_eq!(scene.fake.calls("POST /v1/payment_intents").iter().filter(|seen| seen.account.is_some()).count(), 0);
        let keys: std::collections::BTreeSet<_> =
            scene.fake.calls("POST /v1/payment_intents").into_iter().filter_map(|seen| seen.key).collect();
        assert_eq!(keys.len(), 2, "one for each payment: {keys:?}");
    }

    /// Nobody answers when what is due is to be taken: it is taken later, once.
    async fn a_provider_that_is_down_after_the_hold(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        scene.turn(600);
        scene.ends(&station, &transaction, 10_000).await;
        scene.fake.be_down(true);
        scene.settle().await;
        scene.until(&begun, PaymentState::Capturing).await;
        for _ in 0..3 {
            scene.turn(120);
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        assert_eq!(scene.shown(&begun).await.payment.state, PaymentState::Capturing);
        scene.fake.be_down(false);
        scene.turn(15 * 60);
        let view = scene.until(&begun, PaymentState::Captured).await;
        assert_eq!(view.captured.to_string(), "5.24");
        assert_eq!(scene.fake.calls("/capture").len(), 1);
        scene.check_money(&begun).await;
    }

    /// The station refuses: the hold goes back at once.
    async fn a_start_that_is_refused(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners { start: Some("Rejected"), ..Manners::default() }).await;
        let begun = scene.paid().await;
        let view = scene.until(&begun, PaymentState::Failed).await;
        assert_eq!(view.reason, Some(PaymentReason::StartRejected));
        assert_eq!(scene.fake.stands("pi_1"), ("canceled", 0));
        assert_eq!(view.released.to_string(), "60.00");
        scene.check_money(&begun).await;
        // The charging point is free for the next one.
        scene.begin().await;
    }

    /// Nobody plugs in: the hold goes back after the station's own timeout, where that is shorter than ours. A charge that
    /// begins after that is stopped, and nothing is taken for it.
    async fn nobody_plugs_in_and_then_somebody_does(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners { connection_time_out: Some("60"), ..Manners::default() }).await;
        let begun = scene.paid().await;
        station.hears("GetConfiguration", 1).await;
        let shortened = async {
            loop {
                let view = scene.view(&begun).await;
                let by = match view.deadline {
                    Some(roamwatt::payments::Deadline::PlugIn(by)) => by,
                    other => panic!("{other:?}"),
                };
                if by.millis() / 1000 == begin_seconds() + 70 {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), shortened).await.expect("70 seconds");
        scene.turn(71);
        let view = scene.until(&begun, PaymentState::Expired).await;
        assert_eq!(view.reason, Some(PaymentReason::NobodyPluggedIn));
        assert_eq!(scene.fake.stands("pi_1"), ("canceled", 0));

        let (transaction, status) = scene.begins(&station, &begun).await;
        assert_eq!(status, "Invalid");
        let asked = station.hears("RemoteStopTransaction", 1).await;
        assert_eq!(asked["transactionId"], transaction);
        scene.turn(30);
        scene.ends(&station, &transaction, 500).await;
        scene.settle().await;
        assert_eq!(scene.site.cdrs().await.len(), 0, "nobody is billed for it");
        assert_eq!(scene.view(&begun).await.stopping, Some(StopCause::NotPaidFor));
        assert_eq!(scene.fake.stands("pi_1"), ("canceled", 0));
        scene.check_money(&begun).await;
    }

    /// The driver changes their mind before plugging in: the hold goes back, and the station's start does not count.
    async fn a_driver_who_cancels_before_the_start(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let unpaid = scene.begin().await;
        stop(scene.app(), &unpaid.key).await.unwrap();
        let view = scene.until(&unpaid, PaymentState::Cancelled).await;
        assert_eq!(view.reason, Some(PaymentReason::CancelledByDriver));
        let begun = scene.paid().await;
        station.hears("RemoteStartTransaction", 1).await;
        stop(scene.app(), &begun.key).await.unwrap();
        scene.until(&begun, PaymentState::Cancelled).await;
        let (_, status) = scene.begins(&station, &begun).await;
        assert_eq!(status, "Invalid");
        station.hears("RemoteStopTransaction", 1).await;
        scene.check_money(&begun).await;
        // Once more changes nothing.
        let view = stop(scene.app(), &begun.key).await.unwrap();
        assert_eq!(outcome(&view), (PaymentState::Cancelled, Some(PaymentReason::CancelledByDriver)));
    }

    /// The station is away before the payment, after the hold, or once it was asked.
    async fn a_station_that_is_away_before_the_charge(db: TestDb) {
        let scene = Scene::start(&db).await;
        let away = scene.try_begin("E0", &new_nonce()).await;
        assert!(matches!(away, Err(PaymentError::Unavailable(Availability::Offline))), "{away:?}");

        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        drop(station);
        gone(&scene, "CS0").await;
        scene.fake.pay("pi_1");
        advance(scene.app(), &begun.key).await.unwrap();
        scene.turn(21);
        let view = scene.until(&begun, PaymentState::Failed).await;
        assert_eq!(view.reason, Some(PaymentReason::StationOffline));
        scene.check_money(&begun).await;

        // Asked, and gone before it answers: it may come back and start, within the time for plugging in.
        let station = scene.station(0, Manners { start: None, ..Manners::default() }).await;
        let begun = scene.paid().await;
        station.hears("RemoteStartTransaction", 1).await;
        drop(station);
        gone(&scene, "CS0").await;
        scene.turn(179);
        let back = scene.station(0, Manners::default()).await;
        let (transaction, status) = scene.begins(&back, &begun).await;
        assert_eq!(status, "Accepted");
        scene.until(&begun, PaymentState::Charging).await;
        scene.turn(60);
        scene.ends(&back, &transaction, 1_000).await;
        scene.settle().await;
        scene.until(&begun, PaymentState::Captured).await;
        scene.check_money(&begun).await;

        // Or it does not.
        let station = scene.station(1, Manners { start: None, ..Manners::default() }).await;
        let begun = scene.try_begin("E1", &new_nonce()).await.unwrap();
        scene.fake.pay(&scene.intent_of(&begun).await);
        advance(scene.app(), &begun.key).await.unwrap();
        station.hears("RemoteStartTransaction", 1).await;
        drop(station);
        gone(&scene, "CS1").await;
        scene.turn(181);
        let view = scene.until(&begun, PaymentState::Failed).await;
        assert_eq!(view.reason, Some(PaymentReason::StationOffline));
        assert_eq!(scene.fake.open_holds(), 0);
    }

    /// The station is away while it charges and when the driver wishes to stop: it is asked when it is back, and what it
    /// says then is what is due.
    async fn a_station_that_is_away_during_the_charge(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        drop(station);
        gone(&scene, "CS0").await;
        scene.turn(300);
        stop(scene.app(), &begun.key).await.unwrap();
        scene.turn(60);
        let back = scene.station(0, Manners::default()).await;
        scene.turn(5);
        back.hears("RemoteStopTransaction", 1).await;
        scene.ends(&back, &transaction, 2_000).await;
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Captured).await;
        // 0.50 + 2 kWh * 0.39 = 1.28, and 19 % on it.
        assert_eq!(view.captured.to_string(), "1.52");
        scene.check_money(&begun).await;
    }

    /// The station is away once it has said that the charge ended, and what it says when it is back comes too late to count.
    async fn a_station_that_is_away_after_the_charge(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        scene.turn(60);
        scene.ends(&station, &transaction, 10_000).await;
        drop(station);
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Captured).await;
        assert_eq!(view.captured.to_string(), "5.24");
        let back = scene.station(0, Manners::default()).await;
        scene.meters(&back, &transaction, 20_000).await;
        scene.ends(&back, &transaction, 20_000).await;
        scene.turn(120);
        scene.settle().await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let payment = scene.shown(&begun).await.payment;
        assert_eq!((payment.captured.to_string(), payment.written_off.to_string()), ("5.24".into(), "0".into()));
        assert_eq!(scene.site.cdrs().await.len(), 1, "late values make no second bill");
        assert_eq!(scene.fake.calls("/capture").len(), 1);
        assert_eq!(scene.fake.refunds_of("pi_1"), Vec::<i64>::new());
        scene.check_money(&begun).await;
    }

    /// Two phones at one plug: one charges, the other is told before any money is held; and where both paid at the same
    /// time, the hold of the second goes back.
    async fn two_phones_at_one_plug(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (first, second) = (scene.begin().await, scene.begin().await);
        scene.fake.pay("pi_1");
        scene.fake.pay("pi_2");
        let (one, other) =
            tokio::join!(advance(scene.app(), &first.key), advance(scene.app(), &second.key));
        one.unwrap();
        other.unwrap();
        station.hears("RemoteStartTransaction", 1).await;
        let states = [scene.view(&first).await.state, scene.view(&second).await.state];
        let (winner, loser) =
            if states[0] == PaymentState::StartSent { (&first, &second) } else { (&second, &first) };
        let view = scene.until(loser, PaymentState::Cancelled).await;
        assert_eq!(view.reason, Some(PaymentReason::PlugTaken));
        assert_eq!(scene.fake.open_holds(), 1);
        assert_eq!(station.asked("RemoteStartTransaction").len(), 1);
        let third = scene.try_begin("E0", &new_nonce()).await;
        assert!(matches!(third, Err(PaymentError::Unavailable(Availability::Occupied))), "{third:?}");
        let (transaction, status) = scene.begins(&station, winner).await;
        assert_eq!(status, "Accepted");
        scene.turn(60);
        scene.ends(&station, &transaction, 1_000).await;
        scene.settle().await;
        scene.until(winner, PaymentState::Captured).await;
        scene.check_money(winner).await;
        assert_eq!(scene.fake.open_holds(), 0);
    }

    /// What can be held is not enough for even a short charge: that is said before.
    async fn a_hold_that_is_too_small(db: TestDb) {
        let fake = Fake::start();
        let url = fake.url.clone();
        let tiny = |config: &mut roamwatt::config::Config| config.payments.holds[0].amount = "0.60".parse().unwrap();
        let scene = Scene::start_with(&db, fake, &url, None, tiny).await;
        let _station = scene.station(0, Manners::default()).await;
        let refused = scene.try_begin("E0", &new_nonce()).await;
        assert!(matches!(refused, Err(PaymentError::HoldTooSmall)), "{refused:?}");
        assert_eq!(scene.fake.seen().len(), 0);
    }

    /// What is held is another amount than was to be held, e.g. in part: it goes back.
    async fn a_hold_of_another_amount(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        scene.fake.hold_only("pi_1", 500);
        scene.fake.pay("pi_1");
        advance(scene.app(), &begun.key).await.unwrap();
        let view = scene.until(&begun, PaymentState::Failed).await;
        assert_eq!(view.reason, Some(PaymentReason::HoldDiffers));
        assert_eq!((view.held.to_string(), view.released.to_string()), ("5.00".into(), "5.00".into()));
        assert_eq!(station.asked("RemoteStartTransaction").len(), 0);
        scene.check_money(&begun).await;
    }

    /// Nothing is due: the hold goes back, and zero is never taken.
    async fn a_charge_that_costs_nothing(db: TestDb) {
        let scene = Scene::start(&db).await;
        scene.site.name_no_tariffs().await;
        scene.site.add_tariff("ENERGY", "0.39", |_| ()).await;
        let everywhere = roamwatt::domain::assignment::Place::Party;
        scene.site.assign("ENERGY", everywhere, roamwatt::domain::assignment::Buyers::Everybody).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        scene.turn(60);
        scene.ends(&station, &transaction, 0).await;
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Cancelled).await;
        assert_eq!(view.reason, Some(PaymentReason::CostZero));
        assert_eq!(scene.fake.calls("/capture").len(), 0);
        assert_eq!(scene.fake.stands("pi_1"), ("canceled", 0));
        scene.check_money(&begun).await;
    }

    /// The provider takes no amount that small: the hold goes back, and it is written off.
    async fn an_amount_that_is_too_small_to_be_taken(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        scene.fake.fail("/capture", Fault::Refuse("amount_too_small"));
        scene.turn(60);
        scene.ends(&station, &transaction, 0).await;
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Cancelled).await;
        assert_eq!(view.reason, Some(PaymentReason::TooLittle));
        // The flat price, with its tax.
        assert_eq!(scene.shown(&begun).await.payment.written_off.to_string(), "0.60");
        scene.check_money(&begun).await;
    }

    /// The hold lapses while the car still charges: it is stopped before, and what is known by then is taken.
    async fn a_hold_that_lapses(db: TestDb) {
        let scene = Scene::start(&db).await;
        let week = 7 * 24 * 3600;
        scene.fake.lapse_at(begin_seconds() + week);
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        // A car that takes little.
        for hour in 1..=(week / 3600 - 12) {
            scene.turn(3600);
            let wh = u32::try_from(hour).unwrap() * 10;
            scene.meters(&station, &transaction, wh).await;
        }
        station.hears("RemoteStopTransaction", 1).await;
        assert_eq!(scene.view(&begun).await.stopping, Some(StopCause::HoldLapses));
        // The station does not stop, and says nothing any more.
        drop(station);
        for _ in 0..7 {
            scene.turn(3600);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let view = scene.until(&begun, PaymentState::Captured).await;
        // 0.50 + 1.56 kWh * 0.39, and 19 % on it.
        assert_eq!(view.captured.to_string(), "1.32");
        // What comes after that is no second charge.
        let station = scene.station(0, Manners::default()).await;
        scene.ends(&station, &transaction, 3_000).await;
        scene.settle().await;
        let written_off = async {
            while scene.shown(&begun).await.payment.cdr_seq.is_none() {
                scene.turn(30);
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), written_off).await.expect("the CDR is accounted for");
        let payment = scene.shown(&begun).await.payment;
        // 0.50 + 3 kWh * 0.39 = 1.67, and 19 % on it: 1.99.
        assert_eq!((payment.captured.to_string(), payment.written_off.to_string()), ("1.32".into(), "0.67".into()));
        assert_eq!(scene.fake.calls("/capture").len(), 1);
        scene.check_money(&begun).await;
    }

    /// Somebody took the money in the provider's dashboard while it was to be given back: it is refunded.
    async fn a_hold_that_somebody_else_took(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let begun = scene.paid().await;
        scene.fake.take("pi_1", 6000);
        stop(scene.app(), &begun.key).await.unwrap();
        let view = scene.until(&begun, PaymentState::Refunded).await;
        assert_eq!(view.refunded.to_string(), "60.00");
        assert_eq!(scene.fake.refunds_of("pi_1"), [6000]);
        scene.check_money(&begun).await;
    }
}

/// Waits until the node has seen that a station is away.
async fn gone(scene: &Scene, station: &str) {
    let station = roamwatt::domain::station::StationId::parse(station).unwrap();
    let away = async {
        while scene.app().stations.is_connected(&station) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), away).await.expect("the socket is closed");
}
