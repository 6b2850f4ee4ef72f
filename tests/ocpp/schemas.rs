//! Every message of OCPP 1.6 that we can send, from either side, against the specification's JSON schemas.

use roamwatt::domain::Timestamp;
use roamwatt::domain::station::ConnectorStatus;
use roamwatt::ocpp::v1_6::*;
use roamwatt::ocpp::wire::{Message, Request, Text};
use rust_decimal::Decimal;
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::PathBuf;

/// The schemas, or `None` in a clone without them.
fn schemas() -> Option<PathBuf> {
    crate::support::shared::shared("spec/ocpp/1.6/schemas")
}

/// The part of JSON Schema draft 4 that the schemas of OCPP 1.6 use; a word beyond that is a failure, so that
/// nothing is passed over.
fn complaints(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    let mut complain = |what: String| found.push(format!("{path}: {what}"));
    for (word, rule) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" | "id" | "title" | "comment" | "properties" | "items" => {}
            "type" => {
                let right = match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64(),
                    "number" => value.is_number(),
                    "boolean" => value.is_boolean(),
                    other => panic!("{path}: schema type {other}"),
                };
                if !right {
                    complain(format!("{value} is no {rule}"));
                }
            }
            "enum" => {
                if !rule.as_array().unwrap().contains(value) {
                    complain(format!("{value} is none of {rule}"));
                }
            }
            "maxLength" => {
                let most = usize::try_from(rule.as_u64().unwrap()).unwrap();
                if value.as_str().is_some_and(|text| text.chars().count() > most) {
                    complain(format!("{value} is longer than {most}"));
                }
            }
            "format" => {
                assert_eq!(rule, "date-time", "{path}");
                if chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).is_err() {
                    complain(format!("{value} is no time"));
                }
            }
            "multipleOf" => {
                assert_eq!(rule.to_string(), "0.1", "{path}");
                let number: Decimal = value.to_string().parse().unwrap();
                if number.normalize().scale() > 1 {
                    complain(format!("{number} is no multiple of 0.1"));
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, false, "{path}");
                for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                    if schema["properties"].get(name).is_none() {
                        complain(format!("extra property {name}"));
                    }
                }
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        complain(format!("{name} is missing"));
                    }
                }
            }
            other => panic!("{path}: the schema word {other} is not checked"),
        }
    }
    for (name, part) in value.as_object().into_iter().flatten() {
        if let Some(rule) = schema["properties"].get(name) {
            complaints(rule, part, &format!("{path}.{name}"), found);
        }
    }
    for (index, part) in value.as_array().into_iter().flatten().enumerate() {
        complaints(&schema["items"], part, &format!("{path}[{index}]"), found);
    }
}

/// Checks messages against a schema, that they read back without a violation, and that they write every
/// property of the schema at least once, in its order.
fn check<M: Message + PartialEq + std::fmt::Debug>(folder: &std::path::Path, name: &str, messages: &[M]) {
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut written = Vec::new();
    for message in messages {
        let sent = serde_json::to_string(message).unwrap();
        let value: Value = serde_json::from_str(&sent).unwrap();
        let mut found = Vec::new();
        complaints(&schema, &value, name, &mut found);
        assert!(found.is_empty(), "{sent}\n{}", found.join("\n"));
        let read = M::read(&RawValue::from_string(sent.clone()).unwrap()).unwrap();
        assert_eq!(read.violations, [], "{sent}");
        assert_eq!(serde_json::to_string(&read.message).unwrap(), sent);
        written.extend(value.as_object().unwrap().keys().cloned());
    }
    for property in schema["properties"].as_object().unwrap().keys() {
        assert!(written.contains(property), "no example of {name} has {property}");
    }
}

fn check_call<R: Request + PartialEq + std::fmt::Debug>(
    folder: &std::path::Path,
    requests: &[R],
    responses: &[R::Response],
) where
    R::Response: PartialEq + std::fmt::Debug,
{
    check(folder, R::ACTION, requests);
    check(folder, &format!("{}Response", R::ACTION), responses);
}

fn text<const MAX: usize>() -> Text<MAX> {
    Text::parse("ä".repeat(MAX)).unwrap()
}

fn at() -> Timestamp {
    Timestamp::parse("2026-01-31T18:00:00.123Z").unwrap()
}

fn info() -> IdTagInfo {
    IdTagInfo { expiry_date: Some(at()), parent_id_tag: Some(text()), status: AuthorizationStatus::Accepted }
}

/// Every word of an enumeration.
fn words<W: for<'w> From<&'w str>>(all: &[&str]) -> Vec<W> {
    all.iter().map(|word| W::from(word)).collect()
}

fn one_value(sampled: SampledValue) -> MeterValue {
    MeterValue { timestamp: at(), sampled_value: vec![sampled], raw: String::new() }
}

/// Meter values with every word that a sampled value can have.
fn meter_values() -> Vec<MeterValue> {
    let bare = || SampledValue::bare("12.5");
    let mut all = vec![one_value(bare())];
    let mut add = |sampled: SampledValue| all.push(one_value(sampled));
    words(Measurand::WORDS).into_iter().for_each(|w| add(SampledValue { measurand: Some(w), ..bare() }));
    words(Unit::WORDS).into_iter().for_each(|w| add(SampledValue { unit: Some(w), ..bare() }));
    words(Phase::WORDS).into_iter().for_each(|w| add(SampledValue { phase: Some(w), ..bare() }));
    words(Location::WORDS).into_iter().for_each(|w| add(SampledValue { location: Some(w), ..bare() }));
    words(ReadingContext::WORDS).into_iter().for_each(|w| add(SampledValue { context: Some(w), ..bare() }));
    words(ValueFormat::WORDS).into_iter().for_each(|w| add(SampledValue { format: Some(w), ..bare() }));
    all
}

#[test]
fn what_stations_call_and_we_answer() {
    let Some(folder) = schemas() else { return };
    check_call(&folder, &[Authorize { id_tag: text() }], &[AuthorizeResponse { id_tag_info: info() }]);
    let boot = BootNotification {
        charge_point_vendor: text(),
        charge_point_model: text(),
        charge_point_serial_number: Some(text()),
        charge_box_serial_number: Some(text()),
        firmware_version: Some(text()),
        iccid: Some(text()),
        imsi: Some(text()),
        meter_type: Some(text()),
        meter_serial_number: Some(text()),
    };
    let answers: Vec<BootNotificationResponse> = words(RegistrationStatus::WORDS)
        .into_iter()
        .map(|status| BootNotificationResponse { status, current_time: at(), interval: 300 })
        .collect();
    check_call(&folder, &[boot, BootNotification::new("A vendor with a very long name", "M")], &answers);
    check_call(&folder, &[Heartbeat {}], &[HeartbeatResponse { current_time: at() }]);
    let mut statuses: Vec<StatusNotification> = words(ConnectorStatus::WORDS)
        .into_iter()
        .map(|status| StatusNotification {
            connector_id: 0,
            error_code: ChargePointErrorCode::NoError,
            info: Some(text()),
            status,
            timestamp: Some(at()),
            vendor_id: Some(text()),
            vendor_error_code: Some(text()),
        })
        .collect();
    let first = statuses[0].clone();
    statuses.extend(
        words(ChargePointErrorCode::WORDS)
            .into_iter()
            .map(|error_code| StatusNotification { error_code, ..first.clone() }),
    );
    check_call(&folder, &statuses, &[StatusNotificationResponse {}]);
    let start = StartTransaction {
        connector_id: 1,
        id_tag: text(),
        meter_start: WattHours::new(1200),
        reservation_id: Some(4),
        timestamp: at(),
    };
    let answers: Vec<StartTransactionResponse> = words(AuthorizationStatus::WORDS)
        .into_iter()
        .map(|status| StartTransactionResponse {
            id_tag_info: IdTagInfo::of(status),
            transaction_id: i32::MAX,
        })
        .collect();
    check_call(&folder, &[start], &answers);
    let values = MeterValues { connector_id: 0, transaction_id: Some(7), meter_value: meter_values() };
    check_call(&folder, &[values], &[MeterValuesResponse {}]);
    let stops: Vec<StopTransaction> = words(StopReason::WORDS)
        .into_iter()
        .map(|reason| StopTransaction {
            id_tag: Some(text()),
            meter_stop: WattHours::new(5000),
            timestamp: at(),
            transaction_id: 7,
            reason: Some(reason),
            transaction_data: Some(TransactionData(meter_values())),
        })
        .collect();
    let answers = [
        StopTransactionResponse { id_tag_info: Some(info()) },
        StopTransactionResponse { id_tag_info: None },
    ];
    check_call(&folder, &stops, &answers);
}

#[test]
fn what_we_call_and_stations_answer() {
    let Some(folder) = schemas() else { return };
    let free = || Some(FreeText("anything".to_owned()));
    let answers: Vec<DataTransferResponse> = words(DataTransferStatus::WORDS)
        .into_iter()
        .map(|status| DataTransferResponse { status, data: free() })
        .collect();
    let transfer = DataTransfer { vendor_id: text(), message_id: Some(text()), data: free() };
    check_call(&folder, &[transfer], &answers);
    let acceptances = words::<Acceptance>(Acceptance::WORDS);
    let starts = profiles().into_iter().map(|profile| RemoteStartTransaction {
        connector_id: Some(1),
        id_tag: text(),
        charging_profile: Some(profile),
    });
    let answers: Vec<RemoteStartTransactionResponse> =
        acceptances.iter().map(|a| RemoteStartTransactionResponse { status: a.clone() }).collect();
    check_call(&folder, &starts.collect::<Vec<_>>(), &answers);
    let answers: Vec<RemoteStopTransactionResponse> =
        acceptances.iter().map(|a| RemoteStopTransactionResponse { status: a.clone() }).collect();
    check_call(&folder, &[RemoteStopTransaction { transaction_id: 7 }], &answers);
    let resets: Vec<Reset> = words(ResetType::WORDS).into_iter().map(|kind| Reset { kind }).collect();
    let answers: Vec<ResetResponse> =
        acceptances.into_iter().map(|status| ResetResponse { status }).collect();
    check_call(&folder, &resets, &answers);
    let answers: Vec<ChangeConfigurationResponse> = words(ConfigurationStatus::WORDS)
        .into_iter()
        .map(|status| ChangeConfigurationResponse { status })
        .collect();
    check_call(&folder, &[ChangeConfiguration { key: text(), value: text() }], &answers);
    let gets = [GetConfiguration { key: Some(vec![text(), text()]) }, GetConfiguration { key: None }];
    let known = vec![
        KeyValue { key: text(), readonly: true, value: Some(text()) },
        KeyValue { key: text(), readonly: false, value: None },
    ];
    let answer = GetConfigurationResponse { configuration_key: Some(known), unknown_key: Some(vec![text()]) };
    check_call(&folder, &gets, &[answer]);
    let triggers: Vec<TriggerMessage> = words(MessageTrigger::WORDS)
        .into_iter()
        .map(|requested_message| TriggerMessage { requested_message, connector_id: Some(1) })
        .collect();
    let answers: Vec<TriggerMessageResponse> = words(TriggerMessageStatus::WORDS)
        .into_iter()
        .map(|status| TriggerMessageResponse { status })
        .collect();
    check_call(&folder, &triggers, &answers);
}

#[test]
fn what_limits_a_station() {
    let Some(folder) = schemas() else { return };
    let sets = profiles()
        .into_iter()
        .map(|profile| SetChargingProfile { connector_id: 0, cs_charging_profiles: profile });
    let answers: Vec<SetChargingProfileResponse> = words(ChargingProfileStatus::WORDS)
        .into_iter()
        .map(|status| SetChargingProfileResponse { status })
        .collect();
    check_call(&folder, &sets.collect::<Vec<_>>(), &answers);
    let mut clears = vec![ClearChargingProfile {
        id: None,
        connector_id: None,
        charging_profile_purpose: None,
        stack_level: None,
    }];
    clears.extend(words(ChargingProfilePurpose::WORDS).into_iter().map(|purpose| ClearChargingProfile {
        id: Some(7),
        connector_id: Some(0),
        charging_profile_purpose: Some(purpose),
        stack_level: Some(0),
    }));
    let answers: Vec<ClearChargingProfileResponse> = words(ClearChargingProfileStatus::WORDS)
        .into_iter()
        .map(|status| ClearChargingProfileResponse { status })
        .collect();
    check_call(&folder, &clears, &answers);
    let gets = words(ChargingRateUnit::WORDS).into_iter().map(|unit| GetCompositeSchedule {
        connector_id: 1,
        duration: 3600,
        charging_rate_unit: Some(unit),
    });
    let schedule = ChargingSchedule { start_schedule: None, ..profiles().remove(0).charging_schedule };
    let told = GetCompositeScheduleResponse {
        status: Acceptance::Accepted,
        connector_id: Some(1),
        schedule_start: Some(at()),
        charging_schedule: Some(schedule),
    };
    let untold = GetCompositeScheduleResponse {
        status: Acceptance::Rejected,
        connector_id: None,
        schedule_start: None,
        charging_schedule: None,
    };
    check_call(&folder, &gets.collect::<Vec<_>>(), &[told, untold]);
    let changes: Vec<ChangeAvailability> = words(AvailabilityType::WORDS)
        .into_iter()
        .map(|kind| ChangeAvailability { connector_id: 0, kind })
        .collect();
    let answers: Vec<ChangeAvailabilityResponse> = words(AvailabilityStatus::WORDS)
        .into_iter()
        .map(|status| ChangeAvailabilityResponse { status })
        .collect();
    check_call(&folder, &changes, &answers);
}

/// Profiles with every word that one can have.
fn profiles() -> Vec<ChargingProfile> {
    let period =
        |limit| ChargingSchedulePeriod { start_period: 0, limit: Tenths(limit), number_phases: Some(3) };
    let full = ChargingProfile {
        charging_profile_id: 1,
        transaction_id: Some(7),
        stack_level: 0,
        charging_profile_purpose: ChargingProfilePurpose::TxProfile,
        charging_profile_kind: ChargingProfileKind::Relative,
        recurrency_kind: None,
        valid_from: Some(at()),
        valid_to: Some(at()),
        charging_schedule: ChargingSchedule {
            duration: Some(3600),
            start_schedule: Some(at()),
            charging_rate_unit: ChargingRateUnit::Amperes,
            charging_schedule_period: vec![period(Decimal::new(160, 1)), period(Decimal::new(61, 1))],
            min_charging_rate: Some(Tenths(Decimal::new(6000, 3))),
        },
    };
    let mut all = vec![full.clone()];
    for charging_profile_purpose in words(ChargingProfilePurpose::WORDS) {
        all.push(ChargingProfile { charging_profile_purpose, ..full.clone() });
    }
    for charging_profile_kind in words(ChargingProfileKind::WORDS) {
        all.push(ChargingProfile { charging_profile_kind, ..full.clone() });
    }
    for kind in words(RecurrencyKind::WORDS) {
        all.push(ChargingProfile { recurrency_kind: Some(kind), ..full.clone() });
    }
    for charging_rate_unit in words(ChargingRateUnit::WORDS) {
        let charging_schedule = ChargingSchedule { charging_rate_unit, ..full.charging_schedule.clone() };
        all.push(ChargingProfile { charging_schedule, ..full.clone() });
    }
    all
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let schema = serde_json::json!({"type": "object", "additionalProperties": false, "required": ["a", "b"],
        "properties": {"a": {"type": "string", "maxLength": 2}, "c": {"type": "integer"}}});
    let mut found = Vec::new();
    complaints(&schema, &serde_json::json!({"a": "xyz", "c": "1", "d": 1}), "$", &mut found);
    assert_eq!(found.len(), 4, "{found:?}");
}
