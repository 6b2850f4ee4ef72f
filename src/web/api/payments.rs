//! Ad hoc payments: what became of each, and giving money back.

use super::auth::{Export, Operate, Read, Settle};
use super::input::{Body, Nothing, Parameters, PartyName, Strict, list_query};
use super::output;
use super::payment_views::{PaymentRowView, ShownView};
use crate::app::App;
use crate::db::payment_lists::{self, PaymentFilter};
use crate::domain::payment::PaymentState;
use crate::domain::{Money, Timestamp};
use crate::payments::PaymentError;
use crate::payments::desk::{self, RefundWish};
use crate::payments::report::{Report, report};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

impl From<PaymentError> for Problem {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Unknown | PaymentError::UnknownEvse(_) | PaymentError::UnknownTerminal(_) => {
                Self::not_found(error.to_string())
            }
            PaymentError::NotOffered(_)
            | PaymentError::Unavailable(_)
            | PaymentError::HoldTooSmall
            | PaymentError::Conflict(_)
            | PaymentError::Move(_) => Self::conflict(error.to_string()),
            PaymentError::Input { field, wanted } => Self::bad("body", format!("$.{field}"), wanted),
            PaymentError::Db(error) => error.into(),
            PaymentError::Provider(_)
            | PaymentError::Charging(_)
            | PaymentError::Pricing(_)
            | PaymentError::Value(_)
            | PaymentError::Seal(_) => Self::internal(&error),
        }
    }
}

/// A state's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateName(PaymentState);

impl<'de> Deserialize<'de> for StateName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        PaymentState::from_word(&word).map(Self).ok_or_else(|| {
            let words: Vec<&str> = PaymentState::ALL.iter().map(|state| state.as_str()).collect();
            serde::de::Error::custom(format!("it is none of {}", words.join(", ")))
        })
    }
}

list_query! {
    /// Which payments.
    pub struct PaymentQuery {
        /// Only of this party.
        #[param(value_type = Option<String>, example = "DE*ABC")]
        party: PartyName,
        /// Only in this state.
        #[param(value_type = Option<String>, example = "captured")]
        state: StateName,
        /// Only at this station.
        station: String,
        /// Only of this session.
        session: String,
        /// Only those made at or after.
        #[param(value_type = Option<String>, format = DateTime)]
        created_from: Timestamp,
        /// Only those made before.
        #[param(value_type = Option<String>, format = DateTime)]
        created_to: Timestamp,
    }
}

/// Lists ad hoc payments in the order in which they were made
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/payments", tag = "payments", params(PaymentQuery),
    responses((status = 200, description = "A page of payments", body = [PaymentRowView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<PaymentQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let filter = PaymentFilter {
        party: query.party.map(|party| party.0),
        state: query.state.map(|state| state.0),
        station_id: query.station,
        session_id: query.session.map(|session| session.to_ascii_lowercase()),
        created_from: query.created_from,
        created_to: query.created_to,
    };
    let slice = app.db.read(move |conn| payment_lists::list(conn, &filter, page)).await?;
    Ok(output::list(&app, &request, page, slice, PaymentRowView::from))
}

/// Shows an ad hoc payment with all that happened to it
///
/// # Errors
/// 404 where there is no such payment.
#[utoipa::path(
    get, path = "/api/v1/payments/{id}", tag = "payments",
    params(("id" = String, Path, description = "The payment")),
    responses((status = 200, description = "The payment", body = ShownView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<ShownView>, Problem> {
    shown(&app, id.into_inner()).await
}

async fn shown(app: &App, id: String) -> Result<web::Json<ShownView>, Problem> {
    let found = app.db.read(move |conn| desk::show(conn, &id)).await?;
    let found = found.ok_or_else(|| Problem::not_found("there is no such payment"))?;
    Ok(web::Json(found.into()))
}

/// What is to be given back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundInput {
    /// How much, in the payment's currency; all that was taken and not given back where it is missing.
    #[serde(default)]
    #[schema(example = "5.00", format = "decimal")]
    amount: Option<String>,
    /// Why, for people.
    #[schema(example = "The cable was broken")]
    note: String,
}

/// Gives back what was taken, or a part of it
///
/// It is written when this answers, and done right after; the payment's operations show how it came out.
///
/// # Errors
/// 404 where there is no such payment, 409 where nothing was taken, it is more than is left, or another refund is under
/// way.
#[utoipa::path(
    post, path = "/api/v1/payments/{id}/refund", tag = "payments", request_body = RefundInput,
    params(("id" = String, Path, description = "The payment")),
    responses((status = 200, description = "The payment", body = ShownView))
)]
pub async fn refund(
    caller: Settle,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
    Body(input): Body<RefundInput>,
) -> Result<web::Json<ShownView>, Problem> {
    let amount = input.amount.as_deref().map(str::parse::<Money>).transpose();
    let amount = amount.map_err(|error| Problem::bad("body", "$.amount", error.to_string()))?;
    let note = input.note.trim().to_owned();
    if note.is_empty() {
        return Err(Problem::bad("body", "$.note", "is empty: say why it is given back"));
    }
    let wish = RefundWish { amount, note, by: format!("API key {}", caller.0.api_key) };
    let app = app.into_inner();
    let payment = desk::refund(&app, &id, wish).await?;
    shown(&app, payment.id).await
}

/// Ends an ad hoc payment
///
/// Before the charge, the hold is given back. A charge is stopped, and what it cost so far is taken.
///
/// # Errors
/// 404 where there is no such payment, 409 where it is over.
#[utoipa::path(
    post, path = "/api/v1/payments/{id}/release", tag = "payments",
    params(("id" = String, Path, description = "The payment")),
    responses((status = 200, description = "The payment", body = ShownView))
)]
pub async fn release(
    _caller: Operate,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<ShownView>, Problem> {
    let app = app.into_inner();
    let payment = desk::release(&app, &id).await?;
    shown(&app, payment.id).await
}

/// Of which time a report is wanted.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// From when, inclusive.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Until when, exclusive.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

impl Parameters for ReportQuery {
    const NAMES: &'static [&'static str] = &["from", "to"];
}

/// Reports what became of the money of ad hoc payments
///
/// Holds that are open now; what was held, taken, given back, claimed back and written off in the time, by party and
/// currency; and the payments that do not tie to their CDR.
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/payments/report", tag = "payments", params(ReportQuery),
    responses((status = 200, description = "The report", body = Report))
)]
pub async fn show_report(
    _caller: Export,
    app: web::Data<App>,
    Strict(query): Strict<ReportQuery>,
) -> Result<web::Json<Report>, Problem> {
    let ReportQuery { from, to } = query;
    Ok(web::Json(app.db.read(move |conn| report(conn, from, to)).await?))
}
