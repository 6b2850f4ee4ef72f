//! Receipts of drivers with a contract: the CDRs of their charges, with what corrected them.

use super::bill::{Bill, Taxed};
use crate::db::cdrs::{self, NumberedCdr};
use crate::db::{DbConn, DbResult, drivers};
use crate::domain::CiString;
use crate::domain::cdr::Cdr;
use crate::domain::party::PartyId;
use crate::domain::token::TokenKey;

/// How the account of a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptState {
    /// One CDR, and it counts.
    Final,
    /// It was taken back, and another one counts.
    Corrected,
    /// It was taken back, and nothing is to be paid.
    Credited,
}

impl ReceiptState {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Final => "FINAL",
            Self::Corrected => "CORRECTED",
            Self::Credited => "CREDITED",
        }
    }
}

/// A CDR with its bill.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The CDR.
    pub cdr: Cdr,
    /// What it costs; none where its amounts are out of range.
    pub bill: Option<Bill>,
}

/// The account of a charge.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// How it stands.
    pub state: ReceiptState,
    /// The CDRs in their order; the last that is no credit is the one that counts.
    pub documents: Vec<Document>,
    /// What is to be paid in all; none where currencies differ or amounts are out of range.
    pub total: Option<Taxed>,
}

/// Whether a CDR or session is of one of these tokens.
#[must_use]
pub fn is_of(
    tokens: &[TokenKey],
    party: Option<&PartyId>,
    uid: &CiString,
    kind: &crate::domain::token::TokenType,
) -> bool {
    tokens.iter().any(|token| Some(&token.party) == party && token.uid == *uid && token.token_type == *kind)
}

/// The account of a session of a driver; none as long as there is no CDR, or where it is not the driver's.
///
/// # Errors
/// When the database fails.
pub fn receipt_of(
    conn: &mut DbConn,
    driver_id: &str,
    party: &PartyId,
    session: &CiString,
) -> DbResult<Option<Receipt>> {
    let tokens = drivers::token_keys(conn, driver_id)?;
    let found = cdrs::of_session(conn, party, session)?;
    let own = found.into_iter().map(|numbered| numbered.cdr).filter(|cdr| {
        let token = &cdr.cdr_token;
        is_of(&tokens, token.party.as_ref(), &token.uid, &token.token_type)
    });
    let documents: Vec<Document> = own.map(|cdr| Document { bill: Bill::of_cdr(&cdr), cdr }).collect();
    Ok((!documents.is_empty()).then(|| account(documents)))
}

fn account(documents: Vec<Document>) -> Receipt {
    let is_credit = |document: &&Document| document.cdr.credit.unwrap_or(false);
    let credits = documents.iter().filter(is_credit).count();
    let bills = documents.len() - credits;
    let state = match (credits, bills) {
        (0, _) => ReceiptState::Final,
        (taken_back, bills) if bills > taken_back => ReceiptState::Corrected,
        _ => ReceiptState::Credited,
    };
    let currency = documents.first().map(|document| document.cdr.currency.clone());
    let mut total: Option<Taxed> = None;
    for document in &documents {
        let bill = document.bill.as_ref().filter(|bill| Some(&bill.currency) == currency.as_ref());
        let Some(bill) = bill else { return Receipt { state, documents, total: None } };
        let next = match total {
            None => Some(bill.total),
            Some(total) => total.plus(bill.total),
        };
        match next {
            Some(next) => total = Some(next),
            None => return Receipt { state, documents, total: None },
        }
    }
    Receipt { state, documents, total }
}

/// The CDRs of a driver behind a place in the order of creation, the newest first.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, driver_id: &str, before: i64, limit: i64) -> DbResult<Vec<NumberedCdr>> {
    let tokens = drivers::token_keys(conn, driver_id)?;
    cdrs::of_tokens(conn, &tokens, before, limit)
}
