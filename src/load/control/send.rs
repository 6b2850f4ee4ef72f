//! What has to be sent so that the stations come to their targets: what falls, what stands, what rises, and questions.

use super::super::ledger::{Book, Held, Millis, NoRoom, Tenths, Trust};
use super::super::rows::Leaf;
use super::decide::is_bound;
use super::{Ask, Controller, LeafState, Order, Why, most_of, tenths};

/// How long after a limit was lowered the station is asked for meter values, and how often.
const ASK_METER: Millis = 8_000;

impl Controller {
    /// Whether a connector's limit has to fall now: because a row is over its cap, because somebody waits for what
    /// it has too much, or because it is worth a write.
    pub(super) fn is_due_lower(&self, leaf: Leaf, over: &[bool], starving: bool, now: Millis) -> bool {
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

    pub(super) fn lower(
        &mut self,
        leaf: Leaf,
        book: &mut Book,
        caps: &[f64],
        now: Millis,
        orders: &mut Vec<Order>,
    ) {
        let target = self.leaves.get(leaf).map_or(0, |state| state.target);
        if let Err(no_room) = self.grant(leaf, target, book, caps, now, orders) {
            self.explain(leaf, Why::WaitsForRoom(no_room));
        }
    }

    /// Sends a higher limit, a first one, or the same one again, where one is due and there is room.
    pub(super) fn raise(
        &mut self,
        leaf: Leaf,
        book: &mut Book,
        caps: &[f64],
        now: Millis,
        orders: &mut Vec<Order>,
    ) {
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
    ) -> Result<(), NoRoom> {
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

    /// What the site said before of a connector counts no longer when its station has accepted what it says now.
    pub(super) fn outgrow(&mut self) {
        for (state, described) in self.stations.iter().zip(&self.site.stations) {
            let most = most_of(described);
            for leaf in state.leaves.clone() {
                let Some(entry) = self.ledger.entry(leaf) else { continue };
                if entry.outgrown.is_none() || entry.most != Some(most) || state.most_due {
                    continue;
                }
                let mut entry = entry.clone();
                if entry.outgrow()
                    && let Some(known) = self.ledger.entry_mut(leaf)
                {
                    *known = entry;
                }
            }
        }
    }

    /// Sends a station its standing profiles, when it has just come or booted, or the site says something else.
    pub(super) fn prepare(&mut self, station: usize, now: Millis, orders: &mut Vec<Order>) {
        let (Some(state), Some(described)) = (self.stations.get(station), self.site.stations.get(station))
        else {
            return;
        };
        let due = state.prepared_at.is_none_or(|at| now >= at.saturating_add(self.settings.retry));
        if !state.online || !due {
            return;
        }
        let leaves = state.leaves.clone();
        let (fresh, refused) = (state.unprepared, state.most_refused);
        let most = most_of(described);
        let (mut most_due, mut most_known) = (state.most_due, None);
        let mut asks = Vec::new();
        let mut bound = false;
        for leaf in leaves {
            let (Some(entry), Some(outlet)) = (self.ledger.entry(leaf), self.rows.outlets.get(leaf)) else {
                continue;
            };
            bound |= entry.trust != Trust::Unable;
            most_due |= entry.most != Some(most);
            most_known = most_known.max(entry.most);
            let limit = tenths(outlet.fallback);
            let differs = entry.default != Some(limit) || !entry.default_sent.is_empty();
            if entry.trust != Trust::Unable && (fresh || differs) {
                asks.push(Ask::Default { leaf, limit });
            }
        }
        if bound && most_due && !refused {
            asks.push(Ask::StationMost { limit: most });
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
            let mut raises =
                matches!(ask, Ask::StationMost { limit } if most_known.is_some_and(|known| limit > known));
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
    pub(super) fn ask_questions(&mut self, leaf: Leaf, now: Millis, orders: &mut Vec<Order>) {
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
}
