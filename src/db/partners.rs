//! Partners, the parties they speak for, and their tokens: inbound ones as keyed hashes, the outbound one
//! sealed, since it has to be replayed.

use super::schema::{locations, partner_changes, partner_roles, partners, tariffs, tokens};
use super::types::Json;
use super::{Backend, DbConn, DbResult};
use crate::domain::Timestamp;
use crate::domain::partner::{DeliveryPolicy, Endpoint, Partner, PartnerRole, PartnerStatus, TokenEncoding};
use crate::domain::party::{PartyId, Role};
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = partners, check_for_backend(Backend), treat_none_as_null = true)]
struct Row {
    name: String,
    status: String,
    versions_url: Option<String>,
    version: Option<String>,
    endpoints: Json<Vec<Endpoint>>,
    roles: Json<Vec<PartnerRole>>,
    allowed_origins: Json<Vec<String>>,
    delivery: String,
    token_encoding: String,
    created: Timestamp,
    last_updated: Timestamp,
}

fn row(partner: &Partner) -> Row {
    let Partner {
        id: _,
        name,
        status,
        versions_url,
        version,
        endpoints,
        roles,
        allowed_origins,
        delivery,
        token_encoding,
        created,
        last_updated,
    } = partner.clone();
    Row {
        name,
        status: status.as_str().to_owned(),
        versions_url,
        version,
        endpoints: Json(endpoints),
        roles: Json(roles),
        allowed_origins: Json(allowed_origins),
        delivery: delivery.as_str().to_owned(),
        token_encoding: token_encoding.as_str().to_owned(),
        created,
        last_updated,
    }
}

fn partner((id, row): (i64, Row)) -> Partner {
    let Row {
        name,
        status,
        versions_url,
        version,
        endpoints,
        roles,
        allowed_origins,
        delivery,
        token_encoding,
        created,
        last_updated,
    } = row;
    Partner {
        id,
        name,
        status: PartnerStatus::from(status.as_str()),
        versions_url,
        version,
        endpoints: endpoints.0,
        roles: roles.0,
        allowed_origins: allowed_origins.0,
        delivery: DeliveryPolicy::from(delivery.as_str()),
        token_encoding: TokenEncoding::from(token_encoding.as_str()),
        created,
        last_updated,
    }
}

/// Adds a partner; its `id` is not looked at. Returns the id that it got.
///
/// # Errors
/// A unique violation when the name is taken.
pub fn insert(conn: &mut DbConn, new: &Partner) -> DbResult<i64> {
    Ok(diesel::insert_into(partners::table)
        .values((row(new), partners::failures.eq(0)))
        .returning(partners::id)
        .get_result(conn)?)
}

/// Writes a partner in place of the one that is there, and the parties it speaks for.
///
/// # Errors
/// A unique violation when another partner speaks for one of its parties in that role.
pub fn update(conn: &mut DbConn, changed: &Partner) -> DbResult<()> {
    diesel::update(partners::table.find(changed.id)).set(row(changed)).execute(conn)?;
    diesel::delete(partner_roles::table.filter(partner_roles::partner_id.eq(changed.id))).execute(conn)?;
    for role in &changed.roles {
        diesel::insert_into(partner_roles::table)
            .values((
                partner_roles::country_code.eq(role.party.country_code()),
                partner_roles::party_id.eq(role.party.party_id()),
                partner_roles::role.eq(role.role.as_str()),
                partner_roles::partner_id.eq(changed.id),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// One partner.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: i64) -> DbResult<Option<Partner>> {
    let found = partners::table.find(id).select((partners::id, Row::as_select())).first(conn).optional()?;
    Ok(found.map(partner))
}

/// The partner of that name.
///
/// # Errors
/// When the database fails.
pub fn by_name(conn: &mut DbConn, name: &str) -> DbResult<Option<Partner>> {
    let found = partners::table
        .filter(partners::name.eq(name))
        .select((partners::id, Row::as_select()))
        .first(conn)
        .optional()?;
    Ok(found.map(partner))
}

/// Every partner, by name.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut DbConn) -> DbResult<Vec<Partner>> {
    let rows = partners::table.order(partners::name).select((partners::id, Row::as_select())).load(conn)?;
    Ok(rows.into_iter().map(partner).collect())
}

/// The partner that speaks for a party in a role, suspended or not.
///
/// # Errors
/// When the database fails.
pub fn of_party(conn: &mut DbConn, party: &PartyId, role: &Role) -> DbResult<Option<i64>> {
    let ended =
        [PartnerStatus::Unregistered, PartnerStatus::Removed].map(|status| status.as_str().to_owned());
    Ok(partners::table
        .inner_join(partner_roles::table)
        .filter(partner_roles::country_code.eq(party.country_code()))
        .filter(partner_roles::party_id.eq(party.party_id()))
        .filter(partner_roles::role.eq(role.as_str()))
        .filter(partners::status.ne_all(ended))
        .select(partners::id)
        .first(conn)
        .optional()?)
}

/// Removes a partner with whom nothing was ever exchanged.
///
/// # Errors
/// When anything refers to it.
pub fn delete(conn: &mut DbConn, id: i64) -> DbResult<()> {
    diesel::delete(partner_roles::table.filter(partner_roles::partner_id.eq(id))).execute(conn)?;
    diesel::delete(partner_changes::table.filter(partner_changes::partner_id.eq(id))).execute(conn)?;
    diesel::delete(partners::table.find(id)).execute(conn)?;
    Ok(())
}

/// Forgets the locations, tariffs and tokens that a partner told us of.
///
/// # Errors
/// When the database fails.
pub fn forget_objects(conn: &mut DbConn, id: i64) -> DbResult<()> {
    diesel::delete(locations::table.filter(locations::partner_id.eq(id))).execute(conn)?;
    diesel::delete(tariffs::table.filter(tariffs::partner_id.eq(id))).execute(conn)?;
    diesel::delete(tokens::table.filter(tokens::partner_id.eq(id))).execute(conn)?;
    Ok(())
}

/// Which of a partner's inbound tokens was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// The one that is valid.
    Current,
    /// The one that is valid, while the one before it has not been dropped yet.
    Replacing,
    /// The one before it, good until the new one is used once.
    Previous,
}

/// The partner that a hashed inbound token belongs to.
///
/// # Errors
/// When the database fails.
pub fn by_token_hash(conn: &mut DbConn, hash: &str) -> DbResult<Option<(Partner, TokenUse)>> {
    type Found = (i64, Option<String>, Option<String>, Row);
    let found: Option<Found> = partners::table
        .filter(partners::token_in_hash.eq(hash).or(partners::token_in_previous_hash.eq(hash)))
        .select((partners::id, partners::token_in_hash, partners::token_in_previous_hash, Row::as_select()))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, current, previous, row)| {
        let used = match (current.as_deref() == Some(hash), previous) {
            (true, None) => TokenUse::Current,
            (true, Some(_)) => TokenUse::Replacing,
            (false, _) => TokenUse::Previous,
        };
        (partner((id, row)), used)
    }))
}

/// Sets the hashes of the inbound tokens: the current one, and the one before it that is good until the new
/// one is used.
///
/// # Errors
/// When the database fails.
pub fn set_tokens_in(
    conn: &mut DbConn,
    id: i64,
    current: Option<&str>,
    previous: Option<&str>,
) -> DbResult<()> {
    diesel::update(partners::table.find(id))
        .set((partners::token_in_hash.eq(current), partners::token_in_previous_hash.eq(previous)))
        .execute(conn)?;
    Ok(())
}

/// Drops the token before the current one, which was just used, unless the tokens changed meanwhile.
///
/// # Errors
/// When the database fails.
pub fn drop_previous_token(conn: &mut DbConn, id: i64, current: &str) -> DbResult<()> {
    diesel::update(partners::table.find(id).filter(partners::token_in_hash.eq(current)))
        .set(partners::token_in_previous_hash.eq(None::<String>))
        .execute(conn)?;
    Ok(())
}

/// The hashes of the inbound tokens, current and previous.
///
/// # Errors
/// When the database fails.
pub fn tokens_in(conn: &mut DbConn, id: i64) -> DbResult<(Option<String>, Option<String>)> {
    Ok(partners::table
        .find(id)
        .select((partners::token_in_hash, partners::token_in_previous_hash))
        .first(conn)?)
}

/// Sets the sealed outbound token.
///
/// # Errors
/// When the database fails.
pub fn set_token_out(conn: &mut DbConn, id: i64, sealed: Option<&str>) -> DbResult<()> {
    diesel::update(partners::table.find(id)).set(partners::token_out_sealed.eq(sealed)).execute(conn)?;
    Ok(())
}

/// The sealed outbound token.
///
/// # Errors
/// When the database fails.
pub fn token_out(conn: &mut DbConn, id: i64) -> DbResult<Option<String>> {
    let sealed: Option<Option<String>> =
        partners::table.find(id).select(partners::token_out_sealed).first(conn).optional()?;
    Ok(sealed.flatten())
}

/// How the connection to a partner fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Failures in a row.
    pub failures: i32,
    /// Not before this is it tried again.
    pub retry_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it last answered.
    pub last_contact: Option<Timestamp>,
}

/// Keeps how the connection fares.
///
/// # Errors
/// When the database fails.
pub fn set_health(conn: &mut DbConn, id: i64, health: &Health) -> DbResult<()> {
    diesel::update(partners::table.find(id))
        .set((
            partners::failures.eq(health.failures),
            partners::retry_at.eq(health.retry_at),
            partners::last_error.eq(health.last_error.as_deref()),
            partners::last_contact.eq(health.last_contact),
        ))
        .execute(conn)?;
    Ok(())
}

/// How the connection fares.
///
/// # Errors
/// When the database fails.
pub fn health(conn: &mut DbConn, id: i64) -> DbResult<Health> {
    let (failures, retry_at, last_error, last_contact) = partners::table
        .find(id)
        .select((partners::failures, partners::retry_at, partners::last_error, partners::last_contact))
        .first(conn)?;
    Ok(Health { failures, retry_at, last_error, last_contact })
}

/// Forgets what waits for a partner.
///
/// # Errors
/// When the database fails.
pub fn forget_changes(conn: &mut DbConn, id: i64) -> DbResult<()> {
    diesel::delete(partner_changes::table.filter(partner_changes::partner_id.eq(id))).execute(conn)?;
    Ok(())
}
