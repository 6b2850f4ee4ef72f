//! Who is let in, in memory: the apps and grants of which the database said that they are good. A request with an access
//! token asks here, and the database only for what is not known here. What is taken back is forgotten here at once, so
//! that it opens nothing from then on, however long its access token would be good.

use super::access::{Holder, NoAccess, confirm};
use crate::app::{App, Event};
use crate::db::driver_apps::{self, DriverApp};
use crate::db::{DbConn, DbError};
use crate::domain::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Grants that are remembered at most; beyond, all are asked for anew.
const MOST: usize = 50_000;

/// What is known of apps and grants.
#[derive(Debug, Default)]
pub struct Gate {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    apps: HashSet<Incarnation>,
    grants: HashMap<String, KnownGrant>,
    /// Rises with whatever is taken back. What was read before may be true no more, and is not remembered.
    taken_back: u64,
}

/// An app by its id and when it was added: one that is added under the id of another one that is gone is another app.
type Incarnation = (String, Timestamp);

#[derive(Debug)]
struct KnownGrant {
    app: Incarnation,
    driver_id: String,
    /// When it ends, unless it goes on by then.
    until: Timestamp,
}

impl Gate {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, is_meant: impl Fn(&str, &KnownGrant) -> bool) {
        let mut known = self.known();
        known.taken_back = known.taken_back.wrapping_add(1);
        known.grants.retain(|id, grant| !is_meant(id, grant));
    }

    /// Forgets a grant that was taken back.
    pub fn forget_grant(&self, grant_id: &str) {
        self.forget(|id, _| id == grant_id);
    }

    /// Forgets a driver who is gone.
    pub fn forget_driver(&self, driver_id: &str) {
        self.forget(|_, grant| grant.driver_id == driver_id);
    }

    /// Forgets an app that is gone, with its drivers.
    pub fn forget_app(&self, app_id: &str) {
        self.forget(|_, grant| grant.app.0 == app_id);
        self.known().apps.retain(|(id, _)| id != app_id);
    }

    /// Whether whoever holds an access token is known to be good.
    fn knows(&self, holder: &Holder, now: Timestamp) -> bool {
        let known = self.known();
        match &holder.driver {
            None => known.apps.contains(&incarnation(holder)),
            Some(held) => known
                .grants
                .get(&held.grant_id)
                .is_some_and(|grant| grant.driver_id == held.driver_id && now < grant.until),
        }
    }

    /// Remembers that an app is good, unless anything was taken back since `seen`.
    fn remember_app(&self, holder: &Holder, seen: u64) {
        let mut known = self.known();
        if known.taken_back == seen {
            known.apps.insert(incarnation(holder));
        }
    }

    /// Remembers that a grant is good, unless anything was taken back since `seen`.
    fn remember_grant(&self, grant_id: &str, grant: KnownGrant, seen: u64) {
        let mut known = self.known();
        if known.taken_back != seen {
            return;
        }
        if known.grants.len() >= MOST {
            known.grants.clear();
        }
        known.grants.insert(grant_id.to_owned(), grant);
    }

    /// The apps of which anything is known and that are not among those that there are.
    fn gone(&self, there: &[DriverApp]) -> HashSet<String> {
        let known = self.known();
        let is_there = |one: &&Incarnation| there.iter().any(|app| app.id == one.0 && app.created == one.1);
        let all = known.apps.iter().chain(known.grants.values().map(|grant| &grant.app));
        all.filter(|one| !is_there(one)).map(|(id, _)| id.clone()).collect()
    }
}

fn incarnation(holder: &Holder) -> Incarnation {
    (holder.app_id.clone(), holder.app_since)
}

/// Whether what an access token rests on is still good: the app, or the driver's grant.
///
/// # Errors
/// When the database fails. Within: that it is not.
pub async fn let_in(app: &App, holder: &Holder) -> Result<Result<(), NoAccess>, DbError> {
    let (gate, now) = (&app.gate, app.now());
    if gate.knows(holder, now) {
        return Ok(Ok(()));
    }
    let seen = gate.known().taken_back;
    match holder.driver.clone() {
        None => {
            let id = holder.app_id.clone();
            let found = app.db.read(move |conn| driver_apps::find(conn, &id)).await?;
            if found.is_none_or(|found| found.created != holder.app_since) {
                return Ok(Err(NoAccess::AppGone));
            }
            gate.remember_app(holder, seen);
        }
        Some(held) => {
            let asked = held.clone();
            let confirmed = move |conn: &mut DbConn| confirm(conn, &asked, now);
            match app.db.read::<_, DbError, _>(confirmed).await? {
                Ok(until) => {
                    let grant = KnownGrant { app: incarnation(holder), driver_id: held.driver_id, until };
                    gate.remember_grant(&held.grant_id, grant, seen);
                }
                Err(no) => return Ok(Err(no)),
            }
        }
    }
    Ok(Ok(()))
}

/// Forgets the apps that another process removed, like the command line.
///
/// # Errors
/// When the database fails.
pub async fn forget_removed(app: &App) -> Result<(), DbError> {
    let there = app.db.read(driver_apps::all).await?;
    for id in app.gate.gone(&there) {
        app.gate.forget_app(&id);
        app.wakes.tell(Event::AppShutOut(id));
    }
    Ok(())
}
