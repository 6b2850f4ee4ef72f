//! Keeps up what is known of drivers: apps that another process removed are let in no more, and what was kept for its
//! time is forgotten.

use crate::app::App;
use crate::db::{DbError, driver_grants};
use crate::driver::gate::forget_removed;
use crate::driver::orders::forget_old;
use crate::http::with_causes;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it looks for apps that were removed. Real time, also where tests turn the clock: another process removes
/// them.
const POLL: Duration = Duration::from_secs(2);
/// How often it forgets what was kept for its time.
const FORGET: TimeDelta = TimeDelta::hours(1);
/// How soon it does so again when it failed.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut forget_at = app.now();
    loop {
        if let Err(error) = forget_removed(&app).await {
            tracing::error!(
                error = with_causes(&error),
                "apps of drivers could not be looked for; trying again"
            );
        }
        if forget_at <= app.now() {
            let next = match forget(&app).await {
                Ok(()) => FORGET,
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::error!(error, "old orders of drivers could not be removed; trying again");
                    AGAIN
                }
            };
            forget_at = app.now().plus(next);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
            () = app.clock.sleep_until(forget_at) => {}
        }
    }
}

async fn forget(app: &App) -> Result<(), DbError> {
    let orders = forget_old(app).await?;
    let now = app.now();
    let grants = app.db.write(move |conn| driver_grants::forget_all_ended(conn, now)).await?;
    if orders > 0 || grants > 0 {
        tracing::info!(orders, grants, "forgot what drivers asked for and were given long ago");
    }
    Ok(())
}
