//! What is asked of a station from afar: by a partner's command or by an operator.
//!
//! A partner is answered at once and told the result later (OCPI 2.2.1 mod_commands, 13.1): the command is a row
//! that is written before the station is called and gets the result after, so a restart in between leaves a
//! command that times out, never one that is forgotten.

use super::{ChargingError, StationAnswer, StationCall, StationCallError};
use crate::app::App;
use crate::db::commands::CommandRow;
use crate::db::tokens::id_tag_of;
use crate::db::types::Json;
use crate::db::{DbConn, DbError, charges, commands, locations, sessions, stations};
use crate::domain::CiString;
use crate::domain::command::{CommandResponse, CommandResult, StartSession};
use crate::domain::location::EvseStatus;
use crate::domain::party::PartyId;
use crate::domain::station::StationId;
use crate::domain::token::Token;
use std::sync::Arc;
use tracing::Instrument;

/// Who asks, and where the result is to go.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The partner.
    pub partner_id: i64,
    /// The party that asks (`DE*EMP`), if the request says.
    pub from: Option<PartyId>,
    /// Our party that is asked.
    pub to: PartyId,
    /// Where the result is to be posted.
    pub response_url: String,
    /// Of the request.
    pub correlation_id: Option<String>,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The word.
    pub response: CommandResponse,
    /// What it names is not known (OCPI status 2003).
    pub unknown_location: bool,
    /// Why, for people.
    pub message: Option<String>,
}

impl Reply {
    fn rejected(message: impl Into<String>) -> Self {
        Self { response: CommandResponse::Rejected, unknown_location: false, message: Some(message.into()) }
    }

    fn unknown(message: impl Into<String>) -> Self {
        Self { unknown_location: true, ..Self::rejected(message) }
    }

    fn accepted() -> Self {
        Self { response: CommandResponse::Accepted, unknown_location: false, message: None }
    }
}

/// Starts a charge for a partner's driver (OCPI 2.2.1 mod_commands, START_SESSION). The token need not be known.
///
/// # Errors
/// When the database fails.
pub async fn start_session(
    app: &Arc<App>,
    asked: Asked,
    start: StartSession,
) -> Result<Reply, ChargingError> {
    let (to, wanted) = (asked.to.clone(), start.clone());
    let chosen = app.db.read(move |conn| choose_connector(conn, &to, &wanted)).await?;
    let (station, connector) = match chosen {
        Ok(chosen) => chosen,
        Err(reply) => return Ok(reply),
    };
    if !app.stations.is_connected(&station) {
        return Ok(Reply::rejected(format!("the station {station} is not connected")));
    }
    let mut row = new_row(app, "START_SESSION", Some(&asked), &station);
    row.connector = Some(connector);
    row.id_tag = Some(id_tag_of(&start.token.uid).to_ascii_lowercase());
    row.authorization_reference = start.authorization_reference.as_ref().map(ToString::to_string);
    let id_tag = id_tag_of(&start.token.uid);
    row.token = Some(Json(start.token));
    let call = StationCall::RemoteStart { connector: Some(connector), id_tag };
    send_in_background(app, row, station, call).await?;
    Ok(Reply::accepted())
}

/// Stops a charge for a partner (OCPI 2.2.1 mod_commands, STOP_SESSION): only one of its own drivers'.
///
/// # Errors
/// When the database fails.
pub async fn stop_session(
    app: &Arc<App>,
    asked: Asked,
    session_id: &CiString,
    may_stop: impl Fn(Option<&PartyId>) -> bool,
) -> Result<Reply, ChargingError> {
    let key = session_id.clone();
    let found = app
        .db
        .read(move |conn| {
            let session = sessions::find_ours(conn, &key)?;
            Ok::<_, DbError>((session, charges::by_session(conn, &key.key())?))
        })
        .await?;
    let (Some(session), Some(charge)) = found else { return Ok(unknown_session(session_id)) };
    if !may_stop(session.cdr_token.party.as_ref()) || session.party != asked.to {
        return Ok(unknown_session(session_id));
    }
    if charge.state() != crate::db::charges::ChargeState::Active {
        return Ok(Reply::rejected(format!("the session {session_id} is over")));
    }
    let station = StationId::parse(&charge.station_id)?;
    if !app.stations.is_connected(&station) {
        return Ok(Reply::rejected(format!("the station {station} is not connected")));
    }
    let mut row = new_row(app, "STOP_SESSION", Some(&asked), &station);
    row.session_id = Some(charge.session_id.clone());
    let call = StationCall::RemoteStop { transaction_id: charge.transaction_id };
    send_in_background(app, row, station, call).await?;
    Ok(Reply::accepted())
}

fn unknown_session(session_id: &CiString) -> Reply {
    Reply {
        response: CommandResponse::UnknownSession,
        unknown_location: false,
        message: Some(format!("no session {session_id} goes on here")),
    }
}

/// Starts a charge for an operator and returns the station's own answer. `correlation_id` is that of the
/// operator's request.
///
/// # Errors
/// When the database fails, or the station gives no answer.
pub async fn start_here(
    app: &Arc<App>,
    station: &StationId,
    connector: Option<i32>,
    token: &Token,
    correlation_id: String,
) -> Result<StationAnswer, RemoteError> {
    let mut row = new_row(app, "START_SESSION", None, station);
    row.correlation_id = Some(correlation_id);
    row.connector = connector;
    row.id_tag = Some(id_tag_of(&token.uid).to_ascii_lowercase());
    row.token = Some(Json(token.clone()));
    let call = StationCall::RemoteStart { connector, id_tag: id_tag_of(&token.uid) };
    send(app, row, station, call).await
}

/// Starts a charge that is paid for ad hoc, under the id that the payment gave the command, and returns the station's own
/// answer.
///
/// # Errors
/// When the database fails, or the station gives no answer.
pub async fn start_paid(
    app: &Arc<App>,
    command_id: &str,
    station: &StationId,
    connector: i32,
    token: &Token,
) -> Result<StationAnswer, RemoteError> {
    let mut row = new_row(app, "START_SESSION", None, station);
    command_id.clone_into(&mut row.id);
    row.connector = Some(connector);
    row.id_tag = Some(id_tag_of(&token.uid).to_ascii_lowercase());
    row.token = Some(Json(token.clone()));
    let call = StationCall::RemoteStart { connector: Some(connector), id_tag: id_tag_of(&token.uid) };
    send(app, row, station, call).await
}

/// Stops a charge for an operator and returns the station's own answer. `correlation_id` is that of the
/// operator's request.
///
/// # Errors
/// When the session does not go on, the database fails, or the station gives no answer.
pub async fn stop_here(
    app: &Arc<App>,
    session_id: &CiString,
    correlation_id: String,
) -> Result<StationAnswer, RemoteError> {
    let charge = running(app, session_id).await?;
    let station = StationId::parse(&charge.station_id).map_err(ChargingError::from)?;
    let mut row = new_row(app, "STOP_SESSION", None, &station);
    row.correlation_id = Some(correlation_id);
    row.session_id = Some(charge.session_id);
    let call = StationCall::RemoteStop { transaction_id: charge.transaction_id };
    send(app, row, &station, call).await
}

/// Starts a charge for a driver of ours; the command has the id that is given, which is also the session's reference.
/// The result is with the command.
///
/// # Errors
/// When the database fails.
pub async fn start_for_driver(
    app: &Arc<App>,
    id: String,
    station: StationId,
    connector: i32,
    token: Token,
    correlation_id: String,
) -> Result<(), ChargingError> {
    let mut row = new_row(app, "START_SESSION", None, &station);
    row.correlation_id = Some(correlation_id);
    row.connector = Some(connector);
    let id_tag = id_tag_of(&token.uid);
    row.id_tag = Some(id_tag.to_ascii_lowercase());
    row.authorization_reference = Some(id.clone());
    row.token = Some(Json(token));
    row.id = id;
    let call = StationCall::RemoteStart { connector: Some(connector), id_tag };
    send_in_background(app, row, station, call).await
}

/// Stops a charge of ours for its driver; the command has the id that is given. The result is with the command.
///
/// # Errors
/// When the session does not go on, or the database fails.
pub async fn stop_for_driver(
    app: &Arc<App>,
    id: String,
    session_id: &CiString,
    correlation_id: String,
) -> Result<(), RemoteError> {
    let charge = running(app, session_id).await?;
    let station = StationId::parse(&charge.station_id).map_err(ChargingError::from)?;
    let mut row = new_row(app, "STOP_SESSION", None, &station);
    row.correlation_id = Some(correlation_id);
    row.session_id = Some(charge.session_id);
    row.id = id;
    let call = StationCall::RemoteStop { transaction_id: charge.transaction_id };
    Ok(send_in_background(app, row, station, call).await?)
}

/// The charge of a session that goes on.
async fn running(app: &App, session_id: &CiString) -> Result<charges::Charge, RemoteError> {
    let key = session_id.key();
    let charge = app.db.read(move |conn| charges::by_session(conn, &key)).await?;
    let active = charge.filter(|charge| charge.state() == charges::ChargeState::Active);
    active.ok_or_else(|| RemoteError::NoSession(session_id.to_string()))
}

/// Why a remote command of an operator has no answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// No such charge goes on.
    #[error("no session {0} goes on here")]
    NoSession(String),
    /// The station gave none.
    #[error(transparent)]
    Station(#[from] StationCallError),
    /// It could not be recorded.
    #[error(transparent)]
    Charging(#[from] ChargingError),
}

impl From<DbError> for RemoteError {
    fn from(error: DbError) -> Self {
        Self::Charging(error.into())
    }
}

/// The connector that a START_SESSION means, or why there is none.
fn choose_connector(
    conn: &mut DbConn,
    party: &PartyId,
    start: &StartSession,
) -> Result<Result<(StationId, i32), Reply>, ChargingError> {
    let Some(location) = locations::find(conn, party, &start.location_id)? else {
        return Ok(Err(Reply::unknown(format!("no location {} of {party}", start.location_id))));
    };
    if let Some(uid) = &start.evse_uid {
        let Some(evse) = location.evse(uid) else {
            return Ok(Err(Reply::unknown(format!("no EVSE {uid} at location {}", location.id))));
        };
        let required = "START_SESSION_CONNECTOR_REQUIRED";
        let capabilities = evse.capabilities.iter().flatten();
        if start.connector_id.is_none() && capabilities.into_iter().any(|word| word == required) {
            return Ok(Err(Reply::rejected(format!("connector_id is required for EVSE {uid} ({required})"))));
        }
        if let Some(id) = &start.connector_id
            && evse.connector(id).is_none()
        {
            return Ok(Err(Reply::unknown(format!("no connector {id} at EVSE {uid}"))));
        }
    }
    let serving = stations::serving(conn, party, &start.location_id)?;
    let mut fitting = serving.into_iter().filter(|(_, connector)| {
        start.evse_uid.as_ref().is_none_or(|uid| *uid == connector.evse_uid)
            && start.connector_id.as_ref().is_none_or(|id| *id == connector.connector_id)
    });
    // Without an EVSE the choice is ours: one that is free, if any is.
    let chosen = if start.evse_uid.is_some() {
        fitting.next()
    } else {
        let all: Vec<_> = fitting.collect();
        let free = all.iter().find(|(_, connector)| {
            connector.status.as_ref().is_some_and(|status| status.to_evse_status() == EvseStatus::Available)
        });
        free.or_else(|| all.first()).cloned()
    };
    Ok(match chosen {
        Some((station, connector)) => Ok((station, connector.number)),
        None => Err(Reply::rejected("no station serves that connector")),
    })
}

fn new_row(app: &App, kind: &str, asked: Option<&Asked>, station: &StationId) -> CommandRow {
    let now = app.now();
    CommandRow {
        id: uuid::Uuid::new_v4().to_string(),
        kind: kind.to_owned(),
        direction: if asked.is_some() { "in" } else { "local" }.to_owned(),
        partner_id: asked.map(|asked| asked.partner_id),
        from_party: asked.and_then(|asked| asked.from.as_ref()).map(ToString::to_string),
        to_party: asked.map(|asked| asked.to.to_string()),
        station_id: Some(station.to_string()),
        connector: None,
        id_tag: None,
        session_id: None,
        authorization_reference: None,
        token: None,
        response_url: asked.map(|asked| asked.response_url.clone()),
        correlation_id: asked.and_then(|asked| asked.correlation_id.clone()),
        state: "SENT".to_owned(),
        result: None,
        message: None,
        created: now,
        expires_at: now.plus(super::record::delta(app.config.charging.command_timeout)),
        delivered: false,
    }
}

async fn send_in_background(
    app: &Arc<App>,
    row: CommandRow,
    station: StationId,
    call: StationCall,
) -> Result<(), ChargingError> {
    insert(app, &row).await?;
    let app = Arc::clone(app);
    let sending = async move {
        let correlation_id = row.correlation_id.clone();
        let answer = call_station(&app, &station, call, correlation_id.as_deref()).await;
        if let Err(error) = finish(&app, row.id, &answer).await {
            tracing::error!(station = %station, %error, "the result of a command could not be kept");
        }
        app.wakes.commands.notify_waiters();
    };
    // What is logged in the background belongs to the request all the same.
    tokio::spawn(sending.in_current_span());
    Ok(())
}

async fn send(
    app: &Arc<App>,
    row: CommandRow,
    station: &StationId,
    call: StationCall,
) -> Result<StationAnswer, RemoteError> {
    insert(app, &row).await?;
    let answer = call_station(app, station, call, row.correlation_id.as_deref()).await;
    finish(app, row.id, &answer).await?;
    Ok(answer?)
}

/// Calls a station; a start only when what the station may then draw fits.
async fn call_station(
    app: &App,
    station: &StationId,
    call: StationCall,
    correlation_id: Option<&str>,
) -> Result<StationAnswer, StationCallError> {
    if let StationCall::RemoteStart { connector, .. } = &call
        && !app.energy.admit(station, *connector).await
    {
        return Err(StationCallError::NoRoom);
    }
    app.stations.call(station, call, correlation_id).await
}

async fn insert(app: &App, row: &CommandRow) -> Result<(), ChargingError> {
    let row = row.clone();
    app.db.write(move |conn| Ok(commands::insert(conn, &row)?)).await
}

/// Keeps what became of a command, unless it was given up meanwhile.
async fn finish(
    app: &App,
    id: String,
    answer: &Result<StationAnswer, StationCallError>,
) -> Result<(), ChargingError> {
    let (result, message) = match answer {
        Ok(answer) if answer.is_accepted() => (CommandResult::Accepted, None),
        Ok(_) => (CommandResult::Rejected, Some("the station refused".to_owned())),
        Err(error) => {
            let result = match error {
                StationCallError::Timeout => CommandResult::Timeout,
                StationCallError::Refused { code, .. }
                    if matches!(code.as_str(), "NotSupported" | "NotImplemented") =>
                {
                    CommandResult::NotSupported
                }
                _ => CommandResult::Failed,
            };
            (result, Some(error.to_string()))
        }
    };
    app.db
        .write(move |conn| {
            if let Some(mut row) = commands::find(conn, &id)?
                && row.state == "SENT"
            {
                row.state = "DONE".to_owned();
                row.result = Some(result.as_str().to_owned());
                row.message.clone_from(&message);
                commands::update(conn, &row)?;
            }
            Ok::<_, ChargingError>(())
        })
        .await
}
