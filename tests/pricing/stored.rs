//! The two ways of reading a CDR that is kept come to the same: whole, and no further than its price depends on.

use roamwatt::domain::cdr::Cdr;
use roamwatt::ocpi::v2_2_1::cdrs::wire;
use roamwatt::ocpi::wire::parse;
use roamwatt::pricing::check::check_whole;
use roamwatt::pricing::stored::{ReadyTariffs, StoredCdr};
use roamwatt::pricing::{Check, CheckState, PricingPolicy, Tolerance};
use serde_json::{Value, json};

fn both(json: &Value, zone: Option<chrono_tz::Tz>) -> Check {
    let wire: wire::Cdr = parse(json.to_string().as_bytes()).unwrap();
    let cdr = Cdr::try_from(wire).unwrap();
    let (policy, tolerance) = (PricingPolicy::default(), Tolerance::default());
    let whole = check_whole(&cdr, zone, policy, &tolerance);
    let text = serde_json::to_string(&cdr).unwrap();
    let stored = StoredCdr::read(&text).unwrap();
    assert_eq!((stored.id(), stored.location()), (cdr.id.as_str(), cdr.cdr_location.id.as_str()));
    let mut ready = ReadyTariffs::default();
    // The second time with tariffs that are ready.
    for _ in 0..2 {
        assert_eq!(stored.check(zone, policy, &mut ready, &tolerance), whole, "{json}");
    }
    whole
}

fn with(pointer: &str, value: Value) -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/own/ocpi/cdr_full.json");
    let mut json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let (object, name) = pointer.rsplit_once('/').unwrap();
    json.pointer_mut(object).unwrap()[name] = value;
    json
}

#[test]
fn what_is_read_in_part_is_checked_like_the_whole() {
    for (pointer, value) in [
        ("/credit", json!(false)),
        ("/credit", json!(true)),
        ("/tariffs", json!([])),
        ("/currency", json!("CHF")),
        ("/total_cost", json!({ "excl_vat": -6.1207 })),
        ("/total_parking_cost", json!({ "excl_vat": 1e-2, "incl_vat": 12 })),
        ("/total_energy", json!(99.123456)),
        ("/charging_periods/0/start_date_time", json!("2026-02-03T09:00:00Z")),
        ("/charging_periods/0/tariff_id", json!("T-2")),
        ("/charging_periods/0/dimensions/1/volume", json!(-1)),
        ("/tariffs/0/elements/0/restrictions", json!({ "start_time": "11:00" })),
        ("/tariffs/0/elements/0/price_components/0/type", json!("MOOD")),
    ] {
        for zone in [None, Some(chrono_tz::Europe::Berlin)] {
            both(&with(pointer, value.clone()), zone);
        }
    }
}

#[test]
fn credits_and_rounding_are_compared_as_they_are_meant() {
    let mut json = with("/credit", json!(null));
    json.as_object_mut().unwrap().remove("credit_reference_id");
    json["tariffs"][0]["elements"] =
        json!([{ "price_components": [{ "type": "ENERGY", "price": 0.4958, "vat": 19, "step_size": 1 }] }]);
    // 12.345 × 0.4958 = 6.120651, with VAT 7.28357469.
    let state = |json: &Value| both(json, Some(chrono_tz::UTC)).state;
    assert_eq!(state(&json), CheckState::Ok);
    json["total_cost"] = json!({ "excl_vat": 6.12, "incl_vat": 7.28 });
    assert_eq!(state(&json), CheckState::Ok);
    json["total_cost"] = json!({ "excl_vat": 6.12 });
    let check = both(&json, Some(chrono_tz::UTC));
    assert_eq!((check.state, check.warnings[0].path.as_str()), (CheckState::Ok, "$.total_cost.incl_vat"));
    json["total_cost"] = json!({ "excl_vat": -6.12, "incl_vat": -7.28 });
    assert_eq!(state(&json), CheckState::Differs);
    json["credit"] = json!(true);
    assert_eq!(state(&json), CheckState::Ok);
    // Yen have no decimals: computed amounts are rounded to whole ones before they are compared.
    json["credit"] = json!(false);
    for place in ["/currency", "/tariffs/0/currency"] {
        *json.pointer_mut(place).unwrap() = json!("JPY");
    }
    json["total_cost"] = json!({ "excl_vat": 6, "incl_vat": 7 });
    json["total_energy_cost"] = json!({ "excl_vat": 6, "incl_vat": 7 });
    assert_eq!(state(&json), CheckState::Ok);
}
