//! From the hold to the charge: the station is asked to start, and the driver plugs in.
//!
//! That the station is asked is written before it is asked, with the id of the command. The charge is linked to the
//! payment in the write in which the station's start is taken ([`crate::charging::start`]): one that comes after the
//! hold was given back finds no payment that waits for it.

use super::flow::{Step, give_back, go_on_in_background};
use super::{PaymentError, change, delta};
use crate::app::App;
use crate::charging::remote::{self, RemoteError};
use crate::charging::{StationAnswer, StationCall, StationCallError};
use crate::db::commands;
use crate::db::payments::Payment;
use crate::domain::Timestamp;
use crate::domain::command::CommandResult;
use crate::domain::payment::{PaymentReason, PaymentState};
use crate::domain::station::StationId;
use chrono::TimeDelta;
use std::sync::Arc;

/// The station's own timeout for plugging in (OCPP 1.6, 9.1.4).
const CONNECTION_TIME_OUT: &str = "ConnectionTimeOut";
/// So much longer than the station itself we wait for its message that somebody plugged in at the last moment.
const STATION_GRACE_SECONDS: i64 = 10;
/// So long a station that is away may take to come back before the hold is given back.
const OFFLINE_GRACE_SECONDS: i64 = 20;

/// The amount is held: asks the station to start, if it is there.
pub(super) async fn authorised(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    let online = app.stations.is_connected(&payment.station()?);
    let command_id = uuid::Uuid::new_v4().to_string();
    let within = delta(app.config.payments.connect_timeout);
    let retry = delta(app.config.payments.retry_first);
    let (payment, sent) = change(app, &payment.id, move |conn, payment, now| {
        if payment.state != PaymentState::Authorised {
            return Ok(None);
        }
        if !online {
            // After a restart of the node, stations come back within seconds.
            let since = payment.details.0.authorised_at.unwrap_or(payment.created);
            if now < since.plus(TimeDelta::seconds(OFFLINE_GRACE_SECONDS)) {
                payment.next_at = Some(now.plus(retry));
                return Ok(Some(false));
            }
            give_back(conn, payment, PaymentState::Failed, PaymentReason::StationOffline, now)?;
            return Ok(None);
        }
        payment.move_to(PaymentState::StartSent, None)?;
        payment.command_id = Some(command_id.clone());
        let by = now.plus(within);
        payment.details.0.connect_by = Some(by);
        payment.next_at = Some(by);
        Ok(Some(true))
    })
    .await?;
    match sent {
        None => return Ok(Step::Again),
        Some(true) => send(app, payment),
        Some(false) => {}
    }
    Ok(Step::Wait)
}

/// Asks the station in the background: it may take as long as a person.
fn send(app: &Arc<App>, payment: Payment) {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let Some(command) = payment.command_id.clone() else { return };
        let Ok(station) = payment.station() else { return };
        let token = match payment.token() {
            Ok(token) => token,
            Err(error) => {
                tracing::error!(payment = %payment.id, %error, "a payment has no token");
                return;
            }
        };
        let answer = remote::start_paid(&app, &command, &station, payment.connector, &token).await;
        match answer {
            Ok(answer) if answer.is_accepted() => shorten(&app, &payment, &station).await,
            Ok(_) => {}
            Err(error) => failed(&app, &payment, &station, &error).await,
        }
        go_on_in_background(&app, &payment.id).await;
    });
}

/// The station gave no answer. Where it is certain that it starts nothing, the hold is given back; else it may still
/// start, within the time for plugging in.
async fn failed(app: &App, payment: &Payment, station: &StationId, error: &RemoteError) {
    tracing::info!(payment = %payment.id, station = %station, %error, "the station did not start a charge");
    let RemoteError::Station(error) = error else { return };
    match error {
        StationCallError::Offline | StationCallError::Timeout | StationCallError::Unreadable(_) => return,
        StationCallError::NoRoom
        | StationCallError::QueueFull
        | StationCallError::Refused { .. }
        | StationCallError::Unsendable(_) => {}
    }
    let changed = change(app, &payment.id, |conn, payment, now| {
        if payment.state == PaymentState::StartSent {
            give_back(conn, payment, PaymentState::Failed, PaymentReason::StartRejected, now)?;
        }
        Ok(())
    });
    if let Err(error) = changed.await {
        tracing::error!(payment = %payment.id, %error, "that a start failed could not be kept");
    }
}

/// Waits no longer for the driver than the station itself does.
async fn shorten(app: &App, payment: &Payment, station: &StationId) {
    let call = StationCall::GetConfiguration { keys: vec![CONNECTION_TIME_OUT.to_owned()] };
    let Ok(StationAnswer::Configuration { keys, .. }) = app.stations.call(station, call, None).await else {
        return;
    };
    let value =
        keys.iter().find(|(key, _, _)| key == CONNECTION_TIME_OUT).and_then(|(_, value, _)| value.as_ref());
    let seconds = value
        .and_then(|value| value.trim().parse::<i64>().ok())
        .filter(|seconds| (1..=86_400).contains(seconds));
    let Some(seconds) = seconds else { return };
    let changed = change(app, &payment.id, move |_, payment, now| {
        if payment.state == PaymentState::StartSent {
            let theirs = now.plus(TimeDelta::seconds(seconds.saturating_add(STATION_GRACE_SECONDS)));
            let by = payment.details.0.connect_by.map_or(theirs, |ours: Timestamp| ours.min(theirs));
            payment.details.0.connect_by = Some(by);
            payment.next_at = Some(by);
        }
        Ok(())
    });
    if let Err(error) = changed.await {
        tracing::error!(payment = %payment.id, %error, "the station's timeout could not be kept");
    }
}

/// The station was asked: looks at what became of it. The charge itself moves the payment on when it begins.
pub(super) async fn start_sent(app: &Arc<App>, payment: Payment) -> Result<Step, PaymentError> {
    let online = app.stations.is_connected(&payment.station()?);
    let retry = delta(app.config.payments.retry_first);
    let (payment, unsent) = change(app, &payment.id, move |conn, payment, now| {
        if payment.state != PaymentState::StartSent {
            return Ok(false);
        }
        let by = payment.details.0.connect_by.unwrap_or(now);
        payment.next_at = Some(by);
        let command = payment.command_id.as_ref().map(|id| commands::find(conn, id)).transpose()?.flatten();
        let result = command.as_ref().and_then(|command| command.result.as_deref());
        let rejected = [CommandResult::Rejected, CommandResult::NotSupported];
        let refused = result.is_some_and(|word| rejected.iter().any(|rejected| rejected.as_str() == word));
        if refused {
            give_back(conn, payment, PaymentState::Failed, PaymentReason::StartRejected, now)?;
        } else if now >= by {
            let (exit, reason) = if online {
                (PaymentState::Expired, PaymentReason::NobodyPluggedIn)
            } else {
                (PaymentState::Failed, PaymentReason::StationOffline)
            };
            give_back(conn, payment, exit, reason, now)?;
        } else if command.is_none() {
            // Written and not sent: the node ended in between.
            if !online {
                payment.next_at = Some(now.plus(retry).min(by));
            }
            return Ok(online);
        }
        Ok(false)
    })
    .await?;
    if payment.state != PaymentState::StartSent {
        return Ok(Step::Again);
    }
    if unsent {
        send(app, payment);
    }
    Ok(Step::Wait)
}
