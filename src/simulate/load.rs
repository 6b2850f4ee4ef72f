//! Meter values as fast as wanted: what a station does under a plan, and what is measured.
//!
//! In an open loop every message has a moment at which it is due, whatever became of the one before; its
//! latency counts from that moment. A server that stalls for a second is thereby charged with all messages
//! that were due in that second, not only with the one that waited (no coordinated omission). In a closed loop
//! a station sends the next message when the last one is answered.

use super::actor::Actor;
use super::calls::Outgoing;
use super::clock::later;
use super::stats::{Histogram, Latency, add, get};
use crate::domain::Timestamp;
use crate::ocpp::v1_6::{Measurand, MeterValue, MeterValues, ReadingContext, SampledValue, Unit};
use chrono::TimeDelta;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::Instant;

/// How many meter values all stations send together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// So many a second, evenly over the stations (open loop).
    PerSecond(u32),
    /// As many as are answered (closed loop).
    Max,
}

/// What all stations count under a load.
#[derive(Debug, Default)]
pub(super) struct LoadCounters {
    pub offered: AtomicU64,
    pub answered: AtomicU64,
    pub latency: Histogram,
}

/// What one station is to do.
#[derive(Debug, Clone)]
pub(super) struct LoadPlan {
    /// The first message is due then.
    pub first: Instant,
    /// From one to the next; `None` when the last is answered.
    pub every: Option<Duration>,
    /// Nothing is due from then on.
    pub end: Instant,
    pub counters: Arc<LoadCounters>,
}

/// A plan under way.
#[derive(Debug)]
pub(super) struct LoadState {
    plan: LoadPlan,
    next: Instant,
    last_at: Timestamp,
    last_connector: i32,
}

impl LoadState {
    /// When the next message is due, in an open loop; when to begin, in a closed one.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let begins_later = self.plan.every.is_some() || Instant::now() < self.plan.first;
        (begins_later && self.next < self.plan.end).then_some(self.next)
    }
}

/// A meter value that is due.
#[derive(Debug)]
pub(super) struct SampleDue {
    connector: i32,
    due: Instant,
    counters: Arc<LoadCounters>,
}

impl SampleDue {
    pub(super) fn answered(self) {
        add(&self.counters.answered);
        self.counters.latency.record(self.due.elapsed());
    }
}

impl Actor {
    pub(super) fn begin_load(&mut self, plan: LoadPlan) {
        let last_at = self.clock.now();
        self.load = Some(LoadState { next: plan.first, plan, last_at, last_connector: 0 });
    }

    /// Puts what is due into the queue.
    pub(super) fn plan_load(&mut self, now: Instant) {
        loop {
            let Some(load) = &mut self.load else { return };
            let Some(every) = load.plan.every else { return };
            if load.next > now || load.next >= load.plan.end {
                return;
            }
            let due = load.next;
            load.next = later(due, every.max(Duration::from_micros(1)));
            let what = self.due_sample(due);
            self.queue.extend(what.map(|what| (what, 0)));
        }
    }

    /// The next message of a closed loop.
    pub(super) fn next_sample(&mut self, now: Instant) -> Option<Outgoing> {
        let plan = &self.load.as_ref()?.plan;
        let is_on = plan.every.is_none() && now >= plan.first && now < plan.end;
        if is_on { self.due_sample(now) } else { None }
    }

    /// A meter value of the next connector that charges.
    fn due_sample(&mut self, due: Instant) -> Option<Outgoing> {
        let load = self.load.as_mut()?;
        let charging = || self.connectors.iter().filter(|c| c.transaction.is_some()).map(|c| c.number);
        let connector =
            charging().find(|n| *n > load.last_connector).or_else(|| charging().next()).unwrap_or(1);
        load.last_connector = connector;
        let counters = Arc::clone(&load.plan.counters);
        add(&counters.offered);
        Some(Outgoing::Sample(SampleDue { connector, due, counters }))
    }

    /// The message itself, with the meter as it stands when it is sent.
    pub(super) fn sample(&mut self, sample: &SampleDue) -> MeterValues {
        let now = self.clock.now();
        self.advance(now);
        let mut timestamp = now;
        if let Some(load) = &mut self.load {
            // No two of a station are from the same millisecond, so that none is taken for a repetition.
            timestamp = now.max(load.last_at.plus(TimeDelta::milliseconds(1)));
            load.last_at = timestamp;
        }
        let mut transaction_id = None;
        let mut sampled_value = Vec::with_capacity(2);
        let context = ReadingContext::SamplePeriodic;
        if let Some(connector) = self.connectors.iter().find(|c| c.number == sample.connector) {
            let (wh, watts) = (connector.register_wh().to_string(), connector.watts().to_string());
            let of = |value, measurand, unit| SampledValue::of(value, measurand, unit, context.clone());
            sampled_value.push(of(wh, Measurand::EnergyActiveImportRegister, Unit::WattHours));
            sampled_value.push(of(watts, Measurand::PowerActiveImport, Unit::Watts));
            transaction_id = connector.transaction.as_ref().map(|tx| tx.local);
        }
        MeterValues {
            connector_id: sample.connector,
            transaction_id: transaction_id.map(|local| self.transaction_id(local)),
            meter_value: vec![MeterValue { timestamp, sampled_value, raw: String::new() }],
        }
    }
}

/// What came of a load.
#[derive(Debug, Clone, Serialize)]
pub struct LoadReport {
    /// Messages a second that were wanted; none in a closed loop.
    pub wanted_per_second: Option<u32>,
    /// Stations that took part, each with a charge.
    pub stations: usize,
    /// For how long messages were due, in milliseconds.
    pub millis: u64,
    /// Messages that were due.
    pub offered: u64,
    /// Those that were answered, also shortly after the end.
    pub answered: u64,
    /// Those that were not.
    pub unanswered: u64,
    /// Answered messages a second.
    pub answered_per_second: u64,
    /// From the moment a message was due to its answer, in microseconds.
    pub latency_micros: Latency,
}

impl LoadCounters {
    /// What came of it.
    pub(super) fn report(&self, rate: Rate, stations: usize, lasted: Duration) -> LoadReport {
        let (offered, answered) = (get(&self.offered), get(&self.answered));
        let millis = u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX).max(1);
        LoadReport {
            wanted_per_second: match rate {
                Rate::PerSecond(wanted) => Some(wanted),
                Rate::Max => None,
            },
            stations,
            millis,
            offered,
            answered,
            unanswered: offered.saturating_sub(answered),
            answered_per_second: answered.saturating_mul(1000) / millis,
            latency_micros: self.latency.summary(),
        }
    }
}
