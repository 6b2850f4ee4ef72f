//! Apps of drivers: an operator adds one for an eMSP of ours, and whoever builds the app gets its id and its secret.

use crate::app::{App, Event};
use crate::db::driver_apps::{self, DriverApp, Oidc};
use crate::db::{DbConn, DbError, parties};
use crate::domain::Timestamp;
use crate::domain::party::{PartyId, Role};
use crate::roaming::origin::read_url;
use crate::security::{Keys, new_secret};

/// Why an app cannot be added.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The party is none of ours, or no eMSP.
    #[error("{0} is no eMSP of ours; `roamwatt party add` with the role emsp makes one")]
    NoEmsp(PartyId),
    /// There is an app of that id.
    #[error("there is an app {0} already")]
    Taken(String),
    /// The id can be none.
    #[error("'{0}' cannot be the id of an app: write 1 to 64 letters, digits, hyphens or underscores")]
    Id(String),
    /// The issuer is no URL.
    #[error("the issuer {0}")]
    Issuer(String),
}

/// A new app, as an operator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApp {
    /// Its id.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// The eMSP whose tokens it hands out.
    pub party: PartyId,
    /// Whose id tokens it may show.
    pub oidc: Option<Oidc>,
}

impl NewApp {
    /// Holds it against what an app must be.
    ///
    /// # Errors
    /// When the id can be none, or the issuer is no URL.
    pub fn check(&self) -> Result<(), AppError> {
        let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(is_fine) {
            return Err(AppError::Id(self.id.chars().take(80).collect()));
        }
        if let Some(oidc) = &self.oidc {
            let url = read_url(&oidc.issuer).map_err(|error| AppError::Issuer(error.to_string()))?;
            // OpenID Connect Discovery 1.0, 3, `issuer`.
            if url.query().is_some() || url.fragment().is_some() {
                let reason =
                    format!("'{}' has a query or a fragment, which an issuer never has", oidc.issuer);
                return Err(AppError::Issuer(reason));
            }
        }
        Ok(())
    }
}

/// Adds an app with a secret of that hash.
///
/// # Errors
/// When it can be none, its party is no eMSP of ours, or its id is taken.
pub fn add(
    conn: &mut DbConn,
    new: &NewApp,
    secret_hash: &str,
    now: Timestamp,
) -> Result<DriverApp, AppError> {
    new.check()?;
    if !parties::find(conn, &new.party)?.is_some_and(|party| party.has_role(&Role::Emsp)) {
        return Err(AppError::NoEmsp(new.party.clone()));
    }
    if driver_apps::find(conn, &new.id)?.is_some() {
        return Err(AppError::Taken(new.id.clone()));
    }
    let NewApp { id, name, party, oidc } = new.clone();
    let app = DriverApp { id, name, party, secret_hash: secret_hash.to_owned(), oidc, created: now };
    driver_apps::insert(conn, &app)?;
    Ok(app)
}

/// Removes an app with what is known of its drivers; their tokens, sessions and CDRs stay. What it was given opens
/// nothing from then on. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn remove(app: &App, id: &str) -> Result<bool, DbError> {
    let key = id.to_owned();
    let removed = app.db.write(move |conn| driver_apps::remove(conn, &key)).await?;
    app.gate.forget_app(id);
    app.wakes.tell(Event::AppShutOut(id.to_owned()));
    Ok(removed)
}

/// A new secret with the hash by which it is recognised.
#[must_use]
pub fn new_app_secret(keys: &Keys) -> (String, String) {
    let secret = new_secret();
    let hash = keys.hash(&secret);
    (secret, hash)
}

/// The app of that id, if that is its secret.
///
/// # Errors
/// When the database fails.
pub async fn authenticate(app: &App, id: &str, secret: &str) -> Result<Option<DriverApp>, DbError> {
    let key = id.to_owned();
    let found = app.db.read(move |conn| driver_apps::find(conn, &key)).await?;
    Ok(found.filter(|found| app.keys.matches(secret, &found.secret_hash)))
}
