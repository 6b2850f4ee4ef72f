//! Telling partners what changed: the latest state of each object, in the order of change, until it is taken.
//!
//! The rows of [`changes`] are the queue. An object is read at the moment it is sent, and its row goes only if
//! it did not change meanwhile; so a slow partner gets the latest state and not a backlog, and nothing is lost
//! when a node stops in between. Whatever may have reached the partner without our knowing is sent again.
//!
//! Three things can go wrong. The partner cannot be reached: it is left alone for a while that doubles. It
//! refuses an object: that object is set aside with the reason. It answers, but fails at an object: whether it
//! is the object or the partner shows in the others. While others pass, the object alone waits; when nothing
//! passes, the partner is left alone.

use super::due::{Due, look_up, takes};
use super::goods::{Viewer, told_tariffs};
pub use super::held::Memory;
use super::link::{Gone, News, PartnerCallError, Routing};
use crate::app::App;
use crate::db::changes::{self, Change};
use crate::db::partners::{self, Health};
use crate::db::{DbConn, DbError, DbResult};
use crate::domain::Timestamp;
use crate::domain::partner::{DeliveryPolicy, ModuleId, Partner, PartnerStatus};
use crate::domain::party::Role;
use chrono::TimeDelta;
use std::collections::VecDeque;
use std::time::Duration;

/// The order within a batch: nothing is sent before what it refers to.
const ORDER: [ModuleId; 5] =
    [ModuleId::Tariffs, ModuleId::Locations, ModuleId::Tokens, ModuleId::Sessions, ModuleId::Cdrs];

/// Objects at which a partner fails in a row before the rest of the batch is not even tried.
const FAILURES_IN_A_ROW: usize = 3;

/// The longest wait for a partner that answers, though with errors: what comes new may well pass.
const LONGEST_WAIT_FOR_ANSWERING: Duration = Duration::from_mins(1);

/// How often what a partner refused is offered again: it may have been repaired.
const TAKE_UP_AGAIN: TimeDelta = TimeDelta::hours(24);

/// How fresh the time of the last contact is kept.
const CONTACT_KEPT_FOR: TimeDelta = TimeDelta::minutes(1);

/// How far a round came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There may be more: look again at once.
    More,
    /// Nothing can be done until something changes, or until then.
    Waiting(Option<Timestamp>),
    /// The partner is not to be told anything (any more).
    NotTold,
}

/// Whether changes are pushed to a partner.
#[must_use]
pub fn is_told(partner: &Partner) -> bool {
    partner.status == PartnerStatus::Registered && partner.delivery == DeliveryPolicy::Converge
}

/// Tells a partner of the changes that wait, one batch of them.
///
/// # Errors
/// When the database fails.
pub async fn deliver_once(app: &App, partner_id: i64, memory: &mut Memory) -> DbResult<Progress> {
    let limit = i64::try_from(app.config.roaming.delivery_batch).unwrap_or(i64::MAX);
    let found = app
        .db
        .read::<_, DbError, _>(move |conn| {
            let Some(partner) = partners::find(conn, partner_id)? else { return Ok(None) };
            let health = partners::health(conn, partner_id)?;
            Ok(Some((partner, health, changes::pending(conn, partner_id, limit)?)))
        })
        .await?;
    let Some((partner, health, mut batch)) = found else { return Ok(Progress::NotTold) };
    if !is_told(&partner) {
        return Ok(Progress::NotTold);
    }
    if let Some(at) = health.retry_at.filter(|at| *at > app.now()) {
        return Ok(Progress::Waiting(Some(at)));
    }
    memory.be_about(&partner);
    if take_up_refused(app, partner_id, memory).await? {
        return Ok(Progress::More);
    }
    let next = memory.end_postponements(app.now());
    batch.retain(|change| !memory.is_postponed(change));
    if batch.is_empty() {
        return Ok(Progress::Waiting(next));
    }
    // Stable: within a module, the order of change stays.
    batch.sort_by_key(|change| {
        (change.attempts > 0, ORDER.iter().position(|module| *module == change.module))
    });
    Round { app, partner_id, memory, health, passed: false, failed: None, in_a_row: 0 }.go(batch).await
}

/// Offers again what the partner refused, now and then; whether there was anything.
async fn take_up_refused(app: &App, partner_id: i64, memory: &mut Memory) -> DbResult<bool> {
    let now = app.now();
    if memory.took_up_again.is_some_and(|at| now < at.plus(TAKE_UP_AGAIN)) {
        return Ok(false);
    }
    let (_, refused) = app.db.read(move |conn| changes::backlog(conn, partner_id)).await?;
    if refused > 0 {
        app.db.write(move |conn| changes::take_up_again(conn, partner_id)).await?;
    }
    memory.took_up_again = Some(now);
    Ok(refused > 0)
}

/// A batch on its way.
struct Round<'a> {
    app: &'a App,
    partner_id: i64,
    memory: &'a mut Memory,
    health: Health,
    /// Whether the partner dealt with any object.
    passed: bool,
    /// What went wrong last, where it may be the object.
    failed: Option<PartnerCallError>,
    /// How many failed since the last one that passed.
    in_a_row: usize,
}

impl Round<'_> {
    async fn go(mut self, batch: Vec<Change>) -> DbResult<Progress> {
        let mut queue: VecDeque<(Change, bool)> = batch.into_iter().map(|change| (change, false)).collect();
        while let Some((known, put_off)) = queue.pop_front() {
            // The partner too: it may have been suspended since, or have other endpoints.
            let now = self.app.now();
            let found = self.app.db.read(move |conn| look_again(conn, &known, now)).await?;
            let Some((partner, due)) = found else { return Ok(Progress::NotTold) };
            let Some((change, due)) = due else { continue };
            // A tariff goes after the locations that named it (OCPI 2.2.1 mod_tariffs, "DELETE Method").
            if matches!(due, Due::Gone { gone: Gone::Tariff(..), .. }) && !put_off && !queue.is_empty() {
                queue.push_back((change, true));
                continue;
            }
            let told = match due {
                Due::Nothing => Ok(false),
                due => self.tell(&partner, &change, due).await,
            };
            match told {
                Ok(sent) => {
                    if sent {
                        self.pass().await?;
                    }
                    self.app.db.write::<_, DbError, _>(move |conn| changes::delivered(conn, &change)).await?;
                }
                Err(error) => {
                    // Whether the partner took it is not known: the next time it gets the whole.
                    self.memory.forget(&change);
                    if is_refusal(&error) {
                        self.pass().await?;
                        self.set_aside(change, &error).await?;
                    } else if matches!(error, PartnerCallError::Unreachable(_)) {
                        let most = self.app.config.roaming.retry_max;
                        return self.back_off(&error, most).await;
                    } else {
                        self.fail(change, error).await?;
                        if !self.passed && self.in_a_row >= FAILURES_IN_A_ROW {
                            break;
                        }
                    }
                }
            }
        }
        self.conclude().await
    }

    /// Sends one change; false where the partner knows all of it already.
    async fn tell(&mut self, partner: &Partner, change: &Change, due: Due) -> Result<bool, PartnerCallError> {
        let routing =
            |to| Routing { from: change.key.split().map(|(owner, _)| owner), to, correlation_id: None };
        match due {
            Due::Nothing => Ok(false),
            Due::Gone { gone, to } => {
                self.memory.forget(change);
                let news = News::Gone(&gone, self.app.now());
                self.app.partners.tell(partner, &routing(to), news).await?;
                Ok(true)
            }
            Due::State { object, evse, to } => {
                let held = self.memory.held(change);
                if held == Some(&object) {
                    return Ok(false);
                }
                // After the status of one EVSE alone, the rest of the location is not known to be there.
                let whole_is_known = held.is_some() || evse.is_none();
                let news = News::State { object: &object, held, evse: evse.as_ref() };
                self.app.partners.tell(partner, &routing(to), news).await?;
                if whole_is_known {
                    self.memory.keep(change, object);
                }
                Ok(true)
            }
        }
    }

    /// The partner dealt with an object: it is there.
    async fn pass(&mut self) -> DbResult<()> {
        (self.passed, self.in_a_row) = (true, 0);
        let now = self.app.now();
        let stale = self.health.last_contact.is_none_or(|at| now >= at.plus(CONTACT_KEPT_FOR));
        if self.health.failures > 0 {
            tracing::info!(partner = self.partner_id, "the partner takes what it is told again");
        }
        if stale || self.health.failures > 0 || self.health.retry_at.is_some() {
            let last_error = self.health.last_error.take().filter(|_| self.health.failures == 0);
            self.note(Health { failures: 0, retry_at: None, last_error, last_contact: Some(now) }).await?;
        }
        Ok(())
    }

    async fn note(&mut self, health: Health) -> DbResult<()> {
        self.health = health.clone();
        let id = self.partner_id;
        self.app.db.write(move |conn| partners::set_health(conn, id, &health)).await
    }

    async fn set_aside(&self, change: Change, error: &PartnerCallError) -> DbResult<()> {
        let reason = error.to_string();
        // The partner's words may name a driver, so they stand in the database only.
        let (code, http) = match error {
            PartnerCallError::Refused { code, http, .. } => (*code, *http),
            _ => (0, 0),
        };
        tracing::warn!(
            partner = self.partner_id,
            module = %change.module,
            code,
            http,
            "the partner refuses an object"
        );
        self.app.db.write(move |conn| changes::set_aside(conn, &change, &reason)).await
    }

    /// The partner answered, but did not say whether it took the object.
    async fn fail(&mut self, change: Change, error: PartnerCallError) -> DbResult<()> {
        self.in_a_row += 1;
        self.failed = Some(error);
        let roaming = &self.app.config.roaming;
        let failures = change.attempts.saturating_add(1);
        let until = self.app.now().plus(wait(roaming.retry_first, roaming.retry_max, failures));
        self.memory.postpone(&change, until);
        self.app.db.write(move |conn| changes::failed(conn, &change)).await
    }

    async fn conclude(mut self) -> DbResult<Progress> {
        match self.failed.take() {
            Some(error) if self.passed => {
                tracing::warn!(partner = self.partner_id, error = %in_short(&error), "the partner fails at some objects");
                let last_error = Some(error.to_string());
                self.note(Health { last_error, ..self.health.clone() }).await?;
            }
            Some(error) => {
                let most = self.app.config.roaming.retry_max.min(LONGEST_WAIT_FOR_ANSWERING);
                return self.back_off(&error, most).await;
            }
            None if self.passed && self.health.last_error.is_some() => {
                self.note(Health { last_error: None, ..self.health.clone() }).await?;
            }
            None => (),
        }
        Ok(Progress::More)
    }

    /// Leaves the partner alone for a while.
    async fn back_off(&mut self, error: &PartnerCallError, most: Duration) -> DbResult<Progress> {
        let failures = self.health.failures.saturating_add(1);
        let at = self.app.now().plus(wait(self.app.config.roaming.retry_first, most, failures));
        tracing::warn!(
            partner = self.partner_id,
            failures,
            retry_at = %at,
            error = %in_short(error),
            "the partner cannot be told of changes"
        );
        let last_error = Some(error.to_string());
        self.note(Health {
            failures,
            retry_at: Some(at),
            last_error,
            last_contact: self.health.last_contact,
        })
        .await?;
        Ok(Progress::Waiting(Some(at)))
    }
}

/// An error without the partner's words, which may name a driver.
fn in_short(error: &PartnerCallError) -> String {
    match error {
        PartnerCallError::Refused { code, http, .. } => format!("it answered {code} (HTTP {http})"),
        PartnerCallError::Unreadable(_) => "its answer cannot be understood".to_owned(),
        PartnerCallError::Unreachable(_) | PartnerCallError::Impossible(_) => error.to_string(),
    }
}

type Found = Option<(Partner, Option<(Change, Due)>)>;

/// A partner, a change and its object as they are now; nothing when the partner is not told any more.
fn look_again(conn: &mut DbConn, known: &Change, now: Timestamp) -> DbResult<Found> {
    let Some(partner) = partners::find(conn, known.partner_id)?.filter(is_told) else { return Ok(None) };
    // Before the object: a change in between is then sent, and sent again, instead of being missed.
    let Some(change) = changes::current(conn, known)? else { return Ok(Some((partner, None))) };
    let due = look_up(conn, &partner, &change, now)?;
    Ok(Some((partner, Some((change, due)))))
}

/// Whether the partner understood, and said no.
fn is_refusal(error: &PartnerCallError) -> bool {
    matches!(error, PartnerCallError::Refused { code: 2000..=2999, .. })
}

/// The wait before the next try: doubled with each failure, and between a half and the whole of that, so that
/// partners that failed together do not come back together.
fn wait(first: Duration, most: Duration, failures: i32) -> TimeDelta {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(0).min(30);
    let whole = first.saturating_mul(1 << doublings).min(most);
    let whole = i64::try_from(whole.as_millis()).unwrap_or(i64::MAX);
    TimeDelta::milliseconds(fastrand::i64(whole / 2..=whole))
}

/// Marks everything of ours that a partner is told by its roles, with the sessions and CDRs of its drivers: when
/// it registers, or was told nothing for a while. What it knows already it is told again, which changes nothing.
/// Within the write that registers it, so that neither is there without the other. Returns how many objects.
///
/// # Errors
/// When the database fails.
pub fn mark_everything(conn: &mut DbConn, partner: &Partner, now: Timestamp) -> DbResult<usize> {
    if partner.delivery != DeliveryPolicy::Converge {
        return Ok(0);
    }
    let emsps = || partner.roles.iter().filter(|role| role.role == Role::Emsp).map(|role| &role.party);
    let mut marked = 0;
    // A moment apart, so that over all batches too nothing goes before what it refers to.
    for (module, before) in ORDER.iter().zip((0..5).rev()) {
        if !takes(partner, module) {
            continue;
        }
        let at = now.minus(TimeDelta::milliseconds(before));
        if *module == ModuleId::Tariffs {
            let told = told_tariffs(conn, &Viewer::of(partner))?;
            marked += changes::mark_tariffs(conn, partner.id, &told, at)?;
        } else if matches!(module, ModuleId::Sessions | ModuleId::Cdrs) {
            for emsp in emsps() {
                marked += changes::mark_all(conn, partner.id, module, Some(emsp), at)?;
            }
        } else {
            marked += changes::mark_all(conn, partner.id, module, None, at)?;
        }
    }
    Ok(marked)
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
    fn only_a_client_error_is_a_refusal() {
        let refused = |code, http| PartnerCallError::Refused { code, http, message: String::new() };
        assert!(is_refusal(&refused(2001, 200)) && is_refusal(&refused(2000, 404)));
        assert!(!is_refusal(&refused(3000, 500)) && !is_refusal(&refused(4003, 200)));
        assert!(!is_refusal(&PartnerCallError::Unreachable(String::new())));
    }
}
