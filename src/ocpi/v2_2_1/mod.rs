//! OCPI 2.2.1: one folder per module of the specification, each with its wire types and their conversions to
//! and from the domain.

pub mod calls;
pub mod cdrs;
pub mod commands;
pub mod credentials;
pub mod import;
pub mod locations;
mod rounding;
pub mod routes;
pub mod sessions;
pub mod tariffs;
pub mod telling;
pub mod tokens;
pub mod types;
pub mod versions;

use crate::ocpi::method_not_allowed;
use actix_web::web;

/// The routes of this version, below `/ocpi/2.2.1`. Sender and receiver paths of a module collide on one base,
/// so each role has its own: `cpo` and `emsp`.
pub fn configure(service: &mut web::ServiceConfig) {
    service.service(
        web::resource("")
            .route(web::get().to(versions::handlers::get_version_details))
            .default_service(web::to(method_not_allowed)),
    );
    service.service(
        web::resource("/credentials")
            .route(web::get().to(credentials::handlers::get))
            .route(web::post().to(credentials::handlers::post))
            .route(web::put().to(credentials::handlers::put))
            .route(web::delete().to(credentials::handlers::delete))
            .default_service(web::to(method_not_allowed)),
    );
    routes::configure_modules(service);
}
