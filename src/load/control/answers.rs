//! What became of orders: taken, refused or lost, and what a station says that its limit is.

use super::super::ledger::{Millis, Outcome, Tenths, Trust, tolerance};
use super::super::rows::Leaf;
use super::{Ask, Controller, Finding};

impl Controller {
    pub(super) fn answered(&mut self, seq: u64, outcome: Outcome, now: Millis) {
        // An answer that comes after its order was given up still says what is in force.
        let Some(order) = self.waiting.get(&seq).cloned() else { return };
        if outcome != Outcome::Lost {
            self.waiting.remove(&seq);
        }
        match order.ask {
            Ask::StationMost { limit } => self.most_answered(order.station, limit, outcome),
            Ask::Default { leaf, .. } => {
                if let Some(entry) = self.ledger.entry_mut(leaf) {
                    entry.default_answered(seq, outcome);
                }
                if outcome == Outcome::Accepted
                    && let Some(state) = self.stations.get_mut(order.station)
                {
                    state.refusals = 0;
                }
                self.refused(leaf, outcome, true, now);
            }
            Ask::Grant { leaf, .. } => {
                let before = self.ledger.entry(leaf).map_or(0, |entry| entry.acknowledged);
                if let Some(entry) = self.ledger.entry_mut(leaf) {
                    entry.answered(seq, outcome, now);
                }
                let unproven = self.ledger.entry(leaf).is_some_and(|entry| entry.trust == Trust::Unproven);
                if let Some(state) = self.leaves.get_mut(leaf) {
                    state.composite_due |= outcome == Outcome::Accepted && unproven && seq > before;
                }
                self.refused(leaf, outcome, false, now);
            }
            Ask::Composite { .. } | Ask::Meter { .. } => {}
        }
    }

    fn most_answered(&mut self, station: usize, limit: Tenths, outcome: Outcome) {
        let Some(state) = self.stations.get_mut(station) else { return };
        match outcome {
            Outcome::Accepted => {
                state.most_due = false;
                for leaf in state.leaves.clone() {
                    if let Some(entry) = self.ledger.entry_mut(leaf) {
                        entry.most = Some(limit);
                    }
                }
            }
            // It only guards against a fuse that is smaller than the station thinks: a station that refuses it is not
            // asked again before it boots.
            Outcome::Rejected | Outcome::Unable => state.most_refused = true,
            Outcome::Lost | Outcome::Unsent => {}
        }
    }

    /// What follows from a refusal. A station that does not even know what is asked takes no profiles.
    fn refused(&mut self, leaf: Leaf, outcome: Outcome, default: bool, now: Millis) {
        let station = self.station_of(leaf);
        let name = self.name_of(station);
        let times = match (outcome, default) {
            (Outcome::Unable, _) => u8::MAX,
            (Outcome::Rejected, false) => self.ledger.entry(leaf).map_or(0, |entry| entry.refusals),
            (Outcome::Rejected, true) => {
                let state = station.and_then(|station| self.stations.get_mut(station));
                state.map_or(0, |state| {
                    state.refusals = state.refusals.saturating_add(1);
                    state.refusals
                })
            }
            (Outcome::Accepted | Outcome::Lost | Outcome::Unsent, _) => return,
        };
        if times == u8::MAX || (default && times >= 3) {
            self.distrust(station, Trust::Unable);
            self.report(name, Finding::Unable, now);
        } else if times >= 3 {
            self.report(name, Finding::Refuses, now);
        }
    }

    pub(super) fn composite(&mut self, leaf: Leaf, limit: Option<Tenths>, asked: Millis, now: Millis) {
        let station = self.station_of(leaf);
        let name = self.name_of(station);
        let Some(entry) = self.ledger.entry(leaf) else { return };
        if entry.is_uncertain() || entry.transaction.is_none() {
            return;
        }
        let allowed = entry.allowed(asked);
        let says = limit.unwrap_or(Tenths::MAX);
        if says > allowed.saturating_add(tolerance(allowed)) && allowed < entry.nameplate {
            self.distrust(station, Trust::Ignores);
            self.report(name, Finding::Contradicts, now);
        }
    }
}
