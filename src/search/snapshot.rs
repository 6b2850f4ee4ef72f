//! All places at one moment: a tree over where they are (R*-tree), and what is there beside it, so that a change of
//! state leaves the tree as it is.

use super::place::Place;
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
    /// By their number in the tree, in the order of creation.
    places: Vec<Arc<Place>>,
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
        let leaf = |(at, place): (usize, &Arc<Place>)| Leaf::new(place.point.coordinates(), at);
        let tree = RTree::bulk_load(places.iter().enumerate().map(leaf).collect());
        let by_seq = places.iter().enumerate().map(|(at, place)| (place.seq, at)).collect();
        let key = |place: &Place| (place.party.clone(), place.id.clone());
        let by_id = places.iter().enumerate().map(|(at, place)| (key(place), at)).collect();
        let restricted = places.iter().filter(|place| place.only_for.is_some()).count();
        Self { tree: Arc::new(tree), places, by_seq: Arc::new(by_seq), by_id: Arc::new(by_id), restricted }
    }

    /// The same with places as they are now, by their `seq`; nothing for one that is not to be shown any more.
    #[must_use]
    pub fn with(&self, changed: HashMap<i64, Option<Arc<Place>>>) -> Self {
        let stays = |(seq, now): (&i64, &Option<Arc<Place>>)| match (self.get(*seq), now) {
            (Some(before), Some(now)) => {
                before.point == now.point && before.party == now.party && before.id == now.id
            }
            (None, None) => true,
            _ => false,
        };
        if changed.iter().all(stays) {
            let mut next = self.clone();
            for (seq, now) in changed {
                if let Some(now) = now
                    && let Some(slot) = self.by_seq.get(&seq).and_then(|at| next.places.get_mut(*at))
                {
                    *slot = now;
                }
            }
            next.restricted = next.places.iter().filter(|place| place.only_for.is_some()).count();
            return next;
        }
        let untouched = self.places.iter().filter(|place| !changed.contains_key(&place.seq)).cloned();
        let mut places: Vec<Arc<Place>> = untouched.collect();
        places.extend(changed.into_values().flatten());
        Self::of(places)
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

    /// All places, in the order of creation.
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

    /// The places in a box that crosses nothing.
    pub(super) fn within(&self, part: AABB<[f64; 2]>) -> impl Iterator<Item = &Arc<Place>> {
        self.tree.locate_in_envelope(part).filter_map(|leaf| self.places.get(leaf.data))
    }
}
