//! News of a site: what happened at its stations, meters and grid, and what is expected there.

use super::super::desk::Desk;
use super::super::feed::{Known, Notice, answer};
use super::super::record;
use super::{ADMISSION, Following, Runner, Waiting};
use crate::domain::Timestamp;
use crate::domain::station::{ConnectorStatus, MeterSample, StationId};
use crate::load::control::{Event, GridLimit};
use crate::load::ledger::Outcome;
use crate::load::outlook::SiteOutlook;
use crate::load::rows::Leaf;

impl Runner {
    /// Takes what happened at one of its stations.
    pub(in crate::energy) fn at_station(&mut self, station: &StationId, notice: Notice) {
        let Some(place) = self.stations.get(station).copied() else { return };
        match notice {
            Notice::Online(_) => self.handle(&Event::Online { station: place }),
            Notice::Offline(_) => {
                self.handle(&Event::Offline { station: place });
                let unsent = self.desks.get_mut(place).map(Desk::clear).unwrap_or_default();
                self.answer_all(unsent, Outcome::Unsent);
            }
            Notice::Booted(_) => self.handle(&Event::Booted { station: place }),
            Notice::Began { connector, transaction, at, .. } => {
                self.handle(&Event::Clock { station: place, said: at.millis() });
                if let Some(leaf) = self.leaf(station, connector) {
                    self.handle(&Event::Began { leaf, transaction, at: at.millis() });
                }
            }
            Notice::Ended { transaction, .. } => {
                for leaf in self.leaves(station, None) {
                    self.handle(&Event::Ended { leaf, transaction });
                    self.registers.remove(&leaf);
                }
            }
            Notice::Status { connector, status, at, .. } => {
                if let Some(at) = at {
                    self.handle(&Event::Clock { station: place, said: at.millis() });
                }
                if let Some(leaf) = self.leaf(station, connector) {
                    // The car has left; that its charge ended may be told later.
                    let goes_on = self.controller.ledger().entry(leaf).and_then(|entry| entry.transaction);
                    if let Some(transaction) = goes_on.filter(|_| status == ConnectorStatus::Available) {
                        self.handle(&Event::Ended { leaf, transaction });
                    }
                    let by_car = status == ConnectorStatus::SuspendedEv;
                    self.handle(&Event::Suspended { leaf, by_car });
                }
            }
            Notice::Metered { connector, samples, .. } => {
                if let Some(said) = samples.iter().map(|sample| sample.at.millis()).max() {
                    self.handle(&Event::Clock { station: place, said });
                }
                if let Some(leaf) = self.leaf(station, connector) {
                    for sample in &samples {
                        self.metered(leaf, sample);
                    }
                }
            }
            Notice::Admit { connector, reply, .. } => {
                let leaves = self.leaves(station, connector);
                for leaf in &leaves {
                    self.handle(&Event::Authorized { leaf: *leaf });
                }
                let until = self.now().millis().saturating_add(ADMISSION);
                self.waiting.push(Waiting { leaves, until, reply });
            }
            Notice::Wish { connector, wish, reply, .. } => {
                let leaf = self.leaf(station, connector);
                let car =
                    leaf.and_then(|leaf| self.controller.ledger().entry(leaf)).map(|entry| entry.transaction);
                match (leaf, car) {
                    (Some(leaf), Some(Some(_))) => {
                        self.handle(&Event::Wish { leaf, wish });
                        // It is in the ledger's page, and answered when that is durable.
                        self.replies.push(reply);
                    }
                    (Some(_), _) => answer(reply, Known::NoCar),
                    (None, _) => answer(reply, Known::No),
                }
            }
            Notice::Forgive { reply, .. } => {
                self.handle(&Event::Forgive { station: place });
                answer(reply, Known::Yes);
            }
            _ => {}
        }
    }

    /// What a sample says of the current: as it is, or by the power, or by the energy since the sample before.
    fn metered(&mut self, leaf: Leaf, sample: &MeterSample) {
        let Some(outlet) = self.controller.rows().outlets.get(leaf) else { return };
        let read = record::Read::new(sample, outlet, self.registers.get(&leaf).copied());
        if let Some(register) = read.register {
            self.registers.insert(leaf, (register, sample.at));
        }
        let event = Event::Metered { leaf, amps: read.amps, kwh: read.register, taken: read.taken.millis() };
        self.handle(&event);
    }

    pub(in crate::energy) fn site_meter(&mut self, meter: &str, amps: [f64; 3], at: Timestamp) -> Known {
        let place = self.controller.site().meters.iter().position(|known| known.id == meter);
        let Some(meter) = place else { return Known::NoPart };
        self.handle(&Event::SiteMeter { meter, amps, taken: at.millis() });
        Known::Yes
    }

    pub(in crate::energy) fn heartbeat(&mut self) -> Known {
        if self.controller.site().grid_control.is_none() {
            return Known::NoPart;
        }
        self.handle(&Event::GridHeartbeat);
        Known::Yes
    }

    pub(in crate::energy) fn limit(&mut self, limit: GridLimit) -> Known {
        if self.controller.site().grid_control.is_none() {
            return Known::NoPart;
        }
        self.handle(&Event::GridLimit(limit));
        let now = self.now();
        self.following = limit.watts.map(|watts| Following { since: now, watts });
        record::limit(&self.records, &self.id, limit, now);
        Known::Yes
    }

    /// Follows what is expected from now on.
    pub(in crate::energy) fn outlook(&mut self, revision: i64, outlook: Option<SiteOutlook>) {
        self.outlook_revision = Some(revision);
        self.handle(&Event::Outlook(outlook.unwrap_or_default()));
        // Who looks from outside sees at once what is followed.
        self.view_at = 0;
    }
}
