//! From a stretch to periods and the ledger: a period ends where another price component becomes active.

use super::PricingError;
use super::calendar::{Clock, next_edge};
use super::running::{Activity, RunningCost};
use super::select::{Cell, Lookup, Measured, Situation, Slot, time_parts};
use super::stretch::{Active, Kept, Stretch, grid};
use super::tariffs::{PreparedTariff, Tariffs};
use super::usage::Usage;
use serde::{Deserialize, Serialize};

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
    /// The FLAT of the charge became active at its start, and is active throughout.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) fixed: bool,
}

impl RunningCost {
    /// Accounts for a stretch, period by period.
    pub(super) fn take(&mut self, tariffs: &Tariffs, stretch: Stretch) -> Result<(), PricingError> {
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
        let (power, current) = ranges(tariffs, stretch);
        let ledger = &mut self.ledger;
        let first = ledger.is_unused();
        if first {
            // What was looked up at the start did not know the power yet.
            (ledger.energy, ledger.flat) = (Usage::default(), None);
        }
        // A FLAT is charged once, the first that is active.
        let fixed = ledger.flat.is_none() && active.flat.is_some();
        if fixed {
            ledger.flat = active.flat;
        }
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
        let begun = Period { power, current, fixed, ..period(stretch, active, from, from_energy, measured) };
        match self.periods.last_mut() {
            // The first period has no length yet, and what was active at its start was not known.
            Some(open) if first => *open = Period { interpolated: false, ..begun },
            // Whoever checks the price looks for the FLAT at the start of a period.
            Some(open) if open.goes_on(active) && !fixed && (!open.fixed || ledger.flat == active.flat) => {
                open.power = widened(open.power, power).or(open.power).or(power);
                open.current = widened(open.current, current);
            }
            _ => self.periods.push(begun),
        }
        Ok(())
    }

    /// What is active at a moment of a stretch, and for how long. Kept for the next time.
    pub(super) fn look_up(&mut self, tariffs: &Tariffs, stretch: &Stretch, at: i64, energy: i128) -> Active {
        let mut active = Active {
            activity: stretch.activity,
            tariff: stretch.tariff,
            from: at,
            until: i64::MAX,
            energy: Cell { low: i128::MIN, high: i128::MAX },
            power: Measured::UNKNOWN,
            current: Measured::UNKNOWN,
            slots: (None, None),
            flat: None,
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
            active.flat = slot(tariff.active(Lookup::Flat, &now));
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
        let duration = tariff
            .durations
            .iter()
            .find(|edge| **edge > elapsed)
            .map(|edge| self.started.saturating_add(*edge));
        duration.unwrap_or(i64::MAX).min(next_edge(self.zone, at, &tariff.minutes))
    }
}

impl Period {
    fn goes_on(&self, active: &Active) -> bool {
        (self.activity, self.tariff, self.energy, self.time)
            == (active.activity, active.tariff, active.slots.0, active.slots.1)
    }
}

pub(super) fn period(stretch: &Stretch, active: &Active, at: i64, energy: i128, measured: bool) -> Period {
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
        fixed: false,
    }
}

type Range = Option<(i128, i128)>;

/// Power and current of a stretch, where its tariff looks at them.
pub(super) fn ranges(tariffs: &Tariffs, stretch: &Stretch) -> (Range, Range) {
    let Some(tariff) = tariffs.get(stretch.tariff) else { return (None, None) };
    let range = |edges: &[i128], value: Measured| {
        (!edges.is_empty() && value.is_known()).then_some((value.low, value.high))
    };
    (range(&tariff.powers, stretch.power), range(&tariff.currents, stretch.current))
}

/// None where one of them is not known: what was active then did not depend on it.
fn widened(a: Range, b: Range) -> Range {
    let (a, b) = (a?, b?);
    Some((a.0.min(b.0), a.1.max(b.1)))
}
