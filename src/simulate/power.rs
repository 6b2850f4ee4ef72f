//! What flows: the limits in force at each connector, how the station shares its own among them, and the energy
//! that the cars take in between, to the moment at which each limit changes.

use super::actor::Actor;
use super::car::LEAST_DECIAMPERES;
use super::connector::Connector;
use super::misbehaviour::ProfileManners;
use super::smart::{Charge, InForce, Level, Wish, share, sooner};
use crate::domain::Timestamp;
use std::collections::HashMap;

/// The charge of a connector as profiles see it.
pub(super) fn charge_of(connector: &Connector, ids: &HashMap<u64, i64>) -> Option<Charge> {
    connector.transaction.as_ref().map(|transaction| Charge {
        local: transaction.local,
        id: ids.get(&transaction.local).copied(),
        began: transaction.began,
    })
}

impl Actor {
    /// When a limit may change, or a car follows one that has.
    pub(super) fn next_change(&self) -> Option<Timestamp> {
        self.connectors
            .iter()
            .filter_map(|connector| connector.follow_at)
            .fold(self.limits_until, |at, follows| sooner(at, Some(follows)))
    }

    /// Lets time pass up to now: energy is counted under the limits of each moment.
    pub(super) fn advance(&mut self, now: Timestamp) {
        loop {
            let due = self.next_change().filter(|at| *at <= now);
            let at = due.unwrap_or(now);
            let mut full = false;
            for connector in &mut self.connectors {
                full |= connector.count_to(at);
                connector.follow(at);
            }
            if due.is_some() || full {
                self.allocate(at);
            }
            if due.is_none() {
                return;
            }
        }
    }

    /// Decides what each connector offers from now on. Time must have passed up to now.
    pub(super) fn allocate(&mut self, at: Timestamp) {
        let obeys = self.config.misbehaviour.profiles != ProfileManners::Ignores;
        let mut until = None;
        let mut station = None;
        let mut own = Vec::with_capacity(self.connectors.len());
        for connector in &mut self.connectors {
            let charge = charge_of(connector, &self.transaction_ids);
            let limits = self.profiles.in_force(connector.number, charge.as_ref(), at);
            connector.limits = limits;
            until = sooner(until, limits.until);
            let limits = if obeys { limits } else { InForce::default() };
            station = limits.station;
            let lowest = limits.lowest().map_or(connector.rating(), |lowest| lowest.and(connector.rating()));
            own.push(lowest);
        }
        self.limits_until = until.filter(|until| *until > at);
        // Who came first goes on first.
        let mut users: Vec<(usize, u64)> = self.connectors.iter().enumerate().filter_map(wants).collect();
        users.sort_unstable_by_key(|(_, local)| *local);
        let wishes: Vec<Wish> = users.iter().filter_map(|(index, _)| self.wish(*index, &own)).collect();
        let shares = share(station.map(|station: Level| station.each), &wishes);
        for ((index, _), each) in users.iter().zip(&shares) {
            if let Some(own) = own.get_mut(*index) {
                own.each = *each;
            }
        }
        // Where all together have a limit, nobody takes more before the others take less.
        let lowered = |(connector, own): (&Connector, &Level)| {
            connector.transaction.is_some() && connector.felt().each > own.each
        };
        let waits = station.is_some() && self.connectors.iter().zip(&own).any(lowered);
        for (connector, own) in self.connectors.iter_mut().zip(&own) {
            let level = if waits && own.each > connector.offer.each {
                Level { each: connector.offer.each, ..*own }
            } else {
                *own
            };
            connector.put_offer(level, at);
        }
        for number in 1..=self.config.connectors.max(1) {
            self.update_status(number);
        }
        self.changed = true;
    }

    fn wish(&self, index: usize, own: &[Level]) -> Option<Wish> {
        let (connector, own) = (self.connectors.get(index)?, own.get(index)?);
        let least =
            if connector.curve.is_dc() { 1 } else { Level::of_deciamperes(LEAST_DECIAMPERES, 3).each };
        let used = own.phases.min(connector.rating().phases);
        let phases = self.config.rotation.to_grid([used > 0, used > 1, used > 2]);
        Some(Wish { most: own.each, least, phases })
    }
}

/// A connector that could use what there is, and the number of its charge.
fn wants((index, connector): (usize, &Connector)) -> Option<(usize, u64)> {
    let transaction = connector.transaction.as_ref()?;
    connector.car.as_ref().is_some_and(|car| !car.is_full()).then_some((index, transaction.local))
}
