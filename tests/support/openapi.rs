//! What is asked of the description of every API: that it is in step with the code, and complete.

use super::node::TestNode;
use reqwest::Method;
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

/// A file of `openapi/` is what the code says. `ROAMWATT_WRITE_OPENAPI=1 cargo test openapi` writes it anew.
pub(crate) fn assert_in_step(file: &str, document: &utoipa::openapi::OpenApi) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(file);
    let made = format!("{}\n", serde_json::to_string_pretty(document).unwrap());
    if std::env::var_os("ROAMWATT_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "openapi/{file} is not what the code says; write it anew with \
         `ROAMWATT_WRITE_OPENAPI=1 cargo test openapi` and look at the difference"
    );
}

/// Every operation of the document that a node serves wants a token, has a name of its own, a summary and an answer for
/// failures; there are at least so many paths.
pub(crate) async fn assert_complete(node: &TestNode, document: &str, least: usize) {
    let document: Value = node.get(document).await.json().await.unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= least, "{}", paths.len());
    let mut names = HashSet::new();
    for (path, item) in paths {
        let url = node.url(&filled(path));
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let response = node.client.request(method.clone(), &url).send().await.unwrap();
            assert_eq!(response.status(), 401, "{method} {path}");
            assert!(names.insert(operation["operationId"].clone()), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
}

/// Every path that a source file routes below a prefix stands in the document.
pub(crate) fn assert_tells_every_route(source: &str, prefix: &str, document: &utoipa::openapi::OpenApi) {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(source)).unwrap();
    let routes = text.split("service(at(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
    let mut seen = 0;
    for route in routes.map(|rest| rest.split('"').next().unwrap()) {
        // The document itself is not among what it tells.
        if route == "/openapi.json" {
            continue;
        }
        let path = format!("{prefix}{route}");
        assert!(document.paths.paths.contains_key(&path), "the document of {source} does not tell {path}");
        seen += 1;
    }
    assert!(seen >= 15, "{seen} routes were found in {source}");
}

/// A path with something for each of its parts.
fn filled(path: &str) -> String {
    let part = |part: &str| match part {
        "{party}" => "DE*ABC".to_owned(),
        "{type}" => "RFID".to_owned(),
        part if part.starts_with('{') => "1".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
