//! What our own parties own and an operator changes: locations, tariffs, tokens. Each change is written together
//! with the marks that say which partners have to be told of it; the delivery worker does the telling.

use super::goods::{audience_of_tariff, is_named, pushed_to};
use super::spread::{announce_everywhere, touch_tariff};
use crate::db::changes::{self, ObjectKey, mark_for_roles};
use crate::db::tariff_news::Audience;
use crate::db::{DbConn, DbResult, assignments, locations, partners, tariffs, tokens};
use crate::domain::location::Location;
use crate::domain::partner::{ModuleId, PartnerStatus};
use crate::domain::party::{LOCATION_AUDIENCE, PartyId, Role};
use crate::domain::tariff::Tariff;
use crate::domain::token::{Token, TokenKey};
use crate::domain::{CiString, Timestamp};

/// The roles whose partners are told of our objects of a module (OCPI 2.2.1, the "Typically implemented by" of
/// each module). A hub stands for all that are behind it.
#[must_use]
pub fn roles_told_of(module: &ModuleId) -> &'static [Role] {
    match module {
        ModuleId::Locations | ModuleId::Tariffs => LOCATION_AUDIENCE,
        ModuleId::Tokens => &[Role::Cpo, Role::Hub],
        _ => &[],
    }
}

fn mark(conn: &mut DbConn, module: &ModuleId, key: &ObjectKey, now: Timestamp) -> DbResult<Vec<i64>> {
    mark_for_roles(conn, roles_told_of(module), module, key, now)
}

/// Writes a location of ours, and marks it for the partners that are returned.
///
/// # Errors
/// When the database fails.
pub fn put_location(conn: &mut DbConn, location: &Location, now: Timestamp) -> DbResult<Vec<i64>> {
    let before = locations::find(conn, &location.party, &location.id)?;
    locations::upsert(conn, location, None)?;
    let named = before.as_ref().map(locations::named_by).unwrap_or_default();
    tell_newly_named(conn, location, &named, now)?;
    // What partners never were told of, they need not be told is not for them.
    if !location.is_for_partners() && !before.is_some_and(|before| before.is_for_partners()) {
        return Ok(Vec::new());
    }
    mark(conn, &ModuleId::Locations, &ObjectKey::of_location(&location.party, &location.id), now)
}

/// A tariff that a connector begins to name is told from then on, and one that none names any more and that is not
/// assigned either is taken back ([`super::goods`]).
fn tell_newly_named(
    conn: &mut DbConn,
    location: &Location,
    before: &[String],
    now: Timestamp,
) -> DbResult<()> {
    let party = &location.party;
    let named = locations::named_by(location);
    let others = |ids: &[String], than: &[String]| -> Vec<String> {
        ids.iter().filter(|id| !than.contains(id)).cloned().collect()
    };
    for tariff in tariffs::ours_by_keys(conn, party, &others(&named, before))? {
        touch_tariff(conn, party, &tariff.id, &Audience::Everybody, now)?;
    }
    for tariff in tariffs::ours_by_keys(conn, party, &others(before, &named))? {
        if !is_named(conn, party, &tariff.id)? {
            mark(conn, &ModuleId::Tariffs, &ObjectKey::of_tariff(party, &tariff.id), now)?;
        }
    }
    Ok(())
}

/// Writes a tariff of ours, and marks it for the partners that are returned: those that are told of it. When its
/// type or its time changes, other charges are priced by it, and connectors list other tariffs.
///
/// # Errors
/// When the database fails.
pub fn put_tariff(conn: &mut DbConn, tariff: &Tariff, now: Timestamp) -> DbResult<Vec<i64>> {
    let prices = |tariff: &Tariff| (tariff.tariff_type.clone(), tariff.start_date_time, tariff.end_date_time);
    let before = tariffs::find(conn, &tariff.party, &tariff.id)?;
    tariffs::upsert(conn, tariff, None)?;
    if before.is_some_and(|before| prices(&before) != prices(tariff)) {
        announce_everywhere(conn, &tariff.party, &tariff.id, now)?;
    }
    let audience = audience_of_tariff(conn, &tariff.party, &tariff.id)?;
    let told = pushed_to(conn, &ModuleId::Tariffs, &audience)?;
    mark_tariff(conn, tariff, &told, now)?;
    Ok(told)
}

fn mark_tariff(conn: &mut DbConn, tariff: &Tariff, partners: &[i64], now: Timestamp) -> DbResult<()> {
    let key = ObjectKey::of_tariff(&tariff.party, &tariff.id);
    for partner in partners {
        changes::mark(conn, *partner, &ModuleId::Tariffs, &key, now)?;
    }
    Ok(())
}

/// Removes a tariff of ours with its assignments, and marks it for the partners that knew it, which are told by
/// DELETE; whether it was there.
///
/// # Errors
/// When the database fails.
pub fn remove_tariff(conn: &mut DbConn, party: &PartyId, id: &CiString, now: Timestamp) -> DbResult<bool> {
    // Partners know it under the id as we wrote it.
    let Some((tariff, None)) = tariffs::find_with_owner(conn, party, id)? else { return Ok(false) };
    let audience = audience_of_tariff(conn, party, id)?;
    announce_everywhere(conn, party, id, now)?;
    for assignment in assignments::of_tariff(conn, party, id)? {
        assignments::remove(conn, assignment.id)?;
    }
    tariffs::remove(conn, party, id)?;
    let told = pushed_to(conn, &ModuleId::Tariffs, &audience)?;
    mark_tariff(conn, &tariff, &told, now)?;
    Ok(true)
}

/// Writes a token of ours, and marks it for the partners that are returned.
///
/// # Errors
/// When the database fails.
pub fn put_token(conn: &mut DbConn, token: &Token, now: Timestamp) -> DbResult<Vec<i64>> {
    tokens::upsert(conn, token, None)?;
    mark(conn, &ModuleId::Tokens, &ObjectKey::of_token(&token.key()), now)
}

/// Blocks a token of ours or takes the block away, and marks it for the partners; the token as it is then, or
/// nothing when there is none of ours.
///
/// # Errors
/// When the database fails.
pub fn set_token_valid(
    conn: &mut DbConn,
    key: &TokenKey,
    valid: bool,
    now: Timestamp,
) -> DbResult<Option<Token>> {
    let Some((mut token, None)) = tokens::find(conn, key)? else { return Ok(None) };
    if token.valid != valid {
        token.valid = valid;
        token.last_updated = now;
        put_token(conn, &token, now)?;
    }
    Ok(Some(token))
}

/// What became of a token that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRemoval {
    /// No partner had it; it is gone.
    Removed,
    /// Partners hold it, and OCPI has no message that removes a token: it is blocked, they are told so, and it
    /// stays so that they can be told again.
    Blocked,
    /// There is none of ours.
    Unknown,
}

/// Takes a token of ours out of use: removes it, or, where partners may hold it, blocks it for good (OCPI 2.2.1
/// mod_tokens, "Push model": deleting is not possible).
///
/// # Errors
/// When the database fails.
pub fn remove_token(conn: &mut DbConn, key: &TokenKey, now: Timestamp) -> DbResult<TokenRemoval> {
    let Some((token, None)) = tokens::find(conn, key)? else { return Ok(TokenRemoval::Unknown) };
    let told = roles_told_of(&ModuleId::Tokens);
    let held = partners::all(conn)?.iter().any(|partner| {
        partner.status != PartnerStatus::Invited && partner.roles.iter().any(|role| told.contains(&role.role))
    });
    if !held {
        tokens::remove(conn, key)?;
        return Ok(TokenRemoval::Removed);
    }
    if token.valid {
        set_token_valid(conn, key, false, now)?;
    }
    Ok(TokenRemoval::Blocked)
}
