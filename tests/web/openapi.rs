//! The API's description: in step with the code, complete, and readable without any third party.

use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use crate::support::openapi::{assert_complete, assert_in_step, assert_tells_every_route};
use roamwatt::web::api::docs::document;

#[test]
fn the_document_in_the_repository_is_in_step() {
    assert_in_step("roamwatt.json", &document());
}

#[test]
fn every_route_is_told() {
    assert_tells_every_route("src/web/api/mod.rs", "/api/v1", &document());
}

on_each_engine! {
    async fn every_path_of_the_document_is_there_and_wants_a_token(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        assert_complete(&node, "/api/v1/openapi.json", 25).await;
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
