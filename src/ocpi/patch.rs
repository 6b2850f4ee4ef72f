//! PATCH (OCPI 2.2.1 transport_and_format, "PATCH", and the modules): what is given replaces, what is left out
//! stays.

use super::wire::{Parsed, Wire, WireError, parse_value};
use crate::domain::Timestamp;
use serde_json::Value;

/// Lays `patch` over `current`: fields of objects are merged at every depth, lists and everything else are
/// replaced whole. A null says nothing: a PATCH cannot clear a field.
pub fn merge_patch(current: &mut Value, patch: &Value) {
    match (current, patch) {
        (_, Value::Null) => {}
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                match fields.get_mut(name) {
                    Some(field) => merge_patch(field, change),
                    None if change.is_null() => {}
                    None => {
                        fields.insert(name.clone(), without_nulls(change));
                    }
                }
            }
        }
        (current, patch) => *current = without_nulls(patch),
    }
}

/// A new value from a PATCH: a field that is null is one that is left out.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

/// Lays a PATCH of a Session over it: like [`merge_patch`], but `charging_periods` are appended
/// (OCPI 2.2.1 mod_sessions, "PATCH Method").
pub fn merge_session_patch(session: &mut Value, patch: &Value) {
    let mut before = match session.get_mut("charging_periods").map(Value::take) {
        Some(Value::Array(periods)) => periods,
        _ => Vec::new(),
    };
    merge_patch(session, patch);
    let added = patch.get("charging_periods").and_then(Value::as_array).cloned().unwrap_or_default();
    before.extend(added);
    if let Value::Object(fields) = session {
        if before.is_empty() {
            fields.remove("charging_periods");
        } else {
            fields.insert("charging_periods".to_owned(), Value::Array(before));
        }
    }
}

/// The object that a PATCH makes of `current`.
///
/// # Errors
/// When what the PATCH gives cannot be understood; with its path.
pub fn patched<T: Wire>(current: &T, patch: &Value) -> Result<Parsed<T>, WireError> {
    let mut value = to_value(current)?;
    merge_patch(&mut value, patch);
    parse_value(&value)
}

/// The Session that a PATCH makes of `current`: its charging periods are appended.
///
/// # Errors
/// When what the PATCH gives cannot be understood; with its path.
pub fn patched_session<T: Wire>(current: &T, patch: &Value) -> Result<Parsed<T>, WireError> {
    let mut value = to_value(current)?;
    merge_session_patch(&mut value, patch);
    parse_value(&value)
}

fn to_value<T: Wire>(current: &T) -> Result<Value, WireError> {
    serde_json::to_value(current).map_err(|error| WireError::at("$", error.to_string()))
}

/// The body of a PATCH of version 2.2 or later, which says when the object was last updated.
///
/// # Errors
/// When the body is no JSON object, or `last_updated` is missing (2001 for the sender) or no time.
pub fn parse_patch(body: &[u8]) -> Result<(Value, Timestamp), WireError> {
    let patch: Value = super::wire::parse_plain(body)?;
    if !patch.is_object() {
        return Err(WireError::at("$", "an object is wanted"));
    }
    let last_updated = match patch.get("last_updated") {
        Some(Value::String(text)) => {
            Timestamp::parse(text).map_err(|error| WireError::at("$.last_updated", error.to_string()))?
        }
        None | Some(Value::Null) => {
            return Err(WireError::at("$.last_updated", "is required in a PATCH and missing"));
        }
        Some(other) => {
            let reason = format!("a time is wanted, found {}", super::examine::describe(other));
            return Err(WireError::at("$.last_updated", reason));
        }
    };
    Ok((patch, last_updated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocpi::v2_2_1::tokens::wire::Token;
    use crate::ocpi::wire::parse;
    use serde_json::json;

    #[test]
    fn what_is_left_out_stays_and_what_is_given_replaces() {
        let mut location = json!({
            "name": "Gent Zuid", "city": "Gent",
            "operator": {"name": "BeCharged", "website": "https://a.example"},
            "facilities": ["HOTEL", "WIFI"]
        });
        merge_patch(
            &mut location,
            &json!({
                "name": "Interparking Gent Zuid", "operator": {"name": "B"}, "facilities": ["CAFE"], "state": "X"
            }),
        );
        assert_eq!(
            location,
            json!({
                "name": "Interparking Gent Zuid", "city": "Gent",
                "operator": {"name": "B", "website": "https://a.example"},
                "facilities": ["CAFE"], "state": "X"
            })
        );
    }

    #[test]
    fn a_null_clears_nothing_and_adds_nothing() {
        let mut token = json!({"valid": true, "issuer": "A", "energy_contract": {"supplier_name": "B"}});
        let before = token.clone();
        merge_patch(
            &mut token,
            &json!({
                "issuer": null, "language": null, "energy_contract": {"contract_id": null}
            }),
        );
        assert_eq!(token, before);
        merge_patch(&mut token, &json!({"default": {"a": null, "b": 1}, "valid": false}));
        assert_eq!(token["default"], json!({"b": 1}));
        assert_eq!(token["valid"], json!(false));
    }

    #[test]
    fn charging_periods_of_a_session_are_appended() {
        let mut session = json!({"kwh": 1, "charging_periods": [{"n": 1}]});
        merge_session_patch(&mut session, &json!({"kwh": 2, "charging_periods": [{"n": 2}, {"n": 3}]}));
        assert_eq!(session, json!({"kwh": 2, "charging_periods": [{"n": 1}, {"n": 2}, {"n": 3}]}));
        merge_session_patch(&mut session, &json!({"kwh": 3}));
        assert_eq!(session["charging_periods"].as_array().unwrap().len(), 3);
        let mut fresh = json!({"kwh": 0});
        merge_session_patch(&mut fresh, &json!({"kwh": 1}));
        assert_eq!(fresh, json!({"kwh": 1}));
        merge_session_patch(&mut fresh, &json!({"charging_periods": [{"n": 1}]}));
        assert_eq!(fresh, json!({"kwh": 1, "charging_periods": [{"n": 1}]}));
    }

    #[test]
    fn a_token_keeps_what_a_patch_leaves_out_and_bad_changes_are_named() {
        let token: Token = parse(
            br#"{"country_code": "DE", "party_id": "ABC", "uid": "1", "type": "RFID", "contract_id": "C",
                "issuer": "A", "valid": true, "whitelist": "ALLOWED", "last_updated": "2026-01-01T00:00:00Z"}"#,
        )
        .unwrap();
        let patch = json!({"language": "de", "last_updated": "2026-01-02T00:00:00Z"});
        let Parsed { object, .. } = patched(&token, &patch).unwrap();
        assert_eq!((object.valid, object.language.as_deref()), (true, Some("de")));
        let error = patched(&token, &json!({"energy_contract": {"contract_id": 1}})).unwrap_err();
        assert_eq!(error.to_string(), "$.energy_contract.supplier_name: is required and missing");
    }

    #[test]
    fn a_patch_says_when() {
        for (body, wanted) in [
            (r#"{"valid": false}"#, "$.last_updated: is required in a PATCH and missing"),
            (r#"{"last_updated": 7}"#, "$.last_updated: a time is wanted, found the number 7"),
            (r#"[]"#, "$: an object is wanted"),
        ] {
            assert_eq!(parse_patch(body.as_bytes()).unwrap_err().to_string(), wanted);
        }
        assert!(parse_patch(b"{").unwrap_err().not_json);
        let (_, at) = parse_patch(br#"{"valid": false, "last_updated": "2019-06-19T02:11:11"}"#).unwrap();
        assert_eq!(at.to_string(), "2019-06-19T02:11:11Z");
    }
}
