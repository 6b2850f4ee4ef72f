//! A functional message with a body: who sent it is known before the first byte of the body is read.

use super::auth::{PartnerContext, Refusal};
use super::envelope::StatusCode;
use crate::app::App;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode as Http;
use actix_web::{FromRequest, HttpRequest, web};
use std::future::Future;
use std::pin::Pin;

/// A message of a registered partner with its body.
#[derive(Debug, Clone)]
pub struct Message {
    /// Who sent it, and for whom.
    pub sender: PartnerContext,
    /// The body, at most `server.max_body` bytes.
    pub body: web::Bytes,
}

impl FromRequest for Message {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, mut payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let sender = PartnerContext::from_request(&req, &mut Payload::None).await?;
            let body = web::Bytes::from_request(&req, &mut payload).await;
            Ok(Self { sender, body: body.map_err(|error| unreadable(&req, &error))? })
        })
    }
}

fn unreadable(req: &HttpRequest, error: &actix_web::Error) -> Refusal {
    let too_large = matches!(error.as_error::<PayloadError>(), Some(PayloadError::Overflow));
    let http = if too_large { Http::PAYLOAD_TOO_LARGE } else { Http::BAD_REQUEST };
    let app = req.app_data::<web::Data<App>>();
    let message = match app {
        Some(app) if too_large => {
            format!("the body has more than the {} bytes that are taken", app.config.server.max_body)
        }
        _ => format!("the body cannot be read: {error}"),
    };
    if let Some(app) = app {
        app.metrics.refused.with_label_values(&["ocpi", "body"]).inc();
    }
    let at = app.map_or_else(|| crate::clock::Clock::System.now(), |app| app.now());
    Refusal::http(http, StatusCode::INVALID_PARAMETERS, message, at)
}
