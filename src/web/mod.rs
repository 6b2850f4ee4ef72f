//! What operators and their tools reach over HTTP: health, metrics, the operator API; and what the server does
//! for every edge: ids, client addresses, limits, TLS.

pub mod health;
pub mod tls;

use actix_web::web::ServiceConfig;
use actix_web::web::get;

/// The routes of this edge.
pub fn configure(service: &mut ServiceConfig) {
    service.route("/livez", get().to(health::livez)).route("/readyz", get().to(health::readyz));
}
