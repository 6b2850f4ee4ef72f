//! What is taken, what is noted, what is refused.

use super::*;
use crate::domain::values::Timestamp;
use crate::ocpp::wire::{Place, Text, ViolationKind, Violations};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn station(action: &str, payload: &str) -> Result<Read<StationCall>, Fault> {
    StationCall::read(action, &raw(payload))
}

fn kinds(read: &Read<StationCall>) -> Vec<(ViolationKind, &str)> {
    read.violations.iter().map(|v| (v.kind, v.path.as_str())).collect()
}

#[test]
fn a_correct_message_has_no_violations_and_writes_back_the_same() {
    for (action, payload) in [
        ("Authorize", r#"{"idTag":"04A2B3C4"}"#),
        ("BootNotification", r#"{"chargePointVendor":"V","chargePointModel":"M","meterType":"x"}"#),
        ("Heartbeat", "{}"),
        (
            "StatusNotification",
            r#"{"connectorId":1,"errorCode":"NoError","status":"SuspendedEV","timestamp":"2026-01-01T00:00:00Z"}"#,
        ),
        (
            "StartTransaction",
            r#"{"connectorId":1,"idTag":"A","meterStart":1200,"timestamp":"2026-01-01T00:00:00Z"}"#,
        ),
        (
            "StopTransaction",
            r#"{"meterStop":1200,"timestamp":"2026-01-01T00:00:00Z","transactionId":-1,"reason":"EVDisconnected","transactionData":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1"}]}]}"#,
        ),
        ("DataTransfer", r#"{"vendorId":"V","data":"x"}"#),
    ] {
        let read = station(action, payload).unwrap();
        assert_eq!(read.violations, [], "{action}");
        assert_eq!(read.message.action(), action);
        let written = match read.message {
            StationCall::Authorize(m) => serde_json::to_string(&m),
            StationCall::BootNotification(m) => serde_json::to_string(&m),
            StationCall::Heartbeat(m) => serde_json::to_string(&m),
            StationCall::StatusNotification(m) => serde_json::to_string(&m),
            StationCall::StartTransaction(m) => serde_json::to_string(&m),
            StationCall::StopTransaction(m) => serde_json::to_string(&m),
            StationCall::DataTransfer(m) => serde_json::to_string(&m),
            StationCall::MeterValues(m) => serde_json::to_string(&m),
        };
        assert_eq!(written.unwrap(), payload, "{action}");
    }
}

#[test]
fn each_kind_of_mistake_has_its_code_and_its_place() {
    use ErrorCode as E;
    for (action, payload, code, path) in [
        ("Authorize", "[]", E::FormationViolation, "$"),
        ("Authorize", "\"x\"", E::FormationViolation, "$"),
        ("Authorize", "{}", E::OccurenceConstraintViolation, "$.idTag"),
        ("Authorize", "null", E::OccurenceConstraintViolation, "$.idTag"),
        ("Authorize", r#"{"idTag":null}"#, E::TypeConstraintViolation, "$.idTag"),
        ("Authorize", r#"{"idTag":{}}"#, E::TypeConstraintViolation, "$.idTag"),
        ("Authorize", r#"{"idTag":"\ud800"}"#, E::FormationViolation, "$.idTag"),
        (
            "StartTransaction",
            r#"{"connectorId":0,"idTag":"A","meterStart":0,"timestamp":"2026-01-01T00:00:00Z"}"#,
            E::PropertyConstraintViolation,
            "$.connectorId",
        ),
        (
            "StartTransaction",
            r#"{"connectorId":1.5,"idTag":"A","meterStart":0,"timestamp":"2026-01-01T00:00:00Z"}"#,
            E::TypeConstraintViolation,
            "$.connectorId",
        ),
        (
            "StartTransaction",
            r#"{"connectorId":1,"idTag":"A","meterStart":1e28,"timestamp":"2026-01-01T00:00:00Z"}"#,
            E::PropertyConstraintViolation,
            "$.meterStart",
        ),
        (
            "StartTransaction",
            r#"{"connectorId":1,"idTag":"A","meterStart":0,"timestamp":"noon"}"#,
            E::PropertyConstraintViolation,
            "$.timestamp",
        ),
        (
            "MeterValues",
            r#"{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"1"},{}]}]}"#,
            E::OccurenceConstraintViolation,
            "$.meterValue[0].sampledValue[1].value",
        ),
        ("MeterValues", r#"{"connectorId":1,"meterValue":{}}"#, E::TypeConstraintViolation, "$.meterValue"),
        (
            "MeterValues",
            r#"{"connectorId":1,"meterValue":[7]}"#,
            E::TypeConstraintViolation,
            "$.meterValue[0]",
        ),
        (
            "StatusNotification",
            r#"{"connectorId":-1,"errorCode":"NoError","status":"Available"}"#,
            E::PropertyConstraintViolation,
            "$.connectorId",
        ),
        ("Reset", "{}", E::NotSupported, "$"),
        ("FirmwareStatusNotification", "{}", E::NotSupported, "$"),
        ("heartbeat", "{}", E::NotImplemented, "$"),
    ] {
        let fault = station(action, payload).unwrap_err();
        assert_eq!((fault.code.clone(), fault.path.as_str()), (code, path), "{action} {payload}: {fault}");
    }
}

#[test]
fn what_is_clear_is_taken_and_noted() {
    use ViolationKind as V;
    let read = station(
        "StartTransaction",
        r#"{"connectorId":"1","idTag":1234567890,"meterStart":12.7,
        "timestamp":"2026-01-01 10:00:00","reservationId":null,"colour":"red"}"#,
    )
    .unwrap();
    assert_eq!(
        kinds(&read),
        [
            (V::NumberForm, "$.connectorId"),
            (V::TextForm, "$.idTag"),
            (V::NumberForm, "$.meterStart"),
            (V::NullValue, "$.reservationId"),
            (V::TimeForm, "$.timestamp"),
            (V::ExtraProperty, "$.colour"),
        ]
    );
    let StationCall::StartTransaction(start) = read.message else { panic!() };
    assert_eq!(start.connector_id, 1);
    assert_eq!(start.id_tag.as_str(), "1234567890");
    assert_eq!(start.meter_start.to_kwh().to_string(), "0.0127");
    assert_eq!(start.timestamp.to_string(), "2026-01-01T10:00:00Z");

    let read = station("Authorize", r#"{"idTag":"123456789012345678901"}"#).unwrap();
    assert_eq!(kinds(&read), [(V::TooLong, "$.idTag")]);
    let StationCall::Authorize(authorize) = read.message else { panic!() };
    assert_eq!(authorize.id_tag.as_str().len(), 21, "an idTag is never cut");
    assert!(serde_json::to_string(&authorize).is_err(), "and never sent");

    let read =
        station("StatusNotification", r#"{"connectorId":1,"errorCode":"Melted","status":"available"}"#)
            .unwrap();
    assert_eq!(kinds(&read), [(V::UnknownWord, "$.errorCode"), (V::UnknownWord, "$.status")]);
    let StationCall::StatusNotification(status) = read.message else { panic!() };
    assert_eq!(status.status, ConnectorStatus::Available);
    assert!(serde_json::to_string(&status).unwrap_err().to_string().contains("errorCode"));

    let read = station("DataTransfer", r#"{"vendorId":"V","data":{"a": 1}}"#).unwrap();
    assert_eq!(kinds(&read), [(V::TextForm, "$.data")]);
}

#[test]
fn a_stop_with_broken_meter_values_is_still_a_stop() {
    let read = station(
        "StopTransaction",
        r#"{"meterStop":5,"timestamp":"2026-01-01T00:00:00Z","transactionId":99999999999,
        "transactionData":[{"timestamp":"?","sampledValue":[]},{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":1}]}]}"#,
    )
    .unwrap();
    assert_eq!(
        kinds(&read),
        [
            (ViolationKind::BadMeasurement, "$.transactionData[0]"),
            (ViolationKind::TextForm, "$.transactionData[1].sampledValue[0].value"),
        ]
    );
    let StationCall::StopTransaction(stop) = read.message else { panic!() };
    assert_eq!(stop.transaction_id, 99_999_999_999);
    assert_eq!(stop.transaction_data.unwrap().0.len(), 1);
}

#[test]
fn thousands_of_violations_are_twenty() {
    let extra: Vec<String> = (0..5000).map(|n| format!("\"x{n}\":1")).collect();
    let read = station("Heartbeat", &format!("{{{}}}", extra.join(","))).unwrap();
    assert_eq!(read.violations.len(), 20);
}

#[test]
fn what_may_not_be_sent_is_refused_with_its_place() {
    assert!(Text::<20>::parse("123456789012345678901").is_err());
    assert_eq!(Text::<20>::parse("ä".repeat(20)).unwrap().as_str().chars().count(), 20);
    let start = RemoteStartTransaction {
        connector_id: Some(0),
        id_tag: IdTag::parse("A").unwrap(),
        charging_profile: None,
    };
    let error = serde_json::to_string(&start).unwrap_err().to_string();
    assert!(error.starts_with("connectorId: 0 is out of range"), "{error}");
    let limit =
        ChargingSchedulePeriod { start_period: 0, limit: Tenths(Decimal::new(1605, 2)), number_phases: None };
    assert!(serde_json::to_string(&limit).is_err());
}

/// Context, register and power of a sample.
type Found = (String, Option<String>, Option<String>);

fn samples(sampled: &str) -> (Vec<Found>, Vec<ViolationKind>) {
    let text = format!(
        r#"{{"connectorId":1,"meterValue":[{{"timestamp":"2026-01-01T00:00:00Z","sampledValue":{sampled}}}]}}"#
    );
    let read = MeterValues::read(&raw(&text)).unwrap();
    let mut violations = Violations::default();
    let samples =
        meter_values::to_samples(&read.message.meter_value, &Place::ROOT.name("meterValue"), &mut violations);
    let samples = samples
        .into_iter()
        .map(|s| (s.context, s.register.map(|kwh| kwh.to_string()), s.power_kw.map(|kw| kw.to_string())))
        .collect();
    (samples, violations.into_vec().into_iter().map(|v| v.kind).collect())
}

#[test]
fn the_register_is_found_whatever_its_unit_phase_and_place() {
    for (sampled, register, power) in [
        (r#"[{"value":"15342"}]"#, Some("15.342"), None),
        (r#"[{"value":15342.5}]"#, Some("15.3425"), None),
        (r#"[{"value":"12345.679999999998"}]"#, Some("12.34568"), None),
        (r#"[{"value":"1.5e3"}]"#, Some("1.5"), None),
        (
            r#"[{"value":"15.3420","measurand":"Energy.Active.Import.Register","unit":"kWh"},
                {"value":"11.04","measurand":"Power.Active.Import","unit":"kW"}]"#,
            Some("15.342"),
            Some("11.04"),
        ),
        (
            r#"[{"value":"10","phase":"L1"},{"value":"20","phase":"L2"},{"value":"30","phase":"L3-N"}]"#,
            Some("0.06"),
            None,
        ),
        (r#"[{"value":"10","phase":"L1"},{"value":"61"}]"#, Some("0.061"), None),
        (r#"[{"value":"9","location":"Inlet"},{"value":"8","location":"Outlet"}]"#, Some("0.008"), None),
        (r#"[{"value":"9","location":"Inlet"},{"value":"8","location":"EV"}]"#, Some("0.009"), None),
        (
            r#"[{"value":"3680","measurand":"Power.Active.Import","phase":"L1","unit":"W"},
                {"value":"3670","measurand":"Power.Active.Import","phase":"L2","unit":"W"},
                {"value":"80","measurand":"SoC","unit":"Percent"},
                {"value":"5","measurand":"Energy.Active.Export.Register"}]"#,
            None,
            Some("7.35"),
        ),
        (r#"[{"value":"OCMF|{}|{}","format":"SignedData"}]"#, None, None),
    ] {
        let (samples, violations) = samples(sampled);
        assert_eq!(violations, [], "{sampled}");
        let wanted = ("Sample.Periodic".to_owned(), register.map(str::to_owned), power.map(str::to_owned));
        assert_eq!(samples, [wanted], "{sampled}");
    }
}

#[test]
fn currents_are_kept_by_phase_as_far_as_they_are_said() {
    let current = |sampled: &str| {
        let text = format!(r#"{{"timestamp":"2026-01-01T00:00:00Z","sampledValue":{sampled}}}"#);
        let value: MeterValue = MeterValue::read(&raw(&text)).unwrap().message;
        let mut samples = meter_values::to_samples(&[value], &Place::ROOT, &mut Violations::default());
        let sample = samples.remove(0);
        let text = |amperes: Option<Decimal>| amperes.map(|amperes| amperes.to_string());
        let [l1, l2, l3] = sample.currents.map(text);
        (text(sample.current_a), [l1, l2, l3], text(sample.offered_a))
    };
    let some = |text: &str| Some(text.to_owned());
    let phases = r#"[{"value":"16.1","measurand":"Current.Import","phase":"L1","unit":"A"},
        {"value":"0","measurand":"Current.Import","phase":"L2","unit":"A"},
        {"value":"15.9","measurand":"Current.Import","phase":"L3-N"},
        {"value":"9","measurand":"Current.Import","phase":"L1","location":"EV"},
        {"value":"16","measurand":"Current.Offered","unit":"A"}]"#;
    assert_eq!(current(phases), (some("32.0"), [some("16.1"), some("0"), some("15.9")], some("16")));
    let total = r#"[{"value":"32","measurand":"Current.Import"}]"#;
    assert_eq!(current(total), (some("32"), [None, None, None], None));
    let inlet = r#"[{"value":"5","measurand":"Current.Import","phase":"L2","location":"Inlet"},
        {"value":"6","measurand":"Current.Offered","phase":"L1"},
        {"value":"8","measurand":"Current.Offered","phase":"L2"}]"#;
    assert_eq!(current(inlet), (some("5"), [None, some("5"), None], some("8")));
}

#[test]
fn each_context_is_a_sample_and_nonsense_is_left_out() {
    let (found, violations) = samples(
        r#"[{"value":"1000","context":"Transaction.Begin"},{"value":"9000","context":"Transaction.End"}]"#,
    );
    assert_eq!(violations, []);
    assert_eq!(
        found,
        [
            ("Transaction.Begin".to_owned(), Some("1".to_owned()), None),
            ("Transaction.End".to_owned(), Some("9".to_owned()), None),
        ]
    );
    let (found, violations) = samples(
        r#"[{"value":"NaN"},{"value":"99999999999999999999999999999999"},{"value":"4","unit":"A"},{"value":"7"}]"#,
    );
    assert_eq!(violations, [ViolationKind::BadMeasurement; 3]);
    assert_eq!(found, [("Sample.Periodic".to_owned(), Some("0.007".to_owned()), None)]);
}

#[test]
fn signed_data_is_kept_byte_for_byte() {
    let value = r#"{ "timestamp" : "2026-01-01T00:00:00Z", "sampledValue":[{"format":"SignedData","value":"OCMF|{\"FV\":\"1.0\"}|\u00e4"} ] }"#;
    let read = MeterValues::read(&raw(&format!(r#"{{"connectorId":1,"meterValue":[{value}]}}"#))).unwrap();
    let mut violations = Violations::default();
    let samples = meter_values::to_samples(&read.message.meter_value, &Place::ROOT, &mut violations);
    assert_eq!(samples[0].raw, value);
    assert_eq!(samples[0].at, Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?[1-9][0-9]{0,30}(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,9})?",
        any::<String>().prop_map(|s| serde_json::Value::from(s).to_string()),
        Just("\"2026-01-01T00:00:00Z\"".to_owned()),
        Just("\"1e999999\"".to_owned()),
    ];
    let name = prop::sample::select(vec![
        "connectorId",
        "meterValue",
        "timestamp",
        "sampledValue",
        "value",
        "unit",
        "idTag",
        "meterStart",
        "status",
        "errorCode",
        "transactionId",
        "meterStop",
        "transactionData",
        "vendorId",
        "x",
    ]);
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(","))),
            prop::collection::vec((name.clone(), inner), 0..8).prop_map(|v| {
                let parts: Vec<String> = v.into_iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", parts.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_payload_panics(payload in json(), at in 0..8_usize) {
        let action = StationCall::ACTIONS[at];
        if let Ok(Read { message: StationCall::MeterValues(values), .. }) = station(action, &payload) {
            let _ = meter_values::to_samples(&values.meter_value, &Place::ROOT, &mut Violations::default());
        }
    }

    #[test]
    fn no_measured_text_panics(value in any::<String>()) {
        let value = MeterValue {
            timestamp: Timestamp::from_millis(0).unwrap(),
            sampled_value: vec![SampledValue::bare(value)],
            raw: String::new(),
        };
        let _ = meter_values::to_samples(&[value], &Place::ROOT, &mut Violations::default());
    }
}
