//! Apps of drivers, which use the driver API: what `roamwatt driver-app` does.

use super::auth::{Operate, Read};
use super::input::{Body, Nothing, PartyName, Strict, list_query};
use super::output::{list as page_of, part};
use crate::app::App;
use crate::db::DbError;
use crate::db::driver_apps::{self, DriverApp, Oidc};
use crate::domain::Timestamp;
use crate::driver::apps::{AppError, NewApp, add, new_app_secret, remove};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An app of drivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DriverAppView {
    /// Its id (OAuth's client id).
    #[schema(example = "charge-now")]
    id: String,
    /// What the operator calls it.
    name: String,
    /// The eMSP whose tokens it hands out.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Issuer whose id tokens it may show.
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_issuer: Option<String>,
    /// For whom these must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_audience: Option<String>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

/// An app of drivers with its secret, which is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DriverAppSecretView {
    /// The app.
    #[serde(flatten)]
    app: DriverAppView,
    /// Its secret; only a hash of it is kept.
    secret: String,
}

/// An app of drivers that is to be added.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDriverApp {
    /// Its id: letters, digits, hyphens, underscores.
    #[schema(example = "charge-now")]
    id: String,
    /// What the operator calls it; its id where it is missing.
    name: Option<String>,
    /// The eMSP whose tokens it hands out.
    #[schema(value_type = String, example = "DE*ABC")]
    party: PartyName,
    /// Issuer whose id tokens it may show (OpenID Connect), with `oidc_audience`.
    #[schema(example = "https://login.example")]
    oidc_issuer: Option<String>,
    /// For whom these must be, with `oidc_issuer`.
    oidc_audience: Option<String>,
}

impl From<DriverApp> for DriverAppView {
    fn from(app: DriverApp) -> Self {
        let DriverApp { id, name, party, secret_hash: _, oidc, created } = app;
        let (oidc_issuer, oidc_audience) = oidc.map(|oidc| (oidc.issuer, oidc.audience)).unzip();
        Self { id, name, party: party.to_string(), oidc_issuer, oidc_audience, created }
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Db(error) => error.into(),
            AppError::NoEmsp(_) => Self::bad("body", "$.party", error.to_string()),
            AppError::Taken(_) => Self::conflict(error.to_string()),
            AppError::Id(_) => Self::bad("body", "$.id", error.to_string()),
            AppError::Issuer(_) => Self::bad("body", "$.oidc_issuer", error.to_string()),
        }
    }
}

list_query! {
    /// Which apps.
    pub struct DriverAppQuery {}
}

/// Lists the apps of drivers, oldest first
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/driver-apps", tag = "driver apps", params(DriverAppQuery),
    responses((status = 200, description = "A page of apps", body = [DriverAppView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<DriverAppQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let found = app.db.read(driver_apps::all).await?;
    Ok(page_of(&app, &request, page, part(found, page), DriverAppView::from))
}

/// Adds an app of drivers
///
/// # Errors
/// 400 for what cannot be understood, 409 where there is an app of that id.
#[utoipa::path(
    post, path = "/api/v1/driver-apps", tag = "driver apps", request_body = NewDriverApp,
    responses((status = 201, description = "The app with its secret", body = DriverAppSecretView))
)]
pub async fn create(
    _caller: Operate,
    app: web::Data<App>,
    _query: Strict<Nothing>,
    Body(input): Body<NewDriverApp>,
) -> Result<HttpResponse, Problem> {
    let NewDriverApp { id, name, party, oidc_issuer, oidc_audience } = input;
    let oidc = match (oidc_issuer, oidc_audience) {
        (Some(issuer), Some(audience)) => Some(Oidc { issuer, audience }),
        (None, None) => None,
        _ => {
            let wanted = "send oidc_issuer and oidc_audience together, or neither";
            return Err(Problem::bad("body", "$.oidc_issuer", wanted));
        }
    };
    let new = NewApp { name: name.unwrap_or_else(|| id.clone()), id, party: party.0, oidc };
    let (secret, hash) = new_app_secret(&app.keys);
    let clock = app.clock.clone();
    let added = app.db.write(move |conn| add(conn, &new, &hash, clock.now())).await?;
    Ok(HttpResponse::Created().json(DriverAppSecretView { app: added.into(), secret }))
}

/// Gives an app of drivers a new secret in place of the old one
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    post, path = "/api/v1/driver-apps/{id}/rotate", tag = "driver apps",
    params(("id" = String, Path, description = "The app", example = "charge-now")),
    responses((status = 200, description = "The app with its new secret", body = DriverAppSecretView))
)]
pub async fn rotate(
    _caller: Operate,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<DriverAppSecretView>, Problem> {
    let id = id.into_inner();
    let missing = format!("there is no app {id}");
    let (secret, hash) = new_app_secret(&app.keys);
    let write = move |conn: &mut crate::db::DbConn| {
        driver_apps::set_secret(conn, &id, &hash)?;
        driver_apps::find(conn, &id)
    };
    let found = app.db.write::<_, DbError, _>(write).await?;
    let found = found.ok_or_else(|| Problem::not_found(missing))?;
    Ok(web::Json(DriverAppSecretView { app: found.into(), secret }))
}

/// Removes an app of drivers with its drivers; their tokens, charges and CDRs stay
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    delete, path = "/api/v1/driver-apps/{id}", tag = "driver apps",
    params(("id" = String, Path, description = "The app", example = "charge-now")),
    responses((status = 204, description = "It is gone"))
)]
pub async fn delete(
    _caller: Operate,
    app: web::Data<App>,
    id: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    if remove(&app, &id).await? {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(Problem::not_found(format!("there is no app {id}")))
}
