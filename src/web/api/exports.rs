//! CDRs for accounting: the file that `roamwatt export cdrs` writes, and its sums.
//!
//! A file is sent while it is read, so that its size costs no memory. Its sums are known only at its end, when the
//! head of the answer is long gone, and a line of sums within it would change what the format is. So they are an
//! answer of their own. An answer that breaks off in the middle ends without the end mark of its transfer coding
//! (RFC 9112, 7.1), which every client reports.

use super::auth::Export;
use super::input::{Parameters, Strict};
use crate::app::App;
use crate::db::cdrs::CdrFilter;
use crate::domain::Timestamp;
use crate::finance::cdr_export::{
    self, CdrExport, CostTotals, ExportError, ExportFormat, Totals, cdrs_between, parse_border, total_cdrs,
};
use crate::http::with_causes;
use crate::web::problem::Problem;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, web};
use futures_util::{Stream, StreamExt, stream};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use tracing::{Instrument, Span};
use utoipa::{IntoParams, ToSchema};

/// A border of a period: a day or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Border(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Border {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let shown: String = text.chars().take(40).collect();
        parse_border(&text).map(Self).map_err(|wrong| D::Error::custom(format!("{shown:?} {wrong}")))
    }
}

/// Which CDRs are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Ours, for charges at our stations.
    Issued,
    /// Those of partners, for charges of our drivers.
    Received,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For spreadsheets: RFC 4180, UTF-8, with a line of headings.
    #[default]
    Csv,
    /// An object a line.
    Jsonl,
}

/// Which CDRs are summed up.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TotalsQuery {
    /// Only of charges that ended at or after this day (00:00 UTC) or moment.
    #[param(value_type = Option<String>, example = "2026-01-01")]
    from: Option<Border>,
    /// Only of charges that ended before.
    #[param(value_type = Option<String>, example = "2026-02-01")]
    to: Option<Border>,
    /// Only the ones that we issued, or received; missing means both.
    #[param(inline)]
    direction: Option<Direction>,
}

impl Parameters for TotalsQuery {
    const NAMES: &'static [&'static str] = &["from", "to", "direction"];
}

/// Which CDRs are exported, and how.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Only of charges that ended at or after this day (00:00 UTC) or moment.
    #[param(value_type = Option<String>, example = "2026-01-01")]
    from: Option<Border>,
    /// Only of charges that ended before.
    #[param(value_type = Option<String>, example = "2026-02-01")]
    to: Option<Border>,
    /// Only the ones that we issued, or received; missing means both.
    #[param(inline)]
    direction: Option<Direction>,
    /// `csv`, as when missing, or `jsonl`.
    #[param(inline)]
    format: Option<Format>,
}

impl Parameters for ExportQuery {
    const NAMES: &'static [&'static str] = &["from", "to", "direction", "format"];
}

fn filter(
    from: Option<Border>,
    to: Option<Border>,
    direction: Option<Direction>,
) -> Result<CdrFilter, Problem> {
    let (from, to) = (from.map(|border| border.0), to.map(|border| border.0));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Problem::bad("query", "from", "it is not before `to`"));
    }
    let direction = direction.map(|direction| match direction {
        Direction::Issued => cdr_export::Direction::Issued,
        Direction::Received => cdr_export::Direction::Received,
    });
    Ok(cdrs_between(from, to, direction))
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Db(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

/// Exports the CDRs of charges that ended in a period
///
/// The file that `roamwatt export cdrs` writes, with the columns of `docs/export.md`. It comes in chunks while it is
/// read, without a length; one that breaks off is no whole export. `GET /api/v1/cdrs/totals` gives its sums.
///
/// # Errors
/// 400 for a period that is none. When the database fails.
#[utoipa::path(
    get, path = "/api/v1/cdrs/export", tag = "cdrs", params(ExportQuery),
    responses((
        status = 200, description = "The file",
        content((String = "text/csv"), (String = "application/x-ndjson"))
    ))
)]
pub async fn export(
    caller: Export,
    app: web::Data<App>,
    Strict(query): Strict<ExportQuery>,
) -> Result<HttpResponse, Problem> {
    let filter = filter(query.from, query.to, query.direction)?;
    let (format, media_type, name) = match query.format.unwrap_or_default() {
        Format::Csv => (ExportFormat::Csv, "text/csv; charset=utf-8; header=present", "cdrs.csv"),
        Format::Jsonl => (ExportFormat::JsonLines, "application/x-ndjson", "cdrs.jsonl"),
    };
    tracing::info!(api_key = caller.0.api_key, "CDRs are exported");
    let mut export = CdrExport::new(&app.db, filter, format);
    // What fails at once is answered as such; later there is nothing left but to break off.
    let first = export.next_part().await?;
    let parts = stream::iter(first.map(|part| Ok(part.into()))).chain(parts_of(export));
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    Ok(response.content_type(media_type).streaming(parts))
}

/// The parts that are left of a file, each read when the one before it was taken.
fn parts_of(export: CdrExport) -> impl Stream<Item = Result<web::Bytes, ExportError>> {
    // The request's own, for what is logged while the answer goes out.
    let span = Span::current();
    stream::try_unfold(export, move |mut export| {
        let next = async move {
            let part = export.next_part().await.inspect_err(|error| {
                tracing::error!(error = with_causes(error), "an export of CDRs broke off");
            })?;
            Ok(part.map(|part| (web::Bytes::from(part), export)))
        };
        next.instrument(span.clone())
    })
}

/// The sums of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TotalsView {
    /// Rows of the export.
    cdrs: u64,
    /// Charges that are billed: a credit CDR takes that of its original off.
    charges: i64,
    /// Energy, kWh; that of a credit CDR is taken off.
    #[schema(example = "1234.567", format = "decimal")]
    energy_kwh: String,
    /// By currency (ISO 4217).
    costs: BTreeMap<String, CostTotalsView>,
}

/// The sums of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CostTotalsView {
    /// Without VAT.
    #[schema(example = "750.00", format = "decimal")]
    excl_vat: String,
    /// VAT.
    #[schema(example = "142.50", format = "decimal")]
    vat: String,
    /// With VAT; a CDR to which no VAT applies counts with its amount without.
    #[schema(example = "892.50", format = "decimal")]
    incl_vat: String,
}

impl From<Totals> for TotalsView {
    fn from(totals: Totals) -> Self {
        let Totals { cdrs, charges, energy_kwh, costs } = totals;
        let view = |CostTotals { excl_vat, vat, incl_vat }: CostTotals| CostTotalsView {
            excl_vat: excl_vat.to_string(),
            vat: vat.to_string(),
            incl_vat: incl_vat.to_string(),
        };
        Self {
            cdrs,
            charges,
            energy_kwh: energy_kwh.to_string(),
            costs: costs.into_iter().map(|(currency, costs)| (currency, view(costs))).collect(),
        }
    }
}

/// Sums up the CDRs of charges that ended in a period
///
/// What the rows of `GET /api/v1/cdrs/export` with the same parameters add up to, to compare it with. CDRs that are
/// written in between are in the later of the two answers only: take a period that is over.
///
/// # Errors
/// 400 for a period that is none. When the database fails.
#[utoipa::path(
    get, path = "/api/v1/cdrs/totals", tag = "cdrs", params(TotalsQuery),
    responses((status = 200, description = "The sums", body = TotalsView))
)]
pub async fn totals(
    _caller: Export,
    app: web::Data<App>,
    Strict(query): Strict<TotalsQuery>,
) -> Result<web::Json<TotalsView>, Problem> {
    let filter = filter(query.from, query.to, query.direction)?;
    Ok(web::Json(total_cdrs(&app.db, filter).await?.into()))
}
