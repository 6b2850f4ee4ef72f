//! The price components of a tariff by what they price, in the order in which they are looked at, and which of
//! them can never apply (OCPI 2.2.1 mod_tariffs, "Tariff Object": per dimension, the first element with a
//! component of it whose restrictions match).

use super::region::Region;
use super::select::ComponentRef;
use crate::domain::tariff::{
    PriceComponent, ReservationRestriction, Tariff, TariffDimension, TariffElement, TariffRestrictions,
};

/// More components of one use than this are not compared with each other.
pub(super) const MOST_COMPARED: usize = 50;

/// What a component prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Energy,
    Time,
    Parking,
    Flat,
    /// The time of a reservation.
    ReservationTime,
    /// A reservation, once.
    ReservationFlat,
    /// The time of a reservation that expired.
    ExpiredTime,
    /// A reservation that expired, once.
    ExpiredFlat,
}

impl Use {
    pub(super) const ALL: [Self; 8] = [
        Self::Energy,
        Self::Time,
        Self::Parking,
        Self::Flat,
        Self::ReservationTime,
        Self::ReservationFlat,
        Self::ExpiredTime,
        Self::ExpiredFlat,
    ];

    /// What a component in an element prices; nothing where its dimension is not known, or is none of a
    /// reservation (mod_tariffs, "TariffRestrictions", `reservation`).
    pub(super) fn of(element: &TariffElement, dimension: &TariffDimension) -> Option<Self> {
        use ReservationRestriction::{Other, Reservation, ReservationExpires};
        let reservation = element.restrictions.as_ref().and_then(|given| given.reservation.as_ref());
        Some(match (dimension, reservation) {
            (TariffDimension::Energy, None) => Self::Energy,
            (TariffDimension::Time, None) => Self::Time,
            (TariffDimension::ParkingTime, None) => Self::Parking,
            (TariffDimension::Flat, None) => Self::Flat,
            (TariffDimension::Time, Some(Reservation)) => Self::ReservationTime,
            (TariffDimension::Flat, Some(Reservation)) => Self::ReservationFlat,
            (TariffDimension::Time, Some(ReservationExpires)) => Self::ExpiredTime,
            (TariffDimension::Flat, Some(ReservationExpires)) => Self::ExpiredFlat,
            (TariffDimension::Other(_), _)
            | (TariffDimension::Energy | TariffDimension::ParkingTime, Some(_))
            | (_, Some(Other(_))) => return None,
        })
    }

    /// Everything that could be priced.
    pub(super) fn everything(self) -> Region {
        self.narrowed(Region::of(None))
    }

    /// The part of a set that can be while this is priced.
    fn narrowed(self, region: Region) -> Region {
        if self == Self::Parking { region.while_parking() } else { region }
    }
}

/// Why a component never applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Never {
    /// Its restrictions match nowhere.
    Empty,
    /// An earlier component of the same element is of the same dimension.
    Second,
    /// This earlier component applies wherever it would.
    Behind(ComponentRef),
    /// The earlier components together apply wherever it would.
    BehindAll,
}

/// A price component with where it applies.
#[derive(Debug, Clone)]
pub(super) struct Rate<'a> {
    pub(super) at: ComponentRef,
    pub(super) component: &'a PriceComponent,
    pub(super) restrictions: Option<&'a TariffRestrictions>,
    /// Where its restrictions match, whatever stands before it.
    pub(super) region: Region,
    /// Why it never applies; nothing where it does.
    pub(super) never: Option<Never>,
}

impl Rate<'_> {
    /// Whether it may ever price anything.
    pub(super) fn applies(&self) -> bool {
        self.never.is_none()
    }

    /// Whether it costs anything.
    pub(super) fn is_paid(&self) -> bool {
        self.applies() && !self.component.price.is_zero()
    }
}

/// The components that price one thing, in the order of the elements.
pub(super) fn rates(tariff: &Tariff, of: Use) -> Vec<Rate<'_>> {
    let mut found: Vec<Rate<'_>> = Vec::new();
    for (index, element) in tariff.elements.iter().enumerate() {
        let mut first = true;
        for (component, price) in element.price_components.iter().enumerate() {
            if Use::of(element, &price.dimension) != Some(of) {
                continue;
            }
            let region = of.narrowed(Region::of(element.restrictions.as_ref()));
            let never = if first { never(&region, &found) } else { Some(Never::Second) };
            first = false;
            found.push(Rate {
                at: ComponentRef { element: index, component },
                component: price,
                restrictions: element.restrictions.as_ref(),
                region,
                never,
            });
        }
    }
    found
}

fn never(region: &Region, before: &[Rate<'_>]) -> Option<Never> {
    if region.is_empty() || region.has_no_day() {
        return Some(Never::Empty);
    }
    if before.len() >= MOST_COMPARED {
        return None;
    }
    let covers = |rate: &&Rate<'_>| region.clone().left_by([&rate.region]).is_empty();
    if let Some(rate) = before.iter().filter(|rate| rate.applies()).find(covers) {
        return Some(Never::Behind(rate.at));
    }
    let earlier = before.iter().filter(|rate| rate.applies()).map(|rate| &rate.region);
    region.clone().left_by(earlier).is_empty().then_some(Never::BehindAll)
}
