//! Tells partners what changed: a worker for each partner that is told, so that none waits for another, and one
//! who starts and ends the workers as partners come and go, by this process or by another one.

use crate::app::App;
use crate::db::{DbConn, DbResult, changes, partners};
use crate::roaming::delivery::{Memory, Progress, deliver_once, is_told};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How soon the one over the workers sees what another process did to a partner.
const LOOK: Duration = Duration::from_secs(1);
/// How long a worker that met an error of the database lets pass.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// How long the one over the workers lets pass between looks at the partners.
const AT_MOST_EVERY: Duration = Duration::from_millis(200);
/// How long a worker that was woken lets changes gather.
const GATHER: Duration = Duration::from_millis(20);

struct Worker {
    name: String,
    task: JoinHandle<()>,
    stop: CancellationToken,
}

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut workers = HashMap::new();
    loop {
        // Registered before looking, so that a wake-up while looking is not lost.
        let woken = app.wakes.delivery.notified();
        if let Err(error) = supervise(&app, &mut workers, &stop).await {
            tracing::error!(%error, "partners could not be looked up; trying again");
        }
        let pause = async {
            tokio::time::sleep(AT_MOST_EVERY).await;
            tokio::select! {
                () = woken => {}
                // Real time, also where tests turn the clock: another process may have changed a partner.
                () = tokio::time::sleep(LOOK) => {}
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = pause => {}
        }
    }
    for (_, worker) in workers {
        // It ends at once; it can only fail by a panic, which is logged where it happens.
        drop(worker.task.await);
    }
}

/// Starts and ends workers, and counts what waits.
async fn supervise(
    app: &Arc<App>,
    workers: &mut HashMap<i64, Worker>,
    stop: &CancellationToken,
) -> DbResult<()> {
    let look = |conn: &mut DbConn| DbResult::Ok((partners::all(conn)?, changes::backlogs(conn)?));
    let (partners, waiting) = app.db.read(look).await?;
    let waiting: HashMap<i64, i64> = waiting.into_iter().collect();
    let backlog = &app.metrics.partner_backlog;
    let told: HashMap<i64, &str> = partners
        .iter()
        .filter(|partner| is_told(partner))
        .map(|partner| (partner.id, partner.name.as_str()))
        .collect();
    workers.retain(|id, worker| {
        let keep = told.contains_key(id) && !worker.task.is_finished();
        if !keep {
            // Whatever it was sending will be sent again.
            worker.stop.cancel();
        }
        if !told.contains_key(id)
            && let Err(error) = backlog.remove_label_values(&[&worker.name])
        {
            tracing::debug!(%error, "a partner was not counted");
        }
        keep
    });
    for (id, name) in told {
        backlog.with_label_values(&[name]).set(waiting.get(&id).copied().unwrap_or(0));
        workers.entry(id).or_insert_with(|| {
            let stop = stop.child_token();
            let task = tokio::spawn(work(Arc::clone(app), id, stop.clone()));
            Worker { name: name.to_owned(), task, stop }
        });
    }
    Ok(())
}

/// Tells one partner, until it is stopped or the partner is not told any more.
async fn work(app: Arc<App>, partner_id: i64, stop: CancellationToken) {
    tokio::select! {
        // What is on its way is given up, and sent again later: a partner that hangs must not hold up a stop.
        () = stop.cancelled() => {}
        () = deliver(&app, partner_id) => {}
    }
}

async fn deliver(app: &App, partner_id: i64) {
    let mut memory = Memory::default();
    let poll = app.config.roaming.poll_interval;
    loop {
        let woken = app.wakes.delivery.notified();
        let next = match deliver_once(app, partner_id, &mut memory).await {
            Ok(Progress::More) => continue,
            Ok(Progress::NotTold) => return,
            Ok(Progress::Waiting(next)) => next,
            Err(error) => {
                tracing::error!(partner = partner_id, %error, "changes could not be delivered; trying again");
                tokio::time::sleep(AFTER_ERROR).await;
                continue;
            }
        };
        let due = async {
            match next {
                Some(at) => app.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = woken => tokio::time::sleep(GATHER).await,
            () = due => {}
            // Real time: another process may have changed an object.
            () = tokio::time::sleep(poll) => {}
        }
    }
}
