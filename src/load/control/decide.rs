//! One tick: what the rows may carry, who gets how much of it, and what has to be sent for it.

use super::super::ledger::{Book, Held, Millis, Tenths, Trust};
use super::super::rows::{Leaf, Phases, Quantity};
use super::super::solver::{Demand, Problem, Shares, solve};
use super::car::Car;
use super::{Ask, Controller, Finding, LeafState, Order, Why, tenths};

/// How long after a limit was lowered the station is asked for meter values, and how often.
const ASK_METER: Millis = 8_000;

/// Hours over which a car's must-run current is reckoned: it has to be made up for within one lease.
const FLOOR_HOURS: f64 = 0.25;

/// How old a car's own reading may be to be taken off a meter that sees everything.
const FRESH: Millis = 90_000;

impl Controller {
    /// Decides. The orders that come first only lower what flows and are to be sent first; what
    /// [`Controller::take_changed`] gives has to be durable before an order is sent that `raises`.
    pub fn tick(&mut self, now: Millis) -> Vec<Order> {
        self.watch_feeds(now);
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
        let exposure = super::super::ledger::Exposure { base: more, granted: 0, phases: None };
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
                state.why = Why::Shared(grant.reason);
                if state.target == 0
                    && let Some(car) = state.car.as_mut()
                {
                    car.waits_since = car.waits_since.or(Some(now));
                }
            }
        }
    }

    /// Whether a connector's limit has to fall now: because a row is over its cap, because somebody waits for what
    /// it has too much, or because it is worth a write.
    fn is_due_lower(&self, leaf: Leaf, over: &[bool], starving: bool, now: Millis) -> bool {
        let (Some(entry), Some(state)) = (self.ledger.entry(leaf), self.leaves.get(leaf)) else {
            return false;
        };
        let Some(told) = entry.told(now).filter(|told| state.target < *told) else { return false };
        if !entry.online || !is_bound(entry.trust) {
            return false;
        }
        // A refused or lost decrease is tried again, but not at every tick.
        let waits = entry.is_uncertain() || entry.refusals > 0;
        let sent = entry.held.last().is_some_and(|held| held.limit <= state.target);
        if waits && sent && !self.is_due(state, now) {
            return false;
        }
        let pressed = || self.rows.parts(leaf).any(|(row, _)| over.get(row).copied().unwrap_or(true));
        let worth = told.saturating_sub(state.target) >= self.settings.dead_band;
        state.target == 0 || worth || starving || pressed()
    }

    fn lower(&mut self, leaf: Leaf, book: &mut Book, caps: &[f64], now: Millis, orders: &mut Vec<Order>) {
        let target = self.leaves.get(leaf).map_or(0, |state| state.target);
        if let Err(no_room) = self.grant(leaf, target, book, caps, now, orders) {
            self.explain(leaf, Why::WaitsForRoom(no_room));
        }
    }

    /// Sends a higher limit, a first one, or the same one again, where one is due and there is room.
    fn raise(&mut self, leaf: Leaf, book: &mut Book, caps: &[f64], now: Millis, orders: &mut Vec<Order>) {
        let (Some(entry), Some(state)) = (self.ledger.entry(leaf), self.leaves.get(leaf)) else { return };
        let told = entry.told(now);
        let current = told.unwrap_or_else(|| entry.fallback());
        let target = state.target;
        let settings = self.settings;
        let uncertain = entry.is_uncertain();
        if (uncertain || entry.refusals > 0) && !self.is_due(state, now) {
            return;
        }
        let ends = entry.held.last().is_some_and(|held| {
            held.until != Millis::MAX && now >= held.until.saturating_sub(settings.renew)
        });
        let rested = state
            .car
            .as_ref()
            .and_then(|car| car.raised_at)
            .is_none_or(|raised| now >= raised.saturating_add(settings.wear));
        let wants = target > current
            && (target.saturating_sub(current) >= settings.dead_band || current == 0 || ends);
        if wants && !rested && !ends && told.is_some() {
            let until = state.car.as_ref().and_then(|car| car.raised_at).unwrap_or(now) + settings.wear;
            self.explain(leaf, Why::Rests { until });
            return;
        }
        if wants && (rested || told.is_none()) {
            let least = self.least(leaf).max(current.saturating_add(1));
            let waited = state.wants_since.map_or(0, |since| now.saturating_sub(since));
            match self.grant(leaf, target, book, caps, now, orders) {
                Ok(()) => {
                    self.wants(leaf, None);
                    return;
                }
                Err(no_room) => {
                    let since = self.leaves.get(leaf).and_then(|state| state.wants_since).unwrap_or(now);
                    self.wants(leaf, Some(since));
                    if waited >= settings.patience {
                        // Half of it is better than none.
                        let between = [target.saturating_add(least) / 2, least];
                        for limit in between.into_iter().filter(|limit| *limit < target && *limit > current) {
                            if self.grant(leaf, limit, book, caps, now, orders).is_ok() {
                                return;
                            }
                        }
                    }
                    self.explain(leaf, Why::WaitsForRoom(no_room));
                }
            }
        } else if !wants {
            self.wants(leaf, None);
        }
        // A first word to a car that is to have less than it takes by itself, the end of a lease, or an order of
        // which nobody knows.
        let limit = target.min(current);
        if (told.is_none() && limit < current || ends || uncertain)
            && let Err(no_room) = self.grant(leaf, limit, book, caps, now, orders)
        {
            self.explain(leaf, Why::WaitsForRoom(no_room));
        }
    }

    fn least(&self, leaf: Leaf) -> Tenths {
        self.rows.outlets.get(leaf).map_or(0, |outlet| tenths(outlet.min))
    }

    fn wants(&mut self, leaf: Leaf, since: Option<Millis>) {
        if let Some(state) = self.leaves.get_mut(leaf) {
            state.wants_since = since;
        }
    }

    fn explain(&mut self, leaf: Leaf, why: Why) {
        if let Some(state) = self.leaves.get_mut(leaf) {
            state.why = why;
        }
    }

    /// Whether an order may be tried again.
    fn is_due(&self, state: &LeafState, now: Millis) -> bool {
        state.granted_at.is_none_or(|at| now >= at.saturating_add(self.settings.retry))
    }

    /// Writes a grant into the ledger, if it has room, and makes the order.
    fn grant(
        &mut self,
        leaf: Leaf,
        limit: Tenths,
        book: &mut Book,
        caps: &[f64],
        now: Millis,
        orders: &mut Vec<Order>,
    ) -> Result<(), super::super::ledger::NoRoom> {
        let fallback = self.rows.outlets.get(leaf).map_or(0, |outlet| tenths(outlet.fallback));
        let Some(transaction) = self.ledger.entry(leaf).and_then(|entry| entry.transaction) else {
            return Ok(());
        };
        let least = self.least(leaf);
        let before =
            self.ledger.entry(leaf).map_or(0, |entry| entry.told(now).unwrap_or_else(|| entry.fallback()));
        let then = fallback.min(limit);
        // A grant that gives no more than what follows it needs no end, and no renewal.
        let until = if limit > then { now.saturating_add(self.settings.lease) } else { Millis::MAX };
        let seq = self.ledger.next_seq();
        let held = Held { seq, transaction, limit, until, then };
        self.ledger.grant(book, &self.rows, caps, leaf, held, now)?;
        if let Some(entry) = self.ledger.entry_mut(leaf) {
            entry.count_write(now);
        }
        let station = self.station_of(leaf).unwrap_or_default();
        let ask = Ask::Grant { leaf, transaction, limit, until, then };
        let order = Order { seq, station, ask, raises: limit > before };
        self.waiting.insert(seq, order.clone());
        orders.push(order);
        if let Some(state) = self.leaves.get_mut(leaf) {
            state.granted_at = Some(now);
            if let Some(car) = state.car.as_mut() {
                car.limited(before, limit, least, now);
            }
        }
        Ok(())
    }

    /// Sends a station its standing profiles, when it has just come or booted.
    fn prepare(&mut self, station: usize, now: Millis, orders: &mut Vec<Order>) {
        let (Some(state), Some(described)) = (self.stations.get(station), self.site.stations.get(station))
        else {
            return;
        };
        let due = state.prepared_at.is_none_or(|at| now >= at.saturating_add(self.settings.retry));
        if !state.online || !due {
            return;
        }
        let leaves = state.leaves.clone();
        let fresh = state.unprepared;
        let mut asks = Vec::new();
        let mut bound = false;
        for leaf in leaves {
            let (Some(entry), Some(outlet)) = (self.ledger.entry(leaf), self.rows.outlets.get(leaf)) else {
                continue;
            };
            bound |= entry.trust != Trust::Unable;
            let limit = tenths(outlet.fallback);
            let differs = entry.default != Some(limit) || !entry.default_sent.is_empty();
            if entry.trust != Trust::Unable && (fresh || differs) {
                asks.push(Ask::Default { leaf, limit });
            }
        }
        if bound && !state.most_accepted {
            let sum: f64 = described.connectors.iter().map(|connector| connector.amps).sum();
            asks.push(Ask::StationMost { limit: tenths(described.amps.unwrap_or(sum)) });
        }
        if asks.is_empty() {
            return;
        }
        if let Some(state) = self.stations.get_mut(station) {
            state.unprepared = false;
            state.prepared_at = Some(now);
        }
        for ask in asks {
            let seq = self.ledger.next_seq();
            let mut raises = false;
            if let Ask::Default { leaf, limit } = &ask
                && let Some(entry) = self.ledger.entry_mut(*leaf)
            {
                raises = entry.default.is_some_and(|known| *limit > known);
                entry.default_on_its_way(seq, *limit);
                entry.count_write(now);
            }
            let order = Order { seq, station, ask, raises };
            self.waiting.insert(seq, order.clone());
            orders.push(order);
        }
    }

    /// Asks what would confirm that a car follows its limit.
    fn ask_questions(&mut self, leaf: Leaf, now: Millis, orders: &mut Vec<Order>) {
        let station = self.station_of(leaf).unwrap_or_default();
        let (Some(entry), Some(state)) = (self.ledger.entry(leaf), self.leaves.get(leaf)) else { return };
        if !entry.online || state.car.is_none() {
            return;
        }
        let settles = entry.settling.is_some_and(|settling| now >= settling.since.saturating_add(ASK_METER));
        let probing = entry.trust == Trust::Unproven && entry.acknowledged > 0;
        let asked = state.metered_asked.is_some_and(|at| now < at.saturating_add(2 * ASK_METER));
        let composite = state.composite_due && !entry.is_uncertain() && !entry.held.is_empty();
        let mut asks = Vec::new();
        if (settles || probing) && !asked {
            asks.push(Ask::Meter { leaf });
        }
        if composite {
            asks.push(Ask::Composite { leaf });
        }
        if let Some(state) = self.leaves.get_mut(leaf) {
            if (settles || probing) && !asked {
                state.metered_asked = Some(now);
            }
            state.composite_due &= !composite;
        }
        for ask in asks {
            let order = Order { seq: self.ledger.next_seq(), station, ask, raises: false };
            orders.push(order);
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

fn is_bound(trust: Trust) -> bool {
    matches!(trust, Trust::Proven | Trust::Unproven)
}

fn amps(tenths: Tenths) -> f64 {
    f64::from(tenths) / 10.0
}

pub(super) fn seconds(millis: Millis) -> f64 {
    super::super::round::float(millis) / 1_000.0
}
