//! How much one app, and one driver, may ask. Section `[driver]` of the configuration says how much.

use crate::config::DriverConfig;
use crate::driver::access::Holder;
use crate::web::problem::Problem;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The counters of one node.
#[derive(Debug)]
pub struct DriverLimits {
    apps: DefaultKeyedRateLimiter<String>,
    drivers: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

impl DriverLimits {
    /// Counters at rest.
    #[must_use]
    pub fn new(config: &DriverConfig) -> Self {
        let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = |rate, burst| Quota::per_second(number(rate)).allow_burst(number(burst));
        Self {
            apps: RateLimiter::keyed(quota(config.app_per_second, config.app_burst)),
            drivers: RateLimiter::keyed(quota(config.driver_per_second, config.driver_burst)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of whoever holds a token.
    ///
    /// # Errors
    /// 429 when it is one too many.
    pub fn count(&self, holder: &Holder) -> Result<(), Problem> {
        if let Some(held) = &holder.driver
            && let Err(until) = self.drivers.check_key(&held.driver_id)
        {
            return Err(too_many("too many requests of this driver", until.wait_time_from(self.clock.now())));
        }
        self.count_app(&holder.app_id)
    }

    /// Counts a request of an app.
    ///
    /// # Errors
    /// 429 when it is one too many.
    pub fn count_app(&self, id: &str) -> Result<(), Problem> {
        self.apps.check_key(&id.to_owned()).map_err(|until| {
            too_many("too many requests of this app", until.wait_time_from(self.clock.now()))
        })
    }

    /// Forgets every minute whoever has been quiet, so that memory does not grow with all who ever came.
    pub async fn forget_quiet(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(60)) => (),
            }
            self.apps.retain_recent();
            self.drivers.retain_recent();
        }
    }
}

fn too_many(reason: &str, wait: Duration) -> Problem {
    Problem::too_many(reason, wait.as_secs().saturating_add(1))
}
