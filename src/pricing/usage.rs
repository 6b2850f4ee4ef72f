//! What was used, by price component: all that the cost of a charge follows from.

use super::PricingError;
use super::select::Slot;
use super::tariffs::Tariffs;
use super::whole::rest;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

pub(super) const TOO_MUCH: PricingError = PricingError::TooLarge { what: "an amount of energy or time" };

/// What was used of one dimension, in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Usage {
    /// By component, in the order in which they were first used.
    #[serde(with = "amounts")]
    pub(super) amounts: SmallVec<[(Slot, i128); 3]>,
    /// The last component by which anything was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Slot>,
    /// By how much the sum may be off, because the volumes were told rounded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) slack: i128,
}

/// Amounts are stored as a list of pairs.
mod amounts {
    use super::{Deserialize, Serialize, Slot, SmallVec};
    use serde::{Deserializer, Serializer};

    type Amounts = SmallVec<[(Slot, i128); 3]>;

    pub(super) fn serialize<S: Serializer>(amounts: &Amounts, serializer: S) -> Result<S::Ok, S::Error> {
        amounts.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Amounts, D::Error> {
        Ok(Vec::<(Slot, i128)>::deserialize(deserializer)?.into())
    }
}

fn is_zero(value: &i128) -> bool {
    *value == 0
}

/// What is missing to a whole number of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surplus {
    /// The component at whose price it is billed.
    pub(super) slot: Slot,
    /// In parts.
    pub(super) amount: i128,
}

impl Usage {
    /// Adds what was used by a component; what was used by none is free.
    #[inline]
    pub(super) fn add(&mut self, slot: Option<Slot>, amount: i128) -> Result<(), PricingError> {
        let Some(slot) = slot else { return Ok(()) };
        match self.amounts.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, sum)) => *sum = sum.checked_add(amount).ok_or(TOO_MUCH)?,
            None => self.amounts.push((slot, amount)),
        }
        if amount != 0 {
            self.last = Some(slot);
        }
        Ok(())
    }

    /// Everything that was used by any component.
    pub(super) fn total(&self) -> Result<i128, PricingError> {
        self.amounts.iter().try_fold(0_i128, |sum, (_, amount)| sum.checked_add(*amount)).ok_or(TOO_MUCH)
    }

    /// What is missing to a whole number of steps of the last component, over the session's total; `unit` is a Wh
    /// or a second (OCPI 2.2.1 mod_cdrs, "step_size"). Nothing where nothing was used, or where energy was fed
    /// back on the whole.
    pub(super) fn surplus(&self, tariffs: &Tariffs, unit: i128) -> Result<Option<Surplus>, PricingError> {
        let total = self.total()?;
        let Some(slot) = self.last.filter(|_| total > 0) else { return Ok(None) };
        let step = tariffs.component(slot).ok_or(PricingError::Unknown)?.step;
        let step = i128::from(step).checked_mul(unit).ok_or(TOO_MUCH)?;
        let over = rest(total, step);
        Ok((over > self.slack).then(|| Surplus { slot, amount: step.saturating_sub(over) }))
    }
}

/// What a charge used so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// In pico-kWh.
    #[serde(default)]
    pub(super) energy: Usage,
    /// Charging, in parts of an hour.
    #[serde(default)]
    pub(super) time: Usage,
    /// Not charging.
    #[serde(default)]
    pub(super) parking: Usage,
    /// Reserved.
    #[serde(default)]
    pub(super) reservation: Usage,
    /// The FLAT of the charge, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flat: Option<Slot>,
    /// The FLAT of the reservation, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reservation_flat: Option<Slot>,
    /// Everything, priced or not: pico-kWh and parts of an hour.
    pub(super) total_energy: i128,
    pub(super) charging: i128,
    pub(super) parked: i128,
    #[serde(default)]
    pub(super) reserved: i128,
}

/// The surpluses that the steps of a tariff add, once each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Surpluses {
    pub(super) energy: Option<Surplus>,
    pub(super) time: Option<Surplus>,
    pub(super) parking: Option<Surplus>,
    pub(super) reservation: Option<Surplus>,
}

impl Ledger {
    /// Whether nothing was used yet, priced or not.
    pub(super) fn is_unused(&self) -> bool {
        self.charging == 0 && self.parked == 0 && self.total_energy == 0 && self.energy.last.is_none()
    }

    /// Once for ENERGY, and once for TIME and PARKING_TIME together: where parking is billed, only parking is
    /// rounded up (OCPI 2.2.1 mod_cdrs, "step_size"). A reservation is a time of its own.
    pub(super) fn surpluses(&self, tariffs: &Tariffs) -> Result<Surpluses, PricingError> {
        use super::exact::{MILLISECOND, PICO};
        const WATT_HOUR: i128 = PICO / 1_000;
        const SECOND: i128 = MILLISECOND * 1_000;
        let parking = self.parking.total()? > 0;
        Ok(Surpluses {
            energy: self.energy.surplus(tariffs, WATT_HOUR)?,
            time: if parking { None } else { self.time.surplus(tariffs, SECOND)? },
            parking: self.parking.surplus(tariffs, SECOND)?,
            reservation: self.reservation.surplus(tariffs, SECOND)?,
        })
    }
}
