//! Corrections of our CDRs (OCPI 2.2.1 mod_cdrs, "Credit CDRs"). A CDR never changes: a credit CDR takes it back, and
//! a new one may take its place. Both are written with the reason in one transaction, and both go to the eMSP.
//!
//! The credit CDR holds all data of the original; its `total_cost` is negative, its id, `credit`,
//! `credit_reference_id`, `remark` (the reason) and `last_updated` are its own. The new CDR has the id of no other, none
//! of the credit fields, and is priced by us from its periods: nothing but periods, times and tariffs can differ from
//! the original. The signed meter values stay as they were, for they are what the meter said.

use super::ChargingError;
use crate::app::policy_of;
use crate::clock::Clock;
use crate::config::PricingConfig;
use crate::db::cdr_credits::{self, Credit};
use crate::db::cdrs::{self, KeptCdr};
use crate::db::changes::{self, ObjectKey};
use crate::db::{Db, DbConn, DbError, DbResult};
use crate::domain::cdr::Cdr;
use crate::domain::charging_period::{CdrDimensionType, ChargingPeriod};
use crate::domain::partner::ModuleId;
use crate::domain::party::{PartyId, Role};
use crate::domain::tariff::Price;
use crate::domain::{CiString, Kwh, Money, Timestamp};
use crate::pricing::read::StatedCdr;
use crate::pricing::{CdrToPrice, PricingError, PricingPolicy, PricingRecord, price_cdr};
use chrono::TimeDelta;
use rust_decimal::Decimal;

/// Our ids have at most so many characters, since invoice reconciliation allows no more.
const LONGEST_ID: usize = 36;
/// Characters of `remark` (OCPI 2.2.1 mod_cdrs, "CDR Object").
const LONGEST_REASON: usize = 255;
/// Decimals of corrected energy: whole Wh.
const WH: u32 = 3;

/// What takes the place of a CDR that is taken back.
#[derive(Debug, Clone)]
pub enum Replacement {
    /// Nothing.
    None,
    /// The same charge, priced anew.
    Reprice,
    /// The same charge with so much energy in all, spread over the periods as it was.
    Kwh(Kwh),
    /// The periods, times and tariffs of an edited document.
    Document(Box<StatedCdr>),
}

/// A correction as it is asked for.
#[derive(Debug, Clone)]
pub struct Correction {
    /// Whose CDR.
    pub party: PartyId,
    /// Which CDR.
    pub id: CiString,
    /// Why; the partner reads it.
    pub reason: String,
    /// Who asks.
    pub by: String,
    /// What takes its place.
    pub replacement: Replacement,
}

/// A correction that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// The credit CDR.
    pub credit: Cdr,
    /// The CDR in place of the original.
    pub replacement: Option<Cdr>,
}

/// Why a CDR is not corrected. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CorrectionError {
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
    /// It is a partner's.
    #[error("the CDR {0} is a partner's: only its owner can credit it (dispute it instead)")]
    Theirs(CiString),
    /// It takes another back.
    #[error("the CDR {0} is a credit CDR, which cannot be credited")]
    IsCredit(CiString),
    /// It was taken back before.
    #[error("the CDR {id} was credited before{by}; a CDR is credited once")]
    Credited {
        /// Its id.
        id: CiString,
        /// By which credit CDR, in words.
        by: String,
    },
    /// The reason cannot be sent.
    #[error("a reason of 1 to {LONGEST_REASON} characters is wanted, for the partner reads it")]
    Reason,
    /// The document is no replacement.
    #[error("{0}")]
    Document(String),
    /// The replacement cannot be priced.
    #[error("the replacement cannot be priced: {0}")]
    Pricing(#[from] PricingError),
}

impl From<ChargingError> for CorrectionError {
    fn from(error: ChargingError) -> Self {
        match error {
            ChargingError::Db(error) => Self::Db(error),
            other => Self::Document(other.to_string()),
        }
    }
}

/// Takes a CDR of ours back, and puts another in its place where that is asked for.
///
/// # Errors
/// When the CDR cannot be credited, the replacement cannot be priced, or the database fails.
pub async fn correct(
    db: &Db,
    clock: &Clock,
    config: &PricingConfig,
    correction: Correction,
) -> Result<Corrected, CorrectionError> {
    let reason = correction.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(CorrectionError::Reason);
    }
    let correction = Correction { reason, ..correction };
    let (clock, policy) = (clock.clone(), policy_of(config));
    // Made outside, so that a write that runs twice makes the same.
    let ids = [(); 2].map(|()| CiString::from(uuid::Uuid::new_v4().to_string()));
    db.write(move |conn| write(conn, &correction, &policy, &ids, clock.now())).await
}

fn write(
    conn: &mut DbConn,
    correction: &Correction,
    policy: &PricingPolicy,
    [spare_id, new_id]: &[CiString; 2],
    now: Timestamp,
) -> Result<Corrected, CorrectionError> {
    let original = creditable(conn, correction)?;
    let credit = credit_of(&original.cdr, credit_id(conn, &original.cdr, spare_id)?, &correction.reason, now);
    let record = original.record.as_ref().map(PricingRecord::to_json);
    let credit_seq = insert(conn, &credit, record.as_deref(), now)?;
    let replacement = replacement_of(conn, &original, &correction.replacement, policy, new_id, now)?;
    let mut replacement_seq = None;
    if let Some((cdr, record)) = &replacement {
        // A moment later, since the partner has to hear of the credit CDR first.
        let after = now.plus(TimeDelta::milliseconds(1));
        replacement_seq = Some(insert(conn, cdr, Some(&record.to_json()), after)?);
    }
    let link = Credit {
        credit_seq,
        party: original.cdr.party.clone(),
        reference_id: Some(original.cdr.id.key()),
        cdr_seq: Some(original.seq),
        replacement_seq,
        reason: correction.reason.clone(),
        made_by: correction.by.clone(),
        made_at: now,
    };
    cdr_credits::insert(conn, &link).map_err(|error| {
        if error.is_unique_violation() {
            return CorrectionError::Credited { id: original.cdr.id.clone(), by: String::new() };
        }
        error.into()
    })?;
    Ok(Corrected { credit, replacement: replacement.map(|(cdr, _)| cdr) })
}

/// The CDR that is to be taken back, if it can be.
fn creditable(conn: &mut DbConn, correction: &Correction) -> Result<KeptCdr, CorrectionError> {
    let Correction { party, id, .. } = correction;
    let unknown = || CorrectionError::Unknown { party: party.clone(), id: id.clone() };
    let original = cdrs::find_kept(conn, party, id)?.ok_or_else(unknown)?;
    if original.partner_id.is_some() {
        return Err(CorrectionError::Theirs(id.clone()));
    }
    if original.cdr.credit == Some(true) {
        return Err(CorrectionError::IsCredit(id.clone()));
    }
    if let Some(credit) = cdr_credits::of_cdr(conn, original.seq)? {
        let by = cdrs::at(conn, credit.credit_seq)?.map(|kept| format!(" by {}", kept.cdr.id));
        return Err(CorrectionError::Credited { id: id.clone(), by: by.unwrap_or_default() });
    }
    Ok(original)
}

/// The original's id with `-C`, as the specification proposes, where that is short enough and not taken.
fn credit_id(conn: &mut DbConn, original: &Cdr, spare: &CiString) -> DbResult<CiString> {
    let id = CiString::from(format!("{}-C", original.id));
    let fits = id.as_str().chars().count() <= LONGEST_ID;
    let is_free = fits && cdrs::place_of(conn, &original.party, &id)?.is_none();
    Ok(if is_free { id } else { spare.clone() })
}

fn credit_of(original: &Cdr, id: CiString, reason: &str, now: Timestamp) -> Cdr {
    Cdr {
        id,
        total_cost: negative(&original.total_cost),
        remark: Some(reason.to_owned()),
        credit: Some(true),
        credit_reference_id: Some(original.id.clone()),
        last_updated: now,
        ..original.clone()
    }
}

fn negative(price: &Price) -> Price {
    // The negative of an amount within range is within range, and that of zero is zero.
    let minus = |amount: Money| Money::ZERO.minus(amount).unwrap_or_default();
    Price { excl_vat: minus(price.excl_vat), incl_vat: price.incl_vat.map(minus), extra: price.extra.clone() }
}

/// Writes a CDR of ours and marks it for the eMSP; its place in the order of creation.
fn insert(conn: &mut DbConn, cdr: &Cdr, record: Option<&str>, now: Timestamp) -> DbResult<i64> {
    cdrs::insert(conn, cdr, None, record)?;
    if let Some(emsp) = &cdr.cdr_token.party
        && let Some(partner) = changes::speaker(conn, emsp, &Role::Emsp)?
    {
        changes::mark(conn, partner, &ModuleId::Cdrs, &ObjectKey::of(&cdr.party, &cdr.id), now)?;
    }
    let seq = cdrs::place_of(conn, &cdr.party, &cdr.id)?;
    seq.ok_or_else(|| DbError::corrupt("CDR", "it is not there after it was written"))
}

/// The new CDR, and how it was priced.
fn replacement_of(
    conn: &mut DbConn,
    original: &KeptCdr,
    replacement: &Replacement,
    policy: &PricingPolicy,
    id: &CiString,
    now: Timestamp,
) -> Result<Option<(Cdr, PricingRecord)>, CorrectionError> {
    let mut cdr = original.cdr.clone();
    match replacement {
        Replacement::None => return Ok(None),
        Replacement::Reprice => (),
        Replacement::Kwh(total) => cdr.charging_periods = with_energy(cdr.charging_periods, *total)?,
        Replacement::Document(stated) => take_over(&mut cdr, stated)?,
    }
    let recorded = original.record.as_ref().and_then(|record| record.zone.parse().ok());
    let zone = match recorded {
        Some(zone) => zone,
        None => cdrs::zone_of(conn, &original.cdr)?.unwrap_or(chrono_tz::UTC),
    };
    let record = price(&mut cdr, zone, policy)?;
    cdr.id = id.clone();
    cdr.credit = None;
    cdr.credit_reference_id = None;
    cdr.last_updated = now;
    Ok(Some((cdr, record)))
}

/// Takes over what a document says of the charge and its prices.
fn take_over(cdr: &mut Cdr, stated: &StatedCdr) -> Result<(), CorrectionError> {
    if stated.credit {
        let why = "$.credit: is true; the replacement of a credited CDR is no credit CDR";
        return Err(CorrectionError::Document(why.to_owned()));
    }
    let currency = stated.currency.as_deref().unwrap_or(&cdr.currency);
    for (at, tariff) in stated.tariffs.iter().enumerate() {
        if tariff.currency != currency {
            let why =
                format!("$.tariffs[{at}].currency: is {}, and the CDR is in {currency}", tariff.currency);
            return Err(CorrectionError::Document(why));
        }
    }
    cdr.currency = currency.to_owned();
    cdr.start_date_time = stated.start;
    cdr.end_date_time = stated.end;
    cdr.tariffs = stated.tariffs.clone();
    cdr.charging_periods = stated.periods.clone();
    Ok(())
}

/// Prices a CDR from its periods and writes the amounts into it.
fn price(
    cdr: &mut Cdr,
    zone: chrono_tz::Tz,
    policy: &PricingPolicy,
) -> Result<PricingRecord, CorrectionError> {
    let cost = price_cdr(
        &CdrToPrice {
            start: cdr.start_date_time,
            end: cdr.end_date_time,
            zone,
            tariffs: &cdr.tariffs,
            periods: &cdr.charging_periods,
        },
        policy,
    )?;
    cdr.total_cost = cost.total;
    cdr.total_fixed_cost = cost.fixed;
    cdr.total_energy = cost.total_energy;
    cdr.total_energy_cost = cost.energy;
    cdr.total_time = cost.total_time;
    cdr.total_time_cost = cost.time;
    cdr.total_parking_time = Some(cost.total_parking_time);
    cdr.total_parking_cost = cost.parking;
    cdr.total_reservation_cost = cost.reservation;
    let zone = zone.name().to_owned();
    Ok(PricingRecord { policy: *policy, zone, warnings: cost.warnings, interpolated: Vec::new() })
}

/// The periods with so much energy in all: each keeps its share, in whole Wh, and the last one has the rest. A charge
/// without energy has all of it in its last period.
fn with_energy(mut periods: Vec<ChargingPeriod>, total: Kwh) -> Result<Vec<ChargingPeriod>, CorrectionError> {
    let wrong = || CorrectionError::Document("the energy cannot be spread over the periods".to_owned());
    let mut volumes: Vec<&mut Decimal> = periods
        .iter_mut()
        .flat_map(|period| &mut period.dimensions)
        .filter(|dimension| dimension.dimension == CdrDimensionType::Energy)
        .map(|dimension| &mut dimension.volume)
        .collect();
    let before = volumes.iter().try_fold(Decimal::ZERO, |sum, volume| sum.checked_add(**volume));
    let before = before.ok_or_else(wrong)?;
    let mut rest = total.decimal();
    let Some(last) = volumes.pop() else {
        let why = "$.charging_periods: no period has ENERGY; give a whole document instead";
        return Err(CorrectionError::Document(why.to_owned()));
    };
    for volume in volumes {
        let share = if before.is_zero() {
            Decimal::ZERO
        } else {
            let whole = volume.checked_mul(total.decimal()).ok_or_else(wrong)?;
            whole.checked_div(before).ok_or_else(wrong)?.round_dp(WH).normalize()
        };
        *volume = share;
        rest = rest.checked_sub(share).ok_or_else(wrong)?;
    }
    *last = rest.normalize();
    Ok(periods)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn periods(volumes: &[&str]) -> Vec<ChargingPeriod> {
        let one = |volume: &&str| {
            format!(
                r#"{{"start_date_time": "2026-01-01T00:00:00Z", "dimensions": [
                    {{"type": "TIME", "volume": 1}}, {{"type": "ENERGY", "volume": {volume}}}]}}"#
            )
        };
        let list: Vec<String> = volumes.iter().map(one).collect();
        serde_json::from_str(&format!("[{}]", list.join(","))).unwrap()
    }

    fn energy(periods: &[ChargingPeriod]) -> Vec<String> {
        periods.iter().map(|period| period.dimensions[1].volume.to_string()).collect()
    }

    #[test]
    fn energy_keeps_its_shares_and_its_sum() {
        let spread = |volumes: &[&str], total: &str| {
            energy(&with_energy(periods(volumes), total.parse().unwrap()).unwrap())
        };
        assert_eq!(spread(&["10"], "7.5"), ["7.5"]);
        assert_eq!(spread(&["10", "20", "0"], "10"), ["3.333", "6.667", "0"]);
        assert_eq!(spread(&["0", "0"], "4"), ["0", "4"]);
        assert!(with_energy(Vec::new(), Kwh::ZERO).is_err());
    }
}
