//! What is wrong with the configuration, where, and what to do.

use super::layers::Place;
use std::fmt;

/// One mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File and line, variable or flag: `roamwatt.toml:12`, `ROAMWATT_SERVER__LISTEN`, `--listen`.
    pub place: String,
    /// What is wrong, naming the setting.
    pub message: String,
    /// What would be right.
    pub remedy: String,
}

impl Problem {
    /// A problem at `place`.
    pub fn new(place: &Place, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.to_string(), message: message.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if !self.remedy.is_empty() {
            write!(f, " ({})", self.remedy)?;
        }
        Ok(())
    }
}

/// Everything that is wrong with the configuration, in the order of its places.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<Problem>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a mistake")?,
            n => write!(f, "the configuration has {n} mistakes")?,
        }
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
