//! Payments at card terminals (OCPI 2.3.0 mod_payments), for whoever operates them: the holds that they make, what they
//! have to do, and what they did.

use super::auth::{Operate, Read};
use super::input::{Body, Nothing, Strict};
use super::payment_views::PaymentRowView;
use super::receipts::ReceiptView;
use super::terminals::id_of;
use crate::app::App;
use crate::db::DbConn;
use crate::db::payments::Payment;
use crate::domain::tariff::Price;
use crate::domain::terminal::{CaptureStatus, FinancialAdviceConfirmation};
use crate::domain::{CiString, Extra, Money, Timestamp};
use crate::payments::terminals::{self as desk, Advice, HoldMade};
use crate::payments::{PaymentError, confirmations};
use crate::web::problem::Problem;
use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A payment at a terminal, as a path names it.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct AtTerminal {
    /// The terminal.
    id: String,
    /// The payment.
    payment: String,
}

impl AtTerminal {
    fn terminal(&self) -> CiString {
        self.id.as_str().into()
    }
}

/// A hold that a terminal made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldInput {
    /// The EVSE, by its `evse_id` or `uid`.
    #[schema(example = "DE*ABC*E1")]
    evse: String,
    /// The connector; may be missing where there is only one.
    #[serde(default)]
    connector_id: Option<String>,
    /// By what the terminal knows it; the session, the CDR and the confirmation repeat it. The same again is the same
    /// payment.
    #[schema(example = "pp-100100-1948213567")]
    authorization_reference: String,
    /// How much is held.
    #[schema(example = "60.00", format = "decimal")]
    amount: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// The driver's language, ISO 639-1.
    #[serde(default)]
    language: Option<String>,
    /// When the hold lapses, where that is known.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    capture_before: Option<Timestamp>,
}

/// A payment at a terminal, and what the terminal has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TerminalPaymentView {
    #[serde(flatten)]
    payment: PaymentRowView,
    /// Energy so far, kWh.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    kwh: Option<String>,
    /// Seconds from the start to the newest meter value.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
    /// What it costs so far, tax included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    cost: Option<String>,
    /// What the terminal has to do now: `nothing`, `capture`, `release` or `refund`.
    #[schema(example = "capture")]
    advice: String,
    /// How much of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    advice_amount: Option<String>,
}

async fn shown(app: &App, payment: Payment) -> Result<TerminalPaymentView, PaymentError> {
    let view = crate::payments::view::view_of(app, payment.clone()).await?;
    let of = payment.clone();
    let advice = app.db.read(move |conn: &mut DbConn| desk::advice(conn, &of)).await?;
    let (word, amount) = match advice {
        Advice::Nothing => ("nothing", None),
        Advice::Capture(amount) => ("capture", Some(amount)),
        Advice::Release => ("release", None),
        Advice::Refund(amount) => ("refund", Some(amount)),
    };
    let live = view.live.as_ref();
    Ok(TerminalPaymentView {
        kwh: live.map(|live| live.kwh.to_string()),
        seconds: live.map(|live| live.seconds),
        cost: live.map(|live| crate::payments::offer::gross(&live.cost).to_string()),
        advice: word.to_owned(),
        advice_amount: amount.map(|amount| amount.to_string()),
        payment: payment.into(),
    })
}

/// Tells of a hold that a card terminal made: the station is asked to start
///
/// # Errors
/// 404 where there is no such terminal or EVSE, 409 where it does not sell there, the charging point cannot be used now,
/// or the amount would not do. Then the terminal gives the hold back by itself.
#[utoipa::path(
    post, path = "/api/v1/terminals/{id}/payments", tag = "terminals", request_body = HoldInput,
    params(("id" = String, Path, description = "The terminal")),
    responses((status = 200, description = "The payment", body = TerminalPaymentView))
)]
pub async fn hold_made(
    _caller: Operate,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
    Body(input): Body<HoldInput>,
) -> Result<web::Json<TerminalPaymentView>, Problem> {
    let app = app.into_inner();
    let amount: Money =
        input.amount.parse().map_err(|error| Problem::bad("body", "$.amount", format!("{error}")))?;
    let made = HoldMade {
        evse: input.evse,
        connector: input.connector_id.map(CiString::from),
        reference: id_of("authorization_reference", &input.authorization_reference)?,
        amount,
        currency: input.currency,
        language: input.language.unwrap_or_default(),
        capture_before: input.capture_before,
    };
    let payment = desk::hold_made(&app, &CiString::from(id.into_inner()), made).await?;
    Ok(web::Json(shown(&app, payment).await?))
}

/// Shows a payment at a card terminal, and what the terminal has to do
///
/// # Errors
/// 404 where there is none of that id at that terminal.
#[utoipa::path(
    get, path = "/api/v1/terminals/{id}/payments/{payment}", tag = "terminals", params(AtTerminal),
    responses((status = 200, description = "The payment", body = TerminalPaymentView))
)]
pub async fn payment(
    _caller: Read,
    app: web::Data<App>,
    at: web::Path<AtTerminal>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TerminalPaymentView>, Problem> {
    let payment = desk::payment_at(&app, &at.terminal(), &at.payment).await?;
    Ok(web::Json(shown(&app, payment).await?))
}

/// Stops the charge of a payment at a card terminal, or ends it before the charge
///
/// # Errors
/// 404 where there is none of that id at that terminal.
#[utoipa::path(
    post, path = "/api/v1/terminals/{id}/payments/{payment}/stop", tag = "terminals",
    params(AtTerminal),
    responses((status = 200, description = "The payment", body = TerminalPaymentView))
)]
pub async fn stop(
    _caller: Operate,
    app: web::Data<App>,
    at: web::Path<AtTerminal>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TerminalPaymentView>, Problem> {
    let app = app.into_inner();
    let payment = desk::stop(&app, &at.terminal(), &at.payment).await?;
    Ok(web::Json(shown(&app, payment).await?))
}

/// An amount before and after tax.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenInput {
    /// Before tax.
    #[schema(example = "4.00", format = "decimal")]
    excl_vat: String,
    /// With tax: what was taken.
    #[schema(example = "4.40", format = "decimal")]
    incl_vat: String,
}

/// What a terminal says of the money that it took (OCPI 2.3.0 mod_payments, "Financial Advice Confirmation Object").
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationInput {
    /// Its id, at most 36 characters: the same again changes nothing.
    id: String,
    /// By what the terminal knows the payment.
    authorization_reference: String,
    /// What was taken; zero where the hold was given back.
    total_costs: TakenInput,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What the receipt must show of the card, a line each.
    #[serde(default)]
    eft_data: Vec<String>,
    /// `SUCCESS`, `PARTIAL_SUCCESS` or `FAILED`.
    capture_status_code: String,
    /// In words.
    #[serde(default)]
    capture_status_message: Option<String>,
}

/// Confirms what a card terminal did with a hold
///
/// # Errors
/// 404 where it is of no payment at that terminal, 409 where more was taken than was to be, or nothing was to be done.
#[utoipa::path(
    post, path = "/api/v1/terminals/{id}/confirmations", tag = "terminals", request_body = ConfirmationInput,
    params(("id" = String, Path, description = "The terminal")),
    responses((status = 200, description = "The payment", body = TerminalPaymentView))
)]
pub async fn confirm(
    _caller: Operate,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
    Body(input): Body<ConfirmationInput>,
) -> Result<web::Json<TerminalPaymentView>, Problem> {
    let app = app.into_inner();
    let money = |place: &str, text: &str| -> Result<Money, Problem> {
        text.parse()
            .map_err(|error| Problem::bad("body", format!("$.total_costs.{place}"), format!("{error}")))
    };
    let status = CaptureStatus::from(input.capture_status_code.as_str());
    if !status.is_known() {
        return Err(Problem::bad(
            "body",
            "$.capture_status_code",
            "is none of SUCCESS, PARTIAL_SUCCESS, FAILED",
        ));
    }
    let confirmation = FinancialAdviceConfirmation {
        id: id_of("id", &input.id)?,
        authorization_reference: id_of("authorization_reference", &input.authorization_reference)?,
        total_costs: Price {
            excl_vat: money("excl_vat", &input.total_costs.excl_vat)?,
            incl_vat: Some(money("incl_vat", &input.total_costs.incl_vat)?),
            extra: Extra::new(),
        },
        currency: input.currency,
        eft_data: input.eft_data,
        capture_status_code: status,
        capture_status_message: input.capture_status_message,
        last_updated: app.now(),
        extra: Extra::new(),
    };
    let payment = confirmations::confirm(&app, &CiString::from(id.into_inner()), confirmation).await?;
    Ok(web::Json(shown(&app, payment).await?))
}

/// Confirms that a card terminal gave back what it was to give back
///
/// # Errors
/// 404 where there is no such payment at that terminal, 409 where nothing was to be given back.
#[utoipa::path(
    post, path = "/api/v1/terminals/{id}/payments/{payment}/refunded", tag = "terminals",
    params(AtTerminal),
    responses((status = 200, description = "The payment", body = TerminalPaymentView))
)]
pub async fn refunded(
    _caller: Operate,
    app: web::Data<App>,
    at: web::Path<AtTerminal>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TerminalPaymentView>, Problem> {
    let app = app.into_inner();
    let payment = confirmations::refunded(&app, &at.terminal(), &at.payment).await?;
    Ok(web::Json(shown(&app, payment).await?))
}

/// Shows the receipt of a payment at a card terminal
///
/// # Errors
/// 404 where there is no such payment at that terminal, or nothing was taken yet.
#[utoipa::path(
    get, path = "/api/v1/terminals/{id}/payments/{payment}/receipt", tag = "terminals",
    params(AtTerminal),
    responses((status = 200, description = "The receipt", body = ReceiptView))
)]
pub async fn receipt(
    _caller: Read,
    app: web::Data<App>,
    at: web::Path<AtTerminal>,
    _query: Strict<Nothing>,
) -> Result<web::Json<ReceiptView>, Problem> {
    let payment = desk::payment_at(&app, &at.terminal(), &at.payment).await?;
    super::receipts::shown(&app, payment).await
}
