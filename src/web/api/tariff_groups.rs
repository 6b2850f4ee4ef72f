//! Groups of stations and connectors, and of tokens, to which tariffs are assigned.

use super::auth::{Operate, Read};
use super::input::{Body, Nothing, Strict, list_query};
use super::output::{self, part};
use super::tariff_assignments::{problem_of, wake};
use super::view::text;
use crate::app::App;
use crate::db::tariff_groups;
use crate::domain::CiString;
use crate::domain::assignment::{Group, Members, PlaceMember, TokenMember};
use crate::roaming::assign::{put_group, remove_group};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A group: of stations and connectors, or of tokens and contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GroupView {
    /// Its name.
    #[schema(example = "depots")]
    name: String,
    /// Stations, with all their connectors.
    stations: Vec<String>,
    /// Connectors, like `LOC1/E1/1`.
    connectors: Vec<String>,
    /// Tokens with their eMSP, like `NL*XYZ/04A2B3C4`.
    tokens: Vec<String>,
    /// Beginnings of contract ids with their eMSP, like `NL*XYZ/NLXYZC12`.
    contracts: Vec<String>,
}

impl From<Group> for GroupView {
    fn from(Group { name, members }: Group) -> Self {
        let mut view = Self {
            name: text(name),
            stations: Vec::new(),
            connectors: Vec::new(),
            tokens: Vec::new(),
            contracts: Vec::new(),
        };
        match members {
            Members::Places(places) => {
                for member in places {
                    match member {
                        PlaceMember::Station(id) => view.stations.push(id),
                        PlaceMember::Connector(connector) => view.connectors.push(connector.to_string()),
                    }
                }
            }
            Members::Tokens(tokens) => {
                for member in tokens {
                    match member {
                        TokenMember::Token { emsp, uid } => view.tokens.push(format!("{emsp}/{uid}")),
                        TokenMember::Contract { emsp, prefix } => {
                            view.contracts.push(format!("{emsp}/{prefix}"));
                        }
                    }
                }
            }
        }
        view
    }
}

/// What a group holds: stations and connectors, or tokens and contracts.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupInput {
    /// Stations, with all their connectors.
    #[serde(default)]
    stations: Vec<String>,
    /// Connectors.
    #[serde(default)]
    #[schema(example = json!(["LOC1/E1/1"]))]
    connectors: Vec<String>,
    /// Tokens with their eMSP.
    #[serde(default)]
    #[schema(example = json!(["NL*XYZ/04A2B3C4"]))]
    tokens: Vec<String>,
    /// Beginnings of contract ids.
    #[serde(default)]
    #[schema(example = json!(["NL-XYZ-C12"]))]
    contracts: Vec<String>,
}

impl GroupInput {
    fn members(self) -> Result<Members, Problem> {
        let Self { stations, connectors, tokens, contracts } = self;
        let is_places = !stations.is_empty() || !connectors.is_empty();
        let is_tokens = !tokens.is_empty() || !contracts.is_empty();
        if is_places && is_tokens {
            return Err(Problem::bad("body", "$", "a group holds places or tokens, not both"));
        }
        if is_tokens {
            let tokens = each("tokens", &tokens, TokenMember::token)?;
            let contracts = each("contracts", &contracts, TokenMember::contract)?;
            return Ok(Members::Tokens(tokens.into_iter().chain(contracts).collect()));
        }
        if !is_places {
            return Err(Problem::bad("body", "$", "it names no member"));
        }
        let connectors = each("connectors", &connectors, |text| text.parse().map(PlaceMember::Connector))?;
        let stations = stations.into_iter().map(PlaceMember::Station);
        Ok(Members::Places(stations.chain(connectors).collect()))
    }
}

fn each<T>(
    field: &str,
    texts: &[String],
    read: impl Fn(&str) -> Result<T, crate::domain::ValueError>,
) -> Result<Vec<T>, Problem> {
    let read = |(index, text): (usize, &String)| {
        read(text).map_err(|error| Problem::bad("body", format!("$.{field}[{index}]"), error.to_string()))
    };
    texts.iter().enumerate().map(read).collect()
}

list_query! {
    /// Which groups.
    pub struct GroupQuery {}
}

/// Lists groups by name
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/tariff-groups", tag = "tariffs", params(GroupQuery),
    responses((status = 200, description = "A page of groups", body = [GroupView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<GroupQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let all = app.db.read(tariff_groups::all).await?;
    Ok(output::list(&app, &request, page, part(all, page), GroupView::from))
}

fn name_in(path: &str) -> Result<CiString, Problem> {
    CiString::parse("name", path, 64).map_err(|error| Problem::bad("path", "name", error.to_string()))
}

/// Writes a group, new or in place of the one of that name
///
/// Where tariffs are assigned to it, partners are told.
///
/// # Errors
/// 400 where a member is not there.
#[utoipa::path(
    put, path = "/api/v1/tariff-groups/{name}", tag = "tariffs", request_body = GroupInput,
    params(("name" = String, Path, description = "The group", example = "depots")),
    responses((status = 200, description = "The group", body = GroupView))
)]
pub async fn put(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
    Body(input): Body<GroupInput>,
) -> Result<web::Json<GroupView>, Problem> {
    let group = Group { name: name_in(&path)?, members: input.members()? };
    let (new, now) = (group.clone(), app.now());
    app.db.write(move |conn| put_group(conn, &new, now)).await.map_err(problem_of)?;
    wake(&app);
    tracing::info!(api_key = caller.0.api_key, group = %group.name, "an operator wrote a group");
    Ok(web::Json(group.into()))
}

/// Removes a group to which no tariff is assigned
///
/// # Errors
/// 404 where there is none, 409 where a tariff is assigned to it.
#[utoipa::path(
    delete, path = "/api/v1/tariff-groups/{name}", tag = "tariffs",
    params(("name" = String, Path, description = "The group", example = "depots")),
    responses((status = 204, description = "It is gone"))
)]
pub async fn delete(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let name = name_in(&path)?;
    let wanted = name.clone();
    let found = app.db.write(move |conn| remove_group(conn, &wanted)).await.map_err(problem_of)?;
    if !found {
        return Err(Problem::not_found(format!("there is no group {name}")));
    }
    tracing::info!(api_key = caller.0.api_key, group = %name, "an operator removed a group");
    Ok(HttpResponse::NoContent().finish())
}
