//! A location as the index holds it: what lists show and filters ask, made ready once.

use super::geo::Point;
use super::opening::Opening;
use crate::domain::location::{Connector, Evse, EvseStatus, Location, PublishToken};
use crate::domain::party::PartyId;
use crate::domain::token::Token;
use crate::domain::{CiString, Timestamp};
use crate::pricing::describe::EnergyPrice;
use chrono_tz::Tz;
use rust_decimal::Decimal;

/// A location.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its place in the order of creation, by which it is known in the database.
    pub seq: i64,
    /// The CPO that owns it.
    pub party: PartyId,
    /// Unique within the CPO.
    pub id: CiString,
    /// The partner that told us of it; none where it is ours.
    pub partner_id: Option<i64>,
    /// Where.
    pub point: Point,
    /// Latitude as its owner wrote it.
    pub latitude: String,
    /// Longitude as its owner wrote it.
    pub longitude: String,
    /// Its name.
    pub name: Option<String>,
    /// Street and number.
    pub address: String,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Town.
    pub city: String,
    /// ISO 3166-1 alpha-3.
    pub country: String,
    /// Who operates it.
    pub operator: Option<String>,
    /// When it is open, if it says so.
    pub opening: Option<Opening>,
    /// Who alone may see it; nothing where everybody may.
    pub only_for: Option<Vec<PublishToken>>,
    /// Its EVSEs that are or will be there.
    pub spots: Vec<Spot>,
    /// When it was last changed, by its owner's clock.
    pub last_updated: Timestamp,
}

/// An EVSE.
#[derive(Debug, Clone)]
pub struct Spot {
    /// Unique within its CPO.
    pub uid: CiString,
    /// Its state.
    pub status: EvseStatus,
    /// What it can, in OCPI's words.
    pub capabilities: Vec<String>,
    /// Its connectors.
    pub outlets: Vec<Outlet>,
}

/// A connector.
#[derive(Debug, Clone)]
pub struct Outlet {
    /// Unique within its EVSE.
    pub id: CiString,
    /// e.g. `IEC_62196_T2`.
    pub standard: String,
    /// Watt.
    pub watts: i64,
    /// What a kWh costs everybody now, if that can be said.
    pub price: Option<EnergyPrice>,
    /// The tariffs that it names, folded.
    pub tariffs: Vec<String>,
}

impl Spot {
    /// Whether the next car can charge there.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.status == EvseStatus::Available
    }
}

/// kW, exactly.
#[must_use]
pub fn kilowatts(watts: i64) -> Decimal {
    Decimal::new(watts, 3).normalize()
}

impl Place {
    /// Makes a location ready; nothing where drivers are not to see it, nothing can be charged at it, or nobody
    /// knows where it is. `price` says what a kWh costs everybody at a connector now.
    #[must_use]
    pub fn of(
        seq: i64,
        location: &Location,
        partner_id: Option<i64>,
        mut price: impl FnMut(&Evse, &Connector) -> Option<EnergyPrice>,
    ) -> Option<Self> {
        if !location.is_for_partners() {
            return None;
        }
        let spots: Vec<Spot> = location
            .evses()
            .filter(|evse| evse.status != EvseStatus::Removed)
            .map(|evse| Spot {
                uid: evse.uid.clone(),
                status: evse.status.clone(),
                capabilities: evse.capabilities.clone().unwrap_or_default(),
                outlets: evse
                    .connectors
                    .iter()
                    .map(|connector| Outlet {
                        id: connector.id.clone(),
                        standard: connector.standard.clone(),
                        watts: connector.most_watts(),
                        price: price(evse, connector),
                        tariffs: connector.tariff_ids.iter().flatten().map(CiString::key).collect(),
                    })
                    .collect(),
            })
            .collect();
        if spots.is_empty() {
            return None;
        }
        let zone = location.time_zone.parse().unwrap_or(Tz::UTC);
        Some(Self {
            seq,
            party: location.party.clone(),
            id: location.id.clone(),
            partner_id,
            point: Point::of(&location.coordinates)?,
            latitude: location.coordinates.latitude.clone(),
            longitude: location.coordinates.longitude.clone(),
            name: location.name.clone(),
            address: location.address.clone(),
            postal_code: location.postal_code.clone(),
            city: location.city.clone(),
            country: location.country.clone(),
            operator: location.operator.as_ref().map(|operator| operator.name.clone()),
            opening: location.opening_times.clone().map(|hours| Opening::new(hours, zone)),
            only_for: if location.publish { None } else { location.publish_allowed_to.clone() },
            spots,
            last_updated: location.last_updated,
        })
    }

    /// Whether somebody with these tokens may see it (OCPI 2.2.1 mod_locations, "Location Object", `publish` and
    /// `publish_allowed_to`).
    #[must_use]
    pub fn is_for(&self, tokens: &[Token]) -> bool {
        match &self.only_for {
            None => true,
            Some(allowed) => allowed.iter().any(|one| tokens.iter().any(|token| is_meant(one, token))),
        }
    }

    /// Whether a connector of it names a tariff, by its folded id.
    #[must_use]
    pub fn names(&self, tariff: &str) -> bool {
        self.spots
            .iter()
            .flat_map(|spot| &spot.outlets)
            .any(|outlet| outlet.tariffs.iter().any(|id| id == tariff))
    }
}

/// Whether a token is one of those that are meant: all that is said of them must be so, and something must be said.
#[must_use]
pub fn is_meant(allowed: &PublishToken, token: &Token) -> bool {
    let PublishToken { uid, token_type, visual_number, issuer, group_id, extra: _ } = allowed;
    let said = uid.is_some() || visual_number.is_some() || group_id.is_some();
    said && uid.as_ref().is_none_or(|uid| *uid == token.uid)
        && token_type.as_ref().is_none_or(|kind| *kind == token.token_type)
        && visual_number.as_ref().is_none_or(|number| Some(number) == token.visual_number.as_ref())
        && issuer.as_ref().is_none_or(|issuer| *issuer == token.issuer)
        && group_id.as_ref().is_none_or(|group| Some(group) == token.group_id.as_ref())
}
