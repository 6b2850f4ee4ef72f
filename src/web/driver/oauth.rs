//! From an app's word, or an issuer's, to access tokens, in the terms of OAuth 2.0 (RFC 6749): client credentials for
//! an app that only looks, token exchange (RFC 8693) for one of its users, a JWT bearer grant (RFC 7523) for an id
//! token of an issuer, and refresh tokens. Errors are those of RFC 6749, 5.2, not problem documents.

use super::auth::Client;
use crate::app::App;
use crate::db::DbError;
use crate::db::driver_apps::DriverApp;
use crate::driver::access::{self, AccessError, Issued, LONGEST_SUBJECT};
use crate::driver::oidc::OidcError;
use crate::http::with_causes;
use crate::web::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The type of a `subject_token` that is the app's own id of a user.
const USER_ID: &str = "urn:roamwatt:params:oauth:token-type:user-id";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What an app asks for, form-encoded.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct TokenRequest {
    /// `client_credentials`, `urn:ietf:params:oauth:grant-type:token-exchange`,
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer` or `refresh_token`.
    #[schema(example = "urn:ietf:params:oauth:grant-type:token-exchange")]
    #[serde(default)]
    grant_type: String,
    /// With a token exchange: the app's own id of its user, or an id token.
    #[schema(example = "user-4711")]
    subject_token: Option<String>,
    /// With a token exchange: `urn:roamwatt:params:oauth:token-type:user-id` or
    /// `urn:ietf:params:oauth:token-type:id_token`.
    #[schema(example = "urn:roamwatt:params:oauth:token-type:user-id")]
    subject_token_type: Option<String>,
    /// With a JWT bearer grant: an id token.
    assertion: Option<String>,
    /// With an id token: the nonce with which the app asked for it.
    nonce: Option<String>,
    /// With `refresh_token`: the refresh token.
    refresh_token: Option<String>,
}

/// What an app gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenView {
    /// To be sent as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Always `urn:ietf:params:oauth:token-type:access_token`.
    issued_token_type: &'static str,
    /// Seconds.
    #[schema(example = 900)]
    expires_in: u64,
    /// Good once, for the next tokens; missing for an app itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// The driver, as this API calls it; missing for an app itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_id: Option<String>,
}

impl From<Issued> for TokenView {
    fn from(issued: Issued) -> Self {
        let Issued { access_token, expires_in, refresh_token, driver_id } = issued;
        Self {
            access_token,
            token_type: "Bearer",
            issued_token_type: ACCESS_TOKEN,
            expires_in,
            refresh_token,
            driver_id,
        }
    }
}

/// Why an app gets no token (RFC 6749, 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OauthError {
    #[serde(skip)]
    status: u16,
    /// `invalid_client`, `invalid_grant`, `invalid_request`, `unsupported_grant_type`, …
    #[schema(example = "invalid_grant")]
    error: &'static str,
    /// For people.
    error_description: String,
}

impl OauthError {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        // The words may have no quotes and no backslashes (RFC 6749, 5.2).
        let description: String = description.into();
        Self { status: status.as_u16(), error, error_description: description.replace(['"', '\\'], "'") }
    }

    fn grant(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_grant", description)
    }

    fn request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }
}

impl fmt::Display for OauthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error, self.error_description)
    }
}

impl ResponseError for OauthError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CACHE_CONTROL, "no-store"));
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Basic")));
        }
        response.json(self)
    }
}

impl From<DbError> for OauthError {
    fn from(error: DbError) -> Self {
        tracing::error!(error = with_causes(&error), "a request failed");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again")
    }
}

impl From<AccessError> for OauthError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Db(error) => error.into(),
            AccessError::Sign(_) => {
                tracing::error!(error = with_causes(&error), "a request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the server's log says why")
            }
            AccessError::NotGood | AccessError::Reused => Self::grant(error.to_string()),
        }
    }
}

impl From<OidcError> for OauthError {
    fn from(error: OidcError) -> Self {
        match error {
            OidcError::Keys { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", error.to_string())
            }
            error => Self::grant(error.to_string()),
        }
    }
}

/// An app that did not prove who it is, in OAuth's terms.
fn no_client(problem: &Problem) -> OauthError {
    let status = problem.status_code();
    let word = if status == StatusCode::UNAUTHORIZED { "invalid_client" } else { "temporarily_unavailable" };
    OauthError::new(status, word, problem.detail())
}

/// The app, and what it sent.
async fn read<T: for<'de> Deserialize<'de>>(
    client: Result<Client, Problem>,
    request: &HttpRequest,
    body: &[u8],
) -> Result<(DriverApp, T), OauthError> {
    let Client(client) = client.map_err(|problem| no_client(&problem))?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OauthError::request("send the parameters as application/x-www-form-urlencoded"));
    }
    let parameters = serde_urlencoded::from_bytes(body)
        .map_err(|error| OauthError::request(format!("the parameters cannot be read: {error}")))?;
    Ok((client, parameters))
}

/// Gives tokens
///
/// The app sends its id and secret as HTTP Basic authentication. With `client_credentials` it gets a token for itself,
/// with which it can look for places. With a token exchange it names one of its users; with a JWT bearer grant it
/// shows an id token of the issuer that the operator named for it. A refresh token is good once.
///
/// # Errors
/// 401 for an app that is not known, 400 for what is not good.
#[utoipa::path(
    post, path = "/driver/v1/token", tag = "access", security(("app" = [])),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens", body = TokenView),
        (status = 400, description = "Why there are none", body = OauthError),
    )
)]
pub async fn create_token(
    client: Result<Client, Problem>,
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, OauthError> {
    let (client, asked): (DriverApp, TokenRequest) = read(client, &request, &body).await?;
    let missing = |name: &str| OauthError::request(format!("the parameter {name} is missing"));
    let issued = match asked.grant_type.as_str() {
        "client_credentials" => access::for_app(&app, &client)?,
        "refresh_token" => {
            let token = asked.refresh_token.as_deref().ok_or_else(|| missing("refresh_token"))?;
            access::refresh(&app, &client, token).await?
        }
        JWT_BEARER => {
            let token = asked.assertion.as_deref().ok_or_else(|| missing("assertion"))?;
            by_id_token(&app, &client, token, asked.nonce.as_deref()).await?
        }
        TOKEN_EXCHANGE => {
            let token = asked.subject_token.as_deref().ok_or_else(|| missing("subject_token"))?;
            match asked.subject_token_type.as_deref() {
                Some(USER_ID) => by_user_id(&app, &client, token).await?,
                Some(ID_TOKEN) => by_id_token(&app, &client, token, asked.nonce.as_deref()).await?,
                _ => {
                    let known = format!("subject_token_type has to be {USER_ID} or {ID_TOKEN}");
                    return Err(OauthError::request(known));
                }
            }
        }
        "" => return Err(missing("grant_type")),
        _ => {
            let known =
                format!("there are client_credentials, refresh_token, {TOKEN_EXCHANGE} and {JWT_BEARER}");
            return Err(OauthError::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", known));
        }
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    Ok(response.json(TokenView::from(issued)))
}

async fn by_user_id(app: &App, client: &DriverApp, user: &str) -> Result<Issued, OauthError> {
    if user.trim().is_empty() || user.chars().count() > LONGEST_SUBJECT {
        let wanted = format!("a user id has 1 to {LONGEST_SUBJECT} characters");
        return Err(OauthError::request(wanted));
    }
    Ok(access::exchange(app, client, "", user).await?)
}

async fn by_id_token(
    app: &App,
    client: &DriverApp,
    token: &str,
    nonce: Option<&str>,
) -> Result<Issued, OauthError> {
    let Some(oidc) = &client.oidc else {
        let reason = "no issuer of id tokens is configured for this app";
        return Err(OauthError::new(StatusCode::BAD_REQUEST, "unauthorized_client", reason));
    };
    let subject = app.issuers.subject_of(oidc, token, nonce).await?;
    Ok(access::exchange(app, client, &oidc.issuer, &subject).await?)
}

/// What an app takes back, form-encoded.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct RevokeRequest {
    /// A refresh token.
    token: String,
}

/// Takes a driver's tokens back
///
/// The refresh token and all that came of it end (RFC 7009). A token that is not known is no error.
///
/// # Errors
/// 401 for an app that is not known.
#[utoipa::path(
    post, path = "/driver/v1/revoke", tag = "access", security(("app" = [])),
    request_body(content = RevokeRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "They have ended"))
)]
pub async fn revoke_token(
    client: Result<Client, Problem>,
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, OauthError> {
    let (client, asked): (DriverApp, RevokeRequest) = read(client, &request, &body).await?;
    access::revoke(&app, &client, &asked.token).await?;
    Ok(HttpResponse::Ok().finish())
}
