//! Everything about a place, as a driver sees it.

use super::view::best;
use crate::domain::Timestamp;
use crate::domain::location::{
    Connector, EnergyMix, Evse, EvseStatus, ExceptionalPeriod, Hours, Image, Location, RegularHours,
};
use crate::domain::partner::{InterfaceRole, ModuleId, Partner, PartnerStatus};
use crate::domain::tariff::Tariff;
use crate::driver::prices::Shelf;
use crate::pricing::describe::{Description, Language, Line, describe};
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

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LocationView {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Unique within the CPO.
    #[schema(example = "LOC1")]
    id: String,
    /// `true` where our own stations stand, `false` at a partner's.
    own: bool,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Street and number.
    address: String,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    /// Town.
    city: String,
    /// ISO 3166-1 alpha-3.
    #[schema(example = "DEU")]
    country: String,
    /// Decimal degrees.
    #[schema(example = "48.897")]
    latitude: String,
    /// Decimal degrees.
    #[schema(example = "9.191")]
    longitude: String,
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

/// When a place is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoursView {
    /// Whether it is open now.
    open_now: bool,
    /// When it opens or closes next, if it does within a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_change: Option<Timestamp>,
    /// Always open, but for the exceptions.
    always: bool,
    /// By weekday, local times.
    regular: Vec<RegularView>,
    /// Open all the same.
    openings: Vec<SpanView>,
    /// Closed all the same.
    closings: Vec<SpanView>,
}

/// Opening hours of a weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegularView {
    /// Monday is 1, Sunday 7.
    weekday: u8,
    /// `HH:MM`.
    #[schema(example = "08:00")]
    from: String,
    /// `HH:MM`.
    #[schema(example = "20:00")]
    to: String,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpanView {
    /// From.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// To.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
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

/// A tariff in words and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TariffView {
    /// Unique within the CPO.
    id: String,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// What a driver pays, in one sentence.
    #[schema(example = "You pay EUR 0.46 per kWh.")]
    summary: String,
    /// Every price in its order: per kWh, per minute, per session, other.
    lines: Vec<TariffLineView>,
}

/// One price, or one thing to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TariffLineView {
    /// `per_kwh`, `per_minute`, `per_session` or `other`.
    part: &'static str,
    /// The whole line in words.
    text: String,
    /// Per kWh, per hour or once, before VAT, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    net: Option<String>,
    /// The same after VAT, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    gross: Option<String>,
    /// VAT in percent, where there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "decimal")]
    vat: Option<String>,
}

impl TariffView {
    /// Of a tariff.
    #[must_use]
    pub fn of(tariff: &Tariff, language: Language) -> Self {
        let Description { language: _, currency, summary, lines } = describe(tariff, language);
        let line = |line: Line| TariffLineView {
            part: line.part.as_str(),
            text: line.text,
            net: line.net,
            gross: line.gross,
            vat: line.vat,
        };
        Self { id: text(tariff.id.clone()), currency, summary, lines: lines.into_iter().map(line).collect() }
    }
}

impl HoursView {
    fn of(hours: Hours, zone: Tz, now: Timestamp) -> Self {
        let (open_now, next_change) = (hours.is_open(now, zone), hours.next_change(now, zone));
        let Hours { twentyfourseven, regular_hours, exceptional_openings, exceptional_closings, extra: _ } =
            hours;
        let regular = |RegularHours { weekday, period_begin, period_end, extra: _ }| RegularView {
            weekday,
            from: period_begin,
            to: period_end,
        };
        let span = |ExceptionalPeriod { period_begin, period_end, extra: _ }| SpanView {
            from: period_begin,
            to: period_end,
        };
        Self {
            open_now,
            next_change,
            always: twentyfourseven,
            regular: regular_hours.into_iter().flatten().map(regular).collect(),
            openings: exceptional_openings.into_iter().flatten().map(span).collect(),
            closings: exceptional_closings.into_iter().flatten().map(span).collect(),
        }
    }
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
