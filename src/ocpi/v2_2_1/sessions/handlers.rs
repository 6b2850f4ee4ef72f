//! Sessions over HTTP (OCPI 2.2.1 mod_sessions, "Interfaces and endpoints").

use super::preferences::{self, ChargingPreferences};
use super::wire;
use crate::app::App;
use crate::domain::CiString;
use crate::domain::session::Session;
use crate::ocpi::answer::{found, misread, page, page_query, party_of_path, refuse, refuse_receive, written};
use crate::ocpi::auth::{PartnerContext, Refusal};
use crate::ocpi::envelope::StatusCode;
use crate::ocpi::message::Message;
use crate::ocpi::owned::{same_id, same_owner, unchanged};
use crate::ocpi::patch::{parse_patch, patched_session};
use crate::ocpi::wire::{parse, parse_noting};
use crate::roaming::receive::{self, ObjectId, ReceiveError, Written};
use crate::roaming::serve;
use actix_web::http::StatusCode as Http;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

/// `{country_code}/{party_id}/{session_id}`.
type Path = web::Path<(String, String, CiString)>;

fn key(app: &App, path: Path) -> Result<ObjectId, Refusal> {
    let (country_code, party_id, id) = path.into_inner();
    Ok(ObjectId { party: party_of_path(app, &country_code, &party_id)?, id })
}

fn refused(app: &App, error: &ReceiveError) -> Refusal {
    refuse_receive(app, error, StatusCode::INVALID_PARAMETERS)
}

/// Sender GET: the sessions of the caller's drivers.
///
/// # Errors
/// When the page is wrong, or the database fails.
pub async fn get_ours(
    caller: PartnerContext,
    app: web::Data<App>,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let (query, part) = page_query(&app, &req)?;
    let slice = serve::sessions(&app, &caller.partner, caller.to.as_ref(), part).await;
    let slice = slice.map_err(|error| Refusal::failed(&error, app.now()))?;
    let slice = slice.map(|session| wire::Session::from(session).with_at_most_4_decimals());
    Ok(page(&app, &req, &query, slice))
}

/// Sender PUT of charging preferences.
///
/// # Errors
/// 404 with 2001 when the session is not one of the caller's drivers', or its EVSE takes no preferences.
pub async fn put_preferences(
    message: Message,
    app: web::Data<App>,
    session_id: web::Path<CiString>,
) -> Result<HttpResponse, Refusal> {
    let session_id = session_id.into_inner();
    let wanted: ChargingPreferences = parse(&message.body).map_err(|error| misread(&app, &error))?;
    let found_session = serve::session(&app, &message.sender.partner, session_id.clone()).await;
    let session = found_session.map_err(|error| Refusal::failed(&error, app.now()))?;
    let not_found = |what: String| refuse(&app, Http::NOT_FOUND, StatusCode::INVALID_PARAMETERS, what);
    let session = session.ok_or_else(|| not_found(format!("no session {session_id} is known here")))?;
    let partner = &message.sender.partner;
    let location = serve::location(&app, partner, Some(&session.party), session.location_id.clone()).await;
    let location = location.map_err(|error| Refusal::failed(&error, app.now()))?;
    let evse = location.as_ref().and_then(|location| location.evse(&session.evse_uid));
    if !evse.is_some_and(preferences::is_capable) {
        let what = format!("EVSE {} is not {}", session.evse_uid, preferences::CAPABILITY);
        return Err(not_found(what));
    }
    Ok(found(&app, preferences::answer(&wanted)))
}

/// Receiver GET: a session as its owner told us.
///
/// # Errors
/// 404 when it is not there or not the caller's.
pub async fn get_theirs(
    caller: PartnerContext,
    app: web::Data<App>,
    path: Path,
) -> Result<HttpResponse, Refusal> {
    let session = receive::find::<Session>(&app, &caller.partner, key(&app, path)?).await;
    let session = session.map_err(|error| refused(&app, &error))?;
    Ok(found(&app, wire::Session::from(session)))
}

/// Receiver PUT: the whole session, also its charging periods.
///
/// # Errors
/// 2001 when the body is not that session, 404 when it is not the caller's.
pub async fn put(message: Message, app: web::Data<App>, path: Path) -> Result<HttpResponse, Refusal> {
    let key = key(&app, path)?;
    let parsed = parse_noting::<wire::Session>(&message.body).map_err(|error| misread(&app, &error))?;
    let session = Session::try_from(parsed.object).map_err(|error| misread(&app, &error))?;
    same_owner(&app, &session.party, &key.party)?;
    same_id(&app, "$.id", &session.id, &key.id)?;
    let outcome = receive::put(&app, &message.sender.partner, session).await;
    let outcome = outcome.map_err(|error| refused(&app, &error))?;
    Ok(written(&app, outcome, &parsed.notes))
}

/// Receiver PATCH: some fields; charging periods are added to those that are there.
///
/// # Errors
/// 2001 without `last_updated` or when the result would be no session, 404 when it is not known or not the
/// caller's.
pub async fn patch(message: Message, app: web::Data<App>, path: Path) -> Result<HttpResponse, Refusal> {
    let key = key(&app, path)?;
    let (patch, _) = parse_patch(&message.body).map_err(|error| misread(&app, &error))?;
    let change = move |session| patch_session(session, &patch).map(|session| (session, ()));
    let changed = receive::change::<Session, ()>(&app, &message.sender.partner, key, change).await;
    changed.map_err(|error| refused(&app, &error))?;
    Ok(written(&app, Written::Replaced, &[]))
}

fn patch_session(session: Session, patch: &Value) -> Result<Session, ReceiveError> {
    let (party, id) = (session.party.clone(), session.id.clone());
    let patched = Session::try_from(patched_session(&wire::Session::from(session), patch)?.object)?;
    unchanged("$.party_id", &party, &patched.party)?;
    unchanged("$.id", &id, &patched.id)?;
    Ok(patched)
}
