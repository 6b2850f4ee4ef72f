//! Which of our tariffs somebody sees: what is assigned to it or to everybody, and what connectors name
//! themselves. Other partners' special tariffs are nobody else's business.
//!
//! - A connector's `tariff_ids` (OCPI 2.2.1 mod_locations, "Connector Object") hold what prices a charge of the
//!   viewer's drivers there now or later. A tariff of a group of tokens is among them for the partners whose
//!   tokens the group holds. An id of a tariff that is not known here stays as it was imported.
//! - The Tariffs module tells what is assigned to the viewer, whether it is valid at the time or not, and what a
//!   connector of ours names. So a tariff is still told when its time is over, for charges that began with it go
//!   on, and is taken back when it is no longer assigned.

use crate::db::changes::audience;
use crate::db::tariff_news::Audience;
use crate::db::{DbConn, DbResult, assignments, goods, locations};
use crate::domain::assignment::{Assignment, Buyers, ConnectorRef, TokenMember};
use crate::domain::location::{Connector, Location};
use crate::domain::partner::{ModuleId, Partner};
use crate::domain::party::{PartyId, Role};
use crate::domain::{CiString, Timestamp};
use crate::pricing::choice::{Assigned, Goods, listed};
use crate::roaming::catalogue::roles_told_of;
use std::collections::{BTreeSet, HashSet};

/// Who looks at our tariffs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Somebody of whom nothing is known.
    Anybody,
    /// A partner with the eMSPs that it speaks for. Behind a hub are many, and what one may know would be told
    /// to all: so a hub sees only what is assigned to itself or to everybody.
    Partner {
        /// Our number for it.
        id: i64,
        /// Its eMSPs.
        emsps: Vec<PartyId>,
    },
}

impl Viewer {
    /// A partner.
    #[must_use]
    pub fn of(partner: &Partner) -> Self {
        let emsps = partner.roles.iter().filter(|role| role.role == Role::Emsp);
        Self::Partner { id: partner.id, emsps: emsps.map(|role| role.party.clone()).collect() }
    }

    fn may_see(&self, buyers: &Buyers, tokens: &[TokenMember]) -> bool {
        match (buyers, self) {
            (Buyers::Everybody, _) => true,
            (_, Self::Anybody) => false,
            (Buyers::Partner { id }, Self::Partner { id: own, .. }) => id == own,
            (Buyers::Emsp { party }, Self::Partner { emsps, .. }) => emsps.contains(party),
            (Buyers::TokenGroup { .. }, Self::Partner { emsps, .. }) => {
                tokens.iter().any(|member| emsps.contains(member.emsp()))
            }
        }
    }

    fn sees(&self, assigned: &Assigned) -> bool {
        self.may_see(&assigned.assignment.buyers, &assigned.tokens)
    }
}

/// A location of ours as somebody sees it: each connector with the tariffs that are valid for it now or later.
///
/// # Errors
/// When the database fails.
pub fn show_location(
    conn: &mut DbConn,
    mut location: Location,
    viewer: &Viewer,
    now: Timestamp,
) -> DbResult<Location> {
    let goods = goods::at(conn, &location)?;
    if goods.named.is_empty() && goods.assigned.is_empty() {
        return Ok(location);
    }
    let location_id = location.id.clone();
    for evse in location.evses.iter_mut().flatten() {
        let evse_uid = evse.uid.clone();
        for connector in &mut evse.connectors {
            let place = ConnectorRef {
                location_id: location_id.clone(),
                evse_uid: evse_uid.clone(),
                connector_id: connector.id.clone(),
            };
            show_tariffs(connector, &place, &goods, viewer, now);
        }
    }
    Ok(location)
}

fn show_tariffs(
    connector: &mut Connector,
    place: &ConnectorRef,
    goods: &Goods,
    viewer: &Viewer,
    now: Timestamp,
) {
    let offers = goods.at(place, connector, |assigned| viewer.sees(assigned));
    let valid: BTreeSet<&CiString> = listed(&offers, now).into_iter().map(|tariff| &tariff.id).collect();
    let stays = |id: &&CiString| goods.tariff_named(id).is_none() || valid.contains(id);
    let mut ids: Vec<CiString> = connector.tariff_ids.iter().flatten().filter(stays).cloned().collect();
    for offer in &offers {
        if valid.contains(&offer.tariff.id) && !ids.contains(&offer.tariff.id) {
            ids.push(offer.tariff.id.clone());
        }
    }
    // Missing and empty are told apart: a list that was empty stays so.
    if !ids.is_empty() {
        connector.tariff_ids = Some(ids);
    } else if connector.tariff_ids.as_ref().is_some_and(|ids| !ids.is_empty()) {
        connector.tariff_ids = None;
    }
}

/// The same for many locations.
///
/// # Errors
/// When the database fails.
pub fn show_locations(
    conn: &mut DbConn,
    locations: Vec<Location>,
    viewer: &Viewer,
    now: Timestamp,
) -> DbResult<Vec<Location>> {
    locations.into_iter().map(|location| show_location(conn, location, viewer, now)).collect()
}

/// The tariffs of ours that somebody is told of: party and folded id.
///
/// # Errors
/// When the database fails.
pub fn told_tariffs(conn: &mut DbConn, viewer: &Viewer) -> DbResult<HashSet<(PartyId, String)>> {
    let mut told = locations::named_tariffs(conn)?;
    for assignment in assignments::all(conn)? {
        let tokens = goods::tokens_of(conn, &assignment.buyers)?;
        if viewer.may_see(&assignment.buyers, &tokens) {
            told.insert((assignment.party, assignment.tariff_id.key()));
        }
    }
    Ok(told)
}

/// Whether somebody is told of a tariff of ours.
///
/// # Errors
/// When the database fails.
pub fn is_told_of(conn: &mut DbConn, viewer: &Viewer, party: &PartyId, id: &CiString) -> DbResult<bool> {
    if is_named(conn, party, id)? {
        return Ok(true);
    }
    for assignment in assignments::of_tariff(conn, party, id)? {
        let tokens = goods::tokens_of(conn, &assignment.buyers)?;
        if viewer.may_see(&assignment.buyers, &tokens) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a connector of ours names a tariff.
///
/// # Errors
/// When the database fails.
pub fn is_named(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<bool> {
    Ok(locations::named_tariffs(conn)?.contains(&(party.clone(), id.key())))
}

/// The partners whose drivers buyers are.
///
/// # Errors
/// When the database fails.
pub fn audience_of(conn: &mut DbConn, buyers: &Buyers) -> DbResult<Audience> {
    let emsps: Vec<PartyId> = match buyers {
        Buyers::Everybody => return Ok(Audience::Everybody),
        Buyers::Partner { id } => return Ok(Audience::Partners(vec![*id])),
        Buyers::Emsp { party } => vec![party.clone()],
        Buyers::TokenGroup { .. } => {
            let tokens = goods::tokens_of(conn, buyers)?;
            tokens.into_iter().map(|member| member.emsp().clone()).collect()
        }
    };
    partners_of(conn, &emsps)
}

/// The partners that speak for these eMSPs.
///
/// # Errors
/// When the database fails.
pub fn partners_of(conn: &mut DbConn, emsps: &[PartyId]) -> DbResult<Audience> {
    let mut partners = BTreeSet::new();
    for emsp in emsps {
        partners.extend(crate::db::partners::of_party(conn, emsp, &Role::Emsp)?);
    }
    Ok(Audience::Partners(partners.into_iter().collect()))
}

/// All partners that are told of a tariff of ours.
///
/// # Errors
/// When the database fails.
pub fn audience_of_tariff(conn: &mut DbConn, party: &PartyId, id: &CiString) -> DbResult<Audience> {
    if is_named(conn, party, id)? {
        return Ok(Audience::Everybody);
    }
    let mut partners = BTreeSet::new();
    for Assignment { buyers, .. } in assignments::of_tariff(conn, party, id)? {
        match audience_of(conn, &buyers)? {
            Audience::Everybody => return Ok(Audience::Everybody),
            Audience::Partners(some) => partners.extend(some),
        }
    }
    Ok(Audience::Partners(partners.into_iter().collect()))
}

/// Those of an audience to whom changes of a module are pushed.
///
/// # Errors
/// When the database fails.
pub fn pushed_to(conn: &mut DbConn, module: &ModuleId, meant: &Audience) -> DbResult<Vec<i64>> {
    let mut told = audience(conn, roles_told_of(module))?;
    if let Audience::Partners(some) = meant {
        told.retain(|id| some.contains(id));
    }
    Ok(told)
}
