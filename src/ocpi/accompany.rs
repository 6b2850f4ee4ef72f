//! What goes with every OCPI request, whichever handler takes it: its ids are on every log line and on the
//! answer, the routing headers of the answer are the request's swapped, and the answer is counted
//! (OCPI 2.2.1 transport_and_format, "Unique message IDs" and "Message Routing Headers").

use super::headers::{CORRELATION_ID, MessageHeaders, REQUEST_ID};
use crate::app::App;
use crate::domain::partner::ModuleId;
use crate::http::{ClientAddress, RequestIds};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use tracing::Instrument;

/// The ids of a message; made here where the sender gave none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageIds {
    /// New on every hop.
    pub request_id: String,
    /// The same over all hops.
    pub correlation_id: String,
}

impl MessageIds {
    /// The ids of a request.
    #[must_use]
    pub fn of(req: &HttpRequest) -> Self {
        if let Some(ids) = req.extensions().get::<Self>() {
            return ids.clone();
        }
        Self::read(req)
    }

    fn read(req: &HttpRequest) -> Self {
        // Routing headers are not looked at here, so there is nothing that could be wrong.
        let header = |name: &'static str| match name {
            REQUEST_ID | CORRELATION_ID => req.headers().get(name).and_then(|value| value.to_str().ok()),
            _ => None,
        };
        let headers = MessageHeaders::parse(header).unwrap_or_default();
        // Made already for the server's own log lines, which must name the same ones.
        let RequestIds { request_id, correlation_id } = RequestIds::of(req);
        Self {
            request_id: headers.request_id.unwrap_or(request_id),
            correlation_id: headers.correlation_id.unwrap_or(correlation_id),
        }
    }
}

/// The module that a path is of, as a label of few values.
fn module_of(path: &str) -> &'static str {
    let known = |segment: &str| ModuleId::WORDS.iter().find(|word| **word == segment).copied();
    path.split('/').skip(2).take(4).find_map(known).unwrap_or("versions")
}

/// The middleware of every OCPI route.
///
/// # Errors
/// What the handler returns.
pub async fn accompany(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let ids = MessageIds::read(req.request());
    req.extensions_mut().insert(ids.clone());
    let header = |name: &'static str| req.headers().get(name).and_then(|value| value.to_str().ok());
    let routing = MessageHeaders::parse(header).unwrap_or_default();
    let MessageIds { request_id, correlation_id } = ids;
    let client = ClientAddress::of(req.request()).0;
    let span = tracing::info_span!("ocpi", %client, %request_id, %correlation_id);
    let answer =
        MessageHeaders { request_id: Some(request_id), correlation_id: Some(correlation_id), ..routing };
    let app = req.app_data::<web::Data<App>>().cloned();
    let module = module_of(req.path());
    let mut response = next.call(req).instrument(span).await?;
    if let Some(app) = app {
        let result = match response.status().as_u16() {
            200..=299 => "2xx",
            300..=499 => "4xx",
            _ => "5xx",
        };
        app.metrics.ocpi_requests.with_label_values(&["in", module, result]).inc();
    }
    for (name, value) in answer.answer().pairs() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_few_labels() {
        for (path, module) in [
            ("/ocpi/versions", "versions"),
            ("/ocpi/2.2.1", "versions"),
            ("/ocpi/2.2.1/credentials", "credentials"),
            ("/ocpi/2.2.1/cpo/locations/LOC1/3256", "locations"),
            ("/ocpi/2.2.1/emsp/cdrs", "cdrs"),
            ("/ocpi/2.2.1/what/ever", "versions"),
        ] {
            assert_eq!(module_of(path), module, "{path}");
        }
    }
}
