//! The running cost of a charge: what was used, by periods, in a state that is stored between two meter values.
//!
//! Time is only accounted for once the energy of it is measured. Between two measurements the energy flows evenly
//! while the vehicle charges; where a price component changes in between (a time, a kWh, a duration), the period
//! ends there, with the energy interpolated (OCPI 2.2.1 mod_cdrs, "ChargingPeriod").

use super::calendar::{Clock, next_edge};
use super::cost::Cost;
use super::exact::{MAX_SCALE, PICO};
use super::policy::Rounding;
use super::select::{Cell, Lookup, Measured, Situation, Slot, from_pico, mean_power, pico, time_parts};
use super::tariffs::{PreparedTariff, TariffKey, Tariffs};
use super::usage::Ledger;
use super::{PricingError, name};
use crate::domain::{Kwh, Timestamp};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What the vehicle does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// It takes power, or would if the station gave any: TIME.
    Charging,
    /// It does not ask for power (OCPP's `SuspendedEV`): PARKING_TIME (OCPI 2.2.1 mod_cdrs, "CdrDimensionType").
    Parking,
}

/// Where a charge stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The moment.
    pub at: Timestamp,
    /// Energy since the session's start, where it was measured. Less than before is energy that was fed back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<Kwh>,
    /// Current in A, over all phases, where it was measured. The power needs no measurement of its own: it is the
    /// energy between two measurements over the time.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::arbitrary_precision_option"
    )]
    pub current_a: Option<Decimal>,
    /// What the vehicle does from `at` on.
    pub activity: Activity,
    /// Which of the tariffs applies from `at` on: its place in the list.
    #[serde(default)]
    pub tariff: u16,
}

impl Progress {
    /// A measurement of the energy.
    #[must_use]
    pub fn measured(at: Timestamp, energy: Kwh, activity: Activity) -> Self {
        Self { at, energy: Some(energy), current_a: None, activity, tariff: 0 }
    }

    /// A change of the activity between two measurements.
    #[must_use]
    pub fn seen(at: Timestamp, activity: Activity) -> Self {
        Self { at, energy: None, current_a: None, activity, tariff: 0 }
    }
}

/// A period, from its start to the start of the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Period {
    /// Its start, in milliseconds.
    pub(super) at: i64,
    /// Energy of the session at its start, pico-kWh.
    pub(super) from: i128,
    /// What the vehicle does.
    pub(super) activity: Activity,
    /// The tariff.
    #[serde(default)]
    pub(super) tariff: u16,
    /// The active component of ENERGY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) energy: Option<Slot>,
    /// The active component of TIME or PARKING_TIME, by the activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<Slot>,
    /// Lowest and highest power, where a tariff looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) power: Option<(i128, i128)>,
    /// Lowest and highest current, where a tariff looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<(i128, i128)>,
    /// The energy at its start was not measured but interpolated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) interpolated: bool,
}

/// The latest measurement, up to which all is accounted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mark {
    at: i64,
    energy: i128,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<i128>,
    activity: Activity,
    #[serde(default)]
    tariff: u16,
}

/// A part of the time between two measurements in which the vehicle does one thing.
#[derive(Clone, Copy)]
struct Stretch {
    from: i64,
    to: i64,
    start_energy: i128,
    end_energy: i128,
    power: Measured,
    current: Measured,
    activity: Activity,
    tariff: u16,
    /// Whether the energy at its start was measured.
    measured: bool,
}

/// What holds as long as nothing leaves the cell that it was looked up for: kept, so that a meter value that changes
/// nothing asks no restriction.
#[derive(Debug, Clone, Copy)]
struct Active {
    activity: Activity,
    tariff: u16,
    from: i64,
    until: i64,
    energy: Cell,
    power: Measured,
    current: Measured,
    slots: (Option<Slot>, Option<Slot>),
}

/// A value that is kept for speed: it does not count in comparisons and is not stored.
#[derive(Debug, Clone, Copy, Default)]
struct Kept(Option<Active>);

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A charge and what it costs, up to a moment. The state grows with the periods, not with the meter values, and is
/// stored as JSON; [`advance`](Self::advance) and [`cost`](Self::cost) take constant time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunningCost {
    /// Where the charge takes place; local time decides on restrictions.
    #[serde(with = "zone_name")]
    zone: Tz,
    /// None means that the charge is free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tariffs: Vec<TariffKey>,
    started: i64,
    pub(super) ledger: Ledger,
    /// Never empty, in the order of time.
    periods: Vec<Period>,
    measured: Mark,
    /// What came since then without a measurement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<Progress>,
    #[serde(skip)]
    kept: Kept,
}

impl RunningCost {
    /// Begins a charge. Without a tariff it is free of charge, and its periods name none.
    ///
    /// # Errors
    /// When the energy is out of range.
    pub fn start(tariffs: &Tariffs, zone: Tz, start: Progress) -> Result<Self, PricingError> {
        let at = start.at.millis();
        let energy = start.energy.map_or(0, |energy| pico(energy.decimal()));
        let current = start.current_a.map(pico);
        let mut running = Self {
            zone,
            tariffs: tariffs.keys().cloned().collect(),
            started: at,
            ledger: Ledger::default(),
            periods: Vec::new(),
            measured: Mark { at, energy, current, activity: start.activity, tariff: start.tariff },
            pending: Vec::new(),
            kept: Kept(None),
        };
        running.begin(tariffs)?;
        Ok(running)
    }

    /// The first period, of no length yet.
    fn begin(&mut self, tariffs: &Tariffs) -> Result<(), PricingError> {
        let Mark { at, energy, current, activity, tariff } = self.measured;
        let stretch = Stretch {
            from: at,
            to: at,
            start_energy: energy,
            end_energy: energy,
            power: Measured::UNKNOWN,
            current: current.map_or(Measured::UNKNOWN, Measured::one),
            activity,
            tariff,
            measured: true,
        };
        let active = self.look_up(tariffs, &stretch, at, energy);
        self.periods.push(period(&stretch, &active, at, energy, true));
        // Nothing was used yet, but it is known what VAT will apply.
        self.ledger.energy.add(active.slots.0, 0)?;
        Ok(())
    }

    /// Takes the next progress. The same moment twice is fine; the later word on the activity counts.
    ///
    /// # Errors
    /// When `next` is earlier than the latest progress, or the tariffs are not those of the start. Nothing is
    /// changed then.
    pub fn advance(&mut self, tariffs: &Tariffs, next: Progress) -> Result<(), PricingError> {
        self.check(tariffs)?;
        let reached = self.reached_at();
        if next.at.millis() < reached {
            let last = Timestamp::from_millis(reached).unwrap_or(next.at);
            return Err(PricingError::Backwards { last, next: next.at });
        }
        match next.energy {
            Some(energy) => self.measure(tariffs, &next, pico(energy.decimal())),
            None => {
                self.wait(next);
                Ok(())
            }
        }
    }

    /// Keeps what came without a measurement until the next one. Of several words on one moment the last counts, and
    /// a word that says nothing new is only needed as the latest.
    fn wait(&mut self, next: Progress) {
        let before = |at: usize, list: &[Progress]| match at.checked_sub(1).and_then(|at| list.get(at)) {
            Some(earlier) => (earlier.activity, earlier.tariff),
            None => (self.measured.activity, self.measured.tariff),
        };
        if let Some(last) = self.pending.last() {
            let repeats = (last.activity, last.tariff) == before(self.pending.len() - 1, &self.pending);
            if last.at == next.at || repeats {
                self.pending.pop();
            }
        }
        self.pending.push(next);
    }

    /// Accounts for the time since the latest measurement.
    fn measure(&mut self, tariffs: &Tariffs, next: &Progress, energy: i128) -> Result<(), PricingError> {
        let at = next.at.millis();
        let current = next.current_a.map(pico);
        if self.pending.is_empty() {
            let Mark { at: from, energy: start_energy, activity, tariff, .. } = self.measured;
            let stretch = Stretch {
                from,
                to: at,
                start_energy,
                end_energy: energy,
                power: self.power_of(tariffs, energy.saturating_sub(start_energy), at - from),
                current: current.or(self.measured.current).map_or(Measured::UNKNOWN, Measured::one),
                activity,
                tariff,
                measured: true,
            };
            self.take(tariffs, stretch)?;
        } else {
            for stretch in self.stretches(tariffs, at, energy, current) {
                self.take(tariffs, stretch)?;
            }
            self.pending.clear();
        }
        let current = current.or(self.measured.current);
        self.measured = Mark { at, energy, current, activity: next.activity, tariff: next.tariff };
        Ok(())
    }

    /// Mean power, where any tariff looks at it.
    fn power_of(&self, tariffs: &Tariffs, energy: i128, millis: i64) -> Measured {
        let wanted = tariffs.list.iter().any(|tariff| !tariff.powers.is_empty());
        if wanted { mean_power(energy, millis) } else { Measured::UNKNOWN }
    }

    /// The time since the latest measurement, divided where the vehicle began or ceased to charge. The energy is
    /// that of the time in which it charged; where it never did, of all of it.
    fn stretches(&self, tariffs: &Tariffs, end: i64, energy: i128, current: Option<i128>) -> Vec<Stretch> {
        let first = (self.measured.at, self.measured.activity, self.measured.tariff);
        let begins =
            std::iter::once(first).chain(self.pending.iter().map(|p| (p.at.millis(), p.activity, p.tariff)));
        let ends = self.pending.iter().map(|p| p.at.millis()).chain([end]);
        let spans: Vec<(i64, i64, Activity, u16)> =
            begins.zip(ends).map(|((from, activity, tariff), to)| (from, to, activity, tariff)).collect();
        let charging: i64 = spans.iter().filter(|span| span.2 == Activity::Charging).map(|s| s.1 - s.0).sum();
        let weight = |(from, to, activity, _): &(i64, i64, Activity, u16)| match activity {
            Activity::Parking if charging > 0 => 0,
            _ => to - from,
        };
        let all: i64 = spans.iter().map(weight).sum();
        let delivered = energy.saturating_sub(self.measured.energy);
        let current = current.or(self.measured.current).map_or(Measured::UNKNOWN, Measured::one);
        let mut passed = 0;
        let mut start_energy = self.measured.energy;
        let mut stretches = Vec::with_capacity(spans.len());
        for (at, span) in spans.iter().enumerate() {
            passed += weight(span);
            let last = at + 1 == spans.len();
            let end_energy = if last {
                energy
            } else {
                share(self.measured.energy, delivered, passed, all).unwrap_or(start_energy)
            };
            let (from, to, activity, tariff) = *span;
            stretches.push(Stretch {
                from,
                to,
                start_energy,
                end_energy,
                power: self.power_of(tariffs, end_energy.saturating_sub(start_energy), to - from),
                current,
                activity,
                tariff,
                measured: at == 0,
            });
            start_energy = end_energy;
        }
        stretches
    }

    /// Accounts for a stretch, period by period.
    fn take(&mut self, tariffs: &Tariffs, stretch: Stretch) -> Result<(), PricingError> {
        let (mut at, mut energy, mut measured) = (stretch.from, stretch.start_energy, stretch.measured);
        loop {
            let active = match self.kept.0 {
                Some(kept) if kept.holds(&stretch, at, energy) => kept,
                _ => self.look_up(tariffs, &stretch, at, energy),
            };
            let (to, end_energy) = active.leaves(&stretch, at, energy);
            if to > at || end_energy != energy {
                self.book(tariffs, &stretch, &active, (at, energy, measured), (to, end_energy))?;
            }
            if to >= stretch.to && end_energy == stretch.end_energy {
                return Ok(());
            }
            (at, energy, measured) = (to, end_energy, false);
        }
    }

    /// Puts what was used into the ledger and the period that it belongs to.
    fn book(
        &mut self,
        tariffs: &Tariffs,
        stretch: &Stretch,
        active: &Active,
        (from, from_energy, measured): (i64, i128, bool),
        (to, to_energy): (i64, i128),
    ) -> Result<(), PricingError> {
        let used = to_energy.saturating_sub(from_energy);
        let time = time_parts(to - from);
        let ledger = &mut self.ledger;
        ledger.energy.add(active.slots.0, used)?;
        ledger.total_energy = ledger.total_energy.saturating_add(used);
        match active.activity {
            Activity::Charging => {
                ledger.time.add(active.slots.1, time)?;
                ledger.charging = ledger.charging.saturating_add(time);
            }
            Activity::Parking => {
                ledger.parking.add(active.slots.1, time)?;
                ledger.parked = ledger.parked.saturating_add(time);
            }
        }
        let (power, current) = ranges(tariffs, stretch);
        match self.periods.last_mut() {
            Some(open) if open.goes_on(active) => {
                open.power = widened(open.power, power);
                open.current = widened(open.current, current);
            }
            // The first period has no length yet, and what was active at its start was not known.
            Some(open) if open.at == from && open.from == from_energy => {
                *open = Period {
                    interpolated: open.interpolated,
                    ..period(stretch, active, from, from_energy, true)
                };
                (open.power, open.current) = (power, current);
            }
            _ => {
                let mut next = period(stretch, active, from, from_energy, measured);
                (next.power, next.current) = (power, current);
                self.periods.push(next);
            }
        }
        Ok(())
    }

    /// What is active at a moment of a stretch, and for how long. Kept for the next time.
    fn look_up(&mut self, tariffs: &Tariffs, stretch: &Stretch, at: i64, energy: i128) -> Active {
        let mut active = Active {
            activity: stretch.activity,
            tariff: stretch.tariff,
            from: at,
            until: i64::MAX,
            energy: Cell { low: i128::MIN, high: i128::MAX },
            power: Measured::UNKNOWN,
            current: Measured::UNKNOWN,
            slots: (None, None),
        };
        if let Some(tariff) = tariffs.get(stretch.tariff) {
            let now = self.situation(stretch, at, energy);
            let time = match stretch.activity {
                Activity::Charging => Lookup::Time,
                Activity::Parking => Lookup::Parking,
            };
            let slot = |component: Option<u16>| {
                component.map(|component| Slot { tariff: stretch.tariff, component })
            };
            active.slots = (slot(tariff.active(Lookup::Energy, &now)), slot(tariff.active(time, &now)));
            active.until = self.next_change(tariff, at);
            active.energy = Cell::of(&tariff.energies, now.energy);
            active.power = grid(&tariff.powers, stretch.power);
            active.current = grid(&tariff.currents, stretch.current);
            // A FLAT is charged once, the first that is active.
            if self.ledger.flat.is_none() {
                self.ledger.flat = slot(tariff.active(Lookup::Flat, &now));
            }
        }
        self.kept = Kept(Some(active));
        active
    }

    fn situation(&self, stretch: &Stretch, at: i64, energy: i128) -> Situation {
        Situation {
            local: Clock::new(self.zone, at, at).local(at),
            elapsed: at - self.started,
            // Energy that is fed back leaves a cell downwards: what counts is where it goes.
            energy: if stretch.end_energy < energy { energy.saturating_sub(1) } else { energy },
            power: stretch.power,
            current: stretch.current,
        }
    }

    /// The next moment at which the clock or the duration may change what is active.
    fn next_change(&self, tariff: &PreparedTariff, at: i64) -> i64 {
        let elapsed = at - self.started;
        let duration = tariff.durations.iter().find(|edge| **edge > elapsed).map(|edge| self.started + edge);
        duration.unwrap_or(i64::MAX).min(next_edge(self.zone, at, &tariff.minutes))
    }

    /// What the charge costs up to the latest progress: the running cost while it lasts, and the cost in the CDR
    /// when the latest progress is its end. Each published amount is rounded once, from its own exact value, so
    /// parts that were rounded need not add up to the total; the exact lines do.
    ///
    /// # Errors
    /// When `tariffs` are not those of the start, or an amount leaves the range of its type.
    pub fn cost(&self, tariffs: &Tariffs) -> Result<Cost, PricingError> {
        self.check(tariffs)?;
        if self.pending.is_empty() {
            self.ledger.cost(tariffs)
        } else {
            self.settled(tariffs)?.ledger.cost(tariffs)
        }
    }

    /// With the time since the latest measurement accounted for as if no energy had flowed since.
    pub(super) fn settled(&self, tariffs: &Tariffs) -> Result<Self, PricingError> {
        let mut settled = self.clone();
        if let Some(last) = self.pending.last() {
            let energy = self.measured.energy;
            settled.measure(tariffs, last, energy)?;
        }
        Ok(settled)
    }

    /// When the charge began.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        Timestamp::from_millis(self.started).unwrap_or_else(|| Timestamp::new(chrono::DateTime::UNIX_EPOCH))
    }

    /// The latest measurement: when, and the energy in pico-kWh.
    pub(super) fn measured_at(&self) -> (i64, i128) {
        (self.measured.at, self.measured.energy)
    }

    fn reached_at(&self) -> i64 {
        self.pending.last().map_or(self.measured.at, |last| last.at.millis())
    }

    /// The latest progress, with the latest energy that was measured.
    #[must_use]
    pub fn reached(&self) -> Progress {
        let (activity, tariff) = self
            .pending
            .last()
            .map_or((self.measured.activity, self.measured.tariff), |last| (last.activity, last.tariff));
        Progress {
            at: Timestamp::from_millis(self.reached_at()).unwrap_or_else(|| self.started()),
            energy: Some(self.energy()),
            current_a: self.measured.current.map(from_pico),
            activity,
            tariff,
        }
    }

    /// The latest energy that was measured, since the session's start.
    #[must_use]
    pub fn energy(&self) -> Kwh {
        Kwh::parse(from_pico(self.measured.energy)).unwrap_or_default()
    }

    /// The zone whose local time counts.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Every period with its end and the energy then; of a [settled](Self::settled) charge.
    pub(super) fn spans(&self) -> impl Iterator<Item = (&Period, i64, i128)> {
        let ends = self.periods.iter().skip(1).map(|next| (next.at, next.from));
        let ends = ends.chain(std::iter::once((self.measured.at, self.measured.energy)));
        self.periods.iter().zip(ends).map(|(period, (to, energy))| (period, to, energy))
    }

    /// The tariff of a period.
    pub(super) fn tariff_id(&self, period: &Period) -> Option<&crate::domain::CiString> {
        self.tariffs.get(usize::from(period.tariff)).map(|key| &key.id)
    }

    pub(super) fn check(&self, tariffs: &Tariffs) -> Result<(), PricingError> {
        if self.tariffs.iter().eq(tariffs.keys()) {
            return Ok(());
        }
        let now: Vec<TariffKey> = tariffs.keys().cloned().collect();
        Err(PricingError::OtherTariff { began: name(&self.tariffs), now: name(&now) })
    }

    /// Whether anything waits for a measurement.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }
}

impl Active {
    /// Whether it still holds.
    fn holds(&self, stretch: &Stretch, at: i64, energy: i128) -> bool {
        let down = stretch.end_energy < energy;
        self.activity == stretch.activity
            && self.tariff == stretch.tariff
            && self.from <= at
            && at < self.until
            && self.energy.holds(if down { energy.saturating_sub(1) } else { energy })
            && within(self.power, stretch.power)
            && within(self.current, stretch.current)
    }

    /// Where a stretch leaves the cell, or its end.
    fn leaves(&self, stretch: &Stretch, at: i64, energy: i128) -> (i64, i128) {
        let (span, flow) = (stretch.to - at, stretch.end_energy.saturating_sub(energy));
        let edge = if flow >= 0 { self.energy.high } else { self.energy.low };
        let crosses = if flow >= 0 { stretch.end_energy > edge } else { stretch.end_energy < edge };
        // At the very end of the stretch an edge belongs to what comes then.
        let crossing = crosses
            .then(|| {
                let part = edge.saturating_sub(energy).checked_mul(i128::from(span))?;
                let millis = Rounding::HalfUp.divide(part.checked_abs()?, flow.checked_abs()?)?;
                Some(at + i64::try_from(millis).ok()?)
            })
            .flatten();
        match crossing {
            Some(moment) if moment <= self.until => (moment, edge),
            _ if self.until < stretch.to => {
                let passed = self.until - at;
                let then = share(energy, flow, passed, span).unwrap_or(energy);
                // An edge that is crossed later must not be passed by rounding.
                let then = if crosses { then.clamp(energy.min(edge), energy.max(edge)) } else { then };
                (self.until, then)
            }
            Some(moment) => (moment, edge),
            None => (stretch.to, stretch.end_energy),
        }
    }
}

impl Period {
    fn goes_on(&self, active: &Active) -> bool {
        (self.activity, self.tariff, self.energy, self.time)
            == (active.activity, active.tariff, active.slots.0, active.slots.1)
    }
}

fn period(stretch: &Stretch, active: &Active, at: i64, energy: i128, measured: bool) -> Period {
    Period {
        at,
        from: energy,
        activity: stretch.activity,
        tariff: stretch.tariff,
        energy: active.slots.0,
        time: active.slots.1,
        power: None,
        current: None,
        interpolated: !measured,
    }
}

/// `start` and a part of `flow`, rounded to a tenth of a Wh, as OCPI tells energies (types, "number"): so the volumes
/// of the periods are told exactly as they were priced.
fn share(start: i128, flow: i128, part: i64, whole: i64) -> Option<i128> {
    const TENTH: i128 = PICO / 10_000;
    if whole == 0 {
        return None;
    }
    let amount = flow.checked_mul(i128::from(part))?;
    let amount = Rounding::HalfUp.divide(amount, i128::from(whole))?;
    let sum = start.checked_add(amount)?;
    Rounding::HalfUp.divide(sum, TENTH)?.checked_mul(TENTH)
}

/// The cell of a grid in which a measured value lies. Without edges, every value lies in it.
fn grid(edges: &[i128], value: Measured) -> Measured {
    if edges.is_empty() {
        return Measured { low: i128::MIN, high: i128::MAX };
    }
    if !value.is_known() {
        // No value lies in it: it is looked up anew.
        return Measured { low: i128::MAX, high: i128::MIN };
    }
    let cell = Cell::of(edges, value.low);
    Measured { low: cell.low, high: cell.high.saturating_sub(1) }
}

fn within(cell: Measured, value: Measured) -> bool {
    (cell.low == i128::MIN && cell.high == i128::MAX)
        || (value.is_known() && cell.low <= value.low && value.high <= cell.high)
}

type Range = Option<(i128, i128)>;

/// Power and current of a stretch, where its tariff looks at them.
fn ranges(tariffs: &Tariffs, stretch: &Stretch) -> (Range, Range) {
    let Some(tariff) = tariffs.get(stretch.tariff) else { return (None, None) };
    let range = |edges: &[i128], value: Measured| {
        (!edges.is_empty() && value.is_known()).then_some((value.low, value.high))
    };
    (range(&tariff.powers, stretch.power), range(&tariff.currents, stretch.current))
}

fn widened(a: Range, b: Range) -> Range {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}

const _: () = assert!(MAX_SCALE == 12, "pico-kWh hold every Kwh");

/// A zone is stored by its name (IANA), as OCPI tells it.
mod zone_name {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(|_| serde::de::Error::custom(format!("'{name}' is not an IANA time zone")))
    }
}
