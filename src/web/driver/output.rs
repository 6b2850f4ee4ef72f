//! Answers with an `ETag` (RFC 9110, 8.8.3). It is weak, since the bytes on the wire depend on the compression: whoever
//! asks with `If-None-Match` for what did not change gets 304 and nothing else.

use crate::security::digest;
use crate::web::problem::Problem;
use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// The answer with an object, or that the client has it already.
///
/// # Errors
/// Never, unless the object cannot be written.
pub fn tagged<T: Serialize>(request: &HttpRequest, object: &T) -> Result<HttpResponse, Problem> {
    let body = serde_json::to_string(object).map_err(|error| Problem::internal(&error))?;
    let tag = format!("W/\"{}\"", digest(&[&body]));
    let mut response = if has(request, &tag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag.clone()))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((VARY, "Authorization, Accept-Language"));
    if has(request, &tag) {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(body))
}

/// Whether the client has what has that tag; weak and strong tags compare alike (RFC 9110, 13.1.2).
fn has(request: &HttpRequest, tag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = plain(tag);
    let lines = request.headers().get_all(IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| one.trim() == "*" || plain(one) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let first = tagged(&TestRequest::get().to_http_request(), &[1, 2]).unwrap();
        let tag = first.headers().get(ETAG).unwrap().to_str().unwrap().to_owned();
        assert!(tag.starts_with("W/\""));
        for (known, status) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (tag.trim_start_matches("W/").to_owned(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", {tag}"), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            let request = TestRequest::get().insert_header((IF_NONE_MATCH, known.clone())).to_http_request();
            assert_eq!(tagged(&request, &[1, 2]).unwrap().status(), status, "{known}");
        }
    }
}
