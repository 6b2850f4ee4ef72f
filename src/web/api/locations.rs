//! Locations with their EVSEs, ours and our partners'. They are imported with `roamwatt import locations`.

use super::auth::Read;
use super::input::{Nothing, Strict, from_path, list_query};
use super::output;
use super::owner::{Whose, owner};
use super::view::text;
use crate::app::App;
use crate::db::page::{Page, Slice};
use crate::db::{DbConn, DbError, DbResult, locations, parties, partners};
use crate::domain::location::{Connector, Evse, Location};
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use crate::roaming::goods::{Viewer, show_location};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LocationView {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Unique within the CPO.
    #[schema(example = "LOC1")]
    id: String,
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
    /// IANA zone.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// Whether it may be shown to everybody.
    publish: bool,
    /// Its EVSEs.
    evses: Vec<EvseView>,
    /// When it, an EVSE or a connector was last changed, by its owner's clock.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
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
    /// Its connectors.
    connectors: Vec<PlugView>,
}

/// A connector of an EVSE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlugView {
    /// Unique within its EVSE.
    id: String,
    /// e.g. `IEC_62196_T2`.
    standard: String,
    /// `SOCKET` or `CABLE`.
    format: String,
    /// e.g. `AC_3_PHASE`.
    power_type: String,
    /// Volt.
    max_voltage: i64,
    /// Ampere.
    max_amperage: i64,
    /// Watt.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_electric_power: Option<i64>,
    /// Tariffs that price charges here now or later.
    tariff_ids: Vec<String>,
}

impl From<Connector> for PlugView {
    fn from(connector: Connector) -> Self {
        let Connector {
            id,
            standard,
            format,
            power_type,
            max_voltage,
            max_amperage,
            max_electric_power,
            tariff_ids,
            terms_and_conditions: _,
            last_updated: _,
            extra: _,
        } = connector;
        Self {
            id: text(id),
            standard,
            format,
            power_type,
            max_voltage,
            max_amperage,
            max_electric_power,
            tariff_ids: tariff_ids.into_iter().flatten().map(text).collect(),
        }
    }
}

impl From<Evse> for EvseView {
    fn from(evse: Evse) -> Self {
        Self {
            uid: text(evse.uid),
            evse_id: evse.evse_id.map(text),
            status: evse.status.to_string(),
            connectors: evse.connectors.into_iter().map(PlugView::from).collect(),
        }
    }
}

impl From<Location> for LocationView {
    fn from(location: Location) -> Self {
        Self {
            party: location.party.to_string(),
            id: text(location.id),
            name: location.name,
            address: location.address,
            postal_code: location.postal_code,
            city: location.city,
            country: location.country,
            latitude: location.coordinates.latitude,
            longitude: location.coordinates.longitude,
            time_zone: location.time_zone,
            publish: location.publish,
            evses: location.evses.into_iter().flatten().map(EvseView::from).collect(),
            last_updated: location.last_updated,
        }
    }
}

list_query! {
    /// Which locations.
    pub struct LocationQuery {
        /// `ours` of our own CPOs, or `all`, as when missing.
        #[param(inline)]
        whose: Whose,
        /// Only those that this partner told us of, by its number.
        partner: i64,
        /// Only those changed at or after.
        #[param(value_type = Option<String>, format = DateTime)]
        changed_from: Timestamp,
        /// Only those changed before.
        #[param(value_type = Option<String>, format = DateTime)]
        changed_to: Timestamp,
        /// Show connectors of ours with the tariffs that this partner is told of, by its number; without, with
        /// those that are for everybody.
        as_partner: i64,
    }
}

/// Lists locations in the order in which they became known
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/locations", tag = "locations", params(LocationQuery),
    responses((status = 200, description = "A page of locations", body = [LocationView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<LocationQuery>,
) -> Result<HttpResponse, Problem> {
    let page = Page { from: query.changed_from, to: query.changed_to, ..query.page() };
    let owner = owner(query.whose, query.partner)?;
    let (as_partner, now) = (query.as_partner, app.now());
    let read = move |conn: &mut DbConn| {
        let Slice { items, total } = locations::list(conn, &owner, page)?;
        Ok::<_, DbError>(viewer(conn, as_partner)?.map(|viewer| -> DbResult<_> {
            let shown = items.into_iter().map(|location| show(conn, location, &viewer, now));
            Ok(Slice { items: shown.collect::<DbResult<_>>()?, total })
        }))
    };
    let slice = app.db.read(read).await?.ok_or_else(no_partner)??;
    Ok(output::list(&app, &request, page, slice, LocationView::from))
}

/// Shows a location
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/locations/{party}/{id}", tag = "locations",
    params(
        ("party" = String, Path, description = "The CPO", example = "DE*ABC"),
        ("id" = String, Path, description = "The location", example = "LOC1"),
    ),
    responses((status = 200, description = "The location", body = LocationView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<LocationView>, Problem> {
    let (party, id) = path.into_inner();
    let (party, id): (PartyId, CiString) = (from_path("party", &party)?, id.into());
    let missing = format!("there is no location {id} of {party}");
    let now = app.now();
    let read = move |conn: &mut DbConn| {
        let found = locations::find(conn, &party, &id)?;
        found.map(|location| show(conn, location, &Viewer::Anybody, now)).transpose()
    };
    let found: Option<Location> = app.db.read(read).await?;
    Ok(web::Json(found.ok_or_else(|| Problem::not_found(missing))?.into()))
}

/// Who looks; nothing where there is no such partner.
fn viewer(conn: &mut DbConn, as_partner: Option<i64>) -> DbResult<Option<Viewer>> {
    match as_partner {
        None => Ok(Some(Viewer::Anybody)),
        Some(id) => Ok(partners::find(conn, id)?.map(|partner| Viewer::of(&partner))),
    }
}

fn no_partner() -> Problem {
    Problem::bad("query", "as_partner", "there is no partner of that number")
}

/// A location of ours with the tariffs as they are assigned, a partner's as the partner told it.
fn show(conn: &mut DbConn, location: Location, viewer: &Viewer, now: Timestamp) -> DbResult<Location> {
    if parties::find(conn, &location.party)?.is_some() {
        return show_location(conn, location, viewer, now);
    }
    Ok(location)
}
