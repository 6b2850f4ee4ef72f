//! Parties: who owns an object, and in which role somebody speaks.

use super::open_enum::open_enum;
use super::values::ValueError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A party of roaming: ISO-3166 alpha-2 country code and a party id of three characters (ISO-15118). Both are
/// CiStrings and kept in upper case (OCPI 2.2.1 credentials, 8.4.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartyId {
    country_code: String,
    party_id: String,
}

impl PartyId {
    /// Takes two letters and three letters or digits, in any case.
    ///
    /// # Errors
    /// When either part is of another form.
    pub fn new(country_code: &str, party_id: &str) -> Result<Self, ValueError> {
        if country_code.len() != 2 || !country_code.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(ValueError::Malformed {
                what: "country_code",
                found: country_code.chars().take(40).collect(),
                wanted: "two letters like DE",
            });
        }
        if party_id.len() != 3 || !party_id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(ValueError::Malformed {
                what: "party_id",
                found: party_id.chars().take(40).collect(),
                wanted: "three letters or digits like ABC",
            });
        }
        Ok(Self { country_code: country_code.to_ascii_uppercase(), party_id: party_id.to_ascii_uppercase() })
    }

    /// Two capital letters.
    #[must_use]
    pub fn country_code(&self) -> &str {
        &self.country_code
    }

    /// Three capital letters or digits.
    #[must_use]
    pub fn party_id(&self) -> &str {
        &self.party_id
    }
}

impl fmt::Display for PartyId {
    /// As people write it: `DE*ABC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}*{}", self.country_code, self.party_id)
    }
}

impl FromStr for PartyId {
    type Err = ValueError;

    /// Reads `DE*ABC`, `DE-ABC` or `DEABC`.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let plain: String = text.chars().filter(|c| !matches!(c, '*' | '-')).collect();
        match plain.split_at_checked(2) {
            Some((country, party)) => Self::new(country, party),
            None => Err(ValueError::Malformed {
                what: "party",
                found: text.chars().take(40).collect(),
                wanted: "a party like DE*ABC",
            }),
        }
    }
}

open_enum! {
    /// OCPI 2.2.1 types, "Role".
    pub enum Role {
        /// Operates stations.
        Cpo = "CPO",
        /// Has contracts with drivers.
        Emsp = "EMSP",
        /// Relays between platforms.
        Hub = "HUB",
        /// National access point.
        Nap = "NAP",
        /// Shows locations to drivers.
        Nsp = "NSP",
        /// Anything else.
        OtherRole = "OTHER",
        /// Smart charging service provider.
        Scsp = "SCSP",
    }
}

/// The roles that are told of locations and tariffs (OCPI 2.2.1 mod_locations and mod_tariffs, "Typically
/// implemented by"): whoever is told of a location is told of its EVSEs, too. A hub stands for all behind it.
pub const LOCATION_AUDIENCE: &[Role] = &[Role::Emsp, Role::Nsp, Role::Nap, Role::Hub, Role::OtherRole];

/// A party that this node speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its id.
    pub id: PartyId,
    /// The name that partners show.
    pub name: String,
    /// Its website.
    pub website: Option<String>,
    /// The roles it plays, at least one.
    pub roles: Vec<Role>,
}

impl Party {
    /// Whether it plays the role.
    #[must_use]
    pub fn has_role(&self, role: &Role) -> bool {
        self.roles.contains(role)
    }
}
