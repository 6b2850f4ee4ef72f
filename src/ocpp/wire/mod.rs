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

mod field;
mod macros;
mod place;

pub use field::{
    Field, Ranged, Text, TextTooLong, check_range, elements_of, parse_decimal, read_word, text_of,
};
pub(crate) use macros::{message, word_field, words};
pub use place::{Fault, Place, Violation, ViolationKind, Violations};

use field::kind_of;
use serde::Serialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

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
