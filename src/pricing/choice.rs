//! Which tariff prices a charge: of all that could, the one that says most about who charges and where, among
//! those that are valid then and of a type that fits (OCPI 2.2.1 mod_tariffs, "TariffType"; mod_locations,
//! "Connector Object", `tariff_ids`). docs/tariffs.md tells the order to operators.
//!
//! - The buyer first: a group of tokens, then a partner or an eMSP, then everybody.
//! - Then the place: connector, EVSE, group, location, party. What a connector names itself (`tariff_ids` as they
//!   were imported) is for everybody, at that connector.
//! - Then the type: the one that is asked for goes before a tariff without a type, which is for every session.
//! - What is still equal: the one whose assignment began last, then the newer assignment; assignments go before
//!   what a connector names, and of that, the first.
//!
//! Where nothing of the type that is asked for is found, a regular tariff prices: to sell at the regular price is
//! a lesser mistake than to sell for nothing.

use crate::domain::assignment::{Assignment, Buyer, Buyers, ConnectorRef, Place, TokenMember};
use crate::domain::location::Connector;
use crate::domain::session::ProfileType;
use crate::domain::tariff::{Tariff, TariffType};
use crate::domain::token::TokenType;
use crate::domain::{CiString, Timestamp};
use std::collections::BTreeSet;

/// The type of tariff that a charge asks for: by its token, and by the charging preference that was given.
#[must_use]
pub fn wanted_type(token: Option<&TokenType>, profile: Option<&ProfileType>) -> TariffType {
    match (token, profile) {
        (Some(TokenType::AdHocUser), _) => TariffType::AdHocPayment,
        (_, Some(ProfileType::Cheap)) => TariffType::ProfileCheap,
        (_, Some(ProfileType::Fast)) => TariffType::ProfileFast,
        (_, Some(ProfileType::Green)) => TariffType::ProfileGreen,
        (_, Some(ProfileType::RegularProfile | ProfileType::Other(_)) | None) => TariffType::Regular,
    }
}

/// A tariff that could price a charge, and how much it says about it.
#[derive(Debug, Clone)]
pub struct Offer<'t> {
    /// The tariff.
    pub tariff: &'t Tariff,
    /// [`Buyers::rank`].
    pub buyers: u8,
    /// [`Place::rank`].
    pub place: u8,
    /// From when on it is assigned.
    pub from: Option<Timestamp>,
    /// Until when it is assigned.
    pub to: Option<Timestamp>,
    /// What decides between equals: the number of its assignment; below zero, its place in `tariff_ids`.
    pub order: i64,
}

impl<'t> Offer<'t> {
    /// Of an assignment.
    #[must_use]
    pub fn assigned(assignment: &Assignment, tariff: &'t Tariff) -> Self {
        Self {
            tariff,
            buyers: assignment.buyers.rank(),
            place: assignment.place.rank(),
            from: assignment.valid_from,
            to: assignment.valid_to,
            order: assignment.id,
        }
    }

    /// Of a connector that names the tariff, at that place of its list.
    #[must_use]
    pub fn named(index: usize, tariff: &'t Tariff) -> Self {
        let order = i64::try_from(index).unwrap_or(i64::MAX);
        let buyers = Buyers::Everybody.rank();
        Self { tariff, buyers, place: Place::CONNECTOR_RANK, from: None, to: None, order: -1 - order }
    }

    fn starts(&self) -> [Option<Timestamp>; 2] {
        [self.from, self.tariff.start_date_time]
    }

    fn ends(&self) -> [Option<Timestamp>; 2] {
        [self.to, self.tariff.end_date_time]
    }

    fn is_valid(&self, at: Timestamp) -> bool {
        self.starts().into_iter().flatten().all(|from| from <= at)
            && self.ends().into_iter().flatten().all(|to| at < to)
    }

    fn fits(&self, wanted: &TariffType) -> bool {
        self.tariff.tariff_type.as_ref().is_none_or(|own| own == wanted)
    }

    fn precedence(&self) -> (u8, u8, bool, Option<Timestamp>, i64) {
        (self.buyers, self.place, self.tariff.tariff_type.is_some(), self.from, self.order)
    }
}

/// The one that prices a charge which asks for that type and begins at that time.
#[must_use]
pub fn choose<'o, 't>(offers: &'o [Offer<'t>], wanted: &TariffType, at: Timestamp) -> Option<&'o Offer<'t>> {
    let of_type = |wanted: &TariffType| {
        let fitting = offers.iter().filter(|offer| offer.is_valid(at) && offer.fits(wanted));
        fitting.max_by_key(|offer| offer.precedence())
    };
    of_type(wanted).or_else(|| of_type(&TariffType::Regular))
}

/// Those that price some charge now or later, each once, in their order: what a connector's `tariff_ids` hold. Of
/// each type, only one can be active at the same time (OCPI 2.2.1 mod_locations, `tariff_ids`), so what another
/// one goes before at all times is not among them.
#[must_use]
pub fn listed<'t>(offers: &[Offer<'t>], now: Timestamp) -> Vec<&'t Tariff> {
    let mut types: Vec<TariffType> = TariffType::WORDS.iter().map(|word| TariffType::from(*word)).collect();
    types.extend(offers.iter().filter_map(|offer| offer.tariff.tariff_type.clone()));
    // Who wins changes only where something becomes valid or ends.
    let edges = offers.iter().flat_map(|offer| [offer.starts(), offer.ends()].concat()).flatten();
    let mut moments: BTreeSet<Timestamp> = edges.filter(|edge| *edge > now).collect();
    moments.insert(now);
    let chosen: BTreeSet<&CiString> = moments
        .iter()
        .flat_map(|at| types.iter().filter_map(|wanted| choose(offers, wanted, *at)))
        .map(|offer| &offer.tariff.id)
        .collect();
    let mut seen = BTreeSet::new();
    let in_order = offers.iter().map(|offer| offer.tariff);
    in_order.filter(|tariff| chosen.contains(&tariff.id) && seen.insert(&tariff.id)).collect()
}

/// An assignment with what it refers to.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// The assignment.
    pub assignment: Assignment,
    /// Its tariff.
    pub tariff: Tariff,
    /// The connectors of the location in question that its group of places holds.
    pub connectors: Vec<ConnectorRef>,
    /// The members of its group of tokens.
    pub tokens: Vec<TokenMember>,
}

impl Assigned {
    /// Whether a connector is among its places.
    #[must_use]
    pub fn covers(&self, connector: &ConnectorRef) -> bool {
        match &self.assignment.place {
            Place::Party => true,
            Place::Location { location_id } => *location_id == connector.location_id,
            Place::Group { .. } => self.connectors.contains(connector),
            Place::Evse { location_id, evse_uid } => {
                *location_id == connector.location_id && *evse_uid == connector.evse_uid
            }
            Place::Connector(own) => own == connector,
        }
    }

    /// Whether a driver is among its buyers; nobody knows who charges with a token that is not known.
    #[must_use]
    pub fn is_for(&self, buyer: Option<&Buyer>) -> bool {
        match (&self.assignment.buyers, buyer) {
            (Buyers::Everybody, _) => true,
            (_, None) => false,
            (Buyers::Partner { id }, Some(buyer)) => buyer.partner_id == Some(*id),
            (Buyers::Emsp { party }, Some(buyer)) => *party == buyer.emsp,
            (Buyers::TokenGroup { .. }, Some(buyer)) => self.tokens.iter().any(|member| member.holds(buyer)),
        }
    }
}

/// Everything that can price a charge at a location.
#[derive(Debug, Clone, Default)]
pub struct Goods {
    /// What connectors there name in their `tariff_ids` and is there.
    pub named: Vec<Tariff>,
    /// What is assigned there.
    pub assigned: Vec<Assigned>,
}

impl Goods {
    /// What can price a charge at a connector, for the buyers that are meant.
    pub fn at<'g>(
        &'g self,
        place: &ConnectorRef,
        connector: &Connector,
        is_meant: impl Fn(&Assigned) -> bool,
    ) -> Vec<Offer<'g>> {
        let ids = connector.tariff_ids.iter().flatten().enumerate();
        let named = ids.filter_map(|(index, id)| Some(Offer::named(index, self.tariff_named(id)?)));
        let assigned = self.assigned.iter().filter(|assigned| assigned.covers(place) && is_meant(assigned));
        let assigned = assigned.map(|assigned| Offer::assigned(&assigned.assignment, &assigned.tariff));
        named.chain(assigned).collect()
    }

    /// The tariff that a connector names, if it is there.
    #[must_use]
    pub fn tariff_named(&self, id: &CiString) -> Option<&Tariff> {
        self.named.iter().find(|tariff| tariff.id == *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Extra;

    fn at(day: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-05-{day:02}T00:00:00Z")).unwrap()
    }

    fn tariff(id: &str, tariff_type: Option<TariffType>) -> Tariff {
        Tariff {
            party: "DE*ABC".parse().unwrap(),
            id: id.into(),
            currency: "EUR".to_owned(),
            tariff_type,
            tariff_alt_text: None,
            tariff_alt_url: None,
            tax_included: None,
            min_price: None,
            max_price: None,
            elements: Vec::new(),
            start_date_time: None,
            end_date_time: None,
            energy_mix: None,
            last_updated: at(1),
            extra: Extra::new(),
        }
    }

    fn offer(tariff: &Tariff, buyers: u8, place: u8, order: i64) -> Offer<'_> {
        Offer { tariff, buyers, place, from: None, to: None, order }
    }

    fn chosen(offers: &[Offer<'_>], wanted: &TariffType, day: u32) -> Option<String> {
        choose(offers, wanted, at(day)).map(|offer| offer.tariff.id.to_string())
    }

    fn ids(tariffs: &[&Tariff]) -> Vec<String> {
        tariffs.iter().map(|tariff| tariff.id.to_string()).collect()
    }

    #[test]
    fn the_buyer_goes_before_the_place() {
        let names = ["b0p0", "b0p4", "b1p0", "b1p4", "b2p0", "b2p4"];
        let tariffs: Vec<Tariff> = names.iter().map(|name| tariff(name, None)).collect();
        let ranks = [(0, 0), (0, 4), (1, 0), (1, 4), (2, 0), (2, 4)];
        let all: Vec<Offer<'_>> = tariffs
            .iter()
            .zip(ranks)
            .map(|(tariff, (buyers, place))| offer(tariff, buyers, place, 1))
            .collect();
        // Each goes before all those before it, in whatever order they stand.
        for most in 1..=all.len() {
            let mut some = all[..most].to_vec();
            some.reverse();
            assert_eq!(chosen(&some, &TariffType::Regular, 1).unwrap(), names[most - 1]);
        }
    }

    #[test]
    fn places_and_buyers_are_ranked_as_told() {
        let connector: ConnectorRef = "L/E/1".parse().unwrap();
        let (location_id, evse_uid) = (connector.location_id.clone(), connector.evse_uid.clone());
        let places = [
            Place::Party,
            Place::Location { location_id: location_id.clone() },
            Place::Group { group: "g".into() },
            Place::Evse { location_id, evse_uid },
            Place::Connector(connector),
        ];
        assert!(places.iter().map(Place::rank).is_sorted_by(|before, after| before < after));
        let partner = Buyers::Partner { id: 1 }.rank();
        assert!(Buyers::Everybody.rank() < partner);
        assert_eq!(partner, Buyers::Emsp { party: "NL*XYZ".parse().unwrap() }.rank());
        assert!(partner < Buyers::TokenGroup { group: "g".into() }.rank());
    }

    #[test]
    fn the_type_decides_between_equals() {
        let (any, regular) = (tariff("ANY", None), tariff("REG", Some(TariffType::Regular)));
        let (ad_hoc, green) = (
            tariff("ADHOC", Some(TariffType::AdHocPayment)),
            tariff("GREEN", Some(TariffType::ProfileGreen)),
        );
        let offers =
            [offer(&any, 0, 0, 9), offer(&regular, 0, 0, 1), offer(&ad_hoc, 0, 0, 2), offer(&green, 0, 0, 3)];
        for (wanted, id) in [
            (TariffType::Regular, "REG"),
            (TariffType::AdHocPayment, "ADHOC"),
            (TariffType::ProfileGreen, "GREEN"),
            (TariffType::ProfileCheap, "ANY"),
        ] {
            assert_eq!(chosen(&offers, &wanted, 1).unwrap(), id, "{wanted}");
        }
        // A tariff for every session that says more goes before one of the type that says less.
        let offers = [offer(&any, 1, 0, 1), offer(&green, 0, 4, 2)];
        assert_eq!(chosen(&offers, &TariffType::ProfileGreen, 1).unwrap(), "ANY");
        // One of another type never prices, a regular one where there is no other.
        let offers = [offer(&green, 2, 4, 1), offer(&regular, 0, 0, 2)];
        assert_eq!(chosen(&offers, &TariffType::AdHocPayment, 1).unwrap(), "REG");
        assert_eq!(chosen(&offers[..1], &TariffType::Regular, 1), None);
    }

    #[test]
    fn tokens_and_preferences_ask_for_a_type() {
        use ProfileType::{Cheap, Fast, Green, RegularProfile};
        let card = Some(&TokenType::Rfid);
        assert_eq!(wanted_type(Some(&TokenType::AdHocUser), Some(&Green)), TariffType::AdHocPayment);
        assert_eq!(wanted_type(card, None), TariffType::Regular);
        assert_eq!(wanted_type(None, Some(&RegularProfile)), TariffType::Regular);
        let profiles = [Cheap, Fast, Green].map(|profile| wanted_type(card, Some(&profile)).to_string());
        assert_eq!(profiles, ["PROFILE_CHEAP", "PROFILE_FAST", "PROFILE_GREEN"]);
    }

    #[test]
    fn only_what_is_valid_at_the_start_prices() {
        let (base, mut next) = (tariff("BASE", None), tariff("NEXT", None));
        next.start_date_time = Some(at(10));
        next.end_date_time = Some(at(30));
        let special = Offer { from: Some(at(5)), to: Some(at(20)), ..offer(&next, 1, 4, 2) };
        let offers = [offer(&base, 0, 0, 1), special];
        for (day, id) in [(4, "BASE"), (5, "BASE"), (9, "BASE"), (10, "NEXT"), (19, "NEXT"), (20, "BASE")] {
            assert_eq!(chosen(&offers, &TariffType::Regular, day).unwrap(), id, "day {day}");
        }
        assert_eq!(chosen(&offers[1..], &TariffType::Regular, 25), None);
    }

    #[test]
    fn between_equals_the_one_that_began_last_then_the_newer() {
        let (old, new, named) = (tariff("OLD", None), tariff("NEW", None), tariff("NAMED", None));
        let began = |tariff, day, order| Offer { from: Some(at(day)), ..offer(tariff, 0, 4, order) };
        let offers = [began(&new, 10, 1), began(&old, 5, 2)];
        assert_eq!(chosen(&offers, &TariffType::Regular, 12).unwrap(), "NEW", "though assigned earlier");
        let offers = [offer(&old, 0, 4, 1), offer(&new, 0, 4, 2), Offer::named(0, &named)];
        assert_eq!(chosen(&offers, &TariffType::Regular, 1).unwrap(), "NEW");
        let offers = [Offer::named(1, &old), Offer::named(0, &named), offer(&new, 0, 3, 7)];
        assert_eq!(chosen(&offers, &TariffType::Regular, 1).unwrap(), "NAMED", "the first that is named");
    }

    #[test]
    fn a_connector_lists_what_prices_now_or_later() {
        let (base, special, green) =
            (tariff("BASE", None), tariff("SPECIAL", None), tariff("GREEN", Some(TariffType::ProfileGreen)));
        let mut gone = tariff("GONE", None);
        gone.end_date_time = Some(at(2));
        let june = Offer { from: Some(at(20)), ..offer(&special, 1, 0, 3) };
        let offers = [offer(&base, 0, 0, 1), offer(&green, 0, 0, 2), june, offer(&gone, 2, 4, 4)];
        assert_eq!(ids(&listed(&offers, at(3))), ["BASE", "GREEN", "SPECIAL"]);
        // What another one goes before at all times is not offered any more.
        assert_eq!(ids(&listed(&offers, at(20))), ["SPECIAL"]);
        let closed = Offer { from: Some(at(5)), to: Some(at(9)), ..offer(&special, 1, 0, 3) };
        let offers = [offer(&base, 0, 0, 1), closed];
        assert_eq!(ids(&listed(&offers, at(6))), ["BASE", "SPECIAL"], "the base is back after it");
        assert_eq!(ids(&listed(&offers, at(9))), ["BASE"]);
        assert!(listed(&[], at(1)).is_empty());
    }
}
