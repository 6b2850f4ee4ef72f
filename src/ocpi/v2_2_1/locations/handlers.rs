//! Locations over HTTP (OCPI 2.2.1 mod_locations, "Interfaces and Endpoints").

use super::wire;
use crate::app::App;
use crate::domain::location::{Connector, Evse, Location};
use crate::domain::{CiString, Timestamp};
use crate::ocpi::answer::{found, misread, page, page_query, party_of_path, refuse, refuse_receive, written};
use crate::ocpi::auth::{PartnerContext, Refusal};
use crate::ocpi::envelope::StatusCode;
use crate::ocpi::examine::Note;
use crate::ocpi::message::Message;
use crate::ocpi::owned::{same_id, same_owner, unchanged};
use crate::ocpi::patch::{parse_patch, patched};
use crate::ocpi::wire::{Parsed, Wire, parse_salvaging};
use crate::roaming::receive::{self, ObjectId, ReceiveError, Written};
use crate::roaming::serve;
use actix_web::http::StatusCode as Http;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

/// `{location_id}[/{evse_uid}[/{connector_id}]]`.
#[derive(Debug, Deserialize)]
pub struct OurPlace {
    location_id: CiString,
    evse_uid: Option<CiString>,
    connector_id: Option<CiString>,
}

/// `{country_code}/{party_id}/{location_id}[/{evse_uid}[/{connector_id}]]`.
#[derive(Debug, Deserialize)]
pub struct TheirPlace {
    country_code: String,
    party_id: String,
    location_id: CiString,
    evse_uid: Option<CiString>,
    connector_id: Option<CiString>,
}

impl TheirPlace {
    fn key(&self, app: &App) -> Result<ObjectId, Refusal> {
        let party = party_of_path(app, &self.country_code, &self.party_id)?;
        Ok(ObjectId { party, id: self.location_id.clone() })
    }
}

fn no(kind: &'static str, id: &CiString) -> ReceiveError {
    ReceiveError::unknown(kind, id)
}

fn refused(app: &App, error: &ReceiveError) -> Refusal {
    refuse_receive(app, error, StatusCode::UNKNOWN_LOCATION)
}

/// The location, or the part of it that the URL names.
fn part_of(
    app: &App,
    location: Location,
    evse: Option<&CiString>,
    connector: Option<&CiString>,
) -> Result<HttpResponse, Refusal> {
    let Some(uid) = evse else { return Ok(found(app, wire::Location::from(location))) };
    let evse = location.evse(uid).ok_or_else(|| refused(app, &no("EVSE", uid)))?;
    let Some(id) = connector else { return Ok(found(app, wire::Evse::from(evse.clone()))) };
    let connector = evse.connector(id).ok_or_else(|| refused(app, &no("connector", id)))?;
    Ok(found(app, wire::Connector::from(connector.clone())))
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
    let slice = serve::locations(&app, &caller.partner, caller.to.as_ref(), part).await;
    let slice = slice.map_err(|error| Refusal::failed(&error, app.now()))?;
    Ok(page(&app, &req, &query, slice.map(wire::Location::from)))
}

/// Sender GET: one of ours, or an EVSE or connector of it.
///
/// # Errors
/// 404 when it is not there or not for partners.
pub async fn get_our_part(
    caller: PartnerContext,
    app: web::Data<App>,
    place: web::Path<OurPlace>,
) -> Result<HttpResponse, Refusal> {
    let id = place.location_id.clone();
    let location = serve::location(&app, &caller.partner, caller.to.as_ref(), id).await;
    let location = location.map_err(|error| Refusal::failed(&error, app.now()))?;
    let location = location.ok_or_else(|| refused(&app, &no("location", &place.location_id)))?;
    part_of(&app, location, place.evse_uid.as_ref(), place.connector_id.as_ref())
}

/// Receiver GET: a location as its owner told us, or an EVSE or connector of it.
///
/// # Errors
/// 404 when it is not there or not the caller's.
pub async fn get_theirs(
    caller: PartnerContext,
    app: web::Data<App>,
    place: web::Path<TheirPlace>,
) -> Result<HttpResponse, Refusal> {
    let location = receive::find::<Location>(&app, &caller.partner, place.key(&app)?).await;
    let location = location.map_err(|error| refused(&app, &error))?;
    part_of(&app, location, place.evse_uid.as_ref(), place.connector_id.as_ref())
}

/// Receiver PUT: a location, an EVSE or a connector, whole.
///
/// # Errors
/// 2001 when the body is not that object, 404 when it is not the caller's, or what it is within is not known.
pub async fn put(
    message: Message,
    app: web::Data<App>,
    place: web::Path<TheirPlace>,
) -> Result<HttpResponse, Refusal> {
    let key = place.key(&app)?;
    let partner = &message.sender.partner;
    let (outcome, notes) = match (&place.evse_uid, &place.connector_id) {
        (None, _) => {
            let (location, notes) = read::<wire::Location>(&app, &message)?;
            let location = Location::try_from(location).map_err(|error| misread(&app, &error))?;
            same_owner(&app, &location.party, &key.party)?;
            same_id(&app, "$.id", &location.id, &key.id)?;
            (receive::put(&app, partner, location).await, notes)
        }
        (Some(uid), None) => {
            let (evse, notes) = read::<wire::Evse>(&app, &message)?;
            let evse = evse.into_domain(None).map_err(|error| misread(&app, &error))?;
            same_id(&app, "$.uid", &evse.uid, uid)?;
            let put = move |location| Ok(put_evse(location, evse.clone()));
            (receive::change(&app, partner, key, put).await, notes)
        }
        (Some(uid), Some(id)) => {
            let (connector, notes) = read::<wire::Connector>(&app, &message)?;
            let connector = connector.into_domain(None).map_err(|error| misread(&app, &error))?;
            same_id(&app, "$.id", &connector.id, id)?;
            let uid = uid.clone();
            let put = move |location| put_connector(location, &uid, connector.clone());
            (receive::change(&app, partner, key, put).await, notes)
        }
    };
    let outcome = outcome.map_err(|error| refused(&app, &error))?;
    Ok(written(&app, outcome, &notes))
}

fn read<W: Wire>(app: &App, message: &Message) -> Result<(W, Vec<Note>), Refusal> {
    let Parsed { object, notes, violations } =
        parse_salvaging(&message.body).map_err(|error| misread(app, &error))?;
    for violation in violations.iter().take(5) {
        tracing::debug!(
            path = violation.path,
            message = violation.message,
            "a partner's object breaks a rule"
        );
    }
    Ok((object, notes))
}

/// A change of a part moves the time of what is around it; news that came late do not move it back.
fn touch(around: &mut Timestamp, part: Timestamp) {
    *around = part.max(*around);
}

fn put_evse(mut location: Location, evse: Evse) -> (Location, Written) {
    touch(&mut location.last_updated, evse.last_updated);
    match location.evse_mut(&evse.uid) {
        Some(known) => {
            *known = evse;
            (location, Written::Replaced)
        }
        None => {
            location.evses.get_or_insert_default().push(evse);
            (location, Written::Created)
        }
    }
}

fn put_connector(
    mut location: Location,
    uid: &CiString,
    connector: Connector,
) -> Result<(Location, Written), ReceiveError> {
    let at = connector.last_updated;
    let evse = location.evse_mut(uid).ok_or_else(|| no("EVSE", uid))?;
    touch(&mut evse.last_updated, at);
    let written = match evse.connectors.iter_mut().find(|known| known.id == connector.id) {
        Some(known) => {
            *known = connector;
            Written::Replaced
        }
        None => {
            evse.connectors.push(connector);
            Written::Created
        }
    };
    touch(&mut location.last_updated, at);
    Ok((location, written))
}

/// Receiver PATCH: some fields of a location, an EVSE or a connector.
///
/// # Errors
/// 2001 without `last_updated` or when the result would be no such object, 404 when it is not known or not the
/// caller's.
pub async fn patch(
    message: Message,
    app: web::Data<App>,
    place: web::Path<TheirPlace>,
) -> Result<HttpResponse, Refusal> {
    let key = place.key(&app)?;
    let (patch, at) = parse_patch(&message.body).map_err(|error| misread(&app, &error))?;
    let place = place.into_inner();
    let change = move |location| patch_part(location, &place, &patch, at).map(|location| (location, ()));
    let changed = receive::change::<Location, ()>(&app, &message.sender.partner, key, change).await;
    changed.map_err(|error| refused(&app, &error))?;
    Ok(written(&app, Written::Replaced, &[]))
}

fn patch_part(
    mut location: Location,
    place: &TheirPlace,
    patch: &Value,
    at: Timestamp,
) -> Result<Location, ReceiveError> {
    let Some(uid) = &place.evse_uid else { return patch_location(location, patch) };
    let evse = location.evse_mut(uid).ok_or_else(|| no("EVSE", uid))?;
    match &place.connector_id {
        None => {
            let patched = patched(&wire::Evse::from(evse.clone()), patch)?.object.into_domain(None)?;
            unchanged("$.uid", &evse.uid, &patched.uid)?;
            *evse = patched;
        }
        Some(id) => {
            let known = evse.connectors.iter_mut().find(|known| known.id == *id);
            let connector = known.ok_or_else(|| no("connector", id))?;
            let patched =
                patched(&wire::Connector::from(connector.clone()), patch)?.object.into_domain(None)?;
            unchanged("$.id", &connector.id, &patched.id)?;
            *connector = patched;
            touch(&mut evse.last_updated, at);
        }
    }
    touch(&mut location.last_updated, at);
    Ok(location)
}

fn patch_location(location: Location, patch: &Value) -> Result<Location, ReceiveError> {
    let (party, id) = (location.party.clone(), location.id.clone());
    let patched = Location::try_from(patched(&wire::Location::from(location), patch)?.object)?;
    unchanged("$.party_id", &party, &patched.party)?;
    unchanged("$.id", &id, &patched.id)?;
    Ok(patched)
}

/// DELETE of a location is not possible; an EVSE that is gone is REMOVED.
///
/// # Errors
/// Always, with what to do.
pub async fn delete(_caller: PartnerContext, app: web::Data<App>) -> Result<HttpResponse, Refusal> {
    let message = "locations are not deleted: PATCH the status of their EVSEs to REMOVED";
    Err(refuse(&app, Http::METHOD_NOT_ALLOWED, StatusCode::CLIENT_ERROR, message))
}
