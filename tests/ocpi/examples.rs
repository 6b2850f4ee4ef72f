//! Every JSON example of OCPI 2.2.1 that is an object of a module here is read, and comes back as it was:
//! through the wire types, and whole objects also through the domain.

use crate::support::shared::shared;
use roamwatt::domain::location::{DisplayText, EnergyMix, Hours};
use roamwatt::domain::{cdr, location, partner, session, tariff, token};
use roamwatt::ocpi::envelope::Answer;
use roamwatt::ocpi::patch::{merge_patch, merge_session_patch, parse_patch};
use roamwatt::ocpi::v2_2_1::credentials::wire::{Credentials, CredentialsRole};
use roamwatt::ocpi::v2_2_1::locations::wire::{Connector, Evse, Location};
use roamwatt::ocpi::v2_2_1::versions::wire::{Version, VersionDetails};
use roamwatt::ocpi::v2_2_1::{cdrs, sessions, tariffs, tokens};
use roamwatt::ocpi::wire::{Wire, WireError, parse_noting};
use serde_json::Value;
use std::path::Path;

/// The text of a JSON value, with the sender's digits.
fn text_of(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// Reads and writes; what comes back must be equal, with the digits of each number.
fn through_wire<T: Wire>(name: &str, value: &Value) -> T {
    let parsed = parse_noting::<T>(&text_of(value)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(parsed.notes, [], "{name}: nothing had to be put right");
    assert_eq!(serde_json::to_value(&parsed.object).unwrap(), *value, "{name} through the wire type");
    parsed.object
}

/// Like [`through_wire`], and on through the domain's type `D`.
fn through_domain<T, D>(name: &str, value: &Value)
where
    T: Wire + From<D>,
    D: TryFrom<T, Error = WireError>,
{
    let wire: T = through_wire(name, value);
    let domain = D::try_from(wire).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(serde_json::to_value(T::from(domain)).unwrap(), *value, "{name} through the domain");
}

fn check_location(name: &str, value: &Value) {
    through_domain::<Location, location::Location>(name, value);
}
fn check_tariff(name: &str, value: &Value) {
    through_domain::<tariffs::wire::Tariff, tariff::Tariff>(name, value);
}
fn check_token(name: &str, value: &Value) {
    through_domain::<tokens::wire::Token, token::Token>(name, value);
}
fn check_credentials(name: &str, value: &Value) {
    let wire: Credentials = through_wire(name, value);
    let roles: Vec<CredentialsRole> = wire.partner_roles().unwrap().into_iter().map(Into::into).collect();
    assert_eq!(roles, wire.roles, "{name} through the domain");
}
fn check_details(name: &str, value: &Value) {
    let wire: VersionDetails = through_wire(name, value);
    let endpoints: Vec<partner::Endpoint> = wire.clone().into_endpoints().unwrap();
    assert_eq!(VersionDetails::of(&wire.version, endpoints), wire, "{name} through the domain");
}

fn check(name: &str, value: &Value) {
    match name {
        "cdr_example" => through_domain::<cdrs::wire::Cdr, cdr::Cdr>(name, value),
        "credentials_example" | "credentials_example2" | "credentials_example3" | "credentials_example4" => {
            check_credentials(name, value);
        }
        "location_energymix_example_complete"
        | "location_energymix_example_energy_provider"
        | "location_energymix_example_simple" => {
            through_wire::<EnergyMix>(name, &value["energy_mix"]);
        }
        "location_example"
        | "location_example_parking_garage_opening_hours"
        | "location_example_uc2_destination_charger"
        | "location_example_uc3_destination_charger_not_published"
        | "location_example_uc4_limited_visibility"
        | "location_example_uc5_home_charge_point" => check_location(name, value),
        "location_hours_247_open_exception_closing"
        | "location_hours_opening_hours_with_exceptional_closing"
        | "location_hours_opening_hours_with_exceptional_opening" => {
            through_wire::<Hours>(name, value);
        }
        "location_regularhours_example" => {
            through_wire::<Hours>(name, &value["opening_times"]);
        }
        "location_put_example_add_evse" => check_evse_of_the_put_example(name, value),
        "session_example_1_simple_start" | "session_example_2_short_finished" => {
            through_domain::<sessions::wire::Session, session::Session>(name, value);
        }
        "tariff_put_example" => check_tariff_without_its_time(name, value),
        "token_example_1_app_user" | "token_example_2_full_rfid" | "token_put_example" => {
            check_token(name, value);
        }
        "transport_and_format_get_token_example" => check_token(name, &value["data"]),
        "transport_and_format_get_token_list_example" => {
            value["data"].as_array().unwrap().iter().for_each(|token| check_token(name, token));
        }
        "transport_and_format_version_details_example" => check_details(name, &value["data"]),
        "transport_and_format_version_info_example" => {
            value["data"].as_array().unwrap().iter().for_each(|version| {
                through_wire::<Version>(name, version);
            });
        }
        "version_details_example" | "version_details_example2" => check_details(name, value),
        "versions_info_example" => value.as_array().unwrap().iter().for_each(|version| {
            through_wire::<Version>(name, version);
        }),
        "type_displaytext_example" => {
            through_wire::<DisplayText>(name, value);
        }
        tariff if tariff.starts_with("tariff") => check_tariff(name, value),
        other => panic!("{other}.json is new: say here what it is"),
    }
}

/// The specification's example of a PUT leaves out what its own table requires, and has a number where a text
/// is due: the number is read as text, which is noted, and the rest comes back equal.
fn check_evse_of_the_put_example(name: &str, value: &Value) {
    let parsed = parse_noting::<Evse>(&text_of(value)).unwrap();
    let notes: Vec<_> = parsed.notes.iter().map(|note| note.path.as_str()).collect();
    assert_eq!(notes, ["$.physical_reference"]);
    let missing: Vec<_> = parsed.violations.iter().map(|violation| violation.path.as_str()).collect();
    let connector = ["power_type", "max_voltage", "max_amperage", "last_updated"];
    assert_eq!(missing, connector.map(|field| format!("$.connectors[0].{field}")));
    let mut wanted = value.clone();
    wanted["physical_reference"] = Value::from("3");
    assert_eq!(serde_json::to_value(&parsed.object).unwrap(), wanted, "{name}");
    // Without a connector's power it is no EVSE that can be worked with: a receiver says what is missing.
    let error = parsed.object.into_domain(None).unwrap_err();
    assert_eq!(error.to_string(), "$.connectors[0].power_type: is required and missing");
}

/// The specification's example of a PUT leaves out `last_updated`, which its own table requires.
fn check_tariff_without_its_time(name: &str, value: &Value) {
    let wire: tariffs::wire::Tariff = through_wire(name, value);
    let missing: Vec<_> = wire.violations().into_iter().map(|violation| violation.path).collect();
    assert_eq!(missing, ["$.last_updated"]);
    let error = tariff::Tariff::try_from(wire.clone()).unwrap_err();
    assert_eq!(error.to_string(), "$.last_updated: is required and missing");
    let owner = "DE*ALL".parse().unwrap();
    let now = "2026-01-31T18:00:00Z".parse().unwrap();
    let domain = tariff::Tariff::try_from(wire.or_else(&owner, now)).unwrap();
    let mut wanted = value.clone();
    wanted["last_updated"] = Value::from("2026-01-31T18:00:00Z");
    assert_eq!(serde_json::to_value(tariffs::wire::Tariff::from(domain)).unwrap(), wanted, "{name}");
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Lays a PATCH over an object of another example: what it names is new, all else is as before, and the result
/// is an object that can be read.
fn check_patch<T: Wire>(name: &str, patch: &Value, mut current: Value, session: bool) {
    let (patch_read, last_updated) = parse_patch(&text_of(patch)).unwrap();
    assert_eq!(patch_read, *patch, "{name} is read as it is");
    let before = current.clone();
    if session {
        merge_session_patch(&mut current, patch);
    } else {
        merge_patch(&mut current, patch);
    }
    assert_eq!(current["last_updated"].as_str().unwrap(), last_updated.to_string(), "{name}");
    for (field, value) in current.as_object().unwrap() {
        let wanted = match (session, field.as_str()) {
            (true, "charging_periods") => {
                let both = [&before[field], &patch[field]].map(|list| list.as_array().cloned());
                Value::Array(both.into_iter().flatten().flatten().collect())
            }
            _ => patch.get(field).unwrap_or(&before[field]).clone(),
        };
        assert_eq!(*value, wanted, "{name}: {field}");
    }
    through_wire::<T>(name, &current);
}

fn check_patch_example(name: &str, patch: &Value, folder: &Path) {
    let of = |file: &str| read(&folder.join(file));
    let location = || of("location_example.json");
    let session = || of("session_example_2_short_finished.json");
    match name {
        "location_patch_example_location" => check_patch::<Location>(name, patch, location(), false),
        "location_patch_example_remove_evse" | "location_patch_example_status" => {
            check_patch::<Evse>(name, patch, location()["evses"][0].clone(), false);
        }
        "location_patch_example_tariff" => {
            check_patch::<Connector>(name, patch, location()["evses"][0]["connectors"][0].clone(), false);
        }
        "session_patch_example_charging_period" | "session_patch_example_total_cost" => {
            check_patch::<sessions::wire::Session>(name, patch, session(), true);
        }
        "token_patch_example" => {
            check_patch::<tokens::wire::Token>(name, patch, of("token_example_2_full_rfid.json"), false);
        }
        other => panic!("{other}.json is new: say here what it is"),
    }
}

#[test]
fn every_example_of_the_specification_comes_back_equal() {
    let Some(folder) = shared("spec/ocpi/2.2.1/examples") else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let value = read(&path);
        if name.contains("_patch_example") {
            check_patch_example(&name, &value, &folder);
        } else {
            check(&name, &value);
        }
        count += 1;
    }
    assert_eq!(count, 59, "every example is of a module here, and none is left out");
}

#[test]
fn examples_in_envelopes_are_answers() {
    let Some(folder) = shared("spec/ocpi/2.2.1/examples") else { return };
    let answer = |name: &str| Answer::parse(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    let token = answer("transport_and_format_get_token_example.json").into_object::<tokens::wire::Token>();
    assert_eq!(token.unwrap().object.uid.as_str(), "012345678");
    let tokens =
        answer("transport_and_format_get_token_list_example.json").into_list::<tokens::wire::Token>();
    assert!(tokens.unwrap().iter().all(Result::is_ok));
    let details = answer("transport_and_format_version_details_example.json");
    assert_eq!(details.timestamp.unwrap().to_string(), "2015-06-30T21:59:59Z");
    assert_eq!(details.into_object::<VersionDetails>().unwrap().object.endpoints.len(), 2);
    let versions = answer("transport_and_format_version_info_example.json").into_list::<Version>();
    assert_eq!(versions.unwrap().len(), 2);
}
