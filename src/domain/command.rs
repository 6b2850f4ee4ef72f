//! Commands: what a partner or an operator asks of a station (OCPI 2.2.1 mod_commands).

use super::open_enum::open_enum;
use super::token::Token;
use super::values::{CiString, Timestamp};

open_enum! {
    /// OCPI 2.2.1 mod_commands, "CommandType".
    pub enum CommandType {
        /// Cancel a reservation.
        CancelReservation = "CANCEL_RESERVATION",
        /// Reserve.
        ReserveNow = "RESERVE_NOW",
        /// Start a charge.
        StartSession = "START_SESSION",
        /// Stop a charge.
        StopSession = "STOP_SESSION",
        /// Unlock a connector.
        UnlockConnector = "UNLOCK_CONNECTOR",
    }
}

open_enum! {
    /// The answer to the request itself (OCPI 2.2.1 mod_commands, "CommandResponseType").
    pub enum CommandResponse {
        /// Not supported here.
        NotSupported = "NOT_SUPPORTED",
        /// Refused.
        Rejected = "REJECTED",
        /// Sent on to the station; the result follows.
        Accepted = "ACCEPTED",
        /// The session is not known.
        UnknownSession = "UNKNOWN_SESSION",
    }
}

open_enum! {
    /// What became of it (OCPI 2.2.1 mod_commands, "CommandResultType").
    pub enum CommandResult {
        /// Done.
        Accepted = "ACCEPTED",
        /// The reservation was cancelled.
        CanceledReservation = "CANCELED_RESERVATION",
        /// Somebody is there.
        EvseOccupied = "EVSE_OCCUPIED",
        /// The EVSE does not work.
        EvseInoperative = "EVSE_INOPERATIVE",
        /// It went wrong.
        Failed = "FAILED",
        /// The station cannot.
        NotSupported = "NOT_SUPPORTED",
        /// The station refused.
        Rejected = "REJECTED",
        /// The station did not answer in time.
        Timeout = "TIMEOUT",
        /// The reservation is not known.
        UnknownReservation = "UNKNOWN_RESERVATION",
    }
}

/// START_SESSION.
#[derive(Debug, Clone, PartialEq)]
pub struct StartSession {
    /// Who will charge.
    pub token: Token,
    /// Where.
    pub location_id: CiString,
    /// At which EVSE; none leaves the choice to the CPO.
    pub evse_uid: Option<CiString>,
    /// At which connector.
    pub connector_id: Option<CiString>,
    /// The eMSP's reference, repeated in the session and the CDR.
    pub authorization_reference: Option<CiString>,
}

/// STOP_SESSION.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSession {
    /// The session to stop.
    pub session_id: CiString,
}

/// RESERVE_NOW.
#[derive(Debug, Clone, PartialEq)]
pub struct ReserveNow {
    /// For whom.
    pub token: Token,
    /// When the reservation ends.
    pub expiry_date: Timestamp,
    /// The eMSP's id of the reservation; the same id again changes the reservation.
    pub reservation_id: CiString,
    /// Where.
    pub location_id: CiString,
    /// At which EVSE; none leaves the choice to the CPO.
    pub evse_uid: Option<CiString>,
    /// The eMSP's reference, repeated in the session and the CDR.
    pub authorization_reference: Option<CiString>,
}

/// CANCEL_RESERVATION.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelReservation {
    /// The eMSP's id of the reservation.
    pub reservation_id: CiString,
}

/// UNLOCK_CONNECTOR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockConnector {
    /// Where.
    pub location_id: CiString,
    /// At which EVSE.
    pub evse_uid: CiString,
    /// Which connector.
    pub connector_id: CiString,
}
