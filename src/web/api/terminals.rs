//! Card terminals (OCPI 2.3.0 mod_payments), for whoever operates them: what they sell, the holds that they make, what
//! they have to do, and what they did.

use super::auth::{Operate, Read};
use super::input::{Body, Nothing, Strict, list_query};
use super::output;
use super::payments::PaymentRowView;
use super::receipts::ReceiptView;
use super::view::text;
use crate::app::App;
use crate::db::DbConn;
use crate::db::page::Page;
use crate::db::payment_terminals as terminals;
use crate::db::payments::Payment;
use crate::domain::party::PartyId;
use crate::domain::tariff::Price;
use crate::domain::terminal::{FinancialAdviceConfirmation, InvoiceCreator, Terminal};
use crate::domain::{CiString, Extra, Money, Timestamp};
use crate::payments::terminals::{self as desk, Advice, HoldMade};
use crate::payments::{Offer, OfferedConnector, PaymentError};
use crate::pricing::describe::{Language, describe};
use crate::web::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A card terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TerminalView {
    /// Its id.
    terminal_id: String,
    /// Who sells at it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// By what the one who operates it knows us.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_reference: Option<String>,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Town.
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-3.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// Where invoices can be fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_base_url: Option<String>,
    /// Who makes the driver's invoice: `CPO` or `PTP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_creator: Option<String>,
    /// By what the one who operates it knows it, e.g. a serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// It sells at all EVSEs of these locations.
    location_ids: Vec<String>,
    /// And at these EVSEs.
    evse_uids: Vec<String>,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

impl From<Terminal> for TerminalView {
    fn from(terminal: Terminal) -> Self {
        Self {
            terminal_id: text(terminal.terminal_id),
            party: terminal.party.to_string(),
            customer_reference: terminal.customer_reference.map(text),
            address: terminal.address,
            city: terminal.city,
            postal_code: terminal.postal_code,
            country: terminal.country,
            invoice_base_url: terminal.invoice_base_url,
            invoice_creator: terminal.invoice_creator.map(|creator| creator.to_string()),
            reference: terminal.reference.map(text),
            location_ids: terminal.location_ids.into_iter().map(text).collect(),
            evse_uids: terminal.evse_uids.into_iter().map(text).collect(),
            last_updated: terminal.last_updated,
        }
    }
}

/// A terminal as it is to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalInput {
    /// Who sells at it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// By what the one who operates it knows us.
    #[serde(default)]
    customer_reference: Option<String>,
    /// Street and number.
    #[serde(default)]
    address: Option<String>,
    /// Town.
    #[serde(default)]
    city: Option<String>,
    /// Postal code.
    #[serde(default)]
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-3.
    #[serde(default)]
    country: Option<String>,
    /// Where invoices can be fetched.
    #[serde(default)]
    invoice_base_url: Option<String>,
    /// Who makes the driver's invoice: `CPO` or `PTP`.
    #[serde(default)]
    invoice_creator: Option<String>,
    /// By what the one who operates it knows it, e.g. a serial number.
    #[serde(default)]
    reference: Option<String>,
    /// It sells at all EVSEs of these locations.
    #[serde(default)]
    location_ids: Vec<String>,
    /// And at these EVSEs.
    #[serde(default)]
    evse_uids: Vec<String>,
}

/// Longest id (OCPI 2.3.0 mod_payments, `CiString(36)`).
const LONGEST_ID: usize = 36;

fn id_of(name: &'static str, text: &str) -> Result<CiString, Problem> {
    CiString::parse(name, text, LONGEST_ID)
        .map_err(|error| Problem::bad("body", format!("$.{name}"), error.to_string()))
}

fn ids_of(name: &'static str, texts: &[String]) -> Result<Vec<CiString>, Problem> {
    texts.iter().map(|text| id_of(name, text)).collect()
}

fn terminal_of(id: &str, input: TerminalInput, now: Timestamp) -> Result<Terminal, Problem> {
    let party: PartyId =
        input.party.parse().map_err(|error| Problem::bad("body", "$.party", format!("{error}")))?;
    let creator = input.invoice_creator.as_deref().map(InvoiceCreator::from);
    if creator.as_ref().is_some_and(|creator| !creator.is_known()) {
        return Err(Problem::bad("body", "$.invoice_creator", "is none of CPO, PTP"));
    }
    Ok(Terminal {
        terminal_id: CiString::parse("terminal id", id, LONGEST_ID)
            .map_err(|error| Problem::bad("path", "id", error.to_string()))?,
        party,
        customer_reference: input
            .customer_reference
            .as_deref()
            .map(|text| id_of("customer_reference", text))
            .transpose()?,
        address: input.address,
        city: input.city,
        postal_code: input.postal_code,
        state: None,
        country: input.country,
        coordinates: None,
        invoice_base_url: input.invoice_base_url,
        invoice_creator: creator,
        reference: input.reference.as_deref().map(|text| id_of("reference", text)).transpose()?,
        location_ids: ids_of("location_ids", &input.location_ids)?,
        evse_uids: ids_of("evse_uids", &input.evse_uids)?,
        last_updated: now,
        extra: Extra::new(),
    })
}

list_query! {
    /// Which terminals.
    pub struct TerminalQuery {}
}

/// Lists card terminals
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/terminals", tag = "terminals", params(TerminalQuery),
    responses((status = 200, description = "A page of terminals", body = [TerminalView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<TerminalQuery>,
) -> Result<HttpResponse, Problem> {
    let page: Page = query.page();
    let slice = app.db.read(move |conn| terminals::list(conn, page)).await?;
    Ok(output::list(&app, &request, page, slice, TerminalView::from))
}

/// Shows a card terminal
///
/// # Errors
/// 404 where there is no such terminal.
#[utoipa::path(
    get, path = "/api/v1/terminals/{id}", tag = "terminals",
    params(("id" = String, Path, description = "The terminal")),
    responses((status = 200, description = "The terminal", body = TerminalView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TerminalView>, Problem> {
    let id = CiString::from(id.into_inner());
    let found = app.db.read(move |conn| terminals::find(conn, &id)).await?;
    found
        .map(|terminal| web::Json(terminal.into()))
        .ok_or_else(|| Problem::not_found("there is no such terminal"))
}

/// Registers a card terminal, or assigns it to other places
///
/// # Errors
/// 400 where a field cannot be understood.
#[utoipa::path(
    put, path = "/api/v1/terminals/{id}", tag = "terminals", request_body = TerminalInput,
    params(("id" = String, Path, description = "The terminal, at most 36 characters")),
    responses(
        (status = 200, description = "The terminal, as it now is", body = TerminalView),
        (status = 201, description = "The terminal, which is new", body = TerminalView),
    )
)]
pub async fn put(
    _caller: Operate,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
    Body(input): Body<TerminalInput>,
) -> Result<HttpResponse, Problem> {
    let terminal = terminal_of(&id, input, app.now())?;
    let written = terminal.clone();
    let new = app.db.write(move |conn| terminals::put(conn, &written)).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(TerminalView::from(terminal)))
}

/// What a terminal sells at a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TerminalOfferView {
    /// Where.
    location_id: String,
    /// The EVSE.
    evse_uid: String,
    /// As printed on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    evse_id: Option<String>,
    /// As painted on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_reference: Option<String>,
    /// The connector.
    connector_id: String,
    /// Its kind.
    #[schema(example = "IEC_62196_T2")]
    standard: String,
    /// `free`, `occupied`, `offline` or `out_of_order`.
    #[schema(example = "free")]
    availability: String,
    /// A car is plugged in already.
    plugged_in: bool,
    /// The tariff that prices a charge that begins now.
    tariff_id: String,
    /// The same in words.
    tariff: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What is to be held before a start.
    #[schema(example = "60.00", format = "decimal")]
    hold: String,
    /// A hold below that would not do.
    #[schema(format = "decimal")]
    least_hold: String,
}

impl TerminalOfferView {
    fn of(offer: &Offer, offered: &OfferedConnector) -> Self {
        Self {
            location_id: offer.location.id.to_string(),
            evse_uid: offer.evse.uid.to_string(),
            evse_id: offer.evse.evse_id.as_ref().map(ToString::to_string),
            physical_reference: offer.evse.physical_reference.clone(),
            connector_id: offered.connector.id.to_string(),
            standard: offered.connector.standard.clone(),
            availability: offered.availability.as_str().to_owned(),
            plugged_in: offered.plugged_in,
            tariff_id: offered.tariff.id.to_string(),
            tariff: describe(&offered.tariff, Language::En).summary,
            currency: offered.currency.clone(),
            hold: offered.hold.to_string(),
            least_hold: offered.first_cost.to_string(),
        }
    }
}

/// Shows what a card terminal sells now
///
/// # Errors
/// 404 where there is no such terminal.
#[utoipa::path(
    get, path = "/api/v1/terminals/{id}/offers", tag = "terminals",
    params(("id" = String, Path, description = "The terminal")),
    responses((status = 200, description = "Each connector with its price", body = [TerminalOfferView]))
)]
pub async fn offers(
    _caller: Read,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<Vec<TerminalOfferView>>, Problem> {
    let offers = desk::offers(&app, &CiString::from(id.into_inner())).await?;
    let all = offers
        .iter()
        .flat_map(|offer| offer.connectors.iter().map(move |offered| TerminalOfferView::of(offer, offered)));
    Ok(web::Json(all.collect()))
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
    get, path = "/api/v1/terminals/{id}/payments/{payment}", tag = "terminals",
    params(
        ("id" = String, Path, description = "The terminal"),
        ("payment" = String, Path, description = "The payment"),
    ),
    responses((status = 200, description = "The payment", body = TerminalPaymentView))
)]
pub async fn payment(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TerminalPaymentView>, Problem> {
    let (id, payment) = path.into_inner();
    let payment = desk::payment_at(&app, &id.into(), &payment).await?;
    Ok(web::Json(shown(&app, payment).await?))
}

/// Stops the charge of a payment at a card terminal, or ends it before the charge
///
/// # Errors
/// 404 where there is none of that id at that terminal.
#[utoipa::path(
    post, path = "/api/v1/terminals/{id}/payments/{payment}/stop", tag = "terminals",
    params(
        ("id" = String, Path, description = "The terminal"),
        ("payment" = String, Path, description = "The payment"),
    ),
    responses((status = 200, description = "The payment", body = TerminalPaymentView))
)]
pub async fn stop(
    _caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TerminalPaymentView>, Problem> {
    let (app, (id, payment)) = (app.into_inner(), path.into_inner());
    let payment = desk::stop(&app, &id.into(), &payment).await?;
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
    let status = crate::domain::terminal::CaptureStatus::from(input.capture_status_code.as_str());
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
    let payment = desk::confirm(&app, &CiString::from(id.into_inner()), confirmation).await?;
    Ok(web::Json(shown(&app, payment).await?))
}

/// Confirms that a card terminal gave back what it was to give back
///
/// # Errors
/// 404 where there is no such payment at that terminal, 409 where nothing was to be given back.
#[utoipa::path(
    post, path = "/api/v1/terminals/{id}/payments/{payment}/refunded", tag = "terminals",
    params(
        ("id" = String, Path, description = "The terminal"),
        ("payment" = String, Path, description = "The payment"),
    ),
    responses((status = 200, description = "The payment", body = TerminalPaymentView))
)]
pub async fn refunded(
    _caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<TerminalPaymentView>, Problem> {
    let (app, (id, payment)) = (app.into_inner(), path.into_inner());
    let payment = desk::refunded(&app, &id.into(), &payment).await?;
    Ok(web::Json(shown(&app, payment).await?))
}

/// Shows the receipt of a payment at a card terminal
///
/// # Errors
/// 404 where there is no such payment at that terminal, or nothing was taken yet.
#[utoipa::path(
    get, path = "/api/v1/terminals/{id}/payments/{payment}/receipt", tag = "terminals",
    params(
        ("id" = String, Path, description = "The terminal"),
        ("payment" = String, Path, description = "The payment"),
    ),
    responses((status = 200, description = "The receipt", body = ReceiptView))
)]
pub async fn receipt(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<ReceiptView>, Problem> {
    let (id, payment) = path.into_inner();
    let payment = desk::payment_at(&app, &id.into(), &payment).await?;
    super::receipts::shown(&app, payment).await
}
