//! Everything that can price a charge at a location, brought together for [`crate::pricing::choice`].

use super::{DbConn, DbResult, assignments, locations, stations, tariff_groups, tariffs};
use crate::domain::CiString;
use crate::domain::assignment::{Buyers, ConnectorRef, Members, Place, PlaceMember, TokenMember};
use crate::domain::location::Location;
use crate::domain::party::PartyId;
use crate::pricing::choice::{Assigned, Goods};
use std::collections::BTreeSet;

/// What can price a charge at a location of ours.
///
/// # Errors
/// When the database fails.
pub fn at(conn: &mut DbConn, location: &Location) -> DbResult<Goods> {
    let party = &location.party;
    let assignments = assignments::at(conn, party, &location.id)?;
    let named = locations::named_by(location);
    let keys: BTreeSet<String> = named
        .iter()
        .cloned()
        .chain(assignments.iter().map(|assignment| assignment.tariff_id.key()))
        .collect();
    let tariffs = tariffs::ours_by_keys(conn, party, &keys.into_iter().collect::<Vec<_>>())?;
    let mut assigned = Vec::with_capacity(assignments.len());
    for assignment in assignments {
        let Some(tariff) = tariffs.iter().find(|tariff| tariff.id == assignment.tariff_id) else { continue };
        let connectors = match &assignment.place {
            Place::Group { group } => connectors_at(conn, party, group, &location.id)?,
            _ => Vec::new(),
        };
        let tokens = tokens_of(conn, &assignment.buyers)?;
        assigned.push(Assigned { assignment, tariff: tariff.clone(), connectors, tokens });
    }
    let named = tariffs.into_iter().filter(|tariff| named.contains(&tariff.id.key())).collect();
    Ok(Goods { named, assigned })
}

/// The members of the group of tokens that buyers are; none where they are no group.
///
/// # Errors
/// When the database fails.
pub fn tokens_of(conn: &mut DbConn, buyers: &Buyers) -> DbResult<Vec<TokenMember>> {
    let Buyers::TokenGroup { group } = buyers else { return Ok(Vec::new()) };
    Ok(match tariff_groups::find(conn, group)?.map(|group| group.members) {
        Some(Members::Tokens(tokens)) => tokens,
        _ => Vec::new(),
    })
}

/// The connectors at a location that a group of places holds.
fn connectors_at(
    conn: &mut DbConn,
    party: &PartyId,
    group: &CiString,
    location_id: &CiString,
) -> DbResult<Vec<ConnectorRef>> {
    let members = places_of(conn, group)?;
    let mut found = connectors_of(conn, party, &members)?;
    found.retain(|connector| connector.location_id == *location_id);
    Ok(found)
}

fn places_of(conn: &mut DbConn, group: &CiString) -> DbResult<Vec<PlaceMember>> {
    Ok(match tariff_groups::find(conn, group)?.map(|group| group.members) {
        Some(Members::Places(places)) => places,
        _ => Vec::new(),
    })
}

/// The connectors of a party that members of a group stand for, those of a station as they are now.
///
/// # Errors
/// When the database fails.
pub fn connectors_of(
    conn: &mut DbConn,
    party: &PartyId,
    members: &[PlaceMember],
) -> DbResult<Vec<ConnectorRef>> {
    let mut found = Vec::new();
    for member in members {
        match member {
            PlaceMember::Connector(connector) => found.push(connector.clone()),
            PlaceMember::Station(id) => found.extend(stations::connectors_of(conn, party, id)?),
        }
    }
    Ok(found)
}
