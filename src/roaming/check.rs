//! CDRs priced again: those of partners when they come, and every one on demand. What differs is kept for people to
//! dispute; nothing is refused because of it (OCPI 2.2.1 mod_cdrs, "Push model").
//!
//! Credit CDRs find their originals here as well ("Credit CDRs"): one whose original is not known is kept and
//! reported, and is linked when the original comes.

use crate::app::policy_of;
use crate::clock::Clock;
use crate::config::PricingConfig;
use crate::db::cdr_checks::{self, Dispute, DisputeState, KeptCheck};
use crate::db::cdr_credits::{self, Credit};
use crate::db::cdrs::{self, KeptCdr};
use crate::db::{Db, DbConn, DbError, DbResult};
use crate::domain::cdr::Cdr;
use crate::domain::partner::Partner;
use crate::domain::party::PartyId;
use crate::domain::tariff::Price;
use crate::domain::{CiString, Timestamp};
use crate::pricing::check::check_whole;
use crate::pricing::{Check, CheckState, Difference, PricingPolicy, Tolerance};

/// How CDRs are checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checking {
    /// How partners' CDRs are priced where OCPI leaves it open; ours say themselves how they were.
    pub policy: PricingPolicy,
    /// How much may be off.
    pub tolerance: Tolerance,
}

impl Checking {
    /// As it is configured.
    #[must_use]
    pub fn of(config: &PricingConfig) -> Self {
        Self {
            policy: policy_of(config),
            tolerance: Tolerance {
                amount: config.verify_tolerance,
                energy: config.verify_tolerance_kwh,
                hours: config.verify_tolerance_hours,
            },
        }
    }
}

/// Prices a CDR again and compares. Changes nothing.
///
/// # Errors
/// When the database fails.
pub fn examine(conn: &mut DbConn, kept: &KeptCdr, checking: &Checking) -> DbResult<Check> {
    let recorded = kept.record.as_ref().and_then(|record| record.zone.parse().ok());
    let zone = match recorded {
        Some(zone) => Some(zone),
        None => cdrs::zone_of(conn, &kept.cdr)?,
    };
    let policy = kept.record.as_ref().map_or(checking.policy, |record| record.policy);
    let check = check_whole(&kept.cdr, zone, policy, &checking.tolerance);
    if kept.cdr.credit != Some(true) {
        return Ok(check);
    }
    Ok(check.with(examine_credit(conn, kept.seq, &kept.cdr)?))
}

/// Keeps a new CDR of a partner with what is wrong with it.
///
/// # Errors
/// When the database fails.
pub(super) fn keep_received(
    conn: &mut DbConn,
    partner: &Partner,
    cdr: &Cdr,
    checking: &Checking,
    now: Timestamp,
) -> DbResult<()> {
    cdrs::insert(conn, cdr, Some(partner.id), None)?;
    let Some(seq) = cdrs::place_of(conn, &cdr.party, &cdr.id)? else { return Ok(()) };
    let kept = KeptCdr { seq, partner_id: Some(partner.id), cdr: cdr.clone(), record: None };
    if cdr.credit == Some(true) {
        link_credit(conn, &kept, &partner.name, now)?;
    } else if let Some(waiting) = cdr_credits::waiting_for(conn, &cdr.party, &cdr.id)?
        && cdrs::at(conn, waiting.credit_seq)?.is_some_and(|credit| credit.partner_id == kept.partner_id)
    {
        cdr_credits::link(conn, waiting.credit_seq, seq)?;
        recheck(conn, waiting.credit_seq, checking, now)?;
    }
    let check = examine(conn, &kept, checking)?;
    if check.state != CheckState::Ok {
        let (state, differences) = (check.state.as_str(), check.differences.len());
        tracing::warn!(cdr = %cdr.id, party = %cdr.party, partner = partner.id, state, differences,
            "a CDR of a partner is not as its tariffs make it");
    }
    cdr_checks::keep(conn, seq, &check, now)
}

/// Checks a CDR that is here, and keeps what came out.
pub(super) fn recheck(
    conn: &mut DbConn,
    seq: i64,
    checking: &Checking,
    now: Timestamp,
) -> DbResult<Option<Check>> {
    let Some(kept) = cdrs::at(conn, seq)? else { return Ok(None) };
    let check = examine(conn, &kept, checking)?;
    cdr_checks::keep(conn, seq, &check, now)?;
    Ok(Some(check))
}

/// Writes which CDR a partner's credit CDR takes back.
fn link_credit(conn: &mut DbConn, credit: &KeptCdr, partner: &str, now: Timestamp) -> DbResult<()> {
    let cdr = &credit.cdr;
    let original = match &cdr.credit_reference_id {
        Some(id) => cdrs::find_kept(conn, &cdr.party, id)?,
        None => None,
    };
    let cdr_seq = match original {
        Some(original) if may_be_credited(conn, &original, credit.partner_id)? => Some(original.seq),
        _ => None,
    };
    let link = Credit {
        credit_seq: credit.seq,
        party: cdr.party.clone(),
        reference_id: cdr.credit_reference_id.as_ref().map(CiString::key),
        cdr_seq,
        replacement_seq: None,
        reason: cdr.remark.clone().unwrap_or_default(),
        made_by: partner.to_owned(),
        made_at: now,
    };
    cdr_credits::insert(conn, &link).map_err(|error| {
        // Another credit CDR of the same original came at the same moment: look again who was first.
        if error.is_unique_violation() { DbError::Contended } else { error }
    })
}

fn may_be_credited(conn: &mut DbConn, original: &KeptCdr, partner_id: Option<i64>) -> DbResult<bool> {
    let fits = original.cdr.credit != Some(true) && original.partner_id == partner_id;
    Ok(fits && cdr_credits::of_cdr(conn, original.seq)?.is_none())
}

/// What is wrong between a credit CDR and its original.
fn examine_credit(conn: &mut DbConn, seq: i64, credit: &Cdr) -> DbResult<Vec<Difference>> {
    const FIELD: &str = "credit_reference_id";
    let Some(id) = &credit.credit_reference_id else {
        let reason = "is missing: it is not said which CDR is taken back";
        return Ok(vec![Difference::because(FIELD, None, reason)]);
    };
    let wrong = |reason: String| Ok(vec![Difference::because(FIELD, Some(id.to_string()), reason)]);
    let linked = cdr_credits::of_credit(conn, seq)?.and_then(|link| link.cdr_seq);
    if let Some(original) = linked {
        let original = cdrs::at(conn, original)?;
        return Ok(original.map(|kept| compare_with(credit, &kept.cdr)).unwrap_or_default());
    }
    let Some(original) = cdrs::find_kept(conn, &credit.party, id)? else {
        return wrong("no CDR of that id is known here".to_owned());
    };
    if original.cdr.credit == Some(true) {
        return wrong("that is a credit CDR itself".to_owned());
    }
    let by = cdr_credits::of_cdr(conn, original.seq)?;
    let by = by.map(|other| cdrs::at(conn, other.credit_seq)).transpose()?.flatten();
    match by {
        Some(other) => wrong(format!("it was taken back before, by {}", other.cdr.id)),
        None => wrong("that CDR is not linked with this one".to_owned()),
    }
}

/// A credit CDR states the negative of what the original cost, in the same currency.
fn compare_with(credit: &Cdr, original: &Cdr) -> Vec<Difference> {
    let mut found = Vec::new();
    if !credit.currency.eq_ignore_ascii_case(&original.currency) {
        let reason = format!("{} was in {}", original.id, original.currency);
        found.push(Difference::because("currency", Some(credit.currency.clone()), reason));
    }
    let Price { excl_vat, incl_vat, extra: _ } = &original.total_cost;
    let pairs = [
        ("total_cost.excl_vat", Some(credit.total_cost.excl_vat), Some(*excl_vat)),
        ("total_cost.incl_vat", credit.total_cost.incl_vat, *incl_vat),
    ];
    for (field, stated, cost) in pairs {
        let (Some(stated), Some(cost)) = (stated, cost) else { continue };
        if stated.decimal() != -cost.decimal() {
            let mut difference = Difference::of_numbers(field, stated.decimal(), -cost.decimal());
            difference.reason = Some(format!("{} cost {cost}", original.id));
            found.push(difference);
        }
    }
    found
}

/// Why nothing can be decided about a CDR.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// There is no such CDR.
    #[error("there is no CDR {id} of {party}")]
    Unknown {
        /// Its owner.
        party: PartyId,
        /// Its id.
        id: CiString,
    },
    /// It is ours.
    #[error("the CDR {0} is ours: it is corrected by a credit CDR, not disputed")]
    Ours(CiString),
}

fn known(conn: &mut DbConn, party: &PartyId, id: &CiString) -> Result<KeptCdr, CheckError> {
    let unknown = || CheckError::Unknown { party: party.clone(), id: id.clone() };
    cdrs::find_kept(conn, party, id)?.ok_or_else(unknown)
}

/// What is known of a CDR's check: as it is kept, or, where nothing is kept, computed now.
///
/// # Errors
/// When there is no such CDR, or the database fails.
pub async fn show(
    db: &Db,
    clock: &Clock,
    checking: Checking,
    party: PartyId,
    id: CiString,
) -> Result<KeptCheck, CheckError> {
    let now = clock.now();
    db.read(move |conn| {
        let kept = known(conn, &party, &id)?;
        if let Some(check) = cdr_checks::find(conn, kept.seq)? {
            return Ok(check);
        }
        let check = examine(conn, &kept, &checking)?;
        Ok(KeptCheck { check, checked_at: now, dispute: Dispute::default() })
    })
    .await
}

/// Checks a CDR now and keeps what came out.
///
/// # Errors
/// When there is no such CDR, or the database fails.
pub async fn verify(
    db: &Db,
    clock: &Clock,
    checking: Checking,
    party: PartyId,
    id: CiString,
) -> Result<KeptCheck, CheckError> {
    let clock = clock.clone();
    db.write(move |conn| {
        let (kept, now) = (known(conn, &party, &id)?, clock.now());
        let check = examine(conn, &kept, &checking)?;
        cdr_checks::keep(conn, kept.seq, &check, now)?;
        let found = cdr_checks::find(conn, kept.seq)?;
        Ok(found.unwrap_or(KeptCheck { check, checked_at: now, dispute: Dispute::default() }))
    })
    .await
}

/// A decision about a partner's CDR.
#[derive(Debug, Clone)]
pub struct Decision {
    /// Its owner.
    pub party: PartyId,
    /// Its id.
    pub id: CiString,
    /// What was decided.
    pub state: DisputeState,
    /// Why.
    pub note: Option<String>,
    /// Who decided it.
    pub by: String,
}

/// Keeps a decision about a partner's CDR, with what came out of its check.
///
/// # Errors
/// When there is no such CDR, it is ours, or the database fails.
pub async fn decide(
    db: &Db,
    clock: &Clock,
    checking: Checking,
    decision: Decision,
) -> Result<KeptCheck, CheckError> {
    let clock = clock.clone();
    db.write(move |conn| {
        let Decision { party, id, state, note, by } = decision.clone();
        let (kept, now) = (known(conn, &party, &id)?, clock.now());
        if kept.partner_id.is_none() {
            return Err(CheckError::Ours(id));
        }
        let check = examine(conn, &kept, &checking)?;
        let dispute = Dispute { state, note, by: Some(by), at: Some(now) };
        cdr_checks::decide(conn, kept.seq, &check, &dispute, now)?;
        Ok(KeptCheck { check, checked_at: now, dispute })
    })
    .await
}
