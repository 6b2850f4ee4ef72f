//! Drivers, as apps of drivers know them.

use super::auth::{Operate, Read};
use super::input::{Nothing, Strict, list_query};
use super::output;
use crate::app::App;
use crate::db::DbConn;
use crate::db::drivers::{self, Driver};
use crate::domain::Timestamp;
use crate::driver::erase::erase;
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DriverView {
    /// Its id: `driver_id` of the driver API.
    id: String,
    /// The app.
    #[schema(example = "charge-now")]
    app: String,
    /// The issuer that says who it is; missing where the app does.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    /// What the driver is called there.
    #[schema(example = "user-4711")]
    subject: String,
    /// When an app first asked for it.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

impl From<Driver> for DriverView {
    fn from(driver: Driver) -> Self {
        let Driver { id, app_id, issuer, subject, created } = driver;
        Self { id, app: app_id, issuer: Some(issuer).filter(|issuer| !issuer.is_empty()), subject, created }
    }
}

list_query! {
    /// Which drivers.
    pub struct DriverQuery {
        /// Only those of this app.
        #[param(example = "charge-now")]
        app: String,
        /// Only those who are called so.
        #[param(example = "user-4711")]
        subject: String,
    }
}

/// Lists drivers, oldest first
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/drivers", tag = "driver apps", params(DriverQuery),
    responses((status = 200, description = "A page of drivers", body = [DriverView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<DriverQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let DriverQuery { app: app_id, subject, .. } = query;
    let read = move |conn: &mut DbConn| drivers::list(conn, app_id.as_deref(), subject.as_deref(), page);
    let slice = app.db.read(read).await?;
    Ok(output::list(&app, &request, page, slice, DriverView::from))
}

/// Deletes a driver
///
/// What the app calls the driver, all that the app was given for the driver, the driver's orders, and the token that was
/// made for the app are gone at once; cards stay, and are the driver's no more. Sessions, CDRs and receipts stay without
/// a link to the driver. Partners that hold the token are told that it is blocked.
///
/// # Errors
/// 404 where there is none, 409 while a charge, a start or a reservation of the driver goes on.
#[utoipa::path(
    delete, path = "/api/v1/drivers/{id}", tag = "driver apps",
    params(("id" = String, Path, description = "The driver")),
    responses((status = 204, description = "The driver is deleted"))
)]
pub async fn delete(
    caller: Operate,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    erase(&app, &id, &format!("API key {}", caller.0.api_key)).await?;
    Ok(HttpResponse::NoContent().finish())
}
