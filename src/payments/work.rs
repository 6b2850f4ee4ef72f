//! What is done for payments without a driver's asking: messages of providers are looked at, payments whose time has
//! come are moved on, charges that grew are looked at, and CDRs that were corrected are accounted for.
//!
//! Each payment is worked on in a task of its own, since it may wait for the provider or a station, and no other payment
//! is to wait for that.

use super::flow::go_on_in_background;
use super::{PaymentError, events};
use crate::app::App;
use crate::db::payment_queue as queue;
use crate::domain::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// So many payments are taken up in one go.
const BATCH: i64 = 500;
/// So many are worked on at the same time.
const AT_ONCE: usize = 64;
/// The work that is no payment's.
const MESSAGES: &str = "messages";

/// What is worked on, and what is to be looked at once more after it.
#[derive(Debug, Default)]
struct Busy {
    now: HashSet<String>,
    again: HashSet<String>,
}

/// The charges that are paid for, which of them changed, and what is worked on.
#[derive(Debug)]
pub struct Watch {
    payments: HashMap<String, String>,
    changed: HashSet<String>,
    busy: Arc<Mutex<Busy>>,
    places: Arc<Semaphore>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            payments: HashMap::new(),
            changed: HashSet::new(),
            busy: Arc::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Watch {
    /// A charge changed, by its session; whether it is one that is paid for.
    pub fn changed(&mut self, session: &str) -> bool {
        let key = session.to_ascii_lowercase();
        let watched = self.payments.contains_key(&key);
        if watched {
            self.changed.insert(key);
        }
        watched
    }

    /// Any of them may have changed.
    pub fn all_changed(&mut self) {
        self.changed = self.payments.keys().cloned().collect();
    }

    /// Begins a piece of work, unless it goes on already; then it is looked at once more after it.
    fn begin(&self, id: &str) -> bool {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let new = busy.now.insert(id.to_owned());
        if !new {
            busy.again.insert(id.to_owned());
        }
        new
    }

    /// Works in the background, and once more where that was asked for meanwhile: it may have looked before the change.
    fn spawn<W, F>(&self, id: String, work: W)
    where
        W: Fn() -> F + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let (busy, places) = (Arc::clone(&self.busy), Arc::clone(&self.places));
        tokio::spawn(async move {
            // It is never closed.
            let _place = places.acquire().await;
            loop {
                work().await;
                let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
                if !busy.again.remove(&id) {
                    busy.now.remove(&id);
                    return;
                }
            }
        });
    }
}

/// Takes up all that is to be done now, and returns when there is more.
///
/// # Errors
/// When the database fails.
pub async fn work_off(app: &Arc<App>, watch: &mut Watch) -> Result<Option<Timestamp>, PaymentError> {
    if app.db.read(events::any_waiting).await? && watch.begin(MESSAGES) {
        let app = Arc::clone(app);
        watch.spawn(MESSAGES.to_owned(), move || {
            let app = Arc::clone(&app);
            async move {
                if let Err(error) = events::handle_all(&app).await {
                    tracing::error!(error = ?error, "messages of a provider wait");
                }
            }
        });
    }
    let now = app.now();
    let (charging, due, next) = app
        .db
        .read(move |conn| {
            let mut due = queue::due(conn, now, BATCH)?;
            due.extend(queue::corrected(conn, BATCH)?);
            Ok::<_, crate::db::DbError>((queue::charging(conn)?, due, queue::next_after(conn, now)?))
        })
        .await?;
    watch.payments = charging.into_iter().collect();
    let changed: Vec<String> = watch.changed.drain().collect();
    let mut ids: Vec<String> =
        changed.iter().filter_map(|session| watch.payments.get(session).cloned()).collect();
    ids.extend(due);
    ids.sort();
    ids.dedup();
    for id in ids {
        if watch.begin(&id) {
            let (app, of) = (Arc::clone(app), id.clone());
            watch.spawn(id, move || {
                let (app, id) = (Arc::clone(&app), of.clone());
                async move { go_on_in_background(&app, &id).await }
            });
        }
    }
    Ok(next)
}
