//! The files that the pages load from here. Their names change with their content, so that browsers keep them.

use crate::security::digest;
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::web::Path;
use std::sync::LazyLock;

/// The style of all pages. It is in the page itself, since a second request costs a second on a bad connection.
pub(super) const STYLE: &str = include_str!("assets/pay.css");
const SCRIPT: &str = include_str!("assets/pay.js");

static SCRIPT_NAME: LazyLock<String> = LazyLock::new(|| {
    let digest: String = digest(&[SCRIPT]).chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("pay.{digest}.js")
});

/// Where the script is.
pub(super) fn script_path() -> String {
    format!("/pay/assets/{}", *SCRIPT_NAME)
}

/// Gives the script, under the name of this version or an older one.
pub(super) async fn asset(name: Path<String>) -> HttpResponse {
    if !(name.starts_with("pay.") && name.ends_with(".js")) {
        return HttpResponse::NotFound().finish();
    }
    let kept = if *name == *SCRIPT_NAME { "public, max-age=31536000, immutable" } else { "no-store" };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8")))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static(kept)))
        .body(SCRIPT)
}
