//! Answers: what use cases return, in the words of OCPI, with the status codes where they belong
//! (OCPI 2.2.1 status_codes).
//!
//! What reached the OCPI layer is answered HTTP 200 with a status code; HTTP errors are for what is no JSON, is
//! not there, or is not the caller's.

use super::auth::Refusal;
use super::envelope::{Envelope, StatusCode};
use super::examine::Note;
use super::paging::{PageHeaders, PageQuery};
use super::wire::WireError;
use crate::app::App;
use crate::db::page::{Page, Slice};
use crate::domain::party::PartyId;
use crate::roaming::receive::{ReceiveError, Written};
use actix_web::http::StatusCode as Http;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// What was asked for.
pub fn found<T: Serialize>(app: &App, data: T) -> HttpResponse {
    HttpResponse::Ok().json(Envelope::success(data, app.now()))
}

/// It was done, and there is nothing to give back.
pub fn done(app: &App) -> HttpResponse {
    HttpResponse::Ok().json(Envelope::done(app.now()))
}

/// An object was taken: 201 where it is new. `notes` say what had to be put right in it, so that the sender can
/// learn of it.
pub fn written(app: &App, written: Written, notes: &[Note]) -> HttpResponse {
    let mut envelope = Envelope::done(app.now());
    if !notes.is_empty() {
        let told = notes.iter().take(5).map(|note| format!("{}: {}", note.path, note.message));
        let more = if notes.len() > 5 { "; …" } else { "" };
        envelope.status_message = Some(format!("{}{more}", told.collect::<Vec<_>>().join("; ")));
        tracing::info!(notes = envelope.status_message, "a partner's object was put right");
    }
    let http = if written == Written::Created { Http::CREATED } else { Http::OK };
    HttpResponse::build(http).json(envelope)
}

/// A page of a list, and the headers that lead to the next.
pub fn page<T: Serialize>(app: &App, req: &HttpRequest, query: &PageQuery, slice: Slice<T>) -> HttpResponse {
    let most = most_on_a_page(app);
    let url = format!("{}{}", app.public_url, req.path().trim_end_matches('/'));
    let total = u64::try_from(slice.total).unwrap_or_default();
    let mut response = HttpResponse::Ok();
    for pair in PageHeaders::new(&url, query, total, most).pairs() {
        response.insert_header(pair);
    }
    response.json(Envelope::success(slice.items, app.now()))
}

fn most_on_a_page(app: &App) -> u64 {
    u64::try_from(app.config.roaming.page_limit_max).unwrap_or(u64::MAX)
}

/// Which page is asked for.
///
/// # Errors
/// 2001 that names the parameter that is wrong.
pub fn page_query(app: &App, req: &HttpRequest) -> Result<(PageQuery, Page), Refusal> {
    let query = PageQuery::parse(req.query_string())
        .map_err(|error| refuse(app, Http::OK, StatusCode::INVALID_PARAMETERS, error.to_string()))?;
    let usual = u64::try_from(app.config.roaming.page_limit).unwrap_or(u64::MAX);
    let query = PageQuery { limit: Some(query.limit.unwrap_or(usual)), ..query };
    let page = Page {
        offset: i64::try_from(query.offset).unwrap_or(i64::MAX),
        limit: i64::try_from(query.size(most_on_a_page(app))).unwrap_or(i64::MAX),
        from: query.date_from,
        to: query.date_to,
    };
    Ok((query, page))
}

/// The party that two segments of a URL name.
///
/// # Errors
/// 404 when they are no party's.
pub fn party_of_path(app: &App, country_code: &str, party_id: &str) -> Result<PartyId, Refusal> {
    PartyId::new(country_code, party_id).map_err(|error| {
        refuse(app, Http::NOT_FOUND, StatusCode::INVALID_PARAMETERS, format!("in the URL: {error}"))
    })
}

/// Refuses, and counts that.
pub fn refuse(app: &App, http: Http, code: StatusCode, message: impl Into<String>) -> Refusal {
    let message = message.into();
    let reason = match code {
        StatusCode::NOT_ENOUGH_INFORMATION => "not_enough_information",
        StatusCode::UNKNOWN_LOCATION => "unknown_location",
        StatusCode::UNKNOWN_TOKEN => "unknown_token_asked",
        _ if http == Http::NOT_FOUND => "unknown_object",
        _ if http == Http::FORBIDDEN => "forbidden",
        _ => "invalid",
    };
    app.metrics.refused.with_label_values(&["ocpi", reason]).inc();
    tracing::info!(reason, code = code.code(), message, "an OCPI request was refused");
    Refusal::http(http, code, message, app.now())
}

/// Refuses a body that cannot be read: HTTP 400 where it is no JSON, else 2001 alone.
pub fn misread(app: &App, error: &WireError) -> Refusal {
    let http = if error.not_json { Http::BAD_REQUEST } else { Http::OK };
    refuse(app, http, StatusCode::INVALID_PARAMETERS, error.to_string())
}

/// 2001 at a place in the body.
pub fn invalid(app: &App, path: &str, reason: &str) -> Refusal {
    refuse(app, Http::OK, StatusCode::INVALID_PARAMETERS, format!("{path}: {reason}"))
}

/// Refuses what a use case did not take or show. `unknown` is the status code of an object of this module that
/// is not known.
pub fn refuse_receive(app: &App, error: &ReceiveError, unknown: StatusCode) -> Refusal {
    match error {
        ReceiveError::Db(error) => Refusal::failed(error, app.now()),
        ReceiveError::NotTheirs { .. } => {
            app.metrics.refused.with_label_values(&["ocpi", "not_the_owner"]).inc();
            let code = StatusCode::INVALID_PARAMETERS;
            Refusal::http(Http::NOT_FOUND, code, error.to_string(), app.now())
        }
        ReceiveError::Unknown { .. } => refuse(app, Http::NOT_FOUND, unknown, error.to_string()),
        ReceiveError::Invalid { .. } | ReceiveError::OtherCdr(_) => {
            refuse(app, Http::OK, StatusCode::INVALID_PARAMETERS, error.to_string())
        }
    }
}

impl From<WireError> for ReceiveError {
    fn from(WireError { path, reason, not_json: _ }: WireError) -> Self {
        Self::Invalid { path, reason }
    }
}
