//! The settings of the server, its database, its secrets, and what operators watch. `config/default.toml` says
//! what each is for and when to change it.

use super::reader::Section;
use super::secret::Secret;
use super::values::DatabaseUrl;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// Section `[server]`.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Address and port that everybody connects to.
    pub listen: SocketAddr,
    /// The URL partners reach this node at, without a slash at its end. `None`: see [`Self::public_base`].
    pub public_url: Option<Url>,
    /// Networks of proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate and key for https and wss; `None` is plain http.
    pub tls: Option<TlsFiles>,
    /// How often the certificate files are looked at for a change.
    pub tls_reload_interval: Duration,
    /// Largest body of a request, bytes.
    pub max_body: usize,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long an idle connection stays open.
    pub keep_alive: Duration,
    /// Threads that serve connections; `None` is one per core.
    pub workers: Option<usize>,
    /// How long a stop waits for what is running.
    pub shutdown_grace: Duration,
}

/// The PEM files for https and wss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl ServerConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let listen = section.text("listen", |text| {
            text.parse()
                .map(Some)
                .map_err(|_| "write an address and a port like \"127.0.0.1:8080\"".to_owned())
        });
        let certificate = section.file("tls_certificate");
        let tls = match (certificate, section.file("tls_key")) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
            (Some(_), None) => {
                section.wrong("tls_certificate", "needs tls_key", "name both files, or none");
                None
            }
            (None, Some(_)) => {
                section.wrong("tls_key", "needs tls_certificate", "name both files, or none");
                None
            }
            (None, None) => None,
        };
        Self {
            listen: listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            public_url: section.text("public_url", parse_public_url),
            trusted_proxies: section.networks("trusted_proxies"),
            tls,
            tls_reload_interval: section.duration("tls_reload_interval", SECOND..=DAY),
            max_body: section.size("max_body", 4096..=1 << 30),
            header_timeout: section.duration("header_timeout", SECOND..=HOUR),
            keep_alive: section.duration("keep_alive", SECOND..=HOUR),
            workers: Some(section.integer("workers", 0..=1024)).filter(|count| *count > 0),
            shutdown_grace: section.duration("shutdown_grace", Duration::ZERO..=HOUR),
        }
    }

    /// The URL partners reach this node at, without a slash at its end: the configured one, or one made of the
    /// address that the node listens on (an unspecified address becomes loopback).
    #[must_use]
    pub fn public_base(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.as_str().trim_end_matches('/').to_owned();
        }
        let ip = match self.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", SocketAddr::new(ip, self.listen.port()))
    }
}

/// A URL that paths can be appended to; empty is none.
pub(super) fn parse_public_url(text: &str) -> Result<Option<Url>, String> {
    const WANTED: &str = "write the URL that partners reach, like \"https://charging.example\"";
    if text.is_empty() {
        return Ok(None);
    }
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .map(Some)
        .ok_or_else(|| WANTED.to_owned())
}

/// Section `[database]`.
#[derive(Debug, Clone)]
pub struct DatabaseConfig {
    /// Where the data is.
    pub url: DatabaseUrl,
    /// Connections of this node to PostgreSQL.
    pub pool_size: u32,
    /// Connections that read a SQLite database beside the one that writes.
    pub read_connections: u32,
    /// How long a write waits for the database or a free connection.
    pub busy_timeout: Duration,
}

impl DatabaseConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let url = section.secret("url");
        let url = url.reveal().parse().unwrap_or_else(|wanted| {
            // The text may hold a password, so it is not shown.
            section.wrong("url", "is no database URL", wanted);
            DatabaseUrl::Sqlite(PathBuf::new())
        });
        Self {
            url,
            pool_size: section.integer("pool_size", 1..=1000),
            read_connections: section.integer("read_connections", 1..=256),
            busy_timeout: section.duration("busy_timeout", Duration::from_millis(1)..=HOUR),
        }
    }
}

/// Section `[security]`.
#[derive(Debug, Clone)]
pub struct SecurityConfig {
    /// What the keys of this installation are derived from; empty: see [`super::key_file::secret_key`].
    pub secret_key: Secret,
    /// How long an access token of the operator API is valid.
    pub access_token_lifetime: Duration,
}

impl SecurityConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let secret_key = section.secret("secret_key");
        if !secret_key.is_empty() && secret_key.reveal().len() < super::SecretKey::MIN_LENGTH {
            let message = format!("has fewer than {} characters", super::SecretKey::MIN_LENGTH);
            section.wrong("secret_key", &message, "make one with: openssl rand -base64 32");
        }
        Self { secret_key, access_token_lifetime: section.duration("access_token_lifetime", SECOND..=DAY) }
    }
}

/// Section `[limits]`: how much one side may ask before it is answered 429.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    /// Requests a second of one token.
    pub token_per_second: u32,
    /// Requests of one token at once after a pause.
    pub token_burst: u32,
    /// Requests and connection attempts a second of one address before authentication.
    pub address_per_second: u32,
    /// The same at once after a pause.
    pub address_burst: u32,
    /// Failed authentications a minute of one address.
    pub failures_per_minute: u32,
    /// The same at once after a pause.
    pub failures_burst: u32,
}

impl LimitsConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        const RANGE: std::ops::RangeInclusive<i64> = 1..=1_000_000;
        Self {
            token_per_second: section.integer("token_per_second", RANGE),
            token_burst: section.integer("token_burst", RANGE),
            address_per_second: section.integer("address_per_second", RANGE),
            address_burst: section.integer("address_burst", RANGE),
            failures_per_minute: section.integer("failures_per_minute", RANGE),
            failures_burst: section.integer("failures_burst", RANGE),
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Section `[log]`.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// How log lines are written.
    pub format: LogFormat,
    /// What is logged: a filter of `tracing`, checked.
    pub level: String,
}

impl LogConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        Self {
            format: section.text("format", |text| match text {
                "pretty" => Ok(LogFormat::Pretty),
                "json" => Ok(LogFormat::Json),
                _ => Err("write \"pretty\" or \"json\"".to_owned()),
            }),
            level: section.text("level", |text| {
                const WANTED: &str = "write \"info\", or per module \"info,roamwatt::ocpp=debug\"";
                // An unknown word alone would be taken for the name of a module and log everything of it.
                let words_known = text.split(',').all(|part| {
                    part.contains('=')
                        || matches!(part, "off" | "error" | "warn" | "info" | "debug" | "trace")
                });
                let parsed = tracing_subscriber::EnvFilter::builder().parse(text);
                match parsed {
                    Ok(_) if words_known => Ok(text.to_owned()),
                    _ => Err(WANTED.to_owned()),
                }
            }),
        }
    }
}

/// Section `[metrics]`.
#[derive(Debug, Clone)]
pub struct MetricsConfig {
    /// Whether `/metrics` answers.
    pub enabled: bool,
    /// What `/metrics` wants as a bearer token; empty is none.
    pub token: Secret,
}

impl MetricsConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        Self { enabled: section.flag("enabled"), token: section.secret("token") }
    }
}
