//! Which ad hoc payment an EVSE is kept for: one at a time.

use super::payments::Payment;
use super::portable::PortableExt;
use super::schema::payment_claims;
use super::{DbConn, DbResult};
use crate::domain::party::PartyId;
use diesel::prelude::*;

/// Keeps an EVSE for a payment; whether it was free, or kept for it already.
///
/// # Errors
/// When the database fails.
pub fn claim(conn: &mut DbConn, payment: &Payment) -> DbResult<bool> {
    let written = diesel::insert_into(payment_claims::table)
        .values((
            payment_claims::country_code.eq(&payment.country_code),
            payment_claims::party_id.eq(&payment.party_id),
            payment_claims::location_id.eq(payment.location_id.to_ascii_lowercase()),
            payment_claims::evse_uid.eq(&payment.evse_uid),
            payment_claims::payment_id.eq(&payment.id),
        ))
        .on_conflict((
            payment_claims::country_code,
            payment_claims::party_id,
            payment_claims::location_id,
            payment_claims::evse_uid,
        ))
        .do_nothing()
        .portable()
        .execute(conn)?;
    Ok(written > 0
        || claimed_by(conn, &payment.party()?, &payment.location_id, &payment.evse_uid)?.as_deref()
            == Some(&payment.id))
}

/// Which payment an EVSE is kept for.
///
/// # Errors
/// When the database fails.
pub fn claimed_by(
    conn: &mut DbConn,
    party: &PartyId,
    location_id: &str,
    evse_uid: &str,
) -> DbResult<Option<String>> {
    Ok(payment_claims::table
        .find((
            party.country_code(),
            party.party_id(),
            location_id.to_ascii_lowercase(),
            evse_uid.to_ascii_lowercase(),
        ))
        .select(payment_claims::payment_id)
        .first(conn)
        .optional()?)
}

/// No longer keeps an EVSE for a payment.
///
/// # Errors
/// When the database fails.
pub fn unclaim(conn: &mut DbConn, payment_id: &str) -> DbResult<()> {
    diesel::delete(payment_claims::table.filter(payment_claims::payment_id.eq(payment_id))).execute(conn)?;
    Ok(())
}
