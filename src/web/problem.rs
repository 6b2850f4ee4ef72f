//! Errors as `application/problem+json` (RFC 9457): what was wrong, where, and what would be right.

use crate::charging::StationCallError;
use crate::db::DbError;
use crate::http::with_causes;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong with a request (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the HTTP status says what kind of problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    kind: &'static str,
    /// The HTTP status in words.
    #[schema(example = "Bad Request")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What was wrong, and what would be right.
    detail: String,
    /// Where it was wrong: each place with what was wrong there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Place>,
    /// Seconds after which the request may be tried again.
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// A place in a request where something was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    /// `query`, `path`, `header` or `body`; `tariff` where it is a tariff that is stored.
    #[serde(rename = "in")]
    #[schema(example = "query")]
    part: &'static str,
    /// The parameter's name, or the JSON path in the body.
    #[schema(example = "limit")]
    at: String,
    /// What was wrong there.
    detail: String,
}

impl Place {
    /// A place and what was wrong there.
    pub fn of(part: &'static str, at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { part, at: at.into(), detail: detail.into() }
    }
}

impl Problem {
    /// A problem of a status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Something in the request that cannot be understood, at its place.
    pub fn bad(part: &'static str, at: impl Into<String>, detail: impl Into<String>) -> Self {
        let (at, detail) = (at.into(), detail.into());
        let mut problem = Self::new(StatusCode::BAD_REQUEST, format!("{part} {at}: {detail}"));
        problem.errors.push(Place { part, at, detail });
        problem
    }

    /// A body with several places that cannot be understood; each is a JSON path with what was wrong there.
    pub fn bad_body(detail: impl Into<String>, places: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, detail);
        let place = |(at, detail)| Place { part: "body", at, detail };
        problem.errors.extend(places.into_iter().map(place));
        problem
    }

    /// With the places where something was wrong.
    #[must_use]
    pub fn with_errors(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.errors.extend(places);
        self
    }

    /// What was wrong, and what would be right.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Something that is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// A caller who does not say, or not prove, who he is.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// A request that cannot be done as things are.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// Too many requests; the next is welcome after so many seconds.
    pub fn too_many(detail: impl Into<String>, retry_after: u64) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, detail);
        problem.retry_after = Some(retry_after);
        problem
    }

    /// A failure on our side: logged here with its causes, of which the caller is told nothing.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = with_causes(error), "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed; its log says why")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        // After `json`, which sets a media type only where there is none.
        response.content_type(MEDIA_TYPE).json(self)
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Contended | DbError::Busy | DbError::Pool(_) => {
                tracing::warn!(error = with_causes(&error), "the database is busy");
                let mut problem = Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the database is busy; nothing was changed, try again",
                );
                problem.retry_after = Some(1);
                problem
            }
            error => Self::internal(&error),
        }
    }
}

impl From<StationCallError> for Problem {
    fn from(error: StationCallError) -> Self {
        let status = match &error {
            StationCallError::Offline | StationCallError::NoRoom => StatusCode::CONFLICT,
            StationCallError::QueueFull => StatusCode::SERVICE_UNAVAILABLE,
            StationCallError::Timeout => StatusCode::GATEWAY_TIMEOUT,
            StationCallError::Refused { .. } | StationCallError::Unreadable(_) => StatusCode::BAD_GATEWAY,
            StationCallError::Unsendable(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

/// For an address under which nothing is.
pub async fn nothing_here(request: actix_web::HttpRequest) -> Problem {
    Problem::not_found(format!("there is nothing at {}", request.path()))
}

impl actix_web::Responder for Problem {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _request: &actix_web::HttpRequest) -> HttpResponse {
        self.error_response()
    }
}
