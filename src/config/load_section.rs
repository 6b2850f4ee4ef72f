//! The settings of load management. `config/default.toml` says what each is for and when to change it.

use super::reader::Section;
use super::secret::Secret;
use super::sections::DAY;
use std::time::Duration;
use url::Url;

/// Section `[load]`.
#[derive(Debug, Clone)]
pub struct LoadConfig {
    /// How long limits of grid operators and what was found at sites are kept.
    pub events_kept: Duration,
    /// How long the minutes of sites are kept.
    pub history_kept: Duration,
    /// The MQTT broker that site meters are read from; none where there is none.
    pub mqtt_url: Option<Url>,
    /// Who we are to it; empty where it does not ask.
    pub mqtt_user: String,
    /// How we prove it.
    pub mqtt_password: Secret,
}

impl LoadConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        Self {
            events_kept: section.duration("events_kept", DAY..=DAY * 3650),
            history_kept: section.duration("history_kept", DAY..=DAY * 3650),
            mqtt_url: section.text("mqtt_url", broker),
            mqtt_user: section.text("mqtt_user", user),
            mqtt_password: section.secret("mqtt_password"),
        }
    }
}

fn user(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("holds a control character".to_owned());
    }
    Ok(text.to_owned())
}

fn broker(text: &str) -> Result<Option<Url>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let good = matches!(url.scheme(), "mqtt" | "mqtts") && url.host_str().is_some();
    if good { Ok(Some(url)) } else { Err("it is no mqtt://HOST:PORT or mqtts://HOST:PORT".to_owned()) }
}
