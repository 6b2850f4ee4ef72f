//! Id tokens of issuers that an operator named for an app (OpenID Connect Core 1.0, 3.1.3.7; Discovery 1.0).
//!
//! The issuer's keys are kept for an hour. A token with a key that is not among them has them read anew, but not more
//! often than every few seconds: so a rotation is seen at once, and rubbish costs the issuer nothing.

use crate::clock::Clock;
use crate::db::driver_apps::Oidc;
use crate::domain::Timestamp;
use crate::roaming::origin::{Origin, read_url};
use async_trait::async_trait;
use chrono::TimeDelta;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Host;

/// How long an issuer's keys are used without asking.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// How soon they are read anew for a key that is not among them.
const AGAIN: TimeDelta = TimeDelta::seconds(5);
/// How far clocks may differ, seconds.
const LEEWAY: i64 = 60;
/// The only signatures that are taken (OpenID Connect Core 1.0, 15.1; RFC 7518, 3.1).
const ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::ES256];

/// Why an id token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// It is no JWT, or of an algorithm that is not taken.
    #[error("the id token is no JWT that is signed with RS256 or ES256")]
    NoToken,
    /// Its signature is not the issuer's.
    #[error("the id token is not signed with a key of the issuer {0}")]
    Signature(String),
    /// It is not what it has to be.
    #[error("the id token's {claim} {reason}")]
    Claim {
        /// Which of its claims.
        claim: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The issuer's keys are not to be had.
    #[error("the keys of the issuer {issuer} cannot be read: {why}")]
    Keys {
        /// The issuer.
        issuer: String,
        /// Why.
        why: String,
    },
}

/// The way to issuers.
#[async_trait]
pub trait IssuerLink: Send + Sync {
    /// Reads a JSON document at a URL, which must be of one of these origins. The error is for people.
    async fn read_json(&self, url: &str, origins: &[String]) -> Result<Value, String>;
}

/// An issuer's keys as they were read last.
#[derive(Debug, Clone)]
struct Known {
    keys: Arc<JwkSet>,
    read: Timestamp,
}

/// One slot per issuer, so that one that is slow holds up no other.
type Slot = Arc<tokio::sync::Mutex<Option<Known>>>;

/// The issuers and their keys.
pub struct Issuers {
    link: Arc<dyn IssuerLink>,
    clock: Clock,
    known: Mutex<HashMap<String, Slot>>,
}

impl std::fmt::Debug for Issuers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Issuers(…)")
    }
}

#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct IdClaims {
    sub: String,
    aud: OneOrMany,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Issuers {
    /// With nothing known yet.
    #[must_use]
    pub fn new(link: Arc<dyn IssuerLink>, clock: Clock) -> Self {
        Self { link, clock, known: Mutex::default() }
    }

    /// Who the driver is to the issuer, if the token is good. `nonce` is the one with which the app asked for it.
    ///
    /// # Errors
    /// When the token is not good, or the issuer's keys are not to be had.
    pub async fn subject_of(
        &self,
        oidc: &Oidc,
        token: &str,
        nonce: Option<&str>,
    ) -> Result<String, OidcError> {
        let header = decode_header(token).map_err(|_| OidcError::NoToken)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(OidcError::NoToken);
        }
        let keys = self.keys_for(oidc, header.kid.as_deref()).await?;
        let fits = |key: &&Jwk| match (&header.kid, &key.common.key_id) {
            (Some(wanted), Some(own)) => wanted == own,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let signature = || OidcError::Signature(oidc.issuer.clone());
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&oidc.issuer]);
        validation.set_audience(&[&oidc.audience]);
        // By our clock, and below.
        validation.validate_exp = false;
        for key in keys.keys.iter().filter(fits) {
            let Ok(key) = DecodingKey::from_jwk(key) else { continue };
            let claims = match decode::<IdClaims>(token, &key, &validation) {
                Ok(decoded) => decoded.claims,
                Err(error) => match error.kind() {
                    ErrorKind::InvalidIssuer => {
                        return Err(wrong("iss", format!("is not {}", oidc.issuer)));
                    }
                    ErrorKind::InvalidAudience => {
                        return Err(wrong("aud", format!("is not {}", oidc.audience)));
                    }
                    ErrorKind::MissingRequiredClaim(_) | ErrorKind::Json(_) => {
                        return Err(OidcError::NoToken);
                    }
                    // Signed with another of the issuer's keys, perhaps.
                    _ => continue,
                },
            };
            check(&claims, oidc, nonce, self.clock.now())?;
            return Ok(claims.sub);
        }
        Err(signature())
    }

    /// The issuer's keys: those that are known, unless they are old or lack the key that is wanted.
    async fn keys_for(&self, oidc: &Oidc, wanted: Option<&str>) -> Result<Arc<JwkSet>, OidcError> {
        let slot = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(oidc.issuer.clone()).or_default())
        };
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        if let Some(known) = &*slot {
            let has = wanted.is_none_or(|wanted| known.keys.find(wanted).is_some());
            let fresh = now < known.read.plus(if has { KEPT } else { AGAIN });
            if fresh {
                return Ok(Arc::clone(&known.keys));
            }
        }
        match self.read_keys(&oidc.issuer).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *slot = Some(Known { keys: Arc::clone(&keys), read: now });
                Ok(keys)
            }
            Err(why) => {
                tracing::warn!(issuer = oidc.issuer, why, "the keys of an issuer cannot be read");
                Err(OidcError::Keys { issuer: oidc.issuer.clone(), why })
            }
        }
    }

    async fn read_keys(&self, issuer: &str) -> Result<JwkSet, String> {
        let base = read_url(issuer).map_err(|error| error.to_string())?;
        let own = Origin::of(&base).to_string();
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = self.link.read_json(&url, std::slice::from_ref(&own)).await?;
        let found: Discovered = serde_json::from_value(document).map_err(|error| error.to_string())?;
        if found.issuer != issuer {
            return Err(format!("its configuration is that of '{}'", found.issuer));
        }
        let keys = read_url(&found.jwks_uri).map_err(|error| error.to_string())?;
        let elsewhere = Origin::of(&keys).to_string();
        // The operator named the issuer; where else its keys are, it says itself, and it is believed only as to
        // public places.
        let is_name = matches!(keys.host(), Some(Host::Domain(_)));
        if elsewhere != own && (keys.scheme() != "https" || !is_name) {
            return Err(format!("its jwks_uri is at {elsewhere}, which is no https:// and a name"));
        }
        let document = self.link.read_json(&found.jwks_uri, &[elsewhere]).await?;
        serde_json::from_value(document).map_err(|error| error.to_string())
    }
}

fn wrong(claim: &'static str, reason: impl Into<String>) -> OidcError {
    OidcError::Claim { claim, reason: reason.into() }
}

/// What the library does not look at (OpenID Connect Core 1.0, 3.1.3.7).
fn check(claims: &IdClaims, oidc: &Oidc, nonce: Option<&str>, now: Timestamp) -> Result<(), OidcError> {
    let now = now.millis().div_euclid(1000);
    let many = matches!(&claims.aud, OneOrMany::Many(all) if all.len() > 1);
    if many && claims.azp.is_none() {
        return Err(wrong("azp", "is missing, and aud names several"));
    }
    if claims.azp.as_ref().is_some_and(|azp| *azp != oidc.audience) {
        return Err(wrong("azp", format!("is not {}", oidc.audience)));
    }
    if let OneOrMany::One(one) = &claims.aud
        && *one != oidc.audience
    {
        return Err(wrong("aud", format!("is not {}", oidc.audience)));
    }
    if claims.exp.saturating_add(LEEWAY) <= now {
        return Err(wrong("exp", "is over"));
    }
    if claims.nbf.unwrap_or(i64::MIN) > now.saturating_add(LEEWAY) {
        return Err(wrong("nbf", "is still to come"));
    }
    if claims.iat > now.saturating_add(LEEWAY) {
        return Err(wrong("iat", "is still to come"));
    }
    match (claims.nonce.as_deref(), nonce) {
        (own, Some(asked)) if own != Some(asked) => Err(wrong("nonce", "is not the one that was sent")),
        (Some(_), None) => Err(wrong("nonce", "is there: send the one with which the app asked, as `nonce`")),
        _ if claims.sub.is_empty() || claims.sub.chars().count() > super::access::LONGEST_SUBJECT => {
            Err(wrong("sub", "is empty or too long"))
        }
        _ => Ok(()),
    }
}
