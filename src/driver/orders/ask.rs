//! Asking: of a station of ours, or of the partner whose it is.

use super::asking::{Asking, Kept, OrderError, ReserveWish, StartWish, TokenWish};
use super::target::{Ours, Target, check_connector, own_session, partner_of, target};
use crate::app::App;
use crate::charging::remote::{self, RemoteError};
use crate::db::driver_orders::{self, Order, OrderBody, OrderKind};
use crate::db::{DbConn, DbError, locations, stations};
use crate::domain::CiString;
use crate::domain::command::{CancelReservation, ReserveNow, StartSession, StopSession};
use crate::domain::location::Location;
use crate::domain::partner::{Partner, PartnerStatus};
use crate::domain::party::PartyId;
use crate::domain::session::SessionStatus;
use crate::domain::token::{Token, TokenKey};
use crate::roaming::commands::send_command;
use crate::roaming::link::PartnerCommand;
use crate::security::digest;
use std::sync::Arc;
use tracing::Instrument;

/// Asks for a charge.
///
/// # Errors
/// When what is named is not there, or the key came with another request. That the station or the partner says no is
/// no error: the order says so.
pub async fn start(app: &Arc<App>, asking: Asking, wish: StartWish) -> Result<Order, OrderError> {
    let connector = wish.connector_id.as_ref().map(CiString::key).unwrap_or_default();
    let request = request_of("START", &wish.party, &wish.location_id, &wish.evse_uid, &wish.token);
    let digest = digest(&[&request, &connector]);
    if let Some(order) = asking.known(app, &digest).await? {
        return Ok(order);
    }
    let StartWish { party, location_id, evse_uid, token, .. } = wish.clone();
    let (target, token) = place_of(app, &asking, party, location_id, evse_uid, token).await?;
    if let Some(evse) = target.location.evse(&wish.evse_uid) {
        check_connector(evse, wish.connector_id.as_ref())?;
    }
    let body = OrderBody {
        connector_id: wish.connector_id.clone(),
        ..body_of(OrderKind::Start, &target.location, wish.evse_uid.clone(), &token.key())
    };
    let order = match asking.keep(app, digest, body).await? {
        Kept::Known(order) => return Ok(order),
        Kept::New(order) => order,
    };
    let StartWish { location_id, evse_uid, connector_id, .. } = wish;
    match target.partner_id {
        None => start_here(app, order, token, asking.correlation_id).await,
        Some(_) => {
            let command = StartSession {
                token,
                location_id,
                evse_uid: Some(evse_uid),
                connector_id,
                authorization_reference: Some(order.id.clone().into()),
            };
            send(app, order, target.partner, PartnerCommand::Start(Box::new(command))).await
        }
    }
}

/// The place that a driver named, and the token to charge with.
async fn place_of(
    app: &App,
    asking: &Asking,
    party: PartyId,
    location_id: CiString,
    evse_uid: CiString,
    token: TokenWish,
) -> Result<(Target, Token), OrderError> {
    let driver = asking.driver_id.clone();
    let find =
        move |conn: &mut DbConn| target(conn, &driver, &party, &location_id, &evse_uid, token.as_ref());
    app.db.read(find).await
}

/// Asks a station of ours.
async fn start_here(
    app: &Arc<App>,
    order: Order,
    token: Token,
    correlation_id: String,
) -> Result<Order, OrderError> {
    let body = order.body.clone();
    let serving = move |conn: &mut DbConn| stations::serving(conn, &body.party, &body.location_id);
    let (evse, connector) = (&order.body.evse_uid, &order.body.connector_id);
    let found = app.db.read(serving).await?.into_iter().find(|(_, one)| {
        one.evse_uid == *evse && connector.as_ref().is_none_or(|id| *id == one.connector_id)
    });
    let Some((station, connector)) = found else {
        return refuse(app, order, "no station serves that connector".to_owned()).await;
    };
    if !app.stations.is_connected(&station) {
        return refuse(app, order, "the station is not connected".to_owned()).await;
    }
    let id = order.id.clone();
    remote::start_for_driver(app, id, station, connector.number, token, correlation_id).await?;
    Ok(order)
}

/// Asks for the end of a charge of the driver's.
///
/// # Errors
/// When there is no such session of the driver, it is over, or the key came with another request.
pub async fn stop(
    app: &Arc<App>,
    asking: Asking,
    party: PartyId,
    session_id: CiString,
) -> Result<Order, OrderError> {
    let digest = digest(&["STOP", &party.to_string(), &session_id.key()]);
    if let Some(order) = asking.known(app, &digest).await? {
        return Ok(order);
    }
    let (driver, owner, id) = (asking.driver_id.clone(), party.clone(), session_id.clone());
    let found = app.db.read(move |conn| own_session(conn, &driver, &owner, &id)).await?;
    let missing = || OrderError::Missing(format!("session {session_id} of {party} for this driver"));
    let (session, partner) = found.ok_or_else(missing)?;
    if !matches!(session.status, SessionStatus::Active | SessionStatus::Pending) {
        return Err(OrderError::Impossible(format!("the session is {}", session.status)));
    }
    let token = TokenKey {
        party: session.cdr_token.party.clone().unwrap_or_else(|| party.clone()),
        uid: session.cdr_token.uid.clone(),
        token_type: session.cdr_token.token_type.clone(),
    };
    let body = OrderBody {
        party: session.party.clone(),
        location_id: session.location_id.clone(),
        connector_id: Some(session.connector_id.clone()),
        session_id: Some(session.id.clone()),
        ..empty_body(OrderKind::Stop, &token, session.evse_uid.clone())
    };
    let order = match asking.keep(app, digest, body).await? {
        Kept::Known(order) => return Ok(order),
        Kept::New(order) => order,
    };
    match partner {
        Ok(partner) => {
            let command = PartnerCommand::Stop(StopSession { session_id: session.id });
            send(app, order, partner, command).await
        }
        Err(Ours) => {
            let id = order.id.clone();
            match remote::stop_for_driver(app, id, &session.id, asking.correlation_id).await {
                Ok(()) => Ok(order),
                Err(RemoteError::NoSession(_)) => {
                    refuse(app, order, "the charge has ended already".to_owned()).await
                }
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// Asks a partner to keep an EVSE free. Our own stations take no reservations.
///
/// # Errors
/// When what is named is not there, or the key came with another request.
pub async fn reserve(app: &Arc<App>, asking: Asking, wish: ReserveWish) -> Result<Order, OrderError> {
    let request = request_of("RESERVE", &wish.party, &wish.location_id, &wish.evse_uid, &wish.token);
    let digest = digest(&[&request, &wish.expires.to_string()]);
    if let Some(order) = asking.known(app, &digest).await? {
        return Ok(order);
    }
    if wish.expires <= app.now() {
        let why = format!("the reservation would end at {}, which is over", wish.expires);
        return Err(OrderError::Wrong { field: "expires", why });
    }
    let ReserveWish { party, location_id, evse_uid, token, .. } = wish.clone();
    let (target, token) = place_of(app, &asking, party, location_id, evse_uid, token).await?;
    let reservable = target
        .location
        .evse(&wish.evse_uid)
        .is_some_and(|evse| evse.capabilities.iter().flatten().any(|word| word == "RESERVABLE"));
    let body = OrderBody {
        expires: Some(wish.expires),
        ..body_of(OrderKind::Reserve, &target.location, wish.evse_uid.clone(), &token.key())
    };
    let order = match asking.keep(app, digest, body).await? {
        Kept::Known(order) => return Ok(order),
        Kept::New(order) => order,
    };
    if target.partner_id.is_none() {
        return refuse(app, order, "the operator's stations take no reservations".to_owned()).await;
    }
    if !reservable {
        let reason = "the CPO does not say that this EVSE can be reserved (capability RESERVABLE)";
        return refuse(app, order, reason.to_owned()).await;
    }
    let command = ReserveNow {
        token,
        expiry_date: wish.expires,
        reservation_id: order.id.clone().into(),
        location_id: wish.location_id,
        evse_uid: Some(wish.evse_uid),
        authorization_reference: Some(order.id.clone().into()),
    };
    send(app, order, target.partner, PartnerCommand::Reserve(Box::new(command))).await
}

/// Gives a reservation up.
///
/// # Errors
/// When there is no such reservation of the driver, or the key came with another request.
pub async fn cancel(app: &Arc<App>, asking: Asking, reservation: String) -> Result<Order, OrderError> {
    let digest = digest(&["CANCEL_RESERVATION", &reservation]);
    if let Some(order) = asking.known(app, &digest).await? {
        return Ok(order);
    }
    let (driver, id) = (asking.driver_id.clone(), reservation.clone());
    let found = app
        .db
        .read(move |conn| {
            let Some(order) = driver_orders::find(conn, &driver, &id)? else { return Ok(None) };
            let location = locations::find_with_owner(conn, &order.body.party, &order.body.location_id)?;
            let partner = partner_of(conn, location.and_then(|(_, partner)| partner))?;
            Ok::<_, DbError>(Some((order, partner)))
        })
        .await?;
    let made = found.filter(|(order, _)| order.body.kind == OrderKind::Reserve);
    let (made, partner) =
        made.ok_or_else(|| OrderError::Missing(format!("reservation {reservation} of this driver")))?;
    let body = OrderBody {
        kind: OrderKind::CancelReservation,
        reservation_id: Some(made.id.clone()),
        refused: None,
        ..made.body
    };
    let order = match asking.keep(app, digest, body).await? {
        Kept::Known(order) => return Ok(order),
        Kept::New(order) => order,
    };
    let command = CancelReservation { reservation_id: made.id.into() };
    send(app, order, partner, PartnerCommand::CancelReservation(command)).await
}

/// Sends a command to a partner; what it answers is with the command.
async fn send(
    app: &Arc<App>,
    order: Order,
    partner: Option<Partner>,
    command: PartnerCommand,
) -> Result<Order, OrderError> {
    let registered = partner.filter(|partner| partner.status == PartnerStatus::Registered);
    let Some(partner) = registered else {
        return refuse(app, order, "the operator of the station is not connected at the moment".to_owned())
            .await;
    };
    let (from, to, id) = (order.body.token_party.clone(), order.body.party.clone(), order.id.clone());
    let app = Arc::clone(app);
    let sending = async move {
        // That the partner refused, or was not there, is with the command.
        if let Err(error) = send_command(&app, id, &partner, from, to, command).await {
            tracing::info!(%error, "a command for a driver was not taken");
        }
        app.wakes.commands.notify_waiters();
    };
    // The driver's phone may be gone before the partner answers.
    tokio::spawn(sending.in_current_span());
    Ok(order)
}

/// Notes that an order is refused before anybody was asked.
async fn refuse(app: &App, mut order: Order, reason: String) -> Result<Order, OrderError> {
    order.body.refused = Some(reason);
    let (id, body) = (order.id.clone(), order.body.clone());
    app.db.write(move |conn| driver_orders::set_body(conn, &id, &body)).await?;
    Ok(order)
}

fn request_of(
    kind: &str,
    party: &PartyId,
    location_id: &CiString,
    evse_uid: &CiString,
    token: &TokenWish,
) -> String {
    let (token_type, uid) =
        token.as_ref().map_or(("", String::new()), |(kind, uid)| (kind.as_str(), uid.key()));
    digest(&[kind, &party.to_string(), &location_id.key(), &evse_uid.key(), token_type, &uid])
}

fn empty_body(kind: OrderKind, token: &TokenKey, evse_uid: CiString) -> OrderBody {
    OrderBody {
        kind,
        party: token.party.clone(),
        location_id: CiString::default(),
        evse_uid,
        connector_id: None,
        session_id: None,
        reservation_id: None,
        expires: None,
        token_party: token.party.clone(),
        token_uid: token.uid.clone(),
        token_type: token.token_type.clone(),
        refused: None,
    }
}

fn body_of(kind: OrderKind, location: &Location, evse_uid: CiString, token: &TokenKey) -> OrderBody {
    OrderBody {
        party: location.party.clone(),
        location_id: location.id.clone(),
        ..empty_body(kind, token, evse_uid)
    }
}
