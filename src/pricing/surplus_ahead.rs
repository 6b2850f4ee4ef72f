//! What `step_size` may add at the most until a moment ahead.

use super::PricingError;
use super::cost::Quantity;
use super::exact::{MILLISECOND, PICO};
use super::forecast::{Most, dearest};
use super::select::Slot;
use super::tariffs::Tariffs;
use super::usage::{Ledger, Usage};

/// What may be used of one kind, and by which components.
#[derive(Default)]
struct Ahead {
    slots: Vec<Slot>,
    /// In parts, with what was used already.
    amount: i128,
}

impl Ahead {
    fn used(&mut self, usage: &Usage) {
        for (slot, amount) in usage.amounts.iter().filter(|(_, amount)| *amount != 0) {
            self.add(&[*slot], *amount);
        }
    }

    fn add(&mut self, slots: &[Slot], amount: i128) {
        for slot in slots {
            if !self.slots.contains(slot) {
                self.slots.push(*slot);
            }
        }
        if !slots.is_empty() {
            self.amount = self.amount.saturating_add(amount);
        }
    }

    fn most(
        &self,
        tariffs: &Tariffs,
        unit: i128,
        quantity: fn(i128) -> Quantity,
    ) -> Result<Most, PricingError> {
        let step = |slot: &Slot| -> Result<i128, PricingError> {
            let step = tariffs.component(*slot).ok_or(PricingError::Unknown)?.step;
            Ok(i128::from(step).saturating_mul(unit))
        };
        if let [only] = self.slots.as_slice() {
            // Whatever is used of it, it is not billed beyond the step that the most of it reaches.
            let step = step(only)?;
            let over = self.amount.checked_rem_euclid(step).unwrap_or_default();
            let missing = if over == 0 { 0 } else { step.saturating_sub(over) };
            return dearest(tariffs, &[*only], quantity(missing));
        }
        self.slots.iter().try_fold(Most::default(), |known, slot| {
            known.or(dearest(tariffs, &[*slot], quantity(step(slot)?))?)
        })
    }
}

/// Gathers what may be used until a moment ahead.
pub(super) struct SurplusAhead<'a> {
    tariffs: &'a Tariffs,
    energy: Ahead,
    time: Ahead,
}

impl<'a> SurplusAhead<'a> {
    pub(super) fn new(tariffs: &'a Tariffs, ledger: &Ledger) -> Self {
        let (mut energy, mut time) = (Ahead::default(), Ahead::default());
        energy.used(&ledger.energy);
        time.used(&ledger.time);
        time.used(&ledger.parking);
        Self { tariffs, energy, time }
    }

    /// What may be used in a span, of any of the components.
    pub(super) fn add_energy(&mut self, slots: &[Slot], amount: i128) {
        self.energy.add(slots, amount);
    }

    /// Of TIME or PARKING_TIME.
    pub(super) fn add_time(&mut self, slots: &[Slot], amount: i128) {
        self.time.add(slots, amount);
    }

    /// The most that steps may add, once for energy and once for time.
    pub(super) fn most(&self) -> Result<Most, PricingError> {
        let energy = self.energy.most(self.tariffs, PICO / 1_000, Quantity::Energy)?;
        energy.plus(self.time.most(self.tariffs, MILLISECOND * 1_000, Quantity::Time)?)
    }
}
