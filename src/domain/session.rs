//! Sessions: a charge as partners see it while it runs (OCPI 2.2.1 mod_sessions).

use super::charging_period::ChargingPeriod;
use super::open_enum::open_enum;
use super::party::PartyId;
use super::tariff::Price;
use super::token::TokenType;
use super::values::{CiString, Extra, Kwh, Timestamp};
use serde::{Deserialize, Serialize};

open_enum! {
    /// OCPI 2.2.1 mod_sessions, "SessionStatus".
    pub enum SessionStatus {
        /// Charging, or able to.
        Active = "ACTIVE",
        /// Over; not changed any more.
        Completed = "COMPLETED",
        /// Not to be billed.
        Invalid = "INVALID",
        /// Not begun yet.
        Pending = "PENDING",
        /// Reserved.
        Reservation = "RESERVATION",
    }
}

open_enum! {
    /// OCPI 2.2.1 mod_sessions, "ProfileType": what a driver prefers.
    pub enum ProfileType {
        /// The lowest price.
        Cheap = "CHEAP",
        /// The shortest time.
        Fast = "FAST",
        /// The cleanest energy.
        Green = "GREEN",
        /// Nothing in particular.
        RegularProfile = "REGULAR",
    }
}

open_enum! {
    /// OCPI 2.2.1 mod_cdrs, "AuthMethod".
    pub enum AuthMethod {
        /// The eMSP was asked.
        AuthRequest = "AUTH_REQUEST",
        /// By START_SESSION or RESERVE_NOW.
        Command = "COMMAND",
        /// By the whitelist.
        Whitelist = "WHITELIST",
    }
}

/// The token of a session or CDR, as it was at the start (OCPI 2.2.1 mod_cdrs, "CdrToken").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CdrToken {
    /// The eMSP; 2.2 and 2.1.1 leave it out.
    pub party: Option<PartyId>,
    /// Its uid.
    pub uid: CiString,
    /// Its type.
    pub token_type: TokenType,
    /// Its contract.
    pub contract_id: CiString,
    /// Fields not known.
    pub extra: Extra,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The CPO that owns it.
    pub party: PartyId,
    /// At most 36 characters.
    pub id: CiString,
    /// When it began.
    pub start_date_time: Timestamp,
    /// When it ended.
    pub end_date_time: Option<Timestamp>,
    /// Energy so far.
    pub kwh: Kwh,
    /// Who charges.
    pub cdr_token: CdrToken,
    /// How the driver was authorized.
    pub auth_method: AuthMethod,
    /// The eMSP's reference.
    pub authorization_reference: Option<CiString>,
    /// Where.
    pub location_id: CiString,
    /// At which EVSE; `#NA` while a reservation has none.
    pub evse_uid: CiString,
    /// At which connector; `#NA` while a reservation has none.
    pub connector_id: CiString,
    /// Meter.
    pub meter_id: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// What was used so far.
    pub charging_periods: Vec<ChargingPeriod>,
    /// What it costs so far.
    pub total_cost: Option<Price>,
    /// Its state.
    pub status: SessionStatus,
    /// When it was last changed, by its owner's clock.
    pub last_updated: Timestamp,
    /// Fields not known.
    pub extra: Extra,
}
