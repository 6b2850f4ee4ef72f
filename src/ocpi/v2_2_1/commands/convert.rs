//! Commands between the wire and the domain. Where the result goes (`response_url`) is a matter of the edge
//! and stands beside the domain's command; unknown fields of a command end here, as nobody passes it on.

use super::wire;
use crate::domain::Extra;
use crate::domain::command as domain;
use crate::ocpi::wire::WireError;

/// A command of the domain and where its result is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Addressed<C> {
    /// The command.
    pub command: C,
    /// The eMSP's `response_url`.
    pub response_url: String,
}

impl TryFrom<wire::StartSession> for Addressed<domain::StartSession> {
    type Error = WireError;

    fn try_from(command: wire::StartSession) -> Result<Self, WireError> {
        let wire::StartSession {
            response_url,
            token,
            location_id,
            evse_uid,
            connector_id,
            authorization_reference,
            extra: _,
        } = command;
        let token = token.try_into().map_err(|error: WireError| error.under(".token"))?;
        let command =
            domain::StartSession { token, location_id, evse_uid, connector_id, authorization_reference };
        Ok(Self { command, response_url })
    }
}

impl From<Addressed<domain::StartSession>> for wire::StartSession {
    fn from(Addressed { command, response_url }: Addressed<domain::StartSession>) -> Self {
        let domain::StartSession { token, location_id, evse_uid, connector_id, authorization_reference } =
            command;
        Self {
            response_url,
            token: token.into(),
            location_id,
            evse_uid,
            connector_id,
            authorization_reference,
            extra: Extra::new(),
        }
    }
}

impl TryFrom<wire::ReserveNow> for Addressed<domain::ReserveNow> {
    type Error = WireError;

    fn try_from(command: wire::ReserveNow) -> Result<Self, WireError> {
        let wire::ReserveNow {
            response_url,
            token,
            expiry_date,
            reservation_id,
            location_id,
            evse_uid,
            authorization_reference,
            extra: _,
        } = command;
        let token = token.try_into().map_err(|error: WireError| error.under(".token"))?;
        let command = domain::ReserveNow {
            token,
            expiry_date,
            reservation_id,
            location_id,
            evse_uid,
            authorization_reference,
        };
        Ok(Self { command, response_url })
    }
}

impl From<Addressed<domain::ReserveNow>> for wire::ReserveNow {
    fn from(Addressed { command, response_url }: Addressed<domain::ReserveNow>) -> Self {
        let domain::ReserveNow {
            token,
            expiry_date,
            reservation_id,
            location_id,
            evse_uid,
            authorization_reference,
        } = command;
        Self {
            response_url,
            token: token.into(),
            expiry_date,
            reservation_id,
            location_id,
            evse_uid,
            authorization_reference,
            extra: Extra::new(),
        }
    }
}

impl From<wire::StopSession> for Addressed<domain::StopSession> {
    fn from(command: wire::StopSession) -> Self {
        let wire::StopSession { response_url, session_id, extra: _ } = command;
        Self { command: domain::StopSession { session_id }, response_url }
    }
}

impl From<Addressed<domain::StopSession>> for wire::StopSession {
    fn from(Addressed { command, response_url }: Addressed<domain::StopSession>) -> Self {
        let domain::StopSession { session_id } = command;
        Self { response_url, session_id, extra: Extra::new() }
    }
}

impl From<wire::CancelReservation> for Addressed<domain::CancelReservation> {
    fn from(command: wire::CancelReservation) -> Self {
        let wire::CancelReservation { response_url, reservation_id, extra: _ } = command;
        Self { command: domain::CancelReservation { reservation_id }, response_url }
    }
}

impl From<Addressed<domain::CancelReservation>> for wire::CancelReservation {
    fn from(Addressed { command, response_url }: Addressed<domain::CancelReservation>) -> Self {
        let domain::CancelReservation { reservation_id } = command;
        Self { response_url, reservation_id, extra: Extra::new() }
    }
}

impl From<wire::UnlockConnector> for Addressed<domain::UnlockConnector> {
    fn from(command: wire::UnlockConnector) -> Self {
        let wire::UnlockConnector { response_url, location_id, evse_uid, connector_id, extra: _ } = command;
        Self { command: domain::UnlockConnector { location_id, evse_uid, connector_id }, response_url }
    }
}

impl From<Addressed<domain::UnlockConnector>> for wire::UnlockConnector {
    fn from(Addressed { command, response_url }: Addressed<domain::UnlockConnector>) -> Self {
        let domain::UnlockConnector { location_id, evse_uid, connector_id } = command;
        Self { response_url, location_id, evse_uid, connector_id, extra: Extra::new() }
    }
}
