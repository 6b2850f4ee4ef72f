//! PATCH (OCPI 2.2.1 transport_and_format, "PATCH", and the modules): what is given replaces, what is left out
//! stays.

use super::wire::WireError;
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
