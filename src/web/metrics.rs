//! `/metrics`: the node's counters in the Prometheus text format.

use super::problem::Problem;
use crate::app::App;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};
use prometheus::{Encoder, TextEncoder};

/// The counters, for whoever has the token where one is configured.
///
/// # Errors
/// 404 where metrics are off, 401 for a wrong token.
pub async fn metrics(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let config = &app.config.metrics;
    if !config.enabled {
        return Err(Problem::not_found("metrics are turned off (metrics.enabled)"));
    }
    if !config.token.is_empty() {
        let given = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let given = given.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
        // By their hashes, so that the time it takes says nothing of the token.
        if !app.keys.matches(given, &app.keys.hash(config.token.reveal())) {
            return Err(Problem::unauthorized(
                "send the token of metrics.token as `Authorization: Bearer …`",
            ));
        }
    }
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    encoder.encode(&app.metrics.registry.gather(), &mut text).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok().content_type(encoder.format_type()).body(text))
}
