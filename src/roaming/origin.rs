//! Origins: scheme, host and port of a URL. An operator approves for each partner the origins that its URLs may
//! have; nothing is ever sent anywhere else.

use std::fmt;
use url::{Host, Url};

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' {reason}")]
pub struct OriginError {
    /// The text, at most 100 characters of it.
    pub found: String,
    /// What is wrong with it and what would be right.
    pub reason: &'static str,
}

impl OriginError {
    fn new(found: &str, reason: &'static str) -> Self {
        Self { found: found.chars().take(100).collect(), reason }
    }
}

/// `scheme://host[:port]`, in the one form by which two are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin as an operator writes it: a URL with nothing behind host and port.
    ///
    /// # Errors
    /// When it is no http or https URL, or names more than an origin.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let url = read_url(text)?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(OriginError::new(
                text,
                "names more than an origin: write scheme, host and port only, like https://peer.example",
            ));
        }
        Ok(Self::of(&url))
    }

    /// The origin of a URL.
    ///
    /// # Errors
    /// When it is no http or https URL, or holds a user or a password.
    pub fn of_url(text: &str) -> Result<Self, OriginError> {
        Ok(Self::of(&read_url(text)?))
    }

    /// The origin of a URL that was read.
    #[must_use]
    pub fn of(url: &Url) -> Self {
        Self(url.origin().ascii_serialization())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a URL that something may be sent to.
///
/// # Errors
/// When it is no http or https URL with a host, or holds a user or a password.
pub fn read_url(text: &str) -> Result<Url, OriginError> {
    let url = Url::parse(text.trim())
        .map_err(|_| OriginError::new(text, "is no URL: write one like https://peer.example"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(OriginError::new(text, "is of another scheme than https or http"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OriginError::new("(hidden)", "holds a user or a password, which OCPI URLs never do"));
    }
    match url.host() {
        Some(Host::Domain("")) | None => Err(OriginError::new(text, "names no host")),
        Some(_) => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_origin_has_one_form() {
        for text in [
            "https://Peer.Example",
            "https://peer.example/",
            "https://peer.example:443",
            " https://peer.example",
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), "https://peer.example", "{text}");
        }
        assert_eq!(Origin::parse("http://127.1:9000").unwrap().as_str(), "http://127.0.0.1:9000");
        assert_eq!(Origin::of_url("http://[::1]:9000/a?b").unwrap().as_str(), "http://[::1]:9000");
    }

    #[test]
    fn more_than_an_origin_is_refused() {
        for text in [
            "https://a.example/ocpi",
            "https://a.example?x",
            "https://a.example#x",
            "a.example",
            "ftp://a.example",
            "file:///etc/passwd",
            "https://",
            "",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
        let error = Origin::parse("https://me:secret@a.example").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
