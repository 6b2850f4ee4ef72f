//! What all pages for people need: the language of whoever looks, and what things are called.

use crate::pricing::describe::Language;
use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

/// The language of a page: the one that its address names, else the first that the browser wants and we have.
pub(super) fn language_of(request: &HttpRequest, named: Option<&str>) -> Language {
    named.and_then(|named| named.parse().ok()).or_else(|| wanted(request.headers())).unwrap_or_default()
}

/// The languages of Accept-Language (RFC 9110, 12.5.4) come in the order of preference in all browsers; weights are
/// obeyed where they say otherwise.
fn wanted(headers: &HeaderMap) -> Option<Language> {
    let text = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut found: Option<(u16, Language)> = None;
    for entry in text.split(',').take(20) {
        let mut parts = entry.split(';');
        let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.trim().strip_prefix("q=").map(thousandths)).unwrap_or(1000);
        let language = tag.split('-').next().and_then(|primary| primary.parse().ok());
        if let Some(language) = language
            && weight > 0
            && found.is_none_or(|(best, _)| weight > best)
        {
            found = Some((weight, language));
        }
    }
    found.map(|(_, language)| language)
}

/// A weight between 0 and 1 with at most three digits.
fn thousandths(text: &str) -> u16 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole == "1" {
        return 1000;
    }
    format!("{part:0<3}").get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// A plug as people know it (OCPI 2.2.1 mod_locations, "ConnectorType").
pub(super) fn plug_name(standard: &str) -> &str {
    match standard {
        "IEC_62196_T2" => "Type 2",
        "IEC_62196_T2_COMBO" => "CCS",
        "IEC_62196_T1" => "Type 1",
        "IEC_62196_T1_COMBO" => "CCS 1",
        "CHADEMO" => "CHAdeMO",
        "TESLA_S" => "Tesla",
        "DOMESTIC_F" => "Schuko",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn the_browsers_languages_are_obeyed_by_their_weight() {
        let wanted_of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            wanted(&headers)
        };
        assert_eq!(wanted_of("de-AT,de;q=0.9,en;q=0.8"), Some(Language::De));
        assert_eq!(wanted_of("en;q=0.4, DE;q=0.75"), Some(Language::De));
        assert_eq!(wanted_of("fr, en;q=0.5"), Some(Language::En));
        assert_eq!(wanted_of("de;q=0, en;q=0.1"), Some(Language::En));
        assert_eq!(wanted_of("fr"), None);
        assert_eq!(wanted_of(";;,q=,"), None);
    }
}
