//! The line that tells how a fleet is doing.

use super::stats::{Stats, get, millis_text};
use tokio::time::Instant;

/// The line that tells how it goes.
pub(super) struct ProgressLine {
    begun: Instant,
    pub(super) at: Instant,
    answered: u64,
    counts: Option<Vec<u64>>,
}

impl ProgressLine {
    pub(super) fn new(begun: Instant) -> Self {
        Self { begun, at: begun, answered: 0, counts: None }
    }

    pub(super) fn next(&mut self, stats: &Stats, count: usize) -> String {
        let now = Instant::now();
        let millis = u64::try_from(now.duration_since(self.at).as_millis()).unwrap_or(1).max(1);
        let answered = get(&stats.answered);
        let rate = (answered - self.answered).saturating_mul(1000) / millis;
        let latency = match &self.counts {
            Some(earlier) => stats.latency.summary_since(earlier),
            None => stats.latency.summary(),
        };
        let seconds = now.duration_since(self.begun).as_secs();
        let (connected, charging) = (get(&stats.connected), get(&stats.charging));
        let errors = get(&stats.refused) + get(&stats.timed_out) + get(&stats.unreadable);
        let failures = get(&stats.connect_failures) + get(&stats.disconnects);
        let mut line = format!(
            "{seconds:>5} s  {connected}/{count} connected  {charging} charging  {rate} answers/s  \
             p50 {} ms  p99 {} ms  {errors} errors  {failures} connection failures",
            millis_text(latency.p50),
            millis_text(latency.p99),
        );
        if let Some(problem) = stats.take_problem() {
            line.push_str("  last: ");
            line.extend(problem.chars().filter(|c| !c.is_control()).take(120));
        }
        self.at = now;
        self.answered = answered;
        self.counts = Some(stats.latency.counts());
        line
    }
}
