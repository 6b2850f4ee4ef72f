//! The driver API's own description: an OpenAPI document made from the code.

use super::{clusters, estimate, events, locations, me, oauth, orders, receipts, sessions, tokens};
use crate::web::api::docs::complete;
use crate::web::problem::Problem;
use actix_web::HttpResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The driver API.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Roamwatt driver API",
        description = "What apps of drivers use: where to charge and what it costs, at our stations and at partners'; \
starting and stopping; charges live and past; receipts.\n\nAn app has an id and a secret (`roamwatt driver-app add`), \
which belong on the app's server. It exchanges its own user's id, or an id token of a configured issuer, for tokens at \
`POST /driver/v1/token`, and the phone sends the access token as `Authorization: Bearer …`.\n\nA parameter or field \
that is not known is an error. Errors are problem documents (RFC 9457), but for those of `/token` and `/revoke`. Money \
and energy are decimal numbers in texts, so that no digit is lost. Answers carry an `ETag`: send it as `If-None-Match`, \
and what did not change comes as 304."
    ),
    paths(
        oauth::create_token, oauth::revoke_token, me::delete,
        locations::list, clusters::list, locations::get, estimate::get,
        tokens::list, tokens::link, tokens::unlink,
        orders::start, orders::stop, orders::reserve, orders::cancel, orders::get,
        sessions::list, sessions::get, events::follow,
        receipts::of_session, receipts::list,
    ),
    components(schemas(Problem)),
    security(("access_token" = [])),
    modifiers(&Common),
    tags(
        (name = "access", description = "From an app's word, or an issuer's, to tokens"),
        (name = "locations", description = "Where to charge, and what it costs"),
        (name = "tokens", description = "What a driver charges with"),
        (name = "charging", description = "Starting, stopping, reserving"),
        (name = "sessions", description = "Charges, those that go on and those that are over"),
        (name = "receipts", description = "What charges cost in the end"),
    )
)]
struct Document;

/// What every operation has in common.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = &mut document.components {
            let scheme = |scheme, description: &str| {
                SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(description)).build())
            };
            let token = scheme(HttpAuthScheme::Bearer, "From POST /driver/v1/token");
            components.add_security_scheme("access_token", token);
            let app = scheme(HttpAuthScheme::Basic, "Id and secret from `roamwatt driver-app add`");
            components.add_security_scheme("app", app);
        }
        complete(document, "The token does not allow this", &["/driver/v1/token", "/driver/v1/revoke"]);
    }
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(super) async fn show_document() -> HttpResponse {
    HttpResponse::Ok().json(document())
}
