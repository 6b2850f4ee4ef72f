//! Commands and their answers on the wire (OCPI 2.2.1 mod_commands).

use super::shape::{
    CANCEL_RESERVATION, COMMAND_RESPONSE, COMMAND_RESULT, RESERVE_NOW, START_SESSION, STOP_SESSION,
    UNLOCK_CONNECTOR,
};
use crate::domain::command::{CommandResponse as ResponseWord, CommandResult as ResultWord};
use crate::domain::location::DisplayText;
use crate::domain::{CiString, Extra, Timestamp};
use crate::ocpi::shape::Class;
use crate::ocpi::v2_2_1::tokens::wire::Token;
use crate::ocpi::wire::Wire;
use serde::{Deserialize, Serialize};

/// "CancelReservation Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CancelReservation {
    /// Where the result is to be sent.
    pub response_url: String,
    /// The eMSP's id.
    pub reservation_id: CiString,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "ReserveNow Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReserveNow {
    /// Where the result is to be sent.
    pub response_url: String,
    /// For whom.
    pub token: Token,
    /// When the reservation ends.
    pub expiry_date: Timestamp,
    /// The eMSP's id.
    pub reservation_id: CiString,
    /// Where.
    pub location_id: CiString,
    /// At which EVSE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evse_uid: Option<CiString>,
    /// The eMSP's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_reference: Option<CiString>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "StartSession Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartSession {
    /// Where the result is to be sent.
    pub response_url: String,
    /// Who will charge.
    pub token: Token,
    /// Where.
    pub location_id: CiString,
    /// At which EVSE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evse_uid: Option<CiString>,
    /// At which connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<CiString>,
    /// The eMSP's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_reference: Option<CiString>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "StopSession Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StopSession {
    /// Where the result is to be sent.
    pub response_url: String,
    /// Which.
    pub session_id: CiString,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "UnlockConnector Object".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnlockConnector {
    /// Where the result is to be sent.
    pub response_url: String,
    /// Where.
    pub location_id: CiString,
    /// At which EVSE.
    pub evse_uid: CiString,
    /// Which connector.
    pub connector_id: CiString,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// "CommandResponse Object": what the CPO says to the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandResponse {
    /// CommandResponseType.
    pub result: ResponseWord,
    /// Seconds after which no result need be awaited.
    pub timeout: i64,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Vec<DisplayText>>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl CommandResponse {
    /// An answer, with a text in English if there is something to say.
    #[must_use]
    pub fn new(result: ResponseWord, timeout: i64, message: Option<&str>) -> Self {
        Self { result, timeout, message: message.map(in_english), extra: Extra::new() }
    }
}

/// "CommandResult Object": what became of it, sent to the `response_url` as it is, without an envelope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandResult {
    /// CommandResultType.
    pub result: ResultWord,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Vec<DisplayText>>,
    /// Fields not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl CommandResult {
    /// A result, with a text in English if there is something to say.
    #[must_use]
    pub fn new(result: ResultWord, message: Option<&str>) -> Self {
        Self { result, message: message.map(in_english), extra: Extra::new() }
    }
}

fn in_english(text: &str) -> Vec<DisplayText> {
    vec![DisplayText { language: "en".to_owned(), text: text.to_owned(), extra: Extra::new() }]
}

impl Wire for CancelReservation {
    const CLASS: &'static Class = &CANCEL_RESERVATION;
}
impl Wire for ReserveNow {
    const CLASS: &'static Class = &RESERVE_NOW;
}
impl Wire for StartSession {
    const CLASS: &'static Class = &START_SESSION;
}
impl Wire for StopSession {
    const CLASS: &'static Class = &STOP_SESSION;
}
impl Wire for UnlockConnector {
    const CLASS: &'static Class = &UNLOCK_CONNECTOR;
}
impl Wire for CommandResponse {
    const CLASS: &'static Class = &COMMAND_RESPONSE;
}
impl Wire for CommandResult {
    const CLASS: &'static Class = &COMMAND_RESULT;
}
