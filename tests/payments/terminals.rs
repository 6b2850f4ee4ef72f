//! A card terminal: it holds and takes the money, we start, watch, stop and say what is due.

use super::scene::Scene;
use super::station::{Manners, Station};
use crate::support::db::{TestDb, on_each_engine};
use crate::web::operator::Operator;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn send(operator: &Operator<'_>, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let response = operator.send(method, path, body).await;
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Registers a terminal for `E0` alone.
async fn terminal(operator: &Operator<'_>) {
    let body =
        json!({ "party": "DE*ABC", "reference": "SN-1", "invoice_creator": "CPO", "evse_uids": ["E0"] });
    let (status, made) = send(operator, Method::PUT, "/terminals/T-1", Some(body)).await;
    assert_eq!((status, made["evse_uids"].clone()), (201, json!(["E0"])), "{made}");
}

fn hold(reference: &str) -> Value {
    json!({ "evse": "DE*ABC*E0", "authorization_reference": reference, "amount": "60.00", "currency": "EUR" })
}

fn confirmation(id: &str, reference: &str, gross: &str, status: &str) -> Value {
    json!({ "id": id, "authorization_reference": reference, "currency": "EUR", "capture_status_code": status,
        "total_costs": { "excl_vat": gross, "incl_vat": gross }, "eft_data": ["Mastercard", "AID: 1234"] })
}

/// Waits until a field of the payment says that.
async fn becomes(operator: &Operator<'_>, path: &str, field: &str, wanted: &str) -> Value {
    let reached = async {
        loop {
            let shown = operator.get(path).await;
            if shown[field] == wanted {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(15), reached).await {
        Ok(shown) => shown,
        Err(_) => panic!("{field} should be {wanted}: {}", operator.get(path).await),
    }
}

/// Waits until the terminal is told to do that.
async fn advised(operator: &Operator<'_>, path: &str, advice: &str) -> Value {
    becomes(operator, path, "advice", advice).await
}

/// A hold that nobody plugs in for, up to where the terminal is to give it back; the path of the payment.
async fn unused(scene: &Scene, operator: &Operator<'_>, station: &Station) -> String {
    let (_, made) = send(operator, Method::POST, "/terminals/T-1/payments", Some(hold("pp-1"))).await;
    let path = format!("/terminals/T-1/payments/{}", made["id"].as_str().unwrap());
    station.hears("RemoteStartTransaction", 1).await;
    scene.turn(181);
    advised(operator, &path, "release").await;
    path
}

/// A hold at the terminal, charged for 10 kWh (5.24), up to where the terminal is to capture; the path of the payment.
async fn charged(
    scene: &Scene,
    operator: &Operator<'_>,
    station: &Station,
    reference: &str,
    nth: usize,
) -> String {
    let (_, made) = send(operator, Method::POST, "/terminals/T-1/payments", Some(hold(reference))).await;
    let path = format!("/terminals/T-1/payments/{}", made["id"].as_str().unwrap());
    let asked = station.hears("RemoteStartTransaction", nth).await;
    let payload = json!({"connectorId": 1, "idTag": asked["idTag"], "meterStart": 1000,
        "timestamp": scene.site.clock.now().to_string()});
    let transaction = station.call("StartTransaction", payload).await["transactionId"].clone();
    scene.turn(60);
    scene.ends(station, &transaction, 10_000).await;
    scene.settle().await;
    advised(operator, &path, "capture").await;
    path
}

on_each_engine! {
    /// Offer, hold, start, live cost, stop, advice, confirmation, receipt.
    async fn a_terminal_holds_and_takes_the_money(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        terminal(&operator).await;
        let offers = operator.get("/terminals/T-1/offers").await;
        assert_eq!(offers.as_array().unwrap().len(), 1);
        let offer = &offers[0];
        assert_eq!((&offer["evse_uid"], &offer["availability"], &offer["hold"]), (&json!("E0"), &json!("free"), &json!("60.00")));

        for (change, status) in [
            (json!({ "amount": "0" }), 400),
            (json!({ "amount": "0.10" }), 409),
            (json!({ "currency": "CHF" }), 400),
            (json!({ "evse": "DE*ABC*E1" }), 409),
            (json!({ "evse": "DE*ABC*E9" }), 404),
        ] {
            let mut body = hold("pp-0");
            for (key, value) in change.as_object().unwrap() {
                body[key] = value.clone();
            }
            let (found, answer) = send(&operator, Method::POST, "/terminals/T-1/payments", Some(body)).await;
            assert_eq!(found, status, "{change}: {answer}");
        }
        let (status, made) = send(&operator, Method::POST, "/terminals/T-1/payments", Some(hold("pp-1"))).await;
        assert_eq!((status, made["held"].as_str()), (200, Some("60.00")), "{made}");
        let (_, again) = send(&operator, Method::POST, "/terminals/T-1/payments", Some(hold("pp-1"))).await;
        assert_eq!(again["id"], made["id"], "the same hold is the same payment");
        let path = format!("/terminals/T-1/payments/{}", made["id"].as_str().unwrap());
        let asked = station.hears("RemoteStartTransaction", 1).await;
        let (status, _) = send(&operator, Method::POST, "/terminals/T-1/payments", Some(hold("pp-2"))).await;
        assert_eq!(status, 409, "the charging point is taken");

        let payload = json!({"connectorId": 1, "idTag": asked["idTag"], "meterStart": 1000,
            "timestamp": scene.site.clock.now().to_string()});
        let transaction = station.call("StartTransaction", payload).await["transactionId"].clone();
        scene.turn(600);
        scene.meters(&station, &transaction, 3_000).await;
        let live = operator.get(&path).await;
        assert_eq!((&live["kwh"], &live["cost"], &live["advice"]), (&json!("3"), &json!("1.99"), &json!("nothing")));
        let early = confirmation("fac-0", "pp-1", "5.24", "SUCCESS");
        assert_eq!(send(&operator, Method::POST, "/terminals/T-1/confirmations", Some(early)).await.0, 409);
        assert_eq!(send(&operator, Method::POST, &format!("{path}/stop"), None).await.0, 200);
        station.hears("RemoteStopTransaction", 1).await;
        scene.ends(&station, &transaction, 10_000).await;
        scene.settle().await;
        let told = advised(&operator, &path, "capture").await;
        assert_eq!(told["advice_amount"], "5.24");
        assert_eq!(operator.send(Method::GET, &format!("{path}/receipt"), None).await.status(), 404);

        let confirm = async |body: Value| send(&operator, Method::POST, "/terminals/T-1/confirmations", Some(body)).await;
        assert_eq!(confirm(confirmation("fac-1", "pp-1", "5.25", "SUCCESS")).await.0, 409, "more than was to be");
        assert_eq!(confirm(confirmation("fac-1", "pp-9", "5.24", "SUCCESS")).await.0, 404);
        assert_eq!(confirm(confirmation("fac-1", "pp-1", "5.24", "DONE")).await.0, 400);
        for _ in 0..2 {
            let (status, done) = confirm(confirmation("fac-1", "pp-1", "5.24", "SUCCESS")).await;
            assert_eq!((status, done["state"].as_str(), done["captured"].as_str()), (200, Some("captured"), Some("5.24")));
        }
        let receipt = operator.get(&format!("{path}/receipt")).await;
        assert_eq!((&receipt["number"], &receipt["paid"]), (&json!("DEABC-000001"), &json!("5.24")));
        assert_eq!(receipt["eft_data"], json!(["Mastercard", "AID: 1234"]));
        assert_eq!(receipt["sold"]["taxes"], json!([{ "rate": "19", "net": "4.40", "tax": "0.84", "gross": "5.24" }]));
        let session = scene.site.sessions().await.remove(0);
        assert_eq!(session.authorization_reference.unwrap().as_str(), "pp-1");
        assert_eq!(scene.site.cdr_at(0).await.authorization_reference.unwrap().as_str(), "pp-1");

        // Given back at the terminal.
        let refund = format!("/payments/{}/refund", made["id"].as_str().unwrap());
        let body = json!({ "amount": "1.00", "note": "Broken cable" });
        assert_eq!(send(&operator, Method::POST, &refund, Some(body)).await.0, 200);
        assert_eq!(advised(&operator, &path, "refund").await["advice_amount"], "1.00");
        assert_eq!(send(&operator, Method::POST, &format!("{path}/refunded"), None).await.1["refunded"], "1.00");
        assert_eq!(send(&operator, Method::POST, &format!("{path}/refunded"), None).await.0, 409);
        assert_eq!(operator.get("/payments/report").await["differences"], json!([]));
        assert_eq!(scene.fake.seen().len(), 0, "the online provider has nothing to do with it");
    }

    /// Nobody plugs in, or the terminal cannot take the money: both have an outcome.
    async fn a_terminal_gives_back_or_fails(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        terminal(&operator).await;
        let path = unused(&scene, &operator, &station).await;
        assert_eq!(operator.get(&path).await["reason"], "nobody_plugged_in");
        let (status, done) =
            send(&operator, Method::POST, "/terminals/T-1/confirmations", Some(confirmation("f1", "pp-1", "0", "SUCCESS"))).await;
        assert_eq!((status, done["state"].as_str(), done["released"].as_str()), (200, Some("expired"), Some("60.00")));

        charged(&scene, &operator, &station, "pp-2", 2).await;
        let (status, done) =
            send(&operator, Method::POST, "/terminals/T-1/confirmations", Some(confirmation("f2", "pp-2", "0", "FAILED"))).await;
        assert_eq!((status, &done["state"], &done["reason"]), (200, &json!("failed"), &json!("terminal_failed")));
        assert_eq!(done["written_off"], "5.24");
        assert_eq!(operator.get("/terminals").await[0]["terminal_id"], "T-1");
    }

    /// A terminal makes a hold and is never heard of again: the payment ends, what was due is written off, and what the
    /// terminal says long after still counts.
    async fn a_terminal_that_never_confirms(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        terminal(&operator).await;
        // Nobody plugs in, and the hold is to be given back.
        let unused = unused(&scene, &operator, &station).await;
        // Another one is charged for, and is to be captured.
        let path = charged(&scene, &operator, &station, "pp-2", 2).await;
        scene.turn(36 * 3600 - 600);
        // An access token does not live as long.
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(operator.get(&unused).await["advice"], "release");
        assert_eq!(operator.get(&path).await["advice"], "capture");
        scene.turn(700);
        for (path, written_off) in [(&unused, "0"), (&path, "5.24")] {
            let shown = becomes(&operator, path, "state", "failed").await;
            assert_eq!((&shown["reason"], &shown["advice"]), (&json!("terminal_silent"), &json!("nothing")), "{shown}");
            assert_eq!((&shown["written_off"], &shown["released"]), (&json!(written_off), &json!("60.00")));
        }
        let report = operator.get("/payments/report").await;
        let row = &report["rows"][0];
        assert_eq!(row["written_off"], json!({ "payments": 1, "sum": "5.24" }));
        assert_eq!((&row["open"]["payments"], &report["differences"]), (&json!(0), &json!([])), "{report}");
        // The charging point is free for the next one.
        assert_eq!(operator.get("/terminals/T-1/offers").await[0]["availability"], "free");

        // It was offline, and had done what it was to do.
        let confirm = async |body: Value| send(&operator, Method::POST, "/terminals/T-1/confirmations", Some(body)).await;
        assert_eq!(confirm(confirmation("f0", "pp-2", "60.01", "SUCCESS")).await.0, 409);
        for _ in 0..2 {
            let (status, done) = confirm(confirmation("f2", "pp-2", "5.24", "SUCCESS")).await;
            assert_eq!((status, &done["state"], &done["captured"]), (200, &json!("captured"), &json!("5.24")), "{done}");
            assert_eq!((&done["written_off"], &done["released"]), (&json!("0"), &json!("54.76")));
        }
        let (status, done) = confirm(confirmation("f1", "pp-1", "0", "SUCCESS")).await;
        assert_eq!((status, &done["state"], &done["reason"]), (200, &json!("failed"), &json!("terminal_silent")));
        let report = operator.get("/payments/report").await;
        let row = &report["rows"][0];
        assert_eq!((&row["captured"]["sum"], &row["write_off_undone"]["sum"]), (&json!("5.24"), &json!("5.24")));
        assert_eq!((&row["release_undone"]["sum"], &report["differences"]), (&json!("60.00"), &json!([])), "{report}");
        assert_eq!(operator.get(&format!("{path}/receipt")).await["paid"], "5.24");
    }

    /// A terminal that took what it was to give back says so late: it has to give it back. That it did so it must say, too.
    async fn a_terminal_that_took_too_much_and_says_so_late(db: TestDb) {
        let scene = Scene::start(&db).await;
        let station = scene.station(0, Manners::default()).await;
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        terminal(&operator).await;
        let path = unused(&scene, &operator, &station).await;
        scene.turn(36 * 3600);
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        becomes(&operator, &path, "state", "failed").await;
        let body = confirmation("f1", "pp-1", "60.00", "SUCCESS");
        let (status, done) = send(&operator, Method::POST, "/terminals/T-1/confirmations", Some(body)).await;
        assert_eq!((status, &done["captured"]), (200, &json!("60.00")), "{done}");
        assert_eq!(advised(&operator, &path, "refund").await["advice_amount"], "60.00");
        let waits = async {
            while scene.all().await[0].details.0.terminal.as_ref().unwrap().waits_since.is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(15), waits).await.expect("it is waited for");
        // Then it is silent again: that is told, and nobody decides that it gave the money back.
        scene.turn(36 * 3600 + 60);
        let operator = Operator::of_role(&scene.site.node, "operator").await;
        let troubled = async {
            while !operator.get(&path).await["trouble"].is_string() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(15), troubled).await.expect("somebody is told");
        assert_eq!(operator.get(&path).await["advice"], "refund");
        let (status, done) = send(&operator, Method::POST, &format!("{path}/refunded"), None).await;
        assert_eq!((status, &done["state"], &done["refunded"]), (200, &json!("refunded"), &json!("60.00")), "{done}");
        assert_eq!(operator.get("/payments/report").await["differences"], json!([]));
    }
}
