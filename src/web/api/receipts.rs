//! Receipts of ad hoc payments.

use super::auth::Read;
use super::input::{Nothing, Strict};
use crate::app::{App, policy_of};
use crate::db::payments::{self, Payment};
use crate::domain::Timestamp;
use crate::payments::receipt::{Receipt, ReceiptLine, Sold, TaxRow, make};
use crate::pricing::Billed;
use crate::web::problem::Problem;
use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

/// A line of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptLineView {
    /// What for, e.g. `ENERGY`.
    #[schema(example = "ENERGY")]
    kind: String,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    quantity: Option<String>,
    /// Of what: `kWh` or `s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// Per kWh, per hour or once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    price: Option<String>,
    /// Percent; missing where no tax applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    vat: Option<String>,
    /// Before tax, exact.
    #[schema(format = "decimal")]
    net: String,
    /// With tax, exact.
    #[schema(format = "decimal")]
    gross: String,
}

impl From<ReceiptLine> for ReceiptLineView {
    fn from(line: ReceiptLine) -> Self {
        let (quantity, unit) = match line.quantity {
            Billed::Once => (None, None),
            Billed::Kwh(amount) => (Some(amount), Some("kWh")),
            Billed::Seconds(amount) => (Some(amount), Some("s")),
        };
        Self {
            kind: line.kind.as_str().to_owned(),
            quantity: quantity.map(|quantity| quantity.normalize().to_string()),
            unit: unit.map(ToOwned::to_owned),
            price: line.price.as_ref().map(|price| price.price.to_string()),
            vat: line.price.and_then(|price| price.vat).map(|vat| vat.to_string()),
            net: line.net.normalize().to_string(),
            gross: line.gross.normalize().to_string(),
        }
    }
}

/// What is taxed at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TaxRowView {
    /// Percent; missing where no tax applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    rate: Option<String>,
    /// Before tax.
    #[schema(format = "decimal")]
    net: String,
    /// The tax.
    #[schema(format = "decimal")]
    tax: String,
    /// With tax.
    #[schema(format = "decimal")]
    gross: String,
}

impl From<TaxRow> for TaxRowView {
    fn from(TaxRow { rate, net, tax, gross }: TaxRow) -> Self {
        let (net, tax, gross) = (net.to_string(), tax.to_string(), gross.to_string());
        Self { rate: rate.map(|rate| rate.to_string()), net, tax, gross }
    }
}

/// What was sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SoldView {
    /// The CDR.
    cdr: String,
    /// When the charge began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    ended_at: Timestamp,
    /// The zone of its local time (IANA).
    zone: String,
    /// Energy, kWh.
    #[schema(format = "decimal")]
    kwh: String,
    /// As printed on the EVSE.
    evse_id: String,
    /// Street, postal code and town.
    address: String,
    /// Its lines.
    lines: Vec<ReceiptLineView>,
    /// The taxes by rate.
    taxes: Vec<TaxRowView>,
    /// The total before tax.
    #[schema(format = "decimal")]
    net: String,
    /// The total with tax.
    #[schema(format = "decimal")]
    gross: String,
}

impl From<Sold> for SoldView {
    fn from(sold: Sold) -> Self {
        let town = [sold.place.postal_code.as_deref(), Some(sold.place.city.as_str())];
        let town = town.into_iter().flatten().collect::<Vec<_>>().join(" ");
        Self {
            cdr: sold.cdr_id,
            started_at: sold.started_at,
            ended_at: sold.ended_at,
            zone: sold.zone,
            kwh: sold.kwh.to_string(),
            evse_id: sold.place.evse_id.to_string(),
            address: format!("{}, {town}", sold.place.address),
            lines: sold.lines.into_iter().map(ReceiptLineView::from).collect(),
            taxes: sold.taxes.into_iter().map(TaxRowView::from).collect(),
            net: sold.net.to_string(),
            gross: sold.gross.to_string(),
        }
    }
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptView {
    /// Its number.
    #[schema(example = "DEABC-000001")]
    number: String,
    /// When the money was taken.
    #[schema(value_type = String, format = DateTime)]
    issued_at: Timestamp,
    /// Who sells, with the full address, a line each.
    issuer: Vec<String>,
    /// The VAT or tax number of who sells.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_id: Option<String>,
    /// What was sold; missing where there is no CDR.
    #[serde(skip_serializing_if = "Option::is_none")]
    sold: Option<SoldView>,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What the driver has paid in the end.
    #[schema(format = "decimal")]
    paid: String,
    /// What was given back of what was taken.
    #[schema(format = "decimal")]
    refunded: String,
    /// What a terminal says of the card, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    eft_data: Vec<String>,
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        let merchant = receipt.merchant;
        let issuer =
            merchant.iter().flat_map(|merchant| std::iter::once(&merchant.name).chain(&merchant.address));
        Self {
            number: receipt.number,
            issued_at: receipt.issued_at,
            issuer: issuer.cloned().collect(),
            tax_id: merchant.and_then(|merchant| merchant.tax_id),
            sold: receipt.sold.map(SoldView::from),
            currency: receipt.currency,
            paid: receipt.paid.to_string(),
            refunded: receipt.refunded.to_string(),
            eft_data: receipt.eft_data,
        }
    }
}

/// The receipt of a payment.
pub(super) async fn shown(app: &App, payment: Payment) -> Result<web::Json<ReceiptView>, Problem> {
    let policy = policy_of(&app.config.pricing);
    let made = app.db.read(move |conn| make(conn, payment, &policy)).await?;
    made.map(|receipt| web::Json(receipt.into()))
        .ok_or_else(|| Problem::not_found("there is no receipt: nothing was taken"))
}

/// Shows the receipt of an ad hoc payment
///
/// # Errors
/// 404 where there is no such payment, or nothing was taken yet.
#[utoipa::path(
    get, path = "/api/v1/payments/{id}/receipt", tag = "payments",
    params(("id" = String, Path, description = "The payment")),
    responses((status = 200, description = "The receipt", body = ReceiptView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<ReceiptView>, Problem> {
    let id = id.into_inner();
    let found = app.db.read(move |conn| payments::find(conn, &id)).await?;
    let payment = found.ok_or_else(|| Problem::not_found("there is no such payment"))?;
    shown(&app, payment).await
}
