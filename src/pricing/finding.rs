//! What is the matter with a place in a tariff or CDR.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A place in a tariff, a CDR or another document of money, and what is the matter with it: a warning where it
/// only had no effect, or the reason why the document cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// JSON path from the document's root, e.g. `$.elements[1].restrictions.min_kwh`.
    pub path: String,
    /// What is the matter, and what would be right.
    pub reason: String,
}

impl Finding {
    /// A finding at a path.
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}
