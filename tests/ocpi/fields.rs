//! Objects of our own with every field that the specification knows: they come back equal, through the wire
//! types and through the domain, and no table or type has forgotten a field.

use roamwatt::domain::{cdr, command, location, session, tariff, token};
use roamwatt::ocpi::shape::{Class, Kind};
use roamwatt::ocpi::v2_2_1::commands::{Addressed, wire as commands};
use roamwatt::ocpi::v2_2_1::credentials::wire::{Credentials, CredentialsRole};
use roamwatt::ocpi::v2_2_1::versions::wire::{Version, VersionDetails};
use roamwatt::ocpi::v2_2_1::{cdrs, locations, sessions, tariffs, tokens};
use roamwatt::ocpi::wire::{Wire, parse, parse_noting};
use serde_json::{Value, json};
use std::fmt::Debug;

pub(crate) fn own(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/own/ocpi/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every field of the class, and of the classes within, is somewhere in `value`.
fn assert_has_every_field(class: &Class, value: &Value, place: &str) {
    for field in class.fields {
        let found = value.get(field.name).unwrap_or_else(|| panic!("{place} has no {}", field.name));
        if let Kind::Object(inner) | Kind::ObjectOrKept(inner) = field.kind {
            // In a list, the first entry is the full one.
            let entry = found.get(0).unwrap_or(found);
            assert_has_every_field(inner, entry, &format!("{place}.{}", field.name));
        }
    }
}

fn full<T: Wire + Debug>(name: &str) -> (T, Value) {
    let text = own(name);
    let value: Value = serde_json::from_slice(&text).unwrap();
    assert_has_every_field(T::CLASS, &value, name);
    let parsed = parse_noting::<T>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        (parsed.notes, parsed.violations),
        (vec![], vec![]),
        "{name} is as the specification wants it"
    );
    assert_eq!(parsed.object.violations(), [], "{name}");
    let debug = format!("{:?}", parsed.object);
    assert!(!debug.contains("extra: {\""), "{name}: a type does not know a field of its table: {debug}");
    assert_eq!(serde_json::to_value(&parsed.object).unwrap(), value, "{name}");
    (parsed.object, value)
}

/// Reads, converts to the domain and back.
macro_rules! through_domain {
    ($name:literal, $wire:ty, $domain:ty) => {{
        let (wire, value) = full::<$wire>($name);
        let domain = <$domain>::try_from(wire).unwrap();
        assert_eq!(serde_json::to_value(<$wire>::from(domain)).unwrap(), value, $name);
    }};
}

#[test]
fn every_field_of_every_object_survives() {
    through_domain!("location_full", locations::wire::Location, location::Location);
    through_domain!("tariff_full", tariffs::wire::Tariff, tariff::Tariff);
    through_domain!("token_full", tokens::wire::Token, token::Token);
    through_domain!("authorization_full", tokens::wire::AuthorizationInfo, token::AuthorizationInfo);
    through_domain!("session_full", sessions::wire::Session, session::Session);
    through_domain!("cdr_full", cdrs::wire::Cdr, cdr::Cdr);
    through_domain!("start_session_full", commands::StartSession, Addressed<command::StartSession>);
    through_domain!("stop_session_full", commands::StopSession, Addressed<command::StopSession>);
    through_domain!("reserve_now_full", commands::ReserveNow, Addressed<command::ReserveNow>);
    through_domain!(
        "cancel_reservation_full",
        commands::CancelReservation,
        Addressed<command::CancelReservation>
    );
    through_domain!("unlock_connector_full", commands::UnlockConnector, Addressed<command::UnlockConnector>);
    full::<commands::CommandResponse>("command_response_full");
    full::<commands::CommandResult>("command_result_full");
    full::<Version>("version_full");
    let (details, _) = full::<VersionDetails>("version_details_full");
    let endpoints = details.clone().into_endpoints().unwrap();
    assert_eq!(VersionDetails::of("2.2.1", endpoints), details);
    let (credentials, _) = full::<Credentials>("credentials_full");
    let roles: Vec<CredentialsRole> =
        credentials.partner_roles().unwrap().into_iter().map(Into::into).collect();
    assert_eq!(roles, credentials.roles);
    assert!(!format!("{credentials:?}").contains("not-a-real-token"), "a token is in no log");
}

#[test]
fn the_domains_document_keeps_every_digit() {
    // What the database keeps is the domain's JSON, as text.
    let (wire, _) = full::<cdrs::wire::Cdr>("cdr_full");
    let domain = cdr::Cdr::try_from(wire).unwrap();
    let document = serde_json::to_string(&domain).unwrap();
    let back: cdr::Cdr = serde_json::from_str(&document).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), document);
    assert_eq!(back.total_energy.to_string(), "12.3450");
}

#[test]
fn unknown_fields_and_words_are_kept_at_every_depth() {
    let mut value: Value = serde_json::from_slice(&own("location_full")).unwrap();
    value["help_phone"] = json!("+49 711 0000");
    value["evses"][0]["tariffs"] = json!([{"id": "x", "price": 0.59}]);
    value["evses"][0]["status"] = json!("PARKED");
    value["evses"][0]["connectors"][1]["standard"] = json!("MCS");
    value["evses"][0]["connectors"][1]["liquid_cooled"] = json!({"since": 2025, "ratio": 1.50});
    value["energy_mix"]["audited"] = Value::Null;
    value["operator"]["logo"]["alt"] = json!("Logo");
    let wire: locations::wire::Location = parse(&serde_json::to_vec(&value).unwrap()).unwrap();
    let paths: Vec<String> = wire.violations().into_iter().map(|violation| violation.path).collect();
    assert_eq!(paths, ["$.evses[0].status", "$.evses[0].connectors[1].standard"]);
    let domain = location::Location::try_from(wire).unwrap();
    assert_eq!(serde_json::to_value(locations::wire::Location::from(domain)).unwrap(), value);
}

#[test]
fn missing_and_empty_lists_are_told_apart() {
    for evses in [None, Some(json!([]))] {
        let mut value: Value = serde_json::from_slice(&own("location_full")).unwrap();
        value.as_object_mut().unwrap().remove("evses");
        if let Some(evses) = evses {
            value["evses"] = evses;
        }
        let wire: locations::wire::Location = parse(&serde_json::to_vec(&value).unwrap()).unwrap();
        let domain = location::Location::try_from(wire).unwrap();
        assert_eq!(serde_json::to_value(locations::wire::Location::from(domain)).unwrap(), value);
    }
}

#[test]
fn texts_that_are_too_long_are_accepted_and_reported() {
    let mut value: Value = serde_json::from_slice(&own("token_full")).unwrap();
    value["uid"] = json!("a".repeat(40));
    value["issuer"] = json!("line\nbreak");
    value["contract_id"] = json!("DE-ÄBC");
    let token: tokens::wire::Token = parse(&serde_json::to_vec(&value).unwrap()).unwrap();
    let violations: Vec<String> = token
        .violations()
        .iter()
        .map(|violation| format!("{}: {}", violation.path, violation.message))
        .collect();
    assert_eq!(
        violations,
        [
            "$.uid: has 40 characters, at most 36 are allowed",
            "$.contract_id: has characters other than printable ASCII",
            "$.issuer: has characters that cannot be printed",
        ]
    );
}

#[test]
fn what_cannot_be_understood_is_named_by_its_path() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 6] = [
        (
            |v| v["total_energy"] = json!("much"),
            "$.total_energy: a decimal number is wanted, found the text 'much'",
        ),
        (
            |v| v["tariffs"][0]["elements"][1]["price_components"][0]["step_size"] = json!(-1),
            "$.tariffs[0].elements[1].price_components[0].step_size: a number not below 0 is wanted, found -1",
        ),
        (
            |v| v["charging_periods"][0]["dimensions"][1]["volume"] = json!(true),
            "$.charging_periods[0].dimensions[1].volume: a decimal number is wanted, found true",
        ),
        (
            |v| v["total_cost"]["excl_vat"] = json!(1_000_000_000_001_u64),
            "$.total_cost.excl_vat: amount 1000000000001 is out of range: at most 1000000000 either way",
        ),
        (|v| v["cdr_token"] = json!("04A2"), "$.cdr_token: a CdrToken is wanted, found the text '04A2'"),
        (
            |v| v["end_date_time"] = json!("tomorrow"),
            "$.end_date_time: time 'tomorrow' is not an RFC 3339 time like 2026-01-31T18:00:00Z",
        ),
    ];
    for (change, wanted) in cases {
        let mut value: Value = serde_json::from_slice(&own("cdr_full")).unwrap();
        change(&mut value);
        let error = parse::<cdrs::wire::Cdr>(&serde_json::to_vec(&value).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
    let error = parse::<cdrs::wire::Cdr>(b"{\"id\": \n}").unwrap_err();
    assert_eq!((error.not_json, error.path.as_str()), (true, "line 2, column 1"));
}

#[test]
fn a_party_that_is_none_is_named_where_it_stands() {
    let mut value: Value = serde_json::from_slice(&own("cdr_full")).unwrap();
    value["cdr_token"]["party_id"] = json!("TOOLONG");
    let wire: cdrs::wire::Cdr = parse(&serde_json::to_vec(&value).unwrap()).unwrap();
    let error = cdr::Cdr::try_from(wire).unwrap_err();
    assert_eq!(error.path, "$.cdr_token.party_id");
    assert!(error.reason.contains("'TOOLONG' is not three letters"), "{error}");
}

#[test]
fn the_tariffs_of_a_cdr_take_owner_and_time_from_it() {
    let mut value: Value = serde_json::from_slice(&own("cdr_full")).unwrap();
    for field in ["country_code", "party_id", "last_updated"] {
        value["tariffs"][0].as_object_mut().unwrap().remove(field);
    }
    let wire: cdrs::wire::Cdr = parse(&serde_json::to_vec(&value).unwrap()).unwrap();
    let domain = cdr::Cdr::try_from(wire).unwrap();
    assert_eq!(domain.tariffs[0].party, domain.party);
    assert_eq!(domain.tariffs[0].last_updated, domain.last_updated);
}

#[test]
fn ours_is_written_with_at_most_4_decimals_and_a_partners_is_not() {
    let text = String::from_utf8(own("cdr_full")).unwrap();
    let text = text.replace("12.3450", "12.34565").replace("6.1207", "6.12067").replace("1.5 }", "1.50005 }");
    let wire: cdrs::wire::Cdr = parse(text.as_bytes()).unwrap();
    let partners = cdr::Cdr::try_from(wire).unwrap();
    let value = serde_json::to_value(cdrs::wire::Cdr::from(partners.clone())).unwrap();
    assert_eq!(value["total_energy"].to_string(), "12.34565");
    let ours = cdrs::wire::Cdr::from(partners).with_at_most_4_decimals();
    let value = serde_json::to_value(ours).unwrap();
    assert_eq!(value["total_energy"].to_string(), "12.3457");
    assert_eq!(value["total_cost"]["excl_vat"].to_string(), "6.1207");
    assert_eq!(value["total_energy_cost"]["excl_vat"].to_string(), "6.1207");
    assert_eq!(value["charging_periods"][0]["dimensions"][1]["volume"].to_string(), "1.5001");
    assert_eq!(value["total_time"].to_string(), "1.5");
}

#[test]
fn noise_of_binary_floating_point_does_not_lose_a_session() {
    let text = String::from_utf8(own("session_full")).unwrap().replace("12.3450,", "0.30000000000000004,");
    let parsed = parse_noting::<sessions::wire::Session>(text.as_bytes()).unwrap();
    assert_eq!(parsed.object.kwh.to_string(), "0.3");
    assert_eq!(parsed.notes[0].path, "$.kwh");
}
