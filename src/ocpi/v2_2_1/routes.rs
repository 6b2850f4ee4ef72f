//! The routes of the functional modules, below `/ocpi/2.2.1`. Sender and receiver paths of a module collide on
//! one base, so each role has its own: `cpo` and `emsp`.

use super::{cdrs, commands, locations, sessions, tariffs, tokens};
use crate::ocpi::{method_not_allowed, nothing_here};
use actix_web::web::{self, ServiceConfig, get, patch, post, put, resource, scope};
use actix_web::{Resource, Route};

/// Every route of the functional modules.
pub fn configure_modules(service: &mut ServiceConfig) {
    let side = |path, routes: fn(&mut ServiceConfig)| {
        scope(path).configure(routes).default_service(web::to(nothing_here))
    };
    service.service(side("/cpo", cpo)).service(side("/emsp", emsp));
}

/// What partners ask of our stations' side.
fn cpo(service: &mut ServiceConfig) {
    for path in [
        "/locations/{location_id}",
        "/locations/{location_id}/{evse_uid}",
        "/locations/{location_id}/{evse_uid}/{connector_id}",
    ] {
        service.service(at(path, [get().to(locations::handlers::get_our_part)]));
    }
    service
        .service(at("/locations", [get().to(locations::handlers::get_ours)]))
        .service(at("/tariffs", [get().to(tariffs::handlers::get_ours)]))
        .service(at("/sessions", [get().to(sessions::handlers::get_ours)]))
        .service(at(
            "/sessions/{session_id}/charging_preferences",
            [put().to(sessions::handlers::put_preferences)],
        ))
        .service(at("/cdrs", [get().to(cdrs::handlers::get_ours)]))
        .service(at("/commands/{command}", [post().to(commands::handlers::post)]))
        .service(at(
            "/tokens/{country_code}/{party_id}/{token_uid}",
            [
                get().to(tokens::handlers::get_theirs),
                put().to(tokens::handlers::put),
                patch().to(tokens::handlers::patch),
            ],
        ));
}

/// What partners tell and ask of our drivers' side.
fn emsp(service: &mut ServiceConfig) {
    let location = "/locations/{country_code}/{party_id}/{location_id}";
    let evse = format!("{location}/{{evse_uid}}");
    let connector = format!("{evse}/{{connector_id}}");
    for path in [location, &evse, &connector] {
        service.service(at(
            path,
            [
                get().to(locations::handlers::get_theirs),
                put().to(locations::handlers::put),
                patch().to(locations::handlers::patch),
                web::delete().to(locations::handlers::delete),
            ],
        ));
    }
    service
        .service(at(
            "/tariffs/{country_code}/{party_id}/{tariff_id}",
            [
                get().to(tariffs::handlers::get_theirs),
                put().to(tariffs::handlers::put),
                web::delete().to(tariffs::handlers::delete),
            ],
        ))
        .service(at(
            "/sessions/{country_code}/{party_id}/{session_id}",
            [
                get().to(sessions::handlers::get_theirs),
                put().to(sessions::handlers::put),
                patch().to(sessions::handlers::patch),
            ],
        ))
        .service(at("/cdrs", [post().to(cdrs::handlers::post)]))
        .service(at("/cdrs/{country_code}/{party_id}/{cdr_id}", [get().to(cdrs::handlers::get_theirs)]))
        .service(at("/commands/{command}/{id}", [post().to(commands::handlers::post_result)]))
        .service(at("/tokens", [get().to(tokens::handlers::get_ours)]))
        .service(at("/tokens/{token_uid}/authorize", [post().to(tokens::handlers::post_authorize)]));
}

/// A resource; another method than those of its routes is answered 405.
fn at<const N: usize>(path: &str, routes: [Route; N]) -> Resource {
    let empty = resource(path.to_owned()).default_service(web::to(method_not_allowed));
    routes.into_iter().fold(empty, Resource::route)
}
