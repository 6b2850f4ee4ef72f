//! Holding a JSON object against its class: puts right what can be understood, and reports the rest.

use super::shape::{Card, Class, Field, Kind};
use crate::domain::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};
use std::str::FromStr;

/// A remark on a place in an object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Remark {
    /// JSON path, e.g. `$.evses[0].uid`.
    pub path: String,
    /// What there is to say, in words for an operator.
    pub message: String,
}

/// What was put right so that the object could be read.
pub type Note = Remark;
/// What breaks the specification, though the object can be used.
pub type Violation = Remark;

/// What came out when an object was held against its class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What was put right.
    pub notes: Vec<Note>,
    /// What is wrong but was accepted.
    pub violations: Vec<Violation>,
    /// What cannot be understood; with any of these the object cannot be read.
    pub errors: Vec<Remark>,
}

/// Holds `value` against `class` and changes in it what can be put right without guessing.
pub fn examine(class: &Class, value: &mut Value) -> Findings {
    let mut examiner = Examiner { findings: Findings::default(), path: String::from("$"), salvaging: false };
    examiner.object(class, value);
    examiner.findings
}

/// Like [`examine`], but takes out of `value` what is optional and cannot be understood, so that one bad field
/// does not lose the object: for descriptions. (Where every field may be part of a price, use [`examine`].)
pub fn salvage(class: &Class, value: &mut Value) -> Findings {
    let mut examiner = Examiner { findings: Findings::default(), path: String::from("$"), salvaging: true };
    examiner.object(class, value);
    examiner.findings
}

/// More decimals than this are noise of the sender's arithmetic; amounts are held to as many.
const FINEST: u32 = 12;

/// Whether a value may stand, or should be taken out because it says nothing.
#[derive(PartialEq)]
enum Verdict {
    Keep,
    /// Empty where nothing was meant.
    Blank,
}

struct Examiner {
    findings: Findings,
    path: String,
    /// What is optional and cannot be understood is taken out.
    salvaging: bool,
}

impl Examiner {
    fn note(&mut self, message: impl Into<String>) {
        self.findings.notes.push(Remark { path: self.path.clone(), message: message.into() });
    }
    fn violation(&mut self, message: impl Into<String>) {
        self.findings.violations.push(Remark { path: self.path.clone(), message: message.into() });
    }
    fn error(&mut self, message: impl Into<String>) {
        self.findings.errors.push(Remark { path: self.path.clone(), message: message.into() });
    }

    /// Runs `work` with the path extended by `step`.
    fn at<T>(&mut self, step: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(step);
        let result = work(self);
        self.path.truncate(length);
        result
    }

    fn object(&mut self, class: &Class, value: &mut Value) {
        // Some platforms write a list of one where one object is due.
        if let Value::Array(items) = value
            && items.len() == 1
            && items.first().is_some_and(Value::is_object)
        {
            self.note(format!("a list of one {0} where one {0} is due", class.name));
            *value = items.pop().unwrap_or(Value::Null);
        }
        let Value::Object(map) = value else {
            self.error(format!("{} is wanted, found {}", article(class.name), describe(value)));
            return;
        };
        for field in class.fields {
            let step = format!(".{}", field.name);
            self.at(&step, |examiner| examiner.field(field, map));
        }
    }

    fn field(&mut self, field: &Field, map: &mut Map<String, Value>) {
        let Some(value) = map.get_mut(field.name) else {
            self.missing(field);
            return;
        };
        let errors = self.findings.errors.len();
        let verdict = if value.is_null() {
            // Null says what leaving the field out says; many platforms write it.
            Verdict::Blank
        } else {
            match field.card {
                Card::One | Card::OneButTolerated | Card::Optional => {
                    let required = matches!(field.card, Card::One);
                    self.single(field.kind, value, required)
                }
                Card::Many | Card::AtLeastOne | Card::AtLeastOneButTolerated => self.list(field, value),
            }
        };
        if self.salvaging && matches!(field.card, Card::Optional) && self.give_up(errors) {
            map.remove(field.name);
            return;
        }
        if verdict == Verdict::Blank {
            let was_null = value.is_null();
            map.remove(field.name);
            match field.card {
                Card::Optional | Card::Many if was_null => {}
                Card::Optional | Card::Many => self.note("empty, read as missing"),
                _ => self.missing(field),
            }
        }
    }

    /// Makes notes of the errors since `errors`, because what they are in is taken out; whether there were any.
    fn give_up(&mut self, errors: usize) -> bool {
        let given_up = self.findings.errors.split_off(errors);
        let notes = given_up.iter().map(|error| Remark {
            path: error.path.clone(),
            message: format!("left out, since {}", error.message),
        });
        self.findings.notes.extend(notes);
        !given_up.is_empty()
    }

    fn missing(&mut self, field: &Field) {
        match field.card {
            Card::One | Card::AtLeastOne => self.error("is required and missing"),
            Card::OneButTolerated | Card::AtLeastOneButTolerated => {
                self.violation("is required and missing");
            }
            Card::Optional | Card::Many => {}
        }
    }

    fn list(&mut self, field: &Field, value: &mut Value) -> Verdict {
        if value.as_str().is_some_and(str::is_empty) {
            return Verdict::Blank;
        }
        if !value.is_array() {
            self.note("one value where a list is due, read as a list of one");
            *value = Value::Array(vec![value.take()]);
        }
        if let Value::Array(items) = value {
            if items.is_empty() && matches!(field.card, Card::AtLeastOne | Card::AtLeastOneButTolerated) {
                self.violation("has no entry, at least one is required");
            }
            let may_drop = self.salvaging && matches!(field.card, Card::Many) && !has_key(field.kind);
            let mut index = 0;
            items.retain_mut(|item| {
                let step = format!("[{index}]");
                index += 1;
                self.at(&step, |examiner| {
                    let errors = examiner.findings.errors.len();
                    if examiner.single(field.kind, item, true) == Verdict::Blank {
                        examiner.error(format!("found {}", describe(item)));
                    }
                    !(may_drop && examiner.give_up(errors))
                })
            });
        }
        Verdict::Keep
    }

    fn single(&mut self, kind: Kind, value: &mut Value, required: bool) -> Verdict {
        let blank = match value {
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Null => true,
            _ => false,
        };
        if blank {
            let readable = matches!(kind, Kind::Text(_) | Kind::CiText(_) | Kind::Url | Kind::TimeZone)
                && value.is_string();
            if required && readable {
                self.violation("is required and empty");
                return Verdict::Keep;
            }
            return Verdict::Blank;
        }
        match kind {
            Kind::Text(max) => self.text(value, max, false),
            Kind::Url => self.text(value, 255, false),
            Kind::CiText(max) | Kind::Key(max) => self.text(value, max, true),
            Kind::Country => self.code(value, 2),
            Kind::Party => self.code(value, 3),
            Kind::TimeOfDay => self.time_of_day(value),
            Kind::TimeZone => self.time_zone(value),
            Kind::Bool => self.boolean(value),
            Kind::Int(least) => self.integer(value, least),
            Kind::Number => self.number(value),
            Kind::Time => self.time(value),
            Kind::Word(words) => self.word(value, words),
            Kind::Object(class) => self.object(class, value),
            Kind::ObjectOrKept(class) if value.is_object() => self.object(class, value),
            Kind::ObjectOrKept(class) => self.violation(format!(
                "{} is wanted, found {}: kept as it came, without effect",
                article(class.name),
                describe(value)
            )),
        }
        Verdict::Keep
    }

    /// Reads a text; a number becomes one with the sender's digits.
    fn text(&mut self, value: &mut Value, max: usize, ascii: bool) {
        if let Value::Number(number) = value {
            let text = number.to_string();
            self.note(format!("the number {text}, read as text"));
            *value = Value::String(text);
        }
        let Value::String(text) = value else {
            self.error(format!("a text is wanted, found {}", describe(value)));
            return;
        };
        let length = text.chars().count();
        if length > max {
            self.violation(format!("has {length} characters, at most {max} are allowed"));
        }
        if ascii && !text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            self.violation("has characters other than printable ASCII");
        } else if text.chars().any(char::is_control) {
            self.violation("has characters that cannot be printed");
        }
    }

    fn code(&mut self, value: &mut Value, length: usize) {
        self.text(value, length, true);
        if let Value::String(text) = value
            && text.bytes().any(|b| b.is_ascii_lowercase())
        {
            let upper = text.to_ascii_uppercase();
            self.note(format!("'{text}', read as {upper}"));
            *text = upper;
        }
    }

    fn time_of_day(&mut self, value: &mut Value) {
        let Value::String(text) = value else {
            self.error(format!("a time of day like 08:30 is wanted, found {}", describe(value)));
            return;
        };
        if is_clock(text) {
            return;
        }
        if let Some(short) = text.strip_suffix(":00")
            && is_clock(short)
        {
            self.note(format!("'{text}', read as {short}"));
            *value = Value::String(short.to_owned());
            return;
        }
        self.violation(format!("'{}' is no time of day like 08:30", shorten(text)));
    }

    fn time_zone(&mut self, value: &mut Value) {
        self.text(value, 255, false);
        if let Value::String(text) = value
            && text.parse::<chrono_tz::Tz>().is_err()
        {
            self.violation(format!("'{}' is no IANA time zone like Europe/Berlin", shorten(text)));
        }
    }

    fn boolean(&mut self, value: &mut Value) {
        let understood = match &*value {
            Value::Bool(_) => return,
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Value::Number(number) if number.as_u64() == Some(1) => Some(true),
            Value::Number(number) if number.as_u64() == Some(0) => Some(false),
            _ => None,
        };
        match understood {
            Some(truth) => {
                self.note(format!("{}, read as {truth}", describe(value)));
                *value = Value::Bool(truth);
            }
            None => self.error(format!("true or false is wanted, found {}", describe(value))),
        }
    }

    fn integer(&mut self, value: &mut Value, least: i64) {
        let Some(decimal) = decimal_of(value) else {
            self.error(format!("a whole number is wanted, found {}", describe(value)));
            return;
        };
        let whole = decimal.trunc();
        if whole != decimal {
            self.violation(format!("a whole number is wanted, found {}", describe(value)));
        }
        let Ok(number) = i64::try_from(whole) else {
            self.error(format!("a number within 64 bits is wanted, found {}", describe(value)));
            return;
        };
        if number < least {
            self.error(format!("a number not below {least} is wanted, found {number}"));
            return;
        }
        if value.as_i64() != Some(number) {
            self.note(format!("{}, read as {number}", describe(value)));
            *value = Value::from(number);
        }
    }

    fn number(&mut self, value: &mut Value) {
        let Some(decimal) = decimal_of(value) else {
            self.error(format!("a decimal number is wanted, found {}", describe(value)));
            return;
        };
        if decimal.normalize().scale() > FINEST {
            // Sums of binary floating point numbers end like this: 0.30000000000000004.
            let rounded = decimal.round_dp(FINEST).normalize();
            self.note(format!("{}, read as {rounded}", describe(value)));
            *value = Number::from_str(&rounded.to_string()).map_or(Value::Null, Value::Number);
        } else if let Value::String(text) = &*value {
            // What reads as a decimal need not be a JSON number: a sign or leading zeros may be in the way.
            let text = text.clone();
            let number = Number::from_str(&text).or_else(|_| Number::from_str(&decimal.to_string()));
            self.note(format!("{}, read as the number", describe(value)));
            *value = number.map_or(Value::Null, Value::Number);
        }
    }

    fn time(&mut self, value: &mut Value) {
        let Value::String(text) = value else {
            self.error(format!("a time like 2026-01-31T18:00:00Z is wanted, found {}", describe(value)));
            return;
        };
        match Timestamp::parse(text) {
            Err(error) => self.error(error.to_string()),
            Ok(_) if text.ends_with('Z') => {}
            Ok(at) => {
                // Without a zone is allowed and means UTC; an offset is not allowed, and clear all the same.
                self.note(format!("'{}', read as {at}", shorten(text)));
                *value = Value::String(at.to_string());
            }
        }
    }

    fn word(&mut self, value: &mut Value, words: &'static [&'static str]) {
        let Value::String(text) = value else {
            self.error(format!(
                "a word like {} is wanted, found {}",
                words.first().unwrap_or(&"X"),
                describe(value)
            ));
            return;
        };
        if words.is_empty() || words.contains(&text.as_str()) {
            return;
        }
        match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
            Some(word) => {
                self.note(format!("'{text}', read as {word}"));
                *value = Value::String((*word).to_owned());
            }
            None => self.violation(format!("'{}' is no word of this list, kept as it came", shorten(text))),
        }
    }
}

/// Whether others refer to such a value, so that it cannot be left out unseen, e.g. an EVSE of a Location.
fn has_key(kind: Kind) -> bool {
    matches!(kind, Kind::Object(class) if class.fields.iter().any(|field| matches!(field.kind, Kind::Key(_))))
}

/// The exact decimal that a JSON number, or a text that is one, says.
fn decimal_of(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// Whether a text is `HH:MM`, also `24:00`.
fn is_clock(text: &str) -> bool {
    let Some((hour, minute)) = text.split_once(':') else { return false };
    let two = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    two(hour) && two(minute) && (text <= "23:59" || text == "24:00") && minute <= "59"
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

fn article(name: &str) -> String {
    let vowel = name.chars().next().is_some_and(|c| "AEIOaeio".contains(c));
    format!("{} {name}", if vowel { "an" } else { "a" })
}

/// What a value is, in few words.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {}", shorten(&number.to_string())),
        Value::String(text) if text.is_empty() => "an empty text".to_owned(),
        Value::String(text) => format!("the text '{}'", shorten(text)),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}
