//! The types of properties: what is read as one, and what may be sent as one.

use super::{Fault, Place, ViolationKind, Violations};
use crate::domain::values::Timestamp;
use chrono::DateTime;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeBounds;
use std::str::FromStr;

/// The type of a property.
pub trait Field: Serialize + Sized {
    /// Reads the value, which is not `null`.
    ///
    /// # Errors
    /// When it cannot be understood.
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault>;

    /// What it is when the property is not there; `None` where it must be.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether the property is left out when sent.
    fn is_absent(&self) -> bool {
        false
    }

    /// Whether it may be sent.
    ///
    /// # Errors
    /// What the specification does not allow.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl<F: Field> Field for Option<F> {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        F::read(raw, place, violations).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
    fn check(&self) -> Result<(), String> {
        self.as_ref().map_or(Ok(()), Field::check)
    }
}

impl<F: Field> Field for Vec<F> {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        let elements = elements_of(raw, place)?;
        elements
            .into_iter()
            .enumerate()
            .map(|(index, element)| F::read(element, &place.index(index), violations))
            .collect()
    }
    fn check(&self) -> Result<(), String> {
        self.iter().try_for_each(Field::check)
    }
}

impl Field for i32 {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        let wide = i64::read(raw, place, violations)?;
        Self::try_from(wide)
            .map_err(|_| Fault::property(place, format!("{wide} is beyond a 32-bit whole number")))
    }
}

impl Field for i64 {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        if let Ok(number) = raw.get().parse::<Self>() {
            return Ok(number);
        }
        let number = Decimal::read(raw, place, violations)?;
        if !number.fract().is_zero() {
            return Err(Fault::wrong_type(place, format!("{number} where a whole number belongs")));
        }
        if !raw.get().starts_with('"') {
            violations.add(ViolationKind::NumberForm, place, "a whole number without a fraction or exponent");
        }
        Self::try_from(number)
            .map_err(|_| Fault::property(place, format!("{number} is beyond a 64-bit whole number")))
    }
}

impl Field for Decimal {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        let text = raw.get();
        let number = match text.bytes().next() {
            Some(b'-' | b'0'..=b'9') => parse_decimal(text),
            Some(b'"') => {
                violations.add(ViolationKind::NumberForm, place, "a number without quotes");
                let Some(number) = text_of(raw).and_then(|inner| parse_decimal(inner.trim())) else {
                    return Err(Fault::wrong_type(place, "a text where a number belongs"));
                };
                Some(number)
            }
            _ => return Err(Fault::wrong_type(place, format!("{} where a number belongs", kind_of(raw)))),
        };
        number.ok_or_else(|| Fault::property(place, "the number is too large or too fine to be exact"))
    }
}

impl Field for bool {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        match raw.get() {
            "true" => Ok(true),
            "false" => Ok(false),
            text @ ("\"true\"" | "\"false\"") => {
                violations.add(ViolationKind::TextForm, place, "true or false without quotes");
                Ok(text == "\"true\"")
            }
            _ => Err(Fault::wrong_type(place, format!("{} where true or false belongs", kind_of(raw)))),
        }
    }
}

impl Field for String {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        match raw.get().bytes().next() {
            Some(b'"') => text_of(raw)
                .map(Cow::into_owned)
                .ok_or_else(|| Fault::formation(place, "the text has a broken escape")),
            Some(b'{' | b'[') | None => {
                Err(Fault::wrong_type(place, format!("{} where a text belongs", kind_of(raw))))
            }
            Some(_) => {
                violations.add(ViolationKind::TextForm, place, "a text in quotes");
                Ok(raw.get().to_owned())
            }
        }
    }
}

impl Field for Timestamp {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        let text = match raw.get().bytes().next() {
            Some(b'"') => {
                text_of(raw).ok_or_else(|| Fault::formation(place, "the text has a broken escape"))?
            }
            _ => return Err(Fault::wrong_type(place, format!("{} where a time belongs", kind_of(raw)))),
        };
        let text = text.trim();
        let at = Self::parse(text).map_err(|error| Fault::property(place, error.to_string()))?;
        if DateTime::parse_from_rfc3339(text).is_err() {
            violations.add(ViolationKind::TimeForm, place, "an RFC 3339 time with its zone");
        }
        Ok(at)
    }
}

/// A text of at most `MAX` characters when sent; a longer one is taken whole and noted.
///
/// It is not cut: half an idTag is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Takes a text that may be sent.
    ///
    /// # Errors
    /// When it is too long.
    pub fn parse(text: impl Into<String>) -> Result<Self, TextTooLong> {
        let text = Self(text.into());
        match text.length() {
            length if length > MAX => Err(TextTooLong { length, max: MAX }),
            _ => Ok(text),
        }
    }

    /// Takes the first `MAX` characters of a text that is meant for people only.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        Self(text.chars().take(MAX).collect())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    fn length(&self) -> usize {
        if self.0.len() <= MAX { self.0.len() } else { self.0.chars().count() }
    }
}

/// A text that is too long to be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text has {length} characters, at most {max} are allowed")]
pub struct TextTooLong {
    /// Characters found.
    pub length: usize,
    /// Characters allowed.
    pub max: usize,
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> Serialize for Text<MAX> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<const MAX: usize> Field for Text<MAX> {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        let text = Self(String::read(raw, place, violations)?);
        if text.length() > MAX {
            violations.add(ViolationKind::TooLong, place, format!("at most {MAX} characters"));
        }
        Ok(text)
    }
    fn check(&self) -> Result<(), String> {
        match self.length() {
            length if length > MAX => Err(TextTooLong { length, max: MAX }.to_string()),
            _ => Ok(()),
        }
    }
}

/// Whole numbers that can have a range, also where they may be left out.
pub trait Ranged {
    /// The number, if there is one.
    fn number(&self) -> Option<i64>;
}

impl Ranged for i32 {
    fn number(&self) -> Option<i64> {
        Some(i64::from(*self))
    }
}
impl Ranged for i64 {
    fn number(&self) -> Option<i64> {
        Some(*self)
    }
}
impl<R: Ranged> Ranged for Option<R> {
    fn number(&self) -> Option<i64> {
        self.as_ref().and_then(Ranged::number)
    }
}

/// Checks a number against its range.
///
/// # Errors
/// What the range is.
pub fn check_range(value: &impl Ranged, range: impl RangeBounds<i64> + fmt::Debug) -> Result<(), String> {
    match value.number() {
        Some(number) if !range.contains(&number) => {
            Err(format!("{number} is out of range, it must be in {range:?}"))
        }
        _ => Ok(()),
    }
}

/// The text of a JSON string, borrowed where it has no escapes; `None` when it is no string.
#[must_use]
pub fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(text).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A decimal from JSON's or a meter's notation, exact; digits beyond 28 are refused.
#[must_use]
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_str(text)).ok()
}

/// Splits a list into its elements.
///
/// # Errors
/// When it is none.
pub fn elements_of<'a>(raw: &'a RawValue, place: &Place<'_>) -> Result<Vec<&'a RawValue>, Fault> {
    struct Elements<'a>(std::marker::PhantomData<&'a ()>);
    impl<'a> Visitor<'a> for Elements<'a> {
        type Value = Vec<&'a RawValue>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }
        fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::with_capacity(8);
            while let Some(element) = seq.next_element()? {
                all.push(element);
            }
            Ok(all)
        }
    }
    if !raw.get().starts_with('[') {
        return Err(Fault::wrong_type(place, format!("{} where a list belongs", kind_of(raw))));
    }
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    serde::Deserializer::deserialize_seq(&mut deserializer, Elements(std::marker::PhantomData))
        .map_err(|error| Fault::formation(place, error.to_string()))
}

pub(super) fn kind_of(raw: &RawValue) -> &'static str {
    match raw.get().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Reads a word; one that differs from a known one only in case or blanks is taken as that.
///
/// # Errors
/// When it is no text.
pub fn read_word<W>(
    raw: &RawValue,
    place: &Place<'_>,
    violations: &mut Violations,
    words: &[&str],
    make: impl Fn(&str) -> W,
) -> Result<W, Fault> {
    let text = match raw.get().bytes().next() {
        Some(b'"') => text_of(raw).ok_or_else(|| Fault::formation(place, "the text has a broken escape"))?,
        _ => return Err(Fault::wrong_type(place, format!("{} where a word belongs", kind_of(raw)))),
    };
    if words.contains(&text.as_ref()) {
        return Ok(make(&text));
    }
    violations.add(ViolationKind::UnknownWord, place, format!("one of {}", words.join(", ")));
    let near = words.iter().find(|word| word.eq_ignore_ascii_case(text.trim()));
    Ok(make(near.copied().unwrap_or(&text)))
}
