//! The API's own description: an OpenAPI document made from the code, and a page to read it and try things out.
//! The page and everything it loads come from this program.

use super::{
    auth, cdr_checks, cdrs, codes, commands, corrections, driver_apps, drivers, exports, late_messages,
    load_feeds, load_outlook, load_sites, locations, parties, partners, payments, price, pricing, receipts,
    sessions, stations, tariff_assignments, tariff_groups, tariff_input, tariffs, terminal_payments,
    terminals, tokens,
};
use crate::web::problem::{MEDIA_TYPE, Problem};
use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentEncoding, LOCATION};
use actix_web::web;
use std::sync::Arc;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, HttpMethod, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::Config;

/// Where the document is served.
pub const DOCUMENT: &str = "/api/v1/openapi.json";

/// The operator API.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Roamwatt operator API",
        description = "What an operator sees and does. Exchange an API key (`roamwatt api-key create`) for an \
access token at `POST /api/v1/token`, and send that as `Authorization: Bearer …`.\n\nRoles: `viewer` may read, \
`finance` may also export, dispute and credit CDRs, `operator` may do everything.\n\nLists come in pages: `offset` and `limit` say \
which; `X-Total-Count` says how many objects there are, `Link` where the other pages are. A parameter or field \
that is not known is an error. Errors are problem documents (RFC 9457). Money and energy are decimal numbers in \
texts, so that no digit is lost."
    ),
    paths(
        auth::create_token,
        parties::list, parties::get,
        stations::list, stations::get, codes::list, codes::get,
        commands::remote_start, commands::remote_stop, commands::reset, commands::trigger,
        commands::configuration, commands::set_configuration,
        late_messages::list,
        sessions::list, sessions::get,
        cdrs::list, cdrs::get, exports::export, exports::totals,
        cdr_checks::get, cdr_checks::verify, cdr_checks::dispute, cdr_checks::accept, cdr_checks::explanation,
        corrections::credit,
        tokens::list, tokens::get, tokens::put, tokens::delete, tokens::block, tokens::unblock,
        tariffs::list, tariffs::get, tariffs::explanation,
        pricing::lint_tariff, pricing::explain_tariff, price::price_tariff, price::price_cdr,
        tariff_input::put, tariff_input::delete,
        tariff_assignments::list, tariff_assignments::create, tariff_assignments::delete,
        tariff_groups::list, tariff_groups::put, tariff_groups::delete,
        load_sites::list, load_sites::get, load_sites::put, load_sites::delete, load_sites::check_site,
        load_sites::now, load_sites::events, load_sites::chart,
        load_outlook::get, load_outlook::put, load_outlook::delete,
        load_feeds::read_meter, load_feeds::limit_grid, load_feeds::grid_heartbeat, load_feeds::wish,
        load_feeds::forgive,
        locations::list, locations::get,
        driver_apps::list, driver_apps::create, driver_apps::rotate, driver_apps::delete,
        drivers::list, drivers::delete,
        partners::list, partners::get,
        payments::list, payments::get, payments::refund, payments::release, payments::show_report,
        receipts::get,
        terminals::list, terminals::get, terminals::put, terminals::offers, terminal_payments::hold_made, terminal_payments::payment,
        terminal_payments::stop, terminal_payments::confirm, terminal_payments::refunded, terminal_payments::receipt,
    ),
    components(schemas(Problem)),
    security(("access_token" = [])),
    modifiers(&Common),
    tags(
        (name = "access", description = "From an API key to an access token"),
        (name = "parties", description = "Whom this node speaks for"),
        (name = "stations", description = "Charging stations, and what is asked of them"),
        (name = "sessions", description = "Charges as partners see them while they run"),
        (name = "cdrs", description = "The sealed accounts of charges"),
        (name = "tokens", description = "What drivers identify with"),
        (name = "tariffs", description = "What charging costs, where and for whom"),
        (name = "pricing", description = "What a tariff says that need not be stored"),
        (name = "load", description = "Sharing a grid connection between cars"),
        (name = "locations", description = "Where stations stand"),
        (name = "payments", description = "Drivers without a contract, who pay for one charge"),
        (name = "terminals", description = "Card terminals, which hold and take the money by themselves"),
        (name = "driver apps", description = "Apps that use the driver API, and their drivers"),
        (name = "partners", description = "Platforms that this node is peered with"),
    )
)]
struct Document;

/// What every operation has in common.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = &mut document.components {
            let bearer = |description: &str| {
                let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
                SecurityScheme::Http(scheme.build())
            };
            components.add_security_scheme("access_token", bearer("From POST /api/v1/token"));
            components.add_security_scheme("api_key", bearer("From `roamwatt api-key create`"));
        }
        complete(document, "The role may not do this", &["/api/v1/token"]);
    }
}

/// Gives every operation its name and the answers that all have; `forbidden` says what 403 means, and `open` are the
/// paths that never answer it.
pub(in crate::web) fn complete(document: &mut utoipa::openapi::OpenApi, forbidden: &str, open: &[&str]) {
    let problem = |description: &str| -> RefOr<Response> {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build().into()
    };
    for (path, item) in &mut document.paths.paths {
        for method in METHODS {
            let Some(operation) = operation(item, &method) else { continue };
            operation.operation_id = Some(operation_id(&method, path));
            // A handler's doc comment says when it fails, which here belongs to the responses.
            let description = operation.description.take().unwrap_or_default();
            let (text, errors) = description.split_once("# Errors").unwrap_or((&description, ""));
            let errors = errors.trim().replace("When the database fails.", "");
            let failure = format!("A problem document. {errors}");
            operation.description = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            let responses = &mut operation.responses.responses;
            responses.insert("401".to_owned(), problem("The token is missing, wrong or expired"));
            if !open.contains(&path.as_str()) {
                responses.insert("403".to_owned(), problem(forbidden));
            }
            responses.insert("429".to_owned(), problem("Too many requests; see `Retry-After`"));
            responses.insert("default".to_owned(), problem(failure.trim()));
        }
    }
}

/// A name for programs that are made from the document: `get_stations_station`.
fn operation_id(method: &HttpMethod, path: &str) -> String {
    let verb = match method {
        HttpMethod::Get => "get",
        HttpMethod::Put => "put",
        HttpMethod::Delete => "delete",
        _ => "post",
    };
    let words = path.split('/').skip(3).map(|word| word.trim_matches(['{', '}']).replace('-', "_"));
    std::iter::once(verb.to_owned()).chain(words).collect::<Vec<_>>().join("_")
}

const METHODS: [HttpMethod; 4] = [HttpMethod::Get, HttpMethod::Put, HttpMethod::Post, HttpMethod::Delete];

fn operation<'a>(
    item: &'a mut utoipa::openapi::PathItem,
    method: &HttpMethod,
) -> Option<&'a mut utoipa::openapi::path::Operation> {
    match method {
        HttpMethod::Get => item.get.as_mut(),
        HttpMethod::Put => item.put.as_mut(),
        HttpMethod::Post => item.post.as_mut(),
        HttpMethod::Delete => item.delete.as_mut(),
        _ => None,
    }
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// What the page is made of.
pub(super) struct Page {
    config: Arc<Config<'static>>,
    document: utoipa::openapi::OpenApi,
}

impl Page {
    /// The page of this API.
    pub(super) fn of_this_api() -> Self {
        let config = Config::from(DOCUMENT).try_it_out_enabled(true).validator_url("none");
        Self { config: Arc::new(config), document: document() }
    }
}

pub(super) async fn show_document(page: web::Data<Page>) -> HttpResponse {
    HttpResponse::Ok().json(&page.document)
}

pub(super) async fn to_page() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((LOCATION, "/api/docs/")).finish()
}

/// A file of the page.
pub(super) async fn show_page(
    page: web::Data<Page>,
    file: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&page.config))
        .map_err(|error| Problem::internal(error.as_ref()))?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no file {file} here")))?;
    let mut response = HttpResponse::Ok();
    // Whatever the page's scripts would load from elsewhere, the browser does not.
    response.insert_header((
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    ));
    if found.gzpipped {
        response.insert_header(ContentEncoding::Gzip);
    }
    Ok(response.content_type(found.content_type).body(found.bytes.into_owned()))
}
