//! Codes for displays at charging points, which drivers scan to pay (Regulation (EU) 2023/1804, Article 5(1)(c): the
//! "dynamic" code). Each counts for a while only; whoever shows it fetches the next one before.

use super::auth::Read;
use super::input::{Parameters, Strict, whole};
use super::stations;
use crate::app::App;
use crate::domain::{CiString, Timestamp};
use crate::payments::station_codes::{StationCode, of_evse, of_station, until};
use crate::receipts::labels::picture;
use crate::web::problem::Problem;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// The type of an SVG picture.
const SVG: &str = "image/svg+xml";

/// For how many seconds a code is to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Valid(i64);

impl Valid {
    /// The shortest: time enough to scan it.
    const LEAST: i64 = 30;
    /// The longest: a day.
    const MOST: i64 = 86_400;
}

impl Default for Valid {
    fn default() -> Self {
        Self(300)
    }
}

impl<'de> Deserialize<'de> for Valid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(deserializer, Self::LEAST..=Self::MOST).map(Self)
    }
}

/// As what a code is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The address and what it is for.
    Json,
    /// The picture to show.
    Svg,
}

/// How a code is wanted.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CodeQuery {
    /// For how many seconds it counts.
    #[param(value_type = Option<i64>, minimum = 30, maximum = 86400, default = 300)]
    #[serde(default)]
    valid: Valid,
    /// `json`, or `svg` for the picture; what the request accepts, where it is missing.
    #[param(value_type = Option<String>, example = "svg")]
    format: Option<Format>,
}

impl Parameters for CodeQuery {
    const NAMES: &'static [&'static str] = &["valid", "format"];
}

/// How the codes of a station are wanted.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CodesQuery {
    /// For how many seconds they count.
    #[param(value_type = Option<i64>, minimum = 30, maximum = 86400, default = 300)]
    #[serde(default)]
    valid: Valid,
}

impl Parameters for CodesQuery {
    const NAMES: &'static [&'static str] = &["valid"];
}

/// The code of a charging point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CodeView {
    /// The charging point, as it is printed on it.
    #[schema(example = "DE*ABC*E1")]
    evse: String,
    /// The station that serves it.
    #[schema(example = "CS1")]
    station: String,
    /// Its connectors there, by their OCPP numbers.
    connectors: Vec<i32>,
    /// The address that the code holds.
    #[schema(example = "https://charge.example/pay/DE*ABC*E1?t=1780000000&s=Zm9vYmFyYmF6cXV4")]
    url: String,
    /// Until when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
}

impl CodeView {
    fn of(app: &App, code: StationCode) -> Self {
        let valid_until = code.code.until.and_then(|until| Timestamp::from_millis(until.checked_mul(1000)?));
        let url = code.url(&app.public_url, &app.keys);
        let StationCode { evse, station, connectors, .. } = code;
        Self { evse, station, connectors, url, valid_until }
    }
}

/// Makes a code for the display of a charging point, which counts for a while
///
/// Fetch the next one before it runs out. Send `Accept: image/svg+xml` or `format=svg` for a picture. A code that has run
/// out tells the driver to scan the display again.
///
/// # Errors
/// 404 where there is no such charging point of ours, or no station serves it.
#[utoipa::path(
    get, path = "/api/v1/evses/{evse}/code", tag = "stations",
    params(
        ("evse" = String, Path, description = "The EVSE, by its `evse_id` or `uid`", example = "DE*ABC*E1"),
        CodeQuery,
    ),
    responses((status = 200, description = "The code", content(
        (CodeView = "application/json"),
        (String = "image/svg+xml"),
    )))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    evse: web::Path<String>,
    Strict(query): Strict<CodeQuery>,
) -> Result<HttpResponse, Problem> {
    let (evse, until) = (evse.into_inner(), until(app.now(), query.valid.0));
    let id = CiString::from(evse.as_str());
    let found = app.db.read(move |conn| of_evse(conn, &id, Some(until))).await?;
    let code = found.ok_or_else(|| {
        Problem::not_found(format!("there is no charging point {evse} here that a station serves"))
    })?;
    let view = CodeView::of(&app, code);
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    if query.format.unwrap_or_else(|| accepted(&request)) == Format::Json {
        return Ok(response.json(view));
    }
    let drawn = picture(&view.url).map_err(|error| Problem::internal(&error))?;
    Ok(response.content_type(SVG).body(drawn))
}

/// What a request accepts: a picture only where it names it.
fn accepted(request: &HttpRequest) -> Format {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let named = accepts
        .split(',')
        .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SVG)));
    if named { Format::Svg } else { Format::Json }
}

/// Makes codes for the displays of a station, which count for a while
///
/// # Errors
/// 404 where there is no such station.
#[utoipa::path(
    get, path = "/api/v1/stations/{station}/codes", tag = "stations",
    params(("station" = String, Path, description = "What it calls itself", example = "CS1"), CodesQuery),
    responses((status = 200, description = "A code for each of its charging points", body = [CodeView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    station: web::Path<String>,
    Strict(query): Strict<CodesQuery>,
) -> Result<HttpResponse, Problem> {
    let station = stations::find(&app, &station).await?;
    let until = until(app.now(), query.valid.0);
    let codes = app.db.read(move |conn| of_station(conn, &station, Some(until))).await?;
    let views: Vec<CodeView> = codes.into_iter().map(|code| CodeView::of(&app, code)).collect();
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(views))
}
