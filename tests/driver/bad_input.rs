//! What cannot be understood is told by its name, with what would be right.

use super::phone::{AppOf, Phone};
use crate::charging::site::{Site, at};
use crate::support::db::{TestDb, on_each_engine};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use roamwatt::clock::Clock;
use serde_json::{Value, json};

/// The only place of an error, which must be a problem document of that status.
async fn place_of(response: reqwest::Response, status: u16, what: &str) -> (String, String, String) {
    assert_eq!(response.status(), status, "{what}");
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{what}");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], json!(status), "{what}");
    let places = problem["errors"].as_array().unwrap_or_else(|| panic!("{what}: {problem}"));
    assert_eq!(places.len(), 1, "{what}: {problem}");
    let text = |name: &str| places[0][name].as_str().unwrap().to_owned();
    assert!(problem["detail"].as_str().unwrap().contains(&text("at")), "{what}: {problem}");
    (text("in"), text("at"), text("detail"))
}

const PRICE: &str = "/locations/DE*ABC/LOC1/evses/E0/connectors/1/price";

/// Paths with what is wrong with them: the parameter, and a part of the reason.
const QUERIES: &[(&str, &str, &str)] = &[
    ("/locations?bbox=1,2,3", "bbox", "west,south,east,north"),
    ("/locations?bbox=NaN,0,1,1", "bbox", "west,south,east,north"),
    ("/locations?bbox=0,50,1,40", "bbox", "west,south,east,north"),
    ("/locations?bbox=0,0,1,91", "bbox", "west,south,east,north"),
    ("/locations?bbox=0,0,1,1,", "bbox", "west,south,east,north"),
    ("/locations", "bbox", "either bbox, or latitude and longitude"),
    ("/locations?bbox=0,0,1,1&latitude=1&longitude=1", "bbox", "either bbox, or latitude and longitude"),
    ("/locations?bbox=0,0,1,1&radius=5", "radius", "not to bbox"),
    ("/locations?latitude=48", "longitude", "missing"),
    ("/locations?longitude=9", "latitude", "missing"),
    ("/locations?latitude=NaN&longitude=9", "latitude", "between -90 and 90"),
    ("/locations?latitude=90.5&longitude=9", "latitude", "between -90 and 90"),
    ("/locations?latitude=48&longitude=inf", "longitude", "between -180 and 180"),
    ("/locations?latitude=48&longitude=east", "longitude", "\"east\" is no number"),
    ("/locations?latitude=48&longitude=9&radius=NaN", "radius", "1 to 1000000 metres"),
    ("/locations?latitude=48&longitude=9&radius=1000001", "radius", "1 to 1000000 metres"),
    ("/locations?latitude=48&longitude=9&radius=far", "radius", "\"far\" is no number"),
    ("/locations?bbox=0,0,1,1&limit=-1", "limit", "\"-1\" is no whole number of 1 to 500"),
    ("/locations?bbox=0,0,1,1&limit=0", "limit", "1 to 500"),
    ("/locations?bbox=0,0,1,1&limit=501", "limit", "1 to 500"),
    ("/locations?bbox=0,0,1,1&limit=1.5", "limit", "1 to 500"),
    ("/locations?bbox=0,0,1,1&after=x", "after", "none that a page named"),
    ("/locations?bbox=0,0,1,1&colour=red", "colour", "there is no such parameter; there are bbox,"),
    ("/locations?bbox=0,0,1,1&bbox=0,0,1,1", "bbox", "twice"),
    ("/locations?bbox=0,0,1,1&free=perhaps", "free", "`true` or `false`"),
    ("/locations?bbox=0,0,1,1&open=1", "open", "`true` or `false`"),
    ("/locations?bbox=0,0,1,1&min_power_kw=-1", "min_power_kw", "0 or more"),
    ("/locations?bbox=0,0,1,1&min_power_kw=NaN", "min_power_kw", "no number"),
    ("/locations?bbox=0,0,1,1&min_power_kw=99999999999999999999999999", "min_power_kw", "0 or more"),
    ("/locations?bbox=0,0,1,1&max_price_kwh=-0.1", "max_price_kwh", "0 or more"),
    ("/locations?bbox=0,0,1,1&max_price_kwh=cheap", "max_price_kwh", "\"cheap\" is no number"),
    ("/locations?bbox=0,0,1,1&max_price_kwh=1&currency=Euro", "currency", "three letters"),
    ("/locations?bbox=0,0,1,1&payment=gold", "payment", "card, app and rfid"),
    ("/locations?bbox=0,0,1,1&party=nobody", "party", "three letters or digits"),
    ("/clusters?bbox=0,0,1,1&zoom=999", "zoom", "\"999\" is no whole number of 0 to 20"),
    ("/clusters?bbox=0,0,1,1&zoom=21", "zoom", "0 to 20"),
    ("/clusters?bbox=0,0,1,1&zoom=-1", "zoom", "0 to 20"),
    ("/clusters?bbox=0,0,1,1", "zoom", "missing"),
    ("/clusters?zoom=3", "bbox", "missing"),
    ("/clusters?bbox=0,0,1,1&zoom=3&limit=5", "limit", "there is no such parameter"),
    ("/locations/DE*ABC/LOC1?lang=xx", "lang", "en and de"),
    ("/locations/DE*ABC/LOC1?language=de", "language", "there is no such parameter"),
    ("/sessions?limit=201", "limit", "1 to 200"),
    ("/sessions?active=maybe", "active", "`true` or `false`"),
    ("/sessions?after=last", "after", "\"last\" is no number"),
    ("/receipts?limit=none", "limit", "1 to 200"),
    ("/receipts?before=1", "before", "there is no such parameter"),
    ("/orders/1?wait=31", "wait", "0 to 30"),
    ("/orders/1?wait=-1", "wait", "0 to 30"),
    ("/tokens?all=true", "all", "there is no such parameter"),
];

/// The same of a price.
const PRICES: &[(&str, &str, &str)] = &[
    ("", "kwh", "send kwh, minutes, or both"),
    ("kwh=0", "kwh", "above 0"),
    ("kwh=NaN", "kwh", "no number"),
    ("kwh=10001", "kwh", "10000 at most"),
    ("minutes=44641", "minutes", "44640 at most"),
    ("kwh=1&power_kw=-3", "power_kw", "above 0"),
    ("kwh=1&start=noon", "start", "noon"),
    ("kwh=1&evse=2", "evse", "there is no such parameter"),
];

on_each_engine! {
    async fn a_query_that_cannot_be_understood_is_told_by_its_parameter(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::manual(at(0)), |config| {
            config.driver.driver_burst = 1000;
        })
        .await;
        let anna = AppOf::new(&site.node, "app").await.driver("anna").await;
        let prices = PRICES.iter().map(|(query, at, reason)| (format!("{PRICE}?{query}"), *at, *reason));
        let queries = QUERIES.iter().map(|(path, at, reason)| ((*path).to_owned(), *at, *reason));
        for (path, at, reason) in queries.chain(prices) {
            let response = anna.send(Method::GET, &path, HeaderMap::new(), None).await;
            let (part, found, detail) = place_of(response, 400, &path).await;
            assert_eq!((part.as_str(), found.as_str()), ("query", at), "{path}: {detail}");
            assert!(detail.contains(reason), "{path}: {detail}");
        }
        for path in ["/locations/nobody/LOC1", "/sessions/nobody/1", "/sessions/nobody/1/receipt", "/sessions/nobody/1/events"] {
            let response = anna.send(Method::GET, path, HeaderMap::new(), None).await;
            let (part, found, detail) = place_of(response, 400, path).await;
            assert_eq!((part.as_str(), found.as_str()), ("path", "party"), "{path}: {detail}");
        }
        site.node.stop().await;
    }

    async fn a_body_that_cannot_be_understood_is_told_by_its_field(db: TestDb) {
        let site = Site::bare(db.url(), 1, Clock::manual(at(0)), |_| ()).await;
        let anna = AppOf::new(&site.node, "app").await.driver("anna").await;
        let wish = |change: Value| {
            let mut wish = crate::driver::charging::wish("E0");
            for (name, value) in change.as_object().unwrap() {
                wish[name] = value.clone();
            }
            wish
        };
        for (path, body, at, reason) in [
            ("/charges", wish(json!({"party": "nobody"})), "$.party", "three letters or digits"),
            ("/charges", wish(json!({"evse_uid": 7})), "$.evse_uid", "expected a string"),
            ("/charges", wish(json!({"colour": "red"})), "$.colour", "unknown field"),
            ("/charges", wish(json!({"token": {"type": "RFID"}})), "$.token", "missing field `uid`"),
            ("/charges", json!({"party": "DE*ABC"}), "$", "missing field"),
            ("/charges", json!([]), "$", ""),
            ("/reservations", wish(json!({})), "$", "missing field `expires`"),
            ("/reservations", wish(json!({"expires": "tomorrow"})), "$.expires", "tomorrow"),
            ("/reservations", wish(json!({"expires": "2020-01-01T00:00:00Z"})), "$.expires", "is over"),
        ] {
            let what = format!("{path} {body}");
            let response = anna.send(Method::POST, path, HeaderMap::new(), Some(body)).await;
            let (part, found, detail) = place_of(response, 400, &what).await;
            assert_eq!((part.as_str(), found.as_str()), ("body", at), "{what}: {detail}");
            assert!(detail.contains(reason), "{what}: {detail}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("Idempotency-Key", HeaderValue::from_static("with space"));
        let response = anna.send(Method::POST, "/charges", headers, Some(wish(json!({})))).await;
        let (part, found, detail) = place_of(response, 400, "the key").await;
        assert_eq!((part.as_str(), found.as_str()), ("header", "Idempotency-Key"), "{detail}");
        let response = anna.send(Method::POST, "/charges?now=true", HeaderMap::new(), Some(wish(json!({})))).await;
        let (part, found, _) = place_of(response, 400, "a query where there is none").await;
        assert_eq!((part.as_str(), found.as_str()), ("query", "now"));
        // No JSON at all, or not called so.
        let (status, problem) = raw(&anna, "application/json", "{").await;
        assert_eq!((status, &problem["errors"][0]["at"]), (400, &json!("$")), "{problem}");
        let (status, problem) = raw(&anna, "text/plain", "{}").await;
        assert_eq!(status, 415, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("application/json"), "{problem}");
        site.node.stop().await;
    }
}

/// Sends a body as it is.
async fn raw(phone: &Phone<'_>, kind: &str, body: &'static str) -> (u16, Value) {
    let url = phone.node.url("/driver/v1/charges");
    let request = phone.node.client.post(url).bearer_auth(&phone.token).header("Content-Type", kind);
    let response = request.body(body).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    (response.status().as_u16(), response.json().await.unwrap())
}
