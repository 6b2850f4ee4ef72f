//! What load management is told: site meters, the grid operator's limits, wishes for cars.

use super::auth::Operate;
use super::input::{Body, Nothing, Strict};
use super::load_sites::no_site;
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::station::StationId;
use crate::energy::Known;
use crate::load::control::{GridLimit, Wish};
use crate::web::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a meter saw.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingInput {
    /// Amperes on L1; below zero what feeds in.
    l1: f64,
    /// Amperes on L2.
    l2: f64,
    /// Amperes on L3.
    l3: f64,
    /// When it saw it; now where it is missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// A limit of the grid operator.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitInput {
    /// Watts that charging may draw in all; null lifts the limit. It has to be said: a slip must not lift one.
    #[schema(minimum = 0, required = true)]
    #[serde(deserialize_with = "Option::deserialize")]
    watts: Option<f64>,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// What is wished for the car at a connector. It only ever narrows what the site allows.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WishInput {
    /// No more than this, amperes on each phase.
    #[schema(minimum = 0)]
    most_amps: Option<f64>,
    /// Energy that is still wanted, kWh.
    #[schema(minimum = 0)]
    energy_kwh: Option<f64>,
    /// When the car leaves.
    #[schema(value_type = Option<String>, format = DateTime)]
    departure: Option<Timestamp>,
    /// Its class: higher is served before lower.
    class: Option<i32>,
}

fn number(name: &str, value: Option<f64>) -> Result<(), Problem> {
    match value {
        Some(value) if !(0.0..=1e9).contains(&value) => {
            Err(Problem::bad("body", format!("$.{name}"), format!("{value} is no number of 0 or more")))
        }
        _ => Ok(()),
    }
}

fn answer(known: Known, site: &str, part: &str) -> Result<HttpResponse, Problem> {
    match known {
        Known::Yes => Ok(HttpResponse::NoContent().finish()),
        Known::No => Err(no_site(site)),
        Known::NoPart | Known::NoCar => Err(Problem::not_found(part.to_owned())),
        Known::NotKept => Err(not_kept()),
    }
}

fn not_kept() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the database did not take it, so a restart may forget it: say it again",
    )
}

/// Tells what a meter of a site saw
///
/// A meter that is silent for longer than the site says, or says what cannot be, counts as its worst case.
///
/// # Errors
/// 404 where there is no such site or meter.
#[utoipa::path(
    post, path = "/api/v1/load/sites/{site}/meters/{meter}", tag = "load", request_body = ReadingInput,
    params(
        ("site" = String, Path, description = "The site", example = "depot"),
        ("meter" = String, Path, description = "The meter", example = "building")
    ),
    responses((status = 204, description = "It is taken"))
)]
pub async fn read_meter(
    _caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    _query: Strict<Nothing>,
    Body(reading): Body<ReadingInput>,
) -> Result<HttpResponse, Problem> {
    let (site, meter) = path.into_inner();
    let ReadingInput { l1, l2, l3, at } = reading;
    let known =
        app.energy.read_site_meter(&site, &meter, [l1, l2, l3], at.unwrap_or_else(|| app.now())).await;
    answer(known, &site, &format!("the site {site} has no meter {meter}"))
}

/// Sets or lifts the grid operator's limit of a site; that is a sign of life as well
///
/// # Errors
/// 404 where there is no such site, or nothing is agreed with its grid operator.
#[utoipa::path(
    put, path = "/api/v1/load/sites/{site}/grid-limit", tag = "load", request_body = LimitInput,
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses((status = 204, description = "It is in force"))
)]
pub async fn limit_grid(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
    Body(input): Body<LimitInput>,
) -> Result<HttpResponse, Problem> {
    number("watts", input.watts)?;
    let limit = GridLimit { watts: input.watts, until: input.until.map(Timestamp::millis) };
    let known = app.energy.limit(&path, limit).await;
    tracing::info!(api_key = caller.0.api_key, site = %path, watts = ?input.watts, "a grid limit was set");
    answer(known, &path, &no_grid(&path))
}

fn no_grid(site: &str) -> String {
    format!("the site {site} has no grid_control: nothing is agreed with its grid operator")
}

/// Gives a sign of life of the grid operator of a site
///
/// # Errors
/// 404 where there is no such site, or nothing is agreed with its grid operator.
#[utoipa::path(
    post, path = "/api/v1/load/sites/{site}/grid-heartbeat", tag = "load",
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses((status = 204, description = "It is heard"))
)]
pub async fn grid_heartbeat(
    _caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let known = app.energy.heartbeat(&path).await;
    answer(known, &path, &no_grid(&path))
}

fn station_of(text: &str) -> Result<StationId, Problem> {
    StationId::parse(text).map_err(|error| Problem::bad("path", "station", error.to_string()))
}

/// Says what is wished for the car at a connector, in place of what was wished before
///
/// It is kept with the charge, over restarts as well, and forgotten when that ends.
///
/// # Errors
/// 404 where the station is not under load management, 409 where no car charges there.
#[utoipa::path(
    put, path = "/api/v1/load/stations/{station}/connectors/{connector}/wish", tag = "load",
    request_body = WishInput,
    params(
        ("station" = String, Path, description = "The station", example = "CS1"),
        ("connector" = i32, Path, description = "OCPP's number", example = 1)
    ),
    responses(
        (status = 204, description = "It is taken"),
        (status = 409, description = "No car charges there", body = Problem)
    )
)]
pub async fn wish(
    _caller: Operate,
    app: web::Data<App>,
    path: web::Path<(String, i32)>,
    _query: Strict<Nothing>,
    Body(input): Body<WishInput>,
) -> Result<HttpResponse, Problem> {
    let (station, connector) = path.into_inner();
    let WishInput { most_amps, energy_kwh, departure, class } = input;
    number("most_amps", most_amps)?;
    number("energy_kwh", energy_kwh)?;
    let wish = Wish { most_amps, energy_kwh, departure: departure.map(Timestamp::millis), class };
    match app.energy.wish(&station_of(&station)?, connector, wish).await {
        Known::Yes => Ok(HttpResponse::NoContent().finish()),
        Known::NoCar => Err(Problem::conflict(format!("no car charges at {station}, connector {connector}"))),
        Known::NotKept => Err(not_kept()),
        Known::No | Known::NoPart => Err(Problem::not_found(format!(
            "connector {connector} of {station} is not under load management"
        ))),
    }
}

/// Relies on a station again that ignored or refused limits; it has to prove itself anew
///
/// # Errors
/// 404 where the station is not under load management.
#[utoipa::path(
    post, path = "/api/v1/load/stations/{station}/forgive", tag = "load",
    params(("station" = String, Path, description = "The station", example = "CS1")),
    responses((status = 204, description = "It may try again"))
)]
pub async fn forgive(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    if app.energy.forgive(&station_of(&path)?).await != Known::Yes {
        return Err(Problem::not_found(format!("{path} is not under load management")));
    }
    tracing::info!(api_key = caller.0.api_key, station = %path, "an operator relies on a station again");
    Ok(HttpResponse::NoContent().finish())
}
