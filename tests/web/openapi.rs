//! The API's description: in step with the code, complete, and readable without any third party.

use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use roamwatt::web::api::docs::document;
use serde_json::Value;
use std::path::Path;

/// `openapi/roamwatt.json` is what the code says. `ROAMWATT_WRITE_OPENAPI=1 cargo test openapi` writes it anew.
#[test]
fn the_document_in_the_repository_is_in_step() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/roamwatt.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("ROAMWATT_WRITE_OPENAPI").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == made,
        "openapi/roamwatt.json is not what the code says; write it anew with \
         `ROAMWATT_WRITE_OPENAPI=1 cargo test openapi` and look at the difference"
    );
}

on_each_engine! {
    async fn every_path_of_the_document_is_there_and_wants_a_token(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let document: Value = node.get("/api/v1/openapi.json").await.json().await.unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() >= 25, "{}", paths.len());
        let mut names = std::collections::HashSet::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                let place = path.replace("{party}", "DE*ABC").replace("{type}", "RFID");
                let place = place.replace("{id}", "1").replace("{uid}", "1").replace("{station}", "1");
                let url = node.url(&place.replace("{key}", "1"));
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let response = node.client.request(method.clone(), url).send().await.unwrap();
                assert_eq!(response.status(), 401, "{method} {path}");
                assert!(names.insert(operation["operationId"].clone()), "{method} {path}");
                assert!(operation["summary"].is_string(), "{method} {path}");
                assert!(operation["responses"]["default"].is_object(), "{method} {path}");
            }
        }
        node.stop().await;
    }

    async fn the_page_needs_no_third_party(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        // Without following it to the end, a browser would look for the files one level too high.
        let page = node.get("/api/docs").await;
        assert_eq!(page.status(), 200);
        assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'self'"));
        let page = page.text().await.unwrap();
        let mut files = 0;
        for attribute in ["src=\"", "href=\""] {
            for (at, _) in page.match_indices(attribute) {
                let file = page[at + attribute.len()..].split('"').next().unwrap();
                assert!(!file.contains("//"), "{file} comes from elsewhere");
                let file = file.trim_start_matches("./");
                assert_eq!(node.get(&format!("/api/docs/{file}")).await.status(), 200, "{file}");
                files += 1;
            }
        }
        assert!(files >= 4, "{page}");
        let script = node.get("/api/docs/swagger-initializer.js").await.text().await.unwrap();
        assert!(script.contains("/api/v1/openapi.json") && !script.contains("petstore"), "{script}");
        assert_eq!(node.get("/api/docs/../../Cargo.toml").await.status(), 404);
        assert_eq!(node.get("/api/docs/nothing.js").await.status(), 404);
        node.stop().await;
    }
}
