//! Parties of ours that sell ad hoc, and the numbers of their receipts.

use super::portable::PortableExt;
use super::schema::payment_merchants as merchants;
use super::types::Json;
use super::{DbConn, DbError, DbResult};
use crate::domain::party::PartyId;
use crate::domain::payment::Merchant;
use diesel::prelude::*;

/// Writes a merchant, new or in place of the one that is there; the numbers of its receipts go on.
///
/// # Errors
/// When the database fails.
pub fn put(conn: &mut DbConn, party: &PartyId, merchant: &Merchant) -> DbResult<()> {
    let body = Json(merchant.clone());
    diesel::insert_into(merchants::table)
        .values((
            merchants::country_code.eq(party.country_code()),
            merchants::party_id.eq(party.party_id()),
            merchants::body.eq(&body),
            merchants::last_receipt.eq(0_i64),
        ))
        .on_conflict((merchants::country_code, merchants::party_id))
        .do_update()
        .set(merchants::body.eq(&body))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// One merchant.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, party: &PartyId) -> DbResult<Option<Merchant>> {
    let row: Option<Json<Merchant>> = merchants::table
        .find((party.country_code(), party.party_id()))
        .select(merchants::body)
        .first(conn)
        .optional()?;
    Ok(row.map(|body| body.0))
}

/// Every merchant.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut DbConn) -> DbResult<Vec<(PartyId, Merchant)>> {
    let rows: Vec<(String, String, Json<Merchant>)> = merchants::table
        .order((merchants::country_code, merchants::party_id))
        .select((merchants::country_code, merchants::party_id, merchants::body))
        .load(conn)?;
    rows.into_iter()
        .map(|(country, party, body)| {
            let party = PartyId::new(&country, &party).map_err(|why| DbError::corrupt("merchant", why))?;
            Ok((party, body.0))
        })
        .collect()
}

/// The number of a party's next receipt, which is used up with it.
///
/// # Errors
/// When the party is no merchant any more, or the database fails.
pub fn next_receipt(conn: &mut DbConn, party: &PartyId) -> DbResult<i64> {
    Ok(diesel::update(merchants::table.find((party.country_code(), party.party_id())))
        .set(merchants::last_receipt.eq(merchants::last_receipt + 1_i64))
        .returning(merchants::last_receipt)
        .get_result(conn)?)
}
