//! Receipts: the CDRs of a driver's charges, by lines, with what corrected them.

use super::auth::Driver;
use super::output::tagged;
use super::page::PageQuery;
use super::path::OfCpo;
use super::view::{AmountView, BillView, minutes};
use crate::app::App;
use crate::db::cdrs::NumberedCdr;
use crate::db::{DbConn, DbError};
use crate::domain::Timestamp;
use crate::domain::cdr::{Cdr, CdrLocation};
use crate::driver::bill::Bill;
use crate::driver::receipts::{self, Receipt, receipt_of};
use crate::web::api::input::{Nothing, Strict};
use crate::web::api::view::{SignedDataView, text};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// The account of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptView {
    /// `FINAL`: one CDR, and it counts. `CORRECTED`: it was taken back, and another one counts. `CREDITED`: it was
    /// taken back, and nothing is to be paid.
    #[schema(example = "FINAL")]
    state: &'static str,
    /// What is to be paid in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<AmountView>,
    /// The CDRs in their order.
    documents: Vec<DocumentView>,
}

/// A CDR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentView {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Its id.
    id: String,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// It takes back another one; its amounts are negative.
    credit: bool,
    /// The CDR that it takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<String>,
    /// When the charge began.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
    /// Minutes from its start to its end.
    minutes: i64,
    /// kWh.
    #[schema(example = "12.345", format = "decimal")]
    kwh: String,
    /// The contract with which was charged.
    contract_id: String,
    /// Where.
    place: CdrPlaceView,
    /// What it costs; missing where its amounts are out of range.
    #[serde(skip_serializing_if = "Option::is_none")]
    bill: Option<BillView>,
    /// Signed meter values, for whoever verifies them.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_data: Option<SignedDataView>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    written: Timestamp,
}

/// Where a charge took place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CdrPlaceView {
    /// The location.
    location_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Street and number.
    address: String,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    /// Town.
    city: String,
    /// The EVSE, as printed on the device.
    evse_id: String,
    /// The connector.
    connector_id: String,
}

impl From<CdrLocation> for CdrPlaceView {
    fn from(place: CdrLocation) -> Self {
        Self {
            location_id: text(place.id),
            name: place.name,
            address: place.address,
            postal_code: place.postal_code,
            city: place.city,
            evse_id: text(place.evse_id),
            connector_id: text(place.connector_id),
        }
    }
}

impl DocumentView {
    fn of(cdr: Cdr, bill: Option<Bill>) -> Self {
        Self {
            party: cdr.party.to_string(),
            id: text(cdr.id),
            session_id: cdr.session_id.map(text),
            credit: cdr.credit.unwrap_or(false),
            credits: cdr.credit_reference_id.map(text),
            start: cdr.start_date_time,
            end: cdr.end_date_time,
            minutes: minutes(cdr.start_date_time, cdr.end_date_time),
            kwh: cdr.total_energy.to_string(),
            contract_id: text(cdr.cdr_token.contract_id),
            place: cdr.cdr_location.into(),
            bill: bill.map(BillView::from),
            signed_data: cdr.signed_data.map(SignedDataView::from),
            written: cdr.last_updated,
        }
    }
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        let Receipt { state, documents, total } = receipt;
        Self {
            state: state.as_str(),
            total: total.map(AmountView::from),
            documents: documents.into_iter().map(|one| DocumentView::of(one.cdr, one.bill)).collect(),
        }
    }
}

/// Shows the receipt of a charge
///
/// # Errors
/// 404 where there is none of this driver, or none yet.
#[utoipa::path(
    get, path = "/driver/v1/sessions/{party}/{id}/receipt", tag = "receipts", params(OfCpo),
    responses((status = 200, description = "The receipt", body = ReceiptView))
)]
pub async fn of_session(
    Driver(held): Driver,
    app: web::Data<App>,
    request: HttpRequest,
    named: OfCpo,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let missing = format!("there is no receipt of session {named} for this driver, or none yet");
    let read = move |conn: &mut DbConn| receipt_of(conn, &held.driver_id, &named.party, &named.id);
    let found = app.db.read(read).await?;
    tagged(&request, &ReceiptView::from(found.ok_or_else(|| Problem::not_found(missing))?))
}

/// A page of CDRs, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentsView {
    /// The CDRs.
    documents: Vec<DocumentView>,
    /// To be sent as `after` for the next page; missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Lists the driver's CDRs, the newest first
///
/// Also those of charges of which nothing else is known here, and those that take others back.
///
/// # Errors
/// 400 for a parameter that cannot be understood.
#[utoipa::path(
    get, path = "/driver/v1/receipts", tag = "receipts", params(PageQuery),
    responses((status = 200, description = "A page of CDRs", body = DocumentsView))
)]
pub async fn list(
    Driver(held): Driver,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let wanted = query.wanted()?;
    let read =
        move |conn: &mut DbConn| receipts::list(conn, &held.driver_id, wanted.before, wanted.to_read());
    let found = app.db.read::<_, DbError, _>(read).await?;
    let (found, next) = wanted.cut(found, |one: &NumberedCdr| one.seq);
    let view = |one: NumberedCdr| DocumentView::of(one.cdr.clone(), Bill::of_cdr(&one.cdr));
    tagged(&request, &DocumentsView { documents: found.into_iter().map(view).collect(), next })
}
