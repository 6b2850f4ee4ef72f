//! A car at a connector: how much power it takes, and when it is full.
//!
//! All in whole numbers: energy is counted in millijoules (watts times milliseconds), so that nothing is lost
//! however short the steps are.

/// Millijoules in a watt-hour.
pub const MJ_PER_WH: u64 = 3_600_000;

/// Milliseconds that a charge takes to reach its full power.
const RAMP_MS: u64 = 15_000;

/// Milliseconds of the longest step over which power counts as constant.
const STEP_MS: u64 = 5_000;

/// What a connector offers and what the cars at it are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerCurve {
    /// Alternating current: constant after a ramp, with the last few percent tapered.
    Ac {
        /// Full power, W.
        watts: u32,
        /// Phases used, 1 to 3.
        phases: u8,
    },
    /// Direct current: full power up to about 55 % state of charge, then less and less.
    Dc {
        /// Full power, W.
        watts: u32,
    },
}

impl PowerCurve {
    /// 11 kW on three phases, the usual wallbox.
    pub const AC_11: Self = Self::Ac { watts: 11_040, phases: 3 };
    /// 150 kW, a fast charger.
    pub const DC_150: Self = Self::Dc { watts: 150_000 };

    /// The power at this state of charge (in thousandths), W.
    #[must_use]
    pub fn watts_at(self, permille: u64) -> u64 {
        match self {
            Self::Ac { watts, .. } => {
                u64::from(watts) * interpolate(permille, &[(0, 1000), (960, 1000), (1000, 250)]) / 1000
            }
            Self::Dc { watts } => {
                let curve = [(0, 850), (80, 1000), (550, 1000), (800, 480), (900, 250), (1000, 60)];
                u64::from(watts) * interpolate(permille, &curve) / 1000
            }
        }
    }

    /// The voltage and the current on each phase used, at a power: whole volts, and amperes in tenths.
    #[must_use]
    pub fn volts_and_deciamperes(self, watts: u64, permille: u64) -> (u64, u64) {
        match self {
            Self::Ac { phases, .. } => {
                let volts = 230;
                (volts, watts * 10 / (volts * u64::from(phases.clamp(1, 3))))
            }
            Self::Dc { .. } => {
                let volts = 350 + permille * 70 / 1000;
                (volts, watts * 10 / volts)
            }
        }
    }

    /// Phases to report, none for direct current.
    #[must_use]
    pub fn phases(self) -> u8 {
        match self {
            Self::Ac { phases, .. } => phases.clamp(1, 3),
            Self::Dc { .. } => 0,
        }
    }

    /// Whether it is direct current.
    #[must_use]
    pub fn is_dc(self) -> bool {
        matches!(self, Self::Dc { .. })
    }
}

/// The value at `x` of a line through points that are sorted by x.
fn interpolate(x: u64, points: &[(u64, u64)]) -> u64 {
    let mut before: Option<(u64, u64)> = None;
    for &(px, py) in points {
        if x <= px {
            return match before {
                Some((bx, by)) if px > bx => {
                    let (left, right) = (px - x, x - bx);
                    (by * left + py * right) / (px - bx)
                }
                _ => py,
            };
        }
        before = Some((px, py));
    }
    before.map_or(0, |(_, y)| y)
}

/// A car that is plugged in.
#[derive(Debug, Clone, Copy)]
pub struct Car {
    /// What its battery holds, mJ.
    capacity: u64,
    /// What is in it, mJ.
    charge: u64,
    /// How long it has been taking energy, ms.
    charging_for: u64,
}

impl Car {
    /// A battery of so many Wh, filled to so many thousandths.
    #[must_use]
    pub fn new(capacity_wh: u32, permille: u32) -> Self {
        let capacity = u64::from(capacity_wh.max(1)) * MJ_PER_WH;
        Self { capacity, charge: capacity / 1000 * u64::from(permille.min(1000)), charging_for: 0 }
    }

    /// State of charge in thousandths.
    #[must_use]
    pub fn permille(&self) -> u64 {
        self.charge.saturating_mul(1000) / self.capacity
    }

    /// Whether it takes nothing more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.charge >= self.capacity
    }

    /// The power it takes now, W.
    #[must_use]
    pub fn watts(&self, curve: PowerCurve) -> u64 {
        if self.is_full() {
            return 0;
        }
        curve.watts_at(self.permille()) * self.charging_for.clamp(1, RAMP_MS) / RAMP_MS
    }

    /// Takes energy for so many milliseconds; returns how much, mJ.
    pub fn charge_for(&mut self, millis: u64, curve: PowerCurve) -> u64 {
        let mut left = millis;
        let mut taken = 0;
        while left > 0 && !self.is_full() {
            let step = left.min(STEP_MS);
            left -= step;
            self.charging_for += step;
            let room = self.capacity - self.charge;
            let energy = (self.watts(curve) * step).min(room);
            self.charge += energy;
            taken += energy;
        }
        taken
    }

    /// Begins anew with its ramp, as after a pause.
    pub fn restart(&mut self) {
        self.charging_for = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ac_charge_is_constant_after_its_ramp() {
        let mut car = Car::new(60_000, 200);
        assert!(car.watts(PowerCurve::AC_11) < 10);
        car.charge_for(60_000, PowerCurve::AC_11);
        assert_eq!(car.watts(PowerCurve::AC_11), 11_040);
        let hour = car.charge_for(3_600_000, PowerCurve::AC_11) / MJ_PER_WH;
        assert_eq!(hour, 11_040);
    }

    #[test]
    fn a_dc_charge_tapers_and_ends_when_full() {
        let mut car = Car::new(80_000, 100);
        let mut last = u64::MAX;
        let mut total = 0;
        let mut minutes = 0;
        while !car.is_full() {
            total += car.charge_for(60_000, PowerCurve::DC_150);
            minutes += 1;
            if car.permille() > 560 {
                assert!(car.watts(PowerCurve::DC_150) <= last, "at {}", car.permille());
                last = car.watts(PowerCurve::DC_150);
            }
            assert!(minutes < 200, "never full");
        }
        assert_eq!(total, 72_000 * MJ_PER_WH);
        assert!((35..110).contains(&minutes), "{minutes} minutes");
        assert_eq!(car.charge_for(60_000, PowerCurve::DC_150), 0);
    }

    #[test]
    fn energy_does_not_depend_much_on_the_step() {
        let whole = Car::new(60_000, 300).charge_for(600_000, PowerCurve::AC_11);
        let mut car = Car::new(60_000, 300);
        let parts: u64 = (0..600).map(|_| car.charge_for(1000, PowerCurve::AC_11)).sum();
        assert!(whole.abs_diff(parts) < whole / 200, "{whole} {parts}");
    }
}
