//! Pulls what partners hold: completely when it was asked for and now and then, else what changed.

use crate::app::App;
use crate::db::partners;
use crate::domain::partner::{Partner, PartnerStatus};
use crate::roaming::sync::{PullDue, due, pull_partner};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How soon a pull that another process asked for begins.
const LOOK: Duration = Duration::from_secs(1);

/// Runs until it is stopped. Each partner is pulled in a task of its own, so that a slow one holds up nobody.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut running: HashMap<i64, JoinHandle<()>> = HashMap::new();
    loop {
        let woken = app.wakes.sync.notified();
        running.retain(|_, task| !task.is_finished());
        match app.db.read(partners::all).await {
            Ok(all) => {
                for partner in all.into_iter().filter(|partner| partner.status == PartnerStatus::Registered) {
                    running
                        .entry(partner.id)
                        .or_insert_with(|| tokio::spawn(pull(Arc::clone(&app), partner, stop.clone())));
                }
            }
            Err(error) => tracing::error!(%error, "partners could not be listed; trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = woken => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    for (_, task) in running {
        // What was pulled of a list so far is kept, and the list is pulled again.
        drop(task.await);
    }
}

async fn pull(app: Arc<App>, partner: Partner, stop: CancellationToken) {
    let complete = match due(&app, partner.id).await {
        Ok(PullDue::Nothing) => return,
        Ok(PullDue::Changes) => false,
        Ok(PullDue::Complete) => true,
        Err(error) => {
            tracing::error!(partner = partner.id, %error, "cannot see whether a pull is due");
            return;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        result = pull_partner(&app, &partner, complete) => {
            if let Err(error) = result {
                tracing::warn!(partner = partner.id, %error, "a pull failed; it is tried again later");
            }
        }
    }
}
