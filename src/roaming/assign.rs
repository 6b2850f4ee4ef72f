//! What an operator does with tariffs as goods: assigns them, takes assignments and tariffs back, and keeps the
//! groups to which they are assigned. Each change is written together with what it means for partners
//! ([`super::spread`]).

use super::goods::{audience_of, is_named};
use super::spread::{Turn, announce, announce_at, reach_of};
use crate::db::tariff_news::{Audience, Reach};
use crate::db::{DbConn, DbError, assignments, locations, partners, stations, tariff_groups, tariffs};
use crate::domain::assignment::{Assignment, Buyers, ConnectorRef, Group, Members, Place, PlaceMember};
use crate::domain::location::{Connector, Evse, Location};
use crate::domain::partner::{Partner, PartnerStatus};
use crate::domain::party::PartyId;
use crate::domain::station::StationId;
use crate::domain::{CiString, Timestamp};
use crate::pricing::{Finding, pricing_warnings};
use crate::roaming::catalogue;

/// Why something cannot be done with a tariff. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AssignError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Something that is named is not there.
    #[error("there is no {what}")]
    Missing {
        /// What.
        what: String,
        /// What stands there in a document of the API, e.g. `tariff_id`.
        field: &'static str,
    },
    /// The tariff is a partner's.
    #[error("the tariff {0} is a partner's; only its owner can assign or change it")]
    NotOurs(CiString),
    /// The end is not behind the beginning.
    #[error("the end {to} is not after the beginning {from}")]
    NoTime {
        /// The beginning.
        from: Timestamp,
        /// The end.
        to: Timestamp,
    },
    /// Something in the tariff has no effect on the price.
    #[error("the tariff {tariff_id} holds what does not price: {}", list(.findings))]
    Warnings {
        /// The tariff.
        tariff_id: CiString,
        /// What it is.
        findings: Vec<Finding>,
    },
    /// It is assigned just so.
    #[error("the tariff is assigned just so already, as assignment {0}")]
    Repeated(i64),
    /// Something refers to it.
    #[error("{what} is in use: {by}")]
    InUse {
        /// What was to go.
        what: String,
        /// What refers to it.
        by: String,
    },
    /// A group holds places or tokens, not both.
    #[error("the group {name} holds {holds}")]
    WrongKind {
        /// Its name.
        name: CiString,
        /// What it holds.
        holds: &'static str,
    },
}

fn list(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl AssignError {
    fn missing(field: &'static str, what: impl Into<String>) -> Self {
        Self::Missing { what: what.into(), field }
    }
}

/// Assigns a tariff of ours. With `accept_warnings`, also one that holds what does not price.
///
/// # Errors
/// When anything that is named is not there, the tariff holds what does not price, or it is assigned so already.
pub fn assign(
    conn: &mut DbConn,
    new: &Assignment,
    accept_warnings: bool,
    now: Timestamp,
) -> Result<Assignment, AssignError> {
    let tariff = match tariffs::find_with_owner(conn, &new.party, &new.tariff_id)? {
        Some((tariff, None)) => tariff,
        Some((tariff, Some(_))) => return Err(AssignError::NotOurs(tariff.id)),
        None => {
            let what = format!("tariff {} of {}", new.tariff_id, new.party);
            return Err(AssignError::missing("tariff_id", what));
        }
    };
    if let (Some(from), Some(to)) = (new.valid_from, new.valid_to)
        && to <= from
    {
        return Err(AssignError::NoTime { from, to });
    }
    check_place(conn, &new.party, &new.place)?;
    check_buyers(conn, &new.buyers)?;
    let findings = pricing_warnings(&tariff);
    if !findings.is_empty() && !accept_warnings {
        return Err(AssignError::Warnings { tariff_id: tariff.id, findings });
    }
    let known = assignments::of_tariff(conn, &new.party, &new.tariff_id)?;
    let same =
        |known: &&Assignment| Assignment { id: new.id, created: new.created, ..(*known).clone() } == *new;
    if let Some(known) = known.iter().find(same) {
        return Err(AssignError::Repeated(known.id));
    }
    // With the id as the tariff writes it.
    let mut new = Assignment { tariff_id: tariff.id, ..new.clone() };
    new.id = assignments::insert(conn, &new)?;
    announce(conn, &new, Turn::Comes, now)?;
    Ok(new)
}

fn check_place(conn: &mut DbConn, party: &PartyId, place: &Place) -> Result<(), AssignError> {
    match place {
        Place::Party => Ok(()),
        Place::Location { location_id } => location_of(conn, party, location_id).map(|_| ()),
        Place::Evse { location_id, evse_uid } => {
            match location_of(conn, party, location_id)?.evse(evse_uid) {
                Some(_) => Ok(()),
                None => {
                    let what = format!("EVSE {evse_uid} at location {location_id}");
                    Err(AssignError::missing("evse_uid", what))
                }
            }
        }
        Place::Connector(connector) => check_connector(conn, party, connector),
        Place::Group { group } => match group_named(conn, group)?.members {
            Members::Places(_) => Ok(()),
            Members::Tokens(_) => Err(AssignError::WrongKind { name: group.clone(), holds: "tokens" }),
        },
    }
}

fn location_of(conn: &mut DbConn, party: &PartyId, id: &CiString) -> Result<Location, AssignError> {
    match locations::find_with_owner(conn, party, id)? {
        Some((location, None)) => Ok(location),
        _ => Err(AssignError::missing("location_id", format!("location {id} of {party}"))),
    }
}

fn check_connector(conn: &mut DbConn, party: &PartyId, connector: &ConnectorRef) -> Result<(), AssignError> {
    let location = location_of(conn, party, &connector.location_id)?;
    let evse = location.evse(&connector.evse_uid);
    match evse.and_then(|evse| evse.connector(&connector.connector_id)) {
        Some(_) => Ok(()),
        None => Err(AssignError::missing("connector_id", format!("connector {connector} of {party}"))),
    }
}

fn check_buyers(conn: &mut DbConn, buyers: &Buyers) -> Result<(), AssignError> {
    match buyers {
        // An eMSP need not be known: it may register later, or stand behind a hub.
        Buyers::Everybody | Buyers::Emsp { .. } => Ok(()),
        Buyers::Partner { id } => match partners::find(conn, *id)? {
            Some(partner) if partner.status != PartnerStatus::Removed => Ok(()),
            _ => Err(AssignError::missing("partner", format!("partner {id}"))),
        },
        Buyers::TokenGroup { group } => match group_named(conn, group)?.members {
            Members::Tokens(_) => Ok(()),
            Members::Places(_) => Err(AssignError::WrongKind { name: group.clone(), holds: "places" }),
        },
    }
}

fn group_named(conn: &mut DbConn, name: &CiString) -> Result<Group, AssignError> {
    tariff_groups::find(conn, name)?.ok_or_else(|| AssignError::missing("group", format!("group {name}")))
}

/// The partner that somebody means by its name, or by its number.
///
/// # Errors
/// When there is none.
pub fn partner_named(conn: &mut DbConn, text: &str) -> Result<Partner, AssignError> {
    let by_name = partners::by_name(conn, text)?;
    let found = match (by_name, text.parse()) {
        (None, Ok(id)) => partners::find(conn, id)?,
        (found, _) => found,
    };
    let there = found.filter(|partner| partner.status != PartnerStatus::Removed);
    there.ok_or_else(|| AssignError::missing("partner", format!("partner '{text}'")))
}

/// Takes an assignment back; the assignment, if there was one.
///
/// # Errors
/// When the database fails.
pub fn unassign(conn: &mut DbConn, id: i64, now: Timestamp) -> Result<Option<Assignment>, AssignError> {
    let Some(assignment) = assignments::find(conn, id)? else { return Ok(None) };
    assignments::remove(conn, id)?;
    announce(conn, &assignment, Turn::Goes, now)?;
    Ok(Some(assignment))
}

/// Removes a tariff of ours that nothing refers to any more (OCPI 2.2.1 mod_tariffs, "DELETE Method": no connector
/// should name it); whether it was there. Charges that began with it are priced by the copy that they hold.
///
/// # Errors
/// When it is a partner's, is assigned, or a connector names it.
pub fn withdraw(
    conn: &mut DbConn,
    party: &PartyId,
    id: &CiString,
    now: Timestamp,
) -> Result<bool, AssignError> {
    match tariffs::find_with_owner(conn, party, id)? {
        None => return Ok(false),
        Some((tariff, Some(_))) => return Err(AssignError::NotOurs(tariff.id)),
        Some((_, None)) => {}
    }
    let in_use = |by| AssignError::InUse { what: format!("the tariff {id} of {party}"), by };
    let assigned = assignments::of_tariff(conn, party, id)?;
    if !assigned.is_empty() {
        let numbers: Vec<String> = assigned.iter().map(|assignment| assignment.id.to_string()).collect();
        return Err(in_use(format!("assignment {}", numbers.join(", "))));
    }
    if is_named(conn, party, id)? {
        return Err(in_use("connectors name it in their tariff_ids".to_owned()));
    }
    Ok(catalogue::remove_tariff(conn, party, id, now)?)
}

/// Writes a group, new or in place of the one of that name. Where tariffs are assigned to it, what comes and what
/// goes counts as changed.
///
/// # Errors
/// When a connector is none of ours, or the group is in use and of another kind.
pub fn put_group(conn: &mut DbConn, group: &Group, now: Timestamp) -> Result<(), AssignError> {
    if let Members::Places(members) = &group.members {
        for member in members {
            check_member(conn, member)?;
        }
    }
    let before = tariff_groups::find(conn, &group.name)?;
    let used = users_of(conn, &group.name)?;
    if let Some(before) = &before {
        check_kind(before, group, &used)?;
    }
    let mut old = Vec::new();
    for assignment in &used {
        let reach = reach_of(conn, &assignment.party, &assignment.place)?;
        old.push((reach, audience_of(conn, &assignment.buyers)?));
    }
    tariff_groups::upsert(conn, group)?;
    for (assignment, (reach, audience)) in used.iter().zip(old) {
        let Assignment { party, tariff_id, place, buyers, .. } = assignment;
        let now_reached = reach_of(conn, party, place)?;
        let reach = both_reach(reach, now_reached);
        let gone = audience.clone();
        let audience = both_audiences(audience, audience_of(conn, buyers)?);
        announce_at(conn, party, tariff_id, reach.clone(), audience, Turn::Comes, now)?;
        if matches!(buyers, Buyers::TokenGroup { .. }) {
            // Those whose tokens are no longer in it may not be told any more; for others nothing goes.
            announce_at(conn, party, tariff_id, Reach::Connectors(Vec::new()), gone, Turn::Goes, now)?;
        }
    }
    Ok(())
}

fn check_kind(before: &Group, group: &Group, used: &[Assignment]) -> Result<(), AssignError> {
    let holds = match (&before.members, &group.members) {
        (Members::Places(_), Members::Tokens(_)) => "places",
        (Members::Tokens(_), Members::Places(_)) => "tokens",
        _ => return Ok(()),
    };
    if used.is_empty() { Ok(()) } else { Err(AssignError::WrongKind { name: before.name.clone(), holds }) }
}

fn both_reach(one: Reach, other: Reach) -> Reach {
    match (one, other) {
        (Reach::Connectors(mut all), Reach::Connectors(more)) => {
            for connector in more {
                if !all.contains(&connector) {
                    all.push(connector);
                }
            }
            Reach::Connectors(all)
        }
        (_, other) => other,
    }
}

fn both_audiences(one: Audience, other: Audience) -> Audience {
    match (one, other) {
        (Audience::Partners(mut all), Audience::Partners(more)) => {
            all.extend(more);
            all.sort_unstable();
            all.dedup();
            Audience::Partners(all)
        }
        _ => Audience::Everybody,
    }
}

/// A member of a group of places is a station, or a connector of one of our parties.
fn check_member(conn: &mut DbConn, member: &PlaceMember) -> Result<(), AssignError> {
    match member {
        PlaceMember::Station(id) => {
            let found = match StationId::parse(id) {
                Ok(id) => stations::find(conn, &id)?.is_some(),
                Err(_) => false,
            };
            if found { Ok(()) } else { Err(AssignError::missing("stations", format!("station {id}"))) }
        }
        PlaceMember::Connector(connector) => {
            let ours = locations::ours_by_id(conn, &connector.location_id)?;
            let known = ours.iter().any(|location| {
                let evse = location.evse(&connector.evse_uid);
                evse.and_then(|evse| evse.connector(&connector.connector_id)).is_some()
            });
            if known {
                Ok(())
            } else {
                Err(AssignError::missing("connectors", format!("connector {connector} of ours")))
            }
        }
    }
}

/// Removes a group to which nothing is assigned; whether it was there.
///
/// # Errors
/// When a tariff is assigned to it.
pub fn remove_group(conn: &mut DbConn, name: &CiString) -> Result<bool, AssignError> {
    let used = users_of(conn, name)?;
    if !used.is_empty() {
        let numbers: Vec<String> = used.iter().map(|assignment| assignment.id.to_string()).collect();
        let by = format!("assignment {}", numbers.join(", "));
        return Err(AssignError::InUse { what: format!("the group {name}"), by });
    }
    Ok(tariff_groups::remove(conn, name)?)
}

/// The assignments to a group.
fn users_of(conn: &mut DbConn, name: &CiString) -> Result<Vec<Assignment>, DbError> {
    let mut all = assignments::all(conn)?;
    all.retain(|assignment| {
        matches!(&assignment.place, Place::Group { group } if group == name)
            || matches!(&assignment.buyers, Buyers::TokenGroup { group } if group == name)
    });
    Ok(all)
}

/// Connectors within an assignment's places that name tariffs themselves: at a place that says less than a
/// connector does, what they name goes before what is assigned to everybody.
///
/// # Errors
/// When the database fails.
pub fn naming_themselves(conn: &mut DbConn, assignment: &Assignment) -> Result<usize, AssignError> {
    if assignment.buyers != Buyers::Everybody || assignment.place.rank() >= Place::CONNECTOR_RANK {
        return Ok(0);
    }
    let named = locations::named_tariffs(conn)?;
    if !named.iter().any(|(party, _)| *party == assignment.party) {
        return Ok(0);
    }
    let reach = reach_of(conn, &assignment.party, &assignment.place)?;
    let only = assignment.place.location().cloned();
    let (mut count, mut seq) = (0, 0);
    loop {
        let some = locations::ours_behind(conn, &assignment.party, only.as_ref(), seq, 500)?;
        let Some((last, _)) = some.last() else { return Ok(count) };
        seq = *last;
        count += some
            .iter()
            .map(|(_, location)| naming_within(location, &reach, &assignment.tariff_id))
            .sum::<usize>();
    }
}

fn naming_within(location: &Location, reach: &Reach, tariff_id: &CiString) -> usize {
    let connectors = location.evses().flat_map(|evse| evse.connectors.iter().map(move |one| (evse, one)));
    let is_meant = |(evse, connector): &(&Evse, &Connector)| {
        let names = connector.tariff_ids.as_ref().is_some_and(|ids| !ids.is_empty());
        names && reach.covers(&location.id, &evse.uid, connector, tariff_id)
    };
    connectors.filter(is_meant).count()
}
