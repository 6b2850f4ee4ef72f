//! Starts, stops and reservations. Each is an order, whose state says truthfully how far it came.

use super::auth::{Driver, handles};
use super::filter::whole;
use super::path::OfCpo;
use crate::app::App;
use crate::db::driver_orders;
use crate::db::{DbConn, DbError};
use crate::domain::token::TokenType;
use crate::domain::{CiString, Timestamp};
use crate::driver::orders::{
    self, Asking, OrderError, OrderState, ReserveWish, Standing, StartWish, TokenWish, standing,
};
use crate::http::RequestIds;
use crate::web::api::input::{Body, Nothing, Parameters, PartyName, Strict};
use crate::web::api::view::text;
use crate::web::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use utoipa::{IntoParams, ToSchema};

/// The longest that an answer waits for news, seconds.
const LONGEST_WAIT: u64 = 30;
/// How often it looks in between.
const LOOK: Duration = Duration::from_millis(250);
/// The longest key.
const LONGEST_KEY: usize = 255;

/// A charge that is wanted.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartInput {
    /// The CPO.
    #[schema(value_type = String, example = "DE*ABC")]
    party: PartyName,
    /// The location.
    #[schema(example = "LOC1")]
    location_id: String,
    /// The EVSE.
    #[schema(example = "E1")]
    evse_uid: String,
    /// The connector; needed where the EVSE says so (`START_SESSION_CONNECTOR_REQUIRED`).
    #[schema(example = "1")]
    connector_id: Option<String>,
    /// With which of the driver's tokens; the first valid one where it is missing.
    token: Option<TokenInput>,
}

/// One of the driver's tokens.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenInput {
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "RFID")]
    token_type: String,
    /// Its uid.
    #[schema(example = "04A2B3C4")]
    uid: String,
}

/// A reservation that is wanted.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReserveInput {
    /// The CPO.
    #[schema(value_type = String, example = "DE*ABC")]
    party: PartyName,
    /// The location.
    #[schema(example = "LOC1")]
    location_id: String,
    /// The EVSE.
    #[schema(example = "E1")]
    evse_uid: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// With which of the driver's tokens; the first valid one where it is missing.
    token: Option<TokenInput>,
}

/// An order and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrderView {
    /// Its id.
    id: String,
    /// `START`, `STOP`, `RESERVE` or `CANCEL_RESERVATION`.
    #[schema(example = "START")]
    kind: &'static str,
    /// `REQUESTED`: nobody said anything yet. `ACCEPTED`: the station or the partner agreed; a start now waits for the
    /// car. `STARTED`: there is a session. `STOPPED`: it has ended. `REFUSED`, `FAILED`, `TIMEOUT`: it came to nothing,
    /// `message` says why. `EXPIRED`: it was agreed to, and nobody came in time.
    #[schema(example = "ACCEPTED")]
    state: &'static str,
    /// OCPI's word for what became of it, e.g. `EVSE_OCCUPIED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    /// Why, for people, in English or as the partner wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The CPO.
    #[schema(example = "DE*ABC")]
    party: String,
    /// The location.
    location_id: String,
    /// The EVSE.
    evse_uid: String,
    /// The connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    connector_id: Option<String>,
    /// The session that came of it, or that it stops; found at `/driver/v1/sessions/{party}/{session_id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// When a reservation ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

impl From<Standing> for OrderView {
    fn from(standing: Standing) -> Self {
        let Standing { order, state, result, message, session } = standing;
        let body = order.body;
        Self {
            id: order.id,
            kind: body.kind.as_str(),
            state: state.as_str(),
            result,
            message,
            party: body.party.to_string(),
            location_id: text(body.location_id),
            evse_uid: text(body.evse_uid),
            connector_id: body.connector_id.map(text),
            session_id: session.map(|session| text(session.id)).or_else(|| body.session_id.map(text)),
            expires: body.expires,
            created: order.created,
        }
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Db(error) => error.into(),
            OrderError::Charging(error) => error.into(),
            OrderError::Missing(_) => Self::not_found(error.to_string()),
            OrderError::Token(_) => Self::new(StatusCode::FORBIDDEN, error.to_string()),
            OrderError::Impossible(_) => Self::conflict(error.to_string()),
            OrderError::OtherRequest => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            OrderError::Wrong { field, why } => Self::bad("body", format!("$.{field}"), why),
        }
    }
}

fn token_of(token: Option<TokenInput>) -> TokenWish {
    token.map(|token| (TokenType::from(token.token_type.as_str()), token.uid.into()))
}

/// A driver who asks for something, with the key by which the same request again is the same order. There is no query.
#[derive(Debug)]
pub struct Ask {
    app: Arc<App>,
    asking: Asking,
}

impl FromRequest for Ask {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let driver = Driver::from_request(request, payload);
        let query = Strict::<Nothing>::from_request(request, payload);
        let (app, key) = (handles(request), key_of(request));
        let correlation_id = RequestIds::of(request).correlation_id;
        Box::pin(async move {
            let Driver(held) = driver.await?;
            query.await?;
            let asking = Asking { driver_id: held.driver_id, key: key?, correlation_id };
            Ok(Self { app: app?.into_inner(), asking })
        })
    }
}

/// The key that the app gave the request.
fn key_of(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get("Idempotency-Key") else { return Ok(None) };
    let good = |key: &&str| {
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let key = value.to_str().ok().filter(good).map(str::to_owned);
    key.map(Some).ok_or_else(|| {
        let wanted = format!("it has to be 1 to {LONGEST_KEY} visible ASCII characters");
        Problem::bad("header", "Idempotency-Key", wanted)
    })
}

/// 202 with an order, and where it is.
async fn accepted(app: &App, order: driver_orders::Order) -> Result<HttpResponse, Problem> {
    let stands = stands(app, order).await?;
    let place = format!("/driver/v1/orders/{}", stands.order.id);
    Ok(HttpResponse::Accepted().insert_header((LOCATION, place)).json(OrderView::from(stands)))
}

async fn stands(app: &App, order: driver_orders::Order) -> Result<Standing, DbError> {
    let window = TimeDelta::from_std(app.config.driver.start_window).unwrap_or(TimeDelta::MAX);
    let now = app.now();
    app.db.read(move |conn| standing(conn, order, window, now)).await
}

/// Starts a charge
///
/// At one of our stations, or through the partner whose it is. The answer comes at once; how the order stands is told
/// at `/driver/v1/orders/{id}`. The same `Idempotency-Key` with the same request is the same order, however often it
/// comes.
///
/// # Errors
/// 404 where there is no such EVSE, 403 without a token that is good, 422 for a key that came with another request.
#[utoipa::path(
    post, path = "/driver/v1/charges", tag = "charging",
    params(("Idempotency-Key" = Option<String>, Header, description = "The app's own id of the request")),
    request_body = StartInput,
    responses((status = 202, description = "The order", body = OrderView))
)]
pub async fn start(Ask { app, asking }: Ask, Body(input): Body<StartInput>) -> Result<HttpResponse, Problem> {
    let StartInput { party, location_id, evse_uid, connector_id, token } = input;
    let wish = StartWish {
        party: party.0,
        location_id: location_id.into(),
        evse_uid: evse_uid.into(),
        connector_id: connector_id.map(CiString::from),
        token: token_of(token),
    };
    let order = orders::start(&app, asking, wish).await?;
    accepted(&app, order).await
}

/// Stops a charge of the driver
///
/// # Errors
/// 404 where there is no such session of the driver, 409 where it is over.
#[utoipa::path(
    post, path = "/driver/v1/sessions/{party}/{id}/stop", tag = "charging",
    params(
        OfCpo,
        ("Idempotency-Key" = Option<String>, Header, description = "The app's own id of the request"),
    ),
    responses((status = 202, description = "The order", body = OrderView))
)]
pub async fn stop(Ask { app, asking }: Ask, named: OfCpo) -> Result<HttpResponse, Problem> {
    let order = orders::stop(&app, asking, named.party, named.id).await?;
    accepted(&app, order).await
}

/// Reserves an EVSE
///
/// Where its CPO offers it. Where not, the order is `REFUSED`, and says why.
///
/// # Errors
/// 404 where there is no such EVSE, 400 for a time that is over.
#[utoipa::path(
    post, path = "/driver/v1/reservations", tag = "charging",
    params(("Idempotency-Key" = Option<String>, Header, description = "The app's own id of the request")),
    request_body = ReserveInput,
    responses((status = 202, description = "The order; its id is that of the reservation", body = OrderView))
)]
pub async fn reserve(
    Ask { app, asking }: Ask,
    Body(input): Body<ReserveInput>,
) -> Result<HttpResponse, Problem> {
    let ReserveInput { party, location_id, evse_uid, expires, token } = input;
    let wish = ReserveWish {
        party: party.0,
        location_id: location_id.into(),
        evse_uid: evse_uid.into(),
        token: token_of(token),
        expires,
    };
    let order = orders::reserve(&app, asking, wish).await?;
    accepted(&app, order).await
}

/// Gives a reservation up
///
/// # Errors
/// 404 where there is no such reservation of the driver.
#[utoipa::path(
    delete, path = "/driver/v1/reservations/{id}", tag = "charging",
    params(
        ("id" = String, Path, description = "The order that made it"),
        ("Idempotency-Key" = Option<String>, Header, description = "The app's own id of the request"),
    ),
    responses((status = 202, description = "The order that gives it up", body = OrderView))
)]
pub async fn cancel(Ask { app, asking }: Ask, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let order = orders::cancel(&app, asking, path.into_inner()).await?;
    accepted(&app, order).await
}

/// How long to wait for news.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// So many seconds at most, as long as the order is `REQUESTED`: 0 to 30.
    #[param(value_type = Option<u64>, example = 10, maximum = 30)]
    wait: Option<String>,
}

impl Parameters for WaitQuery {
    const NAMES: &'static [&'static str] = &["wait"];
}

/// Shows how an order stands
///
/// # Errors
/// 404 where there is no such order of the driver.
#[utoipa::path(
    get, path = "/driver/v1/orders/{id}", tag = "charging",
    params(("id" = String, Path, description = "The order"), WaitQuery),
    responses((status = 200, description = "The order", body = OrderView))
)]
pub async fn get(
    Driver(held): Driver,
    app: web::Data<App>,
    path: web::Path<String>,
    Strict(query): Strict<WaitQuery>,
) -> Result<web::Json<OrderView>, Problem> {
    let id = path.into_inner();
    let wait = query.wait.as_deref().map_or(Ok(0), |text| whole("wait", text, 0..=LONGEST_WAIT))?;
    let missing = format!("there is no order {id} of this driver");
    let find = move |conn: &mut DbConn| driver_orders::find(conn, &held.driver_id, &id);
    let order = app.db.read::<_, DbError, _>(find).await?.ok_or_else(|| Problem::not_found(missing))?;
    let (begun, longest) = (Instant::now(), Duration::from_secs(wait));
    loop {
        // Registered before looking, so that a result while looking is not lost.
        let woken = app.wakes.commands.notified();
        let stands = stands(&app, order.clone()).await?;
        if stands.state != OrderState::Requested || begun.elapsed() >= longest {
            return Ok(web::Json(stands.into()));
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
