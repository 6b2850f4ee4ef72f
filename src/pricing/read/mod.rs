//! Reading what prices a charge: a tariff or a CDR as JSON of any OCPI version, as another platform wrote it.
//!
//! Follows mod_tariffs, mod_cdrs and types of OCPI 2.1.1, 2.2.1 and 2.3.0. Lenient where a price does not depend
//! on it (whose it is, where, by which token), exact where it does: what cannot be understood is an error, and
//! all errors of a document are told, not only the first. What was understood although it is not as specified,
//! and what has no effect on the price although somebody may have meant one, is a warning.
//!
//! [`place`] is a JSON value that knows its path; [`mod@tariff`] and [`mod@cdr`] read the objects.

mod cdr;
mod place;
mod price;
mod restrictions;
mod tariff;
#[cfg(test)]
mod tests;

pub use cdr::{StatedCdr, cdr};
pub use tariff::tariff;

use super::Finding;
use std::fmt;
use std::str::FromStr;

/// The versions of OCPI whose tariffs and CDRs can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum OcpiVersion {
    /// 2.1.1: prices without VAT and totals as plain numbers.
    V2_1_1,
    /// 2.2.1: prices with and without VAT.
    #[default]
    V2_2_1,
    /// 2.3.0: prices before and after taxes.
    V2_3_0,
}

impl OcpiVersion {
    /// Every version, the oldest first.
    pub const ALL: [Self; 3] = [Self::V2_1_1, Self::V2_2_1, Self::V2_3_0];

    /// As OCPI writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2_1_1 => "2.1.1",
            Self::V2_2_1 => "2.2.1",
            Self::V2_3_0 => "2.3.0",
        }
    }
}

impl fmt::Display for OcpiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no version of OCPI that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no OCPI version that can be read: 2.1.1, 2.2.1 and 2.3.0 are")]
pub struct UnknownVersion(String);

impl FromStr for OcpiVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let named = Self::ALL.into_iter().find(|version| version.as_str() == text);
        named.ok_or_else(|| UnknownVersion(text.chars().take(40).collect()))
    }
}

/// Something that was read, and what there is to say about how.
#[derive(Debug, Clone, PartialEq)]
pub struct Readable<T> {
    /// What was read.
    pub value: T,
    /// What is not as specified but was understood, and what has no effect on the price.
    pub warnings: Vec<Finding>,
}

impl<T> Readable<T> {
    /// What `read` gives, unless anything was an error.
    fn or_errors(value: Option<T>, notes: place::Notes) -> Result<Self, Vec<Finding>> {
        match value {
            Some(value) if notes.errors.is_empty() => Ok(Self { value, warnings: notes.warnings }),
            _ => Err(notes.errors),
        }
    }
}
