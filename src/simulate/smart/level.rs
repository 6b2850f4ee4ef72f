//! How much may flow: a limit on each phase and the number of phases, exact whether it was given in amperes or
//! in watts (OCPP 1.6, 7.12).

use crate::domain::charging_profile::{RateUnit, SchedulePeriod};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// The voltage of a phase that limits are converted with: the one set for the area, not the measured one.
pub const VOLTS: u64 = 230;

/// Parts of a watt that a level is counted in: a tenth of a watt over one, two or three phases is whole.
const PER_WATT: u64 = 60;

/// Parts in a tenth of an ampere.
const PER_DECIAMPERE: u64 = VOLTS * PER_WATT / 10;

/// Beyond this nothing flows anywhere: tenths of a watt or of an ampere.
const LARGEST: u64 = 10_000_000_000;

/// The most that may flow on each phase, and on how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// On each phase, in sixtieths of a watt.
    pub each: u64,
    /// Phases, 1 to 3.
    pub phases: u8,
}

impl Level {
    /// Nothing.
    pub const NONE: Self = Self { each: 0, phases: 3 };

    /// More than anything takes.
    pub const ANY: Self = Self { each: LARGEST * PER_DECIAMPERE, phases: 3 };

    /// So many tenths of an ampere on each of so many phases.
    #[must_use]
    pub fn of_deciamperes(deciamperes: u64, phases: u8) -> Self {
        Self { each: deciamperes.min(LARGEST) * PER_DECIAMPERE, phases: phases.clamp(1, 3) }
    }

    /// So many watts over so many phases.
    #[must_use]
    pub fn of_watts(watts: u64, phases: u8) -> Self {
        let phases = phases.clamp(1, 3);
        Self { each: watts.min(LARGEST) * PER_WATT / u64::from(phases), phases }
    }

    /// What a period of a schedule says. Watts are those of all phases that it names, and three where it names
    /// none (7.12).
    #[must_use]
    pub fn of(period: &SchedulePeriod, unit: RateUnit) -> Self {
        let phases = period.phases.unwrap_or(3).clamp(1, 3);
        let tenths = period.limit.checked_mul(Decimal::TEN).and_then(|tenths| tenths.to_u64());
        let tenths = tenths.unwrap_or(if period.limit.is_sign_negative() { 0 } else { LARGEST }).min(LARGEST);
        let each = match unit {
            RateUnit::Amperes => tenths * PER_DECIAMPERE,
            RateUnit::Watts => tenths * (PER_WATT / 10) / u64::from(phases),
        };
        Self { each, phases }
    }

    /// The lower of both, in current as in phases.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { each: self.each.min(other.each), phases: self.phases.min(other.phases) }
    }

    /// Whole tenths of an ampere on each phase.
    #[must_use]
    pub fn deciamperes(self) -> u64 {
        self.each / PER_DECIAMPERE
    }

    /// Whole watts over so many phases.
    #[must_use]
    pub fn watts_on(self, phases: u8) -> u64 {
        self.each.saturating_mul(u64::from(phases)) / PER_WATT
    }

    /// As a period of a schedule: rounded down to a tenth.
    #[must_use]
    pub fn to_period(self, start_s: u32, unit: RateUnit) -> SchedulePeriod {
        let tenths = match unit {
            RateUnit::Amperes => self.deciamperes(),
            RateUnit::Watts => self.each.saturating_mul(u64::from(self.phases)) / (PER_WATT / 10),
        };
        let limit = Decimal::new(i64::try_from(tenths).unwrap_or(i64::MAX), 1).normalize();
        SchedulePeriod { start_s, limit, phases: Some(self.phases) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watts_and_amperes_convert_and_nothing_is_lost() {
        let of = |limit: &str, unit, phases| {
            Level::of(&SchedulePeriod { start_s: 0, limit: limit.parse().unwrap(), phases }, unit)
        };
        let level = of("16", RateUnit::Amperes, None);
        assert_eq!(
            (level.deciamperes(), level.phases, level.watts_on(3), level.watts_on(1)),
            (160, 3, 11_040, 3680)
        );
        // 7.12: the current of each phase is the power by the voltage by the phases, and three are assumed.
        assert_eq!(of("11000", RateUnit::Watts, None).deciamperes(), 159);
        assert_eq!(of("11000", RateUnit::Watts, Some(1)).deciamperes(), 478);
        for watts in ["11000", "11000.1", "6000", "0", "1234.5"] {
            for phases in [1, 2, 3] {
                let back = of(watts, RateUnit::Watts, Some(phases)).to_period(0, RateUnit::Watts).limit;
                assert_eq!(back, watts.parse().unwrap(), "{phases}");
            }
        }
        assert_eq!(
            of("6.1", RateUnit::Amperes, Some(1)).to_period(0, RateUnit::Watts).limit,
            Decimal::from(1403)
        );
        let both = of("16", RateUnit::Amperes, Some(1)).and(of("11000", RateUnit::Watts, None));
        assert_eq!((both.deciamperes(), both.phases), (159, 1));
    }

    #[test]
    fn no_number_overflows() {
        let huge = SchedulePeriod { start_s: 0, limit: Decimal::MAX, phases: None };
        for unit in [RateUnit::Amperes, RateUnit::Watts] {
            let level = Level::of(&huge, unit);
            assert!(level.watts_on(3) > 1_000_000 && level.to_period(0, unit).limit > Decimal::ONE_HUNDRED);
        }
    }
}
