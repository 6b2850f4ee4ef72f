//! CDRs: written once, never changed.

use super::locations::{Owner, of_owner};
use super::page::{Page, Slice, changed_within};
use super::portable::PortableExt;
use super::schema::cdrs;
use super::sessions::token_columns;
use super::types::Json;
use super::{Backend, DbConn, DbResult};
use crate::domain::cdr::Cdr;
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;

/// Writes a CDR if none of that id is there; whether it was written.
///
/// `policy` says how it was priced, as a document; partners' CDRs have none.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, cdr: &Cdr, partner_id: Option<i64>, policy: Option<&str>) -> DbResult<bool> {
    let (token_country, token_party) = token_columns(&cdr.cdr_token);
    let written = diesel::insert_into(cdrs::table)
        .values((
            cdrs::country_code.eq(cdr.party.country_code()),
            cdrs::party_id.eq(cdr.party.party_id()),
            cdrs::id.eq(cdr.id.key()),
            cdrs::partner_id.eq(partner_id),
            cdrs::token_country.eq(token_country),
            cdrs::token_party.eq(token_party),
            cdrs::session_id.eq(cdr.session_id.as_ref().map(CiString::key)),
            cdrs::credit.eq(cdr.credit.unwrap_or(false)),
            cdrs::start_at.eq(cdr.start_date_time),
            cdrs::end_at.eq(cdr.end_date_time),
            cdrs::total_energy.eq(cdr.total_energy),
            cdrs::total_excl.eq(cdr.total_cost.excl_vat),
            cdrs::total_incl.eq(cdr.total_cost.incl_vat),
            cdrs::currency.eq(&cdr.currency),
            (
                cdrs::body.eq(Json(cdr.clone())),
                cdrs::policy.eq(policy),
                cdrs::last_updated.eq(cdr.last_updated),
            ),
        ))
        .on_conflict((cdrs::country_code, cdrs::party_id, cdrs::id))
        .do_nothing()
        .portable()
        .execute(conn)?;
    Ok(written > 0)
}

/// One CDR and the partner that sent it, if it is not ours.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<(Cdr, Option<i64>)>> {
    let row: Option<(Json<Cdr>, Option<i64>)> = cdrs::table
        .filter(cdrs::country_code.eq(party.country_code()))
        .filter(cdrs::party_id.eq(party.party_id()))
        .filter(cdrs::id.eq(id.key()))
        .select((cdrs::body, cdrs::partner_id))
        .first(conn)
        .optional()?;
    Ok(row.map(|(body, partner)| (body.0, partner)))
}

/// Which CDRs are meant.
#[derive(Debug, Clone)]
pub struct CdrFilter {
    /// Whose.
    pub owner: Owner,
    /// Only those that partners sent.
    pub only_received: bool,
    /// Only of tokens of these eMSPs, where given.
    pub emsps: Option<Vec<PartyId>>,
    /// Only of that session (key), where given.
    pub session: Option<String>,
    /// Only of charges that ended at or after.
    pub ended_from: Option<Timestamp>,
    /// Only of charges that ended before.
    pub ended_to: Option<Timestamp>,
}

impl CdrFilter {
    /// All of an owner.
    #[must_use]
    pub fn of(owner: Owner) -> Self {
        Self { owner, only_received: false, emsps: None, session: None, ended_from: None, ended_to: None }
    }
}

/// A CDR and its place in the order of creation.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedCdr {
    /// Rises with each CDR.
    pub seq: i64,
    /// The partner that sent it, if it is not ours.
    pub partner_id: Option<i64>,
    /// The CDR.
    pub cdr: Cdr,
}

macro_rules! filtered {
    ($filter:expr) => {{
        let mut query = of_owner!(cdrs::table.into_boxed::<Backend>(), cdrs, &$filter.owner);
        if $filter.only_received {
            query = query.filter(cdrs::partner_id.is_not_null());
        }
        if let Some(emsps) = &$filter.emsps {
            let parties: Vec<String> = emsps.iter().map(ToString::to_string).collect();
            query = query.filter(cdrs::token_country.concat("*").concat(cdrs::token_party).eq_any(parties));
        }
        if let Some(session) = &$filter.session {
            query = query.filter(cdrs::session_id.eq(session.clone()));
        }
        if let Some(from) = $filter.ended_from {
            query = query.filter(cdrs::end_at.ge(from));
        }
        if let Some(to) = $filter.ended_to {
            query = query.filter(cdrs::end_at.lt(to));
        }
        query
    }};
}

/// A page of CDRs, in the order in which they were created.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, filter: &CdrFilter, page: Page) -> DbResult<Slice<Cdr>> {
    let build = || changed_within!(filtered!(filter), page, cdrs::last_updated);
    let total = build().count().get_result(conn)?;
    let rows: Vec<Json<Cdr>> =
        build().order(cdrs::seq).offset(page.offset).limit(page.limit).select(cdrs::body).load(conn)?;
    Ok(Slice { items: rows.into_iter().map(|row| row.0).collect(), total })
}

/// The next CDRs behind a place in the order of creation: for exports, which read all without ever holding
/// more than `limit`.
///
/// # Errors
/// When the database fails.
pub fn after(conn: &mut DbConn, filter: &CdrFilter, seq: i64, limit: i64) -> DbResult<Vec<NumberedCdr>> {
    let rows: Vec<(i64, Option<i64>, Json<Cdr>)> = filtered!(filter)
        .filter(cdrs::seq.gt(seq))
        .order(cdrs::seq)
        .limit(limit)
        .select((cdrs::seq, cdrs::partner_id, cdrs::body))
        .load(conn)?;
    Ok(rows.into_iter().map(|(seq, partner_id, body)| NumberedCdr { seq, partner_id, cdr: body.0 }).collect())
}
