//! What became of the money of ad hoc payments: holds that are open now; what was held, taken, given back, claimed back
//! and written off in a time; and whether what was taken is what the CDRs say.

use super::PaymentError;
use super::refund::goodwill;
use super::settle::due_of;
use crate::db::page::Page;
use crate::db::payment_ledger::{self as ledger, LedgerLine};
use crate::db::payment_lists::{self, PaymentFilter};
use crate::db::payments::{self, Payment};
use crate::db::{DbConn, DbError, cdrs};
use crate::domain::payment::{LedgerKind, PaymentState};
use crate::domain::{Money, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// So many lines are read at once.
const AT_ONCE: i64 = 1000;

/// How many, and how much together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CountAndSum {
    /// How many payments.
    pub payments: u64,
    /// How much together.
    #[schema(example = "120.00", format = "decimal")]
    pub sum: String,
    #[serde(skip)]
    exact: Money,
    #[serde(skip)]
    seen: BTreeSet<String>,
}

impl CountAndSum {
    fn add(&mut self, payment: &str, amount: Money) -> Result<(), DbError> {
        self.exact = self.exact.plus(amount).map_err(|why| DbError::corrupt("payments' ledger", why))?;
        self.sum = self.exact.to_string();
        if self.seen.insert(payment.to_owned()) {
            self.payments = self.payments.saturating_add(1);
        }
        Ok(())
    }
}

/// What became of the money of one party in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportRow {
    /// Who sells.
    #[schema(example = "DE*ABC")]
    pub party: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    pub currency: String,
    /// Held now, whenever that began.
    pub open: CountAndSum,
    /// Held in the time.
    pub held: CountAndSum,
    /// Taken in the time.
    pub captured: CountAndSum,
    /// Given back of what was held.
    pub released: CountAndSum,
    /// Of that, not given back after all: a terminal took it and said so late.
    pub release_undone: CountAndSum,
    /// Given back of what was taken, by us or at the provider.
    pub refunded: CountAndSum,
    /// Of that, not given back after all: drivers' banks did not take it.
    pub refund_failed: CountAndSum,
    /// Claimed back by drivers' banks.
    pub disputed: CountAndSum,
    /// No longer claimed back.
    pub dispute_won: CountAndSum,
    /// Due and not taken.
    pub written_off: CountAndSum,
    /// No longer due after all, of what was written off.
    pub write_off_undone: CountAndSum,
}

/// A payment that does not tie to its CDR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TieDifference {
    /// The payment.
    pub payment: String,
    /// Its CDR, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdr: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// What the CDR that counts now says, tax included.
    #[schema(format = "decimal")]
    pub due: String,
    /// What was taken.
    #[schema(format = "decimal")]
    pub captured: String,
    /// What was given back of that since the CDR asked for it.
    #[schema(format = "decimal")]
    pub refunded: String,
    /// What operators gave back of themselves.
    #[schema(format = "decimal")]
    pub goodwill: String,
    /// What was due and not taken.
    #[schema(format = "decimal")]
    pub written_off: String,
    /// Due less taken, plus given back, less written off: what nothing explains.
    #[schema(format = "decimal")]
    pub difference: String,
    /// In words.
    pub why: String,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// From when, inclusive; missing means from the first on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// Until when, exclusive; missing means until now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// By party and currency.
    pub rows: Vec<ReportRow>,
    /// How many payments of which something was taken or written off in the time tie to their CDR.
    pub tied: u64,
    /// Those that do not.
    pub differences: Vec<TieDifference>,
}

#[derive(Default)]
struct Sums {
    open: CountAndSum,
    by_kind: BTreeMap<&'static str, CountAndSum>,
}

/// Makes the report of a time.
///
/// # Errors
/// When the database fails.
pub fn report(
    conn: &mut DbConn,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Report, PaymentError> {
    let mut sums: BTreeMap<(String, String), Sums> = BTreeMap::new();
    let mut accounted: BTreeSet<String> = BTreeSet::new();
    let mut behind = 0;
    loop {
        let lines = ledger::within(conn, from, to, behind, AT_ONCE)?;
        let Some(last) = lines.last() else { break };
        behind = last.seq;
        for LedgerLine { payment_id, country_code, party_id, kind, amount, currency, .. } in lines {
            let sums = sums.entry((format!("{country_code}*{party_id}"), currency)).or_default();
            sums.by_kind.entry(kind.as_str()).or_default().add(&payment_id, amount)?;
            if matches!(kind, LedgerKind::Captured | LedgerKind::WrittenOff) {
                accounted.insert(payment_id);
            }
        }
    }
    for state in PaymentState::ALL.iter().filter(|state| state.may_hold_money()) {
        let filter = PaymentFilter { state: Some(*state), ..PaymentFilter::default() };
        let mut page = Page::first(AT_ONCE);
        loop {
            let slice = payment_lists::list(conn, &filter, page)?;
            for payment in &slice.items {
                let open = payment.held.minus(payment.captured)?.minus(payment.released)?;
                if open > Money::ZERO {
                    let party = payment.party()?.to_string();
                    sums.entry((party, payment.currency.clone())).or_default().open.add(&payment.id, open)?;
                }
            }
            if slice.items.is_empty() {
                break;
            }
            page = page.next();
        }
    }
    let (mut tied, mut differences) = (0_u64, Vec::new());
    for id in accounted {
        let Some(payment) = payments::find(conn, &id)? else { continue };
        match tie(conn, &payment)? {
            None => tied = tied.saturating_add(1),
            Some(difference) => differences.push(difference),
        }
    }
    let rows = sums.into_iter().map(|((party, currency), mut sums)| {
        let mut of = |kind: LedgerKind| whole(sums.by_kind.remove(kind.as_str()).unwrap_or_default());
        ReportRow {
            party,
            currency,
            held: of(LedgerKind::Held),
            captured: of(LedgerKind::Captured),
            released: of(LedgerKind::Released),
            release_undone: of(LedgerKind::ReleaseUndone),
            refunded: of(LedgerKind::Refunded),
            refund_failed: of(LedgerKind::RefundFailed),
            disputed: of(LedgerKind::Disputed),
            dispute_won: of(LedgerKind::DisputeWon),
            written_off: of(LedgerKind::WrittenOff),
            write_off_undone: of(LedgerKind::WriteOffUndone),
            open: whole(sums.open),
        }
    });
    Ok(Report { from, to, rows: rows.collect(), tied, differences })
}

/// Without what was only needed to count.
fn whole(sum: CountAndSum) -> CountAndSum {
    let shown = if sum.sum.is_empty() { "0".to_owned() } else { sum.sum };
    CountAndSum { sum: shown, seen: BTreeSet::new(), ..sum }
}

/// What does not tie between a payment and its CDR.
fn tie(conn: &mut DbConn, payment: &Payment) -> Result<Option<TieDifference>, PaymentError> {
    let counted = payment.cdr_seq.map(|seq| due_of(conn, seq)).transpose()?;
    let due = match counted {
        Some((_, due)) => super::minor::payable(due, &payment.currency)?,
        None => payment.details.0.due.unwrap_or_default(),
    };
    let cdr = match counted {
        Some((seq, _)) => cdrs::at(conn, seq)?.map(|kept| kept.cdr.id.to_string()),
        None => None,
    };
    let goodwill = goodwill(conn, payment)?;
    let refunded = payment.refunded.minus(goodwill)?;
    let kept = payment.captured.minus(refunded)?;
    let mut difference = due.minus(kept)?.minus(payment.written_off)?;
    if difference < Money::ZERO {
        // What operators gave back of themselves is not given back a second time.
        difference = difference.plus(goodwill)?.min(Money::ZERO);
    }
    let overdrawn = payment.captured > payment.held;
    let nothing_kept = payment.captured == payment.refunded;
    if difference.is_zero() && !overdrawn && (counted.is_some() || nothing_kept) {
        return Ok(None);
    }
    let why = if overdrawn {
        "more was taken than was held"
    } else if counted.is_none() {
        "there is no CDR"
    } else if difference > Money::ZERO {
        "less was taken than is due"
    } else {
        "more was taken than is due"
    };
    Ok(Some(TieDifference {
        payment: payment.id.clone(),
        cdr,
        currency: payment.currency.clone(),
        due: due.to_string(),
        captured: payment.captured.to_string(),
        refunded: refunded.to_string(),
        goodwill: goodwill.to_string(),
        written_off: payment.written_off.to_string(),
        difference: difference.to_string(),
        why: why.to_owned(),
    }))
}
