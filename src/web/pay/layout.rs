//! What all pages have in common: the frame, the headers that keep them safe, the language.

use super::assets::{STYLE, script_path};
use super::texts::Texts;
use crate::payments::PageNeeds;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::sync::LazyLock;

/// The style's hash, so that no other style in a page is obeyed.
static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, STYLE.as_bytes()))));

/// A page before it has its frame.
pub(super) struct Page<'a> {
    pub(super) status: StatusCode,
    pub(super) texts: &'static Texts,
    /// In the browser's list of tabs.
    pub(super) title: String,
    /// Who offers this.
    pub(super) operator: Option<&'a str>,
    /// The same page in the other language.
    pub(super) other_language: Option<String>,
    /// Seconds after which a browser without scripts loads it again.
    pub(super) reload: Option<u32>,
    /// What the one page needs on which the payment provider's form is.
    pub(super) provider: Option<&'a PageNeeds>,
    pub(super) body: Markup,
}

impl<'a> Page<'a> {
    /// A page that needs nothing special.
    pub(super) fn plain(texts: &'static Texts, title: impl Into<String>, body: Markup) -> Self {
        Self {
            status: StatusCode::OK,
            texts,
            title: title.into(),
            operator: None,
            other_language: None,
            reload: None,
            provider: None,
            body,
        }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The page as it goes out.
    pub(super) fn answer(self) -> HttpResponse {
        let language = self.texts.language.as_str();
        HttpResponse::build(self.status)
            .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((CONTENT_LANGUAGE, language))
            // The address is a key, and what a page shows is one driver's business.
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header(("x-robots-tag", "noindex"))
            .insert_header((CONTENT_SECURITY_POLICY, policy(self.provider)))
            .body(self.framed().into_string())
    }

    fn framed(self) -> Markup {
        let texts = self.texts;
        html! {
            (DOCTYPE)
            html lang=(texts.language.as_str()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    link rel="icon" href="data:,";
                    title { (self.title) @if let Some(operator) = self.operator { " – " (operator) } }
                    style { (PreEscaped(STYLE)) }
                    @if let Some(seconds) = self.reload {
                        noscript { meta http-equiv="refresh" content=(seconds); }
                    }
                    @if let Some(provider) = self.provider {
                        script src=(provider.script_url) defer {}
                    }
                    script src=(script_path()) defer {}
                }
                body {
                    a.skip href="#content" { (texts.skip_to_content) }
                    header {
                        span { @if let Some(operator) = self.operator { (operator) } }
                        @if let Some(other) = &self.other_language {
                            @let language = texts.other().as_str();
                            a href=(other) lang=(language) hreflang=(language) { (texts.other_language) }
                        }
                    }
                    main #content { (self.body) }
                }
            }
        }
    }
}

/// What a page may load, and from where (Content Security Policy, level 3). The provider's form loads more from its own
/// hosts, and styles what it puts into the page.
fn policy(provider: Option<&PageNeeds>) -> String {
    let (origins, style) = match provider {
        Some(needs) => (needs.origins.join(" "), "'unsafe-inline'"),
        None => (String::new(), STYLE_HASH.as_str()),
    };
    let frames = if origins.is_empty() { "'none'" } else { &origins };
    format!(
        "default-src 'none'; style-src {style}; script-src 'self' {origins}; connect-src 'self' {origins}; frame-src \
         {frames}; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}
