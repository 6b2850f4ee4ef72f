//! A car at a connector: how much power it takes, and when it is full.
//!
//! All in whole numbers: energy is counted in millijoules (watts times milliseconds), so that nothing is lost
//! however short the steps are.

use super::smart::Level;
use crate::domain::Timestamp;
use std::time::Duration;

/// The least current on each phase with which a car charges, in tenths of an ampere (IEC 61851-1).
pub const LEAST_DECIAMPERES: u64 = 60;

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

/// What a car is like when it is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarConfig {
    /// What its battery holds, Wh.
    pub capacity_wh: u32,
    /// How full it is, in thousandths.
    pub permille: u32,
    /// Phases of alternating current that its charger uses, 1 to 3.
    pub phases: u8,
    /// The least that it charges with on each phase, in tenths of an ampere: 60 or more.
    pub least_deciamperes: u32,
    /// The most that its charger takes on each phase, in tenths of an ampere; none for as much as is offered.
    pub most_deciamperes: Option<u32>,
    /// How long it takes to follow a new limit (IEC 61851-1 allows five seconds).
    pub reaction: Duration,
    /// After a pause that long it sleeps and does not charge again before it is plugged in anew.
    pub sleeps_after: Option<Duration>,
}

impl CarConfig {
    /// A car on three phases, with a battery of so many Wh that is filled to so many thousandths, which follows
    /// a limit within three seconds and never falls asleep.
    #[must_use]
    pub fn new(capacity_wh: u32, permille: u32) -> Self {
        Self {
            capacity_wh,
            permille,
            phases: 3,
            least_deciamperes: 60,
            most_deciamperes: None,
            reaction: Duration::from_secs(3),
            sleeps_after: None,
        }
    }
}

/// A car that is plugged in.
#[derive(Debug, Clone, Copy)]
pub struct Car {
    config: CarConfig,
    /// What its battery holds, mJ.
    capacity: u64,
    /// What is in it, mJ.
    charge: u64,
    /// How long it has been taking energy, ms.
    charging_for: u64,
    /// What it takes to be offered.
    felt: Level,
    /// Since when too little is offered.
    paused_since: Option<Timestamp>,
    asleep: bool,
}

impl Car {
    /// A battery of so many Wh, filled to so many thousandths, to which anything is offered.
    #[must_use]
    pub fn new(capacity_wh: u32, permille: u32) -> Self {
        Self::of(CarConfig::new(capacity_wh, permille))
    }

    /// A car to which anything is offered.
    #[must_use]
    pub fn of(config: CarConfig) -> Self {
        let capacity = u64::from(config.capacity_wh.max(1)) * MJ_PER_WH;
        Self {
            capacity,
            charge: capacity / 1000 * u64::from(config.permille.min(1000)),
            charging_for: 0,
            felt: Level::ANY,
            paused_since: None,
            asleep: false,
            config,
        }
    }

    /// What it is like.
    #[must_use]
    pub fn config(&self) -> &CarConfig {
        &self.config
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

    /// Whether it has fallen asleep in a pause.
    #[must_use]
    pub fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// What it takes to be offered.
    #[must_use]
    pub fn felt(&self) -> Level {
        self.felt
    }

    /// Whether it charges with so little.
    #[must_use]
    pub fn can_take(&self, offer: Level, curve: PowerCurve) -> bool {
        let least = Level::of_deciamperes(u64::from(self.config.least_deciamperes), 3);
        offer.each > 0 && (curve.is_dc() || offer.each >= least.each)
    }

    /// Phases of alternating current on which it charges; direct current loads all three.
    #[must_use]
    pub fn phases_on(&self, curve: PowerCurve) -> u8 {
        match curve {
            PowerCurve::Ac { phases, .. } => {
                self.config.phases.min(self.felt.phases).clamp(1, 3).min(phases.clamp(1, 3))
            }
            PowerCurve::Dc { .. } => 3,
        }
    }

    /// Follows another offer from now on.
    pub fn feel(&mut self, offer: Level, at: Timestamp, curve: PowerCurve) {
        let could = self.can_take(self.felt, curve);
        let can = self.can_take(offer, curve);
        if can && !could {
            let slept = |wait: Duration| {
                let paused = self.paused_since.map_or(0, |since| at.millis_since(since));
                i64::try_from(wait.as_millis()).is_ok_and(|wait| paused >= wait)
            };
            self.asleep |= self.config.sleeps_after.is_some_and(slept);
            self.restart();
        }
        self.paused_since = if can { None } else { self.paused_since.or(Some(at)) };
        self.felt = offer;
    }

    /// The power it takes now, W.
    #[must_use]
    pub fn watts(&self, curve: PowerCurve) -> u64 {
        if self.is_full() || self.asleep || !self.can_take(self.felt, curve) {
            return 0;
        }
        let phases = self.phases_on(curve);
        let share = match curve {
            PowerCurve::Ac { phases: all, .. } => (u64::from(phases), u64::from(all.clamp(1, 3))),
            PowerCurve::Dc { .. } => (1, 1),
        };
        let wanted = curve.watts_at(self.permille()) * share.0 / share.1
            * self.charging_for.clamp(1, RAMP_MS)
            / RAMP_MS;
        let own = self.config.most_deciamperes.filter(|_| !curve.is_dc());
        let own =
            own.map_or(u64::MAX, |most| Level::of_deciamperes(u64::from(most), phases).watts_on(phases));
        wanted.min(own).min(self.felt.watts_on(phases))
    }

    /// Takes energy for so many milliseconds; returns how much, mJ.
    pub fn charge_for(&mut self, millis: u64, curve: PowerCurve) -> u64 {
        let mut left = millis;
        let mut taken = 0;
        while left > 0 && !self.is_full() && !self.asleep && self.can_take(self.felt, curve) {
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

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000).unwrap()
    }

    #[test]
    fn a_car_takes_what_is_offered_on_the_phases_that_it_has() {
        for (phases, offered, watts) in [(3, 3, 6900), (3, 1, 2300), (2, 3, 4600), (1, 3, 2300), (1, 1, 2300)]
        {
            let mut car = Car::of(CarConfig { phases, ..CarConfig::new(60_000, 200) });
            car.feel(Level::of_deciamperes(100, offered), at(0), PowerCurve::AC_11);
            assert!(car.charge_for(60_000, PowerCurve::AC_11) > 0);
            assert_eq!(car.watts(PowerCurve::AC_11), watts, "{phases} {offered}");
            car.feel(Level::ANY, at(1), PowerCurve::AC_11);
            assert_eq!(car.watts(PowerCurve::AC_11), 3680 * u64::from(phases), "no ramp without a pause");
        }
        let mut small = Car::of(CarConfig { most_deciamperes: Some(160), ..CarConfig::new(60_000, 200) });
        small.charge_for(60_000, PowerCurve::Ac { watts: 22_080, phases: 3 });
        assert_eq!(small.watts(PowerCurve::Ac { watts: 22_080, phases: 3 }), 11_040);
        let mut fast = Car::new(80_000, 200);
        fast.feel(Level::of_watts(50_000, 3), at(0), PowerCurve::DC_150);
        fast.charge_for(60_000, PowerCurve::DC_150);
        assert_eq!(fast.watts(PowerCurve::DC_150), 50_000);
    }

    #[test]
    fn a_car_pauses_below_its_least_current_and_may_not_wake_again() {
        let sleeps_after = Some(Duration::from_secs(300));
        for (sleeps_after, pause, wakes) in
            [(None, 10_000, true), (sleeps_after, 299, true), (sleeps_after, 300, false)]
        {
            let mut car = Car::of(CarConfig { sleeps_after, ..CarConfig::new(60_000, 200) });
            car.charge_for(60_000, PowerCurve::AC_11);
            car.feel(Level::of_deciamperes(59, 3), at(0), PowerCurve::AC_11);
            assert_eq!((car.watts(PowerCurve::AC_11), car.charge_for(9000, PowerCurve::AC_11)), (0, 0));
            car.feel(Level::NONE, at(10), PowerCurve::AC_11);
            car.feel(Level::of_deciamperes(60, 3), at(pause), PowerCurve::AC_11);
            assert_eq!(car.charge_for(60_000, PowerCurve::AC_11) > 0, wakes);
            assert_eq!(car.is_asleep(), !wakes);
        }
    }
}
