//! A tariff, as a driver sees it.

use crate::domain::tariff::Tariff;
use crate::pricing::describe::{Description, Language, Line, describe};
use crate::web::api::view::text;
use serde::Serialize;
use utoipa::ToSchema;

/// A tariff in words and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TariffView {
    /// Unique within the CPO.
    id: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What a driver pays, in one sentence.
    #[schema(example = "You pay EUR 0.46 per kWh.")]
    summary: String,
    /// Every price in its order: per kWh, per minute, per session, other.
    lines: Vec<TariffLineView>,
}

/// One price, or one thing to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TariffLineView {
    /// `per_kwh`, `per_minute`, `per_session` or `other`.
    part: &'static str,
    /// The whole line in words.
    text: String,
    /// Per kWh, per hour or once, before VAT, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    net: Option<String>,
    /// The same after VAT, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    gross: Option<String>,
    /// VAT in percent, where there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    vat: Option<String>,
}

impl TariffView {
    /// Of a tariff.
    #[must_use]
    pub fn of(tariff: &Tariff, language: Language) -> Self {
        let Description { language: _, currency, summary, lines } = describe(tariff, language);
        let line = |line: Line| TariffLineView {
            part: line.part.as_str(),
            text: line.text,
            net: line.net,
            gross: line.gross,
            vat: line.vat,
        };
        Self { id: text(tariff.id.clone()), currency, summary, lines: lines.into_iter().map(line).collect() }
    }
}
