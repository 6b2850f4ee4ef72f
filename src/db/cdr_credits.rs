//! Which CDR takes back which (OCPI 2.2.1 mod_cdrs, "Credit CDRs"), why, who made it and when.

use super::schema::cdr_credits;
use super::{DbConn, DbResult};
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;

/// A credit CDR and what it is about. CDRs are named by their places in the order of creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The credit CDR.
    pub credit_seq: i64,
    /// Whose CDRs they are.
    pub party: PartyId,
    /// The CDR that it names, folded; missing where it names none.
    pub reference_id: Option<String>,
    /// The CDR that it takes back; missing as long as that is not known here.
    pub cdr_seq: Option<i64>,
    /// The new CDR in its place, where we made one.
    pub replacement_seq: Option<i64>,
    /// Why.
    pub reason: String,
    /// Who.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
}

type Row = (i64, String, String, Option<String>, Option<i64>, Option<i64>, String, String, Timestamp);

fn credit(
    (credit_seq, country, party, reference_id, cdr_seq, replacement_seq, reason, made_by, made_at): Row,
) -> DbResult<Credit> {
    let party =
        PartyId::new(&country, &party).map_err(|error| super::DbError::corrupt("credit of a CDR", error))?;
    Ok(Credit { credit_seq, party, reference_id, cdr_seq, replacement_seq, reason, made_by, made_at })
}

/// Writes which CDR a credit CDR takes back.
///
/// # Errors
/// When the CDR was taken back before (a unique violation), or the database fails.
pub fn insert(conn: &mut DbConn, credit: &Credit) -> DbResult<()> {
    diesel::insert_into(cdr_credits::table)
        .values((
            cdr_credits::credit_seq.eq(credit.credit_seq),
            cdr_credits::country_code.eq(credit.party.country_code()),
            cdr_credits::party_id.eq(credit.party.party_id()),
            cdr_credits::reference_id.eq(&credit.reference_id),
            cdr_credits::cdr_seq.eq(credit.cdr_seq),
            cdr_credits::replacement_seq.eq(credit.replacement_seq),
            cdr_credits::reason.eq(&credit.reason),
            cdr_credits::made_by.eq(&credit.made_by),
            cdr_credits::made_at.eq(credit.made_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Tells which CDR a credit CDR takes back, now that it is known.
///
/// # Errors
/// When the database fails.
pub fn link(conn: &mut DbConn, credit_seq: i64, cdr_seq: i64) -> DbResult<()> {
    diesel::update(cdr_credits::table.find(credit_seq))
        .set(cdr_credits::cdr_seq.eq(cdr_seq))
        .execute(conn)?;
    Ok(())
}

/// What a credit CDR is about.
///
/// # Errors
/// When the database fails.
pub fn of_credit(conn: &mut DbConn, credit_seq: i64) -> DbResult<Option<Credit>> {
    let row: Option<Row> = cdr_credits::table.find(credit_seq).first(conn).optional()?;
    row.map(credit).transpose()
}

/// What took a CDR back, if anything did.
///
/// # Errors
/// When the database fails.
pub fn of_cdr(conn: &mut DbConn, cdr_seq: i64) -> DbResult<Option<Credit>> {
    let row: Option<Row> =
        cdr_credits::table.filter(cdr_credits::cdr_seq.eq(cdr_seq)).first(conn).optional()?;
    row.map(credit).transpose()
}

/// The credit in which a CDR is the new one.
///
/// # Errors
/// When the database fails.
pub fn of_replacement(conn: &mut DbConn, seq: i64) -> DbResult<Option<Credit>> {
    let row: Option<Row> =
        cdr_credits::table.filter(cdr_credits::replacement_seq.eq(seq)).first(conn).optional()?;
    row.map(credit).transpose()
}

/// The first credit CDR that waits for a CDR of that id.
///
/// # Errors
/// When the database fails.
pub fn waiting_for(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<Credit>> {
    let row: Option<Row> = cdr_credits::table
        .filter(cdr_credits::country_code.eq(party.country_code()))
        .filter(cdr_credits::party_id.eq(party.party_id()))
        .filter(cdr_credits::reference_id.eq(id.key()))
        .filter(cdr_credits::cdr_seq.is_null())
        .order(cdr_credits::credit_seq)
        .first(conn)
        .optional()?;
    row.map(credit).transpose()
}
