//! A driver's charges, those that go on and those that are over, at our stations and at partners'.

use super::auth::Driver;
use super::output::tagged;
use super::page::Wanted;
use super::path::OfCpo;
use super::view::{AmountView, minutes};
use crate::app::App;
use crate::db::{DbConn, DbError, drivers, sessions};
use crate::domain::party::PartyId;
use crate::domain::session::{Session, SessionStatus};
use crate::domain::{CiString, Timestamp};
use crate::driver::bill::Taxed;
use crate::driver::receipts::is_of;
use crate::search::Snapshot;
use crate::web::api::input::{Nothing, Parameters, Strict};
use crate::web::api::view::text;
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DriverSessionView {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    pub party: String,
    /// Unique within the CPO.
    pub id: String,
    /// `ACTIVE`, `COMPLETED`, `INVALID`, `PENDING` or `RESERVATION`.
    #[schema(example = "ACTIVE")]
    pub status: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub start: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end: Option<Timestamp>,
    /// Minutes from its start to its end, or to the last news of it.
    pub minutes: i64,
    /// Energy so far, kWh.
    #[schema(example = "12.345", format = "decimal")]
    pub kwh: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: String,
    /// What it costs so far; missing where the CPO does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<AmountView>,
    /// The location.
    pub location_id: String,
    /// What it is called, where it is still known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_name: Option<String>,
    /// Street, number and town, where it is still known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The EVSE.
    pub evse_uid: String,
    /// The connector.
    pub connector_id: String,
    /// The order that brought it about, or another reference of the eMSP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When it was last changed, by its owner's clock.
    #[schema(value_type = String, format = DateTime)]
    pub last_updated: Timestamp,
}

impl DriverSessionView {
    /// Of a session, with what is known of its place.
    #[must_use]
    pub fn of(session: Session, places: &Snapshot) -> Self {
        let place = places.named(&session.party, &session.location_id);
        let until = session.end_date_time.unwrap_or(session.last_updated);
        Self {
            minutes: minutes(session.start_date_time, until),
            location_name: place.and_then(|place| place.name.clone()),
            address: place.map(|place| format!("{}, {}", place.address, place.city)),
            party: session.party.to_string(),
            id: text(session.id),
            status: session.status.to_string(),
            start: session.start_date_time,
            end: session.end_date_time,
            kwh: session.kwh.to_string(),
            currency: session.currency,
            cost: session.total_cost.as_ref().and_then(Taxed::of).map(AmountView::from),
            location_id: text(session.location_id),
            evse_uid: text(session.evse_uid),
            connector_id: text(session.connector_id),
            reference: session.authorization_reference.map(text),
            last_updated: session.last_updated,
        }
    }
}

/// Which charges.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SessionsQuery {
    /// `true`: only those that go on.
    active: Option<bool>,
    /// How many at most: 1 to 200; 50 where it is missing.
    #[param(example = "50")]
    limit: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
}

impl Parameters for SessionsQuery {
    const NAMES: &'static [&'static str] = &["active", "limit", "after"];
}

/// A page of charges, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionsView {
    /// The charges.
    sessions: Vec<DriverSessionView>,
    /// To be sent as `after` for the next page; missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists the driver's charges, the newest first
///
/// # Errors
/// 400 for a parameter that cannot be understood.
#[utoipa::path(
    get, path = "/driver/v1/sessions", tag = "sessions", params(SessionsQuery),
    responses((status = 200, description = "A page of charges", body = SessionsView))
)]
pub async fn list(
    Driver(held): Driver,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<SessionsQuery>,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::of(query.limit.as_deref(), query.after.as_deref())?;
    let active = query.active.unwrap_or(false);
    let read = move |conn: &mut DbConn| {
        let tokens = drivers::token_keys(conn, &held.driver_id)?;
        sessions::of_tokens(conn, &tokens, wanted.before, active, wanted.to_read())
    };
    let found = app.db.read::<_, DbError, _>(read).await?;
    let (found, next) = wanted.cut(found, |(seq, _)| *seq);
    let places = app.search.now();
    let views = found.into_iter().map(|(_, session)| DriverSessionView::of(session, &places));
    tagged(&request, &SessionsView { sessions: views.collect(), next })
}

/// A charge of a driver; none where there is none of this driver.
///
/// # Errors
/// When the database fails.
pub fn own(
    conn: &mut DbConn,
    driver_id: &str,
    party: &PartyId,
    id: &CiString,
) -> Result<Option<Session>, DbError> {
    let tokens = drivers::token_keys(conn, driver_id)?;
    let found = sessions::find(conn, party, id)?.map(|(session, _)| session);
    Ok(found.filter(|session| {
        let token = &session.cdr_token;
        is_of(&tokens, token.party.as_ref(), &token.uid, &token.token_type)
    }))
}

/// Whether a charge changes no more.
#[must_use]
pub fn is_over(session: &Session) -> bool {
    matches!(session.status, SessionStatus::Completed | SessionStatus::Invalid)
}

/// Shows a charge
///
/// # Errors
/// 404 where there is none of this driver.
#[utoipa::path(
    get, path = "/driver/v1/sessions/{party}/{id}", tag = "sessions", params(OfCpo),
    responses((status = 200, description = "The charge", body = DriverSessionView))
)]
pub async fn get(
    Driver(held): Driver,
    app: web::Data<App>,
    request: HttpRequest,
    named: OfCpo,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let missing = format!("there is no session {named} for this driver");
    let read = move |conn: &mut DbConn| own(conn, &held.driver_id, &named.party, &named.id);
    let session = app.db.read(read).await?.ok_or_else(|| Problem::not_found(missing))?;
    tagged(&request, &DriverSessionView::of(session, &app.search.now()))
}
