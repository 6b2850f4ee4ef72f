//! The driver API, `/driver/v1`: what apps of drivers use. The routes stand here; who may call a handler stands in its
//! first argument ([`auth`]). Every answer is compressed where the client takes it, and lists and objects carry an
//! `ETag`.

pub mod auth;
pub mod clusters;
pub mod docs;
pub mod estimate;
pub mod events;
pub mod filter;
pub mod limits;
pub mod location_view;
pub mod locations;
pub mod oauth;
pub mod orders;
pub mod output;
pub mod receipts;
pub mod sessions;
pub mod tokens;
pub mod view;

use super::problem::{Problem, nothing_here};
use actix_web::http::StatusCode;
use actix_web::middleware::Compress;
use actix_web::web::{self, ServiceConfig, delete, get, post, put};
use actix_web::{HttpRequest, Resource, Route};

/// The routes of the API. Needs [`limits::DriverLimits`] and [`events::Streams`] in the application's data.
pub fn configure(service: &mut ServiceConfig) {
    let connector = "/locations/{party}/{id}/evses/{evse}/connectors/{connector}/price";
    service.service(
        web::scope("/driver/v1")
            .wrap(Compress::default())
            .service(at("/openapi.json", [get().to(docs::show_document)]))
            .service(at("/token", [post().to(oauth::create_token)]))
            .service(at("/revoke", [post().to(oauth::revoke_token)]))
            .service(at("/locations", [get().to(locations::list)]))
            .service(at("/clusters", [get().to(clusters::list)]))
            .service(at("/locations/{party}/{id}", [get().to(locations::get)]))
            .service(at(connector, [get().to(estimate::get)]))
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
