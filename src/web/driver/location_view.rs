//! Everything about a place, as a driver sees it.

use super::hours_view::HoursView;
use super::tariff_view::TariffView;
use super::view::best;
use crate::domain::Timestamp;
use crate::domain::location::{Connector, EnergyMix, Evse, EvseStatus, Image, Location};
use crate::domain::partner::{InterfaceRole, ModuleId, Partner, PartnerStatus};
use crate::driver::prices::Shelf;
use crate::pricing::describe::Language;
use crate::search::place::kilowatts;
use crate::web::api::view::text;
use chrono_tz::Tz;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// For whom a place is shown.
#[derive(Debug)]
pub struct Shown {
    /// The partner whose it is.
    pub partner: Option<Partner>,
    /// Its number; none at our own places.
    pub partner_id: Option<i64>,
    /// The language of our own texts.
    pub language: Language,
    /// The languages of texts of others, the best first.
    pub preferred: Vec<String>,
    /// When.
    pub now: Timestamp,
}

impl Shown {
    /// Whether charges can be started there from an app.
    fn can_start(&self) -> bool {
        match (&self.partner, self.partner_id) {
            (_, None) => true,
            (Some(partner), _) => {
                partner.status == PartnerStatus::Registered
                    && partner.endpoint(&ModuleId::Commands, &InterfaceRole::Receiver).is_some()
            }
            (None, Some(_)) => false,
        }
    }
}

/// Which place it is, and where: what every view of a place begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeadView {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    pub party: String,
    /// Unique within the CPO.
    #[schema(example = "LOC1")]
    pub id: String,
    /// `true` where our own stations stand, `false` at a partner's.
    pub own: bool,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Street and number.
    pub address: String,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Town.
    pub city: String,
    /// ISO 3166-1 alpha-3.
    #[schema(example = "DEU")]
    pub country: String,
    /// Decimal degrees.
    #[schema(example = "48.897")]
    pub latitude: String,
    /// Decimal degrees.
    #[schema(example = "9.191")]
    pub longitude: String,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LocationView {
    /// Which it is, and where.
    #[serde(flatten)]
    head: HeadView,
    /// IANA zone; local times are meant by it.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// Who operates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    /// How to get there.
    #[serde(skip_serializing_if = "Option::is_none")]
    directions: Option<String>,
    /// A word of OCPI's `ParkingType`.
    #[serde(skip_serializing_if = "Option::is_none")]
    parking_type: Option<String>,
    /// Words of OCPI's `Facility`.
    facilities: Vec<String>,
    /// When it is open; missing where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_times: Option<HoursView>,
    /// Whether charging goes on while it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    charging_when_closed: Option<bool>,
    /// Whether the energy is from regenerative sources alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    green_energy: Option<bool>,
    /// Pictures.
    images: Vec<ImageView>,
    /// Whether charges can be started here from an app.
    can_start: bool,
    /// Its EVSEs.
    evses: Vec<EvseView>,
    /// The tariffs by which charges of this driver are priced here now.
    tariffs: Vec<TariffView>,
    /// When it was last changed, by its owner's clock.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImageView {
    /// Where it is.
    url: String,
    /// A small one.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
    /// What it shows: a word of OCPI's `ImageCategory`.
    category: String,
}

/// An EVSE: what charges one car at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EvseView {
    /// Never changes.
    uid: String,
    /// Printed on the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "DE*ABC*E1")]
    evse_id: Option<String>,
    /// `AVAILABLE`, `CHARGING`, `OUTOFORDER`, …
    #[schema(example = "AVAILABLE")]
    status: String,
    /// Since when, or a little later: when the EVSE was last changed.
    #[schema(value_type = String, format = DateTime)]
    status_since: Timestamp,
    /// Whether it can be reserved from an app.
    reservable: bool,
    /// Words of OCPI's `Capability`.
    capabilities: Vec<String>,
    /// Words of OCPI's `ParkingRestriction`.
    parking_restrictions: Vec<String>,
    /// In a garage.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor_level: Option<String>,
    /// As painted on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_reference: Option<String>,
    /// How to get there.
    #[serde(skip_serializing_if = "Option::is_none")]
    directions: Option<String>,
    /// Its connectors.
    connectors: Vec<ConnectorView>,
}

/// A connector of an EVSE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConnectorView {
    /// Unique within its EVSE.
    id: String,
    /// e.g. `IEC_62196_T2`.
    standard: String,
    /// `SOCKET` or `CABLE`.
    format: String,
    /// e.g. `AC_3_PHASE`.
    power_type: String,
    /// kW.
    #[schema(example = "22", format = "decimal")]
    max_power_kw: String,
    /// Volt.
    max_voltage: i64,
    /// Ampere.
    max_amperage: i64,
    /// The tariff, one of those of the place. Where it is missing, charging is free at our own places, and what it
    /// costs is not known at a partner's.
    #[serde(skip_serializing_if = "Option::is_none")]
    tariff_id: Option<String>,
    /// Terms and conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms_and_conditions: Option<String>,
}

impl From<Image> for ImageView {
    fn from(image: Image) -> Self {
        let Image { url, thumbnail, category, image_type: _, width: _, height: _, extra: _ } = image;
        Self { url, thumbnail, category }
    }
}

impl LocationView {
    /// Of a location, with the tariffs that are offered there.
    #[must_use]
    pub fn of(location: Location, shelf: &Shelf, shown: &Shown) -> Self {
        let mut tariffs = BTreeMap::new();
        let evses = location.evses().filter(|evse| evse.status != EvseStatus::Removed);
        let evses = evses.map(|evse| evse_view(evse, shelf, shown, &mut tariffs)).collect();
        let zone = location.time_zone.parse().unwrap_or(Tz::UTC);
        let Location {
            party,
            id,
            publish: _,
            publish_allowed_to: _,
            name,
            address,
            city,
            postal_code,
            state: _,
            country,
            coordinates,
            related_locations: _,
            parking_type,
            evses: _,
            directions,
            operator,
            suboperator: _,
            owner: _,
            facilities,
            time_zone,
            opening_times,
            charging_when_closed,
            images,
            energy_mix,
            last_updated,
            extra: _,
        } = location;
        Self {
            head: HeadView {
                party: party.to_string(),
                id: text(id),
                own: shown.partner_id.is_none(),
                name,
                address,
                postal_code,
                city,
                country,
                latitude: coordinates.latitude,
                longitude: coordinates.longitude,
            },
            time_zone,
            operator: operator.map(|operator| operator.name),
            directions: best(directions.as_deref(), &shown.preferred),
            parking_type,
            facilities: facilities.unwrap_or_default(),
            opening_times: opening_times.map(|hours| HoursView::of(hours, zone, shown.now)),
            charging_when_closed,
            green_energy: energy_mix.map(|EnergyMix { is_green_energy, .. }| is_green_energy),
            images: images.into_iter().flatten().map(ImageView::from).collect(),
            can_start: shown.can_start(),
            evses,
            tariffs: tariffs.into_values().collect(),
            last_updated,
        }
    }
}

fn evse_view(
    evse: &Evse,
    shelf: &Shelf,
    shown: &Shown,
    tariffs: &mut BTreeMap<String, TariffView>,
) -> EvseView {
    let capabilities = evse.capabilities.clone().unwrap_or_default();
    let reservable = shown.partner_id.is_some()
        && shown.can_start()
        && capabilities.iter().any(|word| word == "RESERVABLE");
    let mut connector = |connector: &Connector| {
        let tariff = shelf.tariff(evse, connector, shown.now);
        if let Some(tariff) = tariff {
            let view = || TariffView::of(tariff, shown.language);
            tariffs.entry(tariff.id.key()).or_insert_with(view);
        }
        ConnectorView {
            id: text(connector.id.clone()),
            standard: connector.standard.clone(),
            format: connector.format.clone(),
            power_type: connector.power_type.clone(),
            max_power_kw: kilowatts(connector.most_watts()).to_string(),
            max_voltage: connector.max_voltage,
            max_amperage: connector.max_amperage,
            tariff_id: tariff.map(|tariff| text(tariff.id.clone())),
            terms_and_conditions: connector.terms_and_conditions.clone(),
        }
    };
    EvseView {
        uid: text(evse.uid.clone()),
        evse_id: evse.evse_id.clone().map(text),
        status: evse.status.to_string(),
        status_since: evse.last_updated,
        reservable,
        connectors: evse.connectors.iter().map(&mut connector).collect(),
        capabilities,
        parking_restrictions: evse.parking_restrictions.clone().unwrap_or_default(),
        floor_level: evse.floor_level.clone(),
        physical_reference: evse.physical_reference.clone(),
        directions: best(evse.directions.as_deref(), &shown.preferred),
    }
}
