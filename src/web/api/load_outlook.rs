//! What is expected at a site: prices, CO₂ and the sun. The planner follows it.

use super::auth::{Operate, Read};
use super::input::{Body, Nothing, Strict};
use super::load_sites::no_site;
use super::load_view::ExpectedNow;
use crate::app::App;
use crate::db::DbError;
use crate::db::load as stored;
use crate::load::outlook::{OutlookError, SiteOutlook};
use crate::web::problem::Problem;
use actix_web::{HttpResponse, web};
use serde_json::Value;

/// The outlook of a site
///
/// As steps, with the end of each series. It can be written as it is.
///
/// # Errors
/// 404 where there is no such site, or it has none.
#[utoipa::path(
    get, path = "/api/v1/load/sites/{site}/outlook", tag = "load",
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses((status = 200, description = "The outlook, in the format of docs/load.md", body = Object))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<SiteOutlook>, Problem> {
    let site = path.into_inner();
    let id = site.clone();
    let read = move |conn: &mut _| {
        Ok::<_, DbError>((stored::find(conn, &id)?.is_some(), stored::outlook(conn, &id)?))
    };
    let (known, outlook) = app.db.read(read).await?;
    match outlook {
        Some(outlook) => Ok(web::Json(outlook)),
        None if known => Err(no_outlook(&site)),
        None => Err(no_site(&site)),
    }
}

fn no_outlook(site: &str) -> Problem {
    Problem::not_found(format!("the site {site} has no outlook"))
}

/// Says what is expected at a site, in place of what was expected before: prices, CO₂, the sun
///
/// The body is the outlook in the format of `docs/load.md`. A running node follows it at once. A series that has ended
/// already is taken and not followed: `used` says so.
///
/// # Errors
/// 400 where it makes no sense, with the place; nothing changes then. 404 where there is no such site.
#[utoipa::path(
    put, path = "/api/v1/load/sites/{site}/outlook", tag = "load", request_body = Object,
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses((status = 200, description = "What was taken", body = [ExpectedNow]))
)]
pub async fn put(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
    Body(body): Body<Value>,
) -> Result<web::Json<Vec<ExpectedNow>>, Problem> {
    let outlook = SiteOutlook::from_json(&body.to_string())
        .map_err(|OutlookError { path, reason }| Problem::bad("body", path, reason))?;
    let taken = outlook.seen(app.now().millis()).into_iter().map(ExpectedNow::from).collect();
    if !write(&app, &path, Some(outlook)).await? {
        return Err(no_site(&path));
    }
    tracing::info!(api_key = caller.0.api_key, site = %path, "an operator wrote an outlook");
    Ok(web::Json(taken))
}

/// Forgets the outlook of a site
///
/// # Errors
/// 404 where there is no such site, or it has none.
#[utoipa::path(
    delete, path = "/api/v1/load/sites/{site}/outlook", tag = "load",
    params(("site" = String, Path, description = "The site", example = "depot")),
    responses((status = 204, description = "It is gone"))
)]
pub async fn delete(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    if !write(&app, &path, None).await? {
        return Err(no_outlook(&path));
    }
    tracing::info!(api_key = caller.0.api_key, site = %path, "an operator removed an outlook");
    Ok(HttpResponse::NoContent().finish())
}

async fn write(app: &App, site: &str, outlook: Option<SiteOutlook>) -> Result<bool, Problem> {
    let (site, clock) = (site.to_owned(), app.clock.clone());
    let write = move |conn: &mut _| stored::put_outlook(conn, &site, outlook.as_ref(), clock.now());
    let written = app.db.write(write).await?;
    app.energy.sites_changed();
    Ok(written)
}
