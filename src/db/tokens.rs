//! Tokens, ours and our partners'.

use super::locations::{Owner, of_owner};
use super::page::{Page, Slice, changed_within};
use super::portable::PortableExt;
use super::schema::tokens;
use super::types::Json;
use super::{Backend, DbConn, DbResult};
use crate::domain::token::{Token, TokenKey};
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;

/// The most characters of an OCPP 1.6 idTag (OCPP 1.6, 7.28 IdToken).
const ID_TAG_LENGTH: usize = 20;

/// What stations call a token: its uid, or, where that has more characters than an OCPP 1.6 idTag can hold, an
/// alias made from it, always the same for the same uid.
#[must_use]
pub fn id_tag_of(uid: &CiString) -> String {
    if uid.as_str().chars().count() <= ID_TAG_LENGTH {
        return uid.as_str().to_owned();
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, uid.key().as_bytes());
    digest.as_ref().iter().take(ID_TAG_LENGTH / 2).map(|byte| format!("{byte:02X}")).collect()
}

/// Writes a token, new or in place of the one that is there.
///
/// # Errors
/// When the database fails.
pub fn upsert(conn: &mut DbConn, token: &Token, partner_id: Option<i64>) -> DbResult<()> {
    let body = Json(token.clone());
    diesel::insert_into(tokens::table)
        .values((
            tokens::country_code.eq(token.party.country_code()),
            tokens::party_id.eq(token.party.party_id()),
            tokens::uid.eq(token.uid.key()),
            tokens::token_type.eq(token.token_type.as_str()),
            tokens::partner_id.eq(partner_id),
            tokens::id_tag.eq(id_tag_of(&token.uid).to_ascii_lowercase()),
            tokens::valid.eq(token.valid),
            tokens::body.eq(&body),
            tokens::last_updated.eq(token.last_updated),
        ))
        .on_conflict((tokens::country_code, tokens::party_id, tokens::uid, tokens::token_type))
        .do_update()
        .set((
            tokens::partner_id.eq(partner_id),
            tokens::valid.eq(token.valid),
            tokens::body.eq(&body),
            tokens::last_updated.eq(token.last_updated),
        ))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// One token and the partner that told us of it, if it is not ours.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, key: &TokenKey) -> DbResult<Option<(Token, Option<i64>)>> {
    let row: Option<(Json<Token>, Option<i64>)> = tokens::table
        .filter(tokens::country_code.eq(key.party.country_code()))
        .filter(tokens::party_id.eq(key.party.party_id()))
        .filter(tokens::uid.eq(key.uid.key()))
        .filter(tokens::token_type.eq(key.token_type.as_str()))
        .select((tokens::body, tokens::partner_id))
        .first(conn)
        .optional()?;
    Ok(row.map(|(body, partner)| (body.0, partner)))
}

/// Every token that a station may mean by an idTag: our own first, then by age.
///
/// # Errors
/// When the database fails.
pub fn by_id_tag(conn: &mut DbConn, id_tag: &str) -> DbResult<Vec<(Token, Option<i64>)>> {
    let rows: Vec<(Json<Token>, Option<i64>)> = tokens::table
        .filter(tokens::id_tag.eq(id_tag.to_ascii_lowercase()))
        .order((tokens::partner_id.is_not_null(), tokens::seq))
        .select((tokens::body, tokens::partner_id))
        .load(conn)?;
    Ok(rows.into_iter().map(|(body, partner)| (body.0, partner)).collect())
}

/// Our own tokens of that uid, whatever their type and party.
///
/// # Errors
/// When the database fails.
pub fn ours_by_uid(conn: &mut DbConn, uid: &CiString) -> DbResult<Vec<Token>> {
    let rows: Vec<Json<Token>> = tokens::table
        .filter(tokens::uid.eq(uid.key()))
        .filter(tokens::partner_id.is_null())
        .order(tokens::seq)
        .select(tokens::body)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// A page of tokens, in the order in which they were created.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, owner: &Owner, page: Page) -> DbResult<Slice<Token>> {
    let build = || {
        let query = of_owner!(tokens::table.into_boxed::<Backend>(), tokens, owner);
        changed_within!(query, page, tokens::last_updated)
    };
    let total = build().count().get_result(conn)?;
    let rows: Vec<Json<Token>> =
        build().order(tokens::seq).offset(page.offset).limit(page.limit).select(tokens::body).load(conn)?;
    Ok(Slice { items: rows.into_iter().map(|row| row.0).collect(), total })
}

/// Removes one token; whether it was there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, key: &TokenKey) -> DbResult<bool> {
    let removed = diesel::delete(
        tokens::table
            .filter(tokens::country_code.eq(key.party.country_code()))
            .filter(tokens::party_id.eq(key.party.party_id()))
            .filter(tokens::uid.eq(key.uid.key()))
            .filter(tokens::token_type.eq(key.token_type.as_str())),
    )
    .execute(conn)?;
    Ok(removed > 0)
}

/// Removes every token of a partner that is not among those present and was last changed before a time: after
/// a complete, unfiltered pull, what it no longer holds.
///
/// # Errors
/// When the database fails.
pub fn remove_absent(
    conn: &mut DbConn,
    partner_id: i64,
    present: &[TokenKey],
    before: Timestamp,
) -> DbResult<usize> {
    type Held = (i64, String, String, String, String);
    let held: Vec<Held> = tokens::table
        .filter(tokens::partner_id.eq(partner_id))
        .filter(tokens::last_updated.lt(before))
        .select((tokens::seq, tokens::country_code, tokens::party_id, tokens::uid, tokens::token_type))
        .load(conn)?;
    let present: std::collections::HashSet<(&str, &str, String, &str)> = present
        .iter()
        .map(|key| (key.party.country_code(), key.party.party_id(), key.uid.key(), key.token_type.as_str()))
        .collect();
    let mut removed = 0;
    for (seq, country_code, party_id, uid, token_type) in held {
        if !present.contains(&(country_code.as_str(), party_id.as_str(), uid, token_type.as_str())) {
            removed += diesel::delete(tokens::table.filter(tokens::seq.eq(seq))).execute(conn)?;
        }
    }
    Ok(removed)
}
