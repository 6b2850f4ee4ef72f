//! What a partner may see of ours: locations that are for partners, the tariffs that are for it or for everybody,
//! the sessions and CDRs of its own drivers, and, if it operates stations, our tokens.
//!
//! A list is read between writes, so that a partner that asks for what changed since it last asked misses nothing.
//!
//! A request that names one of our parties (the `OCPI-to` headers) is about that party's objects; without, it is
//! about all of ours.

use super::catalogue::roles_told_of;
use super::goods::{Viewer, show_location, show_locations, told_tariffs};
use crate::app::App;
use crate::db::cdrs::CdrFilter;
use crate::db::changes::{self, Change, ObjectKey};
use crate::db::locations::Owner;
use crate::db::page::{Page, Slice};
use crate::db::sessions::SessionFilter;
use crate::db::{DbResult, cdrs, locations, sessions, tariffs, tokens};
use crate::domain::CiString;
use crate::domain::cdr::Cdr;
use crate::domain::location::Location;
use crate::domain::partner::{ModuleId, Partner};
use crate::domain::party::{PartyId, Role};
use crate::domain::session::Session;
use crate::domain::tariff::Tariff;
use crate::domain::token::Token;

fn owner(to: Option<&PartyId>) -> Owner {
    to.map_or(Owner::Ours, |party| Owner::Party(party.clone()))
}

/// The eMSPs whose drivers' sessions and CDRs a partner may see.
fn emsps_of(partner: &Partner) -> Vec<PartyId> {
    let emsps = partner.roles.iter().filter(|role| role.role == Role::Emsp);
    emsps.map(|role| role.party.clone()).collect()
}

/// A page of our locations.
///
/// # Errors
/// When the database fails.
pub async fn locations(
    app: &App,
    partner: &Partner,
    to: Option<&PartyId>,
    page: Page,
) -> DbResult<Slice<Location>> {
    let (owner, viewer, now) = (owner(to), Viewer::of(partner), app.now());
    app.db
        .read_between_writes(move |conn| {
            let Slice { items, total } = locations::list_for_partners(conn, &owner, page)?;
            Ok(Slice { items: show_locations(conn, items, &viewer, now)?, total })
        })
        .await
}

/// One location of ours.
///
/// # Errors
/// When the database fails.
pub async fn location(
    app: &App,
    partner: &Partner,
    to: Option<&PartyId>,
    id: CiString,
) -> DbResult<Option<Location>> {
    let (to, viewer, now) = (to.cloned(), Viewer::of(partner), app.now());
    app.db
        .read(move |conn| {
            let asked = |location: &Location| to.as_ref().is_none_or(|party| location.party == *party);
            let mut ours = locations::ours_by_id(conn, &id)?.into_iter();
            let found = ours.find(|location| asked(location) && location.is_for_partners());
            found.map(|location| show_location(conn, location, &viewer, now)).transpose()
        })
        .await
}

/// Which of our parties has a location of that id, published or not: its stations may be used all the same.
///
/// # Errors
/// When the database fails.
pub async fn owner_of_location(app: &App, to: Option<&PartyId>, id: CiString) -> DbResult<Option<PartyId>> {
    let to = to.cloned();
    let ours = app.db.read(move |conn| locations::ours_by_id(conn, &id)).await?;
    let mut owners = ours.into_iter().map(|location| location.party);
    Ok(owners.find(|party| to.as_ref().is_none_or(|to| to == party)))
}

/// A page of our tariffs, as far as the partner is told of them.
///
/// # Errors
/// When the database fails.
pub async fn tariffs(
    app: &App,
    partner: &Partner,
    to: Option<&PartyId>,
    page: Page,
) -> DbResult<Slice<Tariff>> {
    let (owner, viewer) = (owner(to), Viewer::of(partner));
    app.db
        .read_between_writes(move |conn| {
            let told = told_tariffs(conn, &viewer)?;
            tariffs::list_told(conn, &owner, &told, page)
        })
        .await
}

/// A page of the sessions of a partner's drivers with us.
///
/// # Errors
/// When the database fails.
pub async fn sessions(
    app: &App,
    partner: &Partner,
    to: Option<&PartyId>,
    page: Page,
) -> DbResult<Slice<Session>> {
    let filter = SessionFilter { owner: owner(to), emsps: Some(emsps_of(partner)), status: None };
    app.db.read_between_writes(move |conn| sessions::list(conn, &filter, page)).await
}

/// One session of ours, if it is of one of the partner's drivers.
///
/// # Errors
/// When the database fails.
pub async fn session(app: &App, partner: &Partner, id: CiString) -> DbResult<Option<Session>> {
    let partner = partner.clone();
    app.db
        .read(move |conn| {
            let Some(session) = sessions::find_ours(conn, &id)? else { return Ok(None) };
            let may_see = match &session.cdr_token.party {
                Some(emsp) => super::receive::may_act_for(conn, &partner, emsp, &Role::Emsp)?,
                None => false,
            };
            Ok(may_see.then_some(session))
        })
        .await
}

/// A page of the CDRs of a partner's drivers with us, and which of them the partner would still be told of: to be
/// given to [`cdrs_were_taken`] when the page has gone out.
///
/// # Errors
/// When the database fails.
pub async fn cdrs(
    app: &App,
    partner: &Partner,
    to: Option<&PartyId>,
    page: Page,
) -> DbResult<(Slice<Cdr>, Vec<Change>)> {
    let filter = CdrFilter { emsps: Some(emsps_of(partner)), ..CdrFilter::of(owner(to)) };
    let partner_id = partner.id;
    app.db
        .read_between_writes(move |conn| {
            let slice = cdrs::list(conn, &filter, page)?;
            let keys: Vec<_> = slice.items.iter().map(|cdr| ObjectKey::of(&cdr.party, &cdr.id)).collect();
            let untold = changes::of_objects(conn, partner_id, &ModuleId::Cdrs, &keys)?;
            Ok((slice, untold))
        })
        .await
}

/// Notes that a partner has CDRs because it pulled them: they are not posted to it any more, nor offered again
/// where it refused them. One that was marked anew since it was read, because the partner registered again, still
/// is.
///
/// # Errors
/// When the database fails.
pub async fn cdrs_were_taken(app: &App, untold: Vec<Change>) -> DbResult<()> {
    if untold.is_empty() {
        return Ok(());
    }
    app.db
        .write(move |conn| {
            for change in &untold {
                changes::delivered(conn, change)?;
            }
            Ok(())
        })
        .await
}

/// Whether a partner may know our tokens: who knows a card's uid can copy the card, so only those who operate
/// stations, or reach some, are told.
#[must_use]
pub fn may_know_tokens(partner: &Partner) -> bool {
    partner.roles.iter().any(|role| roles_told_of(&ModuleId::Tokens).contains(&role.role))
}

/// A page of our tokens.
///
/// # Errors
/// When the database fails.
pub async fn tokens(app: &App, to: Option<&PartyId>, page: Page) -> DbResult<Slice<Token>> {
    let owner = owner(to);
    app.db.read_between_writes(move |conn| tokens::list(conn, &owner, page)).await
}
