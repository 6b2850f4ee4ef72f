//! Whatever stands in a field, reading ends with an object or with an error that names a place, and an object
//! that was read is read again from what we write of it.

use super::fields::own;
use proptest::prelude::*;
use roamwatt::ocpi::v2_2_1::{cdrs, locations, sessions, tariffs, tokens};
use roamwatt::ocpi::wire::{Wire, parse, parse_noting};
use serde_json::Value;
use std::fmt::Debug;

/// Values as careless platforms send them.
const ODD: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "1.0",
    "0.1000000000000000055",
    "1e400",
    "1e-30",
    "123456789012345678901234567890",
    "\"\"",
    "\"0\"",
    "\" 1\"",
    "\"1e5\"",
    "\"true\"",
    "\"AVAILABLE\"",
    "\"2026-02-30T00:00:00Z\"",
    "\"2026-02-03T10:00:00.123456789+14:00\"",
    "\"24:00\"",
    "\"ä\\u0000\"",
    "[]",
    "[[]]",
    "[null]",
    "[{}]",
    "{}",
    "{\"$serde_json::private::Number\": \"x\"}",
    "{\"language\": 1}",
];

/// JSON pointers of everything in a value.
fn places(value: &Value, here: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| places(inner, format!("{here}/{name}"), found))
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, inner)| places(inner, format!("{here}/{index}"), found));
        }
        _ => {}
    }
    found.push(here);
}

fn check<T: Wire + Debug + PartialEq>(name: &str, changes: &[(usize, usize)]) {
    let mut text = String::from_utf8(own(name)).unwrap();
    for (place, odd) in changes {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let mut found = Vec::new();
        places(&value, String::new(), &mut found);
        // As text: not every odd value survives being a `Value`.
        *value.pointer_mut(&found[place % found.len()]).unwrap() = Value::from("@odd@");
        text = value.to_string().replace("\"@odd@\"", ODD[odd % ODD.len()]);
        if serde_json::from_str::<Value>(&text).is_err() {
            break;
        }
    }
    match parse_noting::<T>(text.as_bytes()) {
        Err(error) => assert!(error.path.starts_with('$') || error.not_json, "{text}: {error:?}"),
        Ok(parsed) => {
            let written = serde_json::to_vec(&parsed.object).unwrap();
            let again: T = parse(&written).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(again, parsed.object, "{text}");
            parsed.object.violations();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn odd_values_end_in_an_object_or_a_clear_error(
        kind in 0_usize..5,
        changes in prop::collection::vec((any::<usize>(), any::<usize>()), 1..4),
    ) {
        match kind {
            0 => check::<locations::wire::Location>("location_full", &changes),
            1 => check::<tariffs::wire::Tariff>("tariff_full", &changes),
            2 => check::<tokens::wire::Token>("token_full", &changes),
            3 => check::<sessions::wire::Session>("session_full", &changes),
            _ => check::<cdrs::wire::Cdr>("cdr_full", &changes),
        }
    }
}
