//! CDRs priced again: what differs, what people decide about it, and why a CDR costs what it costs.

use super::auth::{Read, Settle};
use super::input::{Body, Nothing, Strict, from_path};
use crate::app::App;
use crate::db::DbError;
use crate::db::cdr_checks::{Dispute, DisputeState, KeptCheck};
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use crate::finance::explain::{Explained, explain};
use crate::pricing::{Check, CheckState, Difference, Finding};
use crate::roaming::check::{self, CheckError, Checking, Decision};
use crate::web::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What came out of a check, as far as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// Something differs.
    Differs,
    /// It cannot be priced.
    Unpriceable,
}

impl From<CheckOutcome> for CheckState {
    fn from(outcome: CheckOutcome) -> Self {
        match outcome {
            CheckOutcome::Differs => Self::Differs,
            CheckOutcome::Unpriceable => Self::Unpriceable,
        }
    }
}

/// What was decided about a CDR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DisputeView {
    /// Nothing yet.
    Open,
    /// The partner is to correct it.
    Disputed,
    /// It is taken as it is.
    Accepted,
}

impl From<DisputeView> for DisputeState {
    fn from(view: DisputeView) -> Self {
        match view {
            DisputeView::Open => Self::Open,
            DisputeView::Disputed => Self::Disputed,
            DisputeView::Accepted => Self::Accepted,
        }
    }
}

/// A field that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DifferenceView {
    /// Which.
    #[schema(example = "total_cost.excl_vat")]
    field: String,
    /// What the CDR states.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "12.50")]
    stated: Option<String>,
    /// What its tariffs and periods make.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "11.00")]
    computed: Option<String>,
    /// The one minus the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1.50")]
    difference: Option<String>,
    /// Why it is not right, where the numbers do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<Difference> for DifferenceView {
    fn from(found: Difference) -> Self {
        let Difference { field, stated, computed, difference, reason } = found;
        Self { field, stated, computed, difference, reason }
    }
}

/// Something that makes the computed price doubtful, or impossible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckWarning {
    /// JSON path in the CDR or its tariff.
    path: String,
    /// What is the matter.
    reason: String,
}

impl From<Finding> for CheckWarning {
    fn from(finding: Finding) -> Self {
        let Finding { path, reason, .. } = finding;
        Self { path, reason }
    }
}

/// A CDR that was priced again from its own tariffs and periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CheckView {
    /// `OK`, `DIFFERS` or `UNPRICEABLE`.
    #[schema(example = "DIFFERS")]
    state: &'static str,
    /// What differs by more than the tolerance.
    differences: Vec<DifferenceView>,
    /// What makes the computed price doubtful; for `UNPRICEABLE` the reasons.
    warnings: Vec<CheckWarning>,
    /// When it was checked.
    #[schema(value_type = String, format = DateTime)]
    checked_at: Timestamp,
    /// What was decided.
    dispute: DecisionView,
}

/// What was decided about a CDR, why, by whom and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DecisionView {
    /// `open`, `disputed` or `accepted`.
    #[schema(example = "open")]
    state: &'static str,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

impl From<KeptCheck> for CheckView {
    fn from(kept: KeptCheck) -> Self {
        let KeptCheck { check, checked_at, dispute } = kept;
        let Check { state, differences, warnings } = check;
        let Dispute { state: decided, note, by, at } = dispute;
        Self {
            state: state.as_str(),
            differences: differences.into_iter().map(DifferenceView::from).collect(),
            warnings: warnings.into_iter().map(CheckWarning::from).collect(),
            checked_at,
            dispute: DecisionView { state: decided.as_str(), note, by, at },
        }
    }
}

impl From<CheckError> for Problem {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Db(error) => error.into(),
            CheckError::Unknown { .. } => Self::not_found(error.to_string()),
            CheckError::Ours(_) => Self::conflict(error.to_string()),
        }
    }
}

/// The CDR that a path names.
pub(super) fn named(path: web::Path<(String, String)>) -> Result<(PartyId, CiString), Problem> {
    let (party, id) = path.into_inner();
    Ok((from_path("party", &party)?, id.into()))
}

/// Shows what came out when a CDR was priced again
///
/// What differs is kept; where nothing is kept, it is computed for this answer.
///
/// # Errors
/// 404 where there is no such CDR.
#[utoipa::path(
    get, path = "/api/v1/cdrs/{party}/{id}/check", tag = "cdrs",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The CDR"),
    ),
    responses((status = 200, description = "The check", body = CheckView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<CheckView>, Problem> {
    let (party, id) = named(path)?;
    let checking = Checking::of(&app.config.pricing);
    Ok(web::Json(check::show(&app.db, &app.clock, checking, party, id).await?.into()))
}

/// Prices a CDR again now, and keeps what differs
///
/// # Errors
/// 404 where there is no such CDR.
#[utoipa::path(
    post, path = "/api/v1/cdrs/{party}/{id}/check", tag = "cdrs",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The CDR"),
    ),
    responses((status = 200, description = "The check", body = CheckView))
)]
pub async fn verify(
    _caller: Settle,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<CheckView>, Problem> {
    let (party, id) = named(path)?;
    let checking = Checking::of(&app.config.pricing);
    Ok(web::Json(check::verify(&app.db, &app.clock, checking, party, id).await?.into()))
}

/// Why something is decided.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// For people.
    #[schema(example = "Charged twice for parking")]
    note: String,
}

async fn decide(
    app: &App,
    caller: Settle,
    path: web::Path<(String, String)>,
    note: String,
    state: DisputeState,
) -> Result<web::Json<CheckView>, Problem> {
    let (party, id) = named(path)?;
    let note = note.trim().to_owned();
    if note.is_empty() && state == DisputeState::Disputed {
        return Err(Problem::bad("body", "$.note", "is empty: say what is wrong with the CDR"));
    }
    let by = format!("API key {}", caller.0.api_key);
    let note = Some(note).filter(|note| !note.is_empty());
    let decision = Decision { party, id, state, note, by };
    let checking = Checking::of(&app.config.pricing);
    let kept = check::decide(&app.db, &app.clock, checking, decision).await?;
    Ok(web::Json(kept.into()))
}

/// Disputes a CDR of a partner
///
/// Nothing is sent: OCPI has no message for it. The partner corrects a CDR with a credit CDR and a new one.
///
/// # Errors
/// 404 where there is no such CDR, 409 where it is ours.
#[utoipa::path(
    post, path = "/api/v1/cdrs/{party}/{id}/dispute", tag = "cdrs", request_body = Note,
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The CDR"),
    ),
    responses((status = 200, description = "The check with the decision", body = CheckView))
)]
pub async fn dispute(
    caller: Settle,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
    Body(input): Body<Note>,
) -> Result<web::Json<CheckView>, Problem> {
    decide(&app, caller, path, input.note, DisputeState::Disputed).await
}

/// Accepts a CDR of a partner as it is
///
/// # Errors
/// 404 where there is no such CDR, 409 where it is ours.
#[utoipa::path(
    post, path = "/api/v1/cdrs/{party}/{id}/accept", tag = "cdrs", request_body = Note,
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The CDR"),
    ),
    responses((status = 200, description = "The check with the decision", body = CheckView))
)]
pub async fn accept(
    caller: Settle,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
    Body(input): Body<Note>,
) -> Result<web::Json<CheckView>, Problem> {
    decide(&app, caller, path, input.note, DisputeState::Accepted).await
}

/// Explains why a CDR costs what it costs, line by line
///
/// Ours with the policy and the zone that were kept when it was priced, a partner's with its own tariffs and periods.
///
/// # Errors
/// 404 where there is no such CDR, 409 where it cannot be priced.
#[utoipa::path(
    get, path = "/api/v1/cdrs/{party}/{id}/explanation", tag = "cdrs",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The CDR"),
    ),
    responses((status = 200, description = "Each line of its cost", body = Explained))
)]
pub async fn explanation(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<Explained>, Problem> {
    let (party, id) = named(path)?;
    let missing = format!("there is no CDR {id} of {party}");
    let config = app.config.pricing.clone();
    let found =
        app.db.read(move |conn| explain(conn, &config, &party, &id)).await.map_err(|error: DbError| error)?;
    let explained = found.ok_or_else(|| Problem::not_found(missing))?;
    let explained = explained.map_err(|reasons| {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        Problem::new(StatusCode::CONFLICT, format!("it cannot be priced: {}", reasons.join("; ")))
    })?;
    Ok(web::Json(explained))
}
