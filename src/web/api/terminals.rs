//! Card terminals (OCPI 2.3.0 mod_payments): where they stand, and what they sell.

use super::auth::{Operate, Read};
use super::input::{Body, Nothing, Strict, list_query};
use super::output;
use super::view::text;
use crate::app::App;
use crate::db::page::Page;
use crate::db::payment_terminals as terminals;
use crate::domain::party::PartyId;
use crate::domain::terminal::{InvoiceCreator, Terminal};
use crate::domain::{CiString, Extra, Timestamp};
use crate::payments::terminals as desk;
use crate::payments::{Offer, OfferedConnector};
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

pub(super) fn id_of(name: &'static str, text: &str) -> Result<CiString, Problem> {
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
