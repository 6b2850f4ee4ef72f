//! The settings of the driver API. `config/default.toml` says what each is for and when to change it.

use super::reader::Section;
use super::sections::{DAY, HOUR, SECOND};
use std::time::Duration;

/// Section `[driver]`.
#[derive(Debug, Clone)]
pub struct DriverConfig {
    /// How long an access token is good.
    pub access_token_lifetime: Duration,
    /// How long a refresh token is good.
    pub refresh_token_lifetime: Duration,
    /// How long a start that was accepted waits for its charge.
    pub start_window: Duration,
    /// Requests a second of one app.
    pub app_per_second: u32,
    /// Requests of one app at once after a pause.
    pub app_burst: u32,
    /// Requests a second of one driver.
    pub driver_per_second: u32,
    /// Requests of one driver at once after a pause.
    pub driver_burst: u32,
    /// Event streams that one driver may have open.
    pub streams_per_driver: usize,
    /// Event streams that may be open in all.
    pub streams: usize,
}

impl DriverConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        const RANGE: std::ops::RangeInclusive<i64> = 1..=1_000_000;
        Self {
            access_token_lifetime: section.duration("access_token_lifetime", SECOND..=DAY),
            refresh_token_lifetime: section.duration("refresh_token_lifetime", SECOND..=DAY * 3650),
            start_window: section.duration("start_window", SECOND..=HOUR),
            app_per_second: section.integer("app_per_second", RANGE),
            app_burst: section.integer("app_burst", RANGE),
            driver_per_second: section.integer("driver_per_second", RANGE),
            driver_burst: section.integer("driver_burst", RANGE),
            streams_per_driver: section.integer("streams_per_driver", RANGE),
            streams: section.integer("streams", RANGE),
        }
    }
}
