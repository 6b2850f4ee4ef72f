//! Where payment providers send their messages. What they say is not believed: a message whose signature is right makes
//! us look at the provider.

use crate::app::App;
use crate::payments::events::{TakeError, take};
use crate::web::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

/// The header with Stripe's signature.
const SIGNATURE: &str = "Stripe-Signature";
/// Largest message, bytes.
pub const LARGEST_MESSAGE: usize = 256 * 1024;

/// Takes a message of Stripe.
///
/// # Errors
/// 400 where it is not to be believed, without why: whoever tries learns nothing. 404 where Stripe is not set up.
pub async fn take_stripe(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let signature =
        request.headers().get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match take(&app, signature, &body).await {
        Ok(()) => Ok(HttpResponse::Ok().json(serde_json::json!({ "received": true }))),
        Err(TakeError::NoProvider) => Err(Problem::not_found("no payment provider is set up here")),
        Err(TakeError::Webhook(error)) => {
            app.metrics.refused.with_label_values(&["payments", "webhook"]).inc();
            tracing::warn!(%error, bytes = body.len(), "a message to the payments was not taken");
            Err(Problem::new(StatusCode::BAD_REQUEST, "the message is not taken"))
        }
        Err(TakeError::Payment(error)) => Err(Problem::internal(&error)),
    }
}
