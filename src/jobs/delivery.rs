//! Tells partners what changed: one worker per partner, so that none slows another.

use crate::app::App;
use crate::db::{DbError, partners};
use crate::domain::partner::{DeliveryPolicy, PartnerStatus};
use crate::roaming::delivery::{Memory, Progress, deliver};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How soon a partner that another process registered gets its worker.
const LOOK: Duration = Duration::from_secs(1);

struct Worker {
    task: JoinHandle<()>,
    wake: Arc<Notify>,
}

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut workers: HashMap<i64, Worker> = HashMap::new();
    loop {
        // Registered before looking, so that a wake-up while looking is not lost.
        let woken = app.wakes.delivery.notified();
        match to_be_told(&app).await {
            Ok(ids) => {
                workers.retain(|_, worker| !worker.task.is_finished());
                for id in ids {
                    workers.entry(id).or_insert_with(|| start(&app, id, &stop));
                }
            }
            Err(error) => tracing::error!(%error, "partners could not be listed; trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = woken => workers.values().for_each(|worker| worker.wake.notify_one()),
            // Real time, also where tests turn the clock: another process may have written.
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    for (_, worker) in workers {
        // A worker ends by itself; one that panicked has said so.
        drop(worker.task.await);
    }
}

async fn to_be_told(app: &App) -> Result<Vec<i64>, DbError> {
    let all = app.db.read(partners::all).await?;
    let told = all.into_iter().filter(|partner| {
        partner.status == PartnerStatus::Registered && partner.delivery != DeliveryPolicy::PullOnly
    });
    Ok(told.map(|partner| partner.id).collect())
}

fn start(app: &Arc<App>, partner_id: i64, stop: &CancellationToken) -> Worker {
    let wake = Arc::new(Notify::new());
    let task = tokio::spawn(work(Arc::clone(app), partner_id, Arc::clone(&wake), stop.clone()));
    Worker { task, wake }
}

/// Tells one partner, until it is not to be told any more.
async fn work(app: Arc<App>, partner_id: i64, wake: Arc<Notify>, stop: CancellationToken) {
    let mut memory = Memory::default();
    let poll = app.config.roaming.poll_interval.min(Duration::from_secs(2));
    loop {
        let progress = tokio::select! {
            () = stop.cancelled() => return,
            // What is under way when it is stopped is sent again later, which changes nothing.
            progress = deliver(&app, partner_id, &mut memory) => progress,
        };
        let retry_at = match progress {
            Ok(Progress::More) => continue,
            Ok(Progress::Idle) => None,
            Ok(Progress::RetryAt(at)) => Some(at),
            Ok(Progress::NotTold) => return,
            Err(error) => {
                tracing::error!(partner = partner_id, %error, "changes could not be delivered; trying again");
                None
            }
        };
        let due = async {
            match retry_at {
                Some(at) => app.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = wake.notified() => {}
            () = due => {}
            () = tokio::time::sleep(poll) => {}
        }
    }
}
