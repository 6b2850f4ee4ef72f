//! What operators, drivers and their tools reach over HTTP: health, metrics, the operator API, the driver API; and what the server does
//! for every edge: ids, client addresses, limits, TLS.

pub mod api;
pub mod driver;
pub mod health;
pub mod limits;
pub mod metrics;
pub mod problem;
pub mod requests;
pub mod tls;

use actix_web::web::{ServiceConfig, get};

/// The routes of this edge.
pub fn configure(service: &mut ServiceConfig) {
    service
        .route("/livez", get().to(health::livez))
        .route("/readyz", get().to(health::readyz))
        .route("/metrics", get().to(metrics::metrics))
        .configure(api::configure)
        .configure(driver::configure);
}
