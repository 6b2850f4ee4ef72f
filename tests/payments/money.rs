//! What is given back, what operators see, and what the books say.

use super::fake::Fault;
use super::scene::Scene;
use super::station::Manners;
use crate::cli::run;
use crate::support::db::{TestDb, on_each_engine};
use crate::web::operator::Operator;
use reqwest::Method;
use roamwatt::domain::payment::PaymentState;
use roamwatt::payments::{Begun, receipt};
use serde_json::{Value, json};
use std::time::Duration;

/// A payment of 5.24 for 10 kWh that was taken.
async fn captured(scene: &Scene) -> Begun {
    scene.captured(10_000).await.0
}

async fn send(operator: &Operator<'_>, path: &str, body: Option<Value>) -> (u16, Value) {
    let response = operator.send(Method::POST, path, body).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

on_each_engine! {
    /// An operator gives back a part, then the rest; never more than was taken.
    async fn an_operator_refunds_in_part_and_in_full(db: TestDb) {
        let scene = Scene::start(&db).await;
        let begun = captured(&scene).await;
        let path = format!("/payments/{}/refund", begun.view.id);
        let viewer = Operator::of_role(&scene.site.node, "viewer").await;
        let finance = Operator::of_role(&scene.site.node, "finance").await;
        assert_eq!(send(&viewer, &path, Some(json!({ "note": "x" }))).await.0, 403);
        for (body, status) in [
            (json!({ "amount": "5.25", "note": "too much" }), 409),
            (json!({ "amount": "0", "note": "nothing" }), 400),
            (json!({ "amount": "1.001", "note": "too fine" }), 400),
            (json!({ "amount": "-1", "note": "the wrong way" }), 400),
            (json!({ "amount": "1" , "note": " " }), 400),
        ] {
            assert_eq!(send(&finance, &path, Some(body.clone())).await.0, status, "{body}");
        }
        let unknown = send(&finance, "/payments/unknown/refund", Some(json!({ "note": "x" }))).await;
        assert_eq!(unknown.0, 404);
        // The answer of the first try is lost: it is found, and not made once more.
        scene.fake.fail("POST /v1/refunds", Fault::After(503));
        assert_eq!(send(&finance, &path, Some(json!({ "amount": "2.00", "note": "Broken cable" }))).await.0, 200);
        tokio::time::sleep(Duration::from_millis(200)).await;
        scene.turn(3);
        scene.refunded(&begun, "2.00").await;
        assert_eq!(scene.fake.refunds_of("pi_1"), [200]);
        assert_eq!(scene.view(&begun).await.state, PaymentState::Captured);

        let again = run(&db, &["payments", "refund", &begun.view.id, "--amount", "3.25", "--note", "x"]);
        assert!(again.code == 1 && again.err.contains("3.24"), "{again:?}");
        let rest = run(&db, &["payments", "refund", &begun.view.id, "--note", "All of it"]);
        assert_eq!(rest.code, 0, "{rest:?}");
        scene.refunded(&begun, "5.24").await;
        scene.until(&begun, PaymentState::Refunded).await;
        assert_eq!(scene.fake.refunds_of("pi_1"), [200, 324]);
        scene.check_money(&begun).await;
        assert_eq!(send(&finance, &path, Some(json!({ "note": "x" }))).await.0, 409);
        assert_eq!(receipt(scene.app(), &begun.key).await.unwrap().unwrap().paid.to_string(), "0.00");
    }

    /// A refund that the provider refuses is told, and takes nothing back.
    async fn a_refund_that_is_refused_is_told(db: TestDb) {
        let scene = Scene::start(&db).await;
        let begun = captured(&scene).await;
        scene.fake.fail("POST /v1/refunds", Fault::Refuse("insufficient_funds"));
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        let path = format!("/payments/{}", begun.view.id);
        assert_eq!(send(&operator, &format!("{path}/refund"), Some(json!({ "note": "x" }))).await.0, 200);
        let told = async {
            loop {
                let shown = operator.get(&path).await;
                if shown["trouble"].is_string() {
                    return shown;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let shown = tokio::time::timeout(Duration::from_secs(10), told).await.expect("the trouble is told");
        assert!(shown["trouble"].as_str().unwrap().contains("insufficient_funds"), "{shown}");
        assert_eq!((shown["refunded"].as_str(), shown["state"].as_str()), (Some("0"), Some("captured")));
        let last = shown["operations"].as_array().unwrap().last().unwrap();
        assert_eq!((last["state"].as_str(), last["kind"].as_str()), (Some("refused"), Some("refund")));
        // Then it is asked for again, under another key.
        assert_eq!(send(&operator, &format!("{path}/refund"), Some(json!({ "note": "x" }))).await.0, 200);
        scene.refunded(&begun, "5.24").await;
        scene.check_money(&begun).await;
    }

    /// A CDR that is corrected: what was taken too much goes back, what is missing is written off, and nothing is taken a
    /// second time.
    async fn a_corrected_cdr_is_accounted_for(db: TestDb) {
        let scene = Scene::start(&db).await;
        let begun = captured(&scene).await;
        let finance = Operator::of_role(&scene.site.node, "finance").await;
        let cdr = scene.site.cdr_at(0).await.id.to_string();
        let body = json!({ "reason": "Meter replaced", "kwh": "8" });
        let (status, made) = send(&finance, &format!("/cdrs/DE*ABC/{cdr}/credit"), Some(body)).await;
        assert_eq!(status, 201, "{made}");
        // 0.50 + 8 kWh * 0.39 = 3.62, and 19 % on it: 4.31.
        scene.refunded(&begun, "0.93").await;
        let second = made["replacement"]["id"].as_str().unwrap().to_owned();
        let body = json!({ "reason": "It was more after all", "kwh": "20" });
        let (status, made) = send(&finance, &format!("/cdrs/DE*ABC/{second}/credit"), Some(body)).await;
        assert_eq!(status, 201, "{made}");
        // 0.50 + 20 kWh * 0.39 = 8.30, and 19 % on it: 9.88; 5.24 was taken once and stays so.
        let written_off = async {
            while scene.shown(&begun).await.payment.written_off.is_zero() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), written_off).await.expect("it is written off");
        let payment = scene.shown(&begun).await.payment;
        assert_eq!(payment.written_off.to_string(), "5.57", "9.88 less the 4.31 that were kept");
        assert_eq!(scene.fake.calls("/capture").len(), 1);
        scene.check_money(&begun).await;
        let report = finance.get("/payments/report").await;
        assert_eq!(report["differences"], json!([]), "{report}");

        // The receipt follows the CDR that counts now.
        let made = receipt(scene.app(), &begun.key).await.unwrap().unwrap();
        assert_eq!((made.sold.unwrap().gross.to_string(), made.paid.to_string()), ("9.88".into(), "4.31".into()));
        assert_eq!(made.number, "DEABC-000001");
    }

    /// What operators see: lists with filters, one with all that happened, and the report that ties to the CDRs.
    async fn the_books_tie_to_the_cdrs(db: TestDb) {
        let scene = Scene::start(&db).await;
        let begun = captured(&scene).await;
        let _second = scene.station(1, Manners::default()).await;
        let open = scene.try_begin("E1", &roamwatt::payments::begin::new_nonce()).await.unwrap();
        scene.fake.pay("pi_2");
        roamwatt::payments::advance(scene.app(), &open.key).await.unwrap();
        scene.until(&open, PaymentState::StartSent).await;
        let viewer = Operator::of_role(&scene.site.node, "viewer").await;
        let finance = Operator::of_role(&scene.site.node, "finance").await;
        let ids = |list: &Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&viewer.get("/payments").await), [begun.view.id.clone(), open.view.id.clone()]);
        for (query, found) in [
            ("state=captured", vec![&begun]),
            ("state=start_sent", vec![&open]),
            ("state=failed", vec![]),
            ("station=CS1", vec![&open]),
            ("party=DE*ABC&limit=1&offset=1", vec![&open]),
            ("party=DE*XYZ", vec![]),
            ("created_to=2026-03-01T08:00:00Z", vec![]),
        ] {
            let wanted: Vec<String> = found.iter().map(|one| one.view.id.clone()).collect();
            assert_eq!(ids(&viewer.get(&format!("/payments?{query}")).await), wanted, "{query}");
        }
        assert_eq!(viewer.send(Method::GET, "/payments?state=paid", None).await.status(), 400);
        let shown = viewer.get(&format!("/payments/{}", begun.view.id)).await;
        assert_eq!((shown["captured"].as_str(), shown["receipt"].as_str()), (Some("5.24"), Some("DEABC-000001")));
        let text = shown.to_string();
        assert!(!text.contains("secret") && !text.contains(&begun.key), "{text}");
        assert_eq!(shown["operations"][1]["idempotency_key"], format!("{}:capture:1", begun.view.id));

        assert_eq!(viewer.send(Method::GET, "/payments/report", None).await.status(), 403);
        let report = finance.get("/payments/report").await;
        let row = &report["rows"][0];
        assert_eq!((row["party"].as_str(), row["currency"].as_str()), (Some("DE*ABC"), Some("EUR")));
        for (kind, payments, sum) in [
            ("open", 1, "60.00"),
            ("held", 2, "120.00"),
            ("captured", 1, "5.24"),
            ("released", 1, "54.76"),
            ("refunded", 0, "0"),
            ("written_off", 0, "0"),
        ] {
            assert_eq!(row[kind], json!({ "payments": payments, "sum": sum }), "{kind}");
        }
        assert_eq!((&report["tied"], &report["differences"]), (&json!(1), &json!([])));
        let before = finance.get("/payments/report?to=2026-03-01T08:00:00Z").await;
        assert_eq!((&before["tied"], &before["rows"][0]["captured"]["payments"]), (&json!(0), &json!(0)));

        // The command line says the same.
        let listed = run(&db, &["--json", "payments", "list", "--state", "captured"]);
        assert_eq!(listed.json()[0]["id"], begun.view.id);
        let shown = run(&db, &["payments", "show", &begun.view.id]);
        assert!(shown.out.contains("ledger: captured") && shown.out.contains("5.24"), "{shown:?}");
        let reported = run(&db, &["--json", "payments", "report"]);
        assert_eq!(reported.json()["rows"], report["rows"]);
        let unknown = run(&db, &["payments", "show", "nothing"]);
        assert!(unknown.code == 1 && unknown.err.contains("payments list"), "{unknown:?}");
        let merchants = run(&db, &["--json", "payments", "merchant", "list"]);
        assert_eq!(merchants.json()[0]["tax_id"], "DE123456789");
        let set = ["payments", "merchant", "set", "DE*XYZ", "--name", "x", "--address", "y"];
        let refused = run(&db, &set);
        assert!(refused.code == 1 && refused.err.contains("party list"), "{refused:?}");
        let set = ["payments", "merchant", "set", "DE*ABC", "--name", "ABC AG", "--address", "Weg 2", "--account", "acct_9"];
        assert_eq!(run(&db, &set).code, 0);
        assert_eq!(run(&db, &["--json", "payments", "merchant", "list"]).json()[0]["account"], "acct_9");
    }

    /// An operator ends what a driver cannot.
    async fn an_operator_ends_a_payment(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let (begun, transaction) = scene.charging(&station).await;
        let finance = Operator::of_role(&scene.site.node, "finance").await;
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        let path = format!("/payments/{}/release", begun.view.id);
        assert_eq!(send(&finance, &path, None).await.0, 403);
        assert_eq!(send(&operator, &path, None).await.0, 200);
        station.hears("RemoteStopTransaction", 1).await;
        scene.turn(60);
        scene.ends(&station, &transaction, 1_000).await;
        scene.settle().await;
        scene.until(&begun, PaymentState::Captured).await;
        assert_eq!(send(&operator, &path, None).await.0, 409);
        scene.check_money(&begun).await;
    }
}
