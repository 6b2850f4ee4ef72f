//! Sessions of cars, from a file: JSON or CSV of ours, or an event queue of ACN-Sim; gzipped or not.

use super::acn;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// The most that a gzipped file may hold, bytes: half a gigabyte.
const LARGEST: u64 = 512 << 20;

/// A car that was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its id, for people.
    #[serde(default)]
    pub id: String,
    /// The station's id.
    pub station: String,
    /// The connector's number.
    #[serde(default = "first")]
    pub connector: i32,
    /// When it came.
    pub arrival: DateTime<Utc>,
    /// When it left.
    pub departure: DateTime<Utc>,
    /// When its driver said it would leave; none where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_departure: Option<DateTime<Utc>>,
    /// What it wanted, kWh.
    pub energy_kwh: f64,
    /// The most it takes, amperes on each phase it uses; none for what the connector gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_amps: Option<f64>,
    /// The most it takes, kW; none for what the connector gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_kw: Option<f64>,
    /// The least it charges with, amperes; none for the connector's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_amps: Option<f64>,
    /// On how many of the connector's phases it charges, counted from the first; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<u8>,
}

fn first() -> i32 {
    1
}

/// Why sessions cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct SessionsError {
    /// Where in the document: `$.sessions[3].arrival`, or `line 4`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl SessionsError {
    pub(super) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

/// What a file of ACN-Sim does not say itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AcnTime {
    /// Minutes of one period.
    pub minutes: f64,
    /// When period 0 began.
    pub start: DateTime<Utc>,
}

impl Default for AcnTime {
    fn default() -> Self {
        Self { minutes: 5.0, start: DateTime::UNIX_EPOCH }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    sessions: Vec<Session>,
}

/// Reads sessions; what they are written in is seen by looking at them. In the order of arrival.
///
/// # Errors
/// When they are written in none of the formats, or one of them makes no sense: with its place.
pub fn read(bytes: &[u8], time: AcnTime) -> Result<Vec<Session>, SessionsError> {
    let plain = unpacked(bytes)?;
    let plain = plain.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&plain);
    let (mut sessions, name): (_, fn(usize) -> String) = match plain.iter().find(|c| !c.is_ascii_whitespace())
    {
        Some(b'{' | b'[') => {
            let value: serde_json::Value = serde_json::from_slice(plain)
                .map_err(|error| SessionsError::new("$", format!("not JSON: {error}")))?;
            if value.get("context_dict").is_some() {
                (acn::sessions(&value, time)?, |at| format!("session {at}"))
            } else if value.is_array() {
                (typed(value, "$")?, |at| format!("$[{at}]"))
            } else {
                let Document { sessions } = typed(value, "$")?;
                (sessions, |at| format!("$.sessions[{at}]"))
            }
        }
        // The heading is line 1.
        Some(_) => (rows_of(plain)?, |at| format!("line {}", at.saturating_add(2))),
        None => return Err(SessionsError::new("$", "the file is empty")),
    };
    for (at, session) in sessions.iter().enumerate() {
        let wrong =
            |field: &str, reason: &str| Err(SessionsError::new(format!("{}.{field}", name(at)), reason));
        if session.departure <= session.arrival {
            return wrong("departure", "must be later than the arrival");
        }
        if session.expected_departure.is_some_and(|expected| expected <= session.arrival) {
            return wrong("expected_departure", "must be later than the arrival");
        }
        if !(session.energy_kwh.is_finite() && session.energy_kwh >= 0.0) {
            return wrong("energy_kwh", "must be a number that is not negative");
        }
        let bad = |number: Option<f64>| number.is_some_and(|number| !(number.is_finite() && number >= 0.0));
        for (field, number) in
            [("max_amps", session.max_amps), ("max_kw", session.max_kw), ("min_amps", session.min_amps)]
        {
            if bad(number) {
                return wrong(field, "must be a number that is not negative");
            }
        }
        if session.phases.is_some_and(|phases| !(1..=3).contains(&phases)) {
            return wrong("phases", "must be 1, 2 or 3");
        }
    }
    sessions.sort_by_key(|session| session.arrival);
    Ok(sessions)
}

fn typed<T: serde::de::DeserializeOwned>(value: serde_json::Value, root: &str) -> Result<T, SessionsError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let place = match path.as_str() {
            "." => root.to_owned(),
            path if path.starts_with('[') => format!("{root}{path}"),
            path => format!("{root}.{path}"),
        };
        SessionsError::new(place, error.into_inner().to_string())
    })
}

fn rows_of<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, SessionsError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let mut sessions = Vec::new();
    for (at, row) in reader.deserialize().enumerate() {
        let session = row.map_err(|error| {
            let place = format!("line {}", at.saturating_add(2));
            let reason = match error.kind() {
                csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
                _ => error.to_string(),
            };
            SessionsError::new(place, reason)
        })?;
        sessions.push(session);
    }
    Ok(sessions)
}

/// The text of a file that may be gzipped.
fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, SessionsError> {
    if !bytes.starts_with(b"\x1f\x8b") {
        return Ok(bytes.to_vec());
    }
    let mut plain = Vec::new();
    let mut packed = flate2::read::MultiGzDecoder::new(bytes).take(LARGEST.saturating_add(1));
    packed
        .read_to_end(&mut plain)
        .map_err(|error| SessionsError::new("$", format!("cannot be unpacked: {error}")))?;
    if u64::try_from(plain.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(SessionsError::new("$", "is larger than half a gigabyte when unpacked"));
    }
    Ok(plain)
}

/// What a kWh costs from a moment on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    time: DateTime<Utc>,
    price: f64,
}

/// Reads prices: CSV with the columns `time` and `price`, gzipped or not. In the order of time.
///
/// # Errors
/// When a line cannot be read, or its price is no number: with its place.
pub fn read_prices(bytes: &[u8]) -> Result<Vec<(DateTime<Utc>, f64)>, SessionsError> {
    let plain = unpacked(bytes)?;
    let mut prices = Vec::new();
    for (at, price) in rows_of::<Price>(&plain)?.into_iter().enumerate() {
        if !price.price.is_finite() {
            return Err(SessionsError::new(
                format!("line {}.price", at.saturating_add(2)),
                "must be a number",
            ));
        }
        prices.push((price.time, price.price));
    }
    prices.sort_by_key(|(time, _)| *time);
    Ok(prices)
}
