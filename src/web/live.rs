//! Who watches what: open pages and apps that want to know when a session or a payment changes.
//!
//! One task hears all news of the node and wakes only those that it concerns, so that a thousand open streams cost no
//! more than the changes that they show.

use crate::app::{App, Event};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The watchers of one node.
#[derive(Debug, Default)]
pub struct Live {
    topics: Mutex<HashMap<String, watch::Sender<u64>>>,
}

/// A place among the watchers of one thing.
#[derive(Debug)]
pub struct Watching {
    live: Arc<Live>,
    topic: String,
    news: watch::Receiver<u64>,
}

impl Live {
    /// Watches a session or a payment, by its id.
    #[must_use]
    pub fn watch(self: &Arc<Self>, id: &str) -> Watching {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = topics.entry(id.to_owned()).or_insert_with(|| watch::Sender::new(0));
        Watching { live: Arc::clone(self), topic: id.to_owned(), news: sender.subscribe() }
    }

    /// How many things are watched now.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn changed(&self, id: &str) {
        if let Some(sender) = self.topics.lock().unwrap_or_else(PoisonError::into_inner).get(id) {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    fn all_changed(&self) {
        for sender in self.topics.lock().unwrap_or_else(PoisonError::into_inner).values() {
            sender.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

impl Watching {
    /// Waits for the next change. What changed several times meanwhile is told once.
    pub async fn changed(&mut self) {
        if self.news.changed().await.is_err() {
            // The sender lives as long as somebody watches, so this never happens; waiting is right if it does.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut topics = self.live.topics.lock().unwrap_or_else(PoisonError::into_inner);
        // This one's own receiver still counts.
        if topics.get(&self.topic).is_some_and(|sender| sender.receiver_count() <= 1) {
            topics.remove(&self.topic);
        }
    }
}

/// Wakes those who watch until the node stops.
pub async fn run(app: Arc<App>, live: Arc<Live>, stop: CancellationToken) {
    let mut events = app.wakes.events.subscribe();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = stop.cancelled() => return,
        };
        match event {
            Ok(Event::SessionChanged(id) | Event::PaymentChanged(id)) => live.changed(&id),
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => live.all_changed(),
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_watched_is_kept_and_woken() {
        let live = Arc::new(Live::default());
        let (mut one, two) = (live.watch("a"), live.watch("a"));
        let mut other = live.watch("b");
        live.changed("a");
        live.changed("a");
        one.changed().await;
        assert!(!one.news.has_changed().unwrap());
        assert!(!other.news.has_changed().unwrap());
        live.all_changed();
        other.changed().await;
        drop(one);
        assert_eq!(live.watched(), 2);
        drop((two, other));
        assert_eq!(live.watched(), 0);
    }
}
