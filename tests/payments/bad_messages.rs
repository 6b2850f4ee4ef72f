//! The provider's messages over a bad line, and a node that is killed between the steps: whatever is lost, twice, late or
//! out of order, the money is right in the end.

use super::postman::{Fate, Postman};
use super::proxy::Line;
use super::scene::Scene;
use super::station::{Manners, Station};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::domain::payment::{OperationKind, PaymentReason, PaymentState};
use roamwatt::payments::Begun;
use roamwatt::payments::desk::{RefundWish, refund};
use std::collections::BTreeSet;
use std::time::Duration;

const LATE: Fate = Fate::Line(Line::Slow(250));
const CUT_BEFORE: Fate = Fate::Line(Line::CutBefore);
const CUT_AFTER: Fate = Fate::Line(Line::CutAfter);
const TWICE: Fate = Fate::Line(Line::Twice);
/// All of them in turn; how many there are has no common factor with how many messages a payment makes.
const MIXED: [Fate; 7] = [Fate::Behind, TWICE, CUT_AFTER, Fate::Again, LATE, CUT_BEFORE, Fate::Behind];

/// Turns the clock until something is so.
async fn turned_until(scene: &Scene, what: &str, mut done: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !done().await {
            scene.turn(5);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), reached).await.is_ok(), "{what}");
}

/// Ends the node where the story is at the step at which it is to be killed, and starts the next one.
async fn survive(scene: Scene, station: Station, postman: &Postman, kill: bool) -> (Scene, Station) {
    if !kill {
        return (scene, station);
    }
    drop(station);
    let scene = scene.kill().await;
    postman.goes_to(&scene.site.node.url(""));
    let station = scene.station(0, Manners::default()).await;
    (scene, station)
}

/// The phone is gone once the driver has paid: only messages and the poll tell us of anything. A charge is paid for, a
/// part of it is given back at the provider and a part by us; then somebody pays and does not plug in.
async fn story(db: &TestDb, fates: &[Fate], kill_at: Option<usize>) {
    let told = format!("{fates:?}, killed at {kill_at:?}");
    let scene = Scene::start(db).await;
    let postman = Postman::start(&scene.fake, &scene.site.node.url(""), scene.clock(), fates).await;
    let station = scene.station(0, Manners::default()).await;
    let begun = scene.begin().await;
    let intent = scene.intent_of(&begun).await;
    scene.fake.pay(&intent);
    let (scene, station) = survive(scene, station, &postman, kill_at == Some(0)).await;
    let waits = async || scene.view(&begun).await.state == PaymentState::StartSent;
    turned_until(&scene, &format!("the station is asked: {told}"), waits).await;
    let (scene, station) = survive(scene, station, &postman, kill_at == Some(1)).await;
    let (transaction, status) = scene.begins(&station, &begun).await;
    assert_eq!(status, "Accepted", "{told}");
    scene.turn(60);
    scene.meters(&station, &transaction, 1_000).await;
    let (scene, station) = survive(scene, station, &postman, kill_at == Some(2)).await;
    scene.turn(60);
    scene.ends(&station, &transaction, 10_000).await;
    let (scene, station) = survive(scene, station, &postman, kill_at == Some(3)).await;
    scene.settle().await;
    let (scene, station) = survive(scene, station, &postman, kill_at == Some(4)).await;
    let taken = async || scene.view(&begun).await.state == PaymentState::Captured;
    turned_until(&scene, &format!("it is captured: {told}"), taken).await;

    scene.fake.refund_there(&intent, 100, Some("requested_by_customer"));
    let (scene, station) = survive(scene, station, &postman, kill_at == Some(5)).await;
    if !fates.contains(&Fate::Lost) {
        given_back(&scene, &begun, "1.00", &told).await;
    }
    // Whoever gives money back looks at what was given back before, also where no message came.
    let wish = RefundWish { amount: Some("0.24".parse().unwrap()), note: "x".into(), by: "a test".into() };
    refund(scene.app(), &begun.view.id, wish).await.unwrap();
    given_back(&scene, &begun, "1.24", &told).await;

    let view = scene.view(&begun).await;
    assert!(view.captured <= view.held, "{told}");
    assert_eq!(Some(view.captured), scene.site.cdr_at(0).await.total_cost.incl_vat, "{told}");
    assert_eq!(scene.fake.stands(&intent), ("succeeded", 524), "{told}");
    assert_eq!(scene.fake.only(), intent, "{told}");
    assert_eq!(scene.fake.refunds_of(&intent), [100, 24], "{told}");
    let keys =
        |path: &str| scene.fake.calls(path).into_iter().filter_map(|seen| seen.key).collect::<BTreeSet<_>>();
    assert_eq!((keys("/capture").len(), keys("POST /v1/refunds").len()), (1, 1), "{told}");
    let operations = scene.shown(&begun).await.operations;
    let kinds: Vec<OperationKind> = operations.iter().map(|operation| operation.kind).collect();
    let refund = OperationKind::Refund;
    assert_eq!(kinds, [OperationKind::Authorise, OperationKind::Capture, refund, refund], "{told}");
    scene.check_money(&begun).await;

    let unused = scene.begin().await;
    scene.fake.pay(&scene.intent_of(&unused).await);
    let waits = async || scene.view(&unused).await.state == PaymentState::StartSent;
    turned_until(&scene, &format!("the station is asked once more: {told}"), waits).await;
    scene.turn(181);
    let (scene, _station) = survive(scene, station, &postman, kill_at == Some(6)).await;
    let over = async || scene.view(&unused).await.state.is_over();
    turned_until(&scene, &format!("nobody plugs in: {told}"), over).await;
    let view = scene.view(&unused).await;
    // The node that follows may look before the station is back.
    let away = (PaymentState::Failed, Some(PaymentReason::StationOffline));
    let unplugged = (PaymentState::Expired, Some(PaymentReason::NobodyPluggedIn));
    let outcome = (view.state, view.reason);
    assert!(outcome == unplugged || (kill_at == Some(6) && outcome == away), "{outcome:?}: {told}");
    assert_eq!(scene.fake.open_holds(), 0, "{told}");
    scene.check_money(&unused).await;
    scene.check_money(&begun).await;
    assert!(postman.is_at_work(), "{told}");
}

async fn given_back(scene: &Scene, begun: &Begun, amount: &str, told: &str) {
    let known = async || scene.shown(begun).await.payment.refunded.to_string() == amount;
    turned_until(scene, &format!("{amount} is given back: {told}"), known).await;
}

on_each_engine! {
    /// Every message meets the same fault.
    async fn every_fault_of_every_message(db: TestDb) {
        for fate in [Fate::Lost, Fate::Behind, Fate::Again, LATE, CUT_BEFORE, CUT_AFTER, TWICE] {
            story(&db.another(), &[fate], None).await;
        }
    }

    /// Faults in turn, and a node that is killed at each step.
    async fn mixed_faults_and_a_node_that_is_killed(db: TestDb) {
        for step in 0..7 {
            story(&db.another(), &MIXED, Some(step)).await;
        }
    }
}
