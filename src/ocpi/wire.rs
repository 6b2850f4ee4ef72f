//! Reading and judging wire objects of any version: leniently, exactly, and with the place of what is wrong.

use super::examine::{Findings, Note, Violation, examine, salvage};
use super::shape::Class;
use crate::domain::{CiString, ValueError, party::PartyId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// Why a body, or an object in it, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct WireError {
    /// JSON path of the place, e.g. `$.evses[0].uid`; where the body is no JSON at all, line and column.
    pub path: String,
    /// What is wrong there, and what would be right.
    pub reason: String,
    /// The body is no JSON: HTTP 400 (OCPI 2.2.1 status_codes), not an OCPI status.
    pub not_json: bool,
}

impl WireError {
    /// An error at a JSON path.
    #[must_use]
    pub fn at(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into(), not_json: false }
    }

    /// The same error seen from the object around: `step` is e.g. `.tariffs[0]`.
    #[must_use]
    pub fn under(self, step: &str) -> Self {
        let inner = self.path.strip_prefix('$').unwrap_or(&self.path);
        Self { path: format!("${step}{inner}"), ..self }
    }

    fn syntax(error: &serde_json::Error) -> Self {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        Self {
            path: format!("line {}, column {}", error.line(), error.column()),
            reason: format!("not JSON: {reason}"),
            not_json: true,
        }
    }
}

/// A wire object of a class of the specification.
pub trait Wire: Serialize + DeserializeOwned {
    /// The specification's table of it.
    const CLASS: &'static Class;

    /// What in this object breaks the specification, e.g. texts that are too long.
    fn violations(&self) -> Vec<Violation> {
        match serde_json::to_value(self) {
            Ok(mut value) => {
                let Findings { notes, mut violations, errors } = examine(Self::CLASS, &mut value);
                violations.extend(notes);
                violations.extend(errors);
                violations
            }
            Err(error) => vec![Violation { path: "$".to_owned(), message: error.to_string() }],
        }
    }
}

/// An object that was read, and what was said about it on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<T> {
    /// The object.
    pub object: T,
    /// What was put right.
    pub notes: Vec<Note>,
    /// What breaks the specification but was accepted.
    pub violations: Vec<Violation>,
}

/// Reads an object leniently: puts right what can be understood, keeps unknown fields and unknown words.
///
/// # Errors
/// When the bytes are no JSON, or something required is missing or cannot be understood.
pub fn parse<T: Wire>(bytes: &[u8]) -> Result<T, WireError> {
    parse_noting(bytes).map(|parsed| parsed.object)
}

/// Reads an object like [`parse`] and tells what was put right and what breaks the specification.
///
/// # Errors
/// As [`parse`].
pub fn parse_noting<T: Wire>(bytes: &[u8]) -> Result<Parsed<T>, WireError> {
    parse_by(examine, bytes)
}

/// Reads an object like [`parse_noting`], but without what is optional and cannot be understood, which is noted:
/// for descriptions, where a partner's one bad field should not lose the object.
///
/// # Errors
/// When the bytes are no JSON, or something required is missing or cannot be understood.
pub fn parse_salvaging<T: Wire>(bytes: &[u8]) -> Result<Parsed<T>, WireError> {
    parse_by(salvage, bytes)
}

fn parse_by<T: Wire>(
    examine: fn(&'static Class, &mut Value) -> Findings,
    bytes: &[u8],
) -> Result<Parsed<T>, WireError> {
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| WireError::syntax(&error))?;
    let Findings { notes, violations, errors } = examine(T::CLASS, &mut value);
    check(errors)?;
    // A number that passes through `Value` on its way into a decimal may lose trailing zeros, so the text is
    // read: the sender's, or the one put right.
    let object =
        if notes.is_empty() && !has_null(bytes) { from_text(bytes)? } else { from_text(&to_text(&value)?)? };
    Ok(Parsed { object, notes, violations })
}

/// Reads an object that is already JSON, e.g. after a merge.
///
/// # Errors
/// As [`parse`].
pub fn parse_value<T: Wire>(value: &Value) -> Result<Parsed<T>, WireError> {
    parse_noting(&to_text(value)?)
}

/// Reads a list whose good objects are used though others are bad (OCPI 2.2.1 transport_and_format, "GET").
///
/// # Errors
/// When the text is no list; a bad object is an error in its place, with a path that begins `$[index]`.
pub fn parse_list<T: Wire>(text: &RawValue) -> Result<Vec<Result<Parsed<T>, WireError>>, WireError> {
    let items: Vec<&RawValue> =
        serde_json::from_str(text.get()).map_err(|_| WireError::at("$", "a list is wanted"))?;
    let read = |(index, item): (usize, &&RawValue)| {
        parse_noting(item.get().as_bytes()).map_err(|error| error.under(&format!("[{index}]")))
    };
    Ok(items.iter().enumerate().map(read).collect())
}

/// Reads any type, without the lenience that needs a class.
///
/// # Errors
/// When the bytes are no JSON, or do not fit; with the path.
pub fn parse_plain<'t, T: serde::Deserialize<'t>>(bytes: &'t [u8]) -> Result<T, WireError> {
    from_text(bytes)
}

fn from_text<'t, T: serde::Deserialize<'t>>(text: &'t [u8]) -> Result<T, WireError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let object = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = match error.path().to_string() {
            root if root == "." => "$".to_owned(),
            path if path.starts_with('[') => format!("${path}"),
            path => format!("$.{path}"),
        };
        let inner = error.into_inner();
        if inner.is_data() {
            let reason = inner.to_string();
            WireError::at(path, reason.split(" at line ").next().unwrap_or_default())
        } else {
            WireError::syntax(&inner)
        }
    })?;
    deserializer.end().map_err(|error| WireError::syntax(&error))?;
    Ok(object)
}

fn to_text(value: &Value) -> Result<Vec<u8>, WireError> {
    serde_json::to_vec(value).map_err(|error| WireError::at("$", error.to_string()))
}

/// Whether the text may hold a null, which is taken out before reading and not noted.
fn has_null(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|window| window == b"null")
}

fn check(errors: Vec<super::examine::Remark>) -> Result<(), WireError> {
    let mut errors = errors.into_iter();
    let Some(first) = errors.next() else { return Ok(()) };
    let others: Vec<String> = errors.map(|error| error.path).collect();
    if others.is_empty() {
        return Err(WireError::at(first.path, first.message));
    }
    let named = others.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if others.len() > 5 { ", …" } else { "" };
    Err(WireError::at(first.path, format!("{} (also wrong: {named}{more})", first.message)))
}

/// The party that two fields of an object name.
///
/// # Errors
/// When one of them has no form of a party's code.
pub fn party_of(country_code: &CiString, party_id: &CiString) -> Result<PartyId, WireError> {
    PartyId::new(country_code.as_str(), party_id.as_str()).map_err(|error| {
        let field = match &error {
            ValueError::Malformed { what, .. } => *what,
            _ => "party_id",
        };
        WireError::at(format!("$.{field}"), error.to_string())
    })
}

/// The value of a field that is required, though an object without it could be read.
///
/// # Errors
/// When it is missing.
pub fn required<T>(value: Option<T>, field: &str) -> Result<T, WireError> {
    value.ok_or_else(|| WireError::at(format!("$.{field}"), "is required and missing"))
}
