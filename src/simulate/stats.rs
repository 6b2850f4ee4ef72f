//! What a fleet counts: atomics that all stations share.

use serde::Serialize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets per doubling: a latency is known to about 3 %.
const SUB_BITS: u32 = 5;
const SUB: u64 = 1 << SUB_BITS;
/// Up to about 2^36 µs.
const BUCKETS: usize = 1024;

/// A histogram of latencies in microseconds, exact below 32 µs and to 3 % above.
#[derive(Debug)]
pub struct Histogram {
    buckets: Vec<AtomicU64>,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(), max: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Adds one.
    pub fn record(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let index = bucket_of(micros).min(BUCKETS - 1);
        if let Some(bucket) = self.buckets.get(index) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.max.fetch_max(micros, Ordering::Relaxed);
    }

    /// A copy of the counts.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect()
    }

    /// The percentiles of all so far.
    #[must_use]
    pub fn summary(&self) -> Latency {
        summarize(&self.counts(), self.max.load(Ordering::Relaxed))
    }

    /// The percentiles of what came since `earlier` counts were taken.
    #[must_use]
    pub fn summary_since(&self, earlier: &[u64]) -> Latency {
        let since: Vec<u64> =
            self.counts().iter().zip(earlier).map(|(now, then)| now.saturating_sub(*then)).collect();
        let max = since.iter().rposition(|count| *count > 0).map_or(0, upper_bound);
        summarize(&since, max)
    }
}

fn bucket_of(micros: u64) -> usize {
    if micros < SUB {
        return usize::try_from(micros).unwrap_or(0);
    }
    let doublings = micros.ilog2() - SUB_BITS;
    let index = u64::from(doublings + 1) * SUB + ((micros >> doublings) - SUB);
    usize::try_from(index).unwrap_or(BUCKETS)
}

/// The largest value in a bucket, µs.
fn upper_bound(index: usize) -> u64 {
    let index = u64::try_from(index).unwrap_or(0);
    if index < SUB {
        return index;
    }
    let doublings = index / SUB - 1;
    ((index % SUB + SUB + 1) << doublings) - 1
}

fn summarize(counts: &[u64], max: u64) -> Latency {
    let total: u64 = counts.iter().sum();
    let at = |permille: u64| {
        let rank = (total * permille).div_ceil(1000).max(1);
        let mut seen = 0;
        for (index, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_bound(index).min(max);
            }
        }
        0
    };
    Latency { count: total, p50: at(500), p90: at(900), p99: at(990), p999: at(999), max }
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Half of them took at most this.
    pub p50: u64,
    /// 90 % took at most this.
    pub p90: u64,
    /// 99 % took at most this.
    pub p99: u64,
    /// 99.9 % took at most this.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

/// Microseconds as milliseconds for people: `1.234`.
#[must_use]
pub fn millis_text(micros: u64) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

/// What all stations of a fleet have done so far.
#[derive(Debug, Default)]
pub struct Stats {
    /// Stations with a socket.
    pub connected: AtomicU64,
    /// Stations that were let in.
    pub booted: AtomicU64,
    /// Connectors with a transaction.
    pub charging: AtomicU64,
    /// Times that a socket was opened.
    pub connects: AtomicU64,
    /// Times that opening one failed.
    pub connect_failures: AtomicU64,
    /// Times that a socket was lost.
    pub disconnects: AtomicU64,
    /// Calls sent.
    pub sent: AtomicU64,
    /// Calls answered with a result.
    pub answered: AtomicU64,
    /// Calls answered with an error.
    pub refused: AtomicU64,
    /// Calls not answered in time.
    pub timed_out: AtomicU64,
    /// Calls from the server that were answered.
    pub received: AtomicU64,
    /// Answers and frames that could not be read.
    pub unreadable: AtomicU64,
    /// Charges begun.
    pub started: AtomicU64,
    /// Charges ended.
    pub stopped: AtomicU64,
    /// Energy of the charges ended, Wh.
    pub energy_wh: AtomicU64,
    /// From the sending of a call to its answer.
    pub latency: Histogram,
    /// What went wrong last, and whether it has been told.
    last_problem: Mutex<Option<(String, bool)>>,
}

/// Adds one to a counter.
pub fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Takes one from a gauge.
pub fn take(counter: &AtomicU64) {
    counter.fetch_sub(1, Ordering::Relaxed);
}

/// Reads a counter.
pub fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Stats {
    /// Remembers what went wrong last, for the next progress line.
    pub fn problem(&self, what: String) {
        if let Ok(mut last) = self.last_problem.lock() {
            *last = Some((what, false));
        }
    }

    /// What went wrong last, once.
    #[must_use]
    pub fn take_problem(&self) -> Option<String> {
        let mut last = self.last_problem.lock().ok()?;
        let (what, told) = last.as_mut()?;
        (!std::mem::replace(told, true)).then(|| what.clone())
    }

    /// What went wrong last.
    #[must_use]
    pub fn last_problem(&self) -> Option<String> {
        self.last_problem.lock().ok()?.as_ref().map(|(what, _)| what.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_three_percent() {
        let histogram = Histogram::default();
        for micros in 1..=100_000 {
            histogram.record(Duration::from_micros(micros));
        }
        let summary = histogram.summary();
        assert_eq!((summary.count, summary.max), (100_000, 100_000));
        for (found, wanted) in [(summary.p50, 50_000), (summary.p99, 99_000), (summary.p999, 99_900)] {
            assert!((wanted..=wanted + wanted / 30).contains(&found), "{found} for {wanted}");
        }
        let earlier = histogram.counts();
        histogram.record(Duration::from_micros(7));
        assert_eq!(histogram.summary_since(&earlier).p99, 7);
        assert_eq!(Histogram::default().summary(), Latency::default());
    }

    #[test]
    fn a_problem_is_told_once_and_remembered() {
        let stats = Stats::default();
        assert_eq!((stats.take_problem(), stats.last_problem()), (None, None));
        stats.problem("x".to_owned());
        assert_eq!((stats.take_problem().as_deref(), stats.take_problem()), (Some("x"), None));
        assert_eq!(stats.last_problem().as_deref(), Some("x"));
    }

    #[test]
    fn every_latency_has_a_bucket_that_holds_it() {
        for micros in [0, 1, 31, 32, 33, 63, 64, 1000, 123_456, 60_000_000] {
            let index = bucket_of(micros);
            assert!(index < BUCKETS && upper_bound(index) >= micros, "{micros}");
            assert!(index == 0 || upper_bound(index - 1) < micros, "{micros}");
        }
        Histogram::default().record(Duration::MAX);
    }
}
