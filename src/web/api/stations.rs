//! Stations: what is known of them and the state of their connectors. What is asked of them is in
//! [`super::commands`].

use super::auth::Read;
use super::input::{Nothing, PartyName, Strict, list_query};
use super::output;
use super::view::text;
use crate::app::App;
use crate::db::charges::{self, Charge};
use crate::db::stations::{self, StationFilter};
use crate::db::{DbConn, DbError};
use crate::domain::station::{BootInfo, Station, StationAuth, StationConnector, StationId};
use crate::domain::{CiString, Timestamp};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StationView {
    /// What it calls itself.
    #[schema(example = "CS1")]
    id: String,
    /// The CPO that operates it.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Where it stands.
    #[schema(example = "LOC1")]
    location_id: String,
    /// How it proves who it is: `basic` or `none`.
    #[schema(example = "basic")]
    auth: &'static str,
    /// Whether its socket is open.
    online: bool,
    /// When it was last heard, as far as the database knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen: Option<Timestamp>,
    /// When it last booted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    booted_at: Option<Timestamp>,
    /// What it said of itself when it booted.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceView>,
    /// Its connectors.
    connectors: Vec<ConnectorView>,
    /// The charges that go on at it; only where one station is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    charges: Option<Vec<ChargeView>>,
}

/// What a station says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceView {
    /// Vendor.
    vendor: String,
    /// Model.
    model: String,
    /// Serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    /// Firmware.
    #[serde(skip_serializing_if = "Option::is_none")]
    firmware_version: Option<String>,
}

/// A connector of a station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConnectorView {
    /// OCPP's number, from 1.
    #[schema(example = 1)]
    number: i32,
    /// `uid` of its EVSE in the location.
    evse_uid: String,
    /// `id` of the connector in the EVSE.
    connector_id: String,
    /// What the station says of it (OCPP 1.6 `ChargePointStatus`); missing while it said nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Available")]
    status: Option<String>,
    /// OCPP's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "NoError")]
    error_code: Option<String>,
    /// When it said so, by its clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    status_at: Option<Timestamp>,
}

/// A charge that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChargeView {
    /// OCPP's connector number.
    connector: i32,
    /// The session.
    session_id: String,
    /// OCPP's transaction id.
    transaction_id: i32,
    /// When it began, by the station's clock.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
}

impl From<StationConnector> for ConnectorView {
    fn from(connector: StationConnector) -> Self {
        let StationConnector { number, evse_uid, connector_id, status, error_code, status_at } = connector;
        Self {
            number,
            evse_uid: text(evse_uid),
            connector_id: text(connector_id),
            status: status.map(|status| status.to_string()),
            error_code,
            status_at,
        }
    }
}

impl StationView {
    fn of(station: Station, charges: Option<Vec<Charge>>) -> Self {
        let Station { id, party, location_id, auth, boot, booted_at, last_seen, online, connectors } =
            station;
        let device = |BootInfo { vendor, model, serial_number, firmware_version }| DeviceView {
            vendor,
            model,
            serial_number,
            firmware_version,
        };
        let charge = |charge: Charge| ChargeView {
            connector: charge.connector,
            session_id: charge.session_id,
            transaction_id: charge.transaction_id,
            started_at: charge.started_at,
        };
        Self {
            id: id.to_string(),
            party: party.to_string(),
            location_id: text(location_id),
            auth: match auth {
                StationAuth::None => "none",
                StationAuth::Basic => "basic",
            },
            online,
            last_seen,
            booted_at,
            device: boot.map(device),
            connectors: connectors.into_iter().map(ConnectorView::from).collect(),
            charges: charges.map(|all| all.into_iter().map(charge).collect()),
        }
    }
}

list_query! {
    /// Which stations.
    pub struct StationQuery {
        /// Only this CPO's.
        #[param(value_type = Option<String>, example = "DE*ABC")]
        party: PartyName,
        /// Only those at this location.
        location_id: String,
        /// Only those whose socket is open, or is not.
        online: bool,
    }
}

/// Lists stations with the state of their connectors
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/stations", tag = "stations", params(StationQuery),
    responses((status = 200, description = "A page of stations, by id", body = [StationView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<StationQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let filter = StationFilter {
        party: query.party.map(|party| party.0),
        location_id: query.location_id.map(CiString::from),
        online: query.online,
    };
    let slice = app.db.read(move |conn| stations::list_filtered(conn, &filter, page)).await?;
    Ok(output::list(&app, &request, page, slice, |station| StationView::of(station, None)))
}

/// Shows a station, the state of its connectors and the charges that go on
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/stations/{station}", tag = "stations",
    params(("station" = String, Path, description = "What it calls itself", example = "CS1")),
    responses((status = 200, description = "The station", body = StationView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<StationView>, Problem> {
    let id = station_id(&path)?;
    let key = id.clone();
    let read = move |conn: &mut DbConn| {
        let station = stations::find(conn, &key)?;
        Ok::<_, DbError>((station, charges::active_at(conn, key.as_str(), None)?))
    };
    let (station, charges) = app.db.read(read).await?;
    let station = station.ok_or_else(|| unknown(&id))?;
    Ok(web::Json(StationView::of(station, Some(charges))))
}

/// The station that a path names.
///
/// # Errors
/// 400 where it can name none.
pub fn station_id(path: &str) -> Result<StationId, Problem> {
    StationId::parse(path).map_err(|error| Problem::bad("path", "station", error.to_string()))
}

/// There is no such station.
#[must_use]
pub fn unknown(id: &StationId) -> Problem {
    Problem::not_found(format!("there is no station {id}"))
}

/// A station that is known.
///
/// # Errors
/// 404 where it is not.
pub async fn find(app: &App, path: &str) -> Result<Station, Problem> {
    let id = station_id(path)?;
    let key = id.clone();
    let found = app.db.read(move |conn| stations::find(conn, &key)).await?;
    found.ok_or_else(|| unknown(&id))
}
