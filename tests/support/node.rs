//! A node in this process on a free port, with a clock that the test turns or the machine's.

use roamwatt::app::App;
use roamwatt::clock::Clock;
use roamwatt::config::{Config, Secret};
use roamwatt::node::{Node, NodeOptions};
use std::sync::Arc;

/// The key of every node in tests.
const KEY: &str = "a key that only tests use, long enough";

/// A node. It ends with the test, or in order with [`TestNode::stop`].
pub(crate) struct TestNode {
    node: Node,
    /// For requests to it, and whatever else.
    pub(crate) client: reqwest::Client,
}

impl TestNode {
    /// A node on that database, with the machine's clock.
    pub(crate) async fn start(database_url: &str) -> Self {
        Self::start_with(database_url, Clock::System, |_| ()).await
    }

    /// A node on that database with that clock, and what `change` makes of the configuration.
    pub(crate) async fn start_with(
        database_url: &str,
        clock: Clock,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::default();
        config.database.url = database_url.parse().unwrap();
        config.security.secret_key = Secret::new(KEY);
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.server.workers = Some(2);
        config.server.shutdown_grace = std::time::Duration::from_secs(5);
        change(&mut config);
        let options = NodeOptions { clock, ..NodeOptions::default() };
        let node = Node::start(config, options).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { node, client }
    }

    /// Its handles.
    pub(crate) fn app(&self) -> &Arc<App> {
        self.node.app()
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> std::net::SocketAddr {
        self.node.addr()
    }

    /// `http://127.0.0.1:PORT` and the path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.node.addr())
    }

    /// `ws://127.0.0.1:PORT` and the path.
    pub(crate) fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.node.addr())
    }

    /// What a GET answers.
    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// Stops it in order.
    pub(crate) async fn stop(self) {
        self.node.stop().await;
    }
}
