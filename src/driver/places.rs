//! Keeps the index of places ([`crate::search`]) as the database has them: which locations and tariffs changed, and
//! what a kWh costs everybody at each connector now.
//!
//! What changed is read off the times of change beside the documents: those of the last seconds each time, and all of
//! them every few seconds, which also finds what is new or gone, and what is dated back. What a partner tells this node
//! is named besides, whatever its time says.

use crate::db::{DbConn, DbResult, assignments, goods, locations, tariffs};
use crate::domain::assignment::{Buyers, ConnectorRef};
use crate::domain::location::{Connector, Evse, Location};
use crate::domain::party::PartyId;
use crate::domain::tariff::{Tariff, TariffType};
use crate::domain::{CiString, Timestamp};
use crate::pricing::choice::{Goods, Offer, choose};
use crate::pricing::describe::{EnergyPrice, energy_price};
use crate::search::{Place, Snapshot};
use chrono::TimeDelta;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Documents that are read with one query.
const AT_ONCE: usize = 500;
/// How far back of the last look changes are looked for: what was stamped before may have been committed after.
const OVERLAP: TimeDelta = TimeDelta::seconds(10);

/// By what an object of a CPO is found, folded.
type Key = (PartyId, String);

/// What has to be looked at.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Everything.
    pub whole: bool,
    /// Locations that were told, whatever their time of change.
    pub locations: HashSet<(PartyId, CiString)>,
    /// Tariffs that were told, or are gone.
    pub tariffs: HashSet<(PartyId, CiString)>,
}

/// A tariff with what a kWh costs by it.
#[derive(Debug)]
struct Offered {
    tariff: Tariff,
    price: Option<EnergyPrice>,
}

/// What is known of the database.
#[derive(Debug, Default)]
pub struct Keeper {
    snapshot: Arc<Snapshot>,
    /// When each location was last changed, shown or not.
    locations: HashMap<i64, Timestamp>,
    tariff_marks: HashMap<i64, (Timestamp, Key)>,
    tariffs: HashMap<Key, Offered>,
    /// Parties of ours that assign tariffs.
    assigning: HashSet<PartyId>,
    /// When it last looked; never as long as it did not.
    looked: Option<Timestamp>,
    /// How long it took to see the times of change of everything.
    scan: Duration,
}

impl Keeper {
    /// What there is to show.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    /// How long it took last to see the times of change of everything, without reading what had changed.
    #[must_use]
    pub fn scan(&self) -> Duration {
        self.scan
    }

    /// Looks for what changed, and shows it in a new snapshot; whether there is anything new.
    ///
    /// # Errors
    /// When the database fails; what was not seen then is seen next time.
    pub fn look(&mut self, conn: &mut DbConn, look: &Look, now: Timestamp) -> DbResult<bool> {
        let before = self.looked;
        let whole = look.whole || before.is_none();
        let since = before.filter(|_| !whole).map(|at| at.min(now).minus(OVERLAP));
        let mut repriced = self.look_at_tariffs(conn, look, since)?;
        repriced.extend(self.turned(before, now));
        if whole {
            self.assigning = assignments::all(conn)?.into_iter().map(|one| one.party).collect();
        }
        let begun = Instant::now();
        let (marks, mut seqs) = self.look_at_locations(conn, look, since)?;
        if whole {
            self.scan = begun.elapsed();
        }
        for place in self.snapshot.places() {
            if repriced.iter().any(|(party, id)| *party == place.party && place.names(id)) {
                seqs.insert(place.seq);
            }
        }
        let changed = self.read_places(conn, &seqs, now)?;
        // Only now, so that a failure loses nothing.
        self.locations = marks;
        self.looked = Some(now);
        if changed.is_empty() {
            return Ok(false);
        }
        self.snapshot = Arc::new(self.snapshot.with(changed));
        Ok(true)
    }

    /// Takes up the tariffs that changed; which they are.
    fn look_at_tariffs(
        &mut self,
        conn: &mut DbConn,
        look: &Look,
        since: Option<Timestamp>,
    ) -> DbResult<HashSet<Key>> {
        let marks = tariffs::marks(conn, since)?;
        let mut changed = HashSet::new();
        if since.is_none() {
            let there: HashSet<i64> = marks.iter().map(|(seq, _)| *seq).collect();
            let gone: Vec<i64> =
                self.tariff_marks.keys().copied().filter(|seq| !there.contains(seq)).collect();
            for (_, key) in gone.into_iter().filter_map(|seq| self.tariff_marks.remove(&seq)) {
                self.tariffs.remove(&key);
                changed.insert(key);
            }
        }
        let is_new =
            |(seq, at): &(i64, Timestamp)| self.tariff_marks.get(seq).is_none_or(|(known, _)| known != at);
        let seqs: Vec<i64> = marks.into_iter().filter(is_new).map(|(seq, _)| seq).collect();
        for part in seqs.chunks(AT_ONCE) {
            for (seq, tariff) in tariffs::by_seqs(conn, part)? {
                let key = (tariff.party.clone(), tariff.id.key());
                self.tariff_marks.insert(seq, (tariff.last_updated, key.clone()));
                changed.insert(self.offer(tariff));
            }
        }
        for (party, id) in &look.tariffs {
            let key = (party.clone(), id.key());
            match tariffs::find(conn, party, id)? {
                Some(tariff) => drop(self.offer(tariff)),
                None => drop(self.tariffs.remove(&key)),
            }
            changed.insert(key);
        }
        Ok(changed)
    }

    fn offer(&mut self, tariff: Tariff) -> Key {
        let key = (tariff.party.clone(), tariff.id.key());
        self.tariffs.insert(key.clone(), Offered { price: energy_price(&tariff), tariff });
        key
    }

    /// The tariffs whose time began or ended since the last look.
    fn turned(&self, before: Option<Timestamp>, now: Timestamp) -> Vec<Key> {
        let Some(before) = before else { return Vec::new() };
        let turned = |offered: &Offered| {
            let edges = [offered.tariff.start_date_time, offered.tariff.end_date_time];
            edges.into_iter().flatten().any(|edge| before < edge && edge <= now)
        };
        self.tariffs.iter().filter(|(_, offered)| turned(offered)).map(|(key, _)| key.clone()).collect()
    }

    /// When each location was last changed, and which have to be read again.
    fn look_at_locations(
        &self,
        conn: &mut DbConn,
        look: &Look,
        since: Option<Timestamp>,
    ) -> DbResult<(HashMap<i64, Timestamp>, HashSet<i64>)> {
        let marks = locations::marks(conn, since)?;
        let mut changed: HashSet<i64> = HashSet::new();
        for (seq, at) in &marks {
            if self.locations.get(seq) != Some(at) {
                changed.insert(*seq);
            }
        }
        let known = if since.is_none() {
            let now: HashMap<i64, Timestamp> = marks.into_iter().collect();
            changed.extend(self.locations.keys().filter(|seq| !now.contains_key(seq)));
            now
        } else {
            let mut known = self.locations.clone();
            known.extend(marks);
            known
        };
        for (party, id) in &look.locations {
            changed.extend(locations::seq_of(conn, party, id)?);
        }
        Ok((known, changed))
    }

    /// The places with these `seq`s as they are now; nothing for those that are gone or not to be shown.
    fn read_places(
        &self,
        conn: &mut DbConn,
        seqs: &HashSet<i64>,
        now: Timestamp,
    ) -> DbResult<HashMap<i64, Option<Arc<Place>>>> {
        let mut places: HashMap<i64, Option<Arc<Place>>> = seqs.iter().map(|seq| (*seq, None)).collect();
        let seqs: Vec<i64> = seqs.iter().copied().collect();
        for part in seqs.chunks(AT_ONCE) {
            for (seq, partner_id, location) in locations::by_seqs(conn, part)? {
                let goods = if partner_id.is_none() && self.assigning.contains(&location.party) {
                    Some(goods::at(conn, &location)?)
                } else {
                    None
                };
                let price = |evse: &Evse, connector: &Connector| match &goods {
                    Some(goods) => price_of_goods(goods, &location, evse, connector, now),
                    None => self.price_of_named(&location.party, connector, now),
                };
                places.insert(seq, Place::of(seq, &location, partner_id, price).map(Arc::new));
            }
        }
        // Those that were not shown and are not shown now are no news.
        places.retain(|seq, place| place.is_some() || self.snapshot.get(*seq).is_some());
        Ok(places)
    }

    /// What a kWh costs at a connector by the tariffs that it names.
    fn price_of_named(&self, party: &PartyId, connector: &Connector, now: Timestamp) -> Option<EnergyPrice> {
        let named = |(index, id): (usize, &CiString)| {
            let offered = self.tariffs.get(&(party.clone(), id.key()))?;
            Some(Offer::named(index, &offered.tariff))
        };
        let offers: Vec<Offer<'_>> =
            connector.tariff_ids.iter().flatten().enumerate().filter_map(named).collect();
        let chosen = choose(&offers, &TariffType::Regular, now)?;
        self.tariffs.get(&(party.clone(), chosen.tariff.id.key()))?.price.clone()
    }
}

/// What a kWh costs everybody at a connector of ours, with what is assigned there.
fn price_of_goods(
    goods: &Goods,
    location: &Location,
    evse: &Evse,
    connector: &Connector,
    now: Timestamp,
) -> Option<EnergyPrice> {
    let place = ConnectorRef {
        location_id: location.id.clone(),
        evse_uid: evse.uid.clone(),
        connector_id: connector.id.clone(),
    };
    let offers =
        goods.at(&place, connector, |assigned| matches!(assigned.assignment.buyers, Buyers::Everybody));
    choose(&offers, &TariffType::Regular, now).and_then(|offer| energy_price(offer.tariff))
}
