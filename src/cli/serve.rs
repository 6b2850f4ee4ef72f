//! `roamwatt serve`: runs a node until it is told to stop.

use super::failure::{Failure, Outcome};
use super::output::Output;
use super::{Settings, logging};
use crate::node::{Node, NodeError, NodeOptions};
use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a node: stations, partners and operators connect to it
///
/// SIGINT (Ctrl-C) and SIGTERM stop it in order: no new connections, running requests and writes are finished,
/// stations are told to come back later.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt serve                                     on 127.0.0.1:8080, with ./roamwatt.db
  roamwatt serve --listen 0.0.0.0:8080 --public-url https://charging.example
  ROAMWATT_DATABASE_URL=postgres://me@db/roamwatt roamwatt serve --no-migrate")]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// URL under which partners reach this node
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Fail where the database lacks migrations, rather than run them
    #[arg(long)]
    pub no_migrate: bool,
}

/// Runs the command.
///
/// # Errors
/// When the node cannot be started, or its server fails.
pub fn run(mut settings: Settings, output: Output, args: ServeArgs) -> Outcome {
    let ServeArgs { listen, public_url, no_migrate } = args;
    settings.set("--listen", "server.listen", listen);
    settings.set("--public-url", "server.public_url", public_url);
    let config = settings.load()?;
    logging::start(&config.log);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let options = NodeOptions { migrate: !no_migrate, ..NodeOptions::default() };
        let mut node = Node::start(config, options).await.map_err(explain)?;
        let (address, url) = (node.addr(), node.app().public_url.clone());
        output.show(&json!({ "listening": address.to_string(), "public_url": url }), || {
            format!("Roamwatt listens on {address}, for partners at {url} (Ctrl-C stops it)")
        })?;
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
            ended = node.ended() => {
                ended.map_err(|error| Failure::from(error).while_doing("the server failed"))?;
                return Err(Failure::new("the server ended by itself"));
            }
        }
        output.note("stopping; once more stops at once");
        tokio::select! {
            () = node.stop() => Ok(()),
            _ = terminate.recv() => Err(Failure::new("stopped at once; running requests were cut off")),
            _ = interrupt.recv() => Err(Failure::new("stopped at once; running requests were cut off")),
        }
    })
}

/// With what an operator can do about it.
fn explain(error: NodeError) -> Failure {
    let remedy = match &error {
        NodeError::Listen { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
            Some("another process listens there; stop it, or choose another port with --listen")
        }
        NodeError::Listen { .. } => Some("choose an address of this machine with --listen"),
        NodeError::Tls(_) => Some("see server.tls_certificate and server.tls_key; both are PEM files"),
        NodeError::NotMigrated(_) => Some("make a backup, then run `roamwatt migrate`"),
        _ => None,
    };
    let failure = Failure::from(error);
    match remedy {
        Some(remedy) => failure.with_remedy(remedy),
        None => failure,
    }
}
