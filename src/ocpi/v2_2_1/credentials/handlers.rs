//! The credentials module as a server (OCPI 2.2.1 credentials, "Interfaces and endpoints").

use super::wire::Credentials;
use crate::app::App;
use crate::ocpi::auth::{CredentialsContext, Refusal};
use crate::ocpi::envelope::{Envelope, StatusCode};
use crate::ocpi::v2_2_1::calls::{offer_from_wire, offer_to_wire};
use crate::ocpi::wire::{WireError, parse};
use crate::roaming::desk::{Desk, RegistrationError};
use crate::roaming::link::{CredentialsOffer, DiscoveryError, Handshake};
use actix_web::http::StatusCode as Http;
use actix_web::{HttpResponse, web};

/// GET: our credentials, with the token that the caller just used.
///
/// # Errors
/// When the caller is not known, or the database fails.
pub async fn get(caller: CredentialsContext, app: web::Data<App>) -> Result<HttpResponse, Refusal> {
    let offer = Desk::of(&app).credentials_with(caller.token).await.map_err(|error| refuse(&app, &error))?;
    Ok(answer(&app, &offer))
}

/// POST: the caller registers.
///
/// # Errors
/// 405 when it is registered, 3001 when its API cannot be used, 3002 and 3003 when nothing fits, 2001 when what
/// it says is wrong.
pub async fn post(
    caller: CredentialsContext,
    app: web::Data<App>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    take(&caller, &app, &body, Handshake::Register).await
}

/// PUT: the caller changes its credentials, and gets a new token.
///
/// # Errors
/// As [`post`]; 405 when it is not registered.
pub async fn put(
    caller: CredentialsContext,
    app: web::Data<App>,
    body: web::Bytes,
) -> Result<HttpResponse, Refusal> {
    take(&caller, &app, &body, Handshake::Update).await
}

/// DELETE: the caller ends its registration.
///
/// # Errors
/// 405 when it is not registered.
pub async fn delete(caller: CredentialsContext, app: web::Data<App>) -> Result<HttpResponse, Refusal> {
    Desk::of(&app).accept_end(caller.partner).await.map_err(|error| refuse(&app, &error))?;
    Ok(HttpResponse::Ok().json(Envelope::done(app.now())))
}

async fn take(
    caller: &CredentialsContext,
    app: &App,
    body: &[u8],
    handshake: Handshake,
) -> Result<HttpResponse, Refusal> {
    let theirs = parse::<Credentials>(body).and_then(offer_from_wire);
    let theirs = theirs.map_err(|error| unreadable(app, &error))?;
    let ours = Desk::of(app).accept(&caller.partner, &caller.token_hash, handshake, theirs).await;
    let ours = ours.map_err(|error| refuse(app, &error))?;
    app.wakes.delivery.notify_waiters();
    app.wakes.sync.notify_waiters();
    Ok(answer(app, &ours))
}

fn answer(app: &App, offer: &CredentialsOffer) -> HttpResponse {
    HttpResponse::Ok().json(Envelope::success(offer_to_wire(offer), app.now()))
}

fn unreadable(app: &App, error: &WireError) -> Refusal {
    app.metrics.refused.with_label_values(&["ocpi", "credentials"]).inc();
    let http = if error.not_json { Http::BAD_REQUEST } else { Http::OK };
    Refusal::http(http, StatusCode::INVALID_PARAMETERS, error.to_string(), app.now())
}

fn refuse(app: &App, error: &RegistrationError) -> Refusal {
    use RegistrationError as E;
    let (http, code) = match error {
        E::WrongState { .. } => (Http::METHOD_NOT_ALLOWED, StatusCode::CLIENT_ERROR),
        E::Overtaken => (Http::CONFLICT, StatusCode::CLIENT_ERROR),
        E::Discovery(DiscoveryError::NoCommonVersion(_)) => (Http::OK, StatusCode::UNSUPPORTED_VERSION),
        E::Discovery(DiscoveryError::Call(_)) | E::Call(_) => (Http::OK, StatusCode::UNABLE_TO_USE_API),
        E::NoMatchingEndpoints => (Http::OK, StatusCode::NO_MATCHING_ENDPOINTS),
        E::NoRoles | E::OurParty(_) | E::Taken { .. } | E::Origin(_) => {
            (Http::OK, StatusCode::INVALID_PARAMETERS)
        }
        E::NoParty => (Http::OK, StatusCode::SERVER_ERROR),
        E::Db(_) | E::Seal(_) | E::NotReachable { .. } | E::Unknown(_) => {
            return Refusal::failed(error, app.now());
        }
    };
    app.metrics.refused.with_label_values(&["ocpi", "credentials"]).inc();
    tracing::info!(%error, "credentials were refused");
    Refusal::http(http, code, error.to_string(), app.now())
}
