//! Whether a driver may charge: by the tokens we know, and by asking the eMSP where the token wants that.

use super::ChargingError;
use crate::app::App;
use crate::db::commands::CommandRow;
use crate::db::payments::Payment;
use crate::db::tokens::id_tag_of;
use crate::db::types::Json;
use crate::db::{commands, partners, payments, stations, tokens};
use crate::domain::partner::{Partner, PartnerStatus};
use crate::domain::payment::PaymentState;
use crate::domain::session::AuthMethod;
use crate::domain::station::{Station, StationId};
use crate::domain::token::{Allowed, LocationReferences, Token, Whitelist};
use crate::domain::{CiString, Extra, Timestamp};
use chrono::TimeDelta;

/// How long an eMSP's answer holds for the start that follows it.
const GRANT_MINUTES: i64 = 15;

/// The answer to a station (OCPP 1.6, 7.2 AuthorizationStatus).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdTagStatus {
    /// May charge.
    Accepted,
    /// Blocked.
    Blocked,
    /// Expired.
    Expired,
    /// Not known.
    Invalid,
    /// Charges elsewhere already.
    ConcurrentTx,
}

impl IdTagStatus {
    /// OCPP's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Blocked => "Blocked",
            Self::Expired => "Expired",
            Self::Invalid => "Invalid",
            Self::ConcurrentTx => "ConcurrentTx",
        }
    }

    /// Reads OCPP's word; anything else is Invalid.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "Accepted" => Self::Accepted,
            "Blocked" => Self::Blocked,
            "Expired" => Self::Expired,
            "ConcurrentTx" => Self::ConcurrentTx,
            _ => Self::Invalid,
        }
    }
}

/// What a station is told about an idTag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdTagDecision {
    /// Whether it may charge.
    pub status: IdTagStatus,
    /// The group: tokens of one group stop each other's charges.
    pub parent_id_tag: Option<String>,
}

impl IdTagDecision {
    fn of(status: IdTagStatus, token: Option<&Token>) -> Self {
        let group = token.and_then(|token| token.group_id.as_ref());
        Self { status, parent_id_tag: group.map(id_tag_of) }
    }
}

/// A decision with what the session has to tell of it.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    pub(super) decision: IdTagDecision,
    /// None where the idTag is not known.
    pub(super) token: Option<Token>,
    pub(super) method: AuthMethod,
    pub(super) reference: Option<CiString>,
    /// The command or earlier answer that it rests on.
    pub(super) grant: Option<String>,
}

/// Decides on an idTag that was presented at a station (OCPP 1.6, 4.1 Authorize).
///
/// # Errors
/// When the station is not known, or the database fails.
pub async fn authorize_id_tag(
    app: &App,
    station: &StationId,
    id_tag: &str,
) -> Result<IdTagDecision, ChargingError> {
    let mut authorization = decide(app, station, None, id_tag, app.now()).await?;
    if authorization.decision.status == IdTagStatus::Accepted && !app.energy.admit(station, None).await {
        // The driver may charge, the station may not yet: nothing else keeps it from drawing current.
        authorization.decision.status = IdTagStatus::Blocked;
        return Ok(authorization.decision);
    }
    if authorization.method == AuthMethod::AuthRequest
        && authorization.decision.status == IdTagStatus::Accepted
        && authorization.grant.is_none()
    {
        remember(app, station, id_tag, &authorization).await?;
    }
    Ok(authorization.decision)
}

/// What is known of an idTag at a station.
struct Known {
    station: Station,
    grant: Option<CommandRow>,
    token: Option<(Token, Option<Partner>)>,
    /// The payment that the idTag is of.
    payment: Option<Payment>,
}

/// Decides by a start that was commanded or an answer that was given shortly before, else by the token.
pub(super) async fn decide(
    app: &App,
    station: &StationId,
    connector: Option<i32>,
    id_tag: &str,
    at: Timestamp,
) -> Result<Authorization, ChargingError> {
    let since = at.min(app.now()).plus(TimeDelta::minutes(-GRANT_MINUTES));
    let known = look_up(app, station, id_tag, since).await?;
    if let Some(payment) = known.payment {
        return by_payment(&payment, station);
    }
    if let Some(grant) = known.grant
        && let Some(Json(token)) = grant.token
    {
        let by_command = grant.kind == "START_SESSION";
        return Ok(Authorization {
            decision: IdTagDecision::of(IdTagStatus::Accepted, Some(&token)),
            token: Some(token),
            method: if by_command { AuthMethod::Command } else { AuthMethod::AuthRequest },
            reference: grant.authorization_reference.map(CiString::from),
            grant: Some(grant.id),
        });
    }
    let Some((token, partner)) = known.token else {
        return Ok(Authorization {
            decision: IdTagDecision::of(IdTagStatus::Invalid, None),
            token: None,
            method: AuthMethod::Whitelist,
            reference: None,
            grant: None,
        });
    };
    let by_whitelist = |token: Token| {
        let status = if token.valid { IdTagStatus::Accepted } else { IdTagStatus::Blocked };
        Authorization {
            decision: IdTagDecision::of(status, Some(&token)),
            token: Some(token),
            method: AuthMethod::Whitelist,
            reference: None,
            grant: None,
        }
    };
    let Some(partner) = partner else { return Ok(by_whitelist(token)) };
    // An operator stopped all traffic with it, or the registration ended: nobody would pay.
    if partner.status != PartnerStatus::Registered {
        return Ok(Authorization {
            decision: IdTagDecision::of(IdTagStatus::Blocked, Some(&token)),
            token: Some(token),
            method: AuthMethod::Whitelist,
            reference: None,
            grant: None,
        });
    }
    match token.whitelist {
        Whitelist::Always | Whitelist::Allowed => Ok(by_whitelist(token)),
        Whitelist::AllowedOffline | Whitelist::Never | Whitelist::Other(_) => {
            let place = place_of(&known.station, connector);
            match app.partners.authorize(&partner, &token.key(), Some(&place), None).await {
                Ok(info) => {
                    let status = match info.allowed {
                        Allowed::Allowed => IdTagStatus::Accepted,
                        Allowed::Expired => IdTagStatus::Expired,
                        Allowed::Blocked | Allowed::NoCredit | Allowed::NotAllowed => IdTagStatus::Blocked,
                        Allowed::Other(_) => IdTagStatus::Invalid,
                    };
                    Ok(Authorization {
                        decision: IdTagDecision::of(status, Some(&info.token)),
                        token: Some(info.token),
                        method: AuthMethod::AuthRequest,
                        reference: info.authorization_reference,
                        grant: None,
                    })
                }
                Err(error) => {
                    tracing::warn!(partner = partner.id, station = %station, %error, "no real-time answer");
                    if token.whitelist == Whitelist::AllowedOffline {
                        return Ok(by_whitelist(token));
                    }
                    Ok(Authorization {
                        decision: IdTagDecision::of(IdTagStatus::Invalid, Some(&token)),
                        token: Some(token),
                        method: AuthMethod::AuthRequest,
                        reference: None,
                        grant: None,
                    })
                }
            }
        }
    }
}

/// The idTag of an ad hoc payment counts at its station from the hold until the charge ends, and nowhere else.
fn by_payment(payment: &Payment, station: &StationId) -> Result<Authorization, ChargingError> {
    let counts = matches!(payment.state, PaymentState::StartSent | PaymentState::Charging)
        && payment.station_id == station.as_str();
    let token = counts.then(|| payment.token()).transpose()?;
    let status = if counts { IdTagStatus::Accepted } else { IdTagStatus::Invalid };
    Ok(Authorization {
        decision: IdTagDecision::of(status, token.as_ref()),
        token,
        method: AuthMethod::Command,
        reference: payment.authorization_reference(),
        grant: payment.command_id.clone().filter(|_| counts),
    })
}

async fn look_up(
    app: &App,
    station: &StationId,
    id_tag: &str,
    since: Timestamp,
) -> Result<Known, ChargingError> {
    let (station, id_tag) = (station.clone(), id_tag.to_owned());
    app.db
        .read(move |conn| {
            let found = stations::find(conn, &station)?
                .ok_or_else(|| ChargingError::UnknownStation(station.to_string()))?;
            let grant = commands::start_for(conn, station.as_str(), &id_tag.to_ascii_lowercase(), since)?;
            let mut candidates = tokens::by_id_tag(conn, &id_tag)?;
            // Two eMSPs may have a card of the same uid: one that is valid goes before one that is not.
            candidates.sort_by_key(|(token, _)| !token.valid);
            let token = match candidates.into_iter().next() {
                Some((token, Some(partner))) => Some((token, partners::find(conn, partner)?)),
                Some((token, None)) => Some((token, None)),
                None => None,
            };
            let payment = payments::by_id_tag(conn, &id_tag.to_ascii_lowercase())?;
            Ok(Known { station: found, grant, token, payment })
        })
        .await
}

fn place_of(station: &Station, connector: Option<i32>) -> LocationReferences {
    let mut evse_uids: Vec<CiString> = Vec::new();
    for found in &station.connectors {
        let meant = connector.is_none_or(|number| number == found.number);
        if meant && !evse_uids.contains(&found.evse_uid) {
            evse_uids.push(found.evse_uid.clone());
        }
    }
    LocationReferences {
        location_id: station.location_id.clone(),
        evse_uids: Some(evse_uids),
        extra: Extra::new(),
    }
}

/// Keeps an eMSP's answer for the start that follows, so that it is not asked twice.
async fn remember(
    app: &App,
    station: &StationId,
    id_tag: &str,
    authorization: &Authorization,
) -> Result<(), ChargingError> {
    let now = app.now();
    let row = CommandRow {
        id: uuid::Uuid::new_v4().to_string(),
        kind: "AUTHORIZE".to_owned(),
        direction: "auth".to_owned(),
        partner_id: None,
        from_party: None,
        to_party: None,
        station_id: Some(station.to_string()),
        connector: None,
        id_tag: Some(id_tag.to_ascii_lowercase()),
        session_id: None,
        authorization_reference: authorization.reference.as_ref().map(ToString::to_string),
        token: authorization.token.clone().map(Json),
        response_url: None,
        correlation_id: None,
        state: "DONE".to_owned(),
        result: Some("ALLOWED".to_owned()),
        message: None,
        created: now,
        expires_at: now.plus(TimeDelta::minutes(GRANT_MINUTES)),
        delivered: true,
    };
    app.db
        .write(move |conn| {
            commands::forget_authorizations(conn, now)?;
            commands::insert(conn, &row)?;
            Ok(())
        })
        .await
}
