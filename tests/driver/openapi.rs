//! The API's description: in step with the code, and complete.

use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use crate::support::openapi::{assert_complete, assert_in_step, assert_tells_every_route};
use roamwatt::web::driver::docs::document;

#[test]
fn the_document_in_the_repository_is_in_step() {
    assert_in_step("driver.json", &document());
}

#[test]
fn every_route_is_told() {
    assert_tells_every_route("src/web/driver/mod.rs", "/driver/v1", &document());
}

on_each_engine! {
    async fn every_path_of_the_document_is_there_and_wants_a_token(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        assert_complete(&node, "/driver/v1/openapi.json", 15).await;
        assert_eq!(node.get("/driver/v1/nothing").await.status(), 404);
        let wrong = node.client.delete(node.url("/driver/v1/locations")).send().await.unwrap();
        assert_eq!(wrong.status(), 405);
        node.stop().await;
    }
}
