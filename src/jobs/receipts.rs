//! Sends receipts by mail.

use crate::app::App;
use crate::http::with_causes;
use crate::receipts::mail::send_due;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it looks. Real time, also where tests turn the clock: the mail server is not turned.
const POLL: Duration = Duration::from_secs(2);

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        if let Err(error) = send_due(&app).await {
            tracing::error!(error = with_causes(&error), "receipts could not be sent; trying again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
    }
}
