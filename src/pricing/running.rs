//! The running cost of a charge: what was used, by periods, in a state that is stored between two meter values.
//!
//! Time is only accounted for once the energy of it is measured. Between two measurements the energy flows evenly
//! while the vehicle charges; where a price component changes in between (a time, a kWh, a duration), the period
//! ends there, with the energy interpolated (OCPI 2.2.1 mod_cdrs, "ChargingPeriod").

use super::booking::{Period, period, ranges};
use super::cost::Cost;
use super::exact::MAX_SCALE;
use super::select::{Measured, from_pico, pico};
use super::stretch::{Kept, Stretch};
use super::tariffs::{TariffKey, Tariffs};
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

/// A clock that is off may say any year; every day of the time in between may have periods of its own.
const CENTURY: i64 = 100 * 366 * 24 * 3_600_000;

/// The latest measurement, up to which all is accounted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) at: i64,
    pub(super) energy: i128,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<i128>,
    pub(super) activity: Activity,
    #[serde(default)]
    pub(super) tariff: u16,
}

/// A charge and what it costs, up to a moment. The state grows with the periods, not with the meter values, and is
/// stored as JSON; [`advance`](Self::advance) and [`cost`](Self::cost) take constant time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunningCost {
    /// Where the charge takes place; local time decides on restrictions.
    #[serde(with = "zone_name")]
    pub(super) zone: Tz,
    /// None means that the charge is free.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tariffs: Vec<TariffKey>,
    pub(super) started: i64,
    pub(super) ledger: Ledger,
    /// Never empty, in the order of time.
    pub(super) periods: Vec<Period>,
    pub(super) measured: Mark,
    /// What came since then without a measurement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pending: Vec<Progress>,
    #[serde(skip)]
    pub(super) kept: Kept,
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
        let (power, current) = ranges(tariffs, &stretch);
        self.periods.push(Period { power, current, ..period(&stretch, &active, at, energy, true) });
        self.ledger.flat = active.flat;
        // Nothing was used yet, but it is known what VAT will apply.
        self.ledger.energy.add(active.slots.0, 0)?;
        Ok(())
    }

    /// Takes the next progress. The same moment twice is fine; the later word on the activity counts.
    ///
    /// # Errors
    /// When `next` is earlier than the latest progress or a century after the latest meter value, or the tariffs are
    /// not those of the start. Nothing is changed then.
    pub fn advance(&mut self, tariffs: &Tariffs, next: Progress) -> Result<(), PricingError> {
        self.check(tariffs)?;
        let reached = self.reached_at();
        if next.at.millis() < reached {
            let last = Timestamp::from_millis(reached).unwrap_or(next.at);
            return Err(PricingError::Backwards { last, next: next.at });
        }
        if !self.can_reach(next.at) {
            return Err(PricingError::TooLarge { what: "the time since the latest meter value" });
        }
        match next.energy {
            Some(energy) => self.measure(tariffs, &next, pico(energy.decimal())),
            None => {
                self.wait(next);
                Ok(())
            }
        }
    }

    /// Whether progress at a moment can be priced: it is no later than a century after the latest meter value.
    #[must_use]
    pub fn can_reach(&self, at: Timestamp) -> bool {
        at.millis().saturating_sub(self.measured.at) <= CENTURY
    }

    /// Keeps what came without a measurement until the next one. Of several words on one moment the last counts, and
    /// a word that says nothing new is only needed as the latest.
    fn wait(&mut self, next: Progress) {
        self.forget_repeated();
        if self.pending.last().is_some_and(|last| last.at == next.at) {
            self.pending.pop();
        }
        self.pending.push(next);
    }

    /// Forgets the latest word where it said nothing new: it must not divide the time between two measurements.
    fn forget_repeated(&mut self) {
        let (last, earlier) = match self.pending.as_slice() {
            [] => return,
            [only] => (only, (self.measured.activity, self.measured.tariff)),
            [.., earlier, last] => (last, (earlier.activity, earlier.tariff)),
        };
        if (last.activity, last.tariff) == earlier {
            self.pending.pop();
        }
    }

    /// Accounts for the time since the latest measurement.
    fn measure(&mut self, tariffs: &Tariffs, next: &Progress, energy: i128) -> Result<(), PricingError> {
        let at = next.at.millis();
        let current = next.current_a.map(pico);
        self.forget_repeated();
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
