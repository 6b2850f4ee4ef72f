//! What an operator asks of a station: each route waits for the station and answers what it answered.

use super::auth::{Operate, Read};
use super::input::{Body, Nothing, Parameters, Strict};
use super::stations::find;
use crate::app::App;
use crate::charging::remote::{self, RemoteError};
use crate::charging::{ChargingError, StationAnswer, StationCall};
use crate::db::charges;
use crate::db::tokens::{self, id_tag_of};
use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::domain::station::{Station, StationId};
use crate::domain::token::{Token, TokenKey, TokenType};
use crate::http::RequestIds;
use crate::web::problem::Problem;
use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What a station answered to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnswerView {
    /// Its own word: `Accepted`, `Rejected`, `RebootRequired`, `NotImplemented`, …
    #[schema(example = "Accepted")]
    status: String,
}

/// Start a charge.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteStart {
    /// OCPP's number of the connector; missing leaves the choice to the station.
    #[schema(example = 1, minimum = 1)]
    connector: Option<i32>,
    /// `uid` of a token that is known here, our own or a partner's.
    #[schema(example = "04A2B3C4")]
    token_uid: String,
    /// Its type, where several tokens have that uid.
    #[schema(example = "RFID")]
    token_type: Option<String>,
    /// Its eMSP, where several tokens have that uid.
    #[schema(example = "DE*ABC")]
    token_party: Option<String>,
}

/// Stop a charge.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteStop {
    /// The session, as the station's charges name it.
    session_id: String,
}

/// Restart a station.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// How.
    kind: ResetKind,
}

/// How a station restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResetKind {
    /// Charges are ended in order first.
    Soft,
    /// At once.
    Hard,
}

/// Have a station send a message.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Which: `BootNotification`, `StatusNotification`, `MeterValues`, `Heartbeat`, …
    #[schema(example = "StatusNotification")]
    message: String,
    /// For which connector.
    #[schema(example = 1, minimum = 1)]
    connector: Option<i32>,
}

/// The new value of a configuration key.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationValue {
    /// As the station reads it.
    #[schema(example = "60")]
    value: String,
}

/// A station's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConfigurationView {
    /// What it is set to.
    keys: Vec<ConfigurationKeyView>,
    /// Keys that were asked for and that it does not know.
    unknown: Vec<String>,
}

/// A configuration key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConfigurationKeyView {
    /// Its name.
    #[schema(example = "HeartbeatInterval")]
    key: String,
    /// What it is set to; missing where the station does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// Whether it cannot be changed.
    readonly: bool,
}

/// Which configuration keys.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConfigurationQuery {
    /// Names, separated by commas; missing means all.
    #[param(example = "HeartbeatInterval,MeterValueSampleInterval")]
    keys: Option<String>,
}

impl Parameters for ConfigurationQuery {
    const NAMES: &'static [&'static str] = &["keys"];
}

impl From<ChargingError> for Problem {
    fn from(error: ChargingError) -> Self {
        match error {
            ChargingError::Db(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<RemoteError> for Problem {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::NoSession(_) => Self::conflict(error.to_string()),
            RemoteError::Station(error) => error.into(),
            RemoteError::Charging(error) => error.into(),
        }
    }
}

/// The station's word as the answer.
fn answer(answer: StationAnswer) -> web::Json<AnswerView> {
    let status = match answer {
        StationAnswer::Status(status)
        | StationAnswer::Data { status, .. }
        | StationAnswer::Composite { status, .. } => status,
        StationAnswer::Configuration { .. } => "Accepted".to_owned(),
    };
    web::Json(AnswerView { status })
}

/// Sends a call that changes no charge.
async fn call(
    app: &App,
    request: &HttpRequest,
    station: &StationId,
    call: StationCall,
) -> Result<StationAnswer, Problem> {
    let ids = RequestIds::of(request);
    Ok(app.stations.call(station, call, Some(&ids.correlation_id)).await?)
}

fn check_connector(station: &Station, connector: Option<i32>) -> Result<(), Problem> {
    match connector {
        Some(number) if station.connectors.iter().all(|known| known.number != number) => {
            let known: Vec<_> = station.connectors.iter().map(|known| known.number.to_string()).collect();
            let detail = format!("{} has no connector {number}; it has {}", station.id, known.join(", "));
            Err(Problem::bad("body", "$.connector", detail))
        }
        _ => Ok(()),
    }
}

/// The one token that a start names.
async fn token_of(app: &App, start: &RemoteStart) -> Result<Token, Problem> {
    let uid = CiString::parse("token_uid", &start.token_uid, 36)
        .map_err(|error| Problem::bad("body", "$.token_uid", error.to_string()))?;
    let token_type = start.token_type.as_deref().map(TokenType::from);
    let party: Option<PartyId> = start.token_party.as_deref().map(str::parse).transpose().map_err(
        |error: crate::domain::ValueError| Problem::bad("body", "$.token_party", error.to_string()),
    )?;
    let id_tag = id_tag_of(&uid);
    let mut found = app.db.read(move |conn| tokens::by_id_tag(conn, &id_tag)).await?;
    found.retain(|(token, _)| {
        let TokenKey { party: owner, uid: own, token_type: kind } = token.key();
        own == uid
            && token_type.as_ref().is_none_or(|wanted| *wanted == kind)
            && party.as_ref().is_none_or(|wanted| *wanted == owner)
    });
    match found.len() {
        0 => Err(Problem::bad("body", "$.token_uid", "no such token is known")),
        1 => found.pop().map(|(token, _)| token).ok_or_else(|| Problem::not_found("no such token is known")),
        _ => {
            let detail = "several tokens have that uid; name one with token_type and token_party";
            Err(Problem::bad("body", "$.token_uid", detail))
        }
    }
}

/// Starts a charge
///
/// The station is asked, and its own answer comes back; the charge begins when the car is plugged in.
///
/// # Errors
/// 404 for an unknown station, 409 while it is not connected, 504 when it does not answer in time.
#[utoipa::path(
    post, path = "/api/v1/stations/{station}/remote-start", tag = "stations", request_body = RemoteStart,
    params(("station" = String, Path, description = "The station", example = "CS1")),
    responses((status = 200, description = "What the station answered", body = AnswerView))
)]
pub async fn remote_start(
    caller: Operate,
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<String>,
    _query: Strict<Nothing>,
    Body(start): Body<RemoteStart>,
) -> Result<web::Json<AnswerView>, Problem> {
    let station = find(&app, &path).await?;
    check_connector(&station, start.connector)?;
    let token = token_of(&app, &start).await?;
    tracing::info!(station = %station.id, api_key = caller.0.api_key, "an operator starts a charge");
    let app = app.into_inner();
    let correlation_id = RequestIds::of(&request).correlation_id;
    Ok(answer(remote::start_here(&app, &station.id, start.connector, &token, correlation_id).await?))
}

/// Stops a charge
///
/// # Errors
/// 404 for an unknown station, 409 when the session does not go on there, or the station is not connected.
#[utoipa::path(
    post, path = "/api/v1/stations/{station}/remote-stop", tag = "stations", request_body = RemoteStop,
    params(("station" = String, Path, description = "The station", example = "CS1")),
    responses((status = 200, description = "What the station answered", body = AnswerView))
)]
pub async fn remote_stop(
    caller: Operate,
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<String>,
    _query: Strict<Nothing>,
    Body(stop): Body<RemoteStop>,
) -> Result<web::Json<AnswerView>, Problem> {
    let station = find(&app, &path).await?;
    let session = CiString::from(stop.session_id);
    let key = session.key();
    let charge = app.db.read(move |conn| charges::by_session(conn, &key)).await?;
    if charge.is_none_or(|charge| charge.station_id != station.id.as_str()) {
        return Err(Problem::conflict(format!("the session {session} does not go on at {}", station.id)));
    }
    tracing::info!(station = %station.id, %session, api_key = caller.0.api_key, "an operator stops a charge");
    let app = app.into_inner();
    let correlation_id = RequestIds::of(&request).correlation_id;
    Ok(answer(remote::stop_here(&app, &session, correlation_id).await?))
}

/// Restarts a station
///
/// # Errors
/// 404 for an unknown station, 409 while it is not connected, 504 when it does not answer in time.
#[utoipa::path(
    post, path = "/api/v1/stations/{station}/reset", tag = "stations", request_body = Reset,
    params(("station" = String, Path, description = "The station", example = "CS1")),
    responses((status = 200, description = "What the station answered", body = AnswerView))
)]
pub async fn reset(
    caller: Operate,
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<String>,
    _query: Strict<Nothing>,
    Body(body): Body<Reset>,
) -> Result<web::Json<AnswerView>, Problem> {
    let station = find(&app, &path).await?.id;
    tracing::info!(%station, api_key = caller.0.api_key, kind = ?body.kind, "an operator restarts a station");
    let reset = StationCall::Reset { hard: body.kind == ResetKind::Hard };
    Ok(answer(call(&app, &request, &station, reset).await?))
}

/// Has a station send a message now
///
/// # Errors
/// 404 for an unknown station, 409 while it is not connected, 504 when it does not answer in time.
#[utoipa::path(
    post, path = "/api/v1/stations/{station}/trigger", tag = "stations", request_body = Trigger,
    params(("station" = String, Path, description = "The station", example = "CS1")),
    responses((status = 200, description = "What the station answered", body = AnswerView))
)]
pub async fn trigger(
    _caller: Operate,
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<String>,
    _query: Strict<Nothing>,
    Body(body): Body<Trigger>,
) -> Result<web::Json<AnswerView>, Problem> {
    let station = find(&app, &path).await?;
    check_connector(&station, body.connector)?;
    let trigger = StationCall::TriggerMessage { message: body.message, connector: body.connector };
    Ok(answer(call(&app, &request, &station.id, trigger).await?))
}

/// Reads a station's configuration from the station
///
/// # Errors
/// 404 for an unknown station, 409 while it is not connected, 504 when it does not answer in time.
#[utoipa::path(
    get, path = "/api/v1/stations/{station}/configuration", tag = "stations",
    params(("station" = String, Path, description = "The station", example = "CS1"), ConfigurationQuery),
    responses((status = 200, description = "What it is set to", body = ConfigurationView))
)]
pub async fn configuration(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<String>,
    Strict(query): Strict<ConfigurationQuery>,
) -> Result<web::Json<ConfigurationView>, Problem> {
    let station = find(&app, &path).await?.id;
    let keys =
        query.keys.iter().flat_map(|keys| keys.split(',')).map(str::trim).filter(|key| !key.is_empty());
    let read = StationCall::GetConfiguration { keys: keys.map(str::to_owned).collect() };
    let StationAnswer::Configuration { keys, unknown } = call(&app, &request, &station, read).await? else {
        return Err(crate::charging::StationCallError::Unreadable("no configuration".to_owned()).into());
    };
    let keys = keys.into_iter().map(|(key, value, readonly)| ConfigurationKeyView { key, value, readonly });
    Ok(web::Json(ConfigurationView { keys: keys.collect(), unknown }))
}

/// Sets a configuration key of a station
///
/// # Errors
/// 404 for an unknown station, 409 while it is not connected, 504 when it does not answer in time.
#[utoipa::path(
    put, path = "/api/v1/stations/{station}/configuration/{key}", tag = "stations",
    request_body = ConfigurationValue,
    params(
        ("station" = String, Path, description = "The station", example = "CS1"),
        ("key" = String, Path, description = "Name of the key", example = "HeartbeatInterval"),
    ),
    responses((status = 200, description = "What the station answered", body = AnswerView))
)]
pub async fn set_configuration(
    caller: Operate,
    app: web::Data<App>,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
    Body(body): Body<ConfigurationValue>,
) -> Result<web::Json<AnswerView>, Problem> {
    let (station, key) = path.into_inner();
    let station = find(&app, &station).await?.id;
    tracing::info!(%station, key, api_key = caller.0.api_key, "an operator sets a configuration key");
    let change = StationCall::ChangeConfiguration { key, value: body.value };
    Ok(answer(call(&app, &request, &station, change).await?))
}
