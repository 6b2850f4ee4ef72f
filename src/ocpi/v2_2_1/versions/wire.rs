//! Versions and their endpoints on the wire (OCPI 2.2.1 version_information_endpoint).

use super::shape::{VERSION, VERSION_DETAILS};
use crate::domain::Extra;
use crate::domain::partner::{InterfaceRole, ModuleId};
use crate::ocpi::shape::Class;
use crate::ocpi::wire::Wire;
use serde::{Deserialize, Serialize};

/// "Version".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// e.g. `2.2.1`.
    pub version: String,
    /// Where its details are.
    pub url: String,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "Endpoint".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Module.
    pub identifier: ModuleId,
    /// Side; missing before 2.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<InterfaceRole>,
    /// Base URL.
    pub url: String,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Details of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionDetails {
    /// e.g. `2.2.1`.
    pub version: String,
    /// At least one.
    pub endpoints: Vec<Endpoint>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Wire for Version {
    const CLASS: &'static Class = &VERSION;
}
impl Wire for VersionDetails {
    const CLASS: &'static Class = &VERSION_DETAILS;
}
