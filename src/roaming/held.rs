//! What a delivery worker remembers between rounds: what its partner holds for certain, and which objects are to
//! be tried again later. Lost with the worker: then objects go whole, and are tried at once.

use super::link::Object;
use crate::db::changes::{Change, ObjectKey};
use crate::domain::Timestamp;
use crate::domain::partner::{ModuleId, Partner};
use std::collections::{BTreeMap, HashMap};

/// Objects of which a worker remembers what the partner holds: those that change often are few.
const REMEMBERED: usize = 2_000;

type Key = (ModuleId, String);

/// The memory of a partner's worker.
#[derive(Debug, Default)]
pub struct Memory {
    /// The state that the partner acknowledged last, with when it was last looked at.
    held: HashMap<Key, (u64, Object)>,
    /// The keys of `held` by when they were last looked at.
    by_use: BTreeMap<u64, Key>,
    /// Counts the looks.
    uses: u64,
    /// Changes that failed though the partner was there, by generation, and not before when they are tried again.
    postponed: HashMap<(ModuleId, ObjectKey), (i64, Timestamp)>,
    /// The registration that all of this is about.
    registration: Option<Timestamp>,
    /// When the objects that the partner refuses were last taken up again.
    pub(super) took_up_again: Option<Timestamp>,
}

/// By what an object is remembered: an EVSE by its location.
fn key_of(change: &Change) -> Key {
    let key = match change.module {
        ModuleId::Locations => change.key.of_whole_location(),
        _ => &change.key.0,
    };
    (change.module.clone(), key.to_ascii_lowercase())
}

impl Memory {
    /// Forgets everything if the partner is not the one it was: after another handshake, or another status.
    pub(super) fn be_about(&mut self, partner: &Partner) {
        if self.registration != Some(partner.last_updated) {
            *self = Self { registration: Some(partner.last_updated), ..Self::default() };
        }
    }

    /// What the partner holds of a change's object.
    pub(super) fn held(&mut self, change: &Change) -> Option<&Object> {
        let key = key_of(change);
        let (used, object) = self.held.get_mut(&key)?;
        self.by_use.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.by_use.insert(self.uses, key);
        Some(object)
    }

    /// The partner took this state.
    pub(super) fn keep(&mut self, change: &Change, object: Object) {
        // A CDR never changes, so it is not asked for again.
        if matches!(object, Object::Cdr(_)) {
            return;
        }
        self.forget(change);
        if self.held.len() >= REMEMBERED
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.held.remove(&oldest);
        }
        self.uses += 1;
        self.by_use.insert(self.uses, key_of(change));
        self.held.insert(key_of(change), (self.uses, object));
    }

    /// What the partner holds of it is not known any more.
    pub(super) fn forget(&mut self, change: &Change) {
        if let Some((used, _)) = self.held.remove(&key_of(change)) {
            self.by_use.remove(&used);
        }
    }

    /// Leaves a change alone until then, unless the object changes before.
    pub(super) fn postpone(&mut self, change: &Change, until: Timestamp) {
        let key = (change.module.clone(), change.key.clone());
        self.postponed.insert(key, (change.generation, until));
    }

    /// Whether a change is to be left alone.
    pub(super) fn is_postponed(&self, change: &Change) -> bool {
        let key = (change.module.clone(), change.key.clone());
        self.postponed.get(&key).is_some_and(|(generation, _)| *generation == change.generation)
    }

    /// Ends the postponements whose time has come; when the next one ends.
    pub(super) fn end_postponements(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.postponed.retain(|_, (_, until)| *until > now);
        self.postponed.values().map(|(_, until)| *until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tariff::Tariff;

    fn at(second: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-01-01T00:00:{second:02}Z")).unwrap()
    }

    fn change(id: usize) -> Change {
        Change {
            partner_id: 1,
            module: ModuleId::Tariffs,
            key: ObjectKey(format!("DE*ABC*{id}")),
            generation: 1,
            changed_at: at(0),
            attempts: 0,
            set_aside: None,
        }
    }

    fn tariff(id: usize) -> Object {
        Object::Tariff(Box::new(Tariff {
            party: "DE*ABC".parse().unwrap(),
            id: format!("{id}").into(),
            currency: "EUR".to_owned(),
            tariff_type: None,
            tariff_alt_text: None,
            tariff_alt_url: None,
            tax_included: None,
            min_price: None,
            max_price: None,
            elements: Vec::new(),
            start_date_time: None,
            end_date_time: None,
            energy_mix: None,
            last_updated: at(0),
            extra: serde_json::Map::new(),
        }))
    }

    #[test]
    fn what_was_not_looked_at_for_longest_is_forgotten_first() {
        let mut memory = Memory::default();
        for id in 0..REMEMBERED {
            memory.keep(&change(id), tariff(id));
        }
        assert!(memory.held(&change(0)).is_some());
        memory.keep(&change(REMEMBERED), tariff(REMEMBERED));
        memory.keep(&change(REMEMBERED), tariff(REMEMBERED));
        assert!(memory.held(&change(0)).is_some() && memory.held(&change(REMEMBERED)).is_some());
        assert!(memory.held(&change(1)).is_none() && memory.held(&change(2)).is_some());
        assert_eq!((memory.held.len(), memory.by_use.len()), (REMEMBERED, REMEMBERED));
        memory.forget(&change(0));
        assert!(memory.held(&change(0)).is_none());
        assert_eq!(memory.held.len(), memory.by_use.len());
    }

    #[test]
    fn an_evse_is_remembered_by_its_location() {
        let of = |key: &str| {
            let module = ModuleId::Locations;
            key_of(&Change { module, key: ObjectKey(key.to_owned()), ..change(0) }).1
        };
        assert_eq!(of("DE*ABC*Loc#e1"), "de*abc*loc");
        assert_eq!(key_of(&Change { key: ObjectKey("DE*ABC*a#b".to_owned()), ..change(0) }).1, "de*abc*a#b");
    }

    #[test]
    fn a_postponement_ends_with_time_or_with_the_next_change() {
        let mut memory = Memory::default();
        memory.postpone(&change(1), at(5));
        memory.postpone(&change(2), at(9));
        assert!(memory.is_postponed(&change(1)) && !memory.is_postponed(&change(3)));
        assert!(!memory.is_postponed(&Change { generation: 2, ..change(1) }));
        assert_eq!(memory.end_postponements(at(5)), Some(at(9)));
        assert!(!memory.is_postponed(&change(1)) && memory.is_postponed(&change(2)));
    }
}
