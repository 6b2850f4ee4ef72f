//! The names under which changes of objects wait for partners.

use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::domain::token::TokenKey;

/// Names an object of a module: the owner and the folded id, for tokens with their type.
///
/// Ids are any printable text, so what stands before one never holds a `*`, and what may be followed by another
/// id is escaped: `%` as `%25` and `#` as `%23` in the ids of a location and its EVSEs, which a `#` parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(pub String);

/// The id of a location or EVSE within a key.
fn escaped(id: &str) -> String {
    id.replace('%', "%25").replace('#', "%23")
}

/// What [`escaped`] made a text from. A `%` that is no escape stays: keys of earlier versions hold such.
fn unescaped(text: &str) -> String {
    text.replace("%23", "#").replace("%25", "%")
}

impl ObjectKey {
    /// A session or CDR.
    #[must_use]
    pub fn of(party: &PartyId, id: &CiString) -> Self {
        Self(format!("{}*{}*{}", party.country_code(), party.party_id(), id.key()))
    }

    /// A location.
    #[must_use]
    pub fn of_location(party: &PartyId, id: &CiString) -> Self {
        Self(format!("{}*{}*{}", party.country_code(), party.party_id(), escaped(&id.key())))
    }

    /// A tariff. Its id stands as it is written, for a partner is also told of one that is not there any more, and
    /// may not fold ids as it should.
    #[must_use]
    pub fn of_tariff(party: &PartyId, id: &CiString) -> Self {
        Self(format!("{}*{}*{}", party.country_code(), party.party_id(), id.as_str()))
    }

    /// A token.
    #[must_use]
    pub fn of_token(key: &TokenKey) -> Self {
        let (country, party) = (key.party.country_code(), key.party.party_id());
        Self(format!("{country}*{party}*{}*{}", key.token_type, key.uid.key()))
    }

    /// An EVSE of a location: a change that touches only it.
    #[must_use]
    pub fn of_evse(party: &PartyId, id: &CiString, evse: &CiString) -> Self {
        Self(format!("{}#{}", Self::of_location(party, id).0, escaped(&evse.key())))
    }

    /// Owner and rest.
    #[must_use]
    pub fn split(&self) -> Option<(PartyId, &str)> {
        let mut parts = self.0.splitn(3, '*');
        let party = PartyId::new(parts.next()?, parts.next()?).ok()?;
        Some((party, parts.next()?))
    }

    /// Owner, id and, where only that changed, the EVSE of a location.
    #[must_use]
    pub fn split_location(&self) -> Option<(PartyId, CiString, Option<CiString>)> {
        let (party, rest) = self.split()?;
        let (id, evse) = match rest.split_once('#') {
            Some((id, evse)) => (id, Some(CiString::from(unescaped(evse)))),
            None => (rest, None),
        };
        Some((party, CiString::from(unescaped(id)), evse))
    }

    /// The key of the whole location, of one of a location or its EVSE.
    #[must_use]
    pub fn of_whole_location(&self) -> &str {
        self.0.split_once('#').map_or(self.0.as_str(), |(location, _)| location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_location_gives_back_any_id() {
        let party: PartyId = "DE*ABC".parse().unwrap();
        for id in ["loc1", "a#b", "a%b", "a*b", "%23", "%2523", "#", "a#%25*#", "1.5% (net)"] {
            let id = CiString::from(id);
            let whole = ObjectKey::of_location(&party, &id);
            assert_eq!(whole.split_location(), Some((party.clone(), id.clone(), None)), "{whole:?}");
            let evse = CiString::from("#e%23");
            let part = ObjectKey::of_evse(&party, &id, &evse);
            assert_eq!(part.split_location(), Some((party.clone(), id.clone(), Some(evse))), "{part:?}");
            assert_eq!(part.of_whole_location(), whole.0);
        }
        // As they were kept before ids were escaped.
        let old = ObjectKey("DE*ABC*5%#e1".to_owned());
        assert_eq!(old.split_location(), Some((party, "5%".into(), Some("e1".into()))));
    }
}
