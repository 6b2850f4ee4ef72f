//! The API's description: in step with the code, and complete.

use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use reqwest::Method;
use roamwatt::web::driver::docs::document;
use serde_json::Value;
use std::path::Path;

/// `openapi/driver.json` is what the code says. `ROAMWATT_WRITE_OPENAPI=1 cargo test openapi` writes it anew.
#[test]
fn the_document_in_the_repository_is_in_step() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/driver.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("ROAMWATT_WRITE_OPENAPI").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == made,
        "openapi/driver.json is not what the code says; write it anew with \
         `ROAMWATT_WRITE_OPENAPI=1 cargo test openapi` and look at the difference"
    );
}

on_each_engine! {
    async fn every_path_of_the_document_is_there_and_wants_a_token(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let document: Value = node.get("/driver/v1/openapi.json").await.json().await.unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert!(paths.len() >= 15, "{}", paths.len());
        let mut names = std::collections::HashSet::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                let mut place = path.replace("{party}", "DE*ABC");
                for name in ["{type}", "{id}", "{uid}", "{evse}", "{connector}", "{driver}"] {
                    place = place.replace(name, "1");
                }
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let response = node.client.request(method.clone(), node.url(&place)).send().await.unwrap();
                assert_eq!(response.status(), 401, "{method} {path}");
                assert!(names.insert(operation["operationId"].clone()), "{method} {path}");
                assert!(operation["summary"].is_string(), "{method} {path}");
                assert!(operation["responses"]["default"].is_object(), "{method} {path}");
            }
        }
        assert_eq!(node.get("/driver/v1/nothing").await.status(), 404);
        let wrong = node.client.delete(node.url("/driver/v1/locations")).send().await.unwrap();
        assert_eq!(wrong.status(), 405);
        node.stop().await;
    }
}
