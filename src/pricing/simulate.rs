//! A charge that never was: for "what will it cost" and for trying a tariff.

use super::running::{Activity, Progress, RunningCost};
use super::select::{from_pico, pico};
use super::tariffs::Tariffs;
use super::{PricingError, Rounding};
use crate::domain::{Kwh, Timestamp, ValueError};
use chrono_tz::Tz;
use rust_decimal::Decimal;

/// A vehicle that charges at full power until it has what it wants, and then stays plugged in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimulatedCharge {
    /// When it is plugged in.
    pub from: Timestamp,
    /// When it is unplugged.
    pub to: Timestamp,
    /// What it wants, kWh.
    pub energy: Kwh,
    /// Power until then, kW.
    pub power_kw: Decimal,
    /// Current until then, A over all phases, where a tariff looks at it.
    pub current_a: Option<Decimal>,
}

/// Why a charge cannot be simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulationError {
    /// It ends before it begins.
    #[error("the charge ends at {to}, before it begins at {from}")]
    EndsBefore {
        /// Its start.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// Energy, power or current.
    #[error("the {what} is {found}: it has to be {wanted}")]
    Negative {
        /// Which.
        what: &'static str,
        /// What was given.
        found: Decimal,
        /// What would be right.
        wanted: &'static str,
    },
    /// Out of range.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// It cannot be priced.
    #[error(transparent)]
    Pricing(#[from] PricingError),
}

impl SimulatedCharge {
    /// Prices it.
    ///
    /// # Errors
    /// When it is no possible charge, or cannot be priced.
    pub fn price(&self, tariffs: &Tariffs, zone: Tz) -> Result<RunningCost, SimulationError> {
        let progress = self.progress()?;
        Ok(super::price_all(tariffs, zone, &progress)?)
    }

    fn check(&self) -> Result<(), SimulationError> {
        if self.to < self.from {
            return Err(SimulationError::EndsBefore { from: self.from, to: self.to });
        }
        let energy = self.energy.decimal();
        if energy.is_sign_negative() && !energy.is_zero() {
            return Err(SimulationError::Negative { what: "energy", found: energy, wanted: "0 or more" });
        }
        if self.power_kw <= Decimal::ZERO {
            return Err(SimulationError::Negative { what: "power", found: self.power_kw, wanted: "above 0" });
        }
        if let Some(current) = self.current_a.filter(|current| current.is_sign_negative()) {
            return Err(SimulationError::Negative { what: "current", found: current, wanted: "0 or more" });
        }
        Ok(())
    }

    /// Plugged in, full, unplugged.
    fn progress(&self) -> Result<Vec<Progress>, SimulationError> {
        self.check()?;
        let (wanted, power) = (pico(self.energy.decimal()), pico(self.power_kw));
        let too_large = PricingError::TooLarge { what: "the energy of the charge" };
        let millis = wanted
            .checked_mul(3_600_000)
            .and_then(|product| Rounding::HalfUp.divide(product, power))
            .and_then(|millis| i64::try_from(millis).ok())
            .ok_or_else(|| too_large.clone())?;
        let whole = self.to.millis_since(self.from);
        let mut start = Progress::measured(self.from, Kwh::ZERO, Activity::Charging);
        start.current_a = self.current_a;
        if millis >= whole {
            // It is unplugged before it is full. What it got is told to a tenth of a Wh, as OCPI tells energies.
            let got = power
                .checked_mul(i128::from(whole))
                .and_then(|product| Rounding::HalfUp.divide(product, 3_600_000 * 100_000_000))
                .and_then(|tenths| tenths.checked_mul(100_000_000))
                .ok_or(too_large)?;
            let energy = Kwh::parse(from_pico(got.min(wanted)))?;
            return Ok(vec![start, Progress::measured(self.to, energy, Activity::Charging)]);
        }
        let full = Timestamp::from_millis(self.from.millis() + millis).unwrap_or(self.to);
        let mut filled = Progress::measured(full, self.energy, Activity::Parking);
        filled.current_a = self.current_a;
        let mut end = Progress::measured(self.to, self.energy, Activity::Parking);
        end.current_a = self.current_a.map(|_| Decimal::ZERO);
        Ok(vec![start, filled, end])
    }
}
