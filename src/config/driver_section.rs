//! The settings of the driver API. `config/default.toml` says what each is for and when to change it.

use super::reader::Section;
use super::sections::{DAY, HOUR, SECOND};
use std::time::Duration;
use url::Url;

const ORIGINS: &str = "write origins as browsers send them, like [\"https://app.example\", \"capacitor://localhost\"], \
                       without anything behind the host and the port";

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
    /// How long orders are kept.
    pub orders_kept: Duration,
    /// Origins of web apps that may use the API.
    pub allowed_origins: Vec<String>,
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
            orders_kept: section.duration("orders_kept", DAY..=DAY * 3650),
            allowed_origins: section.list("allowed_origins", ORIGINS, origin),
            streams_per_driver: section.integer("streams_per_driver", RANGE),
            streams: section.integer("streams", RANGE),
        }
    }
}

/// An origin as browsers send it (RFC 6454, 6.2), also of the schemes under which packed web apps run.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let made = format!("{}://{host}{port}", url.scheme());
    (made == text).then_some(made)
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn origins_are_what_browsers_send() {
        for good in
            ["https://app.example", "http://localhost:5173", "http://[::1]:8080", "capacitor://localhost"]
        {
            assert_eq!(origin(good).as_deref(), Some(good));
        }
        for wrong in [
            "*",
            "null",
            "app.example",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example:443",
            "https://App.example",
            "https://user@app.example",
            "file://",
        ] {
            assert_eq!(origin(wrong), None, "{wrong}");
        }
    }
}
