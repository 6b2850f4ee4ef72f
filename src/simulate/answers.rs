//! What a simulated station answers when the server calls it.

use super::actor::{Actor, Registration};
use super::calls::Outgoing;
use super::keys::password_from_key;
use crate::ocpp::frame::{ErrorCode, write_error, write_fault, write_result};
use crate::ocpp::v1_6::{
    Acceptance, CentralCall, ChangeAvailabilityResponse, ChangeConfiguration, ChangeConfigurationResponse,
    ConfigurationStatus, DataTransferResponse, DataTransferStatus, GetConfiguration,
    GetConfigurationResponse, MessageTrigger, ReadingContext, RemoteStartTransaction,
    RemoteStartTransactionResponse, RemoteStopTransaction, RemoteStopTransactionResponse, Reset,
    ResetResponse, ResetType, StopReason, TriggerMessage, TriggerMessageResponse, TriggerMessageStatus,
};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

impl Actor {
    /// The answer to a call, with what follows from it put into the queue.
    pub(super) fn answer(&mut self, id: &str, action: &str, payload: &RawValue) -> String {
        self.changed = true;
        match CentralCall::read(action, payload) {
            Err(fault) => write_fault(id, &fault),
            Ok(read) => match read.message {
                CentralCall::ChangeConfiguration(call) => {
                    write(id, &ChangeConfigurationResponse { status: self.change_configuration(&call) })
                }
                CentralCall::DataTransfer(_) => write(
                    id,
                    &DataTransferResponse { status: DataTransferStatus::UnknownVendorId, data: None },
                ),
                CentralCall::GetConfiguration(call) => write(id, &self.get_configuration(&call)),
                CentralCall::RemoteStartTransaction(call) => {
                    write(id, &RemoteStartTransactionResponse { status: self.remote_start(call) })
                }
                CentralCall::RemoteStopTransaction(call) => {
                    write(id, &RemoteStopTransactionResponse { status: self.remote_stop(&call) })
                }
                CentralCall::Reset(call) => write(id, &ResetResponse { status: self.reset(call) }),
                CentralCall::TriggerMessage(call) => {
                    write(id, &TriggerMessageResponse { status: self.trigger(&call) })
                }
                CentralCall::ChangeAvailability(call) => {
                    write(id, &ChangeAvailabilityResponse { status: self.change_availability(&call) })
                }
                CentralCall::SetChargingProfile(call) => write_either(id, self.set_profile(&call)),
                CentralCall::ClearChargingProfile(call) => write_either(id, self.clear_profiles(&call)),
                CentralCall::GetCompositeSchedule(call) => write_either(id, self.tell_composite(&call)),
            },
        }
    }

    fn change_configuration(&mut self, call: &ChangeConfiguration) -> ConfigurationStatus {
        let (key, value) = (call.key.as_str(), call.value.as_str());
        if key.eq_ignore_ascii_case("AuthorizationKey") {
            return match password_from_key(value) {
                Some(password) => {
                    self.password = Some(password);
                    self.reconnect = true;
                    ConfigurationStatus::Accepted
                }
                None => ConfigurationStatus::Rejected,
            };
        }
        let status = self.keys.change(key, value);
        if status == ConfigurationStatus::Accepted && key.eq_ignore_ascii_case("HeartbeatInterval") {
            let every = self.keys.seconds("HeartbeatInterval");
            self.heartbeat_at = (!every.is_zero()).then(|| super::clock::later(Instant::now(), every));
        }
        status
    }

    fn get_configuration(&self, call: &GetConfiguration) -> GetConfigurationResponse {
        let (known, unknown) = self.keys.tell(call.key.as_deref().unwrap_or_default());
        GetConfigurationResponse {
            configuration_key: (!known.is_empty()).then_some(known),
            unknown_key: (!unknown.is_empty()).then_some(unknown),
        }
    }

    fn remote_start(&mut self, call: RemoteStartTransaction) -> Acceptance {
        let RemoteStartTransaction { connector_id, id_tag, charging_profile } = call;
        if self.registration != Registration::Accepted || self.reset.is_some() {
            return Acceptance::Rejected;
        }
        let free = |c: &&super::connector::Connector| {
            connector_id.is_none_or(|wanted| wanted == c.number)
                && c.transaction.is_none()
                && c.token.is_none()
                && c.operative
        };
        let Some(number) = self.connectors.iter().find(free).map(|connector| connector.number) else {
            return Acceptance::Rejected;
        };
        if let Some(profile) = charging_profile {
            let Some(profile) = self.check_ordered(number, &profile) else { return Acceptance::Rejected };
            if let Some(connector) = self.connector_mut(number) {
                connector.ordered = Some((id_tag.clone(), profile));
            }
        }
        if self.keys.flag("AuthorizeRemoteTxRequests") {
            self.push(Outgoing::Authorize { connector: number, tag: id_tag, reply: None });
        } else {
            self.accept_token(number, id_tag);
        }
        Acceptance::Accepted
    }

    fn remote_stop(&mut self, call: &RemoteStopTransaction) -> Acceptance {
        let running = self.connectors.iter().filter_map(|connector| connector.transaction.as_ref());
        let found = running
            .map(|transaction| transaction.local)
            .find(|local| self.transaction_ids.get(local) == Some(&call.transaction_id));
        match found {
            Some(local) => {
                self.end_charge_of(local, StopReason::Remote);
                Acceptance::Accepted
            }
            None => Acceptance::Rejected,
        }
    }

    fn reset(&mut self, call: Reset) -> Acceptance {
        let reason = match call.kind {
            ResetType::Soft => StopReason::SoftReset,
            ResetType::Hard => StopReason::HardReset,
            ResetType::Other(_) => return Acceptance::Rejected,
        };
        self.end_all_charges(&reason);
        self.begin_reset(call.kind);
        Acceptance::Accepted
    }

    fn trigger(&mut self, call: &TriggerMessage) -> TriggerMessageStatus {
        let connectors: Vec<i32> = match call.connector_id {
            Some(number) if self.connector_mut(number).is_none() => return TriggerMessageStatus::Rejected,
            Some(number) => vec![number],
            None => self.connectors.iter().map(|connector| connector.number).collect(),
        };
        match call.requested_message {
            MessageTrigger::BootNotification => {
                self.lose_registration();
            }
            MessageTrigger::Heartbeat => self.push(Outgoing::Heartbeat),
            MessageTrigger::MeterValues => {
                let now = self.clock.now();
                self.advance(now);
                for number in connectors {
                    self.push_meter(number, &ReadingContext::Trigger);
                }
            }
            MessageTrigger::StatusNotification => {
                let at = self.clock.now();
                for number in connectors {
                    if let Some(status) = self.connector_mut(number).map(|connector| connector.status.clone())
                    {
                        self.push(Outgoing::Status { connector: number, status, at });
                    }
                }
            }
            MessageTrigger::DiagnosticsStatusNotification | MessageTrigger::FirmwareStatusNotification => {
                return TriggerMessageStatus::NotImplemented;
            }
            MessageTrigger::Other(_) => return TriggerMessageStatus::NotImplemented,
        }
        TriggerMessageStatus::Accepted
    }
}

fn write_either<P: Serialize>(id: &str, answer: Result<P, (ErrorCode, String)>) -> String {
    match answer {
        Ok(payload) => write(id, &payload),
        Err((code, reason)) => write_error(id, &code, &reason),
    }
}

fn write<P: Serialize>(id: &str, payload: &P) -> String {
    write_result(id, payload)
        .unwrap_or_else(|error| write_error(id, &ErrorCode::InternalError, &error.to_string()))
}
