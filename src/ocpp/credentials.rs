//! How a station proves who it is: HTTP Basic (OCPP 1.6 security white paper, 4.2, security profile 1).
//!
//! The user is the station's id, the password its AuthorizationKey. Stations send that key in two ways: the
//! text that was typed in, or the bytes that its hexadecimal digits stand for. Operators store it in two ways
//! too. Any of them is the same secret, so any is accepted.

use crate::domain::station::StationAuth;
use crate::security::Keys;
use actix_web::http::header::HeaderValue;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 with or without padding: some stations leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A hash that nothing has, to compare with where there is none, so that an unknown station takes as long.
const NO_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a station is not let in. All but the last look the same from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    /// No station has that id.
    #[error("no station has this id")]
    UnknownStation,
    /// The id is no id.
    #[error("the path holds no station id")]
    MalformedId,
    /// No `Authorization` header.
    #[error("no password was sent")]
    NoPassword,
    /// Not `Basic`, not base64, or without a colon.
    #[error("the Authorization header is not HTTP Basic")]
    NotBasic,
    /// Another user than the station's id.
    #[error("the user name is not the station's id")]
    WrongUser,
    /// Another password.
    #[error("wrong password")]
    WrongPassword,
    /// The station is configured to need no password, and the node does not allow that.
    #[error("the station was added without a password, and ocpp.allow_no_auth is off")]
    PasswordNeeded,
}

impl Denied {
    /// The label to count by.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::UnknownStation => "unknown_station",
            Self::MalformedId => "malformed_id",
            Self::NoPassword => "no_password",
            Self::NotBasic => "not_basic",
            Self::WrongUser => "wrong_user",
            Self::WrongPassword => "wrong_password",
            Self::PasswordNeeded => "password_needed",
        }
    }
}

/// Whether a station may come in. `known` is how the station with that id proves itself, `None` when there is
/// no such station. The work is the same in every case.
pub(super) fn check(
    keys: &Keys,
    id: &str,
    known: Option<(StationAuth, Option<&str>)>,
    allow_no_auth: bool,
    header: Option<&HeaderValue>,
) -> Result<(), Denied> {
    let sent = read_header(id, header);
    let hash = known.and_then(|(_, hash)| hash);
    let right = matches(keys, sent.as_deref().unwrap_or_default(), hash.unwrap_or(NO_HASH));
    match known {
        None => Err(Denied::UnknownStation),
        Some((StationAuth::None, _)) if allow_no_auth => Ok(()),
        Some((StationAuth::None, _)) => Err(Denied::PasswordNeeded),
        Some((StationAuth::Basic, _)) => match sent {
            Err(denied) => Err(denied),
            Ok(_) if right && hash.is_some() => Ok(()),
            Ok(_) => Err(Denied::WrongPassword),
        },
    }
}

/// The password in the header.
fn read_header(id: &str, header: Option<&HeaderValue>) -> Result<Vec<u8>, Denied> {
    let header = header.ok_or(Denied::NoPassword)?.as_bytes();
    let (scheme, rest) = header.split_at_checked(6).ok_or(Denied::NotBasic)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return Err(Denied::NotBasic);
    }
    let sent = BASE64.decode(rest.trim_ascii()).map_err(|_| Denied::NotBasic)?;
    // The user ends at the first colon (RFC 7617, 2), unless the station's id itself has one.
    let ours = sent.strip_prefix(id.as_bytes()).and_then(|rest| rest.strip_prefix(b":"));
    match ours {
        Some(password) => Ok(password.to_vec()),
        None if sent.contains(&b':') => Err(Denied::WrongUser),
        None => Err(Denied::NotBasic),
    }
}

/// Whether what was sent is the password with that hash, in one of its four forms.
fn matches(keys: &Keys, sent: &[u8], hash: &str) -> bool {
    let text = std::str::from_utf8(sent).ok();
    let lower: String = sent.iter().map(|byte| format!("{byte:02x}")).collect();
    let upper = lower.to_ascii_uppercase();
    let bytes = text.and_then(from_hex);
    let forms = [text, Some(&lower), Some(&upper), bytes.as_deref()];
    // No `any`, which would end at the first that fits.
    forms.into_iter().fold(false, |right, form| {
        let fits = keys.matches(form.unwrap_or_default(), hash);
        right | (fits && form.is_some_and(|form| !form.is_empty()))
    })
}

/// The text whose bytes a text of hexadecimal digits stands for.
fn from_hex(text: &str) -> Option<String> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, SecretKey};

    fn keys() -> Keys {
        Keys::new(&SecretKey::new(Secret::new("k".repeat(40))).unwrap()).unwrap()
    }

    fn try_with(stored: &str, sent: &[u8]) -> Result<(), Denied> {
        let keys = keys();
        let credentials = [b"CS1:", sent].concat();
        let header = format!("bAsIc {}", BASE64.encode(credentials));
        let hash = keys.hash(stored);
        check(
            &keys,
            "CS1",
            Some((StationAuth::Basic, Some(&hash))),
            false,
            Some(&HeaderValue::from_str(&header).unwrap()),
        )
    }

    #[test]
    fn a_password_fits_raw_or_in_hexadecimal_whichever_side_did_it() {
        assert_eq!(try_with("s3cret:with:colons", b"s3cret:with:colons"), Ok(()));
        assert_eq!(try_with("0f1e2d3c", &[0x0f, 0x1e, 0x2d, 0x3c]), Ok(()));
        assert_eq!(try_with("AB01FF", &[0xab, 0x01, 0xff]), Ok(()));
        assert_eq!(try_with("abc", b"616263"), Ok(()));
        assert_eq!(try_with("abc", b"ABC"), Err(Denied::WrongPassword));
        assert_eq!(try_with("abc", b""), Err(Denied::WrongPassword));
        assert_eq!(try_with("", b""), Err(Denied::WrongPassword));
    }

    #[test]
    fn every_other_header_is_refused_with_its_reason() {
        let keys = keys();
        let hash = keys.hash("secret");
        let known = Some((StationAuth::Basic, Some(hash.as_str())));
        let with = |header: Option<&str>, known| {
            let header = header.map(|text| HeaderValue::from_str(text).unwrap());
            check(&keys, "CS1", known, true, header.as_ref())
        };
        let right = format!("Basic {}", BASE64.encode("CS1:secret"));
        let other_user = format!("Basic {}", BASE64.encode("CS2:secret"));
        assert_eq!(with(Some(&right), known), Ok(()));
        assert_eq!(with(Some(right.trim_end_matches('=')), known), Ok(()));
        assert_eq!(with(Some(&right), None), Err(Denied::UnknownStation));
        assert_eq!(with(None, known), Err(Denied::NoPassword));
        assert_eq!(with(Some(&other_user), known), Err(Denied::WrongUser));
        assert_eq!(with(Some("Bearer abc"), known), Err(Denied::NotBasic));
        assert_eq!(with(Some("Basic !!!"), known), Err(Denied::NotBasic));
        assert_eq!(with(Some("Basic"), known), Err(Denied::NotBasic));
        assert_eq!(with(Some(&right), Some((StationAuth::Basic, None))), Err(Denied::WrongPassword));
        assert_eq!(with(None, Some((StationAuth::None, None))), Ok(()));
        let strict = check(&keys, "CS1", Some((StationAuth::None, None)), false, None);
        assert_eq!(strict, Err(Denied::PasswordNeeded));
    }
}
