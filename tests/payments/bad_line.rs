//! Over a bad line to the provider, and with simulated cars: whatever is lost, the money is right in the end.

use super::fake::Fake;
use super::proxy::{Line, Proxy};
use super::scene::Scene;
use super::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::domain::payment::PaymentState;
use roamwatt::payments::begin::new_nonce;
use roamwatt::payments::{advance, stop};
use roamwatt::simulate::{StationConfig, StationSim};
use std::time::Duration;

on_each_engine! {
    /// Every kind of fault at every call of a payment: lost, cut, twice, slow, in turn.
    async fn every_fault_at_every_call(db: TestDb) {
        // What it takes at least: authorise, look, look, capture; the fault stands at each of them.
        for fault in [Line::CutBefore, Line::CutAfter, Line::Twice, Line::Slow(400)] {
            for position in 0..5_usize {
                let db = db.another();
                let fake = Fake::start();
                let proxy = Proxy::to(&fake.url).await;
                let mut script = vec![Line::Good; position];
                script.push(fault);
                proxy.be(script);
                let scene = Scene::start_with(&db, fake, &proxy.url, None, |_| ()).await;
                let station = scene.station(0, Manners::default()).await;
                let begun = scene.paid().await;
                let line = format!("{fault:?} at {position}");
                scene.charged_over_a_bad_line(&station, &begun, &line).await;
                assert_eq!(scene.view(&begun).await.captured.to_string(), "5.24");
                assert_eq!(scene.fake.stands(&scene.intent_of(&begun).await), ("succeeded", 524));
                assert_eq!(scene.fake.open_holds(), 0, "{line}");
                scene.check_money(&begun).await;
            }
        }
    }

    /// A simulated car at a simulated station, over real sockets: paid, plugged in, charged, stopped by its driver; and
    /// one that nobody plugs in.
    async fn a_simulated_car_is_paid_for(db: TestDb) {
        let scene = Scene::start(&db).await;
        let mut config = StationConfig::new(scene.site.node.ws_url("/ocpp"), "CS0");
        config.clock = Some(scene.clock());
        let car = StationSim::spawn(config).unwrap();
        let ready = async {
            while !scene.app().stations.is_connected(&roamwatt::domain::station::StationId::parse("CS0").unwrap())
                || !car.snapshot().accepted
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ready).await.expect("the station is there");
        let unused = scene.try_begin("E0", &new_nonce()).await.unwrap();
        scene.fake.pay(&scene.intent_of(&unused).await);
        advance(scene.app(), &unused.key).await.unwrap();
        scene.until(&unused, PaymentState::StartSent).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The station itself waits for 60 seconds.
        scene.turn(71);
        scene.until(&unused, PaymentState::Expired).await;

        let begun = scene.try_begin("E0", &new_nonce()).await.unwrap();
        scene.fake.pay(&scene.intent_of(&begun).await);
        advance(scene.app(), &begun.key).await.unwrap();
        scene.until(&begun, PaymentState::StartSent).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        car.plug_in(1).await.unwrap();
        scene.until(&begun, PaymentState::Charging).await;
        for _ in 0..6 {
            scene.turn(60);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let live = scene.view(&begun).await.live.unwrap();
        assert!(live.kwh.decimal() > "0.1".parse().unwrap(), "{live:?}");
        stop(scene.app(), &begun.key).await.unwrap();
        let stopped = async {
            while !scene.view(&begun).await.live.unwrap().stopped {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), stopped).await.expect("the charge stops");
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Captured).await;
        let cdr = scene.site.cdr_at(0).await;
        assert_eq!(Some(view.captured), cdr.total_cost.incl_vat);
        assert!(view.captured <= view.held);
        scene.check_money(&begun).await;
        assert_eq!(scene.fake.open_holds(), 0);
    }
}
