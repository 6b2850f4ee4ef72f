//! Who watches what, and how many may.

use crate::app::{App, Event};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// What a stream is woken by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Changes of a session; its folded id.
    Session(String),
    /// Changes of an ad hoc payment; its id.
    Payment(String),
    /// What a driver may do was taken back; the driver's id.
    Driver(String),
}

impl Topic {
    /// Changes of a session, whichever party has it.
    #[must_use]
    pub fn session(id: &str) -> Self {
        Self::Session(id.to_ascii_lowercase())
    }
}

/// Why a stream is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// This one has too many.
    #[error("too many event streams are open for this driver or payment")]
    OfOwner,
    /// All together are too many.
    #[error("too many event streams are open")]
    InAll,
}

impl TooMany {
    /// Seconds after which it may be tried again.
    #[must_use]
    pub fn retry_after(self) -> u64 {
        match self {
            Self::OfOwner => 5,
            Self::InAll => 30,
        }
    }
}

/// The streams of one node.
#[derive(Debug)]
pub struct Live {
    open: Mutex<Open>,
    most: usize,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Open {
    topics: HashMap<Topic, Vec<Arc<Notify>>>,
    owners: HashMap<String, usize>,
    total: usize,
}

impl Live {
    /// None yet; at most so many, which all end when the node stops.
    #[must_use]
    pub fn new(most: usize, stop: CancellationToken) -> Self {
        Self { open: Mutex::default(), most, stop }
    }

    /// A place for a stream of somebody who may have so many.
    ///
    /// # Errors
    /// When there are too many.
    pub fn open(self: &Arc<Self>, owner: &str, most: usize) -> Result<Place, TooMany> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.owners.get(owner).copied().unwrap_or(0);
        if own >= most {
            return Err(TooMany::OfOwner);
        }
        if open.total >= self.most {
            return Err(TooMany::InAll);
        }
        open.owners.insert(owner.to_owned(), own.saturating_add(1));
        open.total = open.total.saturating_add(1);
        let live = Arc::clone(self);
        Ok(Place { live, owner: owner.to_owned(), wake: Arc::default(), topics: Vec::new() })
    }

    pub(super) fn wake(&self, topic: &Topic) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for wake in open.topics.get(topic).into_iter().flatten() {
            wake.notify_one();
        }
    }

    fn wake_all(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for wake in open.topics.values().flatten() {
            wake.notify_one();
        }
    }
}

/// The place of one stream, which is given up when this is dropped.
#[derive(Debug)]
pub struct Place {
    live: Arc<Live>,
    owner: String,
    wake: Arc<Notify>,
    topics: Vec<Topic>,
}

impl Place {
    /// Has the stream woken by this as well.
    pub fn watch(&mut self, topic: Topic) {
        if self.topics.contains(&topic) {
            return;
        }
        let mut open = self.live.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.topics.entry(topic.clone()).or_default().push(Arc::clone(&self.wake));
        drop(open);
        self.topics.push(topic);
    }

    /// Waits for a change. What changed several times meanwhile is told once.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Waits until the node stops.
    pub(super) async fn stopped(&self) {
        self.live.stop.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.live.open.lock().unwrap_or_else(PoisonError::into_inner);
        for topic in &self.topics {
            if let Some(wakes) = open.topics.get_mut(topic) {
                wakes.retain(|wake| !Arc::ptr_eq(wake, &self.wake));
                if wakes.is_empty() {
                    open.topics.remove(topic);
                }
            }
        }
        open.total = open.total.saturating_sub(1);
        let left = open.owners.get(&self.owner).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            open.owners.remove(&self.owner);
        } else {
            open.owners.insert(self.owner.clone(), left);
        }
    }
}

/// Wakes the streams that news concern, until the node stops.
pub async fn run(app: Arc<App>, live: Arc<Live>) {
    let mut events = app.wakes.events.subscribe();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = live.stop.cancelled() => return,
        };
        match event {
            Ok(Event::SessionChanged(id)) => live.wake(&Topic::session(&id)),
            Ok(Event::PaymentChanged(id)) => live.wake(&Topic::Payment(id)),
            Ok(Event::DriverShutOut(id)) => live.wake(&Topic::Driver(id)),
            Ok(Event::AppShutOut(_)) | Err(RecvError::Lagged(_)) => live.wake_all(),
            Ok(
                Event::StationConnected(_)
                | Event::StationDisconnected(_)
                | Event::CdrWritten(_)
                | Event::LocationTold(..)
                | Event::TariffTold(..),
            ) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn live(most: usize) -> Arc<Live> {
        Arc::new(Live::new(most, CancellationToken::new()))
    }

    async fn is_woken(place: &Place) -> bool {
        tokio::time::timeout(Duration::from_millis(50), place.woken()).await.is_ok()
    }

    #[tokio::test]
    async fn only_those_are_woken_who_watch_and_once() {
        let live = live(9);
        let (mut one, mut two) = (live.open("a", 9).unwrap(), live.open("a", 9).unwrap());
        one.watch(Topic::session("S-1"));
        two.watch(Topic::Payment("p".to_owned()));
        live.wake(&Topic::session("s-1"));
        live.wake(&Topic::session("s-1"));
        assert!(is_woken(&one).await);
        assert!(!is_woken(&one).await, "several changes are one");
        assert!(!is_woken(&two).await);
        live.wake_all();
        assert!(is_woken(&one).await && is_woken(&two).await);
        drop((one, two));
        let open = live.open.lock().unwrap();
        assert!(open.topics.is_empty() && open.owners.is_empty() && open.total == 0, "{open:?}");
    }

    #[tokio::test]
    async fn nobody_has_more_streams_than_allowed() {
        let live = live(3);
        let first = live.open("a", 2).unwrap();
        let _second = live.open("a", 2).unwrap();
        assert_eq!(live.open("a", 2).unwrap_err(), TooMany::OfOwner);
        let _third = live.open("b", 2).unwrap();
        assert_eq!(live.open("c", 2).unwrap_err(), TooMany::InAll);
        drop(first);
        assert!(live.open("a", 2).is_ok());
    }
}
