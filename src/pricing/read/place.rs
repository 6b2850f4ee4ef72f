//! A JSON value that knows where it stands, and reads itself as what is wanted there.

use crate::domain::{Extra, Kwh, Money, Timestamp};
use crate::pricing::Finding;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// More decimals than this are noise of the sender's arithmetic: sums of binary floating point numbers end like
/// 0.30000000000000004.
const FINEST: u32 = 12;

/// The longest number, exponent included, that is worth an attempt.
const LONGEST: usize = 100;

/// What was found while reading.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// With any of these the document cannot be priced.
    pub(super) errors: Vec<Finding>,
    /// What there is to say besides.
    pub(super) warnings: Vec<Finding>,
}

impl Notes {
    pub(super) fn error(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.errors.push(Finding::new(path, reason));
    }

    pub(super) fn warn(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.warnings.push(Finding::new(path, reason));
    }
}

/// A value and its path.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) value: &'a Value,
    pub(super) path: String,
}

impl<'a> Place<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: "$".to_owned() }
    }

    fn unwanted<T>(&self, wanted: &str, notes: &mut Notes) -> Option<T> {
        notes.error(&self.path, format!("is {}: {wanted} is wanted", describe(self.value)));
        None
    }

    /// The fields of an object.
    pub(super) fn object(&self, notes: &mut Notes) -> Option<Fields<'a>> {
        match self.value {
            Value::Object(map) => Some(Fields { map, path: self.path.clone() }),
            _ => self.unwanted("an object", notes),
        }
    }

    /// The entries of a list. One object where a list is due is a list of one, as some platforms write it.
    pub(super) fn list(&self, notes: &mut Notes) -> Option<Vec<Place<'a>>> {
        match self.value {
            Value::Array(items) => {
                let place =
                    |(at, value): (usize, &'a Value)| Place { value, path: format!("{}[{at}]", self.path) };
                Some(items.iter().enumerate().map(place).collect())
            }
            Value::Object(_) => {
                notes.warn(&self.path, "is one object: read as a list of one");
                Some(vec![self.clone()])
            }
            _ => self.unwanted("a list", notes),
        }
    }

    /// A text; a number is one with its digits, because some platforms write their ids as numbers.
    pub(super) fn text(&self, notes: &mut Notes) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => self.unwanted("a text", notes),
        }
    }

    /// Yes or no.
    pub(super) fn flag(&self, notes: &mut Notes) -> Option<bool> {
        match self.value {
            Value::Bool(truth) => Some(*truth),
            Value::String(text)
                if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") =>
            {
                let truth = text.eq_ignore_ascii_case("true");
                notes.warn(&self.path, format!("is the text '{text}': read as {truth}"));
                Some(truth)
            }
            _ => self.unwanted("true or false", notes),
        }
    }

    /// A moment (types, "DateTime"); without a zone it is UTC.
    pub(super) fn time(&self, notes: &mut Notes) -> Option<Timestamp> {
        let Value::String(text) = self.value else {
            return self.unwanted("a time like 2026-01-31T18:00:00Z", notes);
        };
        match Timestamp::parse(text) {
            Ok(at) => Some(at),
            Err(_) => {
                let text = shorten(text);
                notes.error(
                    &self.path,
                    format!("'{text}' is no time: a time like 2026-01-31T18:00:00Z is wanted"),
                );
                None
            }
        }
    }

    /// A number with exactly the digits that were written, also as a text or with an exponent.
    pub(super) fn number(&self, notes: &mut Notes) -> Option<Decimal> {
        let (text, quoted) = match self.value {
            Value::Number(number) => (number.to_string(), false),
            Value::String(text) => (text.clone(), true),
            _ => return self.unwanted("a number", notes),
        };
        match exact(&text) {
            Ok(number) => {
                if quoted {
                    notes.warn(&self.path, format!("is the text '{}': read as a number", shorten(&text)));
                }
                Some(number)
            }
            Err(NotExact::NoNumber) => self.unwanted("a number", notes),
            Err(NotExact::TooLong) => {
                let reason = format!("{} has more digits than can be computed with exactly", shorten(&text));
                notes.error(&self.path, reason);
                None
            }
        }
    }

    /// A number without the digits that only come from a sender's floating point arithmetic.
    fn clean_number(&self, notes: &mut Notes) -> Option<Decimal> {
        let number = self.number(notes)?;
        if number.normalize().scale() <= FINEST {
            return Some(number);
        }
        let rounded = number.round_dp(FINEST).normalize();
        notes.warn(&self.path, format!("{number} has more than {FINEST} decimals: read as {rounded}"));
        Some(rounded)
    }

    /// A number between two bounds, which are `wanted` in words.
    pub(super) fn number_within(
        &self,
        (least, most): (Decimal, Decimal),
        wanted: &str,
        notes: &mut Notes,
    ) -> Option<Decimal> {
        let number = self.number(notes)?;
        if number < least || number > most {
            notes.error(&self.path, format!("is {number}: {wanted} is wanted"));
            return None;
        }
        Some(number)
    }

    /// An amount of money.
    pub(super) fn money(&self, notes: &mut Notes) -> Option<Money> {
        let number = self.clean_number(notes)?;
        match Money::parse(number) {
            Ok(money) => Some(money),
            Err(error) => {
                notes.error(&self.path, error.to_string());
                None
            }
        }
    }

    /// An amount of energy, which may be negative.
    pub(super) fn kwh(&self, notes: &mut Notes) -> Option<Kwh> {
        let number = self.clean_number(notes)?;
        match Kwh::parse(number) {
            Ok(kwh) => Some(kwh),
            Err(error) => {
                notes.error(&self.path, error.to_string());
                None
            }
        }
    }

    /// A whole number from 0 up, however it is written: 300, 300.0 and 3e2 are the same.
    pub(super) fn whole<T: TryFrom<u64>>(&self, notes: &mut Notes) -> Option<T> {
        let number = self.number(notes)?.normalize();
        if number.is_sign_negative() && !number.is_zero() {
            notes.error(&self.path, format!("is {number}: a number not below 0 is wanted"));
            return None;
        }
        if number.scale() != 0 {
            notes.error(&self.path, format!("is {number}: a whole number is wanted"));
            return None;
        }
        let fitting = u64::try_from(number.mantissa()).ok().and_then(|whole| T::try_from(whole).ok());
        if fitting.is_none() {
            notes.error(&self.path, format!("is {number}: that is too large"));
        }
        fitting
    }
}

/// The fields of an object; null says what leaving a field out says.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    pub(super) map: &'a Map<String, Value>,
    pub(super) path: String,
}

impl<'a> Fields<'a> {
    /// The path of a field.
    pub(super) fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// A field that may be missing.
    pub(super) fn get(&self, name: &str) -> Option<Place<'a>> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        Some(Place { value, path: self.path_of(name) })
    }

    /// A field that must be there.
    pub(super) fn required(&self, name: &str, notes: &mut Notes) -> Option<Place<'a>> {
        let found = self.get(name);
        if found.is_none() {
            notes.error(self.path_of(name), "is missing");
        }
        found
    }

    /// Every field but those named, as it came.
    pub(super) fn rest(&self, known: &[&str]) -> Extra {
        let unknown = self.map.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        unknown.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Why a text is no number that can be computed with.
enum NotExact {
    NoNumber,
    TooLong,
}

/// The decimal that a text says, digit by digit: nothing is rounded.
fn exact(text: &str) -> Result<Decimal, NotExact> {
    if text.len() > LONGEST {
        return Err(NotExact::TooLong);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        None => (text, 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| NotExact::NoNumber)?),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || digits.ends_with('.') {
        return Err(NotExact::NoNumber);
    }
    let places = i64::try_from(fraction.len()).map_err(|_| NotExact::TooLong)?;
    plain(&format!("{whole}{fraction}"), places.saturating_sub(i64::from(exponent)))
        .map(|number| if negative { -number } else { number })
}

/// `digits` of which the last `places` are decimals.
fn plain(digits: &str, places: i64) -> Result<Decimal, NotExact> {
    let digits = digits.trim_start_matches('0');
    let mut places = places;
    let mut kept = digits;
    // Zeros at the end that do not fit are left out; those that fit are kept as they came.
    while places > i64::from(Decimal::MAX_SCALE)
        && let Some(shorter) = kept.strip_suffix('0')
    {
        kept = shorter;
        places = places.saturating_sub(1);
    }
    if kept.is_empty() {
        let scale = u32::try_from(places.clamp(0, i64::from(Decimal::MAX_SCALE))).unwrap_or(0);
        return Decimal::try_from_i128_with_scale(0, scale).map_err(|_| NotExact::TooLong);
    }
    let mut mantissa: i128 = kept.parse().map_err(|_| NotExact::TooLong)?;
    if places < 0 {
        let by = u32::try_from(places.saturating_neg()).map_err(|_| NotExact::TooLong)?;
        let tens = 10_i128.checked_pow(by).ok_or(NotExact::TooLong)?;
        mantissa = mantissa.checked_mul(tens).ok_or(NotExact::TooLong)?;
        places = 0;
    }
    let scale = u32::try_from(places).map_err(|_| NotExact::TooLong)?;
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| NotExact::TooLong)
}

/// The first characters of a text that somebody else wrote.
pub(super) fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What a value is, in few words.
pub(super) fn describe(value: &Value) -> String {
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
