//! The envelope around every answer (OCPI 2.2.1 transport_and_format, "Response format"), and its status codes.

use super::wire::{Parsed, Wire, WireError, parse_list, parse_noting, parse_plain};
use crate::domain::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// What an answer says about the request (OCPI 2.2.1 status_codes). Any four digits are kept: parties have
/// codes of their own (19xx, 29xx, 39xx, 49xx).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct StatusCode(u16);

macro_rules! status_codes {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $meaning:literal;)+) => {
        impl StatusCode {
            $($(#[$meta])* #[doc = concat!("`", $code, "`: ", $meaning, ".")] pub const $name: Self = Self($code);)+

            /// Every code of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// What the specification says it means; for a code of somebody's own, what its range means.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self.0 {
                    $($code => $meaning,)+
                    1000..=1999 => "success",
                    2000..=2999 => "client error",
                    3000..=3999 => "server error",
                    4000..=4999 => "hub error",
                    _ => "no status code of OCPI",
                }
            }
        }
    };
}

status_codes! {
    SUCCESS = 1000, "success";
    CLIENT_ERROR = 2000, "client error";
    INVALID_PARAMETERS = 2001, "invalid or missing parameters";
    NOT_ENOUGH_INFORMATION = 2002, "not enough information";
    UNKNOWN_LOCATION = 2003, "unknown Location";
    UNKNOWN_TOKEN = 2004, "unknown Token";
    SERVER_ERROR = 3000, "server error";
    UNABLE_TO_USE_API = 3001, "unable to use the client's API";
    UNSUPPORTED_VERSION = 3002, "unsupported version";
    NO_MATCHING_ENDPOINTS = 3003, "no matching endpoints or expected endpoints missing between parties";
    HUB_ERROR = 4000, "hub error";
    UNKNOWN_RECEIVER = 4001, "unknown receiver";
    HUB_TIMEOUT = 4002, "timeout on forwarded request";
    HUB_CONNECTION_PROBLEM = 4003, "connection problem";
}

impl StatusCode {
    /// A code of four digits; none when it is something else.
    #[must_use]
    pub fn new(code: u16) -> Option<Self> {
        (1000..=9999).contains(&code).then_some(Self(code))
    }

    /// The four digits.
    #[must_use]
    pub fn code(self) -> u16 {
        self.0
    }

    /// 1xxx: the request was done.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self.0, 1000..=1999)
    }

    /// 2xxx: the sender of the request did something wrong; sending it again changes nothing.
    #[must_use]
    pub fn is_client_error(self) -> bool {
        matches!(self.0, 2000..=2999)
    }

    /// 3xxx: the receiver could not do it; it may be able to later.
    #[must_use]
    pub fn is_server_error(self) -> bool {
        matches!(self.0, 3000..=3999)
    }

    /// 4xxx: a hub could not pass it on.
    #[must_use]
    pub fn is_hub_error(self) -> bool {
        matches!(self.0, 4000..=4999)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.meaning())
    }
}

impl<'de> Deserialize<'de> for StatusCode {
    /// Also reads the number as a text, which some platforms write.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = match &value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let code = number.and_then(|number| u16::try_from(number).ok()).and_then(Self::new);
        code.ok_or_else(|| serde::de::Error::custom("a status code of four digits is wanted"))
    }
}

/// An answer of ours.
#[derive(Debug, Clone, Serialize)]
pub struct Envelope<T> {
    /// The object or list; left out where there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<T>,
    /// How the request went.
    pub status_code: StatusCode,
    /// In words, which helps whoever debugs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// When the answer was made.
    pub timestamp: Timestamp,
}

impl<T> Envelope<T> {
    /// The request was done, and here is what it asked for.
    #[must_use]
    pub fn success(data: T, now: Timestamp) -> Self {
        Self { data: Some(data), status_code: StatusCode::SUCCESS, status_message: None, timestamp: now }
    }
}

impl Envelope<()> {
    /// The request was done, and there is nothing to give back (PUT, PATCH, DELETE).
    #[must_use]
    pub fn done(now: Timestamp) -> Self {
        Self { data: None, status_code: StatusCode::SUCCESS, status_message: None, timestamp: now }
    }

    /// The request was not done, and why.
    #[must_use]
    pub fn error(code: StatusCode, message: impl Into<String>, now: Timestamp) -> Self {
        Self { data: None, status_code: code, status_message: Some(message.into()), timestamp: now }
    }
}

/// A partner's answer. Its data are kept as text until it is known what they should be: with an error they may
/// be anything, and after a PUT or PATCH they may be missing or anything.
#[derive(Debug, Clone, Deserialize)]
pub struct Answer {
    /// The object or list, as it came.
    #[serde(default)]
    pub data: Option<Box<RawValue>>,
    /// How the request went.
    pub status_code: StatusCode,
    /// In words.
    #[serde(default, deserialize_with = "any_text")]
    pub status_message: Option<String>,
    /// When the answer was made; some platforms leave it out or write it in a form of their own.
    #[serde(default, deserialize_with = "any_time")]
    pub timestamp: Option<Timestamp>,
}

fn any_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

fn any_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_str().and_then(|text| Timestamp::parse(text).ok()))
}

/// Why an answer does not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The body is no envelope, or its data are not what was asked for.
    #[error("the answer cannot be read: {0}")]
    Unreadable(WireError),
    /// The partner says that it did not do it.
    #[error("the partner answered {code}{}", message.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// Its status code.
        code: StatusCode,
        /// Its words, at most 200 characters of them.
        message: Option<String>,
    },
}

impl Answer {
    /// Reads a partner's answer.
    ///
    /// # Errors
    /// When the body is no JSON or has no status code.
    pub fn parse(body: &[u8]) -> Result<Self, AnswerError> {
        // A list would be read field by field in their order: only an object is an envelope.
        let text: &RawValue = parse_plain(body).map_err(AnswerError::Unreadable)?;
        if !text.get().starts_with('{') {
            return Err(AnswerError::Unreadable(WireError::at("$", "an object with status_code is wanted")));
        }
        parse_plain(text.get().as_bytes()).map_err(AnswerError::Unreadable)
    }

    /// Makes an error of an answer that says the request was not done.
    ///
    /// # Errors
    /// For every status code beyond 1xxx.
    pub fn successful(self) -> Result<Self, AnswerError> {
        if self.status_code.is_success() {
            return Ok(self);
        }
        let message = self.status_message.map(|text| text.chars().take(200).collect());
        Err(AnswerError::Refused { code: self.status_code, message })
    }

    /// The one object of a successful answer.
    ///
    /// # Errors
    /// When the partner refused, or the data are missing or cannot be read.
    pub fn into_object<T: Wire>(self) -> Result<Parsed<T>, AnswerError> {
        let data = self.successful()?.data;
        let data = data.ok_or_else(|| WireError::at("$.data", "is required and missing"));
        data.and_then(|data| parse_noting(data.get().as_bytes()).map_err(|error| error.under(".data")))
            .map_err(AnswerError::Unreadable)
    }

    /// The list of a successful answer; a bad object is an error in its place. Missing data are no objects.
    ///
    /// # Errors
    /// When the partner refused, or the data are no list.
    pub fn into_list<T: Wire>(self) -> Result<Vec<Result<Parsed<T>, WireError>>, AnswerError> {
        match self.successful()?.data {
            None => Ok(Vec::new()),
            Some(data) => parse_list(&data).map_err(|error| AnswerError::Unreadable(error.under(".data"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocpi::v2_2_1::versions::wire::Version;

    #[test]
    fn an_error_may_bring_anything_as_data() {
        for data in
            [r#""#, r#""data": null,"#, r#""data": [],"#, r#""data": "oops","#, r#""data": {"a": 1},"#]
        {
            let body = format!(r#"{{{data} "status_code": 2003, "status_message": "no such place"}}"#);
            let error = Answer::parse(body.as_bytes()).unwrap().into_object::<Version>().unwrap_err();
            assert_eq!(error.to_string(), "the partner answered 2003 (unknown Location): no such place");
        }
    }

    #[test]
    fn a_put_may_be_answered_without_data_time_or_number() {
        for body in [
            r#"{"status_code": 1000}"#,
            r#"{"status_code": "1000", "timestamp": "just now", "status_message": 1}"#,
            r#"{"status_code": 1999, "data": "", "timestamp": "2015-06-30T21:59:59"}"#,
        ] {
            assert!(Answer::parse(body.as_bytes()).unwrap().successful().is_ok(), "{body}");
        }
    }

    #[test]
    fn an_answer_that_is_no_envelope_says_what_is_wrong() {
        for (body, wanted) in [
            ("<html>", "line 1, column 1: not JSON: expected value"),
            ("[null, 1000]", "$: an object with status_code is wanted"),
            (r#"{"data": []}"#, "$: missing field `status_code`"),
            (r#"{"status_code": 7}"#, "$.status_code: a status code of four digits is wanted"),
        ] {
            let error = Answer::parse(body.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(wanted), "{body}: {error}");
        }
    }

    #[test]
    fn a_bad_object_does_not_lose_the_page() {
        let body = br#"{"status_code": 1000, "data": [{"version": "2.2.1", "url": "https://a.example"}, {"version": "2.3"}]}"#;
        let list = Answer::parse(body).unwrap().into_list::<Version>().unwrap();
        assert_eq!(list[0].as_ref().unwrap().object.version, "2.2.1");
        assert_eq!(list[1].as_ref().unwrap_err().to_string(), "$[1].url: is required and missing");
    }

    #[test]
    fn ours_has_what_the_specification_asks_for() {
        let now = "2026-01-31T18:00:00Z".parse().unwrap();
        let text = serde_json::to_string(&Envelope::error(StatusCode::UNKNOWN_TOKEN, "who?", now)).unwrap();
        assert_eq!(
            text,
            r#"{"status_code":2004,"status_message":"who?","timestamp":"2026-01-31T18:00:00Z"}"#
        );
        let text = serde_json::to_string(&Envelope::success([1], now)).unwrap();
        assert_eq!(text, r#"{"data":[1],"status_code":1000,"timestamp":"2026-01-31T18:00:00Z"}"#);
    }

    #[test]
    fn codes_fall_into_their_ranges() {
        assert_eq!(StatusCode::ALL.len(), 14);
        assert!(StatusCode::ALL.iter().all(|code| StatusCode::new(code.code()) == Some(*code)));
        assert!(StatusCode::new(2901).unwrap().is_client_error());
        assert_eq!(StatusCode::new(99), None);
    }
}
