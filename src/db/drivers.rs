//! Drivers, as their apps know them, and which tokens are theirs.

use super::page::{Page, Slice};
use super::schema::{driver_tokens, drivers};
use super::{Backend, DbConn, DbError, DbResult, tokens};
use crate::domain::party::PartyId;
use crate::domain::token::{Token, TokenKey, TokenType};
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;

/// A driver.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable)]
#[diesel(table_name = drivers)]
pub struct Driver {
    /// Our id.
    pub id: String,
    /// The app.
    pub app_id: String,
    /// Who says who the driver is; empty where the app does.
    pub issuer: String,
    /// What the driver is called there.
    pub subject: String,
    /// When an app first asked for it.
    pub created: Timestamp,
}

/// Adds a driver.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, driver: &Driver) -> DbResult<()> {
    diesel::insert_into(drivers::table).values(driver).execute(conn)?;
    Ok(())
}

/// One driver.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &str) -> DbResult<Option<Driver>> {
    Ok(drivers::table.find(id).first(conn).optional()?)
}

/// A driver by what an app calls it.
///
/// # Errors
/// When the database fails.
pub fn by_subject(conn: &mut DbConn, app_id: &str, issuer: &str, subject: &str) -> DbResult<Option<Driver>> {
    Ok(drivers::table
        .filter(drivers::app_id.eq(app_id))
        .filter(drivers::issuer.eq(issuer))
        .filter(drivers::subject.eq(subject))
        .first(conn)
        .optional()?)
}

/// A page of drivers, oldest first: all, or those of an app, or who are called so.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut DbConn,
    app_id: Option<&str>,
    subject: Option<&str>,
    page: Page,
) -> DbResult<Slice<Driver>> {
    let build = || {
        let mut query = drivers::table.into_boxed::<Backend>();
        if let Some(app_id) = app_id {
            query = query.filter(drivers::app_id.eq(app_id.to_owned()));
        }
        if let Some(subject) = subject {
            query = query.filter(drivers::subject.eq(subject.to_owned()));
        }
        query
    };
    let total = build().count().get_result(conn)?;
    let items =
        build().order((drivers::created, drivers::id)).offset(page.offset).limit(page.limit).load(conn)?;
    Ok(Slice { items, total })
}

/// Removes a driver with the driver's grants, orders and links to tokens; whether the driver was there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, id: &str) -> DbResult<bool> {
    Ok(diesel::delete(drivers::table.find(id)).execute(conn)? > 0)
}

/// Makes a token a driver's.
///
/// # Errors
/// When it is somebody's already (a unique violation), or the database fails.
pub fn link_token(conn: &mut DbConn, driver_id: &str, key: &TokenKey, now: Timestamp) -> DbResult<()> {
    diesel::insert_into(driver_tokens::table)
        .values((
            driver_tokens::country_code.eq(key.party.country_code()),
            driver_tokens::party_id.eq(key.party.party_id()),
            driver_tokens::uid.eq(key.uid.key()),
            driver_tokens::token_type.eq(key.token_type.as_str()),
            driver_tokens::driver_id.eq(driver_id),
            driver_tokens::added.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whose a token is.
///
/// # Errors
/// When the database fails.
pub fn owner_of(conn: &mut DbConn, key: &TokenKey) -> DbResult<Option<String>> {
    let row = driver_tokens::table.find((
        key.party.country_code(),
        key.party.party_id(),
        key.uid.key(),
        key.token_type.as_str(),
    ));
    Ok(row.select(driver_tokens::driver_id).first(conn).optional()?)
}

/// Takes a token from a driver; whether it was the driver's.
///
/// # Errors
/// When the database fails.
pub fn unlink_token(conn: &mut DbConn, driver_id: &str, key: &TokenKey) -> DbResult<bool> {
    let removed = diesel::delete(
        driver_tokens::table
            .filter(driver_tokens::driver_id.eq(driver_id))
            .filter(driver_tokens::country_code.eq(key.party.country_code()))
            .filter(driver_tokens::party_id.eq(key.party.party_id()))
            .filter(driver_tokens::uid.eq(key.uid.key()))
            .filter(driver_tokens::token_type.eq(key.token_type.as_str())),
    )
    .execute(conn)?;
    Ok(removed > 0)
}

/// A driver's tokens, by what they are found, in the order in which they became the driver's.
///
/// # Errors
/// When the database fails.
pub fn token_keys(conn: &mut DbConn, driver_id: &str) -> DbResult<Vec<TokenKey>> {
    let rows: Vec<(String, String, String, String)> = driver_tokens::table
        .filter(driver_tokens::driver_id.eq(driver_id))
        .order((driver_tokens::added, driver_tokens::uid))
        .select((
            driver_tokens::country_code,
            driver_tokens::party_id,
            driver_tokens::uid,
            driver_tokens::token_type,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(country, party, uid, token_type)| {
            let party =
                PartyId::new(&country, &party).map_err(|why| DbError::corrupt("token of a driver", why))?;
            Ok(TokenKey { party, uid: CiString::from(uid), token_type: TokenType::from(token_type.as_str()) })
        })
        .collect()
}

/// A driver's tokens as they are now, without those that were removed since.
///
/// # Errors
/// When the database fails.
pub fn tokens_of(conn: &mut DbConn, driver_id: &str) -> DbResult<Vec<Token>> {
    let mut found = Vec::new();
    for key in token_keys(conn, driver_id)? {
        found.extend(tokens::find(conn, &key)?.map(|(token, _)| token));
    }
    Ok(found)
}
