//! The driver API, `/driver/v1`: what apps of drivers use. The routes stand here; who may call a handler stands in its
//! first argument ([`auth`]). Every answer is compressed where the client takes it, and lists and objects carry an
//! `ETag`. Web apps of the origins that are configured may read the answers (Fetch, "CORS protocol").

pub mod auth;
pub mod clusters;
pub mod docs;
pub mod estimate;
pub mod events;
pub mod filter;
pub mod hours_view;
pub mod limits;
pub mod location_view;
pub mod locations;
pub mod me;
pub mod oauth;
pub mod orders;
pub mod output;
pub mod page;
pub mod path;
pub mod receipts;
pub mod sessions;
pub mod tariff_view;
pub mod tokens;
pub mod view;

use super::problem::{Problem, nothing_here};
use actix_cors::Cors;
use actix_web::http::StatusCode;
use actix_web::middleware::{Compress, Condition};
use actix_web::web::{self, ServiceConfig, delete, get, post, put};
use actix_web::{HttpRequest, Resource, Route};

/// How long a browser keeps what it was told of a request before sending it, seconds.
const PREFLIGHT_KEPT: usize = 3600;

/// The routes of the API. Needs [`limits::DriverLimits`] and [`super::live::Live`] in the application's data. `origins`
/// are those of the web apps that may use it.
pub fn configure(service: &mut ServiceConfig, origins: &[String]) {
    let connector = "/locations/{party}/{id}/evses/{evse}/connectors/{connector}/price";
    service.service(
        web::scope("/driver/v1")
            .wrap(Compress::default())
            .wrap(Condition::new(!origins.is_empty(), cors(origins)))
            .service(at("/openapi.json", [get().to(docs::show_document)]))
            .service(at("/token", [post().to(oauth::create_token)]))
            .service(at("/revoke", [post().to(oauth::revoke_token)]))
            .service(at("/locations", [get().to(locations::list)]))
            .service(at("/clusters", [get().to(clusters::list)]))
            .service(at("/locations/{party}/{id}", [get().to(locations::get)]))
            .service(at(connector, [get().to(estimate::get)]))
            .service(at("/me", [delete().to(me::delete)]))
            .service(at("/tokens", [get().to(tokens::list)]))
            .service(at(
                "/drivers/{driver}/tokens/{type}/{uid}",
                [put().to(tokens::link), delete().to(tokens::unlink)],
            ))
            .service(at("/charges", [post().to(orders::start)]))
            .service(at("/reservations", [post().to(orders::reserve)]))
            .service(at("/reservations/{id}", [delete().to(orders::cancel)]))
            .service(at("/orders/{id}", [get().to(orders::get)]))
            .service(at("/sessions", [get().to(sessions::list)]))
            .service(at("/sessions/{party}/{id}", [get().to(sessions::get)]))
            .service(at("/sessions/{party}/{id}/stop", [post().to(orders::stop)]))
            .service(at("/sessions/{party}/{id}/events", [get().to(events::follow)]))
            .service(at("/sessions/{party}/{id}/receipt", [get().to(receipts::of_session)]))
            .service(at("/receipts", [get().to(receipts::list)]))
            .default_service(web::to(nothing_here)),
    );
}

/// What web apps of these origins may do. They send an access token and never a cookie.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers([
            "Authorization",
            "Accept",
            "Accept-Language",
            "Content-Type",
            "Idempotency-Key",
            "If-None-Match",
            "Last-Event-ID",
            "X-Request-ID",
            "X-Correlation-ID",
        ])
        .expose_headers(["ETag", "Location", "Retry-After", "X-Request-ID"])
        .max_age(PREFLIGHT_KEPT);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// A path with its methods; others are told so.
fn at<const N: usize>(path: &str, routes: [Route; N]) -> Resource {
    let resource = routes.into_iter().fold(web::resource(path), Resource::route);
    resource.default_service(web::to(method_not_allowed))
}

async fn method_not_allowed(request: HttpRequest) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} is not possible at {}", request.method(), request.path()),
    )
}
