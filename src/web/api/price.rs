//! What a charge would cost, and what a CDR costs: prices of documents that come with the request and are not stored.

use super::auth::Read;
use super::input::{Body, Parameters, Strict};
use super::pricing::{VersionQuery, bad_findings, off_thread, parsed, read_tariff};
use crate::domain::{Kwh, Timestamp};
use crate::pricing::read::{self, OcpiVersion};
use crate::pricing::report::PriceReport;
use crate::pricing::{PricingPolicy, SimulatedCharge, SimulationError, Tariffs};
use crate::web::problem::Problem;
use actix_web::web;
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// A charge that never was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimulatedChargeInput {
    /// An OCPI tariff.
    #[schema(value_type = Object)]
    tariff: Value,
    /// When the car is plugged in.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// When it is unplugged.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Energy that it takes, kWh.
    #[schema(value_type = f64, example = 40)]
    energy_kwh: Kwh,
    /// Power at which it takes it, kW.
    #[schema(value_type = f64, example = 24)]
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    max_power_kw: Decimal,
    /// Current at which it takes it, A over all phases, for tariffs with restrictions on the current.
    #[schema(value_type = Option<f64>)]
    #[serde(default, with = "rust_decimal::serde::arbitrary_precision_option")]
    max_current_a: Option<Decimal>,
    /// Zone of the place (IANA); UTC where it is missing.
    #[schema(example = "Europe/Berlin")]
    timezone: Option<String>,
}

/// How a CDR is written, and where it was.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CdrPriceQuery {
    /// OCPI version in which the CDR is written: `2.1.1`, `2.2.1` or `2.3.0`.
    #[param(value_type = Option<String>, example = "2.2.1", default = "2.2.1")]
    #[serde(default, deserialize_with = "parsed")]
    version: Option<OcpiVersion>,
    /// Zone of the place (IANA), like `Europe/Amsterdam`; where it is missing, that of the CDR, else UTC.
    timezone: Option<String>,
}

impl Parameters for CdrPriceQuery {
    const NAMES: &'static [&'static str] = &["version", "timezone"];
}

/// A zone that stands at a place of the query or the body.
fn zone(name: Option<&str>, part: &'static str, at: &str) -> Result<Option<Tz>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let unknown = || format!("'{name}' is no zone of the IANA list: write it like Europe/Berlin");
    name.parse().map(Some).map_err(|_| Problem::bad(part, at, unknown()))
}

/// Prices a charge that never was
///
/// The car charges at full power until it has its energy, and stays plugged in until the end. The answer says what it
/// costs and why, line by line.
///
/// # Errors
/// 400 with every place that cannot be read, or where no such charge is possible.
#[utoipa::path(
    post, path = "/api/v1/pricing/tariffs/price", tag = "pricing", params(VersionQuery),
    request_body = SimulatedChargeInput,
    responses((status = 200, description = "What it costs and why", body = PriceReport))
)]
pub async fn price_tariff(
    _caller: Read,
    Strict(query): Strict<VersionQuery>,
    Body(input): Body<SimulatedChargeInput>,
) -> Result<web::Json<PriceReport>, Problem> {
    let zone = zone(input.timezone.as_deref(), "body", "$.timezone")?.unwrap_or(chrono_tz::UTC);
    let tariff = read_tariff(&input.tariff, query.version)?;
    let charge = SimulatedCharge {
        from: input.from,
        to: input.to,
        energy: input.energy_kwh,
        power_kw: input.max_power_kw,
        current_a: input.max_current_a,
    };
    let priced = move || -> Result<PriceReport, SimulationError> {
        let policy = PricingPolicy::default();
        let tariffs = Tariffs::new([&tariff.value], policy)?;
        let running = charge.price(&tariffs, zone)?;
        Ok(PriceReport::new(running.explain(&tariffs)?, zone, &policy)?.with_warnings(tariff.warnings))
    };
    let report = off_thread(priced).await?;
    report.map(web::Json).map_err(|error| Problem::bad("body", "$", error.to_string()))
}

/// Prices a CDR from its periods and tariffs
///
/// It may lack what the price does not depend on: ids, the token, details of the place. It is not stored.
///
/// # Errors
/// 400 with every place for which it cannot be priced.
#[utoipa::path(
    post, path = "/api/v1/pricing/cdrs/price", tag = "pricing", params(CdrPriceQuery),
    request_body(content = Object, description = "An OCPI CDR", content_type = "application/json"),
    responses((status = 200, description = "What it costs and why", body = PriceReport))
)]
pub async fn price_cdr(
    _caller: Read,
    Strict(query): Strict<CdrPriceQuery>,
    Body(body): Body<Value>,
) -> Result<web::Json<PriceReport>, Problem> {
    let version = query.version.unwrap_or_default();
    let zone = zone(query.timezone.as_deref(), "query", "timezone")?;
    let cdr = read::cdr(&body, version).map_err(|findings| {
        bad_findings(format!("the body is no OCPI {version} CDR that can be priced"), findings)
    })?;
    let priced = move || {
        let report = PriceReport::of_cdr(&cdr.value, None, zone, &PricingPolicy::default());
        report.map(|report| report.with_warnings(cdr.warnings))
    };
    let report = off_thread(priced).await?;
    report.map(web::Json).map_err(|findings| bad_findings("the CDR cannot be priced".to_owned(), findings))
}
