//! Tariffs over HTTP (OCPI 2.2.1 mod_tariffs, "Interfaces and Endpoints"). There is no PATCH: a tariff is told
//! whole.

use super::wire;
use crate::app::App;
use crate::domain::CiString;
use crate::domain::tariff::Tariff;
use crate::ocpi::answer::{done, found, misread, page, page_query, party_of_path, refuse_receive, written};
use crate::ocpi::auth::{PartnerContext, Refusal};
use crate::ocpi::envelope::StatusCode;
use crate::ocpi::message::Message;
use crate::ocpi::owned::{same_id, same_owner};
use crate::ocpi::wire::parse_noting;
use crate::roaming::receive::{self, ObjectId, ReceiveError};
use crate::roaming::serve;
use actix_web::{HttpRequest, HttpResponse, web};

/// `{country_code}/{party_id}/{tariff_id}`.
type Path = web::Path<(String, String, CiString)>;

fn key(app: &App, path: Path) -> Result<ObjectId, Refusal> {
    let (country_code, party_id, id) = path.into_inner();
    Ok(ObjectId { party: party_of_path(app, &country_code, &party_id)?, id })
}

fn refused(app: &App, error: &ReceiveError) -> Refusal {
    refuse_receive(app, error, StatusCode::INVALID_PARAMETERS)
}

/// Sender GET: the list of ours.
///
/// # Errors
/// When the page is wrong, or the database fails.
pub async fn get_ours(
    caller: PartnerContext,
    app: web::Data<App>,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let (query, part) = page_query(&app, &req)?;
    let slice = serve::tariffs(&app, &caller.partner, caller.to.as_ref(), part).await;
    let slice = slice.map_err(|error| Refusal::failed(&error, app.now()))?;
    Ok(page(&app, &req, &query, slice.map(wire::Tariff::from)))
}

/// Receiver GET: a tariff as its owner told us.
///
/// # Errors
/// 404 when it is not there or not the caller's.
pub async fn get_theirs(
    caller: PartnerContext,
    app: web::Data<App>,
    path: Path,
) -> Result<HttpResponse, Refusal> {
    let tariff = receive::find::<Tariff>(&app, &caller.partner, key(&app, path)?).await;
    let tariff = tariff.map_err(|error| refused(&app, &error))?;
    Ok(found(&app, wire::Tariff::from(tariff)))
}

/// Receiver PUT. A tariff that does not say when it was last updated (the specification's own example does not)
/// was updated now.
///
/// # Errors
/// 2001 when the body is not that tariff, 404 when it is not the caller's.
pub async fn put(message: Message, app: web::Data<App>, path: Path) -> Result<HttpResponse, Refusal> {
    let key = key(&app, path)?;
    let parsed = parse_noting::<wire::Tariff>(&message.body).map_err(|error| misread(&app, &error))?;
    let tariff = Tariff::try_from(parsed.object.or_else(&key.party, app.now()));
    let tariff = tariff.map_err(|error| misread(&app, &error))?;
    same_owner(&app, &tariff.party, &key.party)?;
    same_id(&app, "$.id", &tariff.id, &key.id)?;
    let outcome = receive::put(&app, &message.sender.partner, tariff).await;
    let outcome = outcome.map_err(|error| refused(&app, &error))?;
    Ok(written(&app, outcome, &parsed.notes))
}

/// Receiver DELETE.
///
/// # Errors
/// 404 when it is not known or not the caller's.
pub async fn delete(
    caller: PartnerContext,
    app: web::Data<App>,
    path: Path,
) -> Result<HttpResponse, Refusal> {
    let removed = receive::remove_tariff(&app, &caller.partner, key(&app, path)?).await;
    removed.map_err(|error| refused(&app, &error))?;
    Ok(done(&app))
}
