//! Moves payments on whose time has come, or of which something was told: by the provider, the station, a charge.

use crate::app::{App, Event};
use crate::payments::work::{Watch, work_off};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// How often it looks without being woken.
const POLL: Duration = Duration::from_secs(2);

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut events = app.wakes.events.subscribe();
    let mut watch = Watch::default();
    loop {
        // Registered before looking, so that a wake-up while looking is not lost.
        let woken = app.wakes.payments.notified();
        let commands = app.wakes.commands.notified();
        let next = match work_off(&app, &mut watch).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(
                    error = ?error,
                    "payments could not be looked at; trying again"
                );
                None
            }
        };
        let due = async {
            match next {
                Some(at) => app.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        // Real time, also where tests turn the clock: another process may have written.
        let poll = tokio::time::sleep(POLL);
        tokio::pin!(woken, commands, due, poll);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = &mut woken => break,
                () = &mut commands => break,
                () = &mut due => break,
                () = &mut poll => break,
                event = events.recv() => match event {
                    Ok(Event::SessionChanged(session) | Event::CdrWritten(session)) => {
                        if watch.look_at(&app, &session) {
                            break;
                        }
                    }
                    Ok(Event::PaymentChanged(_)) => watch.payment_changed(),
                    Ok(Event::StationConnected(_)) => break,
                    Ok(_) => {}
                    // The poll finds what was missed.
                    Err(RecvError::Lagged(_)) => watch.all_changed(),
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }
}
