//! OCPI: what partners say and hear (the Open Charge Point Interface).
//!
//! The modules here are the same for every version: the envelope, tokens in headers, routing headers, paging,
//! PATCH, and how wire objects are read. A folder per version holds the objects themselves.

pub mod accompany;
pub mod answer;
pub mod auth;
pub mod client;
pub mod envelope;
pub mod examine;
pub mod headers;
mod issuers;
pub mod link;
pub mod message;
pub mod owned;
pub mod paging;
pub mod patch;
pub mod sent;
pub mod shape;
pub mod token_header;
pub mod url_guard;
pub mod v2_2_1;
pub mod wire;

use crate::app::App;
use accompany::accompany;
use actix_web::http::StatusCode as Http;
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::{HttpRequest, web};
use auth::Refusal;
use envelope::StatusCode;

/// The routes of OCPI. Needs the `App` in the application's data.
pub fn configure(service: &mut web::ServiceConfig) {
    service.service(
        web::scope("/ocpi")
            .wrap(from_fn(accompany))
            .wrap(NormalizePath::trim())
            .service(
                web::resource("/versions")
                    .route(web::get().to(v2_2_1::versions::handlers::get_versions))
                    .default_service(web::to(method_not_allowed)),
            )
            .service(web::scope("/2.2.1").configure(v2_2_1::configure).default_service(web::to(nothing_here)))
            .default_service(web::to(nothing_here)),
    );
}

/// The answer where no route is; every scope needs it, for none inherits it from the one around it. Whether a path exists is told to callers with a token only.
pub(crate) async fn nothing_here(
    _caller: auth::CredentialsContext,
    app: web::Data<App>,
    req: HttpRequest,
) -> Result<actix_web::HttpResponse, Refusal> {
    let message = format!("there is nothing at {}", req.path());
    Err(Refusal::http(Http::NOT_FOUND, StatusCode::CLIENT_ERROR, message, app.now()))
}

/// The answer where a route has no such method.
pub(crate) async fn method_not_allowed(
    _caller: auth::CredentialsContext,
    app: web::Data<App>,
    req: HttpRequest,
) -> Result<actix_web::HttpResponse, Refusal> {
    let message = format!("{} is not possible at {}", req.method(), req.path());
    Err(Refusal::http(Http::METHOD_NOT_ALLOWED, StatusCode::CLIENT_ERROR, message, app.now()))
}
