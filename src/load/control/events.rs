//! What happened: at stations and cars, at meters and the grid.

use super::super::ledger::{KeptWish, Millis, Seen, Trust};
use super::super::rows::Leaf;
use super::super::site::Measures;
use super::car::{Car, Phases};
use super::meters::Reading;
use super::{AT_THE_DOOR, Controller, Event, Finding};

impl Controller {
    /// Takes what happened.
    pub fn handle(&mut self, event: &Event, now: Millis) {
        match event {
            Event::Online { station } => self.online(*station, true),
            Event::Offline { station } => self.online(*station, false),
            Event::Booted { station } => {
                if let Some(state) = self.stations.get_mut(*station) {
                    state.unprepared = true;
                    state.prepared_at = None;
                    state.most_due = true;
                    state.most_refused = false;
                    for leaf in state.leaves.clone() {
                        if let Some(leaf) = self.leaves.get_mut(leaf) {
                            leaf.composite_due = leaf.car.is_some();
                        }
                    }
                }
            }
            Event::Authorized { leaf } => {
                if let Some(state) = self.leaves.get_mut(*leaf) {
                    state.expected = Some(now.saturating_add(AT_THE_DOOR));
                }
            }
            Event::Began { leaf, transaction, at } => self.began(*leaf, *transaction, *at),
            Event::Ended { leaf, transaction } => self.ended(*leaf, *transaction, now),
            Event::Suspended { leaf, by_car } => {
                if let Some(car) = self.car_mut(*leaf) {
                    car.suspended = *by_car;
                }
            }
            Event::Metered { leaf, amps, kwh, taken } => {
                let first = kwh.and_then(|kwh| self.car_mut(*leaf)?.registers(kwh));
                if let Some(first) = first {
                    self.wish_counts_from(*leaf, first);
                }
                self.metered(*leaf, *amps, *taken, now);
            }
            Event::SiteMeter { meter, amps, taken } => self.site_meter(*meter, *amps, *taken, now),
            Event::GridHeartbeat => {
                if let Some(grid) = &mut self.grid {
                    grid.heartbeat(now);
                }
            }
            Event::GridLimit(limit) => {
                if let Some(grid) = &mut self.grid {
                    grid.set(*limit, now);
                }
            }
            Event::Wish { leaf, wish } => {
                if let Some(car) = self.car_mut(*leaf) {
                    car.wishes(*wish);
                    if let Some(entry) = self.ledger.entry_mut(*leaf) {
                        entry.wish = Some(KeptWish { wish: *wish, from: None });
                    }
                    self.ahead.remake();
                }
            }
            Event::Outlook(outlook) => {
                self.outlook = outlook.clone();
                self.outlook_ended.clear();
                self.ahead.remake();
                self.leaves
                    .iter_mut()
                    .filter_map(|leaf| leaf.car.as_mut())
                    .for_each(|car| car.hurries = false);
            }
            Event::Clock { station, said } => self.clock(*station, *said, now),
            Event::Answered { seq, outcome } => self.answered(*seq, *outcome, now),
            Event::Composite { leaf, limit, asked } => self.composite(*leaf, *limit, *asked, now),
            Event::Forgive { station } => self.forgive(*station),
        }
    }

    fn online(&mut self, station: usize, online: bool) {
        let Some(state) = self.stations.get_mut(station) else { return };
        state.online = online;
        for leaf in state.leaves.clone() {
            // Whether it is connected is not durable, so this is no change of the page.
            let changed = self.ledger.entry(leaf).is_some_and(|entry| entry.online != online);
            if changed {
                self.ledger.set_online(leaf, online);
            }
            if let Some(leaf) = self.leaves.get_mut(leaf) {
                leaf.granted_at = None;
            }
        }
    }

    fn began(&mut self, leaf: Leaf, transaction: i32, at: Millis) {
        let Some(entry) = self.ledger.entry_mut(leaf) else { return };
        let again = entry.transaction == Some(transaction);
        entry.begin(transaction);
        entry.expected = false;
        let nameplate = entry.nameplate;
        let kept = entry.wish;
        if let Some(state) = self.leaves.get_mut(leaf) {
            state.expected = None;
            if !again || state.car.is_none() {
                state.car = Some(Car::new(at, nameplate).with(kept));
                state.wants_since = None;
                state.granted_at = None;
            }
        }
    }

    fn ended(&mut self, leaf: Leaf, transaction: i32, now: Millis) {
        let Some(entry) = self.ledger.entry_mut(leaf) else { return };
        if entry.transaction != Some(transaction) {
            return;
        }
        entry.end();
        if let Some(state) = self.leaves.get_mut(leaf) {
            if let Some(car) = state.car.take() {
                self.ahead.left(car.began, now);
            }
            state.target = 0;
            state.wants_since = None;
        }
    }

    fn metered(&mut self, leaf: Leaf, amps: [Option<f64>; 3], taken: Millis, now: Millis) {
        let station = self.station_of(leaf);
        let name = self.name_of(station);
        let seen_kw = self.kw_of(leaf, amps);
        // Nonsense proves nothing, and must not look like a car that draws nothing.
        let given: Vec<f64> = amps.iter().copied().flatten().collect();
        if given.is_empty() || given.iter().any(|amps| !amps.is_finite() || *amps > 10_000.0) {
            return;
        }
        let most = given.iter().map(|amps| amps.abs()).fold(0.0, f64::max);
        let most = super::super::round::whole((most * 10.0).round());
        let taken = taken.min(now);
        let Some(entry) = self.ledger.entry_mut(leaf) else { return };
        let allowed = entry.allowed(taken);
        let nameplate = entry.nameplate;
        let overdrawn = entry.overdrawn;
        let seen = entry.measured(most, taken);
        let overdraws = entry.overdrawn > overdrawn;
        let all = match amps {
            [Some(l1), Some(l2), Some(l3)] => Some([l1.abs(), l2.abs(), l3.abs()]),
            _ => None,
        };
        let known = entry.phases;
        if let Some(car) = self.leaves.get_mut(leaf).and_then(|state| state.car.as_mut()) {
            let phases = all.map_or(Phases::Same, |all| car.metered(all, taken, known));
            car.learn_appetite(most, allowed, nameplate, taken);
            car.best_kw = car.best_kw.max(seen_kw);
            if let (Some(entry), phases) = (self.ledger.entry_mut(leaf), phases) {
                match phases {
                    Phases::Same => {}
                    Phases::Known(phases) => entry.phases = Some(phases),
                    Phases::Wrong => entry.phases = None,
                }
            }
        }
        if overdraws {
            self.report(name.clone(), Finding::Overdraws, now);
        }
        if seen == Seen::Ignores {
            self.distrust(station, Trust::Ignores);
            self.report(name, Finding::Ignores, now);
        }
    }

    /// The energy of a wish counts from this register on.
    fn wish_counts_from(&mut self, leaf: Leaf, register: f64) {
        if self.ledger.entry(leaf).is_some_and(|entry| entry.wish.is_some())
            && let Some(kept) = self.ledger.entry_mut(leaf).and_then(|entry| entry.wish.as_mut())
        {
            kept.from = Some(register);
        }
    }

    fn forgive(&mut self, station: usize) {
        let smart = self.site.stations.get(station).is_some_and(|station| station.smart_charging);
        if !smart {
            return;
        }
        self.distrust(Some(station), Trust::Unproven);
        if let Some(state) = self.stations.get_mut(station) {
            state.unprepared = true;
            state.refusals = 0;
            for leaf in state.leaves.clone() {
                if let Some(entry) = self.ledger.entry_mut(leaf) {
                    entry.overdrawn = 0;
                    entry.strikes = 0;
                    entry.refusals = 0;
                }
            }
        }
    }

    fn site_meter(&mut self, meter: usize, amps: [f64; 3], taken: Millis, now: Millis) {
        let Some(described) = self.site.meters.get(meter) else { return };
        let (id, measures, node) = (described.id.clone(), described.measures, described.node.clone());
        let cars = match measures {
            Measures::Background => [0.0; 3],
            Measures::Total => self.drawn_below(&node, taken),
        };
        let [l1, l2, l3] = amps;
        let [c1, c2, c3] = cars;
        let Some(state) = self.meters.get_mut(meter) else { return };
        let was_good = state.is_good(now);
        let reading = state.take([l1 - c1, l2 - c2, l3 - c3], taken, now);
        match reading {
            Reading::Nonsense => self.report(id, Finding::MeterLost, now),
            Reading::Good if !was_good => self.report(id, Finding::MeterBack, now),
            Reading::Good | Reading::Old => {}
        }
    }
}
