//! The settings of stations, charges, prices and partners. `config/default.toml` says what each is for and when
//! to change it.

use super::reader::Section;
use super::sections::{DAY, HOUR, SECOND};
use rust_decimal::Decimal;
use std::time::Duration;

/// Section `[ocpp]`.
#[derive(Debug, Clone)]
pub struct OcppConfig {
    /// Interval of heartbeats that a station is told.
    pub heartbeat_interval: Duration,
    /// Interval of meter values that a station is set to; `None` leaves it as it is.
    pub meter_value_interval: Option<Duration>,
    /// When a station that was not accepted may ask again.
    pub boot_retry_interval: Duration,
    /// How long a station may take to answer a call.
    pub call_timeout: Duration,
    /// Calls that may wait for one station.
    pub queue_length: usize,
    /// Interval of WebSocket pings.
    pub ping_interval: Duration,
    /// How long an open connection has to answer when a second one under its id arrives.
    pub takeover_timeout: Duration,
    /// Largest message of a station, bytes.
    pub max_frame: usize,
    /// Whether stations that are configured without a password may connect.
    pub allow_no_auth: bool,
    /// How long a station may be away before its EVSEs are shown as UNKNOWN.
    pub offline_grace: Duration,
}

impl OcppConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        Self {
            heartbeat_interval: section.duration("heartbeat_interval", SECOND..=DAY),
            meter_value_interval: Some(section.duration("meter_value_interval", Duration::ZERO..=DAY))
                .filter(|interval| !interval.is_zero()),
            boot_retry_interval: section.duration("boot_retry_interval", SECOND..=DAY),
            call_timeout: section.duration("call_timeout", Duration::from_millis(10)..=HOUR),
            queue_length: section.integer("queue_length", 1..=10_000),
            ping_interval: section.duration("ping_interval", Duration::from_millis(100)..=HOUR),
            takeover_timeout: section.duration("takeover_timeout", Duration::from_millis(10)..=HOUR),
            max_frame: section.size("max_frame", 1024..=16 << 20),
            allow_no_auth: section.flag("allow_no_auth"),
            offline_grace: section.duration("offline_grace", Duration::ZERO..=DAY),
        }
    }
}

/// Section `[charging]`.
#[derive(Debug, Clone)]
pub struct ChargingConfig {
    /// When the CDR is written, counted from the stop.
    pub cdr_delay: Duration,
    /// Whether PARKING_TIME runs on after the stop until the connector is Available.
    pub bill_until_unplugged: bool,
    /// How long a remote command may take in all.
    pub command_timeout: Duration,
    /// How long a stop may be missing once the connector is free.
    pub missing_stop_grace: Duration,
    /// How long a session may be silent before it is ended.
    pub stale_session_timeout: Duration,
}

impl ChargingConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        Self {
            cdr_delay: section.duration("cdr_delay", Duration::ZERO..=DAY),
            bill_until_unplugged: section.flag("bill_until_unplugged"),
            command_timeout: section.duration("command_timeout", Duration::from_millis(10)..=HOUR),
            missing_stop_grace: section.duration("missing_stop_grace", Duration::ZERO..=DAY * 30),
            stale_session_timeout: section.duration("stale_session_timeout", SECOND..=DAY * 365),
        }
    }
}

/// How an amount is rounded that lies exactly between two of the finest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rounding {
    /// Away from zero.
    #[default]
    HalfUp,
    /// To the even neighbour.
    HalfEven,
}

/// Which day counts for a tariff element with days of the week and a time window over midnight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WrappedDays {
    /// The day on which the window began.
    #[default]
    WindowStart,
    /// The day that it is.
    Calendar,
}

/// Section `[pricing]`.
#[derive(Debug, Clone)]
pub struct PricingConfig {
    /// Currency of sessions without a tariff (ISO 4217, three capital letters).
    pub currency: String,
    /// How amounts are rounded.
    pub rounding: Rounding,
    /// Which day counts in a time window over midnight.
    pub wrapped_days: WrappedDays,
    /// By how much an amount of a CDR may differ from what its tariffs make, in its currency.
    pub verify_tolerance: Decimal,
    /// By how much its energy may differ from that of its periods, kWh.
    pub verify_tolerance_kwh: Decimal,
    /// By how much its times may differ from those of its periods, hours.
    pub verify_tolerance_hours: Decimal,
}

/// A decimal of at most 1000 and not below zero.
fn tolerance(section: &mut Section<'_>, key: &str) -> Decimal {
    section.text(key, |text| {
        let number: Option<Decimal> = text.parse().ok();
        number
            .filter(|number| *number >= Decimal::ZERO && *number <= Decimal::ONE_THOUSAND)
            .ok_or_else(|| "write a decimal from 0 to 1000 in quotes, like \"0.01\"".to_owned())
    })
}

impl PricingConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        Self {
            currency: section.text("currency", |text| {
                if text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_uppercase()) {
                    Ok(text.to_owned())
                } else {
                    Err("write three capital letters of ISO 4217, like \"EUR\"".to_owned())
                }
            }),
            rounding: section.text("rounding", |text| match text {
                "half_up" => Ok(Rounding::HalfUp),
                "half_even" => Ok(Rounding::HalfEven),
                _ => Err("write \"half_up\" or \"half_even\"".to_owned()),
            }),
            wrapped_days: section.text("wrapped_days", |text| match text {
                "window_start" => Ok(WrappedDays::WindowStart),
                "calendar" => Ok(WrappedDays::Calendar),
                _ => Err("write \"window_start\" or \"calendar\"".to_owned()),
            }),
            verify_tolerance: tolerance(&mut section, "verify_tolerance"),
            verify_tolerance_kwh: tolerance(&mut section, "verify_tolerance_kwh"),
            verify_tolerance_hours: tolerance(&mut section, "verify_tolerance_hours"),
        }
    }
}

/// Section `[roaming]`.
#[derive(Debug, Clone)]
pub struct RoamingConfig {
    /// How long a partner may take to answer.
    pub request_timeout: Duration,
    /// How long a real-time authorization may take.
    pub authorize_timeout: Duration,
    /// How long the asynchronous result of a command of ours may take.
    pub command_timeout: Duration,
    /// Objects on a page without a limit asked for.
    pub page_limit: usize,
    /// Most objects on a page.
    pub page_limit_max: usize,
    /// Most bytes of a page that is taken from a partner.
    pub max_page_bytes: usize,
    /// Most pages of a list that are taken from a partner.
    pub max_pages: usize,
    /// Whether a real-time authorization must say where the driver wants to charge.
    pub authorize_needs_location: bool,
    /// Whether partners may be reached by plain http.
    pub allow_http: bool,
    /// Whether a partner's name may resolve to a loopback or private address.
    pub allow_private_addresses: bool,
    /// Wait before the first repetition of a failed delivery.
    pub retry_first: Duration,
    /// Longest wait between repetitions.
    pub retry_max: Duration,
    /// Changed objects that a worker takes up at once.
    pub delivery_batch: usize,
    /// How often a worker looks for changes that nobody woke it for.
    pub poll_interval: Duration,
    /// How often changes are pulled from a partner.
    pub pull_interval: Duration,
    /// How often everything is pulled from a partner.
    pub complete_pull_interval: Duration,
}

impl RoamingConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let least = Duration::from_millis(10);
        let config = Self {
            request_timeout: section.duration("request_timeout", least..=HOUR),
            authorize_timeout: section.duration("authorize_timeout", least..=HOUR),
            command_timeout: section.duration("command_timeout", least..=HOUR),
            page_limit: section.integer("page_limit", 1..=100_000),
            page_limit_max: section.integer("page_limit_max", 1..=100_000),
            max_page_bytes: section.size("max_page_bytes", 4096..=1 << 30),
            max_pages: section.integer("max_pages", 1..=1_000_000),
            authorize_needs_location: section.flag("authorize_needs_location"),
            allow_http: section.flag("allow_http"),
            allow_private_addresses: section.flag("allow_private_addresses"),
            retry_first: section.duration("retry_first", least..=DAY),
            retry_max: section.duration("retry_max", least..=DAY),
            delivery_batch: section.integer("delivery_batch", 1..=10_000),
            poll_interval: section.duration("poll_interval", least..=HOUR),
            pull_interval: section.duration("pull_interval", least..=DAY),
            complete_pull_interval: section
                .duration("complete_pull_interval", least..=DAY.saturating_mul(366)),
        };
        // Zero stands for a value that was wrong and is reported already.
        if config.page_limit_max > 0 && config.page_limit > config.page_limit_max {
            let remedy = "lower page_limit or raise page_limit_max";
            section.wrong("page_limit", "is more than roaming.page_limit_max", remedy);
        }
        if !config.retry_max.is_zero() && config.retry_first > config.retry_max {
            let remedy = "lower retry_first or raise retry_max";
            section.wrong("retry_first", "is more than roaming.retry_max", remedy);
        }
        config
    }
}
