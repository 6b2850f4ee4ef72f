//! The operator API, `/api/v1`: what an operator sees and does. The routes stand here; each noun has its file
//! with its JSON views, which are types of their own, so that the domain can change without changing them.
//!
//! What the roles may do: [`auth::Role`]. Who may call a handler stands in its first argument.

pub mod auth;
pub mod cdr_checks;
pub mod cdrs;
pub mod codes;
pub mod commands;
pub mod corrections;
pub mod docs;
pub mod driver_apps;
pub mod drivers;
pub mod exports;
pub mod input;
pub mod late_messages;
pub mod load_feeds;
pub mod load_outlook;
pub mod load_sites;
pub mod load_view;
pub mod locations;
pub mod output;
pub mod owner;
pub mod parties;
pub mod partners;
pub mod payment_views;
pub mod payments;
pub mod price;
pub mod pricing;
pub mod receipts;
pub mod sessions;
pub mod stations;
pub mod tariff_assignments;
pub mod tariff_groups;
pub mod tariff_input;
pub mod tariffs;
pub mod terminal_payments;
pub mod terminals;
pub mod tokens;
pub mod view;

use crate::web::problem::{Problem, nothing_here};
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig, delete, get, post, put};
use actix_web::{HttpRequest, Resource, Route};

/// The routes of the API and its documentation.
pub fn configure(service: &mut ServiceConfig) {
    let scope = web::scope("/api/v1")
        .service(at("/token", [post().to(auth::create_token)]))
        .service(at("/parties", [get().to(parties::list)]))
        .service(at("/parties/{party}", [get().to(parties::get)]))
        .service(at("/stations", [get().to(stations::list)]))
        .service(at("/stations/{station}", [get().to(stations::get)]))
        .service(at("/stations/{station}/codes", [get().to(codes::list)]))
        .service(at("/evses/{evse}/code", [get().to(codes::get)]))
        .service(at("/stations/{station}/remote-start", [post().to(commands::remote_start)]))
        .service(at("/stations/{station}/remote-stop", [post().to(commands::remote_stop)]))
        .service(at("/stations/{station}/reset", [post().to(commands::reset)]))
        .service(at("/stations/{station}/trigger", [post().to(commands::trigger)]))
        .service(at("/stations/{station}/configuration", [get().to(commands::configuration)]))
        .service(at("/stations/{station}/configuration/{key}", [put().to(commands::set_configuration)]))
        .service(at("/late-messages", [get().to(late_messages::list)]))
        .service(at("/sessions", [get().to(sessions::list)]))
        .service(at("/sessions/{party}/{id}", [get().to(sessions::get)]))
        .service(at("/cdrs", [get().to(cdrs::list)]))
        .service(at("/cdrs/export", [get().to(exports::export)]))
        .service(at("/cdrs/totals", [get().to(exports::totals)]))
        .service(at("/cdrs/{party}/{id}", [get().to(cdrs::get)]))
        .service(at("/cdrs/{party}/{id}/check", [get().to(cdr_checks::get), post().to(cdr_checks::verify)]))
        .service(at("/cdrs/{party}/{id}/dispute", [post().to(cdr_checks::dispute)]))
        .service(at("/cdrs/{party}/{id}/accept", [post().to(cdr_checks::accept)]))
        .service(at("/cdrs/{party}/{id}/explanation", [get().to(cdr_checks::explanation)]))
        .service(at("/cdrs/{party}/{id}/credit", [post().to(corrections::credit)]))
        .service(at("/tokens", [get().to(tokens::list)]))
        .service(at(
            "/tokens/{party}/{type}/{uid}",
            [get().to(tokens::get), put().to(tokens::put), delete().to(tokens::delete)],
        ))
        .service(at("/tokens/{party}/{type}/{uid}/block", [post().to(tokens::block)]))
        .service(at("/tokens/{party}/{type}/{uid}/unblock", [post().to(tokens::unblock)]))
        .service(at("/tariffs", [get().to(tariffs::list)]))
        .service(at(
            "/tariffs/{party}/{id}",
            [get().to(tariffs::get), put().to(tariff_input::put), delete().to(tariff_input::delete)],
        ))
        .service(at(
            "/tariff-assignments",
            [get().to(tariff_assignments::list), post().to(tariff_assignments::create)],
        ))
        .service(at("/tariff-assignments/{id}", [delete().to(tariff_assignments::delete)]))
        .service(at("/tariff-groups", [get().to(tariff_groups::list)]))
        .service(at(
            "/tariff-groups/{name}",
            [put().to(tariff_groups::put), delete().to(tariff_groups::delete)],
        ))
        .service(at("/tariffs/{party}/{id}/explanation", [get().to(tariffs::explanation)]))
        .service(at("/pricing/tariffs/lint", [post().to(pricing::lint_tariff)]))
        .service(at("/pricing/tariffs/explain", [post().to(pricing::explain_tariff)]))
        .service(at("/pricing/tariffs/price", [post().to(price::price_tariff)]))
        .service(at("/pricing/cdrs/price", [post().to(price::price_cdr)]))
        .service(at("/locations", [get().to(locations::list)]))
        .service(at("/locations/{party}/{id}", [get().to(locations::get)]))
        .service(at("/load/sites", [get().to(load_sites::list)]))
        .service(at(
            "/load/sites/{site}",
            [get().to(load_sites::get), put().to(load_sites::put), delete().to(load_sites::delete)],
        ))
        .service(at("/load/check", [post().to(load_sites::check_site)]))
        .service(at("/load/sites/{site}/now", [get().to(load_sites::now)]))
        .service(at("/load/sites/{site}/events", [get().to(load_sites::events)]))
        .service(at("/load/sites/{site}/chart", [get().to(load_sites::chart)]))
        .service(at(
            "/load/sites/{site}/outlook",
            [get().to(load_outlook::get), put().to(load_outlook::put), delete().to(load_outlook::delete)],
        ))
        .service(at("/load/sites/{site}/meters/{meter}", [post().to(load_feeds::read_meter)]))
        .service(at("/load/sites/{site}/grid-limit", [put().to(load_feeds::limit_grid)]))
        .service(at("/load/sites/{site}/grid-heartbeat", [post().to(load_feeds::grid_heartbeat)]))
        .service(at("/load/stations/{station}/connectors/{connector}/wish", [put().to(load_feeds::wish)]))
        .service(at("/load/stations/{station}/forgive", [post().to(load_feeds::forgive)]))
        .service(at("/payments", [get().to(payments::list)]))
        .service(at("/payments/report", [get().to(payments::show_report)]))
        .service(at("/payments/{id}", [get().to(payments::get)]))
        .service(at("/payments/{id}/receipt", [get().to(receipts::get)]))
        .service(at("/payments/{id}/refund", [post().to(payments::refund)]))
        .service(at("/payments/{id}/release", [post().to(payments::release)]))
        .service(at("/terminals", [get().to(terminals::list)]))
        .service(at("/terminals/{id}", [get().to(terminals::get), put().to(terminals::put)]))
        .service(at("/terminals/{id}/offers", [get().to(terminals::offers)]))
        .service(at("/terminals/{id}/confirmations", [post().to(terminal_payments::confirm)]))
        .service(at("/terminals/{id}/payments", [post().to(terminal_payments::hold_made)]))
        .service(at("/terminals/{id}/payments/{payment}", [get().to(terminal_payments::payment)]))
        .service(at("/terminals/{id}/payments/{payment}/stop", [post().to(terminal_payments::stop)]))
        .service(at("/terminals/{id}/payments/{payment}/refunded", [post().to(terminal_payments::refunded)]))
        .service(at("/terminals/{id}/payments/{payment}/receipt", [get().to(terminal_payments::receipt)]))
        .service(at("/driver-apps", [get().to(driver_apps::list), post().to(driver_apps::create)]))
        .service(at("/driver-apps/{id}", [delete().to(driver_apps::delete)]))
        .service(at("/driver-apps/{id}/rotate", [post().to(driver_apps::rotate)]))
        .service(at("/drivers", [get().to(drivers::list)]))
        .service(at("/drivers/{id}", [delete().to(drivers::delete)]))
        .service(at("/partners", [get().to(partners::list)]))
        .service(at("/partners/{id}", [get().to(partners::get)]))
        .default_service(web::to(nothing_here));
    // The documentation first: its document stands below the scope's path.
    service
        .app_data(web::Data::new(docs::Page::of_this_api()))
        .route(docs::DOCUMENT, get().to(docs::show_document))
        .route("/api/docs", get().to(docs::to_page))
        .route("/api/docs/{file:.*}", get().to(docs::show_page))
        .service(scope);
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
