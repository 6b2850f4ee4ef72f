//! Secrets: texts that never appear in logs, and the node's key.

use std::fmt;

/// A text that `Debug` and `Display` do not show.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "(hidden)" })
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The key of this installation, from which a key for each purpose is derived, so that one purpose never
/// weakens another.
#[derive(Clone)]
pub struct SecretKey(Secret);

impl SecretKey {
    /// Fewest characters of a key.
    pub const MIN_LENGTH: usize = 32;

    /// Takes a text of at least [`Self::MIN_LENGTH`] characters, or returns nothing.
    #[must_use]
    pub fn new(text: Secret) -> Option<Self> {
        (text.reveal().len() >= Self::MIN_LENGTH).then_some(Self(text))
    }

    /// The 32 bytes for `purpose`: HMAC-SHA-256 of its name. The same key and purpose give the same bytes
    /// forever; changing a purpose's name loses what was made with it.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        use aws_lc_rs::hmac;
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.reveal().as_bytes());
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(hmac::sign(&key, purpose.as_bytes()).as_ref()) {
            *to = *from;
        }
        bytes
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "(hidden) (hidden) Some((hidden))");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn each_purpose_has_its_own_key() {
        assert!(SecretKey::new(Secret::new("x".repeat(31))).is_none());
        let key = SecretKey::new(Secret::new("x".repeat(32))).unwrap();
        assert_ne!(key.derive("a"), key.derive("b"));
        assert_eq!(key.derive("a"), key.derive("a"));
        assert!(!format!("{key:?}").contains('x'));
    }
}
