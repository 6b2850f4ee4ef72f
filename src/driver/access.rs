//! From an app's word, or an issuer's, to a driver's access token, and on from one to the next (RFC 6749, RFC 8693).
//!
//! An access token is a JWT that is good for minutes and names app, driver and grant. Whether these are still good is
//! known in memory ([`super::gate`]); what does more than look for places asks the database besides. A refresh token is
//! good once; when one comes again, its grant ends.

use crate::app::{App, Event};
use crate::db::driver_apps::DriverApp;
use crate::db::driver_grants::{self, Grant};
use crate::db::drivers::{self, Driver};
use crate::db::{DbConn, DbError};
use crate::domain::party::PartyId;
use crate::domain::token::{Token, TokenType, Whitelist};
use crate::domain::{Extra, Timestamp};
use crate::roaming::catalogue::put_token;
use crate::security::{new_contract_id, new_secret, new_token_uid};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

/// Who made an access token, and for what: one of the operator API is none of ours.
const ISSUER: &str = "roamwatt";
const AUDIENCE: &str = "roamwatt driver API";

/// The longest name of a driver at its app or issuer (OpenID Connect Core 1.0, 2, `sub`).
pub const LONGEST_SUBJECT: usize = 255;

/// Why somebody gets no access token.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// It cannot be signed.
    #[error("the access token cannot be made")]
    Sign(#[source] jsonwebtoken::errors::Error),
    /// The refresh token is not known, is another app's, or its grant has ended.
    #[error("the refresh token is not known, or its time is over; exchange the user id again")]
    NotGood,
    /// The refresh token came again.
    #[error(
        "the refresh token was used before: everything that came of it has ended; exchange the user id again"
    )]
    Reused,
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The driver; missing in a token for the app itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    /// The app.
    client_id: String,
    /// When the app was added, milliseconds since 1970: another one of that id is another one.
    client_since: i64,
    /// The eMSP, as `DE*ABC`.
    emsp: String,
    /// The grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    /// Seconds since 1970.
    iat: i64,
    /// Seconds since 1970.
    exp: i64,
}

/// Whom an access token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The app.
    pub app_id: String,
    /// When the app was added.
    pub app_since: Timestamp,
    /// The app's eMSP.
    pub emsp: PartyId,
    /// The driver and the grant; none where the app speaks for itself.
    pub driver: Option<Held>,
}

impl Holder {
    fn of(client: &DriverApp, driver: Option<Held>) -> Self {
        Self { app_id: client.id.clone(), app_since: client.created, emsp: client.party.clone(), driver }
    }
}

/// A driver and the grant on which a token rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The driver.
    pub driver_id: String,
    /// The grant.
    pub grant_id: String,
}

impl From<Grant> for Held {
    fn from(grant: Grant) -> Self {
        Self { driver_id: grant.driver_id, grant_id: grant.id }
    }
}

/// What is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The access token.
    pub access_token: String,
    /// For so many seconds.
    pub expires_in: u64,
    /// With what it goes on; none for an app itself.
    pub refresh_token: Option<String>,
    /// The driver.
    pub driver_id: Option<String>,
}

/// Why an access token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAccess {
    /// It is none of ours, or was changed.
    #[error("this is no access token of the driver API; POST /driver/v1/token gives one")]
    NotOurs,
    /// Its time is over.
    #[error("the access token has expired; POST /driver/v1/token gives another")]
    Expired,
    /// It speaks for no driver.
    #[error("the access token speaks for the app alone; this needs one for a driver")]
    NoDriver,
    /// What it rests on has ended.
    #[error("the access token was taken back; exchange the user id again")]
    Revoked,
    /// The app is gone.
    #[error("the app of the access token was removed")]
    AppGone,
}

fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

fn sign(app: &App, holder: &Holder) -> Result<(String, u64), AccessError> {
    let lifetime = app.config.driver.access_token_lifetime.as_secs();
    let now = seconds(app.now());
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: holder.driver.as_ref().map(|held| held.driver_id.clone()),
        client_id: holder.app_id.clone(),
        client_since: holder.app_since.millis(),
        emsp: holder.emsp.to_string(),
        grant: holder.driver.as_ref().map(|held| held.grant_id.clone()),
        iat: now,
        exp: now.saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX)),
    };
    let key = EncodingKey::from_secret(app.keys.driver_tokens());
    let token = encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(AccessError::Sign)?;
    Ok((token, lifetime))
}

/// Whom an access token speaks for, by what it says itself.
///
/// # Errors
/// When it is none of ours, was changed, or has expired.
pub fn holder_of(app: &App, token: &str) -> Result<Holder, NoAccess> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    // By our clock, which tests turn, and below.
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(app.keys.driver_tokens());
    let claims: Claims = decode(token, &key, &validation).map_err(|_| NoAccess::NotOurs)?.claims;
    if claims.exp <= seconds(app.now()) {
        return Err(NoAccess::Expired);
    }
    let driver = match (claims.sub, claims.grant) {
        (Some(driver_id), Some(grant_id)) => Some(Held { driver_id, grant_id }),
        _ => None,
    };
    let emsp = claims.emsp.parse().map_err(|_| NoAccess::NotOurs)?;
    let app_since = Timestamp::from_millis(claims.client_since).ok_or(NoAccess::NotOurs)?;
    Ok(Holder { app_id: claims.client_id, app_since, emsp, driver })
}

/// Whether what a driver's access token rests on is still good, and until when it is, as far as is known.
///
/// # Errors
/// When the database fails. Within: that it is not.
pub fn confirm(
    conn: &mut DbConn,
    held: &Held,
    now: Timestamp,
) -> Result<Result<Timestamp, NoAccess>, DbError> {
    let grant = driver_grants::find(conn, &held.grant_id)?;
    let good = grant.filter(|grant| grant.is_good(now) && grant.driver_id == held.driver_id);
    Ok(good.map(|grant| grant.expires_at).ok_or(NoAccess::Revoked))
}

/// A grant was taken back: it opens nothing from now on, and what it opened ends.
fn shut_out(app: &App, held: &Held) {
    app.gate.forget_grant(&held.grant_id);
    app.wakes.tell(Event::DriverShutOut(held.driver_id.clone()));
}

/// An access token for an app itself: for looking, not for charging (RFC 6749, 4.4).
///
/// # Errors
/// When it cannot be signed.
pub fn for_app(app: &App, client: &DriverApp) -> Result<Issued, AccessError> {
    let (access_token, expires_in) = sign(app, &Holder::of(client, None))?;
    Ok(Issued { access_token, expires_in, refresh_token: None, driver_id: None })
}

/// Tokens for the driver whom an app, or an issuer, calls so. The first time, the driver gets a token to charge with.
///
/// # Errors
/// When the database fails.
pub async fn exchange(
    app: &App,
    client: &DriverApp,
    issuer: &str,
    subject: &str,
) -> Result<Issued, AccessError> {
    let (owner, issuer, subject) = (client.clone(), issuer.to_owned(), subject.to_owned());
    let (refresh_token, lifetime) = (new_secret(), refresh_lifetime(app));
    let hash = app.keys.hash(&refresh_token);
    let clock = app.clock.clone();
    let held = app
        .db
        .write(move |conn| {
            let now = clock.now();
            let driver = match drivers::by_subject(conn, &owner.id, &issuer, &subject)? {
                Some(driver) => driver,
                None => new_driver(conn, &owner, &issuer, &subject, now)?,
            };
            driver_grants::forget_ended(conn, &driver.id, now)?;
            let grant = Grant {
                id: uuid::Uuid::new_v4().to_string(),
                driver_id: driver.id.clone(),
                created: now,
                expires_at: now.plus(lifetime),
                revoked: false,
            };
            driver_grants::insert(conn, &grant)?;
            driver_grants::add_refresh_token(conn, &grant.id, &hash)?;
            Ok::<_, DbError>(Held { driver_id: driver.id, grant_id: grant.id })
        })
        .await?;
    // Partners are told of a new token.
    app.wakes.delivery.notify_waiters();
    issue(app, client, held, refresh_token)
}

fn refresh_lifetime(app: &App) -> TimeDelta {
    TimeDelta::from_std(app.config.driver.refresh_token_lifetime).unwrap_or(TimeDelta::MAX)
}

fn issue(app: &App, client: &DriverApp, held: Held, refresh_token: String) -> Result<Issued, AccessError> {
    let driver_id = Some(held.driver_id.clone());
    let (access_token, expires_in) = sign(app, &Holder::of(client, Some(held)))?;
    Ok(Issued { access_token, expires_in, refresh_token: Some(refresh_token), driver_id })
}

/// A driver with a token to charge with (OCPI 2.2.1 mod_tokens, "TokenType", `APP_USER`).
fn new_driver(
    conn: &mut DbConn,
    client: &DriverApp,
    issuer: &str,
    subject: &str,
    now: Timestamp,
) -> Result<Driver, DbError> {
    let driver = Driver {
        id: uuid::Uuid::new_v4().to_string(),
        app_id: client.id.clone(),
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        created: now,
    };
    drivers::insert(conn, &driver)?;
    let token = Token {
        party: client.party.clone(),
        uid: new_token_uid().into(),
        token_type: TokenType::AppUser,
        contract_id: new_contract_id(client.party.country_code(), client.party.party_id()).into(),
        visual_number: None,
        issuer: client.name.clone(),
        group_id: None,
        valid: true,
        whitelist: Whitelist::Allowed,
        language: None,
        default_profile_type: None,
        energy_contract: None,
        last_updated: now,
        extra: Extra::new(),
    };
    put_token(conn, &token, now)?;
    drivers::link_token(conn, &driver.id, &token.key(), now)?;
    Ok(driver)
}

/// What became of a refresh token.
enum Refreshed {
    Good(Held),
    NotGood,
    Reused(Held),
}

/// The next tokens of a grant, for a refresh token that was not used yet.
///
/// # Errors
/// When the token is not known, is another app's, or has expired; when it was used before, which ends the grant.
pub async fn refresh(app: &App, client: &DriverApp, refresh_token: &str) -> Result<Issued, AccessError> {
    let (old, next) = (app.keys.hash(refresh_token), new_secret());
    let (hash, lifetime) = (app.keys.hash(&next), refresh_lifetime(app));
    let (clock, app_id) = (app.clock.clone(), client.id.clone());
    let refreshed = app
        .db
        .write(move |conn| {
            let now = clock.now();
            let Some((grant, used)) = driver_grants::by_refresh_token(conn, &old)? else {
                return Ok(Refreshed::NotGood);
            };
            let driver = drivers::find(conn, &grant.driver_id)?;
            if driver.is_none_or(|driver| driver.app_id != app_id) {
                return Ok(Refreshed::NotGood);
            }
            if used {
                driver_grants::revoke(conn, &grant.id)?;
                return Ok(Refreshed::Reused(grant.into()));
            }
            if !grant.is_good(now) {
                return Ok(Refreshed::NotGood);
            }
            driver_grants::use_refresh_token(conn, &old)?;
            driver_grants::add_refresh_token(conn, &grant.id, &hash)?;
            driver_grants::extend(conn, &grant.id, now.plus(lifetime))?;
            Ok::<_, DbError>(Refreshed::Good(grant.into()))
        })
        .await?;
    match refreshed {
        Refreshed::Good(held) => issue(app, client, held, next),
        Refreshed::NotGood => Err(AccessError::NotGood),
        Refreshed::Reused(held) => {
            shut_out(app, &held);
            tracing::warn!(app = client.id, "a refresh token came again; its grant was taken back");
            Err(AccessError::Reused)
        }
    }
}

/// Takes a grant back, by a refresh token of it (RFC 7009). One that is not known, or is another app's, changes
/// nothing.
///
/// # Errors
/// When the database fails.
pub async fn revoke(app: &App, client: &DriverApp, refresh_token: &str) -> Result<(), DbError> {
    let (hash, app_id) = (app.keys.hash(refresh_token), client.id.clone());
    let revoked = app
        .db
        .write(move |conn| {
            let Some((grant, _)) = driver_grants::by_refresh_token(conn, &hash)? else { return Ok(None) };
            let driver = drivers::find(conn, &grant.driver_id)?;
            if driver.is_none_or(|driver| driver.app_id != app_id) {
                return Ok(None);
            }
            driver_grants::revoke(conn, &grant.id)?;
            Ok::<_, DbError>(Some(Held::from(grant)))
        })
        .await?;
    if let Some(held) = revoked {
        shut_out(app, &held);
    }
    Ok(())
}
