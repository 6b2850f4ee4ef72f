//! What operators, drivers and their tools reach over HTTP: health, metrics, the operator API, the driver API, the pages
//! for drivers; and what the server does for every edge: ids, client addresses, limits, TLS.

pub mod api;
pub mod driver;
pub mod health;
pub mod limits;
pub mod live;
mod map;
pub mod metrics;
mod pages;
mod pay;
pub mod payments;
pub mod problem;
pub mod requests;
pub mod tls;

use actix_web::web::{PayloadConfig, ServiceConfig, get, post, resource};

/// The routes of this edge. `origins` are those of the web apps that may use the driver API.
pub fn configure(service: &mut ServiceConfig, origins: &[String]) {
    service
        .route("/livez", get().to(health::livez))
        .route("/readyz", get().to(health::readyz))
        .route("/metrics", get().to(metrics::metrics))
        .service(
            resource("/payments/webhooks/stripe")
                .app_data(PayloadConfig::new(payments::LARGEST_MESSAGE))
                .route(post().to(payments::take_stripe)),
        )
        .configure(api::configure)
        .configure(|service| driver::configure(service, origins))
        .configure(map::configure)
        .configure(pay::configure);
}
