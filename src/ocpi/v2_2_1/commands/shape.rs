//! The tables of OCPI 2.2.1 mod_commands.

use crate::domain::command::{CommandResponse, CommandResult};
use crate::ocpi::shape::{Class, Kind, many, one, optional};
use crate::ocpi::v2_2_1::tokens::shape::TOKEN;
use crate::ocpi::v2_2_1::types::DISPLAY_TEXT;

pub(super) static CANCEL_RESERVATION: Class = Class {
    name: "CancelReservation",
    fields: &[one("response_url", Kind::Url), one("reservation_id", Kind::CiText(36))],
};

pub(super) static RESERVE_NOW: Class = Class {
    name: "ReserveNow",
    fields: &[
        one("response_url", Kind::Url),
        one("token", Kind::Object(&TOKEN)),
        one("expiry_date", Kind::Time),
        one("reservation_id", Kind::CiText(36)),
        one("location_id", Kind::CiText(36)),
        optional("evse_uid", Kind::CiText(36)),
        optional("authorization_reference", Kind::CiText(36)),
    ],
};

pub(super) static START_SESSION: Class = Class {
    name: "StartSession",
    fields: &[
        one("response_url", Kind::Url),
        one("token", Kind::Object(&TOKEN)),
        one("location_id", Kind::CiText(36)),
        optional("evse_uid", Kind::CiText(36)),
        optional("connector_id", Kind::CiText(36)),
        optional("authorization_reference", Kind::CiText(36)),
    ],
};

pub(super) static STOP_SESSION: Class = Class {
    name: "StopSession",
    fields: &[one("response_url", Kind::Url), one("session_id", Kind::CiText(36))],
};

pub(super) static UNLOCK_CONNECTOR: Class = Class {
    name: "UnlockConnector",
    fields: &[
        one("response_url", Kind::Url),
        one("location_id", Kind::CiText(36)),
        one("evse_uid", Kind::CiText(36)),
        one("connector_id", Kind::CiText(36)),
    ],
};

pub(super) static COMMAND_RESPONSE: Class = Class {
    name: "CommandResponse",
    fields: &[
        one("result", Kind::Word(CommandResponse::WORDS)),
        one("timeout", Kind::Int(0)),
        many("message", Kind::Object(&DISPLAY_TEXT)),
    ],
};

pub(super) static COMMAND_RESULT: Class = Class {
    name: "CommandResult",
    fields: &[one("result", Kind::Word(CommandResult::WORDS)), many("message", Kind::Object(&DISPLAY_TEXT))],
};
