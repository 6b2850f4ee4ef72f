//! The two nodes of the demo.

use crate::cli::failure::Failure;
use crate::config::{Config, Secret};
use crate::db::{DbConn, DbError, api_keys};
use crate::node::{Node, NodeOptions};
use crate::security::new_secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a step may take before it counts as failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a node on a free port of the loopback, with a database of its own in a folder.
pub(super) async fn start(dir: &Path, name: &str) -> Result<Node, Failure> {
    let file = fresh(dir, name);
    let mut config = Config::default();
    config.database.url = format!("sqlite://{}", file.display())
        .parse()
        .map_err(|why: &str| Failure::new(why).while_doing("cannot name the database"))?;
    config.security.secret_key = Secret::new(new_secret());
    config.server.listen = "127.0.0.1:0".parse().map_err(|_| Failure::new("127.0.0.1 is no address"))?;
    config.server.workers = Some(2);
    Node::start(config, NodeOptions::default()).await.map_err(Failure::from)
}

/// A database file that no earlier demo left there: each begins anew, with a key of its own.
fn fresh(dir: &Path, name: &str) -> PathBuf {
    let mut number = 1_u32;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let file = dir.join(format!("{name}{suffix}.db"));
        if !file.exists() {
            return file;
        }
        number += 1;
    }
}

/// Makes a key of the operator API and returns it.
pub(super) async fn api_key(node: &Node) -> Result<String, Failure> {
    let (app, key) = (node.app(), new_secret());
    let (hash, now) = (app.keys.hash(&key), app.now());
    app.db
        .write(move |conn| api_keys::insert(conn, "demo", "operator", &hash, now))
        .await
        .map_err(Failure::from)?;
    Ok(key)
}

/// Reads from a node's database until there is what is looked for.
pub(super) async fn until<T: Send + 'static>(
    node: &Node,
    what: &str,
    look: impl Fn(&mut DbConn) -> Result<Option<T>, DbError> + Clone + Send + 'static,
) -> Result<T, Failure> {
    let begun = std::time::Instant::now();
    loop {
        let look = look.clone();
        if let Some(found) = node.app().db.read(move |conn| look(conn)).await.map_err(Failure::from)? {
            return Ok(found);
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!("{what}: not within {} s", PATIENCE.as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
