//! Simulated time: it begins at the real time and may run faster.
//!
//! Everything that happens at the connector (energy, meter intervals, parking) goes by it, and the timestamps
//! that a station sends are read from it. With a speed of 60 an hour's charge takes a minute, and the
//! timestamps run ahead of the server's clock. What concerns the connection (heartbeats, timeouts, reconnects)
//! goes by real time.

use crate::clock::Clock;
use crate::domain::Timestamp;
use chrono::TimeDelta;
use std::time::Duration;
use tokio::time::Instant;

/// A clock that runs `speed` times as fast as the real one, or shows what another one does.
#[derive(Debug, Clone)]
pub struct SimClock {
    began: Instant,
    at: Timestamp,
    speed: u32,
    follows: Option<Clock>,
}

/// How long a clock that is turned by somebody else is not looked at.
const LONG: Duration = Duration::from_secs(3600);

impl SimClock {
    /// A clock that shows the real time now and runs `speed` times as fast from here.
    #[must_use]
    pub fn start(speed: u32) -> Self {
        Self { began: Instant::now(), at: Clock::System.now(), speed: speed.max(1), follows: None }
    }

    /// A clock that shows what another one shows, so that it may be turned together with a server's.
    #[must_use]
    pub fn follow(clock: Clock) -> Self {
        Self { began: Instant::now(), at: clock.now(), speed: 1, follows: Some(clock) }
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        if let Some(clock) = &self.follows {
            return clock.now();
        }
        let simulated = self.began.elapsed().saturating_mul(self.speed);
        self.at.plus(TimeDelta::from_std(simulated).unwrap_or(TimeDelta::MAX))
    }

    /// When a simulated time comes in real time.
    #[must_use]
    pub fn real(&self, at: Timestamp) -> Instant {
        if let Some(clock) = &self.follows {
            let wait = if clock.now() >= at { Duration::ZERO } else { LONG };
            return later(Instant::now(), wait);
        }
        let simulated = u64::try_from(at.millis_since(self.at)).unwrap_or(0);
        // A little late rather than early, so that the time has come when the sleeper wakes.
        let real = Duration::from_micros(simulated.saturating_mul(1000) / u64::from(self.speed) + 1);
        later(self.began, real)
    }
}

impl SimClock {
    /// Waits until a clock that is turned by somebody else shows that time; for ever with one that runs by itself,
    /// for which [`Self::real`] says when to look again.
    pub async fn turned(&self, at: Option<Timestamp>) {
        match (&self.follows, at) {
            (Some(clock), Some(at)) => clock.sleep_until(at).await,
            _ => std::future::pending().await,
        }
    }
}

/// A moment that much later; a day later where the sum cannot be said.
#[must_use]
pub fn later(at: Instant, by: Duration) -> Instant {
    at.checked_add(by).or_else(|| at.checked_add(Duration::from_secs(86_400))).unwrap_or(at)
}

/// A simulated time that much later.
#[must_use]
pub fn plus(at: Timestamp, by: Duration) -> Timestamp {
    at.plus(TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_hour_passes_in_a_moment_at_high_speed() {
        let clock = SimClock::start(36_000);
        let due = plus(clock.now(), Duration::from_secs(3600));
        let begun = Instant::now();
        tokio::time::sleep_until(clock.real(due)).await;
        assert!(clock.now() >= due);
        assert!(begun.elapsed() >= Duration::from_millis(90), "{:?}", begun.elapsed());
    }
}
