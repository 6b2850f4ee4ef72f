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

/// The charges that are paid for, and what is worked on.
#[derive(Debug)]
pub struct Watch {
    payments: HashMap<String, String>,
    /// A payment changed since they were read, so that others may be among them.
    stale: bool,
    /// Any of the charges may have changed.
    all: bool,
    busy: Arc<Mutex<Busy>>,
    places: Arc<Semaphore>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            payments: HashMap::new(),
            stale: true,
            all: false,
            busy: Arc::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Watch {
    /// A charge changed, by its session: its payment is looked at, if somebody pays for it. Whether that has to be found
    /// out first.
    pub fn look_at(&self, app: &Arc<App>, session: &str) -> bool {
        let Some(id) = self.payments.get(&session.to_ascii_lowercase()) else { return self.stale };
        self.take_up(app, id.clone());
        false
    }

    /// A payment changed.
    pub fn payment_changed(&mut self) {
        self.stale = true;
    }

    /// News were missed: any of the charges may have changed.
    pub fn all_changed(&mut self) {
        self.all = true;
    }

    /// Moves a payment on in the background.
    fn take_up(&self, app: &Arc<App>, id: String) {
        if self.begin(&id) {
            let (app, of) = (Arc::clone(app), id.clone());
            self.spawn(id, move || {
                let (app, id) = (Arc::clone(&app), of.clone());
                async move { go_on_in_background(&app, &id).await }
            });
        }
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

/// Takes up all that is to be done now, and returns when there is more. Charges that grow are looked at beside
/// ([`Watch::look_at`]).
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
    watch.stale = false;
    let (charging, due, next) = app
        .db
        .read(move |conn| {
            let mut due = queue::due(conn, now, BATCH)?;
            due.extend(queue::corrected(conn, BATCH)?);
            Ok::<_, crate::db::DbError>((queue::charging(conn)?, due, queue::next_after(conn, now)?))
        })
        .await?;
    watch.payments = charging.into_iter().collect();
    let mut ids = due;
    if std::mem::take(&mut watch.all) {
        ids.extend(watch.payments.values().cloned());
    }
    ids.sort();
    ids.dedup();
    for id in ids {
        watch.take_up(app, id);
    }
    Ok(next)
}
