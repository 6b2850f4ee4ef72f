//! What several objects of the driver API have in common. Amounts of money and energy are texts with a decimal number.

use crate::domain::Timestamp;
use crate::domain::location::DisplayText;
use crate::driver::bill::{Bill, BillLine, Taxed};
use crate::pricing::describe::Language;
use crate::web::problem::Problem;
use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;
use serde::Serialize;
use utoipa::ToSchema;

/// An amount before and after tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AmountView {
    /// Before tax.
    #[schema(example = "7.50", format = "decimal")]
    net: String,
    /// Tax; missing where none applies or none is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1.43", format = "decimal")]
    tax: Option<String>,
    /// After tax.
    #[schema(example = "8.93", format = "decimal")]
    gross: String,
}

impl From<Taxed> for AmountView {
    fn from(amount: Taxed) -> Self {
        let Taxed { net, tax, gross } = amount;
        Self { net: net.to_string(), tax: tax.map(|tax| tax.to_string()), gross: gross.to_string() }
    }
}

/// What something costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillView {
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// The lines; together they are the total.
    lines: Vec<BillLineView>,
    /// Everything.
    total: AmountView,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BillLineView {
    /// `FIXED`, `ENERGY`, `TIME`, `PARKING`, `RESERVATION`, or `OTHER` for what is missing to the total: rounding, a
    /// least or a most price, or what the CPO did not split.
    #[schema(example = "ENERGY")]
    kind: &'static str,
    /// How much.
    #[serde(flatten)]
    amount: AmountView,
}

impl From<Bill> for BillView {
    fn from(bill: Bill) -> Self {
        let Bill { currency, lines, total } = bill;
        let line = |BillLine { kind, amount }| BillLineView { kind: kind.as_str(), amount: amount.into() };
        Self { currency, lines: lines.into_iter().map(line).collect(), total: total.into() }
    }
}

/// The language that somebody wants: as a parameter says it, or else the first of `Accept-Language` that there is.
///
/// # Errors
/// 400 for a parameter that names none that there is.
pub fn language_of(request: &HttpRequest, parameter: Option<&str>) -> Result<Language, Problem> {
    if let Some(text) = parameter {
        return text.parse().map_err(|_| Problem::bad("query", "lang", "there are en and de"));
    }
    Ok(accepted(request).iter().find_map(|word| word.parse().ok()).unwrap_or_default())
}

/// The languages of `Accept-Language` in their order, by their first part (RFC 9110, 12.5.4).
fn accepted(request: &HttpRequest) -> Vec<String> {
    let header = request.headers().get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
    let parts = header.into_iter().flat_map(|text| text.split(','));
    let tags = parts.map(|part| part.split(';').next().unwrap_or_default().trim());
    tags.map(|tag| tag.split('-').next().unwrap_or_default().to_ascii_lowercase()).collect()
}

/// The languages in which somebody reads texts of others, the best first.
#[must_use]
pub fn languages(request: &HttpRequest, first: Language) -> Vec<String> {
    let mut all = vec![first.as_str().to_owned()];
    all.extend(accepted(request));
    all.push("en".to_owned());
    all
}

/// Of texts in several languages, the one that somebody reads best.
#[must_use]
pub fn best(texts: Option<&[DisplayText]>, languages: &[String]) -> Option<String> {
    let texts = texts?;
    let of = |language: &String| texts.iter().find(|text| text.language.eq_ignore_ascii_case(language));
    let found = languages.iter().find_map(of).or_else(|| texts.first())?;
    Some(found.text.clone())
}

/// Whole minutes between two moments.
#[must_use]
pub fn minutes(from: Timestamp, to: Timestamp) -> i64 {
    to.millis_since(from).max(0).div_euclid(60_000)
}
