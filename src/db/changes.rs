//! What partners have to be told: one row for each partner and object that changed.
//!
//! A change raises the row's generation in the transaction that makes the change. The worker of the partner
//! reads the row and the object, sends, and removes the row only if the generation is still the one it read:
//! so a change while it was sending is never lost, and many changes cost one message.

pub use super::object_key::ObjectKey;

use super::locations::Owner;
use super::page::Page;
use super::portable::PortableExt;
use super::schema::{partner_changes, partner_roles, partners};
use super::types::Instant;
use super::{DbConn, DbResult, tariffs};
use crate::domain::Timestamp;
use crate::domain::partner::{ModuleId, PartnerStatus};
use crate::domain::party::{PartyId, Role};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::HashSet;

/// Objects that are looked up with one query: SQLite bounds what is bound.
const KEYS_AT_ONCE: usize = 500;

/// An object that a partner has to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The partner.
    pub partner_id: i64,
    /// The module.
    pub module: ModuleId,
    /// The object.
    pub key: ObjectKey,
    /// Rises with each change of the object.
    pub generation: i64,
    /// When it first changed since the partner was told.
    pub changed_at: Timestamp,
    /// How often it was refused.
    pub attempts: i32,
    /// Why it was set aside, if it was.
    pub set_aside: Option<String>,
}

/// Marks an object for one partner.
///
/// # Errors
/// When the database fails.
pub fn mark(
    conn: &mut DbConn,
    partner_id: i64,
    module: &ModuleId,
    key: &ObjectKey,
    now: Timestamp,
) -> DbResult<()> {
    diesel::insert_into(partner_changes::table)
        .values((
            partner_changes::partner_id.eq(partner_id),
            partner_changes::module.eq(module.as_str()),
            partner_changes::object_key.eq(&key.0),
            partner_changes::generation.eq(1),
            partner_changes::changed_at.eq(now),
            partner_changes::attempts.eq(0),
        ))
        .on_conflict((partner_changes::partner_id, partner_changes::module, partner_changes::object_key))
        .do_update()
        .set((
            partner_changes::generation.eq(partner_changes::generation + 1),
            partner_changes::attempts.eq(0),
            partner_changes::set_aside.eq(None::<String>),
        ))
        .portable()
        .execute(conn)?;
    Ok(())
}

/// The states of partners for whom changes are kept. What changes while a partner is suspended is told when it
/// no longer is.
fn told_of_changes() -> [String; 2] {
    [PartnerStatus::Registered, PartnerStatus::Suspended].map(|status| status.as_str().to_owned())
}

/// The partners to whom changes are pushed, that play one of the roles (any, when none is named).
///
/// # Errors
/// When the database fails.
pub fn audience(conn: &mut DbConn, roles: &[Role]) -> DbResult<Vec<i64>> {
    let mut query = partners::table
        .inner_join(partner_roles::table)
        .filter(partners::status.eq_any(told_of_changes()))
        .filter(partners::delivery.ne("pull_only"))
        .select(partners::id)
        .distinct()
        .into_boxed::<super::Backend>();
    if !roles.is_empty() {
        let words: Vec<String> = roles.iter().map(|role| role.as_str().to_owned()).collect();
        query = query.filter(partner_roles::role.eq_any(words));
    }
    Ok(query.load(conn)?)
}

/// The partner to whom changes are pushed that speaks for a party in a role.
///
/// # Errors
/// When the database fails.
pub fn speaker(conn: &mut DbConn, party: &PartyId, role: &Role) -> DbResult<Option<i64>> {
    Ok(partners::table
        .inner_join(partner_roles::table)
        .filter(partner_roles::country_code.eq(party.country_code()))
        .filter(partner_roles::party_id.eq(party.party_id()))
        .filter(partner_roles::role.eq(role.as_str()))
        .filter(partners::status.eq_any(told_of_changes()))
        .filter(partners::delivery.ne("pull_only"))
        .select(partners::id)
        .first(conn)
        .optional()?)
}

/// Marks an object for every partner that plays one of the roles; the partners marked.
///
/// # Errors
/// When the database fails.
pub fn mark_for_roles(
    conn: &mut DbConn,
    roles: &[Role],
    module: &ModuleId,
    key: &ObjectKey,
    now: Timestamp,
) -> DbResult<Vec<i64>> {
    let ids = audience(conn, roles)?;
    for id in &ids {
        mark(conn, *id, module, key, now)?;
    }
    Ok(ids)
}

/// Marks all of our objects of a module, apart from tariffs, that a partner may be told of: every token, locations that are
/// for partners, sessions and CDRs of the eMSP that is named. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn mark_all(
    conn: &mut DbConn,
    partner_id: i64,
    module: &ModuleId,
    emsp: Option<&PartyId>,
    now: Timestamp,
) -> DbResult<usize> {
    let (id, source) = match module {
        // As `ObjectKey::of_location` escapes.
        ModuleId::Locations => {
            ("replace(replace(id, '%', '%25'), '#', '%23')", "locations WHERE partner_id IS NULL AND publish")
        }
        ModuleId::Tokens => ("token_type || '*' || uid", "tokens WHERE partner_id IS NULL"),
        ModuleId::Sessions => ("id", "sessions WHERE partner_id IS NULL"),
        ModuleId::Cdrs => ("id", "cdrs WHERE partner_id IS NULL"),
        _ => return Ok(0),
    };
    let of_emsp = matches!(module, ModuleId::Sessions | ModuleId::Cdrs);
    let (country, party) = emsp.map_or(("", ""), |emsp| (emsp.country_code(), emsp.party_id()));
    let drivers = if of_emsp { "AND token_country = $4 AND token_party = $5" } else { "" };
    // The keys are those of `ObjectKey`. One statement, for there may be very many.
    let statement = diesel::sql_query(format!(
        "INSERT INTO partner_changes (partner_id, module, object_key, generation, changed_at, attempts) \
         SELECT $1, $2, country_code || '*' || party_id || '*' || {id}, 1, $3, 0 FROM {source} {drivers} \
         ON CONFLICT (partner_id, module, object_key) DO UPDATE \
         SET generation = partner_changes.generation + 1, attempts = 0, set_aside = NULL"
    ))
    .bind::<BigInt, _>(partner_id)
    .bind::<Text, _>(module.as_str())
    .bind::<Instant, _>(now);
    Ok(if of_emsp {
        statement.bind::<Text, _>(country).bind::<Text, _>(party).execute(conn)?
    } else {
        statement.execute(conn)?
    })
}

/// Marks those of our tariffs that a partner is told of (party and folded id). Returns how many.
///
/// # Errors
/// When the database fails.
pub fn mark_tariffs(
    conn: &mut DbConn,
    partner_id: i64,
    told: &HashSet<(PartyId, String)>,
    now: Timestamp,
) -> DbResult<usize> {
    // Tariffs are few, and their columns hold folded ids.
    let mut page = Page::first(500);
    let mut marked = 0;
    loop {
        let slice = tariffs::list_told(conn, &Owner::Ours, told, page)?;
        for tariff in &slice.items {
            let key = ObjectKey::of_tariff(&tariff.party, &tariff.id);
            mark(conn, partner_id, &ModuleId::Tariffs, &key, now)?;
        }
        marked += slice.items.len();
        if slice.items.is_empty() {
            return Ok(marked);
        }
        page = page.next();
    }
}

/// The oldest changes that a partner has to be told of and that are not set aside; those that failed come last,
/// so that they hold up no others.
///
/// # Errors
/// When the database fails.
pub fn pending(conn: &mut DbConn, partner_id: i64, limit: i64) -> DbResult<Vec<Change>> {
    let rows: Vec<Row> = partner_changes::table
        .filter(partner_changes::partner_id.eq(partner_id))
        .filter(partner_changes::set_aside.is_null())
        .order((partner_changes::attempts, partner_changes::changed_at, partner_changes::object_key))
        .limit(limit)
        .select(COLUMNS)
        .load(conn)?;
    Ok(rows.into_iter().map(change).collect())
}

/// A change as it is now, if the partner still has to be told of it and it is not set aside.
///
/// # Errors
/// When the database fails.
pub fn current(conn: &mut DbConn, known: &Change) -> DbResult<Option<Change>> {
    let row: Option<Row> = partner_changes::table
        .find((known.partner_id, known.module.as_str(), &known.key.0))
        .filter(partner_changes::set_aside.is_null())
        .select(COLUMNS)
        .first(conn)
        .optional()?;
    Ok(row.map(change))
}

type Row = (i64, String, String, i64, Timestamp, i32, Option<String>);

type Columns = (
    partner_changes::partner_id,
    partner_changes::module,
    partner_changes::object_key,
    partner_changes::generation,
    partner_changes::changed_at,
    partner_changes::attempts,
    partner_changes::set_aside,
);

const COLUMNS: Columns = (
    partner_changes::partner_id,
    partner_changes::module,
    partner_changes::object_key,
    partner_changes::generation,
    partner_changes::changed_at,
    partner_changes::attempts,
    partner_changes::set_aside,
);

fn change((partner_id, module, key, generation, changed_at, attempts, set_aside): Row) -> Change {
    let (module, key) = (ModuleId::from(module.as_str()), ObjectKey(key));
    Change { partner_id, module, key, generation, changed_at, attempts, set_aside }
}

/// Removes a change that the partner took, unless the object changed again meanwhile; whether it was removed.
///
/// # Errors
/// When the database fails.
pub fn delivered(conn: &mut DbConn, change: &Change) -> DbResult<bool> {
    let removed = diesel::delete(
        partner_changes::table
            .find((change.partner_id, change.module.as_str(), &change.key.0))
            .filter(partner_changes::generation.eq(change.generation)),
    )
    .execute(conn)?;
    Ok(removed > 0)
}

/// The changes of these objects of a module that a partner still has to be told of, as they are now, set aside or
/// not.
///
/// # Errors
/// When the database fails.
pub fn of_objects(
    conn: &mut DbConn,
    partner_id: i64,
    module: &ModuleId,
    keys: &[ObjectKey],
) -> DbResult<Vec<Change>> {
    let mut found = Vec::new();
    for keys in keys.chunks(KEYS_AT_ONCE) {
        let rows: Vec<Row> = partner_changes::table
            .filter(partner_changes::partner_id.eq(partner_id))
            .filter(partner_changes::module.eq(module.as_str()))
            .filter(partner_changes::object_key.eq_any(keys.iter().map(|key| key.0.as_str())))
            .select(COLUMNS)
            .load(conn)?;
        found.extend(rows.into_iter().map(change));
    }
    Ok(found)
}

/// Sets a change aside that the partner refused, so that the others pass; a new change of the object takes it
/// up again.
///
/// # Errors
/// When the database fails.
pub fn set_aside(conn: &mut DbConn, change: &Change, reason: &str) -> DbResult<()> {
    diesel::update(
        partner_changes::table
            .find((change.partner_id, change.module.as_str(), &change.key.0))
            .filter(partner_changes::generation.eq(change.generation)),
    )
    .set((partner_changes::attempts.eq(partner_changes::attempts + 1), partner_changes::set_aside.eq(reason)))
    .execute(conn)?;
    Ok(())
}

/// Counts that the partner was there but could not take a change.
///
/// # Errors
/// When the database fails.
pub fn failed(conn: &mut DbConn, change: &Change) -> DbResult<()> {
    diesel::update(
        partner_changes::table
            .find((change.partner_id, change.module.as_str(), &change.key.0))
            .filter(partner_changes::generation.eq(change.generation)),
    )
    .set(partner_changes::attempts.eq(partner_changes::attempts + 1))
    .execute(conn)?;
    Ok(())
}

/// Takes up again what a partner refused: it may have changed its mind, or been repaired. How many there were.
///
/// # Errors
/// When the database fails.
pub fn take_up_again(conn: &mut DbConn, partner_id: i64) -> DbResult<usize> {
    Ok(diesel::update(
        partner_changes::table
            .filter(partner_changes::partner_id.eq(partner_id))
            .filter(partner_changes::set_aside.is_not_null()),
    )
    .set(partner_changes::set_aside.eq(None::<String>))
    .execute(conn)?)
}

/// How many changes wait for each partner that has any.
///
/// # Errors
/// When the database fails.
pub fn backlogs(conn: &mut DbConn) -> DbResult<Vec<(i64, i64)>> {
    Ok(partner_changes::table
        .filter(partner_changes::set_aside.is_null())
        .group_by(partner_changes::partner_id)
        .select((partner_changes::partner_id, diesel::dsl::count_star()))
        .load(conn)?)
}

/// How many changes wait for a partner, and how many are set aside.
///
/// # Errors
/// When the database fails.
pub fn backlog(conn: &mut DbConn, partner_id: i64) -> DbResult<(i64, i64)> {
    let of = || partner_changes::table.filter(partner_changes::partner_id.eq(partner_id));
    let waiting = of().filter(partner_changes::set_aside.is_null()).count().get_result(conn)?;
    let aside = of().filter(partner_changes::set_aside.is_not_null()).count().get_result(conn)?;
    Ok((waiting, aside))
}
