//! The time between two measurements, and for how long what is active in it stays so.

use super::exact::PICO;
use super::policy::Rounding;
use super::running::{Activity, RunningCost};
use super::select::{Cell, Measured, Slot, mean_power};
use super::tariffs::Tariffs;

/// A part of the time between two measurements in which the vehicle does one thing.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) start_energy: i128,
    pub(super) end_energy: i128,
    pub(super) power: Measured,
    pub(super) current: Measured,
    pub(super) activity: Activity,
    pub(super) tariff: u16,
    /// Whether the energy at its start was measured.
    pub(super) measured: bool,
}

/// What holds as long as nothing leaves the cell that it was looked up for: kept, so that a meter value that changes
/// nothing asks no restriction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Active {
    pub(super) activity: Activity,
    pub(super) tariff: u16,
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) energy: Cell,
    pub(super) power: Measured,
    pub(super) current: Measured,
    pub(super) slots: (Option<Slot>, Option<Slot>),
    /// The component of FLAT.
    pub(super) flat: Option<Slot>,
}

/// A value that is kept for speed: it does not count in comparisons and is not stored.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept(pub(super) Option<Active>);

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl RunningCost {
    /// Mean power, where any tariff looks at it.
    pub(super) fn power_of(&self, tariffs: &Tariffs, energy: i128, millis: i64) -> Measured {
        let wanted = tariffs.list.iter().any(|tariff| !tariff.powers.is_empty());
        if wanted { mean_power(energy, millis) } else { Measured::UNKNOWN }
    }

    /// The time since the latest measurement, divided where the vehicle began or ceased to charge. The energy is
    /// that of the time in which it charged; where it never did, of all of it.
    pub(super) fn stretches(
        &self,
        tariffs: &Tariffs,
        end: i64,
        energy: i128,
        current: Option<i128>,
    ) -> Vec<Stretch> {
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
                let then = share(self.measured.energy, delivered, passed, all).unwrap_or(start_energy);
                then.clamp(start_energy.min(energy), start_energy.max(energy))
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
}

impl Active {
    /// Whether it still holds.
    pub(super) fn holds(&self, stretch: &Stretch, at: i64, energy: i128) -> bool {
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
    pub(super) fn leaves(&self, stretch: &Stretch, at: i64, energy: i128) -> (i64, i128) {
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
                // Neither an edge that is crossed later nor what was measured may be passed by rounding.
                let limit = if crosses { edge } else { stretch.end_energy };
                let then = then.clamp(energy.min(limit), energy.max(limit));
                (self.until, then)
            }
            Some(moment) => (moment, edge),
            None => (stretch.to, stretch.end_energy),
        }
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
pub(super) fn grid(edges: &[i128], value: Measured) -> Measured {
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
