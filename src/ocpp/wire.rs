//! Reading payloads leniently and writing them strictly, the same way for every version.
//!
//! A message is declared once with `message!`: its properties in the order of the schema, their types and
//! ranges. From that follow both directions:
//!
//! - **Reading** takes what can be understood. What is not as the schema says but clear (a text that is too
//!   long, an unknown word, a number in quotes, a time without a zone, an extra property) is normalised and
//!   noted as a [`Violation`]; what cannot be understood is a [`Fault`] with the JSON path and the error code
//!   of OCPP-J 1.6, 4.2.3.
//! - **Writing** fails rather than send what the schema does not allow.
//!
//! Payloads are read over their raw text, level by level, so that no tree is built and a part can be kept byte
//! for byte.

use super::frame::ErrorCode;
use crate::domain::values::Timestamp;
use chrono::DateTime;
use rust_decimal::Decimal;
use serde::Serialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeBounds;
use std::str::FromStr;

/// How many violations of one message are kept; a message with thousands tells no more than one with these.
const VIOLATIONS_KEPT: usize = 20;

/// Where in a payload a value stands, as a chain on the stack: it becomes text only when it is needed.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Root,
    Name(&'p str),
    Index(usize),
}

impl Place<'static> {
    /// The payload itself.
    pub const ROOT: Self = Self { parent: None, step: Step::Root };
}

impl<'p> Place<'p> {
    /// A property of the object here.
    #[must_use]
    pub fn name(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    /// An element of the list here.
    #[must_use]
    pub fn index(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => f.write_str("$"),
            Step::Name(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Why a payload cannot be understood: becomes a CALLERROR.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Fault {
    /// For the CALLERROR.
    pub code: ErrorCode,
    /// JSON path within the payload, `$` is the payload itself.
    pub path: String,
    /// What was found and what would be right.
    pub reason: String,
}

impl Fault {
    /// A property that must be there is not, or a list has too few elements.
    #[must_use]
    pub fn occurence(place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::OccurenceConstraintViolation, place, reason)
    }

    /// A value of the wrong JSON type.
    #[must_use]
    pub fn wrong_type(place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::TypeConstraintViolation, place, reason)
    }

    /// A value that breaks a rule.
    #[must_use]
    pub fn property(place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::PropertyConstraintViolation, place, reason)
    }

    /// Not the structure of the message.
    #[must_use]
    pub fn formation(place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::FormationViolation, place, reason)
    }

    fn new(code: ErrorCode, place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self { code, path: place.to_string(), reason: reason.into() }
    }
}

/// What kind of thing the other side did against the specification; the words are labels to count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViolationKind {
    /// A text longer than allowed, taken whole.
    TooLong,
    /// A word that the version does not have, kept.
    UnknownWord,
    /// A time without a zone or otherwise not RFC 3339, taken as UTC.
    TimeForm,
    /// A number in quotes, with decimals where none are allowed, or with too many.
    NumberForm,
    /// Something else where a text belongs, taken as its text.
    TextForm,
    /// `null` for a property that may be left out.
    NullValue,
    /// A property that the message does not have, ignored.
    ExtraProperty,
    /// A list that must not be empty.
    EmptyList,
    /// A measured value that says nothing, left out.
    BadMeasurement,
    /// A frame with more or fewer elements than its kind has.
    FrameForm,
}

impl ViolationKind {
    /// The label to count by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::UnknownWord => "unknown_word",
            Self::TimeForm => "time_form",
            Self::NumberForm => "number_form",
            Self::TextForm => "text_form",
            Self::NullValue => "null_value",
            Self::ExtraProperty => "extra_property",
            Self::EmptyList => "empty_list",
            Self::BadMeasurement => "bad_measurement",
            Self::FrameForm => "frame_form",
        }
    }
}

/// Something that was not as specified, and was taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What kind of thing.
    pub kind: ViolationKind,
    /// JSON path within the payload (or the frame, for its id).
    pub path: String,
    /// What would have been right.
    pub wanted: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind.as_str(), self.path, self.wanted)
    }
}

/// The violations of one message, at most twenty.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes one.
    pub fn add(&mut self, kind: ViolationKind, place: &Place<'_>, wanted: impl Into<String>) {
        if self.0.len() < VIOLATIONS_KEPT {
            self.0.push(Violation { kind, path: place.to_string(), wanted: wanted.into() });
        }
    }

    /// All that were noted.
    #[must_use]
    pub fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}

/// A message as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<M> {
    /// The message.
    pub message: M,
    /// What was not as specified.
    pub violations: Vec<Violation>,
}

/// An object of the protocol: a request, a response, or a part of one.
pub trait Message: Serialize + Sized {
    /// Reads it from an object's properties.
    ///
    /// # Errors
    /// The first thing that cannot be understood.
    fn read_from(
        object: &mut Object<'_>,
        place: &Place<'_>,
        violations: &mut Violations,
    ) -> Result<Self, Fault>;

    /// Reads it as a payload; `null` stands for an empty object (OCPP-J 1.6, 4.2.1).
    ///
    /// # Errors
    /// The first thing that cannot be understood, with the code of the CALLERROR.
    fn read(payload: &RawValue) -> Result<Read<Self>, Fault> {
        let mut violations = Violations::default();
        let mut object = match payload.get() {
            "null" => Object::default(),
            text if text.starts_with('{') => Object::parse(payload, &Place::ROOT)?,
            _ => return Err(Fault::formation(&Place::ROOT, "the payload must be an object")),
        };
        let message = Self::read_from(&mut object, &Place::ROOT, &mut violations)?;
        object.note_extra(&Place::ROOT, &mut violations);
        Ok(Read { message, violations: violations.into_vec() })
    }
}

/// A message that one side calls and the other answers.
pub trait Request: Message {
    /// Its name in the frame.
    const ACTION: &'static str;
    /// What is answered.
    type Response: Message;
}

/// The properties of a JSON object, unread.
#[derive(Debug, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Splits an object into its properties.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(raw: &'a RawValue, place: &Place<'_>) -> Result<Self, Fault> {
        struct Properties<'a>(std::marker::PhantomData<&'a ()>);
        impl<'a> Visitor<'a> for Properties<'a> {
            type Value = Vec<(Cow<'a, str>, &'a RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::with_capacity(8);
                while let Some(key) = map.next_key::<&'a RawValue>()? {
                    let name = text_of(key).ok_or_else(|| serde::de::Error::custom("a name is no text"))?;
                    all.push((name, map.next_value()?));
                }
                Ok(all)
            }
        }
        if !raw.get().starts_with('{') {
            return Err(Fault::wrong_type(place, format!("{} where an object belongs", kind_of(raw))));
        }
        let mut deserializer = serde_json::Deserializer::from_str(raw.get());
        serde::Deserializer::deserialize_map(&mut deserializer, Properties(std::marker::PhantomData))
            .map(Self)
            .map_err(|error| Fault::formation(place, error.to_string()))
    }

    /// Takes a property out; of one that is given twice the last counts.
    pub fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().rposition(|(key, _)| key == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes a property out and reads it.
    ///
    /// # Errors
    /// When it is missing and must be there, or cannot be understood.
    pub fn field<F: Field>(
        &mut self,
        name: &str,
        place: &Place<'_>,
        violations: &mut Violations,
    ) -> Result<F, Fault> {
        let here = place.name(name);
        match self.take(name) {
            None => F::absent()
                .ok_or_else(|| Fault::occurence(&here, format!("the property '{name}' is missing"))),
            Some(raw) if raw.get() == "null" => match F::absent() {
                Some(value) => {
                    violations.add(ViolationKind::NullValue, &here, "leave the property out");
                    Ok(value)
                }
                None => Err(Fault::wrong_type(&here, "null where a value must be")),
            },
            Some(raw) => F::read(raw, &here, violations),
        }
    }

    /// Notes the properties that nobody took.
    pub fn note_extra(&self, place: &Place<'_>, violations: &mut Violations) {
        for (name, _) in &self.0 {
            violations.add(ViolationKind::ExtraProperty, &place.name(name), "no such property");
        }
    }
}

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

fn kind_of(raw: &RawValue) -> &'static str {
    match raw.get().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Declares an object of the protocol: properties in the order of the schema, `Option` where they may be left
/// out, `in RANGE` where a number has one.
macro_rules! message {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$fmeta:meta])* $field:ident: $ty:ty = $wire:literal $(in $range:expr)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty,)* }

        impl $crate::ocpp::wire::Message for $name {
            fn read_from(
                object: &mut $crate::ocpp::wire::Object<'_>,
                place: &$crate::ocpp::wire::Place<'_>,
                violations: &mut $crate::ocpp::wire::Violations,
            ) -> Result<Self, $crate::ocpp::wire::Fault> {
                let _ = (&object, place, &violations);
                $(
                    let $field: $ty = object.field($wire, place, violations)?;
                    $(
                        $crate::ocpp::wire::check_range(&$field, $range)
                            .map_err(|reason| $crate::ocpp::wire::Fault::property(&place.name($wire), reason))?;
                    )?
                )*
                Ok(Self { $($field,)* })
            }
        }

        impl $crate::ocpp::wire::Field for $name {
            fn read(
                raw: &serde_json::value::RawValue,
                place: &$crate::ocpp::wire::Place<'_>,
                violations: &mut $crate::ocpp::wire::Violations,
            ) -> Result<Self, $crate::ocpp::wire::Fault> {
                let mut object = $crate::ocpp::wire::Object::parse(raw, place)?;
                let message = <Self as $crate::ocpp::wire::Message>::read_from(&mut object, place, violations)?;
                object.note_extra(place, violations);
                Ok(message)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                #[allow(unused_mut, reason = "a message without properties fills nothing")]
                let mut map = serializer.serialize_map(None)?;
                $(
                    if !$crate::ocpp::wire::Field::is_absent(&self.$field) {
                        $crate::ocpp::wire::Field::check(&self.$field)
                            $(.and_then(|()| $crate::ocpp::wire::check_range(&self.$field, $range)))?
                            .map_err(|reason| serde::ser::Error::custom(format!("{}: {reason}", $wire)))?;
                        map.serialize_entry($wire, &self.$field)?;
                    }
                )*
                map.end()
            }
        }
    };
}
pub(crate) use message;

/// Declares a set of words of the protocol; one that is not known is taken and noted, and never sent.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $crate::domain::open_enum::open_enum! {
            $(#[$meta])* pub enum $name { $($(#[$vmeta])* $variant = $word,)+ }
        }
        $crate::ocpp::wire::word_field!($name);
    };
}
pub(crate) use words;

/// Makes an `open_enum` the type of a property.
macro_rules! word_field {
    ($name:ty) => {
        impl $crate::ocpp::wire::Field for $name {
            fn read(
                raw: &serde_json::value::RawValue,
                place: &$crate::ocpp::wire::Place<'_>,
                violations: &mut $crate::ocpp::wire::Violations,
            ) -> Result<Self, $crate::ocpp::wire::Fault> {
                $crate::ocpp::wire::read_word(raw, place, violations, Self::WORDS, |word| Self::from(word))
            }
            fn check(&self) -> Result<(), String> {
                if self.is_known() { Ok(()) } else { Err(format!("'{self}' is no word of this version")) }
            }
        }
    };
}
pub(crate) use word_field;

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
