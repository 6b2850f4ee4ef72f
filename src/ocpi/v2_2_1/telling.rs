//! How a partner is told of an object: which method, which URL below the module's base, which body.
//!
//! Where the partner holds a state for certain, a small change that clears no field goes as PATCH, in the
//! modules that have it (OCPI 2.2.1 mod_locations, mod_sessions, mod_tokens); everything else goes whole.

use super::{cdrs, locations, sessions, tariffs, tokens};
use crate::domain::CiString;
use crate::domain::location::Location;
use crate::domain::partner::ModuleId;
use crate::domain::party::PartyId;
use crate::roaming::link::{Gone, News, Object};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// PUT, PATCH, POST, DELETE.
    pub method: Method,
    /// What follows the base of the module, a segment each.
    pub path: Vec<String>,
    /// What follows the `?`.
    pub query: Option<(&'static str, String)>,
    /// The body; none for DELETE.
    pub body: Option<Vec<u8>>,
}

/// What to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Telling {
    /// The partner holds this already.
    Nothing,
    /// One message says it.
    Whole(Message),
    /// A small message says it, if the partner knows the object; else the whole does.
    Part {
        /// The small one.
        part: Message,
        /// The whole, where there is one.
        whole: Option<Message>,
    },
}

/// The module that an object is of.
#[must_use]
pub fn module_of(news: News<'_>) -> ModuleId {
    match news {
        News::State { object, .. } => match object {
            Object::Location(_) => ModuleId::Locations,
            Object::Tariff(_) => ModuleId::Tariffs,
            Object::Token(_) => ModuleId::Tokens,
            Object::Session(_) => ModuleId::Sessions,
            Object::Cdr(_) => ModuleId::Cdrs,
        },
        News::Gone(Gone::Location(..), _) => ModuleId::Locations,
        News::Gone(Gone::Tariff(..), _) => ModuleId::Tariffs,
        News::Gone(Gone::Token(_), _) => ModuleId::Tokens,
    }
}

/// Puts news into messages.
///
/// # Errors
/// Never, unless an object could not be written as JSON.
pub fn render(news: News<'_>) -> serde_json::Result<Telling> {
    match news {
        News::State { object, held, evse } => render_state(object, held, evse),
        News::Gone(gone, now) => Ok(render_gone(gone, now)),
    }
}

fn render_gone(gone: &Gone, now: crate::domain::Timestamp) -> Telling {
    match gone {
        Gone::Tariff(party, id) => Telling::Whole(Message {
            method: Method::DELETE,
            path: owned(party, id),
            query: None,
            body: None,
        }),
        Gone::Location(party, id) => {
            let body = json!({ "publish": false, "last_updated": now });
            Telling::Part { part: patch(owned(party, id), None, &body), whole: None }
        }
        Gone::Token(key) => {
            let body = json!({ "valid": false, "last_updated": now });
            let query = ("type", key.token_type.to_string());
            Telling::Part { part: patch(owned(&key.party, &key.uid), Some(query), &body), whole: None }
        }
    }
}

fn render_state(
    object: &Object,
    held: Option<&Object>,
    evse: Option<&CiString>,
) -> serde_json::Result<Telling> {
    if held == Some(object) {
        return Ok(Telling::Nothing);
    }
    let value = wire_value(object)?;
    let whole = whole(object, &value)?;
    let before = held.map(wire_value).transpose()?;
    let part = match (object, &before) {
        (Object::Location(location), Some(before)) => location_part(location, before, &value),
        (Object::Location(location), None) => evse.and_then(|uid| status_part(location, uid)),
        (Object::Token(token), Some(before)) => small(before, &value).map(|change| {
            let query = ("type", token.token_type.to_string());
            patch(owned(&token.party, &token.uid), Some(query), &Value::Object(change))
        }),
        (Object::Session(session), Some(before)) => session_change(before, &value)
            .map(|change| patch(owned(&session.party, &session.id), None, &Value::Object(change))),
        _ => None,
    };
    Ok(match part {
        Some(part) => Telling::Part { part, whole: Some(whole) },
        None => Telling::Whole(whole),
    })
}

/// The object as it stands on the wire.
fn wire_value(object: &Object) -> serde_json::Result<Value> {
    match object {
        Object::Location(location) => {
            serde_json::to_value(locations::wire::Location::from(Location::clone(location)))
        }
        Object::Tariff(tariff) => serde_json::to_value(tariffs::wire::Tariff::from(tariff.as_ref().clone())),
        Object::Token(token) => serde_json::to_value(tokens::wire::Token::from(token.as_ref().clone())),
        Object::Session(session) => {
            let session = sessions::wire::Session::from(session.as_ref().clone());
            serde_json::to_value(session.with_at_most_4_decimals())
        }
        Object::Cdr(cdr) => {
            serde_json::to_value(cdrs::wire::Cdr::from(cdr.as_ref().clone()).with_at_most_4_decimals())
        }
    }
}

fn whole(object: &Object, value: &Value) -> serde_json::Result<Message> {
    let (method, path, query) = match object {
        Object::Location(location) => (Method::PUT, owned(&location.party, &location.id), None),
        Object::Tariff(tariff) => (Method::PUT, owned(&tariff.party, &tariff.id), None),
        Object::Token(token) => {
            let query = ("type", token.token_type.to_string());
            (Method::PUT, owned(&token.party, &token.uid), Some(query))
        }
        Object::Session(session) => (Method::PUT, owned(&session.party, &session.id), None),
        // The sender makes up no URL for a CDR (mod_cdrs, "POST Method").
        Object::Cdr(_) => (Method::POST, Vec::new(), None),
    };
    Ok(Message { method, path, query, body: Some(serde_json::to_vec(value)?) })
}

/// `{country_code}/{party_id}/{id}`.
fn owned(party: &PartyId, id: &CiString) -> Vec<String> {
    vec![party.country_code().to_owned(), party.party_id().to_owned(), id.as_str().to_owned()]
}

fn patch(path: Vec<String>, query: Option<(&'static str, String)>, change: &Value) -> Message {
    Message { method: Method::PATCH, path, query, body: Some(change.to_string().into_bytes()) }
}

/// The status of one EVSE, for a partner of which is not known what it holds.
fn status_part(location: &Location, uid: &CiString) -> Option<Message> {
    let evse = location.evse(uid)?;
    let mut path = owned(&location.party, &location.id);
    path.push(evse.uid.as_str().to_owned());
    Some(patch(path, None, &json!({ "status": evse.status, "last_updated": evse.last_updated })))
}

/// The change of a location: of itself, or of the only EVSE that changed.
fn location_part(location: &Location, before: &Value, after: &Value) -> Option<Message> {
    let evses = |value: &Value| value.get("evses").and_then(Value::as_array).cloned().unwrap_or_default();
    let (old, new) = (evses(before), evses(after));
    if old == new {
        let change = small(before, after)?;
        return Some(patch(owned(&location.party, &location.id), None, &Value::Object(change)));
    }
    // Beside the EVSE, only the time of the last change may differ: the receiver moves that itself.
    let without = |value: &Value| {
        let mut rest = value.as_object().cloned().unwrap_or_default();
        rest.remove("evses");
        rest.remove("last_updated");
        rest
    };
    if without(before) != without(after) || old.len() != new.len() {
        return None;
    }
    let mut changed = old.iter().zip(&new).filter(|(old, new)| old != new);
    let (Some((old, new)), None) = (changed.next(), changed.next()) else { return None };
    if old.get("uid") != new.get("uid") || old.get("connectors") != new.get("connectors") {
        return None;
    }
    let mut path = owned(&location.party, &location.id);
    path.push(new.get("uid")?.as_str()?.to_owned());
    Some(patch(path, None, &Value::Object(small(old, new)?)))
}

/// The change of a session, whose charging periods append (mod_sessions, "PATCH Method").
fn session_change(before: &Value, after: &Value) -> Option<Map<String, Value>> {
    let periods =
        |value: &Value| value.get("charging_periods").and_then(Value::as_array).cloned().unwrap_or_default();
    let (old, new) = (periods(before), periods(after));
    // A period that the partner holds already and that changed can only be sent with the whole.
    let added = new.strip_prefix(old.as_slice())?.to_vec();
    let mut change = small(before, after)?;
    change.remove("charging_periods");
    if !added.is_empty() {
        change.insert("charging_periods".to_owned(), Value::Array(added));
    }
    Some(change)
}

/// The fields that changed, with the time of the change, if none was cleared and the whole would be larger.
fn small(before: &Value, after: &Value) -> Option<Map<String, Value>> {
    let (old, new) = (before.as_object()?, after.as_object()?);
    if clears(before, after) {
        return None;
    }
    let mut change: Map<String, Value> = new
        .iter()
        .filter(|(name, value)| old.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    change.insert("last_updated".to_owned(), new.get("last_updated")?.clone());
    (change.len() < new.len()).then_some(change)
}

/// Whether a field that was there is not any more, at any depth that a PATCH merges.
fn clears(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            old.iter().any(|(name, value)| new.get(name).is_none_or(|now| clears(value, now)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocpi::wire::parse;

    fn session(periods: &[(&str, &str)], kwh: &str) -> Object {
        let periods: Vec<Value> = periods
            .iter()
            .map(|(at, wh)| {
                let volume: Value = serde_json::from_str(wh).unwrap();
                json!({"start_date_time": at, "dimensions": [{"type": "ENERGY", "volume": volume}]})
            })
            .collect();
        let kwh: Value = serde_json::from_str(kwh).unwrap();
        let text = json!({
            "country_code": "DE", "party_id": "ABC", "id": "S1", "start_date_time": "2026-01-01T10:00:00Z",
            "kwh": kwh, "cdr_token": {"country_code": "DE", "party_id": "EMP", "uid": "U1", "type": "RFID",
            "contract_id": "C1"}, "auth_method": "WHITELIST", "location_id": "L1", "evse_uid": "E1",
            "connector_id": "1", "currency": "EUR", "charging_periods": periods, "status": "ACTIVE",
            "last_updated": "2026-01-01T10:05:00Z"
        });
        let wire: sessions::wire::Session = parse(text.to_string().as_bytes()).unwrap();
        Object::Session(Box::new(wire.try_into().unwrap()))
    }

    fn location(status: &str, name: Option<&str>, amps: i64) -> Object {
        let mut text = json!({
            "country_code": "DE", "party_id": "ABC", "id": "L1", "publish": true, "address": "A 1",
            "city": "B", "country": "DEU", "coordinates": {"latitude": "51.04759", "longitude": "3.72994"},
            "evses": [{"uid": "E 1", "status": status, "connectors": [{"id": "1", "standard": "IEC_62196_T2",
            "format": "SOCKET", "power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": amps,
            "last_updated": "2026-01-01T10:00:00Z"}], "last_updated": "2026-01-01T10:00:00Z"}],
            "time_zone": "Europe/Berlin", "last_updated": "2026-01-01T10:00:00Z"
        });
        if let Some(name) = name {
            text["name"] = json!(name);
        }
        let wire: locations::wire::Location = parse(text.to_string().as_bytes()).unwrap();
        Object::Location(Box::new(wire.try_into().unwrap()))
    }

    fn told(held: Option<&Object>, object: &Object) -> Telling {
        render(News::State { object, held, evse: None }).unwrap()
    }

    fn part(telling: &Telling) -> (&Message, Value) {
        match telling {
            Telling::Part { part, .. } => {
                (part, serde_json::from_slice(part.body.as_deref().unwrap()).unwrap())
            }
            other => panic!("no part: {other:?}"),
        }
    }

    #[test]
    fn what_the_partner_holds_is_not_sent_again() {
        let object = session(&[], "1");
        assert_eq!(told(Some(&object), &object), Telling::Nothing);
        let Telling::Whole(message) = told(None, &object) else { panic!("not whole") };
        assert_eq!((message.method, message.path.join("/")), (Method::PUT, "DE/ABC/S1".to_owned()));
    }

    #[test]
    fn charging_periods_that_are_new_are_appended() {
        let before = session(&[("2026-01-01T10:00:00Z", "1")], "1");
        let after = session(&[("2026-01-01T10:00:00Z", "1"), ("2026-01-01T10:05:00Z", "2")], "3");
        let telling = told(Some(&before), &after);
        let (message, body) = part(&telling);
        assert_eq!(message.method, Method::PATCH);
        assert_eq!(body["charging_periods"].as_array().unwrap().len(), 1);
        assert_eq!(body["charging_periods"][0]["start_date_time"], "2026-01-01T10:05:00Z");
        assert!(body.get("last_updated").is_some() && body.get("id").is_none());
    }

    #[test]
    fn a_charging_period_that_changed_goes_with_the_whole() {
        let before = session(&[("2026-01-01T10:00:00Z", "1")], "1");
        let after = session(&[("2026-01-01T10:00:00Z", "2")], "2");
        assert!(matches!(told(Some(&before), &after), Telling::Whole(_)));
    }

    #[test]
    fn the_status_of_an_evse_goes_alone() {
        let before = location("AVAILABLE", None, 16);
        let telling = told(Some(&before), &location("CHARGING", None, 16));
        let (message, body) = part(&telling);
        assert_eq!(message.path.join("/"), "DE/ABC/L1/E 1");
        assert_eq!(body["status"], "CHARGING");
        // Without knowing what the partner holds, the mark says that only the status changed.
        let uid = CiString::from("e 1");
        let news = News::State { object: &before, held: None, evse: Some(&uid) };
        let telling = render(news).unwrap();
        assert_eq!(part(&telling).1["status"], "AVAILABLE");
    }

    #[test]
    fn what_a_patch_cannot_say_goes_whole() {
        let named = location("AVAILABLE", Some("N"), 16);
        assert!(matches!(told(Some(&named), &location("AVAILABLE", None, 16)), Telling::Whole(_)));
        assert!(matches!(told(Some(&named), &location("AVAILABLE", Some("N"), 32)), Telling::Whole(_)));
        assert!(matches!(told(Some(&named), &location("CHARGING", Some("M"), 16)), Telling::Whole(_)));
        let telling = told(Some(&named), &location("AVAILABLE", Some("M"), 16));
        assert_eq!(part(&telling).1["name"], "M");
    }
}
