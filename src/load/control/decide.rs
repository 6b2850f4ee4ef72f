//! One tick: what the rows may carry, and who gets how much of it.

use super::super::ledger::{Book, Exposure, Millis, Tenths, Trust};
use super::super::outlook::Expected;
use super::super::rows::{Leaf, Phases, Quantity};
use super::super::solver::{Demand, Problem, Reason, Shares, solve};
use super::car::Car;
use super::{Controller, Finding, Order, Report, Why, tenths};

/// Hours over which a car's must-run current is reckoned: it has to be made up for within one lease.
const FLOOR_HOURS: f64 = 0.25;

/// How old a car's own reading may be to be taken off a meter that sees everything.
const FRESH: Millis = 90_000;

impl Controller {
    /// Decides. The orders that come first only lower what flows and are to be sent first; what
    /// [`Controller::take_changed`] gives has to be durable before an order is sent that `raises`.
    pub fn tick(&mut self, now: Millis) -> Vec<Order> {
        self.watch_feeds(now);
        self.outgrow();
        let caps = self.caps(now);
        let mut book = self.ledger.book(&self.rows, now);
        let over = self.rows_over(&book, &caps);
        let (mut demands, reserved) = self.demands(now);
        self.look_ahead(&caps, &reserved, &mut demands, now);
        let shares = solve(&Problem {
            rows: &self.rows,
            caps: &caps,
            reserved: &reserved,
            demands: &demands,
            min_on_seconds: seconds(self.settings.min_on),
        });
        self.set_targets(shares, now);
        let mut orders = Vec::new();
        let wanting: Vec<Leaf> = demands.iter().map(|demand| demand.leaf).collect();
        // Also where nothing is asked for any more: what was granted is taken back.
        let starving = self.leaves.iter().any(|state| state.wants_since.is_some());
        for leaf in 0..self.leaves.len() {
            if self.is_due_lower(leaf, &over, starving, now) {
                self.lower(leaf, &mut book, &caps, now, &mut orders);
            }
        }
        self.report_over(&over, &orders, now);
        for station in 0..self.stations.len() {
            self.prepare(station, now, &mut orders);
        }
        // Who waits longest is raised first, should there not be room for all yet.
        let mut raising = wanting;
        raising.sort_by_key(|leaf| self.leaves.get(*leaf).and_then(|state| state.wants_since).unwrap_or(now));
        for leaf in raising {
            self.raise(leaf, &mut book, &caps, now, &mut orders);
        }
        for leaf in 0..self.leaves.len() {
            self.ask_questions(leaf, now, &mut orders);
        }
        orders
    }

    /// When a tick is due without news: a lease, a limit or a meter ends. None: only news changes something.
    #[must_use]
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        let leases = self.ledger.entries().iter().filter(|entry| entry.online).filter_map(|entry| {
            entry
                .held
                .last()
                .filter(|held| held.until != Millis::MAX)
                .map(|held| held.until - self.settings.renew)
        });
        let meters = self.meters.iter().filter_map(|meter| meter.lost_at(now));
        let grid = self.grid.as_ref().and_then(|grid| grid.next_change(now));
        leases.chain(meters).chain(grid).filter(|at| *at > now).min()
    }

    /// What every row may carry for charging now: its limits, less its margin and what else flows.
    #[must_use]
    pub fn caps(&self, now: Millis) -> Vec<f64> {
        let at = chrono::DateTime::from_timestamp_millis(now).unwrap_or_default();
        let mut caps = self.rows.caps_at(at);
        let meters = self.site.meters.iter().zip(&self.meters);
        let meters: Vec<[f64; 3]> =
            meters.map(|(meter, state)| state.background(now, meter.worst_amps.values())).collect();
        let background = self.rows.background(&meters);
        let grid = self.grid.as_ref().and_then(|grid| grid.watts(now));
        let root = self.site.nodes.iter().find(|node| node.parent.is_none()).map(|node| node.id.as_str());
        for ((cap, row), other) in caps.iter_mut().zip(&self.rows.rows).zip(background) {
            *cap -= row.margin + other;
            if row.name.of == Quantity::Watts && Some(&*row.name.node) == root {
                *cap = cap.min(grid.unwrap_or(f64::INFINITY));
            }
            // A number that is none must not lift a limit.
            *cap = if cap.is_nan() { 0.0 } else { cap.max(0.0) };
        }
        caps
    }

    /// What cars below a node draw by their own meters, on its phases. What is not known for sure is left out:
    /// then the meter of everything counts it as something else.
    pub(super) fn drawn_below(&self, node: &str, taken: Millis) -> [f64; 3] {
        let mut drawn = [0.0; 3];
        for (leaf, state) in self.leaves.iter().enumerate() {
            let Some((amps, at)) = state.car.as_ref().and_then(|car| car.metered) else { continue };
            if at < taken.saturating_sub(FRESH) || !self.rows.is_separable(leaf) {
                continue;
            }
            for (row, parts) in self.rows.parts(leaf) {
                let Some(row) = self.rows.rows.get(row).filter(|row| row.linear && &*row.name.node == node)
                else {
                    continue;
                };
                let flows: f64 = parts.iter().zip(amps).map(|(part, amps)| part.length() * amps).sum();
                let [l1, l2, l3] = &mut drawn;
                match row.name.of {
                    Quantity::L1 => *l1 += flows,
                    Quantity::L2 => *l2 += flows,
                    Quantity::L3 => *l3 += flows,
                    _ => {}
                }
            }
        }
        drawn
    }

    fn watch_feeds(&mut self, now: Millis) {
        let lost: Vec<String> = self
            .site
            .meters
            .iter()
            .zip(&self.meters)
            .filter(|(_, state)| !state.is_good(now))
            .map(|(meter, _)| meter.id.clone())
            .collect();
        for id in lost {
            self.report(id, Finding::MeterLost, now);
        }
        if self.grid.as_ref().is_some_and(|grid| grid.state(now) == super::GridState::Failsafe) {
            self.report(self.site.id.clone(), Finding::HeartbeatLost, now);
        }
        let ended: Vec<Expected> =
            self.outlook.told().filter(|(_, _, until)| *until <= now).map(|(of, ..)| of).collect();
        for of in ended {
            if self.outlook_ended.insert(of) {
                let report =
                    Report { at: now, about: of.to_string(), what: Finding::OutlookEnded, seconds: None };
                self.reports.push(report);
            }
        }
        for (leaf, state) in self.leaves.iter_mut().enumerate() {
            if state.expected.is_some_and(|until| now >= until) {
                state.expected = None;
                self.ledger.expect(leaf, false);
            }
        }
    }

    fn rows_over(&self, book: &Book, caps: &[f64]) -> Vec<bool> {
        let fits = |(row, cap): (usize, &f64)| book.used(&self.rows, row) <= cap + 1e-6;
        caps.iter().enumerate().map(|row| !fits(row)).collect()
    }

    /// Whether a row of a connector would be over its cap if it drew `more`.
    pub(super) fn is_over(&self, leaf: Leaf, more: Tenths, now: Millis) -> bool {
        let caps = self.caps(now);
        let mut book = self.ledger.book(&self.rows, now);
        let exposure = Exposure { base: more, granted: 0, phases: None };
        book.add(&self.rows, leaf, exposure, 1.0);
        let over = self.rows_over(&book, &caps);
        self.rows.parts(leaf).any(|(row, _)| over.get(row).copied().unwrap_or(true))
    }

    /// The connector whose driver has waited longest to be let in at a station that needs room for all that it can
    /// draw. Room is made for one at a time: for all at once there may never be enough.
    fn next_to_be_let_in(&self) -> Option<Leaf> {
        let all = self.leaves.iter().zip(self.ledger.entries()).enumerate();
        let waiting = all.filter(|(_, (_, entry))| entry.trust != Trust::Proven && !entry.expected);
        let since = waiting.filter_map(|(leaf, (state, _))| Some((state.expected?, leaf)));
        since.min().map(|(_, leaf)| leaf)
    }

    /// What the cars ask for, and what has to be kept free for whom nobody can talk to.
    fn demands(&self, now: Millis) -> (Vec<Demand>, Vec<f64>) {
        let mut demands = Vec::new();
        let mut reserved = Vec::new();
        let next = self.next_to_be_let_in();
        let connectors = self.site.stations.iter().flat_map(|station| &station.connectors);
        for ((leaf, entry), connector) in self.ledger.entries().iter().enumerate().zip(connectors) {
            let Some(state) = self.leaves.get(leaf) else { continue };
            let exposure = self.ledger.exposure(leaf, now);
            let kept = if !entry.online || entry.is_unbound() {
                exposure.most()
            } else if Some(leaf) == next {
                entry.ceiling()
            } else {
                exposure.base
            };
            reserved.push(f64::from(kept) / 10.0);
            let Some(car) = state.car.as_ref().filter(|_| entry.online && is_bound(entry.trust)) else {
                continue;
            };
            let wished = car
                .wish
                .most_amps
                .filter(|amps| amps.is_finite())
                .map_or(connector.amps, |amps| amps.max(0.0));
            let least = connector.min_amps;
            let on_probation =
                entry.trust == Trust::Unproven && now < car.began.saturating_add(self.settings.probation);
            let appetite = if car.suspended {
                least
            } else if on_probation {
                amps(self.settings.probe).max(least)
            } else {
                amps(car.appetite).max(least)
            };
            let most = connector.amps.min(wished).min(appetite);
            if most < least {
                continue;
            }
            let (floor, laxity) = self.pressure(leaf, car, entry.phases, connector.amps.min(wished), now);
            demands.push(Demand {
                leaf,
                min: least,
                max: most,
                weight: connector.weight,
                class: car.wish.class.unwrap_or(connector.class),
                phases: entry.phases,
                floor: floor.min(most),
                laxity,
                on_for: car.on_since.map(|since| seconds(now.saturating_sub(since))),
                waited: car.waits_since.map_or(0.0, |since| seconds(now.saturating_sub(since))),
            });
        }
        (demands, reserved)
    }

    /// What a car must have now to be ready in time, amperes, and how many seconds it can spare.
    fn pressure(&self, leaf: Leaf, car: &Car, phases: Phases, most: f64, now: Millis) -> (f64, Option<f64>) {
        let (Some(wanted), Some(departure)) = (car.wish.energy_kwh, car.wish.departure) else {
            return (0.0, None);
        };
        let kw_per_amp = self.watts_per_amp(leaf, phases) / 1_000.0;
        let power = most * kw_per_amp;
        let hours = seconds(departure.saturating_sub(now)) / 3_600.0;
        let left = (wanted - car.got_kwh).max(0.0);
        if power <= 0.0 || hours <= 0.0 || ![power, hours, left].iter().all(|number| number.is_finite()) {
            return (0.0, None);
        }
        let must = (left - power * (hours - FLOOR_HOURS).max(0.0)) / FLOOR_HOURS.min(hours);
        let floor = (must / kw_per_amp).clamp(0.0, most);
        (floor, Some((hours - left / power) * 3_600.0))
    }

    /// What one ampere on each phase in use means, watts.
    fn watts_per_amp(&self, leaf: Leaf, phases: Phases) -> f64 {
        let mut path = self.rows.path(leaf, phases);
        path.find(|(row, _)| self.rows.rows.get(*row).is_some_and(|row| row.name.of == Quantity::Watts))
            .map_or(0.0, |(_, part)| part.length())
    }

    /// The power that arrives at a car whose meter shows so many amperes, kW.
    pub(super) fn kw_of(&self, leaf: Leaf, amps: [Option<f64>; 3]) -> f64 {
        let watts = |row: &usize| self.rows.rows.get(*row).is_some_and(|row| row.name.of == Quantity::Watts);
        let Some((_, parts)) = self.rows.parts(leaf).find(|(row, _)| watts(row)) else { return 0.0 };
        let amps = amps.map(|amps| amps.unwrap_or(0.0).abs());
        let taken: f64 = parts.iter().zip(amps).map(|(part, amps)| part.length() * amps).sum();
        let arrives = self.rows.outlets.get(leaf).and_then(|outlet| outlet.dc_efficiency).unwrap_or(1.0);
        let kw = taken * arrives / 1_000.0;
        if kw.is_finite() { kw } else { 0.0 }
    }

    fn set_targets(&mut self, shares: Shares, now: Millis) {
        for (leaf, state) in self.leaves.iter_mut().enumerate() {
            let Some(entry) = self.ledger.entry(leaf) else { continue };
            state.target = 0;
            state.why = match (entry.trust, entry.online, &state.car) {
                (Trust::Unable, _, _) => Why::Unable,
                (Trust::Ignores, _, _) => Why::Ignores,
                (_, false, _) => Why::Offline,
                (_, true, None) => Why::NoCar,
                (_, true, Some(_)) => Why::Wish,
            };
        }
        for grant in shares.grants {
            if let Some(state) = self.leaves.get_mut(grant.leaf) {
                state.target = tenths(grant.amps);
                state.why = match (grant.reason, self.ahead.held(grant.leaf)) {
                    (Reason::OwnMaximum | Reason::BelowMinimum, Some(until)) => Why::Thrift { until },
                    (reason, _) => Why::Shared(reason),
                };
                if state.target == 0
                    && let Some(car) = state.car.as_mut()
                {
                    car.waits_since = car.waits_since.or(Some(now));
                }
            }
        }
    }

    fn report_over(&mut self, over: &[bool], orders: &[Order], now: Millis) {
        if !orders.is_empty() {
            return;
        }
        let names: Vec<String> = over
            .iter()
            .zip(&self.rows.rows)
            .filter(|(over, _)| **over)
            .map(|(_, row)| row.name.node.to_string())
            .collect();
        for name in names {
            self.report(name, Finding::Over, now);
        }
    }
}

pub(super) fn is_bound(trust: Trust) -> bool {
    matches!(trust, Trust::Proven | Trust::Unproven)
}

fn amps(tenths: Tenths) -> f64 {
    f64::from(tenths) / 10.0
}

pub(super) fn seconds(millis: Millis) -> f64 {
    super::super::round::float(millis) / 1_000.0
}
