//! Corrections of our CDRs: a credit CDR, and a new one in place of the original.

use super::auth::Settle;
use super::cdr_checks::named;
use super::cdrs::CdrView;
use super::input::{Body, Nothing, Strict};
use crate::app::{App, Event};
use crate::charging::correct::{Corrected, Correction, CorrectionError, Replacement, correct};
use crate::db::cdr_credits::{self, Credit};
use crate::db::{DbConn, DbResult, cdrs};
use crate::domain::cdr::Cdr;
use crate::domain::party::PartyId;
use crate::domain::{CiString, Kwh, Timestamp};
use crate::pricing::read::{self, OcpiVersion};
use crate::web::problem::Problem;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A correction: which CDR was taken back by which, and what came in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CorrectionView {
    /// The CDR that is taken back; missing where a partner's credit CDR names none that is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<String>,
    /// The credit CDR.
    credit: String,
    /// The CDR in place of the original, where we made one.
    #[serde(skip_serializing_if = "Option::is_none")]
    replacement: Option<String>,
    /// Why.
    reason: String,
    /// Who made it.
    made_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
}

/// A correction with the ids of its CDRs.
pub(super) struct KnownCorrection {
    credit: Credit,
    ids: [Option<String>; 3],
}

impl From<KnownCorrection> for CorrectionView {
    fn from(known: KnownCorrection) -> Self {
        let KnownCorrection { credit, ids: [original, credit_id, replacement] } = known;
        Self {
            original,
            credit: credit_id.unwrap_or_default(),
            replacement,
            reason: credit.reason,
            made_by: credit.made_by,
            made_at: credit.made_at,
        }
    }
}

/// A CDR and the correction that it is part of.
pub(super) fn with_correction(
    conn: &mut DbConn,
    party: &PartyId,
    id: &CiString,
) -> DbResult<Option<(Cdr, Option<KnownCorrection>)>> {
    let Some(kept) = cdrs::find_kept(conn, party, id)? else { return Ok(None) };
    let mut credit = cdr_credits::of_cdr(conn, kept.seq)?;
    if credit.is_none() {
        credit = cdr_credits::of_credit(conn, kept.seq)?;
    }
    if credit.is_none() {
        credit = cdr_credits::of_replacement(conn, kept.seq)?;
    }
    let Some(credit) = credit else { return Ok(Some((kept.cdr, None))) };
    let mut id_of = |seq: Option<i64>| -> DbResult<Option<String>> {
        let Some(seq) = seq else { return Ok(None) };
        Ok(cdrs::at(conn, seq)?.map(|kept| kept.cdr.id.to_string()))
    };
    let ids = [id_of(credit.cdr_seq)?, id_of(Some(credit.credit_seq))?, id_of(credit.replacement_seq)?];
    Ok(Some((kept.cdr, Some(KnownCorrection { credit, ids }))))
}

/// How a CDR is to be corrected. At most one of `replacement`, `kwh` and `reprice` says what takes its place.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditInput {
    /// Why; the partner reads it. At most 255 characters.
    #[schema(example = "Meter replaced")]
    reason: String,
    /// An edited OCPI 2.2.1 CDR: its times, periods and tariffs are taken and priced.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    replacement: Option<Value>,
    /// So much energy in all, spread over the periods as it was.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "12.5", format = "decimal")]
    kwh: Option<String>,
    /// The same charge, priced anew.
    #[serde(default)]
    reprice: bool,
}

impl CreditInput {
    fn replacement(&self) -> Result<Replacement, Problem> {
        match (&self.replacement, &self.kwh, self.reprice) {
            (None, None, false) => Ok(Replacement::None),
            (None, None, true) => Ok(Replacement::Reprice),
            (None, Some(text), false) => {
                let kwh: Kwh = text
                    .parse()
                    .map_err(|error: crate::domain::ValueError| bad("$.kwh", error.to_string()))?;
                Ok(Replacement::Kwh(kwh))
            }
            (Some(json), None, false) => {
                let read = read::cdr(json, OcpiVersion::V2_2_1).map_err(|found| {
                    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                    bad("$.replacement", found.join("; "))
                })?;
                Ok(Replacement::Document(Box::new(read.value)))
            }
            _ => Err(bad("$", "at most one of replacement, kwh and reprice can be asked for".to_owned())),
        }
    }
}

fn bad(at: &str, detail: String) -> Problem {
    Problem::bad("body", at, detail)
}

/// The CDRs of a correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CorrectedView {
    /// The credit CDR.
    credit: CdrView,
    /// The CDR in place of the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    replacement: Option<CdrView>,
}

impl From<CorrectionError> for Problem {
    fn from(error: CorrectionError) -> Self {
        match error {
            CorrectionError::Db(error) => error.into(),
            CorrectionError::Unknown { .. } => Self::not_found(error.to_string()),
            CorrectionError::Theirs(_) | CorrectionError::IsCredit(_) | CorrectionError::Credited { .. } => {
                Self::conflict(error.to_string())
            }
            CorrectionError::Reason => bad("$.reason", error.to_string()),
            CorrectionError::Document(_) | CorrectionError::Pricing(_) => bad("$", error.to_string()),
        }
    }
}

/// Takes a CDR of ours back, and can put a corrected one in its place
///
/// A CDR never changes. A credit CDR and, where it is asked for, a new CDR are written in one step; the eMSP gets both.
///
/// # Errors
/// 404 where there is no such CDR; 409 where it is a partner's, a credit CDR, or was credited before.
#[utoipa::path(
    post, path = "/api/v1/cdrs/{party}/{id}/credit", tag = "cdrs", request_body = CreditInput,
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The CDR"),
    ),
    responses((status = 201, description = "The CDRs that were written", body = CorrectedView))
)]
pub async fn credit(
    caller: Settle,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
    Body(input): Body<CreditInput>,
) -> Result<HttpResponse, Problem> {
    let (party, id) = named(path)?;
    let replacement = input.replacement()?;
    let by = format!("API key {}", caller.0.api_key);
    let correction = Correction { party, id, reason: input.reason, by, replacement };
    let made = correct(&app.db, &app.clock, &app.config.pricing, correction).await?;
    app.wakes.delivery.notify_waiters();
    let Corrected { credit, replacement } = made;
    for cdr in std::iter::once(&credit).chain(&replacement) {
        app.wakes.tell(Event::CdrWritten(cdr.id.to_string()));
    }
    let view = CorrectedView { credit: credit.into(), replacement: replacement.map(CdrView::from) };
    Ok(HttpResponse::Created().json(view))
}
