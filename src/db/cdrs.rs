//! CDRs: written once, never changed.

use super::cdr_checks::DisputeState;
use super::locations::{Owner, of_owner};
use super::page::{Page, Slice, changed_within};
use super::portable::PortableExt;
use super::schema::{cdr_checks, cdrs};
use super::sessions::token_columns;
use super::types::Json;
use super::{Backend, DbConn, DbResult};
use crate::domain::cdr::Cdr;
use crate::domain::party::PartyId;
use crate::domain::token::TokenKey;
use crate::domain::{CiString, Timestamp};
use crate::pricing::{CheckState, PricingRecord};
use diesel::dsl::{exists, max, min};
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
            cdrs::token_uid.eq(cdr.cdr_token.uid.key()),
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
    /// Only those whose check came out so, where given.
    pub check: Option<CheckState>,
    /// Only those about which was decided so, where given.
    pub dispute: Option<DisputeState>,
}

impl CdrFilter {
    /// All of an owner.
    #[must_use]
    pub fn of(owner: Owner) -> Self {
        Self {
            owner,
            only_received: false,
            emsps: None,
            session: None,
            ended_from: None,
            ended_to: None,
            check: None,
            dispute: None,
        }
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
        if let Some(state) = $filter.check {
            let checks = cdr_checks::table.filter(cdr_checks::cdr_seq.eq(cdrs::seq));
            query = query.filter(exists(checks.filter(cdr_checks::state.eq(state.as_str()))));
        }
        if let Some(state) = $filter.dispute {
            let checks = cdr_checks::table.filter(cdr_checks::cdr_seq.eq(cdrs::seq));
            query = query.filter(exists(checks.filter(cdr_checks::dispute.eq(state.as_str()))));
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

/// A CDR with what is known of it beside its document.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptCdr {
    /// Its place in the order of creation.
    pub seq: i64,
    /// The partner that sent it, if it is not ours.
    pub partner_id: Option<i64>,
    /// The CDR.
    pub cdr: Cdr,
    /// How it was priced, where we did it.
    pub record: Option<PricingRecord>,
}

type KeptRow = (i64, Option<i64>, Json<Cdr>, Option<String>);

const KEPT: (cdrs::seq, cdrs::partner_id, cdrs::body, cdrs::policy) =
    (cdrs::seq, cdrs::partner_id, cdrs::body, cdrs::policy);

fn kept((seq, partner_id, body, policy): KeptRow) -> KeptCdr {
    // What a record of another version cannot say is as if it was not kept.
    let record = policy.and_then(|text| serde_json::from_str(&text).ok());
    KeptCdr { seq, partner_id, cdr: body.0, record }
}

/// One CDR with what is known of it.
///
/// # Errors
/// When the database fails.
pub fn find_kept(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<KeptCdr>> {
    let row: Option<KeptRow> = cdrs::table
        .filter(cdrs::country_code.eq(party.country_code()))
        .filter(cdrs::party_id.eq(party.party_id()))
        .filter(cdrs::id.eq(id.key()))
        .select(KEPT)
        .first(conn)
        .optional()?;
    Ok(row.map(kept))
}

/// The CDR at a place in the order of creation.
///
/// # Errors
/// When the database fails.
pub fn at(conn: &mut DbConn, seq: i64) -> DbResult<Option<KeptCdr>> {
    let row: Option<KeptRow> = cdrs::table.find(seq).select(KEPT).first(conn).optional()?;
    Ok(row.map(kept))
}

/// The place of a CDR in the order of creation.
///
/// # Errors
/// When the database fails.
pub fn place_of(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Option<i64>> {
    Ok(cdrs::table
        .filter(cdrs::country_code.eq(party.country_code()))
        .filter(cdrs::party_id.eq(party.party_id()))
        .filter(cdrs::id.eq(id.key()))
        .select(cdrs::seq)
        .first(conn)
        .optional()?)
}

/// The zone in which a charge took place: that of the location as it is kept here, or what the CDR's platform put
/// into the CDR beside the specification, if it is one.
///
/// # Errors
/// When the database fails.
pub fn zone_of(conn: &mut DbConn, cdr: &Cdr) -> DbResult<Option<chrono_tz::Tz>> {
    let kept = super::locations::zone(conn, &cdr.party, &cdr.cdr_location.id)?;
    let own = || cdr.cdr_location.extra.get("time_zone").and_then(serde_json::Value::as_str);
    let known = kept.and_then(|name| name.parse().ok());
    Ok(known.or_else(|| own().and_then(|name| name.parse().ok())))
}

/// The parties that have a CDR of that id.
///
/// # Errors
/// When the database fails.
pub fn parties_with(conn: &mut DbConn, id: &CiString) -> DbResult<Vec<PartyId>> {
    let rows: Vec<(String, String)> = cdrs::table
        .filter(cdrs::id.eq(id.key()))
        .order((cdrs::country_code, cdrs::party_id))
        .select((cdrs::country_code, cdrs::party_id))
        .load(conn)?;
    Ok(rows.iter().filter_map(|(country, party)| PartyId::new(country, party).ok()).collect())
}

/// A CDR as the database keeps it, its document unread.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct RawCdr {
    /// Its place in the order of creation.
    pub seq: i64,
    /// The partner that sent it, if it is not ours.
    pub partner_id: Option<i64>,
    /// The CPO that owns it.
    pub country_code: String,
    /// The CPO that owns it.
    pub party_id: String,
    /// Whether it takes back another one.
    pub credit: bool,
    /// The document: a [`Cdr`].
    pub body: String,
    /// How it was priced, where we did it: a [`PricingRecord`].
    pub policy: Option<String>,
}

/// The CDRs of a filter behind one place in the order of creation, up to and with another. The places bound what is
/// read, and no limit: so the database always goes along its primary key.
///
/// # Errors
/// When the database fails.
pub fn raw_between(conn: &mut DbConn, filter: &CdrFilter, behind: i64, up_to: i64) -> DbResult<Vec<RawCdr>> {
    Ok(filtered!(filter)
        .filter(cdrs::seq.gt(behind))
        .filter(cdrs::seq.le(up_to))
        .order(cdrs::seq)
        .select((
            cdrs::seq,
            cdrs::partner_id,
            cdrs::country_code,
            cdrs::party_id,
            cdrs::credit,
            cdrs::body,
            cdrs::policy,
        ))
        .load(conn)?)
}

/// The first and the last place in the order of creation; none where there is no CDR.
///
/// # Errors
/// When the database fails.
pub fn places(conn: &mut DbConn) -> DbResult<Option<(i64, i64)>> {
    // Two statements: SQLite reads one end of an index for each, and the whole table for both at once.
    let first: Option<i64> = cdrs::table.select(min(cdrs::seq)).first(conn)?;
    let last: Option<i64> = cdrs::table.select(max(cdrs::seq)).first(conn)?;
    Ok(first.zip(last))
}

/// The CDRs of some tokens behind a place in the order of creation, the newest first.
///
/// # Errors
/// When the database fails.
pub fn of_tokens(
    conn: &mut DbConn,
    tokens: &[TokenKey],
    before: i64,
    limit: i64,
) -> DbResult<Vec<NumberedCdr>> {
    let mut found = Vec::new();
    for token in tokens {
        let rows: Vec<(i64, Option<i64>, Json<Cdr>)> = cdrs::table
            .filter(cdrs::token_country.eq(token.party.country_code()))
            .filter(cdrs::token_party.eq(token.party.party_id()))
            .filter(cdrs::token_uid.eq(token.uid.key()))
            .filter(cdrs::seq.lt(before))
            .order(cdrs::seq.desc())
            .limit(limit)
            .select((cdrs::seq, cdrs::partner_id, cdrs::body))
            .load(conn)?;
        let numbered =
            |(seq, partner_id, body): (i64, _, Json<Cdr>)| NumberedCdr { seq, partner_id, cdr: body.0 };
        let of_type = |one: &NumberedCdr| one.cdr.cdr_token.token_type == token.token_type;
        found.extend(rows.into_iter().map(numbered).filter(of_type));
    }
    found.sort_unstable_by_key(|one| std::cmp::Reverse(one.seq));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The CDRs of a session of a CPO, in the order of creation: the first, and what corrected it.
///
/// # Errors
/// When the database fails.
pub fn of_session(conn: &mut DbConn, party: &PartyId, session: &CiString) -> DbResult<Vec<NumberedCdr>> {
    let rows: Vec<(i64, Option<i64>, Json<Cdr>)> = cdrs::table
        .filter(cdrs::country_code.eq(party.country_code()))
        .filter(cdrs::party_id.eq(party.party_id()))
        .filter(cdrs::session_id.eq(session.key()))
        .order(cdrs::seq)
        .select((cdrs::seq, cdrs::partner_id, cdrs::body))
        .load(conn)?;
    Ok(rows.into_iter().map(|(seq, partner_id, body)| NumberedCdr { seq, partner_id, cdr: body.0 }).collect())
}
