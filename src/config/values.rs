//! How durations, sizes, networks and database URLs are written.

use super::secret::Secret;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Reads `250ms`, `60s`, `5m`, `12h`, `30d`, and sums of them like `1h 30m`. A number without a unit is no
/// duration: nobody can tell seconds from minutes.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, tail) = after.split_at(end);
        let number: u64 = number.parse().ok()?;
        let part = match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3_600)?),
            "d" => Duration::from_secs(number.checked_mul(86_400)?),
            _ => return None,
        };
        total = total.checked_add(part)?;
        rest = tail.trim_start();
    }
    Some(total)
}

/// A duration as [`parse_duration`] reads it: `1h 30m`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let mut millis = duration.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut parts = Vec::new();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if millis >= size {
            parts.push(format!("{}{unit}", millis / size));
            millis %= size;
        }
    }
    parts.join(" ")
}

/// Reads `64KiB`, `1MiB`, `2GiB`, `512B` or a number of bytes.
#[must_use]
pub fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

/// Reads a network like `10.0.0.0/8`, or a single address.
#[must_use]
pub(super) fn parse_network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://FILE`
    Sqlite(PathBuf),
    /// `postgres://…`: the whole URL, which may hold a password.
    Postgres(Secret),
}

impl DatabaseUrl {
    /// The file, where the database is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => Some(file),
            Self::Postgres(_) => None,
        }
    }

    /// The whole URL, with the password, for the one place that connects.
    #[must_use]
    pub fn reveal(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite://{}", file.display()),
            Self::Postgres(url) => url.reveal().to_owned(),
        }
    }
}

impl FromStr for DatabaseUrl {
    /// What would be right.
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "write sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME";
        if let Some(file) = text.strip_prefix("sqlite://") {
            return match file {
                "" => Err("name a file: sqlite://roamwatt.db, or sqlite:///var/lib/roamwatt/roamwatt.db"),
                _ if file.contains(":memory:") || file.contains('?') => {
                    Err("name a file: the database lives in one and takes no options in its URL")
                }
                _ => Ok(Self::Sqlite(PathBuf::from(file))),
            };
        }
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        match rest {
            Some(rest) if !rest.is_empty() => Ok(Self::Postgres(Secret::new(text))),
            _ => Err(WANTED),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = match self {
            Self::Sqlite(file) => return write!(f, "sqlite://{}", file.display()),
            Self::Postgres(secret) => secret,
        };
        match url::Url::parse(secret.reveal()) {
            // The options can hold a password too, and say nothing that a reader of a log needs.
            Ok(url) => {
                write!(f, "postgres://{}", url.host_str().unwrap_or("(local)"))?;
                if let Some(port) = url.port() {
                    write!(f, ":{port}")?;
                }
                f.write_str(url.path())
            }
            Err(_) => f.write_str("postgres://(hidden)"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_units() {
        for (text, millis) in [
            ("250ms", 250),
            ("60s", 60_000),
            ("5m", 300_000),
            ("1h 30m", 5_400_000),
            ("1d", 86_400_000),
            ("0s", 0),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(text), Some(duration), "{text}");
            assert_eq!(parse_duration(&show_duration(duration)), Some(duration), "{text}");
        }
        for text in ["", "5", "s", "5 minutes", "-5s", "1.5h", "5x", "99999999999999999999s", "5m3", "ä"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("64KiB"), Some(65_536));
        assert_eq!(parse_size("1 MiB"), Some(1_048_576));
        assert_eq!(parse_size("17"), Some(17));
        for text in ["", "KiB", "1MB", "-1", "1.5MiB", "99999999999999999999"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn a_database_url_hides_its_password() {
        let url: DatabaseUrl = "postgres://me:hunter2@db:5433/rw?password=hunter2".parse().unwrap();
        assert_eq!(format!("{url} {url:?}"), "postgres://db:5433/rw postgres://db:5433/rw");
        let odd: DatabaseUrl = "postgres://me:hun/ter2@[db/rw".parse().unwrap();
        assert!(!odd.to_string().contains("ter2"), "{odd}");
        assert_eq!("sqlite:///a/b.db".parse::<DatabaseUrl>().unwrap().file(), Some(Path::new("/a/b.db")));
        for text in ["", "mysql://x", "sqlite://", "sqlite:x", "sqlite://:memory:", "postgres://"] {
            assert!(text.parse::<DatabaseUrl>().is_err(), "{text}");
        }
    }
}
