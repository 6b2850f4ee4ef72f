//! Posts the results of partners' commands, and ends commands whose time is over.

use crate::app::App;
use crate::roaming::commands::settle_commands;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it looks without being woken; also how soon a result is offered again.
const POLL: Duration = Duration::from_secs(1);

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        // Registered before looking, so that a wake-up while looking is not lost.
        let woken = app.wakes.commands.notified();
        if let Err(error) = settle_commands(&app).await {
            tracing::error!(%error, "commands could not be settled; trying again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = woken => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
