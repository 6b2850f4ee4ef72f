//! Apps of drivers. Their secrets are kept as keyed hashes.

use super::schema::driver_apps as apps;
use super::{DbConn, DbError, DbResult};
use crate::domain::Timestamp;
use crate::domain::party::PartyId;
use diesel::prelude::*;

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverApp {
    /// OAuth's client id.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// The eMSP whose tokens it hands out.
    pub party: PartyId,
    /// The keyed hash of its secret.
    pub secret_hash: String,
    /// Whose id tokens it may show, and for whom these must be; none where it may not.
    pub oidc: Option<Oidc>,
    /// When it was added.
    pub created: Timestamp,
}

/// Which id tokens an app may show (OpenID Connect Core 1.0, 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oidc {
    /// `iss`.
    pub issuer: String,
    /// `aud`: the app's client id at the issuer.
    pub audience: String,
}

type Row = (String, String, String, String, String, Option<String>, Option<String>, Timestamp);

fn app((id, name, country, party, secret_hash, issuer, audience, created): Row) -> DbResult<DriverApp> {
    let party = PartyId::new(&country, &party).map_err(|why| DbError::corrupt("app of drivers", why))?;
    let oidc = issuer.zip(audience).map(|(issuer, audience)| Oidc { issuer, audience });
    Ok(DriverApp { id, name, party, secret_hash, oidc, created })
}

/// Adds an app.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, app: &DriverApp) -> DbResult<()> {
    diesel::insert_into(apps::table)
        .values((
            apps::id.eq(&app.id),
            apps::name.eq(&app.name),
            apps::country_code.eq(app.party.country_code()),
            apps::party_id.eq(app.party.party_id()),
            apps::secret_hash.eq(&app.secret_hash),
            apps::oidc_issuer.eq(app.oidc.as_ref().map(|oidc| &oidc.issuer)),
            apps::oidc_audience.eq(app.oidc.as_ref().map(|oidc| &oidc.audience)),
            apps::created.eq(app.created),
        ))
        .execute(conn)?;
    Ok(())
}

/// One app.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &str) -> DbResult<Option<DriverApp>> {
    let row: Option<Row> = apps::table.find(id).first(conn).optional()?;
    row.map(app).transpose()
}

/// Every app, oldest first.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut DbConn) -> DbResult<Vec<DriverApp>> {
    let rows: Vec<Row> = apps::table.order((apps::created, apps::id)).load(conn)?;
    rows.into_iter().map(app).collect()
}

/// Gives an app another secret; whether there is such an app.
///
/// # Errors
/// When the database fails.
pub fn set_secret(conn: &mut DbConn, id: &str, hash: &str) -> DbResult<bool> {
    Ok(diesel::update(apps::table.find(id)).set(apps::secret_hash.eq(hash)).execute(conn)? > 0)
}

/// Removes an app with what is known of its drivers; their tokens, sessions and CDRs stay. Whether it was there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, id: &str) -> DbResult<bool> {
    Ok(diesel::delete(apps::table.find(id)).execute(conn)? > 0)
}
