//! Pulling what partners hold: completely after a registration and now and then, and in between what changed
//! since the last pull. Partners push; this catches what was lost on the way, and forgets what they forgot.
//!
//! Only a complete, unfiltered pull says that an object is gone, and only when all of it could be read.

use super::check::{self, Checking};
use super::link::{Object, PartnerCallError, Pull, PulledPage, Routing};
use super::receive::{Told, may_act_for};
use crate::app::{App, Event};
use crate::db::{
    Db, DbConn, DbError, DbResult, cdrs, changes, locations, parties, partners, settings, tariffs, tokens,
};
use crate::domain::partner::{InterfaceRole, ModuleId, Partner, PartnerStatus};
use crate::domain::party::{Party, PartyId, Role};
use crate::domain::token::TokenKey;
use crate::domain::{CiString, Timestamp};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// How far back a pull looks: by how much clocks of partners may differ from ours, and how long an object may take from its time stamp to
/// its list.
const OVERLAP: TimeDelta = TimeDelta::minutes(-10);

/// How soon a pull that failed is begun again.
const RETRY: Duration = Duration::from_mins(1);

/// How far the pulls of a partner are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// A complete pull was asked for.
    #[serde(default)]
    complete_asked: bool,
    /// When the last complete pull ended.
    #[serde(default)]
    complete_at: Option<Timestamp>,
    /// When the last pull of any kind was begun.
    #[serde(default)]
    begun_at: Option<Timestamp>,
    /// Since when changes are to be asked for, by module.
    #[serde(default)]
    since: HashMap<String, Timestamp>,
}

fn name_of(partner_id: i64) -> String {
    format!("sync.{partner_id}")
}

fn load(conn: &mut DbConn, partner_id: i64) -> DbResult<Progress> {
    let text = settings::get(conn, &name_of(partner_id))?;
    // What cannot be read is as if nothing had been pulled yet, which is always safe.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

fn store(conn: &mut DbConn, partner_id: i64, progress: &Progress) -> DbResult<()> {
    let text = serde_json::to_string(progress).map_err(|error| DbError::corrupt("pull", error))?;
    settings::set(conn, &name_of(partner_id), &text)
}

/// Asks for a complete pull; a running node sees it within seconds.
///
/// # Errors
/// When the database fails.
pub async fn ask_for_complete(db: &Db, partner_id: i64) -> DbResult<()> {
    db.write(move |conn| {
        let asked = Progress { complete_asked: true, ..Progress::default() };
        store(conn, partner_id, &asked)
    })
    .await
}

/// Which pull is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullDue {
    /// None.
    Nothing,
    /// What changed.
    Changes,
    /// Everything.
    Complete,
}

/// Which pull of a partner is due.
///
/// # Errors
/// When the database fails.
pub async fn due(app: &App, partner_id: i64) -> DbResult<PullDue> {
    let progress = app.db.read(move |conn| load(conn, partner_id)).await?;
    let now = app.now();
    let over = |at: Option<Timestamp>, every: Duration| {
        let every = TimeDelta::from_std(every).unwrap_or(TimeDelta::MAX);
        at.is_none_or(|at| at.plus(every) <= now)
    };
    let roaming = &app.config.roaming;
    if !over(progress.begun_at, RETRY.min(roaming.pull_interval)) {
        return Ok(PullDue::Nothing);
    }
    if progress.complete_asked || over(progress.complete_at, roaming.complete_pull_interval) {
        return Ok(PullDue::Complete);
    }
    Ok(if over(progress.begun_at, roaming.pull_interval) { PullDue::Changes } else { PullDue::Nothing })
}

/// What a pull brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Objects that are new or newer than ours.
    pub taken: usize,
    /// Objects that were not read, or are not the partner's to tell.
    pub refused: usize,
    /// Objects that the partner does not hold any more.
    pub removed: usize,
}

/// The lists that we take from a partner: those that it serves, and that one of our parties has a use for.
fn lists_of(partner: &Partner, ours: &[Party]) -> Vec<ModuleId> {
    let we = |roles: &[Role]| ours.iter().any(|party| roles.iter().any(|role| party.has_role(role)));
    [
        (ModuleId::Tariffs, we(&[Role::Emsp, Role::Nsp, Role::Nap])),
        (ModuleId::Locations, we(&[Role::Emsp, Role::Nsp, Role::Nap])),
        (ModuleId::Tokens, we(&[Role::Cpo])),
        (ModuleId::Sessions, we(&[Role::Emsp])),
        (ModuleId::Cdrs, we(&[Role::Emsp])),
    ]
    .into_iter()
    .filter(|(module, of_use)| *of_use && partner.endpoint(module, &InterfaceRole::Sender).is_some())
    .map(|(module, _)| module)
    .collect()
}

/// Why a pull ended early. What was read until then is kept.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The partner failed.
    #[error(transparent)]
    Call(#[from] PartnerCallError),
}

/// Pulls a partner's lists. Each list that was read to its end counts, also when another one fails.
///
/// # Errors
/// With the first failure.
pub async fn pull_partner(app: &App, partner: &Partner, complete: bool) -> Result<Pulled, PullError> {
    let (id, begun) = (partner.id, app.now());
    let (ours, mut progress) = app
        .db
        .write(move |conn| {
            let mut progress = load(conn, id)?;
            progress.begun_at = Some(begun);
            store(conn, id, &progress)?;
            if complete {
                changes::take_up_again(conn, id)?;
            }
            Ok::<_, DbError>((parties::all(conn)?, progress))
        })
        .await?;
    let mut pulled = Pulled::default();
    let mut failure = None;
    for module in lists_of(partner, &ours) {
        let known_since = progress.since.get(module.as_str()).copied();
        // Sessions and CDRs only grow, so those that were pulled once need not all be pulled again.
        let grows = matches!(module, ModuleId::Sessions | ModuleId::Cdrs);
        let since = if complete && !grows { None } else { known_since };
        let route = route(partner, &ours, &module);
        match pull_list(app, partner, &module, route, since, begun, &mut pulled).await {
            Ok(()) => {
                progress.since.insert(module.as_str().to_owned(), begun.plus(OVERLAP));
            }
            Err(error) => {
                tracing::warn!(partner = id, %module, %error, "a partner's list could not be pulled");
                failure.get_or_insert(error);
            }
        }
    }
    if complete && failure.is_none() {
        progress.complete_asked = false;
        progress.complete_at = Some(app.now());
    }
    app.db
        .write(move |conn| {
            // A complete pull that was asked for meanwhile starts afresh.
            if load(conn, id)?.begun_at == Some(begun) { store(conn, id, &progress) } else { Ok(()) }
        })
        .await?;
    if pulled != Pulled::default() {
        let Pulled { taken, refused, removed } = pulled;
        tracing::info!(partner = id, complete, taken, refused, removed, "pulled what a partner holds");
    }
    match failure {
        None => Ok(pulled),
        Some(error) => Err(error),
    }
}

fn route(partner: &Partner, ours: &[Party], module: &ModuleId) -> Routing {
    let (us, them) = match module {
        ModuleId::Tokens => (Role::Cpo, Role::Emsp),
        _ => (Role::Emsp, Role::Cpo),
    };
    let from = ours.iter().find(|party| party.has_role(&us)).or(ours.first()).map(|party| party.id.clone());
    let to = partner.roles.iter().find(|role| role.role == them).or(partner.roles.first());
    Routing { from, to: to.map(|role| role.party.clone()), correlation_id: None }
}

async fn pull_list(
    app: &App,
    partner: &Partner,
    module: &ModuleId,
    routing: Routing,
    since: Option<Timestamp>,
    begun: Timestamp,
    pulled: &mut Pulled,
) -> Result<(), PullError> {
    let mut pull = Pull::First(since);
    let mut present = Present::default();
    let (mut whole, mut seen, mut total) = (true, 0_usize, None);
    loop {
        let page = app.partners.pull(partner, &routing, module, pull).await?;
        let PulledPage { objects, unreadable, total: said, next } = page;
        total = total.max(said);
        seen += objects.len() + unreadable.len();
        for reason in unreadable.iter().take(3) {
            tracing::warn!(partner = partner.id, %module, reason, "an object of a partner cannot be read");
        }
        whole &= unreadable.is_empty();
        pulled.refused += unreadable.len();
        objects.iter().for_each(|object| present.note(object));
        take(app, partner, objects, pulled).await?;
        match next {
            Some(cursor) => pull = Pull::Next(cursor),
            None => break,
        }
    }
    // A partner that says it has more than it showed did not show all.
    let all = total.is_none_or(|total| u64::try_from(seen).unwrap_or(u64::MAX) >= total);
    if since.is_none() && whole && all {
        pulled.removed += present.remove_others(app, partner.id, module, begun).await?;
    }
    Ok(())
}

/// What a complete pull found.
#[derive(Default)]
struct Present {
    named: Vec<(PartyId, CiString)>,
    tokens: Vec<TokenKey>,
}

impl Present {
    fn note(&mut self, object: &Object) {
        match object {
            Object::Location(location) => self.named.push((location.party.clone(), location.id.clone())),
            Object::Tariff(tariff) => self.named.push((tariff.party.clone(), tariff.id.clone())),
            Object::Token(token) => self.tokens.push(token.key()),
            Object::Session(_) | Object::Cdr(_) => (),
        }
    }

    /// Removes what the partner does not hold any more. What it changed around the time of the pull stays: it
    /// may have come by a push while the list was read.
    async fn remove_others(
        self,
        app: &App,
        partner_id: i64,
        module: &ModuleId,
        begun: Timestamp,
    ) -> DbResult<usize> {
        let (module, before) = (module.clone(), begun.plus(OVERLAP));
        app.db
            .write(move |conn| match module {
                ModuleId::Locations => locations::remove_absent(conn, partner_id, &self.named, before),
                ModuleId::Tariffs => tariffs::remove_absent(conn, partner_id, &self.named, before),
                ModuleId::Tokens => tokens::remove_absent(conn, partner_id, &self.tokens, before),
                _ => Ok(0),
            })
            .await
    }
}

/// Keeps a page of objects.
async fn take(app: &App, partner: &Partner, objects: Vec<Object>, pulled: &mut Pulled) -> DbResult<()> {
    let partner = partner.clone();
    let (checking, clock) = (Checking::of(&app.config.pricing), app.clock.clone());
    let (taken, refused, events) = app
        .db
        .write(move |conn| {
            let (mut taken, mut refused, mut events) = (0, 0, Vec::new());
            // Suspended or removed while the page was on its way.
            let current = partners::find(conn, partner.id)?;
            if current.is_none_or(|current| current.status != PartnerStatus::Registered) {
                return Ok((0, objects.len(), events));
            }
            for object in &objects {
                match keep(conn, &partner, object, &checking, clock.now())? {
                    Kept::Taken(event) => {
                        taken += 1;
                        events.extend(event);
                    }
                    Kept::Known => (),
                    Kept::NotTheirs => refused += 1,
                }
            }
            Ok::<_, DbError>((taken, refused, events))
        })
        .await?;
    pulled.taken += taken;
    pulled.refused += refused;
    for event in events {
        app.wakes.tell(event);
    }
    Ok(())
}

enum Kept {
    Taken(Option<Event>),
    Known,
    NotTheirs,
}

fn keep(
    conn: &mut DbConn,
    partner: &Partner,
    object: &Object,
    checking: &Checking,
    now: Timestamp,
) -> DbResult<Kept> {
    match object {
        Object::Location(location) => keep_told(conn, partner, location.as_ref(), location.last_updated),
        Object::Tariff(tariff) => keep_told(conn, partner, tariff.as_ref(), tariff.last_updated),
        Object::Token(token) => keep_told(conn, partner, token.as_ref(), token.last_updated),
        Object::Session(session) => keep_told(conn, partner, session.as_ref(), session.last_updated),
        Object::Cdr(cdr) => {
            if !may_act_for(conn, partner, &cdr.party, &Role::Cpo)? {
                return Ok(Kept::NotTheirs);
            }
            match cdrs::find(conn, &cdr.party, &cdr.id)? {
                None => {
                    check::keep_received(conn, partner, cdr, checking, now)?;
                    Ok(Kept::Taken(Some(Event::CdrWritten(cdr.id.to_string()))))
                }
                Some((known, Some(_))) if known == **cdr => Ok(Kept::Known),
                // A CDR never changes: another one under its id is refused, as it is when posted.
                Some(_) => Ok(Kept::NotTheirs),
            }
        }
    }
}

/// Keeps an object unless ours is as new: a push may have overtaken the page.
fn keep_told<T: Told + Updated>(
    conn: &mut DbConn,
    partner: &Partner,
    object: &T,
    last_updated: Timestamp,
) -> DbResult<Kept> {
    let key = object.key();
    let (party, _) = T::owner(&key);
    if !may_act_for(conn, partner, party, &T::OWNER)? {
        return Ok(Kept::NotTheirs);
    }
    match T::find(conn, &key)? {
        Some((_, None)) => Ok(Kept::NotTheirs),
        Some((known, Some(_))) if known.updated() >= last_updated => Ok(Kept::Known),
        _ => {
            object.keep(conn, partner.id)?;
            Ok(Kept::Taken(object.event()))
        }
    }
}

/// An object that says when it was last changed.
trait Updated {
    fn updated(&self) -> Timestamp;
}

macro_rules! updated {
    ($($type:path),+) => { $(impl Updated for $type {
        fn updated(&self) -> Timestamp {
            self.last_updated
        }
    })+ };
}
updated!(
    crate::domain::location::Location,
    crate::domain::tariff::Tariff,
    crate::domain::token::Token,
    crate::domain::session::Session
);
