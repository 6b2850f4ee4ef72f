//! The pages as they are without scripts: what they say, where they lead, and what they do not tell.

use super::scene::{Browser, begun_of, code_of, field, heading, to};
use crate::payments::fake::Fake;
use crate::payments::scene::Scene;
use crate::payments::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use reqwest::StatusCode;
use reqwest::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
};
use roamwatt::domain::payment::PaymentState;
use roamwatt::payments::code::Code;
use std::time::Duration;

on_each_engine! {
    /// From the code to the receipt.
    async fn a_driver_without_script_gets_from_the_code_to_the_receipt(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let code = code_of(&scene, "DE*ABC*E0");

        let page = browser.page(&code).await;
        assert_eq!(heading(&page), "Charge here");
        // The price before anything is paid: the sentence, then per kWh before the start fee (AFIR).
        let (kwh, session) = (page.find("0.39").unwrap(), page.rfind("0.50").unwrap());
        assert!(kwh < session && page.contains("€60.00") && page.contains("ABC Charging GmbH"), "{page}");
        assert!(page.contains("Free") && page.contains("DE*ABC*E0"), "{page}");

        let charge = browser.begin(&code, "").await;
        let page = browser.page(&charge).await;
        assert_eq!(heading(&page), "Payment");
        assert!(page.contains("data-secret=\"pi_1_secret_of_the_fake\"") && page.contains("<noscript>"), "{page}");
        assert!(page.contains("https://js.stripe.com/v3/"), "{page}");

        scene.fake.pay("pi_1");
        let back = browser.get(&format!("{charge}/back?payment_intent=pi_1&redirect_status=succeeded")).await;
        assert_eq!((back.status(), to(&back)), (StatusCode::SEE_OTHER, charge.clone()));
        station.hears("RemoteStartTransaction", 1).await;
        let page = browser.page(&charge).await;
        assert_eq!(heading(&page), "Plug in your car now");
        // The story begins at 8:00 UTC; the driver has three minutes, told in the time of the place.
        assert!(page.contains("http-equiv=\"refresh\"") && page.contains("by 09:03"), "{page}");

        let begun = begun_of(&scene, &charge).await;
        let (transaction, _) = scene.begins(&station, &begun).await;
        scene.turn(600);
        scene.meters(&station, &transaction, 3_000).await;
        scene.until(&begun, PaymentState::Charging).await;
        let page = browser.page(&charge).await;
        assert_eq!(heading(&page), "Charging");
        for said in ["3 kWh", "10 min", "€1.99", "€60.00", "Stop charging"] {
            assert!(page.contains(said), "{said} is not in {page}");
        }

        let stopped = browser.post(&format!("{charge}/stop"), &[]).await;
        assert_eq!(to(&stopped), charge);
        station.hears("RemoteStopTransaction", 1).await;
        assert_eq!(heading(&browser.page(&charge).await), "Charging is being stopped …");
        scene.ends(&station, &transaction, 10_000).await;
        assert_eq!(heading(&browser.page(&charge).await), "Charging has ended");
        scene.settle().await;
        scene.until(&begun, PaymentState::Captured).await;
        let page = browser.page(&charge).await;
        assert_eq!(heading(&page), "Thank you");
        assert!(page.contains("€5.24") && page.contains("€54.76"), "{page}");
        assert!(!page.contains("http-equiv=\"refresh\""), "nothing changes any more");

        let receipt = browser.page(&format!("{charge}/receipt?lang=de")).await;
        for said in ["Beleg DEABC-000001", "ABC Charging GmbH", "DE123456789", "10 kWh", "0,39", "5,24 €", "19 %"] {
            assert!(receipt.contains(said), "{said} is not in {receipt}");
        }
        let pdf = browser.get(&format!("{charge}/receipt.pdf")).await;
        assert_eq!(pdf.headers()[CONTENT_TYPE], "application/pdf");
        let pdf = pdf.bytes().await.unwrap();
        assert!(pdf.starts_with(b"%PDF-") && pdf.len() < 60_000, "{}", pdf.len());
        scene.check_money(&begun).await;
    }

    /// Two that look at the same page are two drivers, the same form sent twice is one payment.
    async fn a_form_that_is_sent_twice_pays_once(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let code = code_of(&scene, "DE*ABC*E0");
        let nonce = field(&browser.page(&code).await, "nonce");
        let first = browser.post(&code, &[("nonce", &nonce)]).await;
        let again = browser.post(&code, &[("nonce", &nonce)]).await;
        assert_eq!(to(&first), to(&again));
        assert_ne!(browser.begin(&code, "").await, to(&first));
        assert_eq!(scene.all().await.len(), 2);
    }

    /// What is wrong is said in the driver's language, and nothing is begun.
    async fn what_cannot_be_is_said(db: TestDb) {
        let fake = Fake::start();
        let url = fake.url.clone();
        let scene = Scene::start_with(&db, fake, &url, None, |config| {
            config.mail.url = Some("smtp+plain://127.0.0.1:9".parse().unwrap());
            config.mail.from = Some("receipts@example.org".parse().unwrap());
        })
        .await;
        let browser = Browser::new(&scene);
        let code = code_of(&scene, "DE*ABC*E0");

        // No station is connected.
        let page = browser.get_in(&code, "de-DE,de;q=0.9").await.text().await.unwrap();
        assert!(page.contains("Zurzeit nicht erreichbar") && page.contains("Noch einmal nachsehen"), "{page}");
        assert!(page.contains("<html lang=\"de\"") && !page.contains("type=\"submit\""), "{page}");

        let _station = scene.station(0, Manners::default()).await;
        let nonce = field(&browser.page(&code).await, "nonce");
        let wrong = browser.post(&code, &[("nonce", &nonce), ("email", "nobody")]).await;
        assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = wrong.text().await.unwrap();
        assert!(page.contains("not an e-mail address") && page.contains("value=\"nobody\""), "{page}");
        assert_eq!(field(&page, "nonce"), nonce, "the same payment goes on");

        // Somebody else's code, a forged one, one that ran out, an EVSE that is not there.
        let forged = format!("{}x", code);
        for (path, status) in [
            ("/pay/DE*ABC*E0".to_owned(), 404),
            (forged, 404),
            (format!("{code}&t=soon"), 404),
            (code.replace("E0", "E1"), 404),
            (code_of(&scene, "DE*ABC*E99"), 404),
            ("/pay/charge/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(), 404),
            ("/pay/charge/x/receipt".to_owned(), 404),
            ("/pay/charge/x/events".to_owned(), 404),
        ] {
            let response = browser.get(&path).await;
            assert_eq!(response.status(), status, "{path}");
            let page = response.text().await.unwrap();
            assert!(heading(&page) == "There is nothing here", "{page}");
        }
        // What no page of ours sends.
        for unreadable in [browser.get(&format!("{code}&lang=de&lang=en")).await, browser.post(&code, &[]).await] {
            assert_eq!(unreadable.status(), StatusCode::BAD_REQUEST);
            assert_eq!(heading(&unreadable.text().await.unwrap()), "Something went wrong");
        }
        let now = scene.site.clock.now();
        let shown = Code { evse: "DE*ABC*E0".to_owned(), until: Some(now.millis() / 1000 + 60) };
        let path = shown.path(&scene.app().keys);
        assert_eq!(heading(&browser.page(&path).await), "Charge here");
        scene.turn(61);
        let over = browser.get(&path).await;
        assert_eq!(over.status(), StatusCode::GONE);
        assert!(over.text().await.unwrap().contains("This code has run out"));
        assert_eq!(scene.all().await.len(), 0);
    }

    /// The provider is down: it is said, nothing is held, and the same form works later.
    async fn a_provider_that_is_down_is_said_and_the_form_works_later(db: TestDb) {
        let fake = Fake::start();
        let url = fake.url.clone();
        let scene = Scene::start_with(&db, fake, &url, None, |config| {
            config.payments.request_timeout = Duration::from_millis(300);
        })
        .await;
        let _station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let code = code_of(&scene, "DE*ABC*E0");
        let nonce = field(&browser.page(&code).await, "nonce");
        scene.fake.be_down(true);
        let failed = browser.post(&code, &[("nonce", &nonce)]).await;
        assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(failed.text().await.unwrap().contains("cannot be reached. Nothing was charged"));
        scene.fake.be_down(false);
        let begun = browser.post(&code, &[("nonce", &nonce)]).await;
        assert_eq!(heading(&browser.page(&to(&begun)).await), "Payment");
    }

    /// A driver who gives up, and one whose card is declined.
    async fn giving_up_and_declined_cards_are_told(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let code = code_of(&scene, "DE*ABC*E0");
        let charge = browser.begin(&code, "").await;
        scene.fake.attempt_fails("pi_1", "card_declined");
        browser.get(&format!("{charge}/back")).await;
        let page = browser.page(&charge).await;
        assert_eq!(heading(&page), "Payment");
        assert!(page.contains("Your bank declined the card. Nothing was charged."), "{page}");
        browser.post(&format!("{charge}/stop"), &[]).await;
        let page = browser.page(&charge).await;
        assert_eq!(heading(&page), "You pay nothing");
        assert!(page.contains("You cancelled") && page.contains("Start again"), "{page}");
        assert!(page.contains(&code.replace('&', "&amp;")), "{page}");
    }

    /// Pages are quick, small, kept by nobody, and load nothing from elsewhere but the provider's script.
    async fn pages_are_small_and_tell_nobody(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let browser = Browser::new(&scene);
        let code = code_of(&scene, "DE*ABC*E0");
        let offer = browser.get(&code).await;
        for (name, value) in [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")] {
            assert_eq!(offer.headers()[&name], value);
        }
        let policy = offer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("stripe"), "{policy}");
        let page = offer.text().await.unwrap();
        let script = page.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let file = browser.get(&script).await;
        assert!(file.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        let script = file.text().await.unwrap();
        assert!(page.len() + script.len() < 50_000, "{} and {}", page.len(), script.len());
        assert!(!page.contains("http://") && !page.contains("https://"), "{page}");
        let packed = browser.get_packed(&code).await;
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        assert!(packed.bytes().await.unwrap().len() < page.len() / 2);

        let charge = browser.get(&browser.begin(&code, "").await).await;
        let policy = charge.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("script-src 'self' https://js.stripe.com"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("https://hooks.stripe.com"), "{policy}");
    }
}
