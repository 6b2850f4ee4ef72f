//! What happens at the connectors: cables, tokens, charges, time.

use super::actor::{Actor, COUNT_EVERY, Registration};
use super::calls::{Outgoing, Stop};
use super::car::{Car, CarConfig};
use super::clock::plus;
use super::config::StationConfig;
use super::connector::{Connector, Transaction};
use super::smart::Level;
use super::station::{Command, Event, Reply, SimError};
use super::stats::{add, take};
use crate::domain::station::ConnectorStatus;
use crate::ocpp::v1_6::{AuthorizationStatus, IdTag, ReadingContext, StopReason};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The pause after which a car does not charge again, if it is one of those.
const SLEEPS_AFTER: Duration = Duration::from_secs(600);

impl Actor {
    pub(super) fn connector_mut(&mut self, number: i32) -> Option<&mut Connector> {
        self.connectors.iter_mut().find(|connector| connector.number == number)
    }

    fn find(&mut self, number: i32) -> Result<&mut Connector, SimError> {
        self.connector_mut(number).ok_or(SimError::NoConnector(number))
    }

    /// Does what a driver or the simulation's user does.
    pub(super) fn obey(&mut self, command: Command) {
        self.changed = true;
        let answer = |reply: Reply, done| drop(reply.send(done));
        match command {
            Command::PlugIn(number, car, reply) => answer(reply, self.plug_in(number, car)),
            Command::PresentToken(number, tag, reply) => self.present_token(number, tag, reply),
            Command::Stop(number, reason, reply) => answer(reply, self.stop(number, reason)),
            Command::Unplug(number, reply) => answer(reply, self.unplug(number)),
            Command::GoOffline(reply) => {
                self.want_online(false);
                answer(reply, Ok(()));
            }
            Command::GoOnline(reply) => {
                self.want_online(true);
                answer(reply, Ok(()));
            }
            Command::Reboot(reply) => {
                self.power_fails();
                answer(reply, Ok(()));
            }
            Command::Measure(reply) => {
                self.advance(self.clock.now());
                drop(reply.send(self.take_snapshot()));
            }
            Command::Load(plan) => self.begin_load(plan),
            // The loop takes it before it comes here.
            Command::Shutdown(reply) => answer(reply, Ok(())),
        }
    }

    /// A car that nobody has described.
    fn any_car(&mut self) -> CarConfig {
        let mut car = CarConfig::new(self.rng.u32(40_000..90_000), self.rng.u32(150..600));
        let StationConfig { car_phases, sleepers, .. } = &self.config;
        if !car_phases.is_empty() {
            car.phases = car_phases.get(self.rng.usize(..car_phases.len())).copied().unwrap_or(3);
        }
        if *sleepers > 0 && self.rng.u8(0..100) < *sleepers {
            car.sleeps_after = Some(SLEEPS_AFTER);
        }
        car
    }

    pub(super) fn plug_in(&mut self, number: i32, car: Option<CarConfig>) -> Result<(), SimError> {
        let car = car.unwrap_or_else(|| self.any_car());
        let connector = self.find(number)?;
        if connector.car.is_some() {
            return Err(wrong_state(connector, "no car may be plugged in"));
        }
        connector.plug_at = None;
        connector.car = Some(Car::of(car));
        if connector.token.is_some() {
            self.begin_charge(number);
        } else {
            self.update_status(number);
        }
        Ok(())
    }

    fn present_token(&mut self, number: i32, tag: IdTag, reply: Reply) {
        let online = self.is_up() && self.registration == Registration::Accepted;
        let offline_allowed = self.keys.flag("LocalAuthorizeOffline");
        let done = match self.find(number) {
            Err(error) => Err(error),
            Ok(connector) => match &connector.transaction {
                Some(transaction) if transaction.id_tag == tag => self.stop(number, StopReason::Local),
                Some(_) => Err(wrong_state(connector, "another token charges here")),
                None if !connector.operative => Err(wrong_state(connector, "it must be in service")),
                None if online => {
                    self.push(Outgoing::Authorize { connector: number, tag, reply: Some(reply) });
                    return;
                }
                None if offline_allowed => {
                    self.accept_token(number, tag);
                    Ok(())
                }
                None => Err(SimError::NoAnswer("the station is offline".to_owned())),
            },
        };
        drop(reply.send(done));
    }

    /// The server has answered Authorize.
    pub(super) fn authorized(
        &mut self,
        number: i32,
        tag: IdTag,
        status: AuthorizationStatus,
        reply: Option<Reply>,
    ) {
        let id_tag = tag.as_str().to_owned();
        self.tell(Event::Authorized { connector: number, id_tag, status: status.clone() });
        let done = if status == AuthorizationStatus::Accepted {
            self.accept_token(number, tag);
            Ok(())
        } else {
            Err(SimError::Refused(status))
        };
        if let Some(reply) = reply {
            drop(reply.send(done));
        }
    }

    /// A token may charge: at once if a car is there, else when it comes.
    pub(super) fn accept_token(&mut self, number: i32, tag: IdTag) {
        let now = self.clock.now();
        let patience = self.keys.seconds("ConnectionTimeOut");
        let auto_plug = self.config.auto_plug;
        let Some(connector) = self.connector_mut(number) else { return };
        if connector.transaction.is_some() || !connector.operative {
            return;
        }
        connector.token = Some(tag);
        if connector.car.is_some() {
            self.begin_charge(number);
            return;
        }
        connector.plug_at = auto_plug.map(|wait| plus(now, wait));
        connector.give_up_at = (!patience.is_zero()).then(|| plus(now, patience));
        self.update_status(number);
    }

    fn begin_charge(&mut self, number: i32) {
        let at = self.clock.now();
        self.advance(at);
        let interval = self.keys.seconds("MeterValueSampleInterval");
        let local = self.next_number + 1;
        self.next_number = local;
        let Some(connector) = self.connector_mut(number) else { return };
        let Some(tag) = connector.token.take() else { return };
        connector.give_up_at = None;
        connector.unplug_at = None;
        connector.counted_to = at;
        // Until the station has decided, nothing is offered.
        connector.offer = Level::NONE;
        if let Some(car) = &mut connector.car {
            car.feel(Level::NONE, at, connector.curve);
        }
        let meter_wh = connector.register_wh();
        connector.transaction = Some(Transaction {
            local,
            id_tag: tag.clone(),
            began: at,
            meter_start: connector.register,
            next_sample: plus(at, interval),
            begins: true,
        });
        self.take_ordered(number, &tag);
        self.push(Outgoing::Start { local, connector: number, tag, meter_wh, at });
        self.allocate(at);
        add(&self.stats.charging);
        add(&self.stats.started);
        self.tell(Event::Started { connector: number });
    }

    pub(super) fn stop(&mut self, number: i32, reason: StopReason) -> Result<(), SimError> {
        let connector = self.find(number)?;
        if connector.transaction.is_none() {
            return Err(wrong_state(connector, "there must be a charge"));
        }
        self.end_charge(number, reason);
        Ok(())
    }

    /// Ends the charge with the station's own number, wherever it is.
    pub(super) fn end_charge_of(&mut self, local: u64, reason: StopReason) {
        let has_it = |c: &&Connector| c.transaction.as_ref().is_some_and(|tx| tx.local == local);
        if let Some(number) = self.connectors.iter().find(has_it).map(|c| c.number) {
            self.end_charge(number, reason);
        }
    }

    /// Ends all charges.
    pub(super) fn end_all_charges(&mut self, reason: &StopReason) {
        for number in 1..=self.config.connectors.max(1) {
            self.end_charge(number, reason.clone());
        }
    }

    fn end_charge(&mut self, number: i32, reason: StopReason) {
        let at = self.clock.now();
        let auto_unplug = self.config.auto_unplug;
        let keys = self.keys.clone();
        self.advance(at);
        let Some(connector) = self.connector_mut(number) else { return };
        let energy_wh = connector.energy_wh();
        let value = |connector: &Connector, at, context| {
            connector.meter_value(at, &context, &keys, "StopTxnSampledData")
        };
        let end = value(connector, at, ReadingContext::TransactionEnd);
        let Some(transaction) = connector.transaction.take() else { return };
        let meter_wh = connector.register_wh();
        let now = std::mem::replace(&mut connector.register, transaction.meter_start);
        let begin = value(connector, transaction.began, ReadingContext::TransactionBegin);
        connector.register = now;
        // Who pulls the cable or is cut off has presented no token.
        let by_token = matches!(reason, StopReason::Local | StopReason::Remote);
        connector.status = ConnectorStatus::Finishing;
        connector.unplug_at = auto_unplug.map(|wait| plus(at, wait));
        let local = transaction.local;
        self.push(Outgoing::Stop(Box::new(Stop {
            local,
            tag: by_token.then(|| transaction.id_tag.clone()),
            meter_wh,
            at,
            reason: reason.clone(),
            data: vec![begin, end],
        })));
        self.announce(number, ConnectorStatus::Finishing);
        self.profiles.end_charge(local);
        self.allocate(at);
        take(&self.stats.charging);
        add(&self.stats.stopped);
        self.stats.energy_wh.fetch_add(energy_wh, Ordering::Relaxed);
        self.tell(Event::Stopped { connector: number, reason, energy_wh });
    }

    pub(super) fn unplug(&mut self, number: i32) -> Result<(), SimError> {
        let connector = self.find(number)?;
        if connector.car.is_none() {
            return Err(wrong_state(connector, "a car must be plugged in"));
        }
        if connector.transaction.is_some() {
            self.end_charge(number, StopReason::EvDisconnected);
        }
        if let Some(connector) = self.connector_mut(number) {
            connector.car = None;
            connector.unplug_at = None;
            connector.ordered = None;
        }
        self.update_status(number);
        Ok(())
    }

    /// Sets the status that follows from what is there.
    pub(super) fn update_status(&mut self, number: i32) {
        let Some(connector) = self.connector_mut(number) else { return };
        let status = connector.proper_status();
        if connector.status != status {
            connector.status = status.clone();
            self.announce(number, status);
        }
    }

    fn announce(&mut self, number: i32, status: ConnectorStatus) {
        let at = self.clock.now();
        if self.is_up() && self.registration == Registration::Accepted {
            self.push(Outgoing::Status { connector: number, status: status.clone(), at });
        }
        self.changed = true;
        self.tell(Event::Status { connector: number, status });
    }

    /// Does what simulated time brings: energy, meter values, cars that come and go.
    pub(super) fn live(&mut self) {
        let now = self.clock.now();
        let interval = self.keys.seconds("MeterValueSampleInterval");
        let samples = self.load.is_none() && !interval.is_zero();
        let is_behind = |connector: &Connector| {
            connector.transaction.as_ref().is_some_and(|transaction| {
                (samples && now >= transaction.next_sample) || now >= plus(connector.counted_to, COUNT_EVERY)
            })
        };
        if self.next_change().is_some_and(|at| now >= at) || self.connectors.iter().any(is_behind) {
            self.advance(now);
            self.changed = true;
        }
        for number in 1..=self.config.connectors.max(1) {
            let Some(connector) = self.connector_mut(number) else { continue };
            let due = |at: Option<crate::domain::Timestamp>| at.is_some_and(|at| now >= at);
            let (plug, unplug, give_up) =
                (due(connector.plug_at), due(connector.unplug_at), due(connector.give_up_at));
            connector.plug_at = connector.plug_at.filter(|_| !plug);
            connector.unplug_at = connector.unplug_at.filter(|_| !unplug);
            let mut sample = false;
            if let Some(transaction) = &mut connector.transaction {
                sample = samples && now >= transaction.next_sample;
                while samples && transaction.next_sample <= now {
                    transaction.next_sample =
                        plus(transaction.next_sample, interval.max(Duration::from_secs(1)));
                }
            }
            if sample {
                self.push_meter(number, &ReadingContext::SamplePeriodic);
            }
            if unplug {
                drop(self.unplug(number));
            }
            if plug {
                drop(self.plug_in(number, None));
            }
            if give_up && let Some(connector) = self.connector_mut(number) {
                connector.give_up_at = None;
                connector.plug_at = None;
                connector.token = None;
                connector.ordered = None;
                self.update_status(number);
            }
        }
    }
}

fn wrong_state(connector: &Connector, wanted: &'static str) -> SimError {
    SimError::WrongState { connector: connector.number, status: connector.status.clone(), wanted }
}
