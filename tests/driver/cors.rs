//! Web apps: which pages may read the answers (Fetch, "CORS protocol").

use super::phone::{AppOf, Phone};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use roamwatt::clock::Clock;

const APP: &str = "https://app.example";

/// What a browser asks before it sends a request of a page.
async fn preflight(node: &TestNode, path: &str, origin: &str, method: &str, headers: &str) -> Response {
    let request = node.client.request(Method::OPTIONS, node.url(path));
    let request = request.header("Origin", origin).header("Access-Control-Request-Method", method);
    request.header("Access-Control-Request-Headers", headers).send().await.unwrap()
}

fn allowed(response: &Response) -> Option<&str> {
    response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

async fn search(phone: &Phone<'_>, origin: &'static str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("origin", HeaderValue::from_static(origin));
    phone.send(Method::GET, "/locations?bbox=0,0,1,1", headers, None).await
}

on_each_engine! {
    async fn pages_of_origins_that_are_configured_may_use_the_api(db: TestDb) {
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            config.driver.allowed_origins = vec![APP.to_owned(), "capacitor://localhost".to_owned()];
        })
        .await;
        let anna = AppOf::new(&node, "app").await.driver("anna").await;
        for (path, method) in [("/driver/v1/locations", "GET"), ("/driver/v1/charges", "POST"), ("/driver/v1/me", "DELETE")] {
            let asked = preflight(&node, path, APP, method, "authorization,content-type,idempotency-key,if-none-match").await;
            assert!(asked.status().is_success(), "{path}: {}", asked.status());
            assert_eq!(allowed(&asked), Some(APP));
            let of = |name: &str| asked.headers()[name].to_str().unwrap().to_ascii_lowercase();
            assert!(of("access-control-allow-methods").contains(&method.to_ascii_lowercase()));
            assert!(of("access-control-allow-headers").contains("authorization"));
            assert_eq!(of("access-control-max-age"), "3600");
            assert!(!asked.headers().contains_key("access-control-allow-credentials"), "there are no cookies");
        }
        let found = search(&anna, APP).await;
        assert_eq!((found.status().as_u16(), allowed(&found)), (200, Some(APP)));
        assert!(found.headers()["access-control-expose-headers"].to_str().unwrap().to_ascii_lowercase().contains("etag"));
        let vary = found.headers().get_all("vary").iter().map(|line| line.to_str().unwrap().to_ascii_lowercase());
        let vary: Vec<String> = vary.collect();
        assert!(vary.iter().any(|line| line.contains("origin")) && vary.iter().any(|line| line.contains("authorization")), "{vary:?}");
        assert_eq!(allowed(&search(&anna, "capacitor://localhost").await), Some("capacitor://localhost"));
        // A page may read why something failed, too.
        let nobody = Phone { node: &node, token: "rubbish".to_owned(), driver_id: String::new() };
        let refused = search(&nobody, APP).await;
        assert_eq!((refused.status().as_u16(), allowed(&refused)), (401, Some(APP)));

        // Others get nothing that a browser would let them read, and what is not in the list is not allowed.
        for stranger in ["https://evil.example", "https://app.example.evil.example", "http://app.example", "null"] {
            let asked = preflight(&node, "/driver/v1/locations", stranger, "GET", "authorization").await;
            assert_eq!((asked.status().as_u16(), allowed(&asked)), (400, None), "{stranger}");
        }
        let found = search(&anna, "https://evil.example").await;
        assert_eq!((found.status().as_u16(), allowed(&found)), (200, None));
        let asked = preflight(&node, "/driver/v1/locations", APP, "PATCH", "authorization").await;
        assert_eq!(asked.status(), 400);
        let asked = preflight(&node, "/driver/v1/locations", APP, "GET", "x-whatever").await;
        assert_eq!(asked.status(), 400);
        // The operator API and the rest are for no page of others.
        for path in ["/api/v1/parties", "/livez"] {
            let asked = preflight(&node, path, APP, "GET", "authorization").await;
            assert_eq!(allowed(&asked), None, "{path}");
        }
        node.stop().await;
    }

    async fn without_the_setting_there_is_no_word_of_it(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let anna = AppOf::new(&node, "app").await.driver("anna").await;
        let asked = preflight(&node, "/driver/v1/locations", APP, "GET", "authorization").await;
        assert_eq!((asked.status().as_u16(), allowed(&asked)), (405, None));
        let found = search(&anna, APP).await;
        assert_eq!(found.status(), 200);
        assert!(!found.headers().keys().any(|name| name.as_str().starts_with("access-control")), "{:?}", found.headers());
        node.stop().await;
    }
}
