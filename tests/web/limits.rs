//! How much one side may ask, and who it is when a proxy asks for it.

use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use roamwatt::clock::Clock;
use roamwatt::config::Secret;
use serde_json::Value;

on_each_engine! {
    async fn who_asks_too_much_is_told_when_to_come_back(db: TestDb) {
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            config.limits.address_burst = 3;
            config.limits.address_per_second = 1;
        })
        .await;
        for _ in 0..3 {
            assert_eq!(node.get("/metrics").await.status(), 200);
        }
        let refused = node.get("/metrics").await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
        assert_eq!(refused.headers()["retry-after"], "1");
        assert_eq!(refused.json::<Value>().await.unwrap()["status"], 429);
        let refused = node.get("/ocpi/versions").await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.json::<Value>().await.unwrap()["status_code"], 2000);
        // Whoever watches over the process is not limited.
        assert_eq!(node.get("/livez").await.status(), 200);
        node.stop().await;
    }

    async fn a_proxy_of_ours_says_who_asks(db: TestDb) {
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            config.limits.address_burst = 1;
            config.limits.address_per_second = 1;
            config.server.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        })
        .await;
        for (client, status) in [("192.0.2.1", 200), ("192.0.2.1", 429), ("192.0.2.2", 200)] {
            let request = node.client.get(node.url("/metrics")).header("X-Forwarded-For", client);
            assert_eq!(request.send().await.unwrap().status(), status, "{client}");
        }
        node.stop().await;
    }

    async fn who_guesses_tokens_is_refused_for_a_while(db: TestDb) {
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            config.limits.failures_burst = 2;
            config.limits.failures_per_minute = 1;
            config.metrics.token = Secret::new("right");
        })
        .await;
        let ask = async |token: &str| {
            let request = node.client.get(node.url("/metrics")).bearer_auth(token);
            request.send().await.unwrap().status()
        };
        assert_eq!(node.get("/metrics").await.status(), 401);
        for guess in ["a", "b", "c"] {
            assert_eq!(ask(guess).await, 401);
        }
        assert_eq!(ask("right").await, 429);
        node.stop().await;
    }

    async fn metrics_count_what_happens(db: TestDb) {
        let node = TestNode::start(db.url()).await;
        let missing = node.get("/nothing").await;
        assert_eq!(missing.status(), 404);
        assert_eq!(missing.headers()["content-type"], "application/problem+json");
        assert!(missing.headers().contains_key("x-request-id"));
        let metrics = node.get("/metrics").await;
        assert!(metrics.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
        let text = metrics.text().await.unwrap();
        let line = "roamwatt_http_requests_total{edge=\"other\",status=\"4xx\"} 1";
        assert!(text.contains(line), "{text}");
        node.stop().await;
    }
}
