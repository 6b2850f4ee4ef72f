//! Tariffs that come with the request and are not stored: advice on them, and what they say in words.

use super::auth::Read;
use super::input::{Body, Parameters, Strict};
use crate::domain::tariff::Tariff;
use crate::pricing::Finding;
use crate::pricing::describe::{Description, Language, Line, describe};
use crate::pricing::lint::{Advice, lint};
use crate::pricing::read::{self, OcpiVersion, Readable};
use crate::web::problem::Problem;
use actix_web::web;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;
use utoipa::{IntoParams, ToSchema};

/// A place in a tariff, and what is the matter with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingView {
    /// JSON path.
    #[schema(example = "$.elements[1].restrictions.min_kwh")]
    path: String,
    /// What is the matter.
    reason: String,
}

impl From<Finding> for FindingView {
    fn from(Finding { path, reason }: Finding) -> Self {
        Self { path, reason }
    }
}

/// A piece of advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AdviceView {
    /// JSON path.
    #[schema(example = "$.elements[0].price_components[0].step_size")]
    path: String,
    /// `error`: it cannot be meant like this; `warning`: it probably is not; `hint`: it is worth a look.
    #[schema(example = "warning")]
    severity: &'static str,
    /// The rule, as in the documentation.
    #[schema(example = "step-size-above-one")]
    rule: &'static str,
    /// What is the matter.
    reason: String,
    /// What to do.
    advice: String,
}

impl From<Advice> for AdviceView {
    fn from(Advice { path, severity, rule, reason, advice }: Advice) -> Self {
        Self { path, severity: severity.as_str(), rule, reason, advice }
    }
}

/// What was found in a tariff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LintView {
    /// What could be read, but is not as specified.
    warnings: Vec<FindingView>,
    /// What the tariff says that its author hardly means; empty where there is nothing to say.
    advice: Vec<AdviceView>,
}

/// One price of a tariff in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineView {
    /// `per_kwh`, `per_minute`, `per_session` or `other`.
    #[schema(example = "per_kwh")]
    part: &'static str,
    /// The whole line.
    text: String,
    /// JSON path of the price component; missing where the line is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Per kWh, per hour or once, before VAT, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.38", format = "decimal")]
    net: Option<String>,
    /// The same after VAT, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.4522", format = "decimal")]
    gross: Option<String>,
    /// VAT in percent, where there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "19", format = "decimal")]
    vat: Option<String>,
    /// When the price applies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<String>,
    /// In which steps it is billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        let Line { part, text, path, net, gross, vat, conditions, step } = line;
        Self { part: part.as_str(), text, path, net, gross, vat, conditions, step }
    }
}

/// A tariff in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DescriptionView {
    /// ISO 639-1.
    #[schema(example = "en")]
    language: &'static str,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What a driver pays, in one sentence.
    #[schema(example = "You pay €0.38 per kWh.")]
    summary: String,
    /// Every price, in the order in which they are shown.
    lines: Vec<LineView>,
}

impl From<Description> for DescriptionView {
    fn from(description: Description) -> Self {
        let Description { language, currency, summary, lines } = description;
        let lines = lines.into_iter().map(LineView::from).collect();
        Self { language: language.as_str(), currency, summary, lines }
    }
}

/// A tariff in words, and how it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExplanationView {
    /// The words.
    #[serde(flatten)]
    description: DescriptionView,
    /// What could be read, but is not as specified.
    warnings: Vec<FindingView>,
}

/// Reads a word of a query by its own rules.
pub(super) fn parsed<'de, T, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr,
    T::Err: Display,
{
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// How a tariff is written.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VersionQuery {
    /// OCPI version in which the tariff is written: `2.1.1`, `2.2.1` or `2.3.0`.
    #[param(value_type = Option<String>, example = "2.2.1", default = "2.2.1")]
    #[serde(default, deserialize_with = "parsed")]
    pub(super) version: Option<OcpiVersion>,
}

impl Parameters for VersionQuery {
    const NAMES: &'static [&'static str] = &["version"];
}

/// In which words.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LanguageQuery {
    /// `en` or `de`.
    #[param(value_type = Option<String>, example = "en", default = "en")]
    #[serde(default, deserialize_with = "parsed")]
    language: Option<Language>,
}

impl Parameters for LanguageQuery {
    const NAMES: &'static [&'static str] = &["language"];
}

impl LanguageQuery {
    /// The language that is wanted.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language.unwrap_or_default()
    }
}

/// How a tariff is written, and in which words it is wanted.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// OCPI version in which the tariff is written: `2.1.1`, `2.2.1` or `2.3.0`.
    #[param(value_type = Option<String>, example = "2.2.1", default = "2.2.1")]
    #[serde(default, deserialize_with = "parsed")]
    version: Option<OcpiVersion>,
    /// `en` or `de`.
    #[param(value_type = Option<String>, example = "en", default = "en")]
    #[serde(default, deserialize_with = "parsed")]
    language: Option<Language>,
}

impl Parameters for ExplainQuery {
    const NAMES: &'static [&'static str] = &["version", "language"];
}

/// Reads the tariff of a body; every place that is wrong is told.
pub(super) fn read_tariff(body: &Value, version: Option<OcpiVersion>) -> Result<Readable<Tariff>, Problem> {
    let version = version.unwrap_or_default();
    read::tariff(body, version).map_err(|findings| {
        bad_findings(format!("the body is no OCPI {version} tariff that can be priced"), findings)
    })
}

/// A body with everything for which it cannot be priced.
pub(super) fn bad_findings(detail: String, findings: Vec<Finding>) -> Problem {
    Problem::bad_body(detail, findings.into_iter().map(|Finding { path, reason }| (path, reason)))
}

fn views(findings: Vec<Finding>) -> Vec<FindingView> {
    findings.into_iter().map(FindingView::from).collect()
}

/// Computes off the threads that answer requests: a large tariff takes its time.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    web::block(work).await.map_err(|error| Problem::internal(&error))
}

/// A tariff in words.
///
/// # Errors
/// When the program is being stopped.
pub(super) async fn described(tariff: Tariff, language: Language) -> Result<DescriptionView, Problem> {
    off_thread(move || describe(&tariff, language).into()).await
}

/// Looks for mistakes in a tariff
///
/// Elements that never apply, elements that get in each other's way, steps and limits that surprise a driver, prices
/// that cannot be displayed as the law of the European Union wants it. The tariff is not stored.
///
/// # Errors
/// 400 with every place that cannot be read.
#[utoipa::path(
    post, path = "/api/v1/pricing/tariffs/lint", tag = "pricing", params(VersionQuery),
    request_body(content = Object, description = "An OCPI tariff", content_type = "application/json"),
    responses((status = 200, description = "The advice", body = LintView))
)]
pub async fn lint_tariff(
    _caller: Read,
    Strict(query): Strict<VersionQuery>,
    Body(body): Body<Value>,
) -> Result<web::Json<LintView>, Problem> {
    let Readable { value, warnings } = read_tariff(&body, query.version)?;
    let advice = off_thread(move || lint(&value)).await?;
    let advice = advice.into_iter().map(AdviceView::from).collect();
    Ok(web::Json(LintView { warnings: views(warnings), advice }))
}

/// Puts a tariff into words
///
/// One sentence that a driver understands, and every price in the order in which the law of the European Union wants
/// them shown: per kWh, per minute, per session, other. The tariff is not stored.
///
/// # Errors
/// 400 with every place that cannot be read.
#[utoipa::path(
    post, path = "/api/v1/pricing/tariffs/explain", tag = "pricing", params(ExplainQuery),
    request_body(content = Object, description = "An OCPI tariff", content_type = "application/json"),
    responses((status = 200, description = "The tariff in words", body = ExplanationView))
)]
pub async fn explain_tariff(
    _caller: Read,
    Strict(query): Strict<ExplainQuery>,
    Body(body): Body<Value>,
) -> Result<web::Json<ExplanationView>, Problem> {
    let Readable { value, warnings } = read_tariff(&body, query.version)?;
    let description = described(value, query.language.unwrap_or_default()).await?;
    Ok(web::Json(ExplanationView { description, warnings: views(warnings) }))
}
