//! The codes at charging points: an address that names an EVSE and is signed, so that nobody but the operator makes
//! one. A code that is printed counts always (the "specific" code of Regulation (EU) 2023/1804, Article 5(1)(c)); one
//! that a display shows counts for a while (the "dynamic" one).
//!
//! A signature does not tell whether a sticker was put over another one; a code that a display renews does.

use crate::domain::Timestamp;
use crate::security::Keys;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

/// Letters of the signature: 96 bits, which nobody tries out over a network.
const LENGTH: usize = 16;

/// What stays as it is in a segment of a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The EVSE, by its `evse_id` or `uid`.
    pub evse: String,
    /// Until when it counts, seconds since 1970; always, where there is none.
    pub until: Option<i64>,
}

/// Why a code is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It was not signed by this installation.
    #[error("the code was not made by this installation")]
    NotOurs,
    /// Its time is over.
    #[error("the code has run out")]
    Over,
}

impl Code {
    /// The signature, in letters that fit into a URL.
    #[must_use]
    pub fn signature(&self, keys: &Keys) -> String {
        let until = self.until.map(|until| until.to_string()).unwrap_or_default();
        let mut signature = keys.hash(&format!("pay code {until} {}", self.evse));
        signature.truncate(LENGTH);
        signature
    }

    /// Checks a signature that came with it.
    ///
    /// # Errors
    /// When it is another one, or the code's time is over.
    pub fn check(&self, keys: &Keys, signature: &str, now: Timestamp) -> Result<(), CodeError> {
        let ours = self.signature(keys);
        if aws_lc_rs::constant_time::verify_slices_are_equal(ours.as_bytes(), signature.as_bytes()).is_err() {
            return Err(CodeError::NotOurs);
        }
        match self.until {
            Some(until) if until.saturating_mul(1000) <= now.millis() => Err(CodeError::Over),
            _ => Ok(()),
        }
    }

    /// The address behind the code, below this installation's public address.
    #[must_use]
    pub fn path(&self, keys: &Keys) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(until) = self.until {
            query.append_pair("t", &until.to_string());
        }
        query.append_pair("s", &self.signature(keys));
        format!("/pay/{}?{}", utf8_percent_encode(&self.evse, IN_PATH), query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secret, SecretKey};

    fn keys(letter: &str) -> Keys {
        Keys::new(&SecretKey::new(Secret::new(letter.repeat(40))).unwrap()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn only_our_own_codes_are_taken_and_only_in_their_time() {
        let (keys, now) = (keys("a"), at("2026-01-01T00:00:00Z"));
        let printed = Code { evse: "DE*ABC*E1".into(), until: None };
        let signature = printed.signature(&keys);
        assert_eq!(printed.check(&keys, &signature, now), Ok(()));
        assert_eq!(printed.check(&super::tests::keys("b"), &signature, now), Err(CodeError::NotOurs));
        assert_eq!(printed.check(&keys, "", now), Err(CodeError::NotOurs));
        let other = Code { evse: "DE*ABC*E2".into(), until: None };
        assert_eq!(other.check(&keys, &signature, now), Err(CodeError::NotOurs));

        let shown = Code { until: Some(now.millis() / 1000 + 60), ..printed };
        assert_eq!(
            shown.check(&keys, &signature, now),
            Err(CodeError::NotOurs),
            "a printed code with a time added"
        );
        let signature = shown.signature(&keys);
        assert_eq!(shown.check(&keys, &signature, now), Ok(()));
        assert_eq!(shown.check(&keys, &signature, at("2026-01-01T00:01:00Z")), Err(CodeError::Over));
    }

    #[test]
    fn the_address_holds_what_the_code_says() {
        let keys = keys("a");
        let code = Code { evse: "DE*ABC*E1/2 ä".into(), until: Some(7) };
        assert_eq!(code.path(&keys), format!("/pay/DE*ABC*E1%2F2%20%C3%A4?t=7&s={}", code.signature(&keys)));
    }
}
