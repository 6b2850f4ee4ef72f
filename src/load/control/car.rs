//! What is known of the car at a connector: on which phases it charges, how much it takes, since when.

use super::super::ledger::{KeptWish, Millis, REACTION, Tenths, Wish};

/// Below this a phase counts as not used, amperes.
const SILENT: f64 = 0.5;

/// From this on a phase counts as used, amperes: a car charges with 6 A at least, and some meters are coarse.
const USED: f64 = 2.0;

/// How far above what it takes a car is offered current, so that it can take more.
const HEADROOM: Tenths = 20;

/// For how long a limit must have stood before what a car leaves of it counts as not wanted.
const PATIENCE: Millis = 45_000;

/// A car.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Car {
    /// When its transaction began.
    pub(super) began: Millis,
    /// Since when it charges without a break; none while it does not.
    pub(super) on_since: Option<Millis>,
    /// Since when it waits for current; none while it has some.
    pub(super) waits_since: Option<Millis>,
    /// When its limit was raised last.
    pub(super) raised_at: Option<Millis>,
    /// Since when its present limit holds.
    pub(super) limit_since: Millis,
    /// The most that it seems to want.
    pub(super) appetite: Tenths,
    /// What its meter saw last, amperes by phase, and when.
    pub(super) metered: Option<([f64; 3], Millis)>,
    /// Whether it pauses by itself.
    pub(super) suspended: bool,
    /// What was wished for it.
    pub(super) wish: Wish,
    /// What its meter has counted since its wish, kWh.
    pub(super) got_kwh: f64,
    /// The register that this counts from: the first that was seen after the wish.
    register: Option<f64>,
    /// The most power that its meter has shown, kW; 0 until it was seen to charge.
    pub(super) best_kw: f64,
    /// Whether it has no time left to wait for a price.
    pub(super) hurries: bool,
    /// Readings in a row that agree on the phases it uses.
    agreed: u8,
    /// Which those are.
    seems: [bool; 3],
}

/// What a reading says of the phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phases {
    /// Nothing new.
    Same,
    /// The car uses these.
    Known([bool; 3]),
    /// It uses one that it seemed not to use.
    Wrong,
}

impl Car {
    /// A car whose transaction has just begun, at a connector that can give that much.
    #[must_use]
    pub(super) fn new(began: Millis, nameplate: Tenths) -> Self {
        Self {
            began,
            on_since: None,
            waits_since: Some(began),
            raised_at: None,
            limit_since: began,
            appetite: nameplate,
            metered: None,
            suspended: false,
            wish: Wish::default(),
            got_kwh: 0.0,
            register: None,
            best_kw: 0.0,
            hurries: false,
            agreed: 0,
            seems: [false; 3],
        }
    }

    /// With the wish that was kept for it over a restart.
    #[must_use]
    pub(super) fn with(mut self, kept: Option<KeptWish>) -> Self {
        if let Some(KeptWish { wish, from }) = kept {
            self.wish = wish;
            self.register = from;
        }
        self
    }

    /// Something is wished for it; the energy of the wish counts from now on.
    pub(super) fn wishes(&mut self, wish: Wish) {
        self.wish = wish;
        self.got_kwh = 0.0;
        self.register = None;
        self.hurries = false;
    }

    /// Its meter's register, kWh; the one that is counted from now on, where it is the first. One that goes back, or is
    /// no number, changes nothing.
    pub(super) fn registers(&mut self, kwh: f64) -> Option<f64> {
        if !kwh.is_finite() {
            return None;
        }
        let first = self.register.is_none().then_some(kwh);
        self.got_kwh = self.got_kwh.max(kwh - *self.register.get_or_insert(kwh));
        first
    }

    /// Its limit changed.
    pub(super) fn limited(&mut self, before: Tenths, limit: Tenths, least: Tenths, now: Millis) {
        if limit > before {
            self.raised_at = Some(now);
        }
        if limit != before {
            self.limit_since = now;
        }
        if limit >= least && limit > 0 {
            self.on_since = self.on_since.or(Some(now));
            self.waits_since = None;
        } else {
            self.on_since = None;
            self.waits_since = self.waits_since.or(Some(now));
        }
    }

    /// Takes a reading of its meter; what it says of the phases. `known` is what was thought of them.
    pub(super) fn metered(&mut self, amps: [f64; 3], taken: Millis, known: Option<[bool; 3]>) -> Phases {
        if self.metered.is_some_and(|(_, last)| taken <= last) {
            return Phases::Same;
        }
        self.metered = Some((amps, taken));
        let used = amps.map(|amps| amps >= USED);
        let clear = amps.iter().all(|amps| *amps >= USED || *amps <= SILENT);
        if let Some(known) = known {
            let wrong = amps.iter().zip(known).any(|(amps, known)| !known && *amps > SILENT);
            if wrong {
                self.agreed = 0;
                return Phases::Wrong;
            }
            return Phases::Same;
        }
        if !clear || used == [false; 3] {
            return Phases::Same;
        }
        self.agreed = if used == self.seems { self.agreed.saturating_add(1) } else { 1 };
        self.seems = used;
        // Once is not enough: phases come one after the other when a contactor closes.
        if self.agreed >= 2 && used != [true; 3] { Phases::Known(used) } else { Phases::Same }
    }

    /// Learns from a reading how much the car wants. `limit` is what it may take.
    pub(super) fn learn_appetite(&mut self, amps: Tenths, limit: Tenths, nameplate: Tenths, taken: Millis) {
        if limit == 0 || taken < self.limit_since.saturating_add(PATIENCE.max(REACTION)) {
            return;
        }
        if amps.saturating_add(HEADROOM) < limit {
            self.appetite = amps.saturating_add(HEADROOM);
        } else if amps.saturating_add(HEADROOM / 2) >= self.appetite {
            // It takes all that it was thought to want: perhaps it wants more.
            self.appetite = self.appetite.saturating_add(4 * HEADROOM).min(nameplate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_known_after_two_readings_that_agree() {
        let mut car = Car::new(0, 320);
        assert_eq!(car.metered([6.0, 0.1, 0.0], 10, None), Phases::Same);
        assert_eq!(car.metered([6.0, 0.1, 0.0], 10, None), Phases::Same, "the same reading twice");
        assert_eq!(car.metered([6.1, 0.0, 0.0], 20, None), Phases::Known([true, false, false]));
        assert_eq!(car.metered([6.1, 3.0, 0.0], 30, Some([true, false, false])), Phases::Wrong);
    }

    #[test]
    fn a_reading_that_is_not_clear_or_shows_nothing_says_nothing() {
        let mut car = Car::new(0, 320);
        for (at, amps) in [(1, [1.0, 0.0, 0.0]), (2, [1.0, 0.0, 0.0]), (3, [0.0; 3]), (4, [0.0; 3])] {
            assert_eq!(car.metered(amps, at, None), Phases::Same);
        }
        assert_eq!(car.metered([6.0; 3], 5, None), Phases::Same);
        assert_eq!(car.metered([6.0; 3], 6, None), Phases::Same, "three phases are the worst case anyway");
    }

    #[test]
    fn what_a_car_leaves_for_long_is_not_wanted_and_what_it_takes_whole_is_not_enough() {
        let mut car = Car::new(0, 320);
        car.limited(0, 320, 60, 0);
        car.learn_appetite(160, 320, 320, 10_000);
        assert_eq!(car.appetite, 320, "it may still be ramping up");
        car.learn_appetite(160, 320, 320, 60_000);
        assert_eq!(car.appetite, 180);
        car.limited(320, 180, 60, 60_000);
        car.learn_appetite(175, 180, 320, 120_000);
        assert_eq!(car.appetite, 260);
    }

    #[test]
    fn a_pause_starts_the_wait_and_a_grant_ends_it() {
        let mut car = Car::new(0, 320);
        assert_eq!((car.on_since, car.waits_since), (None, Some(0)));
        car.limited(0, 60, 60, 1_000);
        assert_eq!((car.on_since, car.waits_since), (Some(1_000), None));
        car.limited(60, 0, 60, 5_000);
        assert_eq!((car.on_since, car.waits_since), (None, Some(5_000)));
    }
}
