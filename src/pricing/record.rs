//! How a CDR was priced: kept beside it, since the CDR itself cannot say.

use super::{Finding, PricingPolicy};
use serde::{Deserialize, Serialize};

/// What is stored with a CDR of ours, so that it can be explained and priced again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PricingRecord {
    /// The policy.
    pub policy: PricingPolicy,
    /// The zone whose local time counted (IANA); a CDR does not name it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// What had no effect on the cost though it may have to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
    /// Indexes of the charging periods that begin with an energy that was interpolated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interpolated: Vec<usize>,
}

impl PricingRecord {
    /// As it is stored.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
