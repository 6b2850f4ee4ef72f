//! A node starts, says how it is, and stops.

use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use roamwatt::db::settings;
use serde_json::Value;

on_each_engine! {
    async fn a_node_starts_says_how_it_is_and_stops(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let live = node.get("/livez").await;
        assert_eq!(live.status(), 200);
        let ready = node.get("/readyz").await;
        assert_eq!(ready.status(), 200);
        assert_eq!(ready.json::<Value>().await.unwrap()["database"], "ok");

        let url = node.app().public_url.clone();
        assert_eq!(url, node.url(""));
        let stored = node.app().db.read(|conn| settings::get(conn, settings::PUBLIC_URL)).await.unwrap();
        assert_eq!(stored, Some(url));

        // A database whose schema is older is not ready, though it lives.
        node.app().db.revert_last_migration().await.unwrap();
        let ready = node.get("/readyz").await;
        assert_eq!(ready.status(), 503);
        assert!(ready.text().await.unwrap().contains("migrations are missing"));
        assert_eq!(node.get("/livez").await.status(), 200);

        let (client, url) = (node.client.clone(), node.url("/livez"));
        node.stop().await;
        assert!(client.get(url).send().await.unwrap_err().is_connect());
    }

    async fn two_nodes_run_in_one_process(db: TestDb) {
        let other = db.another();
        let (one, two) = (TestNode::start(db.url()).await, TestNode::start(other.url()).await);
        assert_ne!(one.url(""), two.url(""));
        assert_eq!(one.get("/readyz").await.status(), 200);
        one.stop().await;
        assert_eq!(two.get("/readyz").await.status(), 200);
        two.stop().await;
    }
}
