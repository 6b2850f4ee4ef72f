//! What somebody does at the provider without us: gives money back, takes a hold, gives one back; and refunds that the
//! driver's bank sends back.

use super::fake::Fault;
use super::scene::Scene;
use super::station::Manners;
use crate::cli::run;
use crate::support::db::{TestDb, on_each_engine};
use crate::web::operator::Operator;
use reqwest::Method;
use roamwatt::domain::payment::{OperationState, PaymentReason, PaymentState, StopCause};
use roamwatt::payments::Begun;
use serde_json::{Value, json};
use std::time::Duration;

/// The object of a message about a refund.
fn refund(id: &str) -> Value {
    json!({ "id": id, "object": "refund", "payment_intent": "pi_1", "charge": "ch_of_pi_1", "status": "succeeded" })
}

/// The object of a message about the charge of a payment.
fn charge() -> Value {
    json!({ "id": "ch_of_pi_1", "object": "charge", "payment_intent": "pi_1" })
}

fn intent(status: &str) -> Value {
    json!({ "id": "pi_1", "object": "payment_intent", "status": status })
}

/// What the report says of the only party.
async fn report(scene: &Scene) -> (Value, Value) {
    let finance = Operator::of_role(&scene.site.node, "finance").await;
    let report = finance.get("/payments/report").await;
    (report["rows"][0].clone(), report["differences"].clone())
}

/// Waits until so many messages about a payment were looked at.
async fn handled(scene: &Scene, begun: &Begun, wanted: usize) {
    let all = async {
        while scene.shown(begun).await.events.iter().filter(|event| event.handled).count() < wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(15), all).await.is_err() {
        panic!("{wanted} messages: {:#?}", scene.shown(begun).await.events);
    }
}

/// Waits until operators are told of trouble that says so.
async fn troubled(scene: &Scene, begun: &Begun, said: &str) {
    let told = async {
        while !scene
            .shown(begun)
            .await
            .payment
            .details
            .0
            .trouble
            .is_some_and(|trouble| trouble.contains(said))
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(15), told).await.is_err() {
        panic!("{said}: {:#?}", scene.shown(begun).await);
    }
}

on_each_engine! {
    /// Money that was given back in the provider's dashboard is in the books like any other, once, whatever messages come.
    async fn a_refund_made_at_the_provider_is_taken_over(db: TestDb) {
        let scene = Scene::start(&db).await;
        let (begun, _station) = scene.captured(10_000).await;
        // The capture itself makes a refund at the provider of what was held and not taken: that is none.
        assert_eq!(scene.tell("evt_0", "charge.refunded", charge()).await, 200);
        let id = scene.fake.refund_there("pi_1", 100, Some("requested_by_customer"));
        for (event, kind, object) in [
            ("evt_3", "refund.updated", refund(&id)),
            ("evt_1", "refund.created", refund(&id)),
            ("evt_1", "refund.created", refund(&id)),
            ("evt_2", "charge.refunded", charge()),
            ("evt_4", "charge.refund.updated", refund(&id)),
        ] {
            assert_eq!(scene.tell(event, kind, object).await, 200);
        }
        scene.refunded(&begun, "1.00").await;
        // Of a payment that is none of ours.
        let mut foreign = refund("re_99");
        foreign["payment_intent"] = "pi_of_another_shop".into();
        assert_eq!(scene.tell("evt_5", "refund.created", foreign).await, 200);
        handled(&scene, &begun, 5).await;
        let shown = scene.shown(&begun).await;
        assert_eq!(shown.payment.refunded.to_string(), "1.00");
        let made = shown.operations.last().unwrap();
        assert_eq!((made.state, made.provider_ref.as_deref()), (OperationState::Done, Some(id.as_str())));
        assert_eq!((made.asked_by.as_deref(), made.note.as_deref()), (Some("somebody at stripe"), Some("requested_by_customer")));
        assert!(scene.fake.calls("POST /v1/refunds").is_empty(), "we give back nothing on top");
        scene.check_money(&begun).await;
        let (row, differences) = report(&scene).await;
        assert_eq!((&row["refunded"], differences), (&json!({ "payments": 1, "sum": "1.00" }), json!([])));
        let told = run(&db, &["payments", "show", &begun.view.id]);
        assert!(told.out.contains("somebody at stripe: requested_by_customer") && told.out.contains("ledger: refunded"), "{told:?}");

        // No more than is left can be given back by us, then the rest of it there.
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        let path = format!("/payments/{}/refund", begun.view.id);
        let wish = json!({ "amount": "4.25", "note": "x" });
        assert_eq!(operator.send(Method::POST, &path, Some(wish)).await.status(), 409);
        let id = scene.fake.refund_there("pi_1", 424, None);
        assert_eq!(scene.tell("evt_6", "refund.created", refund(&id)).await, 200);
        scene.until(&begun, PaymentState::Refunded).await;
        scene.check_money(&begun).await;
        assert_eq!(report(&scene).await.1, json!([]));
    }

    /// The provider cannot be reached when the message comes: what it is about is looked at later.
    async fn a_message_of_a_refund_is_not_forgotten(db: TestDb) {
        let scene = Scene::start(&db).await;
        let (begun, _station) = scene.captured(10_000).await;
        let id = scene.fake.refund_there("pi_1", 100, None);
        scene.fake.be_down(true);
        assert_eq!(scene.tell("evt_1", "refund.created", refund(&id)).await, 200);
        troubled(&scene, &begun, "cannot be reached").await;
        scene.fake.be_down(false);
        scene.turn(60);
        scene.refunded(&begun, "1.00").await;
        assert_eq!(scene.shown(&begun).await.payment.details.0.trouble, None);
        scene.check_money(&begun).await;
    }

    /// We are about to give money back that somebody gave back at the provider a moment before: not twice.
    async fn what_was_given_back_there_is_not_given_back_again(db: TestDb) {
        let scene = Scene::start(&db).await;
        let (begun, _station) = scene.captured(10_000).await;
        // Nothing tells us of it.
        scene.fake.refund_there("pi_1", 500, None);
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        let path = format!("/payments/{}/refund", begun.view.id);
        assert_eq!(operator.send(Method::POST, &path, Some(json!({ "amount": "1.00", "note": "x" }))).await.status(), 200);
        troubled(&scene, &begun, "only 0.24 EUR were left").await;
        assert_eq!(scene.fake.refunds_of("pi_1"), [500]);
        scene.check_money(&begun).await;
        // And the CDR is corrected on top: 8 kWh are 4.31, and more than the difference is given back already.
        let cdr = scene.site.cdr_at(0).await.id.to_string();
        let body = json!({ "reason": "Meter replaced", "kwh": "8" });
        let credited = operator.send(Method::POST, &format!("/cdrs/DE*ABC/{cdr}/credit"), Some(body)).await;
        assert_eq!(credited.status(), 201);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(scene.fake.refunds_of("pi_1"), [500]);
        scene.check_money(&begun).await;
    }

    /// The driver's bank sends a refund back: the money is ours again, and that is told until somebody has seen to it.
    async fn a_refund_that_comes_back_is_shown_as_failed(db: TestDb) {
        let scene = Scene::start(&db).await;
        let (begun, _station) = scene.captured(10_000).await;
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        let path = format!("/payments/{}", begun.view.id);
        let wish = json!({ "note": "Broken cable" });
        assert_eq!(operator.send(Method::POST, &format!("{path}/refund"), Some(wish)).await.status(), 200);
        scene.until(&begun, PaymentState::Refunded).await;
        scene.fake.send_back("pi_1", 524, "expired_or_canceled_card");
        for event in ["evt_2", "evt_1", "evt_1"] {
            assert_eq!(scene.tell(event, "refund.failed", refund("re_2")).await, 200);
        }
        troubled(&scene, &begun, "a refund of 5.24 EUR failed: expired_or_canceled_card").await;
        let shown = operator.get(&path).await;
        let refunded: rust_decimal::Decimal = shown["refunded"].as_str().unwrap().parse().unwrap();
        assert!(shown["state"] == "captured" && refunded.is_zero(), "{shown}");
        let last = shown["operations"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["state"], &last["note"]), (&json!("failed"), &json!("expired_or_canceled_card")));
        let kinds: Vec<&str> =
            shown["ledger"].as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["held", "captured", "released", "refunded", "refund_failed"]);
        let (row, differences) = report(&scene).await;
        assert_eq!((&row["refund_failed"], differences), (&json!({ "payments": 1, "sum": "5.24" }), json!([])));
        scene.check_money(&begun).await;
        assert_eq!(scene.fake.calls("POST /v1/refunds").len(), 1, "it is not made again by itself");
        // Somebody tries again, and it works.
        assert_eq!(operator.send(Method::POST, &format!("{path}/refund"), Some(json!({ "note": "x" }))).await.status(), 200);
        scene.until(&begun, PaymentState::Refunded).await;
        scene.check_money(&begun).await;
    }

    /// Somebody takes the hold in the dashboard while the car charges: the charge is stopped, and what is not due goes back.
    async fn a_hold_that_is_taken_during_the_charge(db: TestDb) {
        for taken in [6_000, 100] {
            let db = db.another();
            let scene = Scene::start(&db).await;
            let station = scene.station(0, Manners::default()).await;
            let (begun, transaction) = scene.charging(&station).await;
            scene.fake.take("pi_1", taken);
            assert_eq!(scene.tell("evt_1", "payment_intent.succeeded", intent("succeeded")).await, 200);
            station.hears("RemoteStopTransaction", 1).await;
            assert_eq!(scene.view(&begun).await.stopping, Some(StopCause::HoldTaken));
            // A part of it was given back there, too, before we knew that anything was taken.
            if taken == 6_000 {
                let id = scene.fake.refund_there("pi_1", 1_000, Some("requested_by_customer"));
                assert_eq!(scene.tell("evt_2", "refund.created", refund(&id)).await, 200);
            }
            scene.turn(60);
            scene.ends(&station, &transaction, 10_000).await;
            scene.settle().await;
            scene.until(&begun, PaymentState::Captured).await;
            let payment = if taken == 6_000 {
                scene.refunded(&begun, "54.76").await;
                assert_eq!(scene.fake.refunds_of("pi_1"), [1_000, 4_476]);
                scene.shown(&begun).await.payment
            } else {
                scene.shown(&begun).await.payment
            };
            let money = (payment.captured.to_string(), payment.written_off.to_string());
            let wanted = if taken == 6_000 { ("60.00", "0") } else { ("1.00", "4.24") };
            assert_eq!(money, (wanted.0.to_owned(), wanted.1.to_owned()));
            assert!(scene.fake.calls("/capture").is_empty(), "nothing is taken a second time");
            scene.check_money(&begun).await;
            assert_eq!(report(&scene).await.1, json!([]), "{taken}");
        }
    }

    /// Somebody takes or gives back the hold in the dashboard before the car is plugged in: the charge does not begin.
    async fn a_hold_that_is_gone_before_the_charge(db: TestDb) {
        for taken in [false, true] {
            let db = db.another();
            let scene = Scene::start(&db).await;
            let station = scene.station(0, Manners::default()).await;
            let begun = scene.paid().await;
            station.hears("RemoteStartTransaction", 1).await;
            let (kind, state) = if taken {
                scene.fake.take("pi_1", 6_000);
                ("payment_intent.succeeded", PaymentState::Refunded)
            } else {
                scene.fake.cancel("pi_1");
                ("payment_intent.canceled", PaymentState::Cancelled)
            };
            assert_eq!(scene.tell("evt_1", kind, intent("whatever")).await, 200);
            let view = scene.until(&begun, state).await;
            assert_eq!(view.reason, Some(PaymentReason::CancelledByOperator));
            let (_, status) = scene.begins(&station, &begun).await;
            assert_eq!(status, "Invalid", "nobody would pay for it");
            station.hears("RemoteStopTransaction", 1).await;
            scene.check_money(&begun).await;
            assert_eq!(scene.fake.refunds_of("pi_1"), if taken { vec![6_000] } else { vec![] });
            assert_eq!(report(&scene).await.1, json!([]));
        }
    }

    /// The provider takes the payment back before the driver has paid: it is over, and can be begun anew.
    async fn a_payment_that_is_ended_at_the_provider_before_it_is_paid(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let begun = scene.begin().await;
        scene.fake.cancel("pi_1");
        assert_eq!(scene.tell("evt_1", "payment_intent.canceled", intent("canceled")).await, 200);
        let view = scene.until(&begun, PaymentState::Expired).await;
        assert_eq!(view.reason, Some(PaymentReason::NotPaid));
        scene.begin().await;
    }

    /// What the provider lists and cannot be is told, and changes nothing.
    async fn more_than_was_taken_is_not_taken_over(db: TestDb) {
        let scene = Scene::start(&db).await;
        let (begun, _station) = scene.captured(10_000).await;
        let id = scene.fake.refund_there("pi_1", 525, Some("fraudulent"));
        assert_eq!(scene.tell("evt_1", "refund.created", refund(&id)).await, 200);
        troubled(&scene, &begun, "of 5.25 EUR at the provider is more than the 5.24 that are left").await;
        let shown = scene.shown(&begun).await;
        assert_eq!((shown.payment.refunded.to_string().as_str(), shown.payment.state), ("0", PaymentState::Captured));
        assert_eq!(shown.operations.len(), 2);
        // A list that the provider refuses to give is told in the log, and does not come up again and again.
        scene.fake.fail("GET /v1/refunds", Fault::Refuse("rate_of_nonsense"));
        assert_eq!(scene.tell("evt_2", "refund.updated", refund(&id)).await, 200);
        handled(&scene, &begun, 2).await;
        assert!(!scene.shown(&begun).await.payment.details.0.refunds_told);
    }
}
