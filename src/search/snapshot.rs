//! All places at one moment: a tree over where they are (R*-tree), and what is there beside it, so that a change of
//! state leaves the tree as it is.

use super::cluster::on_map;
use super::columns::{Brief, Columns};
use super::geo::along_curve;
use super::place::{Place, Spot};
use crate::domain::CiString;
use crate::domain::party::PartyId;
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};
use std::collections::HashMap;
use std::sync::Arc;

/// Where a place is, and which.
type Leaf = GeomWithData<[f64; 2], usize>;

/// All places at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    tree: Arc<RTree<Leaf>>,
    /// By their number in the tree and the columns.
    places: Vec<Arc<Place>>,
    columns: Arc<Columns>,
    /// Whether the next car can charge at an EVSE, by its number in the columns.
    free: Vec<bool>,
    by_seq: Arc<HashMap<i64, usize>>,
    by_id: Arc<HashMap<(PartyId, CiString), usize>>,
    /// How many places are not for everybody.
    restricted: usize,
}

impl Snapshot {
    /// A snapshot of these places.
    #[must_use]
    pub fn of(mut places: Vec<Arc<Place>>) -> Self {
        places.sort_by_key(|place| place.seq);
        places.dedup_by_key(|place| place.seq);
        // What lies together on earth lies together in memory: whoever looks at a part of the earth waits less for it.
        places.sort_by_cached_key(|place| along_curve(on_map(place.point)));
        let leaf = |(at, place): (usize, &Arc<Place>)| Leaf::new(place.point.coordinates(), at);
        let tree = RTree::bulk_load(places.iter().enumerate().map(leaf).collect());
        let by_seq = places.iter().enumerate().map(|(at, place)| (place.seq, at)).collect();
        let key = |place: &Place| (place.party.clone(), place.id.clone());
        let by_id = places.iter().enumerate().map(|(at, place)| (key(place), at)).collect();
        let restricted = places.iter().filter(|place| place.only_for.is_some()).count();
        let free = places.iter().flat_map(|place| &place.spots).map(Spot::is_free).collect();
        Self {
            tree: Arc::new(tree),
            columns: Arc::new(Columns::of(&places)),
            free,
            places,
            by_seq: Arc::new(by_seq),
            by_id: Arc::new(by_id),
            restricted,
        }
    }

    /// The same with places as they are now, by their `seq`; nothing for one that is not to be shown any more.
    #[must_use]
    pub fn with(&self, changed: HashMap<i64, Option<Arc<Place>>>) -> Self {
        let mut next = self.clone();
        if changed.iter().all(|(seq, now)| next.put(*seq, now.as_ref())) {
            return next;
        }
        let untouched = self.places.iter().filter(|place| !changed.contains_key(&place.seq)).cloned();
        let mut places: Vec<Arc<Place>> = untouched.collect();
        places.extend(changed.into_values().flatten());
        Self::of(places)
    }

    /// Puts a place where it was, if nothing of it changed that the tree or the columns know; whether that could be.
    fn put(&mut self, seq: i64, now: Option<&Arc<Place>>) -> bool {
        let (at, now) = match (self.by_seq.get(&seq), now) {
            (Some(at), Some(now)) => (*at, now),
            (None, None) => return true,
            _ => return false,
        };
        let Some(slot) = self.places.get_mut(at) else { return false };
        if slot.id != now.id || !self.columns.still_say(at, now) {
            return false;
        }
        let spots = self.columns.place(at).map(Brief::spots).unwrap_or_default();
        for (free, spot) in self.free.get_mut(spots).into_iter().flatten().zip(&now.spots) {
            *free = spot.is_free();
        }
        *slot = Arc::clone(now);
        true
    }

    /// How many places there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether some places are not for everybody.
    #[must_use]
    pub fn has_restricted(&self) -> bool {
        self.restricted > 0
    }

    /// All places, in no order that matters.
    #[must_use]
    pub fn places(&self) -> &[Arc<Place>] {
        &self.places
    }

    /// The place with that `seq`.
    #[must_use]
    pub fn get(&self, seq: i64) -> Option<&Arc<Place>> {
        self.places.get(*self.by_seq.get(&seq)?)
    }

    /// The place of that owner and id.
    #[must_use]
    pub fn named(&self, party: &PartyId, id: &CiString) -> Option<&Arc<Place>> {
        self.places.get(*self.by_id.get(&(party.clone(), id.clone()))?)
    }

    /// The place of a number.
    pub(super) fn place(&self, at: usize) -> Option<&Arc<Place>> {
        self.places.get(at)
    }

    /// What searches ask of the places.
    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Whether the next car can charge at an EVSE, by its number in the columns.
    pub(super) fn is_free(&self, spot: usize) -> bool {
        self.free.get(spot).copied().unwrap_or(false)
    }

    /// The places in a box that crosses nothing, and their numbers.
    pub(super) fn within(&self, part: AABB<[f64; 2]>) -> impl Iterator<Item = (usize, &Brief)> {
        let found = self.tree.locate_in_envelope(part);
        found.filter_map(|leaf| self.columns.place(leaf.data).map(|brief| (leaf.data, brief)))
    }
}
