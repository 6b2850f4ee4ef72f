//! Which of our tariffs is for whom, where and when: a tariff is assigned to places of its CPO, for some buyers
//! or for everybody, for a time or for good. OCPI knows only the result, a connector's `tariff_ids` (OCPI 2.2.1
//! mod_locations, "Connector Object"); docs/tariffs.md says how the tariff of a charge is found.

use super::party::PartyId;
use super::token::{Token, TokenType};
use super::values::{CiString, Timestamp, ValueError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A connector of one of our locations.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConnectorRef {
    /// Its location.
    pub location_id: CiString,
    /// Its EVSE.
    pub evse_uid: CiString,
    /// Unique within the EVSE.
    pub connector_id: CiString,
}

impl fmt::Display for ConnectorRef {
    /// As people write it: `LOC1/E1/1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.location_id, self.evse_uid, self.connector_id)
    }
}

impl FromStr for ConnectorRef {
    type Err = ValueError;

    /// Reads `LOC1/E1/1`.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [location, evse, connector] if parts.iter().all(|part| !part.is_empty()) => Ok(Self {
                location_id: CiString::from(*location),
                evse_uid: CiString::from(*evse),
                connector_id: CiString::from(*connector),
            }),
            _ => Err(ValueError::Malformed {
                what: "connector",
                found: text.chars().take(120).collect(),
                wanted: "LOCATION/EVSE/CONNECTOR, like LOC1/E1/1",
            }),
        }
    }
}

/// Where a tariff is assigned: always among the places of its own CPO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// Everywhere.
    Party,
    /// A location.
    Location {
        /// The location.
        location_id: CiString,
    },
    /// A named list of stations and connectors.
    Group {
        /// Its name.
        group: CiString,
    },
    /// An EVSE.
    Evse {
        /// Its location.
        location_id: CiString,
        /// The EVSE.
        evse_uid: CiString,
    },
    /// A connector.
    Connector(ConnectorRef),
}

impl Place {
    /// How much it says: the higher goes first.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Party => 0,
            Self::Location { .. } => 1,
            Self::Group { .. } => 2,
            Self::Evse { .. } => 3,
            Self::Connector(_) => Self::CONNECTOR_RANK,
        }
    }

    /// The rank of a connector, also of what a connector names in its own `tariff_ids`.
    pub const CONNECTOR_RANK: u8 = 4;

    /// The location that it is within, if it is within one.
    #[must_use]
    pub fn location(&self) -> Option<&CiString> {
        match self {
            Self::Party | Self::Group { .. } => None,
            Self::Location { location_id } | Self::Evse { location_id, .. } => Some(location_id),
            Self::Connector(connector) => Some(&connector.location_id),
        }
    }
}

/// For whom a tariff is assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Buyers {
    /// Everybody.
    Everybody,
    /// The drivers of a roaming partner.
    Partner {
        /// Our number for it.
        id: i64,
    },
    /// The drivers of an eMSP, whoever speaks for it.
    Emsp {
        /// The eMSP.
        party: PartyId,
    },
    /// A named list of tokens.
    TokenGroup {
        /// Its name.
        group: CiString,
    },
}

impl Buyers {
    /// How much it says: the higher goes first.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Everybody => 0,
            Self::Partner { .. } | Self::Emsp { .. } => 1,
            Self::TokenGroup { .. } => 2,
        }
    }
}

/// A tariff for some places and buyers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Our number for it.
    #[serde(skip)]
    pub id: i64,
    /// The CPO that owns the tariff and the places.
    pub party: PartyId,
    /// The tariff.
    pub tariff_id: CiString,
    /// Where.
    pub place: Place,
    /// For whom.
    pub buyers: Buyers,
    /// From when on, inclusive.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub valid_to: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
}

/// A named list, of places or of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: CiString,
    /// What it holds.
    pub members: Members,
}

/// What a group holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Members {
    /// Stations and connectors.
    Places(Vec<PlaceMember>),
    /// Tokens.
    Tokens(Vec<TokenMember>),
}

/// A member of a group of places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlaceMember {
    /// All connectors of a station, by its id.
    Station(String),
    /// One connector.
    Connector(ConnectorRef),
}

impl fmt::Display for PlaceMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Station(id) => write!(f, "station {id}"),
            Self::Connector(connector) => write!(f, "connector {connector}"),
        }
    }
}

/// A member of a group of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenMember {
    /// One token. An uid is unique within its eMSP only.
    Token {
        /// Its eMSP.
        emsp: PartyId,
        /// What the reader reads.
        uid: CiString,
    },
    /// All tokens whose contract begins so.
    Contract {
        /// Their eMSP.
        emsp: PartyId,
        /// The beginning, as [`plain_contract`] writes it.
        prefix: String,
    },
}

impl fmt::Display for TokenMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { emsp, uid } => write!(f, "token {emsp}/{uid}"),
            Self::Contract { emsp, prefix } => write!(f, "contract {emsp}/{prefix}"),
        }
    }
}

/// A contract id without the marks between its parts and in capitals: `DE-ABC-C12` and `de*abc*c12` are the same
/// contract (eMI3, "Contract ID": the separators are optional).
#[must_use]
pub fn plain_contract(contract: &str) -> String {
    contract.chars().filter(|c| !matches!(c, '-' | '*' | ' ')).collect::<String>().to_ascii_uppercase()
}

impl TokenMember {
    /// A token of an eMSP, from `NL*XYZ/04A2B3C4`.
    ///
    /// # Errors
    /// When it is of another form.
    pub fn token(text: &str) -> Result<Self, ValueError> {
        let malformed = || ValueError::Malformed {
            what: "token",
            found: text.chars().take(60).collect(),
            wanted: "an eMSP and an uid, like NL*XYZ/04A2B3C4",
        };
        let (emsp, uid) = text.split_once('/').ok_or_else(malformed)?;
        Ok(Self::Token { emsp: emsp.parse()?, uid: CiString::parse("token", uid, 36)? })
    }

    /// The beginning of contract ids: `NL-XYZ-C12`, where the eMSP is the one that it names, or `NL*XYZ/C12`.
    ///
    /// # Errors
    /// When it names no eMSP.
    pub fn contract(text: &str) -> Result<Self, ValueError> {
        if let Some((emsp, prefix)) = text.split_once('/') {
            let prefix = plain_contract(prefix);
            CiString::parse("contract", &prefix, 36)?;
            return Ok(Self::Contract { emsp: emsp.parse()?, prefix });
        }
        let prefix = plain_contract(text);
        let emsp = prefix.get(..5).and_then(|begin| begin.parse().ok());
        let emsp = emsp.ok_or_else(|| ValueError::Malformed {
            what: "contract",
            found: text.chars().take(60).collect(),
            wanted: "the beginning of a contract id like NL-XYZ-C12, or an eMSP and a beginning like NL*XYZ/C12",
        })?;
        Ok(Self::Contract { emsp, prefix })
    }

    /// The eMSP whose token it is.
    #[must_use]
    pub fn emsp(&self) -> &PartyId {
        match self {
            Self::Token { emsp, .. } | Self::Contract { emsp, .. } => emsp,
        }
    }

    /// Whether a driver is meant by it.
    #[must_use]
    pub fn holds(&self, buyer: &Buyer) -> bool {
        match self {
            Self::Token { emsp, uid } => *emsp == buyer.emsp && *uid == buyer.uid,
            Self::Contract { emsp, prefix } => {
                *emsp == buyer.emsp && plain_contract(buyer.contract_id.as_str()).starts_with(prefix)
            }
        }
    }
}

/// Who charges, as far as the price depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// The partner that the driver comes from; none for our own drivers.
    pub partner_id: Option<i64>,
    /// The eMSP.
    pub emsp: PartyId,
    /// The token.
    pub uid: CiString,
    /// Its type.
    pub token_type: TokenType,
    /// Its contract.
    pub contract_id: CiString,
}

impl Buyer {
    /// Who has that token, which came from that partner.
    #[must_use]
    pub fn of(token: &Token, partner_id: Option<i64>) -> Self {
        Self {
            partner_id,
            emsp: token.party.clone(),
            uid: token.uid.clone(),
            token_type: token.token_type.clone(),
            contract_id: token.contract_id.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buyer(contract: &str) -> Buyer {
        Buyer {
            partner_id: None,
            emsp: "NL*XYZ".parse().unwrap(),
            uid: "04A2".into(),
            token_type: TokenType::Rfid,
            contract_id: contract.into(),
        }
    }

    #[test]
    fn a_group_holds_tokens_and_contracts() {
        assert!(TokenMember::token("nl-xyz/04a2").unwrap().holds(&buyer("x")));
        assert!(!TokenMember::token("NL*ABC/04A2").unwrap().holds(&buyer("x")), "another eMSP's card");
        assert!(!TokenMember::token("NL*XYZ/04A").unwrap().holds(&buyer("x")));
        for (prefix, contract, wanted) in [
            ("NL-XYZ-C12", "NL*XYZ*C123456*7", true),
            ("nlxyz", "NL-XYZ-C1", true),
            ("NL-XYZ-C12", "NL-XYZ-C2", false),
            ("NL*XYZ/FLEET", "fleet-7", true),
            ("NL*ABC/FLEET", "fleet-7", false),
        ] {
            assert_eq!(TokenMember::contract(prefix).unwrap().holds(&buyer(contract)), wanted, "{prefix}");
        }
        for bad in ["FL", "", "12-XYZ-C", "NL*XYZ/"] {
            assert!(TokenMember::contract(bad).is_err(), "{bad}");
        }
        assert!(TokenMember::token("04A2").is_err());
    }

    #[test]
    fn a_connector_is_written_with_its_location_and_evse() {
        let connector: ConnectorRef = "LOC1/E1/1".parse().unwrap();
        assert_eq!(connector, "loc1/e1/1".parse().unwrap());
        assert_eq!(connector.to_string(), "LOC1/E1/1");
        for bad in ["LOC1/E1", "LOC1//1", "LOC1/E1/1/2", ""] {
            assert!(bad.parse::<ConnectorRef>().is_err(), "{bad}");
        }
    }
}
