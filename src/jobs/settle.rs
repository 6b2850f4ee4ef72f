//! Settles charges when their time has come, closes those whose stop is missing, and shows stations that have
//! been away for long as UNKNOWN.

use crate::app::App;
use crate::charging::{settle, station};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it looks without being woken.
const POLL: Duration = Duration::from_secs(2);

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        // Registered before looking, so that a wake-up while looking is not lost.
        let woken = app.wakes.settle.notified();
        let next = match settle::settle_due(&app).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(error = %chain(&error), "charges could not be settled; trying again");
                None
            }
        };
        if let Err(error) = station::forget_absent(&app).await {
            tracing::error!(error = %chain(&error), "absent stations could not be marked; trying again");
        }
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

/// An error with its causes, for a log line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
