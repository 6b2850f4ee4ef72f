//! Who may do what with the operator API: an API key is exchanged for an access token (a JWT), which says the
//! role of its holder until it expires.

use crate::app::App;
use crate::db::api_keys;
use crate::domain::Timestamp;
use crate::web::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use std::future::{Ready, ready};
use utoipa::ToSchema;

/// Who made a token: ours say this, so that a token of another service with the same key is none of ours.
const ISSUER: &str = "roamwatt";

/// What the holder of an API key is to this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May do everything, also commands to stations.
    Operator,
    /// May read everything, and export, dispute and credit CDRs.
    Finance,
    /// May read everything.
    Viewer,
}

/// What a route demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Look at what there is.
    Read,
    /// Take accounts away in bulk.
    Export,
    /// Decide about bills: dispute and accept those of others, credit ours.
    Settle,
    /// Change something, or command a station.
    Operate,
}

impl Role {
    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Operator, Self::Finance, Self::Viewer].into_iter().find(|role| role.as_str() == name)
    }

    /// Its name, as the database and tokens have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Finance => "finance",
            Self::Viewer => "viewer",
        }
    }

    /// Whether it has a permission.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Read => true,
            Permission::Export | Permission::Settle => self != Self::Viewer,
            Permission::Operate => self == Self::Operator,
        }
    }
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// Number of the API key.
    sub: String,
    role: Role,
    /// Seconds since 1970.
    iat: i64,
    /// Seconds since 1970.
    exp: i64,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Number of the API key.
    pub api_key: String,
    /// The role.
    pub role: Role,
}

/// An access token and how long it is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccessToken {
    /// To be sent as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 900)]
    expires_in: u64,
    /// What the token allows.
    role: Role,
}

/// Exchanges an API key for an access token
///
/// Send the key as `Authorization: Bearer API_KEY`. Keys are made with `roamwatt api-key create`. Roles: `viewer`
/// may read, `finance` may also export, dispute and credit CDRs, `operator` may do everything.
///
/// # Errors
/// 401 for a key that is not known.
#[utoipa::path(
    post, path = "/api/v1/token", tag = "access", security(("api_key" = [])),
    responses((status = 200, description = "The access token", body = AccessToken))
)]
pub async fn create_token(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<web::Json<AccessToken>, Problem> {
    let hash = app.keys.hash(bearer(&request)?);
    let found = app.db.read(move |conn| api_keys::find(conn, &hash)).await?;
    let known = found.and_then(|(id, role)| Some((id, Role::named(&role)?)));
    let (id, role) = known.ok_or_else(|| Problem::unauthorized("the API key is not known"))?;
    let lifetime = app.config.security.access_token_lifetime.as_secs();
    let access_token = issue(&app, &Caller { api_key: id.to_string(), role }, lifetime)?;
    Ok(web::Json(AccessToken { access_token, token_type: "Bearer", expires_in: lifetime, role }))
}

fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

/// Makes an access token.
fn issue(app: &App, caller: &Caller, lifetime: u64) -> Result<String, Problem> {
    let now = seconds(app.now());
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: caller.api_key.clone(),
        role: caller.role,
        iat: now,
        exp: now.saturating_add(i64::try_from(lifetime).unwrap_or(i64::MAX)),
    };
    let key = EncodingKey::from_secret(app.keys.access_tokens());
    encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(|error| Problem::internal(&error))
}

/// Who an access token speaks for.
///
/// # Errors
/// 401 for one that is not ours, changed, or expired.
pub fn caller_of(app: &App, token: &str) -> Result<Caller, Problem> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    // By our clock, which tests turn, and below.
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(app.keys.access_tokens());
    let claims: Claims = decode(token, &key, &validation)
        .map_err(|_| Problem::unauthorized("this is no access token of ours; POST /api/v1/token gives one"))?
        .claims;
    if claims.exp <= seconds(app.now()) {
        return Err(Problem::unauthorized("the access token has expired; POST /api/v1/token gives another"));
    }
    Ok(Caller { api_key: claims.sub, role: claims.role })
}

/// What stands behind `Bearer`.
///
/// # Errors
/// 401 where there is no such thing.
pub fn bearer(request: &HttpRequest) -> Result<&str, Problem> {
    let missing = || Problem::unauthorized("send `Authorization: Bearer …`");
    let header = request.headers().get(AUTHORIZATION).ok_or_else(missing)?;
    let text = header.to_str().map_err(|_| missing())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}

fn admit(request: &HttpRequest, permission: Permission) -> Result<Caller, Problem> {
    let app = request
        .app_data::<web::Data<App>>()
        .ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the server is set up wrongly"))?;
    let caller = caller_of(app, bearer(request)?)?;
    if caller.role.may(permission) {
        return Ok(caller);
    }
    let needed = match permission {
        Permission::Read => "viewer, finance or operator",
        Permission::Export | Permission::Settle => "finance or operator",
        Permission::Operate => "operator",
    };
    let role = caller.role.as_str();
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        format!("the role {role} may not do this; it needs the role {needed}"),
    ))
}

/// Makes an argument of a handler that only a caller with the permission gets past.
macro_rules! permission {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub Caller);

        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
                ready(admit(request, Permission::$name).map(Self))
            }
        }
    };
}
permission! {
    /// A caller who may look.
    Read
}
permission! {
    /// A caller who may take accounts away.
    Export
}
permission! {
    /// A caller who may decide about bills.
    Settle
}
permission! {
    /// A caller who may change and command.
    Operate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_role_may() {
        let may =
            |role: Role| [Permission::Read, Permission::Export, Permission::Operate].map(|p| role.may(p));
        assert_eq!(may(Role::Viewer), [true, false, false]);
        assert_eq!(may(Role::Finance), [true, true, false]);
        assert_eq!(may(Role::Operator), [true, true, true]);
        assert_eq!(Role::named("operator"), Some(Role::Operator));
        assert_eq!(Role::named("root"), None);
    }
}
