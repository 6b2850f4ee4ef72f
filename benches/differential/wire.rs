//! Cases as the JSON documents of OCPI, written here and not by the library, so that a fault in its conversions
//! cannot hide one in its pricing.

use crate::case::Case;
use crate::versions::Version;
use roamwatt::domain::charging_period::CdrDimensionType;
use roamwatt::domain::tariff::Tariff;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// The tariff.
pub(crate) fn tariff(tariff: &Tariff, version: Version) -> Value {
    let mut all = Map::new();
    if version == Version::V221 {
        all.insert("country_code".to_owned(), json!(tariff.party.country_code()));
        all.insert("party_id".to_owned(), json!(tariff.party.party_id()));
        let bounds = [("min_price", &tariff.min_price), ("max_price", &tariff.max_price)];
        for (name, bound) in bounds {
            if let Some(bound) = bound {
                all.insert(name.to_owned(), json!(bound));
            }
        }
    }
    all.insert("id".to_owned(), json!(tariff.id));
    all.insert("currency".to_owned(), json!(tariff.currency));
    all.insert("elements".to_owned(), json!(tariff.elements));
    all.insert("last_updated".to_owned(), json!(tariff.last_updated));
    Value::Object(all)
}

/// The CDR with its tariffs. What it costs is not known yet, and told as nothing.
pub(crate) fn cdr(case: &Case) -> Value {
    let volume = |of: &[CdrDimensionType]| {
        let all = case.periods.iter().flat_map(|period| &period.dimensions);
        let sum: Decimal = all.filter(|one| of.contains(&one.dimension)).map(|one| one.volume).sum();
        number(sum)
    };
    let mut all = json!({
        "id": format!("C{}", case.number),
        "start_date_time": case.start(),
        "end_date_time": case.end(),
        "auth_method": "WHITELIST",
        "currency": "EUR",
        "tariffs": case.tariffs.iter().map(|one| tariff(one, case.version)).collect::<Vec<_>>(),
        "charging_periods": case.periods,
        "total_energy": volume(&[CdrDimensionType::Energy]),
        "total_time": volume(&[CdrDimensionType::Time, CdrDimensionType::ParkingTime]),
        "total_parking_time": volume(&[CdrDimensionType::ParkingTime]),
        "last_updated": case.end(),
    });
    let more = match case.version {
        Version::V211 => in_2_1_1(case),
        Version::V221 => in_2_2_1(),
    };
    if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
        all.extend(more);
    }
    all
}

/// A decimal as a JSON number with all its digits.
fn number(value: Decimal) -> Value {
    serde_json::from_str(&value.normalize().to_string()).unwrap_or(Value::Null)
}

fn in_2_2_1() -> Value {
    json!({
        "country_code": "NL",
        "party_id": "ABC",
        "session_id": "S1",
        "cdr_token": {
            "country_code": "NL", "party_id": "ABC", "uid": "U1", "type": "RFID", "contract_id": "NL-ABC-C1",
        },
        "cdr_location": {
            "id": "L1", "address": "Street 1", "city": "Town", "postal_code": "1000AA", "country": "NLD",
            "coordinates": {"latitude": "52.000000", "longitude": "5.000000"},
            "evse_uid": "E1", "evse_id": "NL*ABC*E1", "connector_id": "1",
            "connector_standard": "IEC_62196_T2", "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "total_cost": {"excl_vat": 0, "incl_vat": 0},
    })
}

fn in_2_1_1(case: &Case) -> Value {
    json!({
        "auth_id": "NL-ABC-C1",
        "stop_date_time": case.end(),
        "location": {
            "id": "L1", "type": "ON_STREET", "address": "Street 1", "city": "Town", "postal_code": "1000AA",
            "country": "NLD", "coordinates": {"latitude": "52.000000", "longitude": "5.000000"},
            "evses": [{
                "uid": "E1", "evse_id": "NL*ABC*E1", "status": "AVAILABLE", "last_updated": case.start(),
                "connectors": [{
                    "id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE",
                    "voltage": 230, "amperage": 16, "last_updated": case.start(),
                }],
            }],
            "last_updated": case.start(),
        },
        "total_cost": 0,
    })
}
