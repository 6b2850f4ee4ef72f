//! Sessions as ACN-Sim keeps them: the JSON of its `EventQueue` (`to_json` of acnportal 0.3).
//!
//! The document names every object by an id: `{"id": …, "context_dict": {id: {"class": …, "attributes": {…}}}}`.
//! The queue holds `[period, event]`; each plug-in event names an EV, the EV its battery. Times are numbers of
//! periods, whose length the document does not say.

#![expect(clippy::float_arithmetic, reason = "turns numbers of periods into times")]

use super::sessions::{AcnTime, Session, SessionsError};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

/// The sessions of an event queue.
///
/// # Errors
/// When it is none, or an event or EV lacks something: with its place.
pub(super) fn sessions(document: &Value, time: AcnTime) -> Result<Vec<Session>, SessionsError> {
    let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
    let queue = attributes(document, id, "$.id")?;
    let Some(events) = queue.get("_queue").and_then(Value::as_array) else {
        return Err(SessionsError::new(place(id), "is no EventQueue: _queue is missing"));
    };
    let mut sessions = Vec::new();
    for (at, entry) in events.iter().enumerate() {
        let here = format!("{}._queue[{at}]", place(id));
        let Some(event) = entry.get(1).and_then(Value::as_str) else {
            return Err(SessionsError::new(here, "is no pair of a period and an event"));
        };
        let event = attributes(document, event, &here)?;
        if event.get("event_type").and_then(Value::as_str) != Some("Plugin") {
            continue;
        }
        let Some(ev) = event.get("ev").and_then(Value::as_str) else {
            return Err(SessionsError::new(here, "a plug-in event without an EV"));
        };
        sessions.push(session(document, ev, &here, time)?);
    }
    Ok(sessions)
}

fn session(document: &Value, id: &str, from: &str, time: AcnTime) -> Result<Session, SessionsError> {
    let ev = attributes(document, id, from)?;
    let number = |name: &str| {
        let value = ev.get(name).and_then(Value::as_f64);
        value.ok_or_else(|| SessionsError::new(format!("{}.{name}", place(id)), "must be a number"))
    };
    let text = |name: &str| {
        let value = ev.get(name).and_then(Value::as_str);
        value.ok_or_else(|| SessionsError::new(format!("{}.{name}", place(id)), "must be a text"))
    };
    let moment = |name: &str| at(number(name)?, time, &format!("{}.{name}", place(id)));
    let estimated = ev.get("_estimated_departure").and_then(Value::as_f64);
    let battery = ev.get("_battery").and_then(Value::as_str);
    let battery = battery.map(|battery| attributes(document, battery, &place(id))).transpose()?;
    Ok(Session {
        id: text("_session_id")?.to_owned(),
        station: text("_station_id")?.to_owned(),
        connector: 1,
        arrival: moment("_arrival")?,
        departure: moment("_departure")?,
        expected_departure: match estimated {
            Some(periods) => Some(at(periods, time, &place(id))?),
            None => None,
        },
        energy_kwh: number("_requested_energy")?,
        max_amps: None,
        max_kw: battery.and_then(|battery| battery.get("_max_power")).and_then(Value::as_f64),
        min_amps: None,
        phases: None,
    })
}

fn attributes<'a>(
    document: &'a Value,
    id: &str,
    from: &str,
) -> Result<&'a Map<String, Value>, SessionsError> {
    let object = document.get("context_dict").and_then(|all| all.get(id));
    let Some(object) = object else {
        return Err(SessionsError::new(from, format!("names {id:?}, which context_dict does not hold")));
    };
    object
        .get("attributes")
        .and_then(Value::as_object)
        .ok_or_else(|| SessionsError::new(place(id), "has no attributes"))
}

fn place(id: &str) -> String {
    format!("$.context_dict.{id}")
}

/// The moment at which a period begins.
fn at(periods: f64, time: AcnTime, place: &str) -> Result<DateTime<Utc>, SessionsError> {
    let seconds = periods * time.minutes * 60.0;
    let moment = std::time::Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|since| TimeDelta::from_std(since).ok())
        .and_then(|since| time.start.checked_add_signed(since));
    moment.ok_or_else(|| SessionsError::new(place, "is no time"))
}
