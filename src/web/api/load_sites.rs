//! Sites under load management: written, checked, shown, and what happened at them.

use super::auth::{Operate, Read};
use super::exports::Border;
use super::input::{Body, Nothing, Parameters, Strict, list_query};
use super::load_view::NowView;
use super::output::{self, part};
use crate::app::App;
use crate::db::load::{self as stored, EventRow, SiteRow};
use crate::domain::Timestamp;
use crate::energy::day::{Day, DayError, chart_of};
use crate::energy::sites::{SiteProblem, put_site, remove_site};
use crate::load::check::check;
use crate::load::rows::Rows;
use crate::load::site::{Site, SiteError};
use crate::web::problem::Problem;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// A site in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SiteEntry {
    /// Its id.
    #[schema(example = "depot")]
    id: String,
    /// For people.
    name: Option<String>,
    /// How many stations it has.
    stations: usize,
    /// Rises with each change of it.
    revision: i64,
}

impl From<SiteRow> for SiteEntry {
    fn from(row: SiteRow) -> Self {
        let SiteRow { site, revision, grid_limit: _ } = row;
        Self { stations: site.stations.len(), id: site.id, name: site.name, revision }
    }
}

/// A limit that the fallbacks of a site do not fit.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OverView {
    /// The limit.
    #[schema(example = "L1 of grid")]
    limit: String,
    /// What does not fit, in words.
    reason: String,
}

/// Whether a site is safe when every station has lost its backend.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckView {
    /// Whether it is.
    fits: bool,
    /// The limits that are exceeded.
    over: Vec<OverView>,
    /// The highest fallback that fits at every connector, amperes; null where not even paused cars fit.
    highest_fallback_amps: Option<f64>,
}

/// The site of a body: JSON in the format of `docs/load.md`.
fn site_of(body: &Value) -> Result<Site, Problem> {
    Site::from_json(&body.to_string()).map_err(|error| match error {
        SiteError::Wrong(findings) => Problem::bad_body(
            "the site does not hold together",
            findings.into_iter().map(|finding| {
                (format!("$.{}", finding.path), format!("found {}; {}", finding.found, finding.right))
            }),
        ),
        SiteError::Unreadable { path, message } => {
            let at = if path == "." { "$".to_owned() } else { format!("$.{path}") };
            Problem::bad("body", at, message)
        }
    })
}

fn checked(site: &Site) -> CheckView {
    let found = check(site, &Rows::compile(site));
    let over =
        found.over.iter().map(|over| OverView { limit: over.name.to_string(), reason: over.to_string() });
    CheckView { fits: found.fit(), over: over.collect(), highest_fallback_amps: found.highest }
}

list_query! {
    /// Which sites.
    pub struct SiteQuery {}
}

/// Lists the sites under load management
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/load/sites", tag = "load", params(SiteQuery),
    responses((status = 200, description = "A page of sites", body = [SiteEntry]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<SiteQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let all = app.db.read(stored::all).await?;
    Ok(output::list(&app, &request, page, part(all, page), SiteEntry::from))
}

async fn find(app: &App, id: &str) -> Result<SiteRow, Problem> {
    let wanted = id.to_owned();
    let found = app.db.read(move |conn| stored::find(conn, &wanted)).await?;
    found.ok_or_else(|| no_site(id))
}

pub(super) fn no_site(id: &str) -> Problem {
    Problem::not_found(format!("there is no site {id} under load management"))
}

/// A site as it was described
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/load/sites/{site}", tag = "load",
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses((status = 200, description = "The site, in the format of docs/load.md", body = Object))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<Site>, Problem> {
    Ok(web::Json(find(&app, &path).await?.site))
}

/// Puts a site under load management, or changes it
///
/// The body is the site in the format of `docs/load.md`, as JSON. Running stations keep what they were granted.
///
/// # Errors
/// 400 where the site does not hold together, 409 where it is not safe when every station has lost its backend, or a
/// station is in another site.
#[utoipa::path(
    put, path = "/api/v1/load/sites/{site}", tag = "load", request_body = Object,
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses(
        (status = 200, description = "The site", body = SiteEntry),
        (status = 409, description = "It is not safe, or a station is in another site", body = Problem)
    )
)]
pub async fn put(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
    Body(body): Body<Value>,
) -> Result<web::Json<SiteEntry>, Problem> {
    let site = site_of(&body)?;
    if site.id != *path {
        return Err(Problem::bad("body", "$.id", format!("it is {}, and the path says {path}", site.id)));
    }
    let found = checked(&site);
    if !found.fits {
        let highest = found.highest_fallback_amps;
        let advice =
            highest.map_or(String::new(), |amps| format!("; fallback_amps of {amps} everywhere would fit"));
        let places = found
            .over
            .into_iter()
            .map(|over| crate::web::problem::Place::of("body", over.limit, over.reason));
        let detail = format!("the site is not safe when every station has lost its backend{advice}");
        return Err(Problem::conflict(detail).with_errors(places));
    }
    let (new, clock) = (site.clone(), app.clock.clone());
    app.db.write(move |conn| put_site(conn, &new, clock.now())).await.map_err(|error| match error {
        SiteProblem::Db(error) => error.into(),
        taken @ SiteProblem::Taken { .. } => Problem::conflict(taken.to_string()),
    })?;
    app.energy.sites_changed();
    tracing::info!(api_key = caller.0.api_key, site = site.id, "an operator wrote a site");
    Ok(web::Json(find(&app, &path).await?.into()))
}

/// Ends load management of a site; its stations keep their standing limits
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    delete, path = "/api/v1/load/sites/{site}", tag = "load",
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses((status = 204, description = "It is gone"))
)]
pub async fn delete(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    if !remove_site(&app.db, &app.energy, &path).await? {
        return Err(no_site(&path));
    }
    tracing::info!(api_key = caller.0.api_key, site = %path, "an operator removed a site");
    Ok(HttpResponse::NoContent().finish())
}

/// Checks a site without writing it: is it safe when every station has lost its backend?
///
/// # Errors
/// 400 where the site does not hold together.
#[utoipa::path(
    post, path = "/api/v1/load/check", tag = "load", request_body = Object,
    responses((status = 200, description = "What was found", body = CheckView))
)]
pub async fn check_site(
    _caller: Read,
    _query: Strict<Nothing>,
    Body(body): Body<Value>,
) -> Result<web::Json<CheckView>, Problem> {
    Ok(web::Json(checked(&site_of(&body)?)))
}

/// A site as it is now: limits, what flows, what is granted and kept free, and every connector with the reason
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/load/sites/{site}/now", tag = "load",
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses((status = 200, description = "The site now", body = NowView))
)]
pub async fn now(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<NowView>, Problem> {
    let view = app.energy.view(&path).await.ok_or_else(|| no_site(&path))?;
    Ok(web::Json(NowView::from(view)))
}

/// Something that happened at a site.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventView {
    /// Its place in the order; `after` goes on behind it.
    seq: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: String,
    /// `grid_limit`, `grid_limit_kept`, or what was found: `ignores`, `unable`, `refuses`, `contradicts`, `overdraws`,
    /// `meter_lost`, `meter_back`, `over`, `heartbeat_lost`, `outlook_ended`, `clock_ahead`, `clock_behind`.
    #[schema(example = "grid_limit")]
    kind: String,
    /// The site, station, node or meter.
    about: String,
    /// More about it.
    #[schema(value_type = Object)]
    detail: Value,
}

impl From<EventRow> for EventView {
    fn from(row: EventRow) -> Self {
        let EventRow { seq, site_id: _, at, kind, about, detail } = row;
        let detail = serde_json::from_str(&detail).unwrap_or(Value::Null);
        Self { seq, at: at.to_string(), kind, about, detail }
    }
}

/// Which events.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// Only at or after this day (00:00 UTC) or moment.
    #[param(value_type = Option<String>, example = "2026-01-01")]
    from: Option<Border>,
    /// Only before.
    #[param(value_type = Option<String>, example = "2026-02-01")]
    to: Option<Border>,
    /// Only those behind this place.
    #[param(value_type = Option<i64>, minimum = 0)]
    #[serde(default)]
    after: super::input::Offset,
}

impl Parameters for EventQuery {
    const NAMES: &'static [&'static str] = &["from", "to", "after"];
}

/// The most events of one answer.
const EVENTS: i64 = 1_000;

/// Lists what happened at a site, at most 1,000 from `after` on: limits of the grid operator, when they were kept, what was found
///
/// They are kept for two years.
///
/// # Errors
/// 404 where there is no such site.
#[utoipa::path(
    get, path = "/api/v1/load/sites/{site}/events", tag = "load",
    params(("site" = String, Path, description = "The site", example = "depot"), EventQuery),
    responses((status = 200, description = "What happened, in its order", body = [EventView]))
)]
pub async fn events(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<String>,
    Strict(query): Strict<EventQuery>,
) -> Result<web::Json<Vec<EventView>>, Problem> {
    find(&app, &path).await?;
    let from = query.from.map(|border| border.0).or_else(|| Timestamp::from_millis(0));
    let to = query.to.map(|border| border.0).unwrap_or_else(|| app.now().plus(chrono::TimeDelta::seconds(1)));
    let (site, from, after) = (path.into_inner(), from.unwrap_or(to), query.after.0);
    let rows = app.db.read(move |conn| stored::events(conn, &site, from, to, after, EVENTS)).await?;
    Ok(web::Json(rows.into_iter().map(EventView::from).collect()))
}

/// Which day, and of what.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChartQuery {
    /// The day, in the site's zone; today where it is missing.
    #[param(value_type = Option<String>, example = "2026-11-28")]
    day: Option<NaiveDate>,
    /// Of which node or station; of the grid connection where it is missing.
    node: Option<String>,
}

impl Parameters for ChartQuery {
    const NAMES: &'static [&'static str] = &["day", "node"];
}

/// A site's day as a picture
///
/// # Errors
/// 404 where there is no such site, 400 where it has no such node.
#[utoipa::path(
    get, path = "/api/v1/load/sites/{site}/chart", tag = "load",
    params(("site" = String, Path, description = "The site", example = "depot"), ChartQuery),
    responses((status = 200, description = "The picture", content((String = "image/svg+xml"))))
)]
pub async fn chart(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<String>,
    Strict(query): Strict<ChartQuery>,
) -> Result<HttpResponse, Problem> {
    let site = find(&app, &path).await?.site;
    let day = Day::of(&site, query.day, app.now());
    let (id, from, to) = (site.id.clone(), day.from, day.to);
    let minutes = app.db.read(move |conn| stored::minutes(conn, &id, from, to)).await?;
    let svg = chart_of(&site, query.node.as_deref(), &day, &minutes).map_err(|error| match error {
        DayError::NoNode { .. } => Problem::bad("query", "node", error.to_string()),
        DayError::Chart(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    })?;
    Ok(HttpResponse::Ok().content_type("image/svg+xml").body(svg))
}
