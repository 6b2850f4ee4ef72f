//! The parties that this node speaks for.

use super::auth::Read;
use super::input::{Nothing, Strict, from_path, list_query};
use super::output;
use crate::app::App;
use crate::db::parties;
use crate::domain::party::{Party, PartyId};
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A party that this node speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartyView {
    /// Country and id as people write them.
    #[schema(example = "DE*ABC")]
    id: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "DE")]
    country_code: String,
    /// Three letters or digits.
    #[schema(example = "ABC")]
    party_id: String,
    /// Its name.
    name: String,
    /// Its website.
    #[serde(skip_serializing_if = "Option::is_none")]
    website: Option<String>,
    /// Roles of OCPI: `CPO`, `EMSP`, `HUB`, …
    roles: Vec<String>,
}

impl From<Party> for PartyView {
    fn from(party: Party) -> Self {
        let Party { id, name, website, roles } = party;
        Self {
            id: id.to_string(),
            country_code: id.country_code().to_owned(),
            party_id: id.party_id().to_owned(),
            name,
            website,
            roles: roles.iter().map(ToString::to_string).collect(),
        }
    }
}

list_query! {
    /// Which parties.
    pub struct PartyQuery {}
}

/// Lists our parties
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/parties", tag = "parties", params(PartyQuery),
    responses((status = 200, description = "A page of parties", body = [PartyView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<PartyQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let all = app.db.read(parties::all).await?;
    Ok(output::list(&app, &request, page, output::part(all, page), PartyView::from))
}

/// Shows one of our parties
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    get, path = "/api/v1/parties/{party}", tag = "parties",
    params(("party" = String, Path, description = "The party", example = "DE*ABC")),
    responses((status = 200, description = "The party", body = PartyView))
)]
pub async fn get(
    _caller: Read,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<PartyView>, Problem> {
    let id: PartyId = from_path("party", &path)?;
    let key = id.clone();
    let found = app.db.read(move |conn| parties::find(conn, &key)).await?;
    let party = found.ok_or_else(|| Problem::not_found(format!("we speak for no party {id}")))?;
    Ok(web::Json(party.into()))
}
