//! Sessions: ours as CPO, and those that CPOs told us of.

use super::auth::Read;
use super::input::{Nothing, PartyName, Strict, from_path, list_query};
use super::output;
use super::owner::{Whose, owner};
use super::view::{ChargeTokenView, PeriodView, PriceView, text};
use crate::app::App;
use crate::db::page::Page;
use crate::db::sessions::{self, SessionFilter};
use crate::domain::party::PartyId;
use crate::domain::session::{Session, SessionStatus};
use crate::domain::{CiString, Timestamp};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionView {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Unique within the CPO.
    id: String,
    /// `ACTIVE`, `COMPLETED`, `INVALID`, `PENDING` or `RESERVATION`.
    #[schema(example = "ACTIVE")]
    status: String,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    end: Option<Timestamp>,
    /// Energy so far, kWh.
    #[schema(example = "12.345", format = "decimal")]
    kwh: String,
    /// Who charges.
    token: ChargeTokenView,
    /// How the driver was authorized: `AUTH_REQUEST`, `COMMAND` or `WHITELIST`.
    auth_method: String,
    /// The eMSP's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_reference: Option<String>,
    /// Where.
    location_id: String,
    /// At which EVSE.
    evse_uid: String,
    /// At which connector.
    connector_id: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What it costs so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_cost: Option<PriceView>,
    /// What was used so far.
    periods: Vec<PeriodView>,
    /// When it was last changed, by its owner's clock.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        let Session {
            party,
            id,
            start_date_time,
            end_date_time,
            kwh,
            cdr_token,
            auth_method,
            authorization_reference,
            location_id,
            evse_uid,
            connector_id,
            meter_id: _,
            currency,
            charging_periods,
            total_cost,
            status,
            last_updated,
            extra: _,
        } = session;
        Self {
            party: party.to_string(),
            id: text(id),
            status: status.to_string(),
            start: start_date_time,
            end: end_date_time,
            kwh: kwh.to_string(),
            token: cdr_token.into(),
            auth_method: auth_method.to_string(),
            authorization_reference: authorization_reference.map(text),
            location_id: text(location_id),
            evse_uid: text(evse_uid),
            connector_id: text(connector_id),
            currency,
            total_cost: total_cost.map(PriceView::from),
            periods: charging_periods.into_iter().map(PeriodView::from).collect(),
            last_updated,
        }
    }
}

list_query! {
    /// Which sessions.
    pub struct SessionQuery {
        /// `ours` at our own stations, or `all`, as when missing.
        #[param(inline)]
        whose: Whose,
        /// Only those that this partner told us of, by its number.
        partner: i64,
        /// Only in this state.
        #[param(example = "ACTIVE")]
        status: String,
        /// Only of this eMSP's drivers.
        #[param(value_type = Option<String>, example = "DE*ABC")]
        emsp: PartyName,
        /// Only those changed at or after.
        #[param(value_type = Option<String>, format = DateTime)]
        changed_from: Timestamp,
        /// Only those changed before.
        #[param(value_type = Option<String>, format = DateTime)]
        changed_to: Timestamp,
    }
}

/// Lists sessions in the order in which they became known
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "sessions", params(SessionQuery),
    responses((status = 200, description = "A page of sessions", body = [SessionView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<SessionQuery>,
) -> Result<HttpResponse, Problem> {
    let page = Page { from: query.changed_from, to: query.changed_to, ..query.page() };
    if let Some(word) = &query.status
        && !SessionStatus::from(word.as_str()).is_known()
    {
        let known = SessionStatus::WORDS.join(", ");
        return Err(Problem::bad("query", "status", format!("{word:?} is none of {known}")));
    }
    let filter = SessionFilter {
        owner: owner(query.whose, query.partner)?,
        emsps: query.emsp.map(|emsp| vec![emsp.0]),
        status: query.status,
    };
    let slice = app.db.read(move |conn| sessions::list(conn, &filter, page)).await?;
    Ok(output::list(&app, &request, page, slice, SessionView::from))
}

/// Shows a session
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/sessions/{party}/{id}", tag = "sessions",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The session"),
    ),
    responses((status = 200, description = "The session", body = SessionView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<SessionView>, Problem> {
    let (party, id) = path.into_inner();
    let (party, id): (PartyId, CiString) = (from_path("party", &party)?, id.into());
    let missing = format!("there is no session {id} of {party}");
    let found = app.db.read(move |conn| sessions::find(conn, &party, &id)).await?;
    let (session, _) = found.ok_or_else(|| Problem::not_found(missing))?;
    Ok(web::Json(session.into()))
}
