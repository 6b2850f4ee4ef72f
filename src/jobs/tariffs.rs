//! Announces that the time of a tariff or of its assignment began or ended, and works off what changes of
//! assignments mean for locations.

use crate::app::App;
use crate::roaming::spread::keep_up;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it looks without being woken.
const POLL: Duration = Duration::from_secs(2);

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        // Registered before looking, so that a wake-up while looking is not lost.
        let woken = app.wakes.tariffs.notified();
        let next = match keep_up(&app.db, app.now()).await {
            Ok(kept) => {
                if kept.changed {
                    app.wakes.delivery.notify_waiters();
                }
                kept.next
            }
            Err(error) => {
                tracing::error!(%error, "changes of tariffs could not be announced; trying again");
                None
            }
        };
        let due = async {
            match next {
                Some(at) => app.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = woken => {}
            () = due => {}
            // Real time, also where tests turn the clock: another process may have written.
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
