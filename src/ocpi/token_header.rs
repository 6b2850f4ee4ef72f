//! The token in the Authorization header (OCPI 2.2.1 transport_and_format, "Authorization header").
//!
//! The specification wants it in base64; platforms of older versions, and some of this one, send it raw. A raw
//! token may happen to read as base64, so both readings are candidates, and the one that is known counts.

use crate::domain::partner::TokenEncoding;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD};

/// Accepts padding and its absence: platforms differ.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Longer headers than this hold no token of ours: 64 characters are the longest token, in base64.
const LONGEST: usize = 512;

/// Why a header holds no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenHeaderError {
    /// No header.
    #[error("the header Authorization is missing; 'Authorization: Token <token in base64>' is wanted")]
    Missing,
    /// Another scheme, e.g. Bearer.
    #[error(
        "the header Authorization is of another scheme; 'Authorization: Token <token in base64>' is wanted"
    )]
    OtherScheme,
    /// Empty, too long, or with characters that no token has.
    #[error("the header Authorization holds no token; 'Authorization: Token <token in base64>' is wanted")]
    Malformed,
}

/// The tokens that a header may mean, the likelier first; never more than two.
///
/// # Errors
/// When there is no header, or it is of another scheme or form.
pub fn candidates(header: Option<&str>) -> Result<Vec<String>, TokenHeaderError> {
    let header = header.ok_or(TokenHeaderError::Missing)?.trim();
    let (scheme, token) = header.split_once([' ', '\t']).unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("Token") {
        return Err(TokenHeaderError::OtherScheme);
    }
    let token = token.trim();
    let printable = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if token.len() > LONGEST || !printable(token) {
        return Err(TokenHeaderError::Malformed);
    }
    let decoded = LENIENT.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let mut tokens: Vec<String> = decoded.filter(|text| printable(text)).into_iter().collect();
    tokens.push(token.to_owned());
    Ok(tokens)
}

/// The header's value for a partner. Encodings that are not known are taken for base64, the specification's.
#[must_use]
pub fn encode(token: &str, encoding: &TokenEncoding) -> String {
    match encoding {
        TokenEncoding::Raw => format!("Token {token}"),
        TokenEncoding::Base64 | TokenEncoding::Other(_) => format!("Token {}", STANDARD.encode(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_are_understood() {
        // The example of the specification.
        let token = "example-token";
        assert_eq!(encode(token, &TokenEncoding::Base64), "Token ZXhhbXBsZS10b2tlbg==");
        for encoding in [TokenEncoding::Base64, TokenEncoding::Raw] {
            let header = encode(token, &encoding);
            assert!(candidates(Some(&header)).unwrap().contains(&token.to_owned()), "{header}");
        }
        let unpadded = candidates(Some("token ZXhhbXBsZS10b2tlbg")).unwrap();
        assert_eq!(unpadded, ["example-token", "ZXhhbXBsZS10b2tlbg"]);
    }

    #[test]
    fn a_raw_token_that_reads_as_base64_is_found_too() {
        let raw = "YWJjZGVmZ2g";
        assert_eq!(candidates(Some(&format!("Token {raw}"))).unwrap(), ["abcdefgh", raw]);
    }

    #[test]
    fn what_is_no_token_is_an_error_and_never_a_panic() {
        for (header, wanted) in [
            (None, TokenHeaderError::Missing),
            (Some(""), TokenHeaderError::OtherScheme),
            (Some("Bearer abc"), TokenHeaderError::OtherScheme),
            (Some("Token"), TokenHeaderError::Malformed),
            (Some("Token   "), TokenHeaderError::Malformed),
            (Some("Token a b"), TokenHeaderError::Malformed),
            (Some("Token ä"), TokenHeaderError::Malformed),
        ] {
            assert_eq!(candidates(header).unwrap_err(), wanted, "{header:?}");
        }
        assert_eq!(candidates(Some(&format!("Token {}", "a".repeat(600)))), Err(TokenHeaderError::Malformed));
    }
}
