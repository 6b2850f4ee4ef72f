//! OCPP-J framing: `[2,id,action,payload]`, `[3,id,payload]`, `[4,id,code,description,details]`
//! (OCPP-J 1.6, 4.2).
//!
//! A frame borrows its id and action from the text and leaves the payload unread, so that a frame costs no
//! copy and the payload can be stored as it came. A frame that is not right becomes a [`FrameError`] that says
//! whether and how it is answered.

use super::wire::{Fault, Place, ViolationKind, Violations, text_of};
use crate::domain::open_enum::open_enum;
use serde::Serialize;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Characters that a message id may have (OCPP-J 1.6, 4.1.4); longer ones are taken and counted.
const ID_LENGTH: usize = 36;

/// Characters of an error description that are sent; 2.0.1 allows 255, 1.6 names no bound.
const DESCRIPTION_LENGTH: usize = 255;

open_enum! {
    /// Why a call got no result (OCPP-J 1.6, 4.2.3, table 7), spelled as 1.6 spells it.
    pub enum ErrorCode {
        /// The action is not known at all.
        NotImplemented = "NotImplemented",
        /// The action is known, and not offered here.
        NotSupported = "NotSupported",
        /// It went wrong on the receiver's side.
        InternalError = "InternalError",
        /// The payload is not complete, or the message does not belong here.
        ProtocolError = "ProtocolError",
        /// Not allowed.
        SecurityError = "SecurityError",
        /// Not the syntax or structure of the action.
        FormationViolation = "FormationViolation",
        /// A value breaks a rule.
        PropertyConstraintViolation = "PropertyConstraintViolation",
        /// A property is missing or there too often; 1.6 writes it with one `r`.
        OccurenceConstraintViolation = "OccurenceConstraintViolation",
        /// A value is of the wrong type.
        TypeConstraintViolation = "TypeConstraintViolation",
        /// Anything else.
        GenericError = "GenericError",
    }
}

/// One message on the socket.
#[derive(Debug, Clone)]
pub enum Frame<'a> {
    /// A call: the other side waits for an answer with the same id.
    Call {
        /// Repeated in the answer.
        id: Cow<'a, str>,
        /// What is asked.
        action: Cow<'a, str>,
        /// Its arguments, unread.
        payload: &'a RawValue,
    },
    /// The answer to a call of ours.
    Result {
        /// Of our call.
        id: Cow<'a, str>,
        /// The answer, unread.
        payload: &'a RawValue,
    },
    /// The refusal of a call of ours.
    Error {
        /// Of our call.
        id: Cow<'a, str>,
        /// Why.
        code: ErrorCode,
        /// Why, in words; may be empty.
        description: Cow<'a, str>,
        /// Anything the other side adds, unread.
        details: Option<&'a RawValue>,
    },
}

/// Why a text is not a frame, and what to do about it. The connection stays in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No id can be read, so that nothing can be answered: log and count it.
    #[error("not an OCPP-J frame: {reason}")]
    Unreadable {
        /// What was found and what would be right.
        reason: String,
    },
    /// A message type that this version does not know, to be ignored (OCPP-J 1.6, 4.1.3).
    #[error("unknown message type {found}; 2, 3 and 4 are known")]
    UnknownType {
        /// The first element as it came.
        found: String,
    },
    /// A call whose id is readable: answer a CALLERROR with this code.
    #[error("malformed call {id}: {reason}")]
    BadCall {
        /// Of the call.
        id: String,
        /// To answer.
        code: ErrorCode,
        /// What was found and what would be right.
        reason: String,
    },
    /// An answer to our call with this id that cannot be read: the call has failed, and nothing is sent.
    #[error("malformed answer to call {id}: {reason}")]
    BadAnswer {
        /// Of our call.
        id: String,
        /// What was found and what would be right.
        reason: String,
    },
}

impl FrameError {
    /// The CALLERROR to send, if one is due.
    #[must_use]
    pub fn reply(&self) -> Option<String> {
        match self {
            Self::BadCall { id, code, reason } => Some(write_error(id, code, reason)),
            Self::Unreadable { .. } | Self::UnknownType { .. } | Self::BadAnswer { .. } => None,
        }
    }
}

impl<'a> Frame<'a> {
    /// Reads a frame. What is wrong with it and can be lived with is added to `violations`.
    ///
    /// # Errors
    /// When it is no frame; the error says what is to be answered.
    pub fn parse(text: &'a str, violations: &mut Violations) -> Result<Self, FrameError> {
        let mut elements = Vec::with_capacity(5);
        let broken = read_elements(text, &mut elements).err();
        let mut rest = elements.into_iter();
        let (Some(kind), Some(id)) = (rest.next(), rest.next()) else {
            let reason = broken.map_or_else(|| "fewer than two elements".to_owned(), |e| e.to_string());
            return Err(FrameError::Unreadable { reason });
        };
        let kind = kind.get();
        if !matches!(kind, "2" | "3" | "4") {
            return Err(match broken {
                Some(error) => FrameError::Unreadable { reason: error.to_string() },
                None => FrameError::UnknownType { found: kind.chars().take(20).collect() },
            });
        }
        let Some(id) = text_of(id) else {
            return Err(FrameError::Unreadable { reason: "the message id at $[1] is not a text".to_owned() });
        };
        if id.chars().count() > ID_LENGTH {
            violations.add(
                ViolationKind::TooLong,
                &Place::ROOT.index(1),
                "a message id has at most 36 characters",
            );
        }
        let rest = Rest { elements: rest, broken, violations };
        match kind {
            "2" => rest.call(id),
            "3" => rest.result(id),
            _ => rest.error(id),
        }
    }

    /// The id, whatever the kind.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Call { id, .. } | Self::Result { id, .. } | Self::Error { id, .. } => id,
        }
    }
}

/// What follows type and id.
struct Rest<'a, 'v> {
    elements: std::vec::IntoIter<&'a RawValue>,
    broken: Option<serde_json::Error>,
    violations: &'v mut Violations,
}

impl<'a> Rest<'a, '_> {
    fn call(mut self, id: Cow<'a, str>) -> Result<Frame<'a>, FrameError> {
        let bad = |id: &Cow<'_, str>, reason: String| FrameError::BadCall {
            id: id.to_string(),
            code: ErrorCode::FormationViolation,
            reason,
        };
        if let Some(error) = self.broken {
            return Err(bad(&id, format!("the frame is not valid JSON: {error}")));
        }
        let (Some(action), Some(payload)) = (self.elements.next(), self.elements.next()) else {
            return Err(bad(&id, "a CALL has four elements: [2, id, action, payload]".to_owned()));
        };
        let Some(action) = text_of(action) else {
            return Err(bad(&id, "the action at $[2] is not a text".to_owned()));
        };
        self.note_surplus(4);
        Ok(Frame::Call { id, action, payload })
    }

    fn result(mut self, id: Cow<'a, str>) -> Result<Frame<'a>, FrameError> {
        let bad = |reason: String| FrameError::BadAnswer { id: id.to_string(), reason };
        if let Some(error) = self.broken {
            return Err(bad(format!("the frame is not valid JSON: {error}")));
        }
        let Some(payload) = self.elements.next() else {
            return Err(bad("a CALLRESULT has three elements: [3, id, payload]".to_owned()));
        };
        self.note_surplus(3);
        Ok(Frame::Result { id, payload })
    }

    fn error(mut self, id: Cow<'a, str>) -> Result<Frame<'a>, FrameError> {
        let bad = |reason: String| FrameError::BadAnswer { id: id.to_string(), reason };
        if let Some(error) = self.broken {
            return Err(bad(format!("the frame is not valid JSON: {error}")));
        }
        let Some(code) = self.elements.next().and_then(text_of) else {
            return Err(bad("a CALLERROR has an error code as a text at $[2]".to_owned()));
        };
        let description = self.elements.next().and_then(text_of);
        let details = self.elements.next();
        if description.is_none() || details.is_none() {
            let place = Place::ROOT;
            self.violations.add(
                ViolationKind::FrameForm,
                &place,
                "a CALLERROR has five elements: [4, id, code, text, {}]",
            );
        }
        self.note_surplus(5);
        Ok(Frame::Error {
            id,
            code: ErrorCode::from(code.as_ref()),
            description: description.unwrap_or_default(),
            details,
        })
    }

    fn note_surplus(&mut self, known: usize) {
        if self.elements.next().is_some() {
            self.violations.add(
                ViolationKind::FrameForm,
                &Place::ROOT.index(known),
                "more elements than the message type has",
            );
        }
    }
}

/// Reads the elements of the array into `elements`; when the text breaks off, those before the break are
/// there, so that a call that broke can still be answered by its id.
fn read_elements<'a>(text: &'a str, elements: &mut Vec<&'a RawValue>) -> Result<(), serde_json::Error> {
    struct Elements<'a, 'o>(&'o mut Vec<&'a RawValue>);
    impl<'a> Visitor<'a> for Elements<'a, '_> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array [type, id, …]")
        }
        fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
            while let Some(element) = seq.next_element::<&'a RawValue>()? {
                // Nothing has more than five elements; the sixth shows that there are too many.
                if self.0.len() < 6 {
                    self.0.push(element);
                }
            }
            Ok(())
        }
    }
    impl<'a> DeserializeSeed<'a> for Elements<'a, '_> {
        type Value = ();
        fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_seq(self)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Elements(elements).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Writes a CALL, compact.
///
/// # Errors
/// When the payload is not what may be sent: a text too long, a word that the version does not have.
pub fn write_call<P: Serialize>(id: &str, action: &str, payload: &P) -> Result<String, serde_json::Error> {
    if id.chars().count() > ID_LENGTH {
        return Err(serde_json::Error::custom("a message id has at most 36 characters"));
    }
    serde_json::to_string(&(2, id, action, payload))
}

/// Writes a CALLRESULT, compact.
///
/// # Errors
/// When the payload is not what may be sent: a text too long, a word that the version does not have.
pub fn write_result<P: Serialize>(id: &str, payload: &P) -> Result<String, serde_json::Error> {
    serde_json::to_string(&(3, id, payload))
}

/// Writes a CALLERROR without details, compact; the description is cut to 255 characters.
#[must_use]
pub fn write_error(id: &str, code: &ErrorCode, description: &str) -> String {
    let description: String = description.chars().take(DESCRIPTION_LENGTH).collect();
    let id = serde_json::Value::from(id);
    let description = serde_json::Value::from(description);
    let code = serde_json::Value::from(code.as_str());
    format!("[4,{id},{code},{description},{{}}]")
}

/// Writes the CALLERROR for a payload that could not be read; its description names the place.
#[must_use]
pub fn write_fault(id: &str, fault: &Fault) -> String {
    write_error(id, &fault.code, &fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Frame<'_>, FrameError> {
        Frame::parse(text, &mut Violations::default())
    }

    #[test]
    fn the_three_kinds_are_read_without_a_copy() {
        let text = r#"[2,"19223201","BootNotification",{"chargePointVendor":"VendorX"}]"#;
        let Ok(Frame::Call { id: Cow::Borrowed(id), action: Cow::Borrowed(action), payload }) = parse(text)
        else {
            panic!("{text}")
        };
        assert_eq!((id, action), ("19223201", "BootNotification"));
        assert_eq!(payload.get(), r#"{"chargePointVendor":"VendorX"}"#);

        let Ok(Frame::Result { id, payload }) = parse(" [ 3 , \"7\" , null ] ") else { panic!() };
        assert_eq!((id.as_ref(), payload.get()), ("7", "null"));

        let mut violations = Violations::default();
        let text = r#"[4,"7","NotSupported",""]"#;
        let Ok(Frame::Error { code, details: None, .. }) = Frame::parse(text, &mut violations) else {
            panic!()
        };
        assert_eq!(code, ErrorCode::NotSupported);
        assert_eq!(violations.into_vec().len(), 1);
    }

    #[test]
    fn a_call_with_a_readable_id_is_answered_and_everything_else_is_not() {
        for (text, id) in [
            (r#"[2,"a","Heartbeat"]"#, "a"),
            (r#"[2,"b",5,{}]"#, "b"),
            (r#"[2,"c","BootNotification",{"chargePointVendor":"#, "c"),
            (r#"[2,"d","Heartbeat",{}"#, "d"),
            (r#"[2,"e","Heartbeat",{}] x"#, "e"),
        ] {
            let error = parse(text).unwrap_err();
            let reply = error.reply().unwrap();
            assert!(reply.starts_with(&format!("[4,\"{id}\",\"FormationViolation\",")), "{text}: {reply}");
            assert!(matches!(parse(&reply), Ok(Frame::Error { .. })), "{reply}");
        }
        for text in ["", "hello", "{}", "[]", "[2]", "[2,7,\"Heartbeat\",{}]", "[2", "null"] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, FrameError::Unreadable { .. }), "{text}: {error}");
            assert_eq!(error.reply(), None, "{text}");
        }
        assert_eq!(parse(r#"[6,"a",{}]"#).unwrap_err(), FrameError::UnknownType { found: "6".to_owned() });
        assert!(matches!(parse(r#"[3,"a"]"#), Err(FrameError::BadAnswer { id, .. }) if id == "a"));
    }

    #[test]
    fn what_is_written_is_compact_and_reads_back() {
        assert_eq!(
            write_call("1", "Reset", &serde_json::json!({"type": "Soft"})).unwrap(),
            r#"[2,"1","Reset",{"type":"Soft"}]"#
        );
        assert_eq!(write_result("a\"b", &serde_json::json!({})).unwrap(), r#"[3,"a\"b",{}]"#);
        assert!(write_call(&"x".repeat(37), "Reset", &()).is_err());
        assert_eq!(
            write_error("1", &ErrorCode::OccurenceConstraintViolation, "a \"b\""),
            r#"[4,"1","OccurenceConstraintViolation","a \"b\"",{}]"#
        );
        let long = write_error("1", &ErrorCode::GenericError, &"ä".repeat(300));
        let Ok(Frame::Error { description, .. }) = parse(&long) else { panic!("{long}") };
        assert_eq!(description.chars().count(), 255);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn nothing_like_a_frame_panics(text in r#"\[[234](,("[a-z\\u0-9]{0,4}"|\{.{0,6}\}|null|-?[0-9.e]{1,3})){0,6}\]?"#) {
            match parse(&text) {
                Ok(frame) => prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{:?}", frame),
                Err(error) => if let Some(reply) = error.reply() {
                    let reads_back = matches!(parse(&reply), Ok(Frame::Error { .. }));
                    prop_assert!(reads_back, "{}", reply);
                }
            }
        }

        #[test]
        fn any_bytes_that_are_text_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }
    }
}
