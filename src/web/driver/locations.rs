//! Where one can charge: in a box or around a point, and everything about one place.

use super::auth::Caller;
use super::filter::{filter_query, number, read_box, read_point, whole};
use super::location_view::{HeadView, LocationView, Shown};
use super::output::tagged;
use super::path::OfCpo;
use super::view::{language_of, languages};
use crate::app::App;
use crate::db::{DbConn, DbError, drivers, locations, partners};
use crate::domain::Timestamp;
use crate::domain::token::Token;
use crate::driver::access::Holder;
use crate::driver::prices::Shelf;
use crate::search::find::{Area, Cursor, Query};
use crate::search::place::{is_meant, kilowatts};
use crate::search::{Hit, Moment, Place, Snapshot};
use crate::web::api::input::{Parameters, Strict};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};

/// Places on a page, where nobody says how many.
const PAGE: usize = 100;
/// Most places on a page.
const LARGEST_PAGE: usize = 500;
/// Around a point, where nobody says how far, metres.
const RADIUS: f64 = 5_000.0;
/// Farthest around a point, metres.
const LARGEST_RADIUS: f64 = 1_000_000.0;

filter_query! {
    /// Where to look, and what for.
    pub struct PlaceQuery {
        /// A box: west, south, east, north in degrees. Its places come in the order in which they became known.
        #[param(example = "9.1,48.8,9.3,49.0")]
        bbox: String,
        /// In place of a box: latitude of the point around which to look. Its places come with the nearest first.
        #[param(example = "48.897")]
        latitude: String,
        /// Longitude of the point.
        #[param(example = "9.192")]
        longitude: String,
        /// How far to look around the point, metres: at most 1000000; 5000 where it is missing.
        #[param(example = "2000")]
        radius: String,
        /// How many places at most: 1 to 500; 100 where it is missing.
        #[param(example = "100")]
        limit: String,
        /// The `next` of the page before.
        after: String,
    }
}

/// A page of places.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlacesView {
    /// How many places fit in all.
    total: usize,
    /// The places.
    locations: Vec<PlaceView>,
    /// To be sent as `after` for the next page; missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A place as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlaceView {
    /// Which it is, and where.
    #[serde(flatten)]
    head: HeadView,
    /// Metres from the point around which was looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    distance_m: Option<u64>,
    /// Who operates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    /// Whether it is open now; missing where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_now: Option<bool>,
    /// How many of its EVSEs fit.
    evses: usize,
    /// How many of these are free.
    free: usize,
    /// The most that one of its connectors gives, kW.
    #[schema(example = "150", format = "decimal")]
    max_power_kw: String,
    /// Its connectors, in OCPI's words.
    standards: BTreeSet<String>,
    /// What a kWh costs everybody, from the cheapest connector and time to the dearest.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<PriceRangeView>,
    /// When it was last changed, by its owner's clock.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

/// What a kWh costs, with VAT where it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceRangeView {
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
    /// The least.
    #[schema(example = "0.39", format = "decimal")]
    kwh_from: String,
    /// The most.
    #[schema(example = "0.59", format = "decimal")]
    kwh_to: String,
}

impl PriceRangeView {
    /// Of all connectors of a place whose price is in the first one's currency.
    fn of(place: &Place) -> Option<Self> {
        let mut prices =
            place.spots.iter().flat_map(|spot| &spot.outlets).filter_map(|one| one.price.as_ref());
        let first = prices.next()?;
        let (mut least, mut most) = (first.least, first.most);
        for price in prices.filter(|price| price.currency == first.currency) {
            least = least.min(price.least);
            most = most.max(price.most);
        }
        let text = |amount: rust_decimal::Decimal| amount.normalize().to_string();
        Some(Self { currency: first.currency.clone(), kwh_from: text(least), kwh_to: text(most) })
    }
}

impl PlaceView {
    /// Of a place that was found.
    #[must_use]
    pub fn of(hit: &Hit, moment: &Moment) -> Self {
        let place = &hit.place;
        let outlets = || place.spots.iter().flat_map(|spot| &spot.outlets);
        Self {
            head: HeadView {
                party: place.party.to_string(),
                id: place.id.to_string(),
                own: place.partner_id.is_none(),
                name: place.name.clone(),
                address: place.address.clone(),
                postal_code: place.postal_code.clone(),
                city: place.city.clone(),
                country: place.country.clone(),
                latitude: place.latitude.clone(),
                longitude: place.longitude.clone(),
            },
            distance_m: hit.whole_metres(),
            operator: place.operator.clone(),
            open_now: place.opening.as_ref().map(|opening| opening.is_open(moment)),
            evses: hit.fitting,
            free: hit.free,
            max_power_kw: kilowatts(outlets().map(|outlet| outlet.watts).max().unwrap_or(0)).to_string(),
            standards: outlets().map(|outlet| outlet.standard.clone()).collect(),
            price: PriceRangeView::of(place),
            last_updated: place.last_updated,
        }
    }
}

/// The tokens by which somebody may see places that are not for everybody; none where there are no such places.
///
/// # Errors
/// When the database fails.
pub async fn eyes(app: &App, snapshot: &Snapshot, holder: &Holder) -> Result<Vec<Token>, DbError> {
    match &holder.driver {
        Some(held) if snapshot.has_restricted() => {
            let driver = held.driver_id.clone();
            app.db.read(move |conn| drivers::tokens_of(conn, &driver)).await
        }
        _ => Ok(Vec::new()),
    }
}

/// Finds places to charge
///
/// Ours and our partners', in a box (`bbox`) or around a point (`latitude`, `longitude`, `radius`). What is asked of an
/// EVSE must be true of one and the same EVSE, and what is asked of a connector of one connector of it.
///
/// # Errors
/// 400 for a parameter that cannot be understood.
#[utoipa::path(
    get, path = "/driver/v1/locations", tag = "locations", params(PlaceQuery),
    responses((status = 200, description = "A page of places", body = PlacesView))
)]
pub async fn list(
    Caller(holder): Caller,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<PlaceQuery>,
) -> Result<HttpResponse, Problem> {
    let now = app.now();
    let filter = query.filter(now)?;
    let area = area_of(&query)?;
    let limit = query.limit.as_deref().map_or(Ok(PAGE), |text| whole("limit", text, 1..=LARGEST_PAGE))?;
    let after = query.after.as_deref().map(str::parse::<Cursor>).transpose();
    let after = after.map_err(|reason| Problem::bad("query", "after", reason))?;
    let snapshot = app.search.now();
    let tokens = eyes(&app, &snapshot, &holder).await?;
    let sees = |place: &Place| place.is_for(&tokens);
    let found = snapshot.find(&Query { area, filter: &filter, sees: &sees, after, limit });
    let moment = Moment::new(now);
    let view = PlacesView {
        total: found.total,
        locations: found.hits.iter().map(|hit| PlaceView::of(hit, &moment)).collect(),
        next: found.next.map(|next| next.to_string()),
    };
    tagged(&request, &view)
}

fn area_of(query: &PlaceQuery) -> Result<Area, Problem> {
    let bad = |name: &'static str, wanted: &str| Err(Problem::bad("query", name, wanted));
    match (&query.bbox, &query.latitude, &query.longitude) {
        (Some(text), None, None) => match query.radius {
            None => Ok(Area::Box(read_box(text)?)),
            Some(_) => bad("radius", "it belongs to latitude and longitude, not to bbox"),
        },
        (None, Some(latitude), Some(longitude)) => {
            let point = read_point(latitude, longitude)?;
            let radius = query.radius.as_deref().map_or(Ok(RADIUS), |text| number("radius", text))?;
            if !(1.0..=LARGEST_RADIUS).contains(&radius) {
                return bad("radius", "it has to be 1 to 1000000 metres");
            }
            Ok(Area::Circle(point, radius))
        }
        (None, Some(_), None) => bad("longitude", "it is missing beside latitude"),
        (None, None, Some(_)) => bad("latitude", "it is missing beside longitude"),
        _ => bad("bbox", "send either bbox, or latitude and longitude (and radius)"),
    }
}

/// In which language.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LanguageQuery {
    /// `en` or `de`; where it is missing, `Accept-Language` counts.
    #[param(example = "de")]
    lang: Option<String>,
}

impl Parameters for LanguageQuery {
    const NAMES: &'static [&'static str] = &["lang"];
}

/// Shows a place
///
/// With its EVSEs as they are now, when it is open, and what a charge of this driver costs there in words and numbers.
///
/// # Errors
/// 404 where there is none that this driver may see.
#[utoipa::path(
    get, path = "/driver/v1/locations/{party}/{id}", tag = "locations",
    params(OfCpo, LanguageQuery),
    responses((status = 200, description = "The place", body = LocationView))
)]
pub async fn get(
    Caller(holder): Caller,
    app: web::Data<App>,
    request: HttpRequest,
    named: OfCpo,
    Strict(query): Strict<LanguageQuery>,
) -> Result<HttpResponse, Problem> {
    let language = language_of(&request, query.lang.as_deref())?;
    let preferred = languages(&request, language);
    let now = app.now();
    let missing = format!("there is no location {named}");
    let read = move |conn: &mut DbConn| {
        let Some(seen) = look_at(conn, &holder, &named)? else { return Ok(None) };
        let Seen { location, partner_id, token } = seen;
        let shelf = Shelf::at(conn, &location, partner_id, token.as_ref())?;
        let partner = partner_id.map(|id| partners::find(conn, id)).transpose()?.flatten();
        let shown = Shown { partner, partner_id, language, preferred, now };
        Ok::<_, DbError>(Some(LocationView::of(location, &shelf, &shown)))
    };
    let view = app.db.read(read).await?.ok_or_else(|| Problem::not_found(missing))?;
    tagged(&request, &view)
}

/// A place that somebody may see.
pub struct Seen {
    /// The place.
    pub location: crate::domain::location::Location,
    /// The partner that told us of it, if it is not ours.
    pub partner_id: Option<i64>,
    /// With what the driver would charge there.
    pub token: Option<Token>,
}

/// A place, if somebody may see it.
///
/// # Errors
/// When the database fails.
pub fn look_at(conn: &mut DbConn, holder: &Holder, named: &OfCpo) -> Result<Option<Seen>, DbError> {
    let found = locations::find_with_owner(conn, &named.party, &named.id)?;
    let Some((location, partner_id)) = found else { return Ok(None) };
    let tokens = match &holder.driver {
        Some(held) => drivers::tokens_of(conn, &held.driver_id)?,
        None => Vec::new(),
    };
    let named = || location.publish_allowed_to.iter().flatten();
    let allowed = location.publish || named().any(|one| tokens.iter().any(|token| is_meant(one, token)));
    let token = tokens.into_iter().find(|token| token.valid);
    Ok(allowed.then_some(Seen { location, partner_id, token }))
}
