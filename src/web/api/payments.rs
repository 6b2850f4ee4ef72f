//! Ad hoc payments: what became of each, and giving money back.

use super::auth::{Export, Operate, Read, Settle};
use super::input::{Body, Nothing, Parameters, PartyName, Strict, list_query};
use super::output;
use crate::app::App;
use crate::db::payment_ledger::LedgerLine;
use crate::db::payment_operations::{EventRow, Operation};
use crate::db::payments::{self, Payment, PaymentFilter};
use crate::domain::payment::PaymentState;
use crate::domain::{Money, Timestamp};
use crate::payments::PaymentError;
use crate::payments::desk::{self, RefundWish, Shown};
use crate::payments::report::{Report, report};
use crate::payments::view::receipt_number;
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
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

/// An ad hoc payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PaymentRowView {
    /// Its id; it rises with time.
    id: String,
    /// Where it stands: `created`, `authorised`, `start_sent`, `charging`, `priced`, `capturing`, `captured`,
    /// `releasing`, `cancelled`, `expired`, `refunded`, `failed` or `disputed`.
    #[schema(example = "captured")]
    state: String,
    /// Why it stands there, where that needs to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who sells.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Where.
    location_id: String,
    /// At which EVSE.
    evse_uid: String,
    /// At which connector.
    connector_id: String,
    /// Which station serves it.
    station: String,
    /// Who holds the money.
    #[schema(example = "stripe")]
    provider: String,
    /// The account at the provider that sells, if not that of the configured key.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_id: Option<String>,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What is to be held.
    #[schema(example = "60.00", format = "decimal")]
    hold: String,
    /// What was held.
    #[schema(format = "decimal")]
    held: String,
    /// What is due, tax included, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    due: Option<String>,
    /// What was taken.
    #[schema(format = "decimal")]
    captured: String,
    /// What was given back of what was held.
    #[schema(format = "decimal")]
    released: String,
    /// What was given back of what was taken.
    #[schema(format = "decimal")]
    refunded: String,
    /// What the driver's bank claims back.
    #[schema(format = "decimal")]
    disputed: String,
    /// What was due and not taken.
    #[schema(format = "decimal")]
    written_off: String,
    /// Its charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// The number of its receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// What the provider last said against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// When the hold lapses, where the provider says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    capture_before: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

impl From<Payment> for PaymentRowView {
    fn from(payment: Payment) -> Self {
        let receipt = receipt_number(&payment);
        let details = payment.details.0;
        Self {
            id: payment.id,
            state: payment.state.to_string(),
            reason: payment.reason.map(|reason| reason.to_string()),
            party: format!("{}*{}", payment.country_code, payment.party_id),
            location_id: payment.location_id,
            evse_uid: payment.evse_uid,
            connector_id: payment.connector_id,
            station: payment.station_id,
            provider: payment.provider,
            account: payment.account,
            provider_id: payment.intent_id,
            currency: payment.currency,
            hold: payment.hold.to_string(),
            held: payment.held.to_string(),
            due: details.due.map(|due| due.to_string()),
            captured: payment.captured.to_string(),
            released: payment.released.to_string(),
            refunded: payment.refunded.to_string(),
            disputed: payment.disputed.to_string(),
            written_off: payment.written_off.to_string(),
            session_id: payment.session_id,
            receipt,
            trouble: details.trouble,
            capture_before: details.capture_before,
            created: payment.created,
            last_updated: payment.last_updated,
        }
    }
}

/// Something that was asked of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OperationView {
    /// `authorise`, `capture`, `release` or `refund`.
    kind: String,
    /// `payment:operation:attempt`; the same key is the same operation, however often it is sent.
    idempotency_key: String,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    amount: Option<String>,
    /// `intended` as long as its outcome is not known, then `done` or `refused`.
    state: String,
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_ref: Option<String>,
    /// Why it was asked for, or what the provider said against it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Who asked for it, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When its outcome became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
}

impl From<Operation> for OperationView {
    fn from(operation: Operation) -> Self {
        Self {
            kind: operation.kind.to_string(),
            idempotency_key: operation.idempotency_key,
            amount: operation.amount.map(|amount| amount.to_string()),
            state: operation.state.to_string(),
            provider_ref: operation.provider_ref,
            note: operation.note,
            asked_by: operation.asked_by,
            created: operation.created,
            done_at: operation.done_at,
        }
    }
}

/// Something that the provider told by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EventView {
    /// The provider's id of it.
    id: String,
    /// What happened, in the provider's words.
    #[schema(example = "payment_intent.amount_capturable_updated")]
    kind: String,
    /// Whether what it is about was read again.
    handled: bool,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
}

impl From<EventRow> for EventView {
    fn from(event: EventRow) -> Self {
        let EventRow { id, kind, handled, made_at, received_at, .. } = event;
        Self { id, kind, handled, made_at, received_at }
    }
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LedgerLineView {
    /// `held`, `captured`, `released`, `refunded`, `disputed`, `dispute_won`, `written_off` or
    /// `write_off_undone`.
    kind: String,
    /// How much; never negative.
    #[schema(format = "decimal")]
    amount: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why, where that needs to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<LedgerLine> for LedgerLineView {
    fn from(line: LedgerLine) -> Self {
        let LedgerLine { kind, amount, at, note, .. } = line;
        Self { kind: kind.to_string(), amount: amount.to_string(), at, note }
    }
}

/// An ad hoc payment with all that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShownView {
    #[serde(flatten)]
    payment: PaymentRowView,
    /// What was asked of the provider, in its order.
    operations: Vec<OperationView>,
    /// What the provider told by itself, in the order in which it came.
    events: Vec<EventView>,
    /// Where the money is.
    ledger: Vec<LedgerLineView>,
}

impl From<Shown> for ShownView {
    fn from(Shown { payment, operations, events, ledger }: Shown) -> Self {
        Self {
            payment: payment.into(),
            operations: operations.into_iter().map(OperationView::from).collect(),
            events: events.into_iter().map(EventView::from).collect(),
            ledger: ledger.into_iter().map(LedgerLineView::from).collect(),
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
    let slice = app.db.read(move |conn| payments::list(conn, &filter, page)).await?;
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
