//! Lists of ad hoc payments, for operators.

use super::page::{Page, Slice, changed_within};
use super::payments::Payment;
use super::schema::payments;
use super::{Backend, DbConn, DbResult};
use crate::domain::Timestamp;
use crate::domain::party::PartyId;
use crate::domain::payment::PaymentState;
use diesel::prelude::*;

/// Which payments are meant.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    /// Only of this party.
    pub party: Option<PartyId>,
    /// Only in this state.
    pub state: Option<PaymentState>,
    /// Only at this station.
    pub station_id: Option<String>,
    /// Only of this session, by its key.
    pub session_id: Option<String>,
    /// Only those made at or after.
    pub created_from: Option<Timestamp>,
    /// Only those made before.
    pub created_to: Option<Timestamp>,
}

/// A page of payments, in the order in which they were made.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, filter: &PaymentFilter, page: Page) -> DbResult<Slice<Payment>> {
    let build = || {
        let mut query = payments::table.into_boxed::<Backend>();
        if let Some(party) = &filter.party {
            query = query
                .filter(payments::country_code.eq(party.country_code().to_owned()))
                .filter(payments::party_id.eq(party.party_id().to_owned()));
        }
        if let Some(state) = filter.state {
            query = query.filter(payments::state.eq(state));
        }
        if let Some(station) = &filter.station_id {
            query = query.filter(payments::station_id.eq(station.clone()));
        }
        if let Some(session) = &filter.session_id {
            query = query.filter(payments::session_id.eq(session.clone()));
        }
        if let Some(from) = filter.created_from {
            query = query.filter(payments::created.ge(from));
        }
        if let Some(to) = filter.created_to {
            query = query.filter(payments::created.lt(to));
        }
        changed_within!(query, page, payments::last_updated)
    };
    let total = build().count().get_result(conn)?;
    let items = build()
        .order(payments::id)
        .offset(page.offset)
        .limit(page.limit)
        .select(Payment::as_select())
        .load(conn)?;
    Ok(Slice { items, total })
}
