//! Reading files of locations, tariffs and tokens: what an operator exports elsewhere, or a page that a
//! partner's platform gave. A file is a JSON list, an OCPI answer (`{"data": […]}`), or `{"items": […]}`.
//!
//! Each object is read leniently, and all that was put right or is wrong is told with its JSON path.

use super::{locations, tariffs, tokens};
use crate::domain::location::Location;
use crate::domain::party::PartyId;
use crate::domain::tariff::Tariff;
use crate::domain::token::Token;
use crate::domain::{CiString, Timestamp};
use crate::ocpi::examine::{Note, Violation, describe};
use crate::ocpi::wire::{Parsed, Wire, WireError, parse_value};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::hash::Hash;

/// Why a file is no list of objects; nothing of it can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is no JSON.
    #[error("line {line}, column {column}: not JSON: {reason}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// It is JSON, but holds no list.
    #[error(
        "line {line}: a JSON list is wanted, or an object with a list \"data\" or \"items\"; found {found}"
    )]
    NoList {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
}

/// An object of the file that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported<D> {
    /// Its place in the list, counted from 0.
    pub index: usize,
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// The object.
    pub object: D,
    /// What was put right in it.
    pub notes: Vec<Note>,
    /// What breaks the specification but was accepted.
    pub violations: Vec<Violation>,
}

/// An object of the file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("object {index} (line {line}), {path}: {reason}")]
pub struct BadObject {
    /// Its place in the list, counted from 0.
    pub index: usize,
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// JSON path within the object.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// What became of each object of the file, in the file's order.
pub type Import<D> = Vec<Result<Imported<D>, BadObject>>;

/// What is taken where an object does not say it.
#[derive(Debug, Clone, Copy)]
pub struct Defaults<'d> {
    /// Whose the objects are.
    pub owner: Option<&'d PartyId>,
    /// When they were last updated.
    pub now: Timestamp,
}

/// Reads a file of locations.
///
/// # Errors
/// When the file is no list; what is wrong with an object is told in its place.
pub fn read_locations(file: &[u8], defaults: Defaults<'_>) -> Result<Import<Location>, FileError> {
    read::<locations::wire::Location, _, _>(file, defaults, "$.id", |location: &Location| {
        (location.party.clone(), location.id.clone())
    })
}

/// Reads a file of tariffs.
///
/// # Errors
/// When the file is no list; what is wrong with an object is told in its place.
pub fn read_tariffs(file: &[u8], defaults: Defaults<'_>) -> Result<Import<Tariff>, FileError> {
    read::<tariffs::wire::Tariff, _, _>(file, defaults, "$.id", |tariff: &Tariff| {
        (tariff.party.clone(), tariff.id.clone())
    })
}

/// Reads a file of tokens.
///
/// # Errors
/// When the file is no list; what is wrong with an object is told in its place.
pub fn read_tokens(file: &[u8], defaults: Defaults<'_>) -> Result<Import<Token>, FileError> {
    read::<tokens::wire::Token, _, _>(file, defaults, "$.uid", Token::key)
}

/// Reads a file of objects whose wire type is `W` and which are found by what `key` gives.
fn read<W, D, K>(
    file: &[u8],
    defaults: Defaults<'_>,
    key_path: &str,
    key: impl Fn(&D) -> K,
) -> Result<Import<D>, FileError>
where
    W: Wire,
    D: TryFrom<W, Error = WireError>,
    K: Eq + Hash,
{
    let text = text_of(file)?;
    let mut lines = Lines::of(text);
    let mut seen: HashMap<K, usize> = HashMap::new();
    let mut import = Vec::new();
    for (index, raw) in objects_of(text)?.into_iter().enumerate() {
        let line = lines.line_of(raw);
        let bad = |error: WireError| BadObject { index, line, path: error.path, reason: error.reason };
        let item = convert::<W, D>(raw, defaults).map_err(bad).and_then(|(object, notes, violations)| {
            // The later of two would silently replace the earlier.
            match seen.insert(key(&object), index) {
                Some(first) => {
                    Err(bad(WireError::at(key_path, format!("object {first} has the same key already"))))
                }
                None => Ok(Imported { index, line, object, notes, violations }),
            }
        });
        import.push(item);
    }
    Ok(import)
}

fn convert<W, D>(raw: &RawValue, defaults: Defaults<'_>) -> Result<(D, Vec<Note>, Vec<Violation>), WireError>
where
    W: Wire,
    D: TryFrom<W, Error = WireError>,
{
    let mut value: Value =
        serde_json::from_str(raw.get()).map_err(|error| WireError::at("$", error.to_string()))?;
    let mut filled = fill(&mut value, defaults);
    let Parsed { object, notes, violations } = parse_value::<W>(&value)?;
    filled.extend(notes);
    Ok((object.try_into()?, filled, violations))
}

/// Fills in what a whole file is about and its objects therefore need not say.
fn fill(value: &mut Value, Defaults { owner, now }: Defaults<'_>) -> Vec<Note> {
    let Value::Object(fields) = value else { return Vec::new() };
    let absent = |fields: &serde_json::Map<String, Value>, name: &str| {
        fields.get(name).is_none_or(|value| value.is_null() || value.as_str().is_some_and(str::is_empty))
    };
    let mut notes = Vec::new();
    let mut put = |fields: &mut serde_json::Map<String, Value>, name: &str, text: String| {
        notes.push(Note { path: format!("$.{name}"), message: format!("missing, taken as {text}") });
        fields.insert(name.to_owned(), Value::String(text));
    };
    if let Some(owner) = owner
        && absent(fields, "country_code")
        && absent(fields, "party_id")
    {
        put(fields, "country_code", CiString::from(owner.country_code()).to_string());
        put(fields, "party_id", CiString::from(owner.party_id()).to_string());
    }
    if absent(fields, "last_updated") {
        put(fields, "last_updated", now.to_string());
    }
    notes
}

fn text_of(file: &[u8]) -> Result<&str, FileError> {
    let text = std::str::from_utf8(file).map_err(|error| {
        let before = file.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        FileError::NotJson { line, column, reason: "the text is not UTF-8".to_owned() }
    })?;
    // Some editors put a byte order mark at the beginning.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The objects of a file's list, each as its text.
fn objects_of(text: &str) -> Result<Vec<&RawValue>, FileError> {
    let not_json = |error: serde_json::Error| {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        FileError::NotJson { line: error.line(), column: error.column(), reason }
    };
    let whole: &RawValue = serde_json::from_str(text).map_err(not_json)?;
    let no_list = |raw: &RawValue| {
        let found =
            serde_json::from_str::<Value>(raw.get()).map_or_else(|_| "nothing".to_owned(), |v| describe(&v));
        FileError::NoList { line: Lines::of(text).line_of(raw), found }
    };
    if whole.get().starts_with('[') {
        return serde_json::from_str(whole.get()).map_err(not_json);
    }
    if !whole.get().starts_with('{') {
        return Err(no_list(whole));
    }
    let fields: HashMap<std::borrow::Cow<'_, str>, &RawValue> =
        serde_json::from_str(whole.get()).map_err(not_json)?;
    let Some(list) = fields.get("data").or_else(|| fields.get("items")) else { return Err(no_list(whole)) };
    if !list.get().starts_with('[') {
        return Err(no_list(list));
    }
    serde_json::from_str(list.get()).map_err(not_json)
}

/// Counts lines up to places in a text, each place after the one before.
struct Lines<'t> {
    text: &'t str,
    /// How far lines were counted, in bytes.
    counted: usize,
    line: usize,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Self { text, counted: 0, line: 1 }
    }

    /// The line on which a part of the text begins.
    fn line_of(&mut self, part: &RawValue) -> usize {
        let at = part.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        if let Some(between) = self.text.as_bytes().get(self.counted..at) {
            self.line += between.iter().filter(|byte| **byte == b'\n').count();
            self.counted = at;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_them(file: &str, owner: Option<&PartyId>) -> Result<Import<Token>, FileError> {
        read_tokens(file.as_bytes(), Defaults { owner, now: "2026-01-31T18:00:00Z".parse().unwrap() })
    }

    const TOKEN: &str = r#"{"country_code": "DE", "party_id": "ABC", "uid": "04A2B3C4", "type": "RFID",
        "contract_id": "DE-ABC-C12345678-X", "issuer": "ABC", "valid": true, "whitelist": "ALLOWED",
        "last_updated": "2026-01-01T00:00:00Z"}"#;

    #[test]
    fn the_three_kinds_of_files_are_understood() {
        for file in [
            format!("[{TOKEN}]"),
            format!("\u{feff}[{TOKEN}]"),
            format!(r#"{{"status_code": 1000, "data": [{TOKEN}], "timestamp": "2026-01-01T00:00:00Z"}}"#),
            format!(r#"{{"next": null, "items": [{TOKEN}]}}"#),
        ] {
            let import = read_them(&file, None).unwrap();
            let token = import[0].as_ref().unwrap();
            assert_eq!(token.object.uid.as_str(), "04A2B3C4", "{file}");
            assert_eq!(token.notes, []);
        }
        assert_eq!(read_them("[]", None).unwrap(), []);
    }

    #[test]
    fn a_file_that_is_no_list_says_so_with_its_line() {
        for (file, wanted) in [
            ("", "line 1, column 0: not JSON: EOF while parsing a value"),
            ("[\n{\"a\": }]", "line 2, column 7: not JSON: expected value"),
            (
                "\n\n7",
                "line 3: a JSON list is wanted, or an object with a list \"data\" or \"items\"; found the number 7",
            ),
            (
                "{\"id\": 1}",
                "line 1: a JSON list is wanted, or an object with a list \"data\" or \"items\"; found an object",
            ),
            (
                "{\n\"data\":\n {}}",
                "line 3: a JSON list is wanted, or an object with a list \"data\" or \"items\"; found an object",
            ),
            ("[1] [2]", "line 1, column 5: not JSON: trailing characters"),
        ] {
            assert_eq!(read_them(file, None).unwrap_err().to_string(), wanted, "{file}");
        }
        let error =
            read_tokens(b"[\n\xff]", Defaults { owner: None, now: Timestamp::from_millis(0).unwrap() });
        assert_eq!(error.unwrap_err().to_string(), "line 2, column 1: not JSON: the text is not UTF-8");
    }

    #[test]
    fn a_bad_object_is_named_and_loses_no_other() {
        let file = format!("[\n{{\"uid\": true}},\n7,\n{TOKEN},\n{TOKEN}]");
        let import = read_them(&file, None).unwrap();
        let errors: Vec<String> =
            import.iter().filter_map(|item| item.as_ref().err()).map(ToString::to_string).collect();
        assert!(errors[0].starts_with(
            "object 0 (line 2), $.country_code: is required and missing (also wrong: $.party_id, $.uid"
        ));
        assert_eq!(errors[1], "object 1 (line 3), $: a Token is wanted, found the number 7");
        assert_eq!(errors[2], "object 3 (line 7), $.uid: object 2 has the same key already");
        assert_eq!(import[2].as_ref().unwrap().line, 4);
    }

    #[test]
    fn what_the_file_is_about_need_not_be_said() {
        let owner: PartyId = "DE*ABC".parse().unwrap();
        let file = r#"[{"uid": 4711, "type": "rfid", "contract_id": "X", "issuer": "A", "valid": "true",
            "whitelist": "ALWAYS", "visual_number": "", "language": null}]"#;
        let import = read_them(file, Some(&owner)).unwrap();
        let Imported { object, notes, .. } = import[0].as_ref().unwrap();
        assert_eq!((object.party.clone(), object.uid.as_str(), object.valid), (owner, "4711", true));
        assert_eq!(object.visual_number, None);
        let notes: Vec<String> =
            notes.iter().map(|note| format!("{}: {}", note.path, note.message)).collect();
        assert_eq!(
            notes,
            [
                "$.country_code: missing, taken as DE",
                "$.party_id: missing, taken as ABC",
                "$.last_updated: missing, taken as 2026-01-31T18:00:00Z",
                "$.uid: the number 4711, read as text",
                "$.type: 'rfid', read as RFID",
                "$.visual_number: empty, read as missing",
                "$.valid: the text 'true', read as true",
            ]
        );
        assert!(read_them(file, None).unwrap()[0].is_err());
    }
}
