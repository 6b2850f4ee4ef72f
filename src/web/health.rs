//! `/livez` and `/readyz`, for whoever restarts processes and sends them traffic.

use crate::app::App;
use crate::http::with_causes;
use actix_web::{HttpResponse, web};
use serde_json::json;

/// The process runs and answers: nothing more, so that a database that is away restarts nobody.
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// The node can do its work: the database answers and has the schema of this version.
pub async fn readyz(app: web::Data<App>) -> HttpResponse {
    let (ready, database) = match app.db.pending_migrations().await {
        Ok(missing) if missing.is_empty() => (true, "ok".to_owned()),
        Ok(missing) => (false, format!("migrations are missing: {}", missing.join(", "))),
        Err(error) => {
            tracing::warn!(error = with_causes(&error), "not ready");
            (false, "the database does not answer".to_owned())
        }
    };
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(json!({ "status": if ready { "ok" } else { "unavailable" }, "database": database }))
}
