//! Telling a partner what changed: the latest state of each object, in the order of change, until it has taken
//! it. One object that it refuses does not hold up the others; a partner that cannot be reached is tried again
//! after a wait that doubles.
//!
//! The rows of [`changes`] are the queue. An object is read at the moment it is sent, and its row goes only if
//! it did not change meanwhile; so a slow partner gets the latest state and not a backlog, and nothing is lost
//! when a node stops in between.

use super::catalogue::roles_told_of;
use super::link::{Gone, News, Object, PartnerCallError, Routing};
use crate::app::App;
use crate::clock::Clock;
use crate::db::cdrs::CdrFilter;
use crate::db::changes::{self, Change, ObjectKey};
use crate::db::locations::Owner;
use crate::db::page::{Page, Slice};
use crate::db::partners::{self, Health};
use crate::db::sessions::SessionFilter;
use crate::db::{Db, DbConn, DbError, DbResult, cdrs, locations, sessions, tariffs, tokens};
use crate::domain::partner::{DeliveryPolicy, InterfaceRole, ModuleId, Partner, PartnerStatus};
use crate::domain::party::{PartyId, Role};
use crate::domain::session::CdrToken;
use crate::domain::token::{TokenKey, TokenType};
use crate::domain::{CiString, Timestamp};
use crate::security::new_transaction_id;
use chrono::TimeDelta;
use std::collections::HashMap;
use std::time::Duration;

/// The order within a batch: nothing is sent before what it refers to.
const ORDER: [ModuleId; 5] =
    [ModuleId::Tariffs, ModuleId::Locations, ModuleId::Tokens, ModuleId::Sessions, ModuleId::Cdrs];

/// How often an object that the partner fails at is tried while others pass, before it is set aside.
const ATTEMPTS: i32 = 5;

/// Failures of different objects in a row after which it is the partner, and not the objects.
const FAILURES_IN_A_ROW: usize = 3;

/// Objects of which a worker remembers what the partner holds.
const REMEMBERED: usize = 10_000;

/// What a worker remembers: the state that the partner acknowledged last. Lost with the worker, and then the
/// next change goes whole.
#[derive(Debug, Default)]
pub struct Memory {
    held: HashMap<(ModuleId, String), Object>,
    /// As of which registration.
    registration: Option<Timestamp>,
}

impl Memory {
    fn of(&mut self, partner: &Partner) {
        if self.registration != Some(partner.last_updated) {
            self.held.clear();
            self.registration = Some(partner.last_updated);
        }
    }

    fn keep(&mut self, key: (ModuleId, String), object: Object) {
        // CDRs never change, and a session that is over hardly does.
        if matches!(object, Object::Cdr(_)) {
            return;
        }
        if self.held.len() >= REMEMBERED {
            self.held.clear();
        }
        self.held.insert(key, object);
    }
}

/// How far a worker came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing waits.
    Idle,
    /// More may wait.
    More,
    /// Not before then.
    RetryAt(Timestamp),
    /// The partner is not to be told anything (any more).
    NotTold,
}

/// What has to be sent for a change.
enum Due {
    State(Object, Option<CiString>, Option<PartyId>),
    Gone(Gone),
    /// Nothing: the partner may not see it, or there is nothing to say.
    Nothing,
}

/// Tells a partner the changes that wait, one batch of them.
///
/// # Errors
/// When the database fails.
pub async fn deliver(app: &App, partner_id: i64, memory: &mut Memory) -> DbResult<Progress> {
    let limit = i64::try_from(app.config.roaming.delivery_batch).unwrap_or(i64::MAX);
    let (partner, health, mut batch) = app
        .db
        .read::<_, DbError, _>(move |conn| {
            let Some(partner) = partners::find(conn, partner_id)? else { return Ok(None) };
            let health = partners::health(conn, partner_id)?;
            Ok(Some((partner, health, changes::pending(conn, partner_id, limit)?)))
        })
        .await?
        .map_or((None, Health::default(), Vec::new()), |(partner, health, batch)| {
            (Some(partner), health, batch)
        });
    let Some(partner) = partner.filter(is_told) else { return Ok(Progress::NotTold) };
    let backlog = app.metrics.partner_backlog.with_label_values(&[&partner.name]);
    backlog.set(i64::try_from(batch.len()).unwrap_or(i64::MAX));
    if batch.is_empty() {
        return Ok(Progress::Idle);
    }
    if let Some(at) = health.retry_at.filter(|at| *at > app.now()) {
        return Ok(Progress::RetryAt(at));
    }
    memory.of(&partner);
    // Stable: within a module, the order of change stays.
    batch.sort_by_key(|change| ORDER.iter().position(|module| *module == change.module));
    let full = i64::try_from(batch.len()).unwrap_or(i64::MAX) >= limit;

    let mut round = Round::default();
    for change in batch {
        match tell(app, &partner, &change, memory).await? {
            Ok(()) => {
                round.sent = true;
                round.in_a_row = 0;
                app.db.write::<_, DbError, _>(move |conn| changes::delivered(conn, &change)).await?;
            }
            Err(error) => {
                // Whether the partner took it is not known: the next time it gets the whole.
                memory.held.remove(&memory_key(&change));
                if let Some(reason) = refusal_of_object(&error) {
                    round.sent = true;
                    set_aside(app, &partner, change, reason).await?;
                } else if round.failed(change, error) {
                    break;
                }
            }
        }
    }
    round.conclude(app, &partner, health, full).await
}

/// What became of a batch.
#[derive(Default)]
struct Round {
    /// The partner dealt with at least one object.
    sent: bool,
    in_a_row: usize,
    failed: Vec<(Change, PartnerCallError)>,
}

impl Round {
    /// Notes a failure; whether it is the partner that fails, so that the rest of the batch may wait.
    fn failed(&mut self, change: Change, error: PartnerCallError) -> bool {
        let partners_fault =
            matches!(error, PartnerCallError::Unreachable(_) | PartnerCallError::Impossible(_));
        self.failed.push((change, error));
        self.in_a_row += 1;
        partners_fault || self.in_a_row >= FAILURES_IN_A_ROW
    }

    async fn conclude(self, app: &App, partner: &Partner, health: Health, full: bool) -> DbResult<Progress> {
        let Self { sent, in_a_row: _, failed } = self;
        let id = partner.id;
        let Some((_, last)) = failed.last() else {
            if sent && (health.failures > 0 || is_stale(app, &health)) {
                if health.failures > 0 {
                    tracing::info!(partner = id, "the partner takes what it is told again");
                }
                let health = Health { last_contact: Some(app.now()), ..Health::default() };
                app.db.write::<_, DbError, _>(move |conn| partners::set_health(conn, id, &health)).await?;
            }
            return Ok(if sent || full { Progress::More } else { Progress::Idle });
        };
        let last = last.clone();
        for (change, error) in failed {
            let objects_fault =
                !matches!(error, PartnerCallError::Unreachable(_) | PartnerCallError::Impossible(_));
            // While the partner takes others, it is this object; else it may be anything, and it is tried on.
            if sent && objects_fault {
                if change.attempts + 1 >= ATTEMPTS {
                    set_aside(app, partner, change, error.to_string()).await?;
                } else {
                    app.db.write::<_, DbError, _>(move |conn| changes::failed(conn, &change)).await?;
                }
            }
        }
        back_off(app, partner, health, &last).await.map(Progress::RetryAt)
    }
}

fn is_told(partner: &Partner) -> bool {
    partner.status == PartnerStatus::Registered && partner.delivery != DeliveryPolicy::PullOnly
}

fn is_stale(app: &App, health: &Health) -> bool {
    health.last_contact.is_none_or(|at| app.now().millis_since(at) > 60_000)
}

/// By what a change's object is remembered: an EVSE by its location.
fn memory_key(change: &Change) -> (ModuleId, String) {
    let key = match change.module {
        ModuleId::Locations => change.key.0.split_once('#').map_or(change.key.0.as_str(), |(base, _)| base),
        _ => &change.key.0,
    };
    (change.module.clone(), key.to_owned())
}

/// Why the partner will never take this object as it is, if so: it understood, and said no.
fn refusal_of_object(error: &PartnerCallError) -> Option<String> {
    match error {
        PartnerCallError::Refused { code: 2000..=2999, .. } => Some(error.to_string()),
        _ => None,
    }
}

async fn set_aside(app: &App, partner: &Partner, change: Change, reason: String) -> DbResult<()> {
    tracing::warn!(partner = partner.id, module = %change.module, reason, "the partner refuses an object");
    app.db.write(move |conn| changes::set_aside(conn, &change, &reason)).await
}

/// Notes that the partner failed, and when it is tried again.
async fn back_off(
    app: &App,
    partner: &Partner,
    health: Health,
    error: &PartnerCallError,
) -> DbResult<Timestamp> {
    let failures = health.failures.saturating_add(1);
    let roaming = &app.config.roaming;
    let most = match error {
        // The partner answers: what fails is an object, and others must not wait for it.
        PartnerCallError::Refused { .. } | PartnerCallError::Unreadable(_) => {
            roaming.retry_max.min(Duration::from_mins(1))
        }
        _ => roaming.retry_max,
    };
    let at = app.now().plus(wait(roaming.retry_first, most, failures));
    tracing::warn!(partner = partner.id, failures, retry_at = %at, %error, "a partner cannot be told of changes");
    let health = Health {
        failures,
        retry_at: Some(at),
        last_error: Some(error.to_string()),
        last_contact: health.last_contact,
    };
    let id = partner.id;
    app.db.write::<_, DbError, _>(move |conn| partners::set_health(conn, id, &health)).await?;
    Ok(at)
}

/// The wait before the next try: doubled with each failure, and between a half and the whole of that, so that
/// partners that failed together do not come back together.
fn wait(first: Duration, most: Duration, failures: i32) -> TimeDelta {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(0).min(30);
    let whole = first.saturating_mul(1 << doublings).min(most);
    let whole = i64::try_from(whole.as_millis()).unwrap_or(i64::MAX);
    let half = whole / 2;
    TimeDelta::milliseconds(half + i64::from(new_transaction_id()) % (whole - half + 1))
}

/// Sends one change.
async fn tell(
    app: &App,
    partner: &Partner,
    change: &Change,
    memory: &mut Memory,
) -> DbResult<Result<(), PartnerCallError>> {
    if partner.endpoint(&change.module, &InterfaceRole::Receiver).is_none() {
        return Ok(Ok(()));
    }
    let (whose, wanted) = (partner.clone(), change.clone());
    let due = app.db.read(move |conn| look_up(conn, &whose, &wanted)).await?;
    let routing = |to: Option<PartyId>| Routing {
        from: change.key.split().map(|(owner, _)| owner),
        to: to.or_else(|| receiver(partner, &change.module)),
        correlation_id: None,
    };
    match due {
        Due::Nothing => Ok(Ok(())),
        Due::Gone(gone) => {
            memory.held.remove(&memory_key(change));
            Ok(app.partners.tell(partner, &routing(None), News::Gone(&gone, app.now())).await)
        }
        Due::State(object, evse, to) => {
            let key = memory_key(change);
            let news = News::State { object: &object, held: memory.held.get(&key), evse: evse.as_ref() };
            let told = app.partners.tell(partner, &routing(to), news).await;
            // After the status of one EVSE alone, the rest of the location is not known to be there.
            if told.is_ok() && (evse.is_none() || memory.held.contains_key(&key)) {
                memory.keep(key, object);
            }
            Ok(told)
        }
    }
}

/// For whom a message is that names nobody: the partner's first party that is told of such objects.
fn receiver(partner: &Partner, module: &ModuleId) -> Option<PartyId> {
    let told = roles_told_of(module);
    let by_role = partner.roles.iter().find(|role| told.contains(&role.role));
    by_role.or(partner.roles.first()).map(|role| role.party.clone())
}

/// The object of a change as it is now, as far as the partner may see it.
fn look_up(conn: &mut DbConn, partner: &Partner, change: &Change) -> DbResult<Due> {
    let Some((party, name)) = change.key.split() else { return Ok(Due::Nothing) };
    let id = CiString::from(name);
    Ok(match change.module {
        ModuleId::Tariffs => match tariffs::find_with_owner(conn, &party, &id)? {
            Some((tariff, None)) => Due::State(Object::Tariff(Box::new(tariff)), None, None),
            Some((_, Some(_))) => Due::Nothing,
            None => Due::Gone(Gone::Tariff(party, id)),
        },
        ModuleId::Locations => {
            let (id, evse) = match name.split_once('#') {
                Some((id, evse)) => (CiString::from(id), Some(CiString::from(evse))),
                None => (id, None),
            };
            match locations::find_with_owner(conn, &party, &id)? {
                Some((location, None)) if location.is_for_partners() => {
                    Due::State(Object::Location(Box::new(location)), evse, None)
                }
                // The mark of the whole says that it was for partners until now.
                Some((_, None)) | None if evse.is_none() => Due::Gone(Gone::Location(party, id)),
                _ => Due::Nothing,
            }
        }
        ModuleId::Tokens => {
            let Some((token_type, uid)) = name.split_once('*') else { return Ok(Due::Nothing) };
            let key = TokenKey { party, uid: uid.into(), token_type: TokenType::from(token_type) };
            match tokens::find(conn, &key)? {
                Some((token, None)) => Due::State(Object::Token(Box::new(token)), None, None),
                Some((_, Some(_))) => Due::Nothing,
                None => Due::Gone(Gone::Token(key)),
            }
        }
        ModuleId::Sessions => match sessions::find(conn, &party, &id)? {
            Some((session, None)) if is_of_partners_driver(partner, &session.cdr_token) => {
                let to = session.cdr_token.party.clone();
                Due::State(Object::Session(Box::new(session)), None, to)
            }
            _ => Due::Nothing,
        },
        ModuleId::Cdrs => match cdrs::find(conn, &party, &id)? {
            Some((cdr, None)) if is_of_partners_driver(partner, &cdr.cdr_token) => {
                let to = cdr.cdr_token.party.clone();
                Due::State(Object::Cdr(Box::new(cdr)), None, to)
            }
            _ => Due::Nothing,
        },
        _ => Due::Nothing,
    })
}

/// Sessions and CDRs are for the eMSP whose driver charged, and for nobody else.
fn is_of_partners_driver(partner: &Partner, token: &CdrToken) -> bool {
    token.party.as_ref().is_some_and(|party| partner.speaks_for(party, &Role::Emsp))
}

/// Objects that are marked in one write.
const MARKED_AT_ONCE: i64 = 500;

/// Marks everything that a partner has to know: after it registered, or was not told for a while. What it knows
/// already it is told again, which changes nothing.
///
/// # Errors
/// When the database fails.
pub async fn mark_everything(db: &Db, clock: &Clock, partner: &Partner) -> DbResult<()> {
    if !is_told(partner) {
        return Ok(());
    }
    let emsps: Vec<PartyId> =
        partner.roles.iter().filter(|role| role.role == Role::Emsp).map(|role| role.party.clone()).collect();
    for module in ORDER {
        let roles = roles_told_of(&module);
        let told = match module {
            ModuleId::Sessions | ModuleId::Cdrs => !emsps.is_empty(),
            _ => partner.roles.iter().any(|role| roles.contains(&role.role)),
        };
        if !told || partner.endpoint(&module, &InterfaceRole::Receiver).is_none() {
            continue;
        }
        let mut page = Page::first(MARKED_AT_ONCE);
        loop {
            let (id, now, module, emsps) = (partner.id, clock.now(), module.clone(), emsps.clone());
            let marked = db
                .write::<_, DbError, _>(move |conn| {
                    let keys = keys_of(conn, &module, &emsps, page)?;
                    for key in &keys.items {
                        changes::mark(conn, id, &module, key, now)?;
                    }
                    Ok(keys.items.len())
                })
                .await?;
            if i64::try_from(marked).unwrap_or(0) < MARKED_AT_ONCE {
                break;
            }
            page = page.next();
        }
    }
    Ok(())
}

fn keys_of(
    conn: &mut DbConn,
    module: &ModuleId,
    emsps: &[PartyId],
    page: Page,
) -> DbResult<Slice<ObjectKey>> {
    Ok(match module {
        ModuleId::Tariffs => {
            tariffs::list(conn, &Owner::Ours, page)?.map(|tariff| ObjectKey::of(&tariff.party, &tariff.id))
        }
        ModuleId::Locations => locations::list_for_partners(conn, &Owner::Ours, page)?
            .map(|location| ObjectKey::of(&location.party, &location.id)),
        ModuleId::Tokens => {
            tokens::list(conn, &Owner::Ours, page)?.map(|token| ObjectKey::of_token(&token.key()))
        }
        ModuleId::Sessions => {
            let filter = SessionFilter { owner: Owner::Ours, emsps: Some(emsps.to_vec()), status: None };
            sessions::list(conn, &filter, page)?.map(|session| ObjectKey::of(&session.party, &session.id))
        }
        ModuleId::Cdrs => {
            let filter = CdrFilter { emsps: Some(emsps.to_vec()), ..CdrFilter::of(Owner::Ours) };
            cdrs::list(conn, &filter, page)?.map(|cdr| ObjectKey::of(&cdr.party, &cdr.id))
        }
        _ => Slice { items: Vec::new(), total: 0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most_and_differ() {
        let (first, most) = (Duration::from_secs(5), Duration::from_hours(1));
        for (failures, whole) in
            [(1, 5_000), (2, 10_000), (5, 80_000), (11, 3_600_000), (i32::MAX, 3_600_000)]
        {
            let waits: Vec<i64> = (0..50).map(|_| wait(first, most, failures).num_milliseconds()).collect();
            assert!(waits.iter().all(|wait| (whole / 2..=whole).contains(wait)), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{failures}");
        }
    }

    #[test]
    fn only_a_client_error_sets_an_object_aside() {
        let refused = |code, http| PartnerCallError::Refused { code, http, message: String::new() };
        assert!(refusal_of_object(&refused(2001, 200)).is_some());
        assert!(refusal_of_object(&refused(3000, 500)).is_none());
        assert!(refusal_of_object(&refused(4003, 200)).is_none());
        assert!(refusal_of_object(&PartnerCallError::Unreachable(String::new())).is_none());
    }
}
