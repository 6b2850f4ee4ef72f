//! A page of a live platform, and a page of our own with the same faults: what can be understood is imported,
//! and all that was put right is told.

use super::fields::own;
use crate::support::shared::shared;
use roamwatt::domain::Timestamp;
use roamwatt::ocpi::v2_2_1::import::{Defaults, Imported, read_locations};
use roamwatt::ocpi::v2_2_1::locations::wire::Location;
use serde_json::Value;
use std::collections::BTreeMap;

fn defaults() -> Defaults<'static> {
    Defaults { owner: None, now: Timestamp::parse("2026-01-31T18:00:00Z").unwrap() }
}

/// What the import changes on purpose: empty texts go, times are written without `.000`.
fn normalised(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, value)| {
                !(value.as_str() == Some("") && ["physical_reference", "website"].contains(&name.as_str()))
            });
            Value::Object(kept.map(|(name, value)| (name.clone(), normalised(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(normalised).collect()),
        Value::String(text) => Value::String(text.replace(".000Z", "Z")),
        other => other.clone(),
    }
}

#[test]
fn a_live_page_is_imported_whole_and_nothing_of_it_is_lost() {
    let Some(path) = shared("data/locations/ludwigsburg.json") else { return };
    let file = std::fs::read(path).unwrap();
    let import = read_locations(&file, defaults()).unwrap();
    let page: Value = serde_json::from_slice(&file).unwrap();
    let items = page["items"].as_array().unwrap();
    assert_eq!((import.len(), items.len()), (100, 100));
    let mut put_right: BTreeMap<String, usize> = BTreeMap::new();
    let mut evses = 0;
    for (item, sent) in import.into_iter().zip(items) {
        let Imported { object, notes, .. } = item.unwrap_or_else(|bad| panic!("{bad}"));
        evses += object.evses().count();
        for note in notes {
            let field = note.path.rsplit('.').next().unwrap_or_default().to_owned();
            *put_right.entry(format!("{field}: {}", note.message)).or_default() += 1;
        }
        // Whole tariffs in an EVSE and other unknown fields are still there.
        assert_eq!(normalised(&serde_json::to_value(Location::from(object)).unwrap()), normalised(sent));
    }
    assert_eq!(evses, 273);
    let wanted =
        [("physical_reference: empty, read as missing", 273), ("website: empty, read as missing", 3)];
    assert_eq!(put_right, wanted.map(|(what, times)| (what.to_owned(), times)).into());
}

#[test]
fn a_page_of_faults_is_put_right_and_its_one_bad_object_named() {
    let import = read_locations(&own("locations_messy"), defaults()).unwrap();
    let Imported { object, notes, violations, .. } = import[0].as_ref().unwrap();
    let notes: Vec<String> = notes.iter().map(|note| format!("{}: {}", note.path, note.message)).collect();
    assert_eq!(
        notes,
        [
            "$.country_code: 'de', read as DE",
            "$.party_id: 'abc', read as ABC",
            "$.id: the number 4711, read as text",
            "$.publish: the text 'true', read as true",
            "$.name: empty, read as missing",
            "$.postal_code: the number 70001, read as text",
            "$.coordinates.latitude: the number 48.8951234, read as text",
            "$.evses[0].uid: the number 1, read as text",
            "$.evses[0].physical_reference: empty, read as missing",
            "$.evses[0].last_updated: '2026-01-02T05:04:05+02:00', read as 2026-01-02T03:04:05Z",
            "$.evses[1].connectors[0].format: 'socket', read as SOCKET",
            "$.evses[1].connectors[0].max_voltage: the text '400', read as 400",
            "$.evses[1].connectors[0].max_amperage: the number 32.0, read as 32",
            "$.evses[1].connectors[0].tariff_ids: one value where a list is due, read as a list of one",
            "$.operator.website: empty, read as missing",
            "$.opening_times.twentyfourseven: the number 1, read as true",
            "$.last_updated: '2026-01-02T03:04:05', read as 2026-01-02T03:04:05Z",
        ]
    );
    let violations: Vec<String> =
        violations.iter().map(|violation| format!("{}: {}", violation.path, violation.message)).collect();
    assert_eq!(
        violations,
        [
            "$.evses[0].status: 'PARKED' is no word of this list, kept as it came",
            "$.evses[0].connectors: is required and missing",
            "$.evses[1].connectors[0].last_updated: is required and missing",
        ]
    );
    let evses: Vec<_> = object.evses().collect();
    assert_eq!((evses.len(), evses[0].connectors.len()), (2, 0), "an EVSE without connectors loses nothing");
    assert_eq!(evses[0].status.as_str(), "PARKED");
    assert_eq!(evses[0].extra["tariffs"][0]["price"].to_string(), "0.59");
    assert_eq!(evses[1].connectors[0].last_updated, evses[1].last_updated);
    assert_eq!(object.extra["help_phone"], "+49 711 0000");

    let bad = import[1].as_ref().unwrap_err();
    assert_eq!(bad.index, 1);
    assert_eq!(bad.path, "$.address");
    assert_eq!(bad.reason, "a text is wanted, found a list of 1 (also wrong: $.coordinates.longitude)");

    let violations: Vec<&str> =
        import[2].as_ref().unwrap().violations.iter().map(|violation| violation.path.as_str()).collect();
    assert_eq!(violations, ["$.city", "$.time_zone"]);
}
