//! The page around the map.

use super::VERSION;
use crate::app::App;
use crate::pricing::describe::Language;
use crate::web::pages::language_of;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use maud::{DOCTYPE, html};
use serde::Deserialize;
use url::Url;

/// The language that was chosen.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    lang: Option<String>,
}

/// What the page says.
struct Texts {
    title: &'static str,
    map: &'static str,
    list: &'static str,
    only_free: &'static str,
    needs_script: &'static str,
    other: (&'static str, &'static str),
}

fn texts(language: Language) -> Texts {
    match language {
        Language::En => Texts {
            title: "Charging points",
            map: "Map of charging points",
            list: "On the map",
            only_free: "Only free ones",
            needs_script: "The map needs JavaScript. To charge, scan the code at the charging point.",
            other: ("de", "Deutsch"),
        },
        Language::De => Texts {
            title: "Ladepunkte",
            map: "Karte der Ladepunkte",
            list: "Auf der Karte",
            only_free: "Nur freie",
            needs_script: "Die Karte braucht JavaScript. Zum Laden scannen Sie den Code am Ladepunkt.",
            other: ("en", "English"),
        },
    }
}

/// Shows the map.
pub(super) async fn page(app: Data<App>, request: HttpRequest, asked: Query<Asked>) -> HttpResponse {
    let language = language_of(&request, asked.lang.as_deref());
    let texts = texts(language);
    let config = &app.config.map;
    let file = |name: &str| format!("/map/assets/{VERSION}/{name}");
    let (other, other_name) = texts.other;
    let page = html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                link rel="icon" href="data:,";
                title { (texts.title) }
                link rel="stylesheet" href=(file("leaflet.css"));
                link rel="stylesheet" href=(file("map.css"));
                script src=(file("leaflet.js")) defer {}
                script src=(file("map.js")) defer {}
            }
            body {
                header {
                    h1 { (texts.title) }
                    label { input #free type="checkbox"; " " (texts.only_free) }
                    a href=(format!("/map?lang={other}")) lang=(other) hreflang=(other) { (other_name) }
                }
                main {
                    noscript { p { (texts.needs_script) } }
                    div #map role="region" aria-label=(texts.map)
                        data-tiles=(config.tile_url) data-attribution=(config.tile_attribution) {}
                    h2 { (texts.list) }
                    p #state role="status" {}
                    ul #list {}
                }
            }
        }
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_LANGUAGE, language.as_str()))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((REFERRER_POLICY, "strict-origin-when-cross-origin"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_SECURITY_POLICY, policy(&config.tile_url)))
        .body(page.into_string())
}

/// What the page may load: from here alone, and pictures from the tile server.
fn policy(tiles: &str) -> String {
    // The template's letters in braces stand in the path, or in the host's first name: then all of its names count.
    let plain = tiles.replace("{s}", "a");
    let origin = Url::parse(&plain).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let origin = if tiles.contains("{s}.") { origin.replacen("//a.", "//*.", 1) } else { origin };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: {origin}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::policy;

    #[test]
    fn pictures_come_from_the_tile_server_alone() {
        assert!(policy("").contains("img-src 'self' data: ;"));
        let one = policy("https://tiles.example/{z}/{x}/{y}.png");
        assert!(one.contains("img-src 'self' data: https://tiles.example;"), "{one}");
        let many = policy("https://{s}.tiles.example/{z}/{x}/{y}.png");
        assert!(many.contains("img-src 'self' data: https://*.tiles.example;"), "{many}");
    }
}
