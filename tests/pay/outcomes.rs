//! What a driver reads where it does not come to a charge, or nothing is to be paid for it.

use super::scene::{Browser, begun_of, code_of, field, heading};
use crate::payments::fake::{Fake, Fault};
use crate::payments::scene::Scene;
use crate::payments::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use reqwest::StatusCode;
use roamwatt::domain::payment::PaymentState;

/// A driver has paid for `E0`; the address of the payment.
async fn paid(scene: &Scene, browser: &Browser<'_>, intent: &str) -> String {
    let charge = browser.begin(&code_of(scene, "DE*ABC*E0"), "").await;
    scene.fake.pay(intent);
    browser.get(&format!("{charge}/back")).await;
    charge
}

/// The page once the payment stands so; it says that there is nothing to pay.
async fn over(scene: &Scene, browser: &Browser<'_>, charge: &str, state: PaymentState) -> String {
    scene.until(&begun_of(scene, charge).await, state).await;
    let page = browser.page(charge).await;
    assert_eq!(heading(&page), "You pay nothing", "{page}");
    page
}

on_each_engine! {
    /// The bank was not told that it was the driver; the station refuses; the car is not plugged in; somebody else is
    /// faster; the station is gone.
    async fn each_failure_before_the_charge_has_its_sentence(db: TestDb) {
        let scene = Scene::start(&db).await;
        let browser = Browser::new(&scene);
        let station = scene.station(0, Manners { start: Some("Rejected"), ..Manners::default() }).await;
        let charge = browser.begin(&code_of(&scene, "DE*ABC*E0"), "").await;
        scene.fake.attempt_fails("pi_1", "payment_intent_authentication_failure");
        browser.get(&format!("{charge}/back")).await;
        let page = browser.page(&charge).await;
        assert!(page.contains("was not confirmed with your bank. Nothing was charged."), "{page}");

        let charge = paid(&scene, &browser, "pi_2").await;
        let page = over(&scene, &browser, &charge, PaymentState::Failed).await;
        assert!(page.contains("refused to start. The amount held is released"), "{page}");
        drop(station);

        let station = scene.station(0, Manners::default()).await;
        let rival = browser.begin(&code_of(&scene, "DE*ABC*E0"), "").await;
        let charge = paid(&scene, &browser, "pi_4").await;
        station.hears("RemoteStartTransaction", 1).await;
        scene.fake.pay("pi_3");
        browser.get(&format!("{rival}/back")).await;
        let page = over(&scene, &browser, &rival, PaymentState::Cancelled).await;
        assert!(page.contains("Somebody else was faster"), "{page}");
        scene.turn(181);
        let page = over(&scene, &browser, &charge, PaymentState::Expired).await;
        assert!(page.contains("No car was plugged in in time. The amount held is released"), "{page}");

        let charge = browser.begin(&code_of(&scene, "DE*ABC*E0"), "").await;
        drop(station);
        scene.fake.pay("pi_5");
        browser.get(&format!("{charge}/back")).await;
        scene.turn(200);
        let page = over(&scene, &browser, &charge, PaymentState::Failed).await;
        assert!(page.contains("The charging point cannot be reached. The amount held is released"), "{page}");
        assert_eq!(scene.fake.open_holds(), 0);
    }

    /// Nothing was used: nothing is due, and that is said.
    async fn a_charge_that_costs_nothing_has_its_sentence(db: TestDb) {
        let scene = Scene::start(&db).await;
        scene.site.name_no_tariffs().await;
        scene.site.add_tariff("ENERGY", "0.39", |_| ()).await;
        let everywhere = roamwatt::domain::assignment::Place::Party;
        scene.site.assign("ENERGY", everywhere, roamwatt::domain::assignment::Buyers::Everybody).await;
        let station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let charge = paid(&scene, &browser, "pi_1").await;
        station.hears("RemoteStartTransaction", 1).await;
        let (transaction, _) = scene.begins(&station, &begun_of(&scene, &charge).await).await;
        scene.turn(60);
        scene.ends(&station, &transaction, 0).await;
        scene.settle().await;
        let page = over(&scene, &browser, &charge, PaymentState::Cancelled).await;
        assert!(page.contains("This charge cost nothing. The amount held is released."), "{page}");
    }

    /// The amount that can be held is not enough, or the provider refuses: said before anything is held.
    async fn what_cannot_be_held_is_said_before(db: TestDb) {
        let fake = Fake::start();
        let url = fake.url.clone();
        let tiny = |config: &mut roamwatt::config::Config| config.payments.holds[0].amount = "0.60".parse().unwrap();
        let scene = Scene::start_with(&db, fake, &url, None, tiny).await;
        let _station = scene.station(0, Manners::default()).await;
        let page = Browser::new(&scene).page(&code_of(&scene, "DE*ABC*E0")).await;
        assert!(page.contains("This amount is not enough for a charge here.") && !page.contains("type=\"submit\""), "{page}");
        drop(scene);

        let scene = Scene::start(&db.another()).await;
        let _station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let code = code_of(&scene, "DE*ABC*E0");
        let nonce = field(&browser.page(&code).await, "nonce");
        scene.fake.fail("POST /v1/payment_intents", Fault::Refuse("account_closed"));
        let refused = browser.post(&code, &[("nonce", &nonce)]).await;
        assert_eq!(refused.status(), StatusCode::BAD_GATEWAY);
        let page = refused.text().await.unwrap();
        assert!(page.contains("The payment provider refused the payment. Nothing was charged."), "{page}");
        assert!(!page.contains("account_closed"), "that is for operators: {page}");
    }
}
