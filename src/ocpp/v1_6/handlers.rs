//! What a call of a station does (OCPP 1.6, chapter 4): read it, run one use case, answer.

use super::meter_values::to_samples;
use super::{
    AuthorizationStatus, Authorize, AuthorizeResponse, BootNotification, BootNotificationResponse,
    DataTransfer, DataTransferResponse, DataTransferStatus, HeartbeatResponse, IdTagInfo, MeterValues,
    MeterValuesResponse, RegistrationStatus, StartTransaction, StartTransactionResponse, StationCall,
    StatusNotification, StatusNotificationResponse, StopTransaction, StopTransactionResponse,
};
use crate::app::App;
use crate::charging::authorize::{IdTagDecision, authorize_id_tag};
use crate::charging::record::{self, ConnectorReport, connector_status};
use crate::charging::start::{self, Started};
use crate::charging::{ChargingError, station as stations, stop};
use crate::domain::station::StationId;
use crate::http::with_causes;
use crate::ocpp::frame::{ErrorCode, Frame, write_error, write_fault, write_result};
use crate::ocpp::wire::{Place, Read, Text, Violation, Violations};
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// What became of a frame of a station.
#[derive(Debug)]
pub(in crate::ocpp) struct Answer {
    /// To be sent, if an answer is due.
    pub(in crate::ocpp) frame: Option<String>,
    /// The action for logs and counters; one that is not known is `unknown`.
    pub(in crate::ocpp) action: &'static str,
    /// What it means for the connection.
    pub(in crate::ocpp) effect: Effect,
}

/// What an answered call means for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ocpp) enum Effect {
    /// Nothing.
    None,
    /// The station booted and was let in, or not.
    Booted(bool),
    /// Something was kept that must not be kept twice: the same call again gets the same answer.
    Kept,
}

/// Reads a frame that claims to be a call and answers it.
pub(in crate::ocpp) async fn answer(app: &App, station: &StationId, accepted: bool, text: &str) -> Answer {
    let mut frame_violations = Violations::default();
    let (id, action, payload) = match Frame::parse(text, &mut frame_violations) {
        Ok(Frame::Call { id, action, payload }) => (id, action, payload),
        Ok(_) => {
            return refused(app, station, None, "malformed_frame", "an answer where a call was expected");
        }
        Err(error) => {
            return refused(app, station, error.reply(), "malformed_frame", &error.to_string());
        }
    };
    let call = match StationCall::read(&action, payload) {
        Ok(Read { message, violations }) => {
            note(app, station, message.action(), frame_violations.into_vec(), violations);
            message
        }
        Err(fault) => {
            let reason = fault.code.as_str().to_owned();
            let known = StationCall::ACTIONS.iter().find(|known| **known == action);
            let reply = Some(write_fault(&id, &fault));
            let refused = refused(app, station, reply, &reason, &fault.to_string());
            return Answer { action: known.copied().unwrap_or("unknown"), ..refused };
        }
    };
    let action = call.action();
    if !accepted && !matches!(call, StationCall::BootNotification(_)) {
        let why = "send a BootNotification first, and wait until it is accepted";
        let reply = Some(write_error(&id, &ErrorCode::SecurityError, why));
        return Answer { action, ..refused(app, station, reply, "not_booted", why) };
    }
    let (frame, effect) = match run(app, station, call, payload, &id).await {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%station, action, error = with_causes(&error), "a station's call failed");
            (
                write_error(&id, &ErrorCode::InternalError, "the call could not be worked on; try again"),
                Effect::None,
            )
        }
    };
    Answer { frame: Some(frame), action, effect }
}

/// Runs the one use case that a call stands for.
async fn run(
    app: &App,
    station: &StationId,
    call: StationCall,
    payload: &RawValue,
    id: &str,
) -> Result<(String, Effect), ChargingError> {
    let raw = || payload.get().to_owned();
    Ok(match call {
        StationCall::BootNotification(boot) => boot_notification(app, station, &boot, id).await?,
        StationCall::Heartbeat(_) => {
            (result(id, &HeartbeatResponse { current_time: app.now() }), Effect::None)
        }
        StationCall::StatusNotification(status) => {
            connector_status(app, station, to_report(app, status)).await?;
            (result(id, &StatusNotificationResponse {}), Effect::None)
        }
        StationCall::Authorize(Authorize { id_tag }) => {
            let decision = authorize_id_tag(app, station, id_tag.as_str()).await?;
            (result(id, &AuthorizeResponse { id_tag_info: to_info(&decision) }), Effect::None)
        }
        StationCall::StartTransaction(begin) => {
            let started = start::start_transaction(app, station, to_start(begin, raw())).await?;
            let Started { transaction_id, decision } = started;
            let response = StartTransactionResponse { id_tag_info: to_info(&decision), transaction_id };
            (result(id, &response), Effect::Kept)
        }
        StationCall::MeterValues(values) => {
            record::meter_values(app, station, to_values(app, station, &values, raw())).await?;
            (result(id, &MeterValuesResponse {}), Effect::Kept)
        }
        StationCall::StopTransaction(end) => {
            let decision = stop::stop_transaction(app, station, to_stop(app, station, end, raw())).await?;
            let response = StopTransactionResponse { id_tag_info: decision.as_ref().map(to_info) };
            (result(id, &response), Effect::Kept)
        }
        // Whatever vendors add, we know none of them (4.3).
        StationCall::DataTransfer(DataTransfer { vendor_id, message_id: _, data: _ }) => {
            tracing::debug!(%station, vendor = vendor_id.as_str(), "vendor data of an unknown vendor");
            let response = DataTransferResponse { status: DataTransferStatus::UnknownVendorId, data: None };
            (result(id, &response), Effect::None)
        }
    })
}

async fn boot_notification(
    app: &App,
    station: &StationId,
    boot: &BootNotification,
    id: &str,
) -> Result<(String, Effect), ChargingError> {
    let known = stations::booted(app, station, boot.to_boot_info()).await?;
    let (status, interval) = if known {
        (RegistrationStatus::Accepted, app.config.ocpp.heartbeat_interval)
    } else {
        (RegistrationStatus::Rejected, app.config.ocpp.boot_retry_interval)
    };
    tracing::info!(
        %station,
        vendor = boot.charge_point_vendor.as_str(),
        model = boot.charge_point_model.as_str(),
        status = status.as_str(),
        "a station booted"
    );
    let response = BootNotificationResponse { status, current_time: app.now(), interval: seconds(interval) };
    Ok((result(id, &response), Effect::Booted(known)))
}

fn to_report(app: &App, status: StatusNotification) -> ConnectorReport {
    let StatusNotification {
        connector_id,
        error_code,
        info: _,
        status,
        timestamp,
        vendor_id: _,
        vendor_error_code: _,
    } = status;
    ConnectorReport {
        connector: connector_id,
        status,
        error_code: error_code.as_str().to_owned(),
        at: timestamp.unwrap_or_else(|| app.now()),
        is_dated: timestamp.is_some(),
    }
}

fn to_start(begin: StartTransaction, raw: String) -> start::StartTransaction {
    let StartTransaction { connector_id, id_tag, meter_start, reservation_id, timestamp } = begin;
    start::StartTransaction {
        connector: connector_id,
        id_tag: id_tag.into_string(),
        at: timestamp,
        meter_start_wh: meter_start.decimal(),
        reservation_id,
        raw,
    }
}

fn to_values(app: &App, station: &StationId, values: &MeterValues, raw: String) -> record::MeterValues {
    let MeterValues { connector_id, transaction_id, meter_value } = values;
    let mut violations = Violations::default();
    let samples = to_samples(meter_value, &Place::ROOT.name("meterValue"), &mut violations);
    note(app, station, "MeterValues", violations.into_vec(), Vec::new());
    record::MeterValues {
        connector: *connector_id,
        transaction_id: transaction_id.map(to_transaction_id),
        samples,
        raw,
    }
}

fn to_stop(app: &App, station: &StationId, end: StopTransaction, raw: String) -> stop::StopTransaction {
    let StopTransaction { id_tag, meter_stop, timestamp, transaction_id, reason, transaction_data } = end;
    let mut violations = Violations::default();
    let data = transaction_data.map(|data| data.0).unwrap_or_default();
    let samples = to_samples(&data, &Place::ROOT.name("transactionData"), &mut violations);
    note(app, station, "StopTransaction", violations.into_vec(), Vec::new());
    stop::StopTransaction {
        transaction_id: to_transaction_id(transaction_id),
        id_tag: id_tag.map(Text::into_string),
        at: timestamp,
        meter_stop_wh: meter_stop.decimal(),
        reason: reason.map_or_else(|| "Local".to_owned(), |reason| reason.as_str().to_owned()),
        samples,
        raw,
    }
}

/// Ours have 31 bits; one that has more is nobody's, as -1 is.
fn to_transaction_id(id: i64) -> i32 {
    i32::try_from(id).unwrap_or(-1)
}

fn to_info(decision: &IdTagDecision) -> IdTagInfo {
    let IdTagDecision { status, parent_id_tag } = decision;
    IdTagInfo {
        expiry_date: None,
        // One that is too long to be sent cannot be compared by the station: without it, it asks us.
        parent_id_tag: parent_id_tag.as_deref().and_then(|tag| Text::parse(tag).ok()),
        status: AuthorizationStatus::from(status.as_str()),
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

/// A CALLRESULT. That it cannot be written would be a mistake of ours.
fn result<P: Serialize>(id: &str, payload: &P) -> String {
    write_result(id, payload).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer to a station cannot be written");
        write_error(id, &ErrorCode::InternalError, "the answer could not be written")
    })
}

fn refused(app: &App, station: &StationId, frame: Option<String>, label: &str, reason: &str) -> Answer {
    app.metrics.refused.with_label_values(&["ocpp", label]).inc();
    tracing::debug!(%station, reason, "a frame of a station was refused");
    Answer { frame, action: "unknown", effect: Effect::None }
}

/// Counts what was not as specified and taken all the same.
fn note(app: &App, station: &StationId, action: &str, of_frame: Vec<Violation>, of_payload: Vec<Violation>) {
    for violation in of_frame.iter().chain(&of_payload) {
        app.metrics.ocpp_violations.with_label_values(&[action]).inc();
        tracing::debug!(%station, action, %violation, "a station's message is not as specified");
    }
}
