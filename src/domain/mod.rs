//! What charging is about, without any protocol: parties, locations, tokens, tariffs, sessions, CDRs, stations.
//!
//! The types are the superset of the OCPI versions; each version folder converts to and from them. They
//! serialise as the documents that the database keeps. This module imports nothing of ours.

pub mod assignment;
pub mod cdr;
pub mod charging_period;
pub mod charging_profile;
pub mod command;
pub mod location;
pub mod open_enum;
pub mod opening;
pub mod partner;
pub mod party;
pub mod payment;
pub mod session;
pub mod station;
pub mod tariff;
pub mod terminal;
pub mod token;
pub mod values;

pub use values::{CiString, Extra, Kwh, Money, Timestamp, ValueError};
