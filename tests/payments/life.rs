//! A payment that goes well, and one that its hold ends.

use super::fake::Fake;
use super::scene::Scene;
use super::station::Manners;
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::domain::payment::{PaymentState, StopCause};
use roamwatt::payments::begin::new_nonce;
use roamwatt::payments::{
    Availability, Deadline, NotOffered, PaymentError, advance, offer, page_needs, receipt, set_email, stop,
};
use roamwatt::pricing::LineKind;

on_each_engine! {
    /// Scan, price, hold, start, live cost, stop, capture, receipt: what is taken is what the CDR says.
    async fn what_the_cdr_says_is_taken(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let shown = offer(scene.app(), "de*abc*e0").await.unwrap();
        let offered = shown.connector(None).unwrap();
        assert_eq!((offered.currency.as_str(), offered.hold.to_string()), ("EUR", "60.00".to_owned()));
        assert_eq!((offered.availability, offered.plugged_in), (Availability::Free, false));
        assert!(offered.hold_is_enough() && shown.merchant.name == "ABC Charging GmbH");

        let begun = scene.begin().await;
        let page = begun.page.clone().unwrap();
        assert_eq!((page.provider, page.client_secret.as_str()), ("stripe", "pi_1_secret_of_the_fake"));
        assert_eq!(page.script_url, "https://js.stripe.com/v3/");
        assert!(!format!("{begun:?} {page:?}").contains("secret_of") && begun.key.len() == 43);
        assert!(matches!(begun.view.deadline, Some(Deadline::Pay(_))));
        // A reload needs the same again; nothing is held yet.
        assert_eq!(page_needs(scene.app(), &begun.key).await.unwrap(), Some(page));
        assert_eq!(advance(scene.app(), &begun.key).await.unwrap().state, PaymentState::Created);

        scene.fake.pay("pi_1");
        advance(scene.app(), &begun.key).await.unwrap();
        let asked = station.hears("RemoteStartTransaction", 1).await;
        assert_eq!(asked["connectorId"], 1);
        let view = scene.until(&begun, PaymentState::StartSent).await;
        assert!(matches!(view.deadline, Some(Deadline::PlugIn(_))) && view.held.to_string() == "60.00");
        assert_eq!(page_needs(scene.app(), &begun.key).await.unwrap(), None);

        let (transaction, status) = scene.begins(&station, &begun).await;
        assert_eq!(status, "Accepted");
        scene.turn(600);
        scene.meters(&station, &transaction, 3_000).await;
        let live = scene.until(&begun, PaymentState::Charging).await.live.unwrap();
        assert_eq!((live.kwh.to_string(), live.seconds), ("3".to_owned(), 600));
        // 0.50 + 3 kWh * 0.39, and 19 % on it.
        assert_eq!(live.cost.incl_vat.unwrap().to_string(), "1.99");

        assert_eq!(stop(scene.app(), &begun.key).await.unwrap().stopping, Some(StopCause::Driver));
        let asked = station.hears("RemoteStopTransaction", 1).await;
        assert_eq!(asked["transactionId"], transaction);
        scene.turn(60);
        scene.ends(&station, &transaction, 10_000).await;
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Captured).await;
        // 0.50 + 10 kWh * 0.39 = 4.40, and 19 % on it.
        assert_eq!(scene.site.cdr_at(0).await.total_cost.incl_vat.unwrap().to_string(), "5.24");
        assert_eq!((view.captured.to_string(), view.released.to_string()), ("5.24".to_owned(), "54.76".to_owned()));
        assert_eq!(scene.fake.stands("pi_1"), ("succeeded", 524));
        scene.check_money(&begun).await;

        set_email(scene.app(), &begun.key, "driver@example.com").await.unwrap();
        assert!(set_email(scene.app(), &begun.key, "driver").await.is_err());
        let receipt = receipt(scene.app(), &begun.key).await.unwrap().unwrap();
        assert_eq!(receipt.number, "DEABC-000001");
        assert_eq!(receipt.email.as_deref(), Some("driver@example.com"));
        assert_eq!((receipt.paid.to_string(), receipt.merchant.unwrap().address.len()), ("5.24".to_owned(), 2));
        let sold = receipt.sold.unwrap();
        let kinds: Vec<LineKind> = sold.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [LineKind::Flat, LineKind::Energy, LineKind::Rounding]);
        let [tax] = sold.taxes.as_slice() else { panic!("{:?}", sold.taxes) };
        let row = [tax.net, tax.tax, tax.gross].map(|amount| amount.to_string());
        assert_eq!((row, tax.rate.unwrap().to_string()), (["4.40", "0.84", "5.24"].map(str::to_owned), "19".into()));
        assert_eq!((sold.net.to_string(), sold.gross.to_string()), ("4.40".into(), "5.24".into()));

        // Each call that changes something had a key of its own that says what it is.
        let id = &begun.view.id;
        let keys: Vec<String> = scene.fake.seen().into_iter().filter_map(|seen| seen.key).collect();
        assert_eq!(keys, [format!("{id}:authorise:1"), format!("{id}:capture:1")]);
        let session = scene.site.sessions().await.remove(0);
        assert_eq!(session.cdr_token.token_type.as_str(), "AD_HOC_USER");
    }

    /// A page that is sent twice is one payment; another page is another one.
    async fn the_same_page_pays_once(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, Manners::default()).await;
        let nonce = new_nonce();
        let first = scene.try_begin("E0", &nonce).await.unwrap();
        let again = scene.try_begin("E0", &nonce).await.unwrap();
        assert_eq!((&first.key, &first.view.id, &first.page), (&again.key, &again.view.id, &again.page));
        let other = scene.try_begin("E0", &new_nonce()).await.unwrap();
        assert!(other.key != first.key && other.view.id != first.view.id);
        assert_eq!(scene.fake.calls("POST /v1/payment_intents").len(), 2);
        let (short, unknown) = (scene.try_begin("E0", "short").await, scene.try_begin("E7", &nonce).await);
        assert!(matches!(short, Err(PaymentError::Input { field: "nonce", .. })));
        assert!(unknown.is_ok(), "a nonce that is known is its payment, whatever else is asked for");
        let unknown = scene.try_begin("E7", &new_nonce()).await;
        assert!(matches!(unknown, Err(PaymentError::UnknownEvse(_))), "{unknown:?}");
        // Keys are not kept, and cannot be guessed from what is.
        for payment in scene.all().await {
            assert!(![&first.key, &other.key].contains(&&payment.key_hash));
            let guessed = advance(scene.app(), &payment.key_hash).await;
            assert!(matches!(guessed, Err(PaymentError::Unknown)));
        }
    }

    /// The charge is stopped before what comes next could cost more than is held: by meter values, and where none come.
    async fn a_charge_stops_before_it_costs_more_than_is_held(db: TestDb) {
        let fake = Fake::start();
        let url = fake.url.clone();
        let small = |config: &mut roamwatt::config::Config| {
            config.payments.holds[0].amount = "3.00".parse().unwrap();
        };
        let scene = Scene::start_with(&db, fake, &url, None, small).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        // 3.00 gross is 5.18 kWh; the connector gives 22.08 kW at the most.
        scene.turn(300);
        scene.meters(&station, &transaction, 1_000).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(station.asked("RemoteStopTransaction").len(), 0);
        // No meter value for long enough that it might cost more.
        scene.turn(700);
        station.hears("RemoteStopTransaction", 1).await;
        let view = scene.view(&begun).await;
        assert_eq!(view.stopping, Some(StopCause::HoldReached));
        scene.ends(&station, &transaction, 4_000).await;
        scene.settle().await;
        let view = scene.until(&begun, PaymentState::Captured).await;
        assert!(view.captured <= view.held && view.captured.to_string() == "2.45", "{view:?}");
        scene.check_money(&begun).await;
    }

    /// Without a provider, a merchant, a price or an amount to hold there is nothing to pay.
    async fn it_is_told_why_nothing_is_offered(db: TestDb) {
        let fake = Fake::start();
        let url = fake.url.clone();
        let francs = |config: &mut roamwatt::config::Config| config.payments.holds.retain(|hold| hold.currency == "CHF");
        let scene = Scene::start_with(&db, fake, &url, None, francs).await;
        let why = async |evse: &str| match offer(scene.app(), evse).await {
            Err(PaymentError::NotOffered(why)) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why("E0").await, NotOffered::NoHold("EUR".to_owned()));
        scene.site.name_no_tariffs().await;
        assert_eq!(why("E0").await, NotOffered::NoPrice);
        let none = crate::charging::site::Site::start(db.another().url(), 1, |_| ()).await;
        let refused = offer(none.node.app(), "E0").await.unwrap_err();
        assert!(refused.to_string().contains("payments.provider"), "{refused}");
    }
}
