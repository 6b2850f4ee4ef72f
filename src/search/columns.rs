//! What searches ask of places, close together in memory: a map of half the earth looks at a hundred thousand EVSEs, and
//! most of that time would go into waiting for memory that lies apart. Whether an EVSE is free is not among it, since
//! that changes all the time; a [`Snapshot`](super::Snapshot) keeps it beside.

use super::cluster::on_map;
use super::filter::Filter;
use super::geo::Point;
use super::opening::{Moment, Opening};
use super::place::{Outlet, Place, Spot};
use crate::domain::party::PartyId;
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::sync::Arc;

/// The number of something that many places share.
type Number = u32;

/// Numbers for what many places share.
#[derive(Debug)]
struct Numbers<T> {
    of: HashMap<T, Number>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { of: HashMap::new() }
    }
}

impl<T: Hash + Eq + Clone> Numbers<T> {
    fn add(&mut self, one: &T) -> Number {
        if let Some(number) = self.of.get(one) {
            return *number;
        }
        let number = index(self.of.len());
        self.of.insert(one.clone(), number);
        number
    }

    fn get(&self, one: &T) -> Option<Number> {
        self.of.get(one).copied()
    }
}

/// As an index of a column. There are never so many that it does not fit: each needs some bytes of memory.
fn index(length: usize) -> Number {
    Number::try_from(length).unwrap_or(Number::MAX)
}

fn place_of(number: Number) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn range(of: &Range<Number>) -> Range<usize> {
    place_of(of.start)..place_of(of.end)
}

/// A place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Brief {
    /// Where it is.
    pub(super) point: Point,
    /// Where it is on the map: from west to east and from north to south, from 0 to 1.
    pub(super) on_map: (f64, f64),
    /// Whether it is not for everybody.
    pub(super) restricted: bool,
    party: Number,
    opening: Option<Number>,
    spots: Range<Number>,
}

impl Brief {
    /// Its EVSEs.
    pub(super) fn spots(&self) -> Range<usize> {
        range(&self.spots)
    }
}

/// An EVSE.
#[derive(Debug, Clone, PartialEq)]
struct BriefSpot {
    can: Range<Number>,
    outlets: Range<Number>,
}

/// A connector.
#[derive(Debug, Clone, PartialEq)]
struct BriefOutlet {
    standard: Number,
    watts: i64,
    /// Its currency and the most that a kWh costs.
    price: Option<(Number, Decimal)>,
}

/// All places.
#[derive(Debug, Default)]
pub(super) struct Columns {
    places: Vec<Brief>,
    spots: Vec<BriefSpot>,
    outlets: Vec<BriefOutlet>,
    can: Vec<Number>,
    openings: Vec<Opening>,
    opening_numbers: Numbers<Opening>,
    parties: Numbers<PartyId>,
    words: Numbers<String>,
}

impl Columns {
    pub(super) fn of(places: &[Arc<Place>]) -> Self {
        let mut columns = Self::default();
        for place in places {
            columns.push(place);
        }
        columns
    }

    fn push(&mut self, place: &Place) {
        let first = index(self.spots.len());
        for spot in &place.spots {
            let can = index(self.can.len());
            for word in &spot.capabilities {
                let word = self.words.add(word);
                self.can.push(word);
            }
            let outlets = index(self.outlets.len());
            for outlet in &spot.outlets {
                let price = outlet.price.as_ref().map(|price| (self.words.add(&price.currency), price.most));
                let standard = self.words.add(&outlet.standard);
                self.outlets.push(BriefOutlet { standard, watts: outlet.watts, price });
            }
            self.spots.push(BriefSpot {
                can: can..index(self.can.len()),
                outlets: outlets..index(self.outlets.len()),
            });
        }
        let opening = place.opening.as_ref().map(|opening| {
            let number = self.opening_numbers.add(opening);
            if self.openings.len() == place_of(number) {
                self.openings.push(opening.clone());
            }
            number
        });
        self.places.push(Brief {
            point: place.point,
            on_map: on_map(place.point),
            restricted: place.only_for.is_some(),
            party: self.parties.add(&place.party),
            opening,
            spots: first..index(self.spots.len()),
        });
    }

    /// The place of a number.
    pub(super) fn place(&self, at: usize) -> Option<&Brief> {
        self.places.get(at)
    }

    /// Whether they say of a place what it is now.
    pub(super) fn still_say(&self, at: usize, place: &Place) -> bool {
        let Some(brief) = self.places.get(at) else { return false };
        let opening = brief.opening.and_then(|number| self.openings.get(place_of(number)));
        let spots = self.spots.get(brief.spots()).unwrap_or_default();
        brief.point == place.point
            && brief.restricted == place.only_for.is_some()
            && self.parties.get(&place.party) == Some(brief.party)
            && opening == place.opening.as_ref()
            && spots.len() == place.spots.len()
            && spots.iter().zip(&place.spots).all(|(brief, spot)| self.says(brief, spot))
    }

    fn says(&self, brief: &BriefSpot, spot: &Spot) -> bool {
        let (can, outlets) = (self.can(brief), self.outlets(brief));
        let says = |brief: &BriefOutlet, outlet: &Outlet| {
            let price = outlet.price.as_ref().map(|price| (self.words.get(&price.currency), price.most));
            self.words.get(&outlet.standard) == Some(brief.standard)
                && brief.watts == outlet.watts
                && brief.price.map(|(currency, most)| (Some(currency), most)) == price
        };
        can.len() == spot.capabilities.len()
            && can.iter().zip(&spot.capabilities).all(|(number, word)| self.words.get(word) == Some(*number))
            && outlets.len() == spot.outlets.len()
            && outlets.iter().zip(&spot.outlets).all(|(brief, outlet)| says(brief, outlet))
    }

    fn can(&self, spot: &BriefSpot) -> &[Number] {
        self.can.get(range(&spot.can)).unwrap_or_default()
    }

    fn outlets(&self, spot: &BriefSpot) -> &[BriefOutlet] {
        self.outlets.get(range(&spot.outlets)).unwrap_or_default()
    }
}

/// A filter in the numbers of some columns.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    columns: &'a Columns,
    filter: &'a Filter,
    moment: Option<Moment>,
    /// One of these CPOs, where any is asked for.
    parties: Vec<Number>,
    /// One of these plugs, where any is asked for.
    standards: Vec<Number>,
    /// All of these capabilities; nothing where no EVSE has one of them.
    capabilities: Option<Vec<Number>>,
    /// One of these capabilities, where a way to pay is asked for.
    payable: Vec<Number>,
    /// The currency, where a price is asked for and any is in that currency.
    currency: Option<Number>,
}

impl<'a> Wanted<'a> {
    pub(super) fn of(columns: &'a Columns, filter: &'a Filter) -> Self {
        let word = |word: &String| columns.words.get(word);
        let ways = filter.payments.iter().flat_map(|way| way.capabilities());
        Self {
            columns,
            filter,
            moment: filter.open_at.map(Moment::new),
            parties: filter.parties.iter().filter_map(|party| columns.parties.get(party)).collect(),
            standards: filter.standards.iter().filter_map(word).collect(),
            capabilities: filter.capabilities.iter().map(word).collect(),
            payable: ways.filter_map(|way| columns.words.get(&(*way).to_owned())).collect(),
            currency: filter.price.as_ref().and_then(|limit| columns.words.get(&limit.currency)),
        }
    }

    /// Whether a place may fit at all, whatever its EVSEs.
    pub(super) fn allows(&self, place: &Brief) -> bool {
        let party = self.filter.parties.is_empty() || self.parties.contains(&place.party);
        party && self.moment.as_ref().is_none_or(|moment| self.is_open(place, moment))
    }

    /// Places that do not say when they are open may be.
    fn is_open(&self, place: &Brief, moment: &Moment) -> bool {
        let opening = place.opening.and_then(|number| self.columns.openings.get(place_of(number)));
        opening.is_none_or(|opening| opening.is_open(moment))
    }

    /// Whether an EVSE fits.
    pub(super) fn fits(&self, spot: usize, free: bool) -> bool {
        if self.filter.free && !free {
            return false;
        }
        let asks = !self.filter.payments.is_empty() || !self.filter.capabilities.is_empty();
        if !asks && !self.asks_for_outlet() {
            return true;
        }
        let Some(spot) = self.columns.spots.get(spot) else { return false };
        let can = self.columns.can(spot);
        let has_all = self.capabilities.as_ref().is_some_and(|all| all.iter().all(|word| can.contains(word)));
        let is_payable =
            self.filter.payments.is_empty() || self.payable.iter().any(|word| can.contains(word));
        let outlets = || self.columns.outlets(spot).iter().any(|outlet| self.fits_outlet(outlet));
        has_all && is_payable && (!self.asks_for_outlet() || outlets())
    }

    fn asks_for_outlet(&self) -> bool {
        let Filter { standards, min_watts, price, .. } = self.filter;
        !standards.is_empty() || min_watts.is_some() || price.is_some()
    }

    fn fits_outlet(&self, outlet: &BriefOutlet) -> bool {
        (self.filter.standards.is_empty() || self.standards.contains(&outlet.standard))
            && self.filter.min_watts.is_none_or(|watts| outlet.watts >= watts)
            && self.filter.price.as_ref().is_none_or(|limit| {
                let fits = |(currency, most)| Some(currency) == self.currency && most <= limit.most;
                outlet.price.is_some_and(fits)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::{Payment, PriceLimit};
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::location::EvseStatus;
    use crate::pricing::describe::EnergyPrice;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use serde_json::json;

    const STANDARDS: [&str; 3] = ["IEC_62196_T2", "IEC_62196_T2_COMBO", "CHADEMO"];
    const CAN: [&str; 4] = ["RFID_READER", "REMOTE_START_STOP_CAPABLE", "PED_TERMINAL", "RESERVABLE"];
    const CURRENCIES: [&str; 2] = ["EUR", "CHF"];

    /// So many hours after the new year, a Thursday.
    fn at(hours: i64) -> Timestamp {
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap().plus(chrono::TimeDelta::hours(hours))
    }

    fn one_of<const N: usize>(words: [&'static str; N]) -> impl Strategy<Value = String> {
        prop::sample::select(words.to_vec()).prop_map(str::to_owned)
    }

    fn outlet() -> impl Strategy<Value = Outlet> {
        let price = option::of((one_of(CURRENCIES), 0..80_i64));
        (one_of(STANDARDS), 1..200_i64, price).prop_map(|(standard, kilowatts, price)| Outlet {
            id: "1".into(),
            standard,
            watts: kilowatts * 1000,
            price: price.map(|(currency, cents)| {
                let most = Decimal::new(cents, 2);
                EnergyPrice { currency, least: Decimal::ZERO, most }
            }),
            tariffs: Vec::new(),
        })
    }

    fn spot() -> impl Strategy<Value = Spot> {
        (any::<bool>(), vec(one_of(CAN), 0..3), vec(outlet(), 0..3)).prop_map(
            |(free, capabilities, outlets)| Spot {
                uid: "E".into(),
                status: if free { EvseStatus::Available } else { EvseStatus::Charging },
                capabilities,
                outlets,
            },
        )
    }

    fn place() -> impl Strategy<Value = Place> {
        let opening = option::of(0..24_u32).prop_map(|from| {
            let day = |weekday| {
                json!({"weekday": weekday, "period_begin": format!("{:02}:00", from?), "period_end": "24:00"})
                    .into()
            };
            let hours = (1..=7).map(day).collect::<Option<Vec<serde_json::Value>>>()?;
            let hours = json!({"twentyfourseven": false, "regular_hours": hours});
            Some(Opening::new(serde_json::from_value(hours).unwrap(), chrono_tz::Europe::Berlin))
        });
        (one_of(["DE*ABC", "NL*XYZ"]), opening, vec(spot(), 1..4)).prop_map(|(party, opening, spots)| Place {
            seq: 0,
            party: party.parse().unwrap(),
            id: "L".into(),
            partner_id: None,
            point: Point::new(48.0, 9.0).unwrap(),
            latitude: "48".into(),
            longitude: "9".into(),
            name: None,
            address: String::new(),
            postal_code: None,
            city: String::new(),
            country: "DEU".into(),
            operator: None,
            opening,
            only_for: None,
            spots,
            last_updated: at(0),
        })
    }

    fn filter() -> impl Strategy<Value = Filter> {
        let payment = prop::sample::select(vec![Payment::Card, Payment::App, Payment::Rfid]);
        (
            vec(one_of(["IEC_62196_T2", "CHADEMO", "UNHEARD_OF"]), 0..2),
            option::of(1..200_i64),
            any::<bool>(),
            option::of((one_of(["EUR", "CHF", "NOK"]), 0..80_i64)),
            vec(payment, 0..2),
            vec(one_of(["RFID_READER", "RESERVABLE", "UNHEARD_OF"]), 0..2),
            vec(one_of(["DE*ABC", "FR*NOT"]), 0..2),
            option::of(0..48_i64),
        )
            .prop_map(
                |(standards, kilowatts, free, price, payments, capabilities, parties, hour)| Filter {
                    standards,
                    min_watts: kilowatts.map(|kilowatts| kilowatts * 1000),
                    free,
                    price: price
                        .map(|(currency, cents)| PriceLimit { currency, most: Decimal::new(cents, 2) }),
                    payments,
                    capabilities,
                    parties: parties.iter().map(|party| party.parse().unwrap()).collect(),
                    open_at: hour.map(at),
                },
            )
    }

    /// The filter's words, asked of the place itself.
    fn fitting(filter: &Filter, place: &Place) -> Vec<bool> {
        let outlet_fits = |outlet: &Outlet| {
            (filter.standards.is_empty() || filter.standards.contains(&outlet.standard))
                && filter.min_watts.is_none_or(|watts| outlet.watts >= watts)
                && filter.price.as_ref().is_none_or(|limit| {
                    let price = outlet.price.as_ref();
                    price.is_some_and(|price| price.currency == limit.currency && price.most <= limit.most)
                })
        };
        let asks = !filter.standards.is_empty() || filter.min_watts.is_some() || filter.price.is_some();
        let open = filter
            .open_at
            .is_none_or(|at| place.opening.as_ref().is_none_or(|opening| opening.is_open(&Moment::new(at))));
        let party = filter.parties.is_empty() || filter.parties.contains(&place.party);
        let spot_fits = |spot: &Spot| {
            let can = |word: &str| spot.capabilities.iter().any(|own| own == word);
            (!filter.free || spot.is_free())
                && filter.capabilities.iter().all(|word| can(word))
                && (filter.payments.is_empty()
                    || filter.payments.iter().any(|way| way.capabilities().iter().any(|word| can(word))))
                && (!asks || spot.outlets.iter().any(outlet_fits))
        };
        place.spots.iter().map(|spot| party && open && spot_fits(spot)).collect()
    }

    proptest! {
        /// The columns answer what the places themselves would, and notice what they do not say any more.
        #[test]
        fn columns_and_places_agree(places in vec(place(), 1..6), other in place(), filter in filter()) {
            let places: Vec<Arc<Place>> = places.into_iter().map(Arc::new).collect();
            let columns = Columns::of(&places);
            let wanted = Wanted::of(&columns, &filter);
            for (at, place) in places.iter().enumerate() {
                let brief = columns.place(at).unwrap();
                let free = |spot: usize| place.spots[spot - brief.spots().start].is_free();
                let found: Vec<bool> =
                    brief.spots().map(|spot| wanted.allows(brief) && wanted.fits(spot, free(spot))).collect();
                prop_assert_eq!(found, fitting(&filter, place), "{:?} {:?}", filter, place);
                prop_assert!(columns.still_say(at, place));
                let told = |place: &Place| {
                    let outlet = |one: &Outlet| {
                        let price = one.price.clone().map(|price| (price.currency, price.most));
                        (one.standard.clone(), one.watts, price)
                    };
                    let spot = |spot: &Spot| {
                        (spot.capabilities.clone(), spot.outlets.iter().map(outlet).collect::<Vec<_>>())
                    };
                    let spots: Vec<_> = place.spots.iter().map(spot).collect();
                    (place.party.clone(), place.opening.clone(), spots)
                };
                prop_assert_eq!(columns.still_say(at, &other), told(place) == told(&other));
            }
        }
    }
}
