//! What a station's meter signed reaches the eMSP with the CDR.

use super::peer::Peer;
use crate::charging::site::Site;
use crate::ocpp::client::{Client, start_payload, stop_payload};
use crate::support::db::{TestDb, on_each_engine};
use crate::web::operator::Operator;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roamwatt::domain::party::Role;
use serde_json::{Value, json};

const BEGIN: &str = r#"OCMF|{"FV":"1.0","GI":"Meter","RD":[{"TM":"2026-03-01T08:00:00,000+0000 S","TX":"B","RV":1.000,"RU":"kWh"}]}|{"SA":"ECDSA-secp256r1-SHA256","SD":"3045 é"}"#;
const WHILE: &str = r#"OCMF|{"RD":[{"TX":"C","RV":2.000}]}|{"SD":"3046"}"#;
const END: &str = r#"OCMF|{"RD":[{"TX":"E","RV":3.000}]}|{"SD":"3047"}"#;

fn signed(value: &str, context: &str) -> Value {
    json!({ "value": value, "context": context, "format": "SignedData", "measurand": "Energy.Active.Import.Register" })
}

fn at(time: &str, sampled: Vec<Value>) -> Value {
    json!({ "timestamp": format!("2026-03-01T{time}Z"), "sampledValue": sampled })
}

/// As of OCPP 2.0.1, within a text.
fn object(document: &str) -> String {
    let data = STANDARD.encode(document);
    json!({ "signedMeterData": data, "signingMethod": "", "encodingMethod": "OCMF", "publicKey": "MFkwEwYH" })
        .to_string()
}

fn value(nature: &str, document: &str) -> Value {
    json!({ "nature": nature, "plain_data": document, "signed_data": STANDARD.encode(document) })
}

/// A charge with these meter values while it goes on and at its stop; its CDR as the driver's eMSP gets it.
async fn cdr_of(db: &TestDb, during: Vec<Value>, at_the_stop: Option<Vec<Value>>) -> Value {
    let site = Site::start(db.url(), 1, |config| config.ocpp.meter_value_interval = None).await;
    let mut client = Client::boot(&site.node, "CS0").await;
    let started = client.call("StartTransaction", start_payload("04A1")).await;
    let id = &started["transactionId"];
    for value in during {
        let payload = json!({ "connectorId": 1, "transactionId": id, "meterValue": [value] });
        assert_eq!(client.call("MeterValues", payload).await, json!({}));
    }
    let mut stop = stop_payload(id, "09:00:00", 3000);
    if let Some(values) = at_the_stop {
        stop["transactionData"] = Value::Array(values);
    }
    client.call("StopTransaction", stop).await;
    site.settle_after(3600).await;
    let emsp = Peer::join(&site.node, &[("DE*EMP", Role::Emsp)]).await;
    let page = emsp.get("/cpo/cdrs").await;
    assert_eq!((page.codes(), page.header("x-total-count")), ((200, 1000), "1"));
    let cdr = page.data()[0].clone();
    assert_eq!(cdr["total_energy"], json!(2));
    // The operator sees the same.
    let operator = Operator::of_role(&site.node, "viewer").await;
    let party = format!("{}*{}", cdr["country_code"].as_str().unwrap(), cdr["party_id"].as_str().unwrap());
    let seen = operator.get(&format!("/cdrs/{party}/{}", cdr["id"].as_str().unwrap())).await;
    assert_eq!(seen.get("signed_data"), cdr.get("signed_data"));
    cdr
}

on_each_engine! {
    async fn signed_values_are_in_the_cdr_byte_for_byte(db: TestDb) {
        let plain = json!({ "value": "2000" });
        let during = vec![
            at("08:00:00", vec![signed(BEGIN, "Transaction.Begin")]),
            at("08:30:00", vec![plain, signed(&object(WHILE), "Sample.Periodic")]),
            // By itself, and again with the stop.
            at("09:00:00", vec![signed(END, "Transaction.End")]),
        ];
        let stop = vec![at("09:00:00", vec![signed(END, "Transaction.End"), json!({ "value": "3000", "context": "Transaction.End" })])];
        let cdr = cdr_of(&db, during, Some(stop)).await;
        let wanted = json!({
            "encoding_method": "OCMF",
            "public_key": "MFkwEwYH",
            "signed_values": [value("Start", BEGIN), value("Intermediate", WHILE), value("End", END)],
        });
        assert_eq!(cdr["signed_data"], wanted);
    }

    async fn signed_values_of_the_stop_count(db: TestDb) {
        let stop = vec![
            at("08:00:00", vec![signed(BEGIN, "Transaction.Begin")]),
            at("09:00:00", vec![signed(&object(END), "Transaction.End")]),
        ];
        let cdr = cdr_of(&db, Vec::new(), Some(stop)).await;
        assert_eq!(cdr["signed_data"]["signed_values"], json!([value("Start", BEGIN), value("End", END)]));
    }

    async fn a_cdr_does_not_fail_for_what_cannot_be_passed_on(db: TestDb) {
        let long = format!("OCMF|{}|", "x".repeat(5000));
        let during = vec![
            at("08:10:00", vec![signed(&long, "Transaction.Begin")]),
            at("08:20:00", vec![signed("", "Sample.Periodic"), signed("{\"a\": 1}", "Sample.Periodic")]),
        ];
        let cdr = cdr_of(&db, during, None).await;
        assert_eq!(cdr.get("signed_data"), None);
    }
}
