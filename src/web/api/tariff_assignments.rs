//! Where tariffs are assigned, to whom and for how long.

use super::auth::{Caller, Operate, Read};
use super::input::{Body, Nothing, Strict, from_path, list_query};
use super::output::{self, part};
use super::view::text;
use crate::app::App;
use crate::db::assignments;
use crate::domain::assignment::{Assignment, Buyers, ConnectorRef, Place};
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use crate::roaming::assign::{AssignError, assign, partner_named, unassign};
use crate::web::problem::{Place as Where, Problem};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An assignment of a tariff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AssignmentView {
    /// Its number.
    id: i64,
    /// The CPO that owns the tariff and the places.
    #[schema(example = "DE*ABC")]
    party: String,
    /// The tariff.
    tariff_id: String,
    /// The location; missing means the group, or everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    location_id: Option<String>,
    /// The EVSE; missing means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    evse_uid: Option<String>,
    /// The connector; missing means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    connector_id: Option<String>,
    /// The group of stations and connectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The partner, by its number; without buyers it is for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    partner_id: Option<i64>,
    /// The eMSP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "NL*XYZ")]
    emsp: Option<String>,
    /// The group of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_group: Option<String>,
    /// For charges that begin from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// For charges that begin before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_to: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

impl From<Assignment> for AssignmentView {
    fn from(assignment: Assignment) -> Self {
        let Assignment { id, party, tariff_id, place, buyers, valid_from, valid_to, created } = assignment;
        let (location_id, evse_uid, connector_id, group) = match place {
            Place::Party => (None, None, None, None),
            Place::Location { location_id } => (Some(location_id), None, None, None),
            Place::Group { group } => (None, None, None, Some(group)),
            Place::Evse { location_id, evse_uid } => (Some(location_id), Some(evse_uid), None, None),
            Place::Connector(ConnectorRef { location_id, evse_uid, connector_id }) => {
                (Some(location_id), Some(evse_uid), Some(connector_id), None)
            }
        };
        let (partner_id, emsp, token_group) = match buyers {
            Buyers::Everybody => (None, None, None),
            Buyers::Partner { id } => (Some(id), None, None),
            Buyers::Emsp { party } => (None, Some(party.to_string()), None),
            Buyers::TokenGroup { group } => (None, None, Some(text(group))),
        };
        Self {
            id,
            party: party.to_string(),
            tariff_id: text(tariff_id),
            location_id: location_id.map(text),
            evse_uid: evse_uid.map(text),
            connector_id: connector_id.map(text),
            group: group.map(text),
            partner_id,
            emsp,
            token_group,
            valid_from,
            valid_to,
            created,
        }
    }
}

/// A new assignment: of one tariff, to one place, for some buyers or for everybody.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentInput {
    /// The CPO that owns the tariff and the places.
    #[schema(example = "DE*ABC")]
    party: String,
    /// The tariff.
    tariff_id: String,
    /// Everywhere at the party. Either this, or a location, or a group.
    #[serde(default)]
    everywhere: bool,
    /// A location, or where the EVSE is.
    location_id: Option<String>,
    /// An EVSE, or where the connector is.
    evse_uid: Option<String>,
    /// A connector.
    connector_id: Option<String>,
    /// A group of stations and connectors.
    group: Option<String>,
    /// For the drivers of a partner, by its name or number. At most one of this, `emsp` and `token_group`; none
    /// means everybody.
    partner: Option<String>,
    /// For the drivers of an eMSP, whoever speaks for it.
    #[schema(example = "NL*XYZ")]
    emsp: Option<String>,
    /// For the tokens of a group.
    token_group: Option<String>,
    /// For charges that begin from then on; missing means at once.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// For charges that begin before; missing means for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_to: Option<Timestamp>,
    /// Assign it though something in the tariff does not price.
    #[serde(default)]
    accept_warnings: bool,
}

impl AssignmentInput {
    fn place(&self) -> Result<Place, Problem> {
        let bad = |at: &'static str, why: &'static str| Err(Problem::bad("body", at, why));
        let text = |value: &Option<String>| value.as_deref().map(CiString::from);
        let (location, evse, connector) =
            (text(&self.location_id), text(&self.evse_uid), text(&self.connector_id));
        match (self.everywhere, text(&self.group), location, evse, connector) {
            (true, None, None, None, None) => Ok(Place::Party),
            (false, Some(group), None, None, None) => Ok(Place::Group { group }),
            (false, None, Some(location_id), None, None) => Ok(Place::Location { location_id }),
            (false, None, Some(location_id), Some(evse_uid), None) => {
                Ok(Place::Evse { location_id, evse_uid })
            }
            (false, None, Some(location_id), Some(evse_uid), Some(connector_id)) => {
                Ok(Place::Connector(ConnectorRef { location_id, evse_uid, connector_id }))
            }
            (false, None, None, None, None) => {
                bad("$", "it names no place: a location_id, a group, or everywhere")
            }
            (false, None, None, ..) => bad("$.location_id", "an EVSE is named by its location too"),
            (false, None, Some(_), None, Some(_)) => {
                bad("$.evse_uid", "a connector is named by its EVSE too")
            }
            _ => bad("$", "it names more than one place"),
        }
    }
}

list_query! {
    /// Which assignments.
    pub struct AssignmentQuery {
        /// Only those of this tariff.
        tariff_id: String,
    }
}

/// Lists assignments of tariffs in the order in which they were made
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/api/v1/tariff-assignments", tag = "tariffs", params(AssignmentQuery),
    responses((status = 200, description = "A page of assignments", body = [AssignmentView]))
)]
pub async fn list(
    _caller: Read,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<AssignmentQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.page();
    let mut all = app.db.read(assignments::all).await?;
    let wanted = query.tariff_id.map(CiString::from);
    all.retain(|assignment| wanted.as_ref().is_none_or(|id| assignment.tariff_id == *id));
    Ok(output::list(&app, &request, page, part(all, page), AssignmentView::from))
}

/// Assigns a tariff: what is charged there by its buyers is priced by it
///
/// Of several, the one that says most prices: by the buyer, then by the place. Partners are told.
///
/// # Errors
/// 400 where something that is named is not there, 409 where the tariff holds what does not price and
/// `accept_warnings` is not set, or where it is assigned so already.
#[utoipa::path(
    post, path = "/api/v1/tariff-assignments", tag = "tariffs", request_body = AssignmentInput,
    responses((status = 201, description = "The assignment", body = AssignmentView))
)]
pub async fn create(
    caller: Operate,
    app: web::Data<App>,
    _query: Strict<Nothing>,
    Body(input): Body<AssignmentInput>,
) -> Result<HttpResponse, Problem> {
    let party: PartyId =
        input.party.parse().map_err(|error| Problem::bad("body", "$.party", format!("{error}")))?;
    let place = input.place()?;
    let emsp = input.emsp.as_deref().map(str::parse::<PartyId>).transpose();
    let emsp = emsp.map_err(|error| Problem::bad("body", "$.emsp", error.to_string()))?;
    let buyers = match (emsp, &input.token_group, &input.partner) {
        (None, None, _) => Buyers::Everybody,
        (Some(party), None, None) => Buyers::Emsp { party },
        (None, Some(group), None) => Buyers::TokenGroup { group: CiString::from(group.as_str()) },
        _ => return Err(Problem::bad("body", "$", "it names more than one kind of buyers")),
    };
    let now = app.now();
    let new = Assignment {
        id: 0,
        party,
        tariff_id: CiString::from(input.tariff_id),
        place,
        buyers,
        valid_from: input.valid_from,
        valid_to: input.valid_to,
        created: now,
    };
    let (partner, accept) = (input.partner, input.accept_warnings);
    let made = app
        .db
        .write(move |conn| {
            let mut new = new.clone();
            if let Some(name) = &partner {
                new.buyers = Buyers::Partner { id: partner_named(conn, name)?.id };
            }
            assign(conn, &new, accept, now)
        })
        .await
        .map_err(problem_of)?;
    wake(&app);
    audit(&caller.0, &made, "assigned");
    Ok(HttpResponse::Created().json(AssignmentView::from(made)))
}

/// Takes an assignment back; charges that began with it stay priced by it
///
/// # Errors
/// 404 where there is none.
#[utoipa::path(
    delete, path = "/api/v1/tariff-assignments/{id}", tag = "tariffs",
    params(("id" = i64, Path, description = "The assignment")),
    responses((status = 200, description = "The assignment that was taken back", body = AssignmentView))
)]
pub async fn delete(
    caller: Operate,
    app: web::Data<App>,
    path: web::Path<String>,
    _query: Strict<Nothing>,
) -> Result<web::Json<AssignmentView>, Problem> {
    let id: i64 = from_path("id", &path)?;
    let now = app.now();
    let gone = app.db.write(move |conn| unassign(conn, id, now)).await.map_err(problem_of)?;
    let gone = gone.ok_or_else(|| Problem::not_found(format!("there is no assignment {id}")))?;
    wake(&app);
    audit(&caller.0, &gone, "unassigned");
    Ok(web::Json(gone.into()))
}

/// Wakes those who do what a change of tariffs means.
pub(super) fn wake(app: &App) {
    app.wakes.tariffs.notify_waiters();
    app.wakes.delivery.notify_waiters();
}

fn audit(caller: &Caller, assignment: &Assignment, what: &str) {
    let (id, tariff) = (assignment.id, &assignment.tariff_id);
    tracing::info!(api_key = caller.api_key, what, id, %tariff, "an operator changed where a tariff is sold");
}

/// The answer to what cannot be done with a tariff.
pub(super) fn problem_of(error: AssignError) -> Problem {
    match error {
        AssignError::Db(error) => error.into(),
        AssignError::Missing { field, .. } => Problem::bad("body", format!("$.{field}"), error.to_string()),
        AssignError::NoTime { .. } => Problem::bad("body", "$.valid_to", error.to_string()),
        AssignError::WrongKind { .. } => Problem::bad("body", "$", error.to_string()),
        AssignError::Warnings { tariff_id, findings } => {
            let detail = format!(
                "the tariff {tariff_id} holds what does not price; put it right, or set accept_warnings"
            );
            let places =
                findings.into_iter().map(|finding| Where::of("tariff", finding.path, finding.reason));
            Problem::conflict(detail).with_errors(places)
        }
        AssignError::NotOurs(_) | AssignError::Repeated(_) | AssignError::InUse { .. } => {
            Problem::conflict(error.to_string())
        }
    }
}
