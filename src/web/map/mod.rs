//! `/map`: where one can charge, for anybody with a browser, and from there to the pay page of a charging point of
//! ours. Nothing is loaded from elsewhere unless the operator names a tile server.
//!
//! The map itself is Leaflet (`leaflet/`, BSD-2-Clause). Below it stands a list of what is on the map, which is all
//! there is without the script or for those who do not see.

mod page;
mod places;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::middleware::Compress;
use actix_web::web::{Path, ServiceConfig, get, scope};

/// The routes of the map.
pub(super) fn configure(service: &mut ServiceConfig) {
    service.service(
        scope("/map")
            .wrap(Compress::default())
            .route("", get().to(page::page))
            .route("/places", get().to(places::places))
            .route("/assets/{version}/{name}", get().to(asset)),
    );
}

/// In the address of the files, so that browsers may keep them.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "-leaflet-1.9.4");

/// A file that the page loads from here.
async fn asset(path: Path<(String, String)>) -> HttpResponse {
    let (version, name) = path.into_inner();
    let (kind, text) = match name.as_str() {
        "leaflet.js" => ("text/javascript; charset=utf-8", include_str!("leaflet/leaflet.js")),
        "leaflet.css" => ("text/css; charset=utf-8", include_str!("leaflet/leaflet.css")),
        "map.js" => ("text/javascript; charset=utf-8", include_str!("map.js")),
        "map.css" => ("text/css; charset=utf-8", include_str!("map.css")),
        _ => return HttpResponse::NotFound().finish(),
    };
    // During development the version stays and the files change.
    let kept = if version == VERSION && !cfg!(debug_assertions) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static(kind)))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static(kept)))
        .body(text)
}
