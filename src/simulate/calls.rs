//! What a simulated station sends: one call at a time, messages about charges kept until they are answered and
//! sent in their order (OCPP 1.6, 3.7), everything else given up when the connection goes.

use super::actor::{Actor, Registration};
use super::clock::later;
use super::load::SampleDue;
use super::station::{Event, Reply, SimError};
use super::stats::add;
use crate::domain::Timestamp;
use crate::domain::station::ConnectorStatus;
use crate::ocpp::frame::write_call;
use crate::ocpp::v1_6::{
    AuthorizationStatus, Authorize, BootNotification, BootNotificationResponse, ChargePointErrorCode,
    Heartbeat, IdTag, MeterValue, MeterValues, RegistrationStatus, StartTransaction,
    StartTransactionResponse, StatusNotification, StopReason, StopTransaction, TransactionData, WattHours,
};
use crate::ocpp::v1_6::{AuthorizeResponse, ReadingContext};
use crate::ocpp::wire::{Fault, Message, Request};
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::Instant;

/// Messages that an offline station keeps; beyond it meter values go first.
const QUEUE_BOUND: usize = 5_000;

/// How long to wait with the next BootNotification where the server names no interval.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Something to be called.
#[derive(Debug)]
pub(super) enum Outgoing {
    Boot,
    Heartbeat,
    Status { connector: i32, status: ConnectorStatus, at: Timestamp },
    Authorize { connector: i32, tag: IdTag, reply: Option<Reply> },
    Start { local: u64, connector: i32, tag: IdTag, meter_wh: i32, at: Timestamp },
    Meter { local: Option<u64>, connector: i32, value: MeterValue },
    Stop(Box<Stop>),
    Sample(SampleDue),
}

/// The end of a charge, to be sent.
#[derive(Debug)]
pub(super) struct Stop {
    pub local: u64,
    pub tag: Option<IdTag>,
    pub meter_wh: i32,
    pub at: Timestamp,
    pub reason: StopReason,
    pub data: Vec<MeterValue>,
}

impl Outgoing {
    /// Whether it is about a charge, and kept until it is answered.
    pub(super) fn is_durable(&self) -> bool {
        match self {
            Self::Start { .. } | Self::Stop(_) | Self::Sample(_) => true,
            Self::Meter { local, .. } => local.is_some(),
            Self::Boot | Self::Heartbeat | Self::Status { .. } | Self::Authorize { .. } => false,
        }
    }

    fn action(&self) -> &'static str {
        match self {
            Self::Boot => BootNotification::ACTION,
            Self::Heartbeat => Heartbeat::ACTION,
            Self::Status { .. } => StatusNotification::ACTION,
            Self::Authorize { .. } => Authorize::ACTION,
            Self::Start { .. } => StartTransaction::ACTION,
            Self::Meter { .. } | Self::Sample(_) => MeterValues::ACTION,
            Self::Stop(_) => StopTransaction::ACTION,
        }
    }
}

/// The call that waits for its answer.
#[derive(Debug)]
pub(super) struct InFlight {
    pub what: Outgoing,
    pub deadline: Instant,
    id: String,
    attempts: u32,
    sent: Instant,
}

impl Actor {
    /// Puts a call into the queue.
    pub(super) fn push(&mut self, what: Outgoing) {
        if self.queue.len() >= QUEUE_BOUND {
            let first_meter = self
                .queue
                .iter()
                .position(|(what, _)| matches!(what, Outgoing::Meter { .. } | Outgoing::Sample(_)));
            if let Some(index) = first_meter {
                self.queue.remove(index);
            }
        }
        self.changed = true;
        self.queue.push_back((what, 0));
    }

    /// Puts the status of every connector that the server has not been told into the queue.
    pub(super) fn report_statuses(&mut self) {
        let at = self.clock.now();
        let changed: Vec<(i32, ConnectorStatus)> = self
            .connectors
            .iter()
            .filter(|connector| connector.reported.as_ref() != Some(&connector.status))
            .map(|connector| (connector.number, connector.status.clone()))
            .collect();
        for (connector, status) in changed {
            self.push(Outgoing::Status { connector, status, at });
        }
    }

    /// Sends the next call, if one may be sent.
    pub(super) async fn pump(&mut self) {
        while self.is_up() && self.in_flight.is_none() {
            let now = Instant::now();
            let (what, attempts) = match self.registration {
                Registration::Ask(at) if now >= at => (Outgoing::Boot, 0),
                Registration::Ask(_) => return,
                Registration::Accepted => {
                    if self.hold_until.is_some() {
                        return;
                    }
                    match self.queue.pop_front().or_else(|| self.next_sample(now).map(|what| (what, 0))) {
                        Some(next) => next,
                        None => return,
                    }
                }
            };
            self.next_number += 1;
            let id = format!("{}", self.next_number);
            match self.write(&id, &what) {
                Ok(text) => {
                    let deadline = later(now, self.config.call_timeout);
                    self.in_flight = Some(InFlight { id, what, attempts, sent: now, deadline });
                    add(&self.stats.sent);
                    self.send(text).await;
                }
                Err(error) => {
                    self.stats.problem(format!("{}: {} is not sent: {error}", self.config.id, what.action()));
                }
            }
        }
    }

    fn write(&mut self, id: &str, what: &Outgoing) -> Result<String, serde_json::Error> {
        let action = what.action();
        match what {
            Outgoing::Boot => {
                write_call(id, action, &BootNotification::new(&self.config.vendor, &self.config.model))
            }
            Outgoing::Heartbeat => write_call(id, action, &Heartbeat {}),
            Outgoing::Status { connector, status, at } => {
                let status = StatusNotification {
                    connector_id: *connector,
                    error_code: ChargePointErrorCode::NoError,
                    info: None,
                    status: status.clone(),
                    timestamp: Some(*at),
                    vendor_id: None,
                    vendor_error_code: None,
                };
                write_call(id, action, &status)
            }
            Outgoing::Authorize { tag, .. } => write_call(id, action, &Authorize { id_tag: tag.clone() }),
            Outgoing::Start { connector, tag, meter_wh, at, .. } => {
                let start = StartTransaction {
                    connector_id: *connector,
                    id_tag: tag.clone(),
                    meter_start: WattHours::new(*meter_wh),
                    reservation_id: None,
                    timestamp: *at,
                };
                write_call(id, action, &start)
            }
            Outgoing::Meter { local, connector, value } => {
                let transaction_id = local.map(|local| self.transaction_id(local));
                let meter_value = vec![value.clone()];
                write_call(id, action, &MeterValues { connector_id: *connector, transaction_id, meter_value })
            }
            Outgoing::Sample(due) => {
                let values = self.sample(due);
                write_call(id, action, &values)
            }
            Outgoing::Stop(stop) => {
                let data = (!stop.data.is_empty()).then(|| TransactionData(stop.data.clone()));
                let stop = StopTransaction {
                    id_tag: stop.tag.clone(),
                    meter_stop: WattHours::new(stop.meter_wh),
                    timestamp: stop.at,
                    transaction_id: self.transaction_id(stop.local),
                    reason: Some(stop.reason.clone()),
                    transaction_data: data,
                };
                write_call(id, action, &stop)
            }
        }
    }

    /// The id of a charge; -1 where the server never gave one.
    pub(super) fn transaction_id(&self, local: u64) -> i64 {
        self.transaction_ids.get(&local).copied().unwrap_or(-1)
    }

    fn take_in_flight(&mut self, id: &str) -> Option<InFlight> {
        // An answer to a call that has timed out belongs to nobody.
        self.in_flight.take_if(|call| call.id == id)
    }

    /// A CALLRESULT came.
    pub(super) fn take_result(&mut self, id: &str, payload: &RawValue) {
        let Some(call) = self.take_in_flight(id) else { return };
        self.stats.latency.record(call.sent.elapsed());
        self.changed |= !matches!(call.what, Outgoing::Sample(_));
        let action = call.what.action();
        match self.understand(call.what, payload) {
            Ok(()) => add(&self.stats.answered),
            Err(fault) => {
                add(&self.stats.unreadable);
                self.stats.problem(format!("{}: the answer to {action}: {fault}", self.config.id));
                if action == BootNotification::ACTION {
                    self.registration = Registration::Ask(later(Instant::now(), ASK_AGAIN));
                }
            }
        }
    }

    fn understand(&mut self, what: Outgoing, payload: &RawValue) -> Result<(), Fault> {
        match what {
            Outgoing::Boot => self.booted(&BootNotificationResponse::read(payload)?.message),
            Outgoing::Heartbeat | Outgoing::Meter { .. } => {}
            Outgoing::Sample(due) => due.answered(),
            Outgoing::Status { connector, status, .. } => {
                if let Some(connector) = self.connector_mut(connector) {
                    connector.reported = Some(status);
                }
            }
            Outgoing::Authorize { connector, tag, reply } => match AuthorizeResponse::read(payload) {
                Ok(read) => self.authorized(connector, tag, read.message.id_tag_info.status, reply),
                Err(fault) => {
                    fail(reply, &fault.to_string());
                    return Err(fault);
                }
            },
            Outgoing::Start { local, connector, .. } => {
                let answer = StartTransactionResponse::read(payload)?.message;
                let transaction_id = i64::from(answer.transaction_id);
                self.transaction_ids.insert(local, transaction_id);
                let status = answer.id_tag_info.status;
                self.tell(Event::StartAnswered { connector, transaction_id, status: status.clone() });
                if status != AuthorizationStatus::Accepted && self.keys.flag("StopTransactionOnInvalidId") {
                    self.end_charge_of(local, StopReason::DeAuthorized);
                }
            }
            Outgoing::Stop(stop) => {
                let transaction_id = self.transaction_id(stop.local);
                self.transaction_ids.remove(&stop.local);
                self.tell(Event::StopAnswered { transaction_id });
            }
        }
        Ok(())
    }

    fn booted(&mut self, answer: &BootNotificationResponse) {
        let interval = Duration::from_secs(u64::try_from(answer.interval).unwrap_or(0));
        if answer.status == RegistrationStatus::Accepted {
            add(&self.stats.booted);
            self.registration = Registration::Accepted;
            if !interval.is_zero() {
                self.keys.put("HeartbeatInterval", interval.as_secs().to_string());
            }
            let every = self.keys.seconds("HeartbeatInterval");
            self.heartbeat_at = (!every.is_zero()).then(|| later(Instant::now(), every));
            let at = self.clock.now();
            self.push(Outgoing::Status { connector: 0, status: ConnectorStatus::Available, at });
            self.report_statuses();
        } else {
            let wait = if interval.is_zero() { ASK_AGAIN } else { interval };
            self.registration = Registration::Ask(later(Instant::now(), wait));
            self.stats.problem(format!("{}: BootNotification answered {}", self.config.id, answer.status));
        }
        self.tell(Event::Booted(answer.status.clone()));
    }

    /// A CALLERROR came. A message about a charge is sent again, as often as the configuration says.
    pub(super) fn take_error(&mut self, id: &str, code: &str, description: &str) {
        let Some(call) = self.take_in_flight(id) else { return };
        add(&self.stats.refused);
        self.changed = true;
        let action = call.what.action();
        self.stats.problem(format!("{}: {action} refused: {code} {description}", self.config.id));
        self.tell(Event::CallRefused { action, code: code.to_owned(), description: description.to_owned() });
        let attempts = call.attempts + 1;
        match call.what {
            Outgoing::Boot => self.registration = Registration::Ask(later(Instant::now(), ASK_AGAIN)),
            Outgoing::Authorize { reply, .. } => fail(reply, &format!("{code} {description}")),
            what if what.is_durable() && attempts < self.keys.number("TransactionMessageAttempts") => {
                let wait = self.keys.seconds("TransactionMessageRetryInterval").saturating_mul(attempts);
                self.hold_until = Some(later(Instant::now(), wait));
                self.queue.push_front((what, attempts));
            }
            Outgoing::Heartbeat
            | Outgoing::Status { .. }
            | Outgoing::Start { .. }
            | Outgoing::Meter { .. }
            | Outgoing::Stop(_)
            | Outgoing::Sample(_) => {}
        }
    }

    /// Gives up waiting for an answer that is due.
    pub(super) fn time_out(&mut self, now: Instant) {
        if self.in_flight.as_ref().is_some_and(|call| now >= call.deadline) {
            add(&self.stats.timed_out);
            self.forget_in_flight("no answer in time");
        }
    }

    /// Takes the call in flight back: kept if it is about a charge, else given up.
    pub(super) fn forget_in_flight(&mut self, why: &str) {
        let Some(call) = self.in_flight.take() else { return };
        self.changed = true;
        match call.what {
            what if what.is_durable() => self.queue.push_front((what, call.attempts)),
            Outgoing::Boot => {
                self.registration = Registration::Ask(later(Instant::now(), Duration::from_secs(1)))
            }
            Outgoing::Authorize { reply, .. } => fail(reply, why),
            _ => {}
        }
    }

    /// Gives up what is not about a charge.
    pub(super) fn give_up_chores(&mut self, why: &str) {
        let (kept, given_up): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(|(what, _)| what.is_durable());
        self.queue = kept.into();
        for (what, _) in given_up {
            if let Outgoing::Authorize { reply, .. } = what {
                fail(reply, why);
            }
        }
    }

    /// Puts a meter value of a connector into the queue.
    pub(super) fn push_meter(&mut self, connector: i32, context: &ReadingContext) {
        let at = self.clock.now();
        let keys = &self.keys;
        let Some(found) = self.connectors.iter().find(|c| c.number == connector) else { return };
        let value = found.meter_value(at, context, keys, "MeterValuesSampledData");
        let local = found.transaction.as_ref().map(|tx| tx.local);
        let event = Event::Metered { connector, energy_wh: found.energy_wh(), watts: found.watts() };
        self.push(Outgoing::Meter { local, connector, value });
        self.tell(event);
    }
}

fn fail(reply: Option<Reply>, why: &str) {
    if let Some(reply) = reply {
        drop(reply.send(Err(SimError::NoAnswer(why.to_owned()))));
    }
}
