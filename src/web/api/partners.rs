//! Partners: the platforms that this node is peered with, and how the connection to each fares.

use super::auth::Read;
use super::input::{Nothing, Strict, from_path, list_query};
use super::output;
use crate::app::App;
use crate::db::partners::{self, Health};
use crate::db::{DbConn, DbResult, changes};
use crate::domain::Timestamp;
use crate::domain::partner::{Endpoint, Partner, PartnerRole};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartnerView {
    /// Our number for it.
    id: i64,
    /// What the operator calls it.
    name: String,
    /// `INVITED`, `REGISTERED`, `SUSPENDED` or `UNREGISTERED`.
    #[schema(example = "REGISTERED")]
    status: String,
    /// Where its versions are.
    #[serde(skip_serializing_if = "Option::is_none")]
    versions_url: Option<String>,
    /// The version of OCPI agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2.2.1")]
    version: Option<String>,
    /// The parties it speaks for.
    roles: Vec<PartnerRoleView>,
    /// Where it serves its modules.
    endpoints: Vec<EndpointView>,
    /// Origins that its URLs may have.
    allowed_origins: Vec<String>,
    /// How changes reach it: `converge` or `pull_only`.
    #[schema(example = "converge")]
    delivery: String,
    /// How the connection fares.
    connection: ConnectionView,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    last_updated: Timestamp,
}

/// A party that a partner speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartnerRoleView {
    /// The role.
    #[schema(example = "EMSP")]
    role: String,
    /// The party.
    #[schema(example = "DE*ABC")]
    party: String,
    /// Its name.
    name: String,
}

/// Where a partner serves a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndpointView {
    /// The module.
    #[schema(example = "locations")]
    module: String,
    /// Its side: `SENDER` or `RECEIVER`.
    #[schema(example = "SENDER")]
    role: String,
    /// The URL.
    url: String,
}

/// How the connection to a partner fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConnectionView {
    /// Changes that wait to be delivered.
    waiting: i64,
    /// Changes that it refused and that are set aside until the object changes again.
    set_aside: i64,
    /// Failures in a row.
    failures: i32,
    /// Not before this is it tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    retry_at: Option<Timestamp>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// When it last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_contact: Option<Timestamp>,
}

/// A partner and how its connection fares.
struct Report {
    partner: Partner,
    health: Health,
    waiting: i64,
    set_aside: i64,
}

fn report(conn: &mut DbConn, partner: Partner) -> DbResult<Report> {
    let health = partners::health(conn, partner.id)?;
    let (waiting, set_aside) = changes::backlog(conn, partner.id)?;
    Ok(Report { partner, health, waiting, set_aside })
}

impl From<Report> for PartnerView {
    fn from(report: Report) -> Self {
        let Report { partner, health, waiting, set_aside } = report;
        let Partner {
            id,
            name,
            status,
            versions_url,
            version,
            endpoints,
            roles,
            allowed_origins,
            delivery,
            token_encoding: _,
            created,
            last_updated,
        } = partner;
        let Health { failures, retry_at, last_error, last_contact } = health;
        let role = |PartnerRole { role, party, name, website: _, logo: _ }| PartnerRoleView {
            role: role.to_string(),
            party: party.to_string(),
            name,
        };
        let endpoint = |Endpoint { module, role, url }| EndpointView {
            module: module.to_string(),
            role: role.to_string(),
            url,
        };
        Self {
            id,
            name,
            status: status.to_string(),
            versions_url,
            version,
            roles: roles.into_iter().map(role).collect(),
            endpoints: endpoints.into_iter().map(endpoint).collect(),
            allowed_origins,
            delivery: delivery.to_string(),
            connection: ConnectionView { waiting, set_aside, failures, retry_at, last_error, last_contact },
            created,
            last_updated,
        }
    }
}

list_query! {
    /// Which partners.
    pub struct PartnerQuery {
        /// Only in this state.
        #[param(example = "REGISTERED")]
        status: String,
    }
}

/// Lists partners, by name, with what waits for each
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/partners", tag = "partners", params(PartnerQuery),
    responses((status = 200, description = "A page of partners", body = [PartnerView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<PartnerQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let status = query.status;
    let slice = app
        .db
        .read(move |conn| {
            let mut all = partners::all(conn)?;
            all.retain(|partner| status.as_deref().is_none_or(|wanted| partner.status.as_str() == wanted));
            let slice = output::part(all, page);
            let reports = slice.items.into_iter().map(|partner| report(conn, partner));
            DbResult::Ok(crate::db::page::Slice {
                items: reports.collect::<DbResult<Vec<_>>>()?,
                total: slice.total,
            })
        })
        .await?;
    Ok(output::list(&app, &request, page, slice, PartnerView::from))
}

/// Shows a partner
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/partners/{id}", tag = "partners",
    params(("id" = i64, Path, description = "Our number for it", example = 1)),
    responses((status = 200, description = "The partner", body = PartnerView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<PartnerView>, Problem> {
    let id: i64 = from_path("id", &path)?;
    let found = app
        .db
        .read(move |conn| match partners::find(conn, id)? {
            Some(partner) => report(conn, partner).map(Some),
            None => DbResult::Ok(None),
        })
        .await?;
    let report = found.ok_or_else(|| Problem::not_found(format!("there is no partner {id}")))?;
    Ok(web::Json(report.into()))
}
