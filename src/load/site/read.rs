//! Reading a site from TOML or JSON.

use super::{Finding, Site};
use std::fmt::Write as _;

/// Why a text is no site.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It is no TOML or JSON, or something in it has the wrong kind.
    #[error("the site cannot be read{}: {message}", at(path))]
    Unreadable {
        /// Where, as far as that is known: `station[3].connector[0].amps`.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// It can be read and does not hold together.
    #[error("the site does not hold together:{}", lines(.0))]
    Wrong(Vec<Finding>),
}

fn at(path: &str) -> String {
    if path.is_empty() || path == "." { String::new() } else { format!(" at {path}") }
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        // Writing to a string does not fail.
        let _ = write!(text, "\n  {finding}");
        text
    })
}

impl Site {
    /// Reads and validates a site in TOML.
    ///
    /// # Errors
    ///
    /// [`SiteError::Unreadable`] with the place of the first thing that cannot be read, [`SiteError::Wrong`] with
    /// all that does not hold together.
    pub fn from_toml(text: &str) -> Result<Self, SiteError> {
        let unreadable = |path: String, error: &toml::de::Error| SiteError::Unreadable {
            path,
            message: error.message().to_owned(),
        };
        let deserializer = toml::Deserializer::parse(text).map_err(|error| SiteError::Unreadable {
            path: String::new(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        let site: Self = serde_path_to_error::deserialize(deserializer)
            .map_err(|error| unreadable(error.path().to_string(), error.inner()))?;
        site.validated()
    }

    /// Reads and validates a site in JSON.
    ///
    /// # Errors
    ///
    /// As [`Site::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, SiteError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let site: Self = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            SiteError::Unreadable { path: error.path().to_string(), message: error.inner().to_string() }
        })?;
        deserializer
            .end()
            .map_err(|error| SiteError::Unreadable { path: String::new(), message: error.to_string() })?;
        site.validated()
    }

    fn validated(self) -> Result<Self, SiteError> {
        let findings = self.findings();
        if findings.is_empty() { Ok(self) } else { Err(SiteError::Wrong(findings)) }
    }
}
