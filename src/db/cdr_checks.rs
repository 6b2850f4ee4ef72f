//! What came out when CDRs were priced again, and what people decided about it.
//!
//! A check that found nothing leaves no row, unless somebody has decided about the CDR.

use super::portable::PortableExt;
use super::schema::cdr_checks;
use super::types::Json;
use super::{DbConn, DbError, DbResult};
use crate::domain::Timestamp;
use crate::pricing::{Check, CheckState, Difference, Finding};
use diesel::prelude::*;

/// What people decided about a CDR that differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DisputeState {
    /// Nothing yet.
    #[default]
    Open,
    /// The partner is to correct it.
    Disputed,
    /// It is taken as it is.
    Accepted,
}

impl DisputeState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Disputed, Self::Accepted];

    /// The word by which programs and the database know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Disputed => "disputed",
            Self::Accepted => "accepted",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Who decided what, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dispute {
    /// What.
    pub state: DisputeState,
    /// Why.
    pub note: Option<String>,
    /// Who.
    pub by: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
}

/// A check as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCheck {
    /// What came out.
    pub check: Check,
    /// When it was last checked.
    pub checked_at: Timestamp,
    /// What was decided.
    pub dispute: Dispute,
}

type Row = (
    String,
    Json<Vec<Difference>>,
    Json<Vec<Finding>>,
    Timestamp,
    String,
    Option<String>,
    Option<String>,
    Option<Timestamp>,
);

/// The check of a CDR, where there is a row.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, seq: i64) -> DbResult<Option<KeptCheck>> {
    let row: Option<Row> = cdr_checks::table
        .find(seq)
        .select((
            cdr_checks::state,
            cdr_checks::differences,
            cdr_checks::warnings,
            cdr_checks::checked_at,
            cdr_checks::dispute,
            cdr_checks::dispute_note,
            cdr_checks::dispute_by,
            cdr_checks::dispute_at,
        ))
        .first(conn)
        .optional()?;
    let Some((state, differences, warnings, checked_at, dispute, note, by, at)) = row else {
        return Ok(None);
    };
    let unknown = |word: &str| DbError::corrupt("check of a CDR", format!("'{word}' is no state"));
    let state = CheckState::named(&state).ok_or_else(|| unknown(&state))?;
    let decided = DisputeState::named(&dispute).ok_or_else(|| unknown(&dispute))?;
    Ok(Some(KeptCheck {
        check: Check { state, differences: differences.0, warnings: warnings.0 },
        checked_at,
        dispute: Dispute { state: decided, note, by, at },
    }))
}

/// The CDRs behind one place in the order of creation, up to and with another, that have a row.
///
/// # Errors
/// When the database fails.
pub fn known_between(conn: &mut DbConn, behind: i64, up_to: i64) -> DbResult<Vec<i64>> {
    Ok(cdr_checks::table
        .filter(cdr_checks::cdr_seq.gt(behind))
        .filter(cdr_checks::cdr_seq.le(up_to))
        .select(cdr_checks::cdr_seq)
        .load(conn)?)
}

/// Keeps what came out of a check. One that found nothing removes the row, unless somebody decided about it.
///
/// # Errors
/// When the database fails.
pub fn keep(conn: &mut DbConn, seq: i64, check: &Check, now: Timestamp) -> DbResult<()> {
    if check.state == CheckState::Ok {
        let undecided = cdr_checks::dispute.eq(DisputeState::Open.as_str());
        diesel::delete(cdr_checks::table.find(seq).filter(undecided)).execute(conn)?;
        diesel::update(cdr_checks::table.find(seq))
            .set((
                cdr_checks::state.eq(check.state.as_str()),
                cdr_checks::differences.eq(Json(check.differences.clone())),
                cdr_checks::warnings.eq(Json(check.warnings.clone())),
                cdr_checks::checked_at.eq(now),
            ))
            .execute(conn)?;
        return Ok(());
    }
    write(conn, seq, check, now)
}

/// Writes the row of a CDR, whatever came out.
fn write(conn: &mut DbConn, seq: i64, check: &Check, now: Timestamp) -> DbResult<()> {
    let (differences, warnings) = (Json(check.differences.clone()), Json(check.warnings.clone()));
    diesel::insert_into(cdr_checks::table)
        .values((
            cdr_checks::cdr_seq.eq(seq),
            cdr_checks::state.eq(check.state.as_str()),
            cdr_checks::differences.eq(&differences),
            cdr_checks::warnings.eq(&warnings),
            cdr_checks::checked_at.eq(now),
            cdr_checks::dispute.eq(DisputeState::Open.as_str()),
        ))
        .on_conflict(cdr_checks::cdr_seq)
        .do_update()
        .set((
            cdr_checks::state.eq(check.state.as_str()),
            cdr_checks::differences.eq(&differences),
            cdr_checks::warnings.eq(&warnings),
            cdr_checks::checked_at.eq(now),
        ))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// Keeps what was decided about a CDR, with what came out of its check.
///
/// # Errors
/// When the database fails.
pub fn decide(conn: &mut DbConn, seq: i64, check: &Check, dispute: &Dispute, now: Timestamp) -> DbResult<()> {
    write(conn, seq, check, now)?;
    diesel::update(cdr_checks::table.find(seq))
        .set((
            cdr_checks::dispute.eq(dispute.state.as_str()),
            cdr_checks::dispute_note.eq(&dispute.note),
            cdr_checks::dispute_by.eq(&dispute.by),
            cdr_checks::dispute_at.eq(dispute.at),
        ))
        .execute(conn)?;
    Ok(())
}
