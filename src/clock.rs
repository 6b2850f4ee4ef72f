//! Time, in one place, so that tests can turn it.

use crate::domain::Timestamp;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Where the time comes from. Cheap to clone; clones of a manual clock turn together.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's.
    System,
    /// One that tests turn.
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// A clock that stands until it is turned.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(watch::Sender::new(at)))
    }

    /// The time now, to the millisecond.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place that reads the machine's clock"
            )]
            Self::System => Timestamp::new(chrono::Utc::now()),
            Self::Manual(at) => *at.borrow(),
        }
    }

    /// Turns a manual clock forward; the machine's is left as it is.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
            at.send_modify(|now| *now = now.plus(by));
        }
    }

    /// Waits until the clock shows that time.
    pub async fn sleep_until(&self, at: Timestamp) {
        match self {
            Self::System => {
                let millis = u64::try_from(at.millis_since(self.now())).unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(millis)).await;
            }
            Self::Manual(clock) => {
                // The sender lives as long as this clock, so waiting cannot fail.
                drop(clock.subscribe().wait_for(|now| *now >= at).await);
            }
        }
    }

    /// Waits that long by the clock.
    pub async fn sleep(&self, by: Duration) {
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        self.sleep_until(self.now().plus(by)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_stands_until_it_is_turned() {
        let clock = Clock::manual(Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_secs(60)).await;
                clock.now()
            }
        });
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(61));
        assert_eq!(sleeper.await.unwrap().to_string(), "2026-01-01T00:01:01Z");
    }
}
