//! The values that everything else is made of: identifiers, energy, money and time.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Fields of an object that this version does not know, kept so that they are sent on untouched.
pub type Extra = serde_json::Map<String, serde_json::Value>;

/// Why a text or number is not a value of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// More characters than the specification allows.
    #[error("{what} has {length} characters, at most {max} are allowed")]
    TooLong {
        /// Name of the value.
        what: &'static str,
        /// Characters found.
        length: usize,
        /// Characters allowed.
        max: usize,
    },
    /// Not of the form that is wanted.
    #[error("{what} '{found}' is not {wanted}")]
    Malformed {
        /// Name of the value.
        what: &'static str,
        /// The text as it came.
        found: String,
        /// What would be right.
        wanted: &'static str,
    },
    /// Beyond the magnitude that this system computes with.
    #[error("{what} {found} is out of range: {wanted}")]
    OutOfRange {
        /// Name of the value.
        what: &'static str,
        /// The number as it came, or the operation that went beyond.
        found: String,
        /// What would be right.
        wanted: &'static str,
    },
}

/// A text that compares without regard to ASCII case and keeps the case it came with
/// (OCPI 2.2.1 types, "CiString").
#[derive(Clone, Default)]
pub struct CiString(String);

impl CiString {
    /// Takes a text of any length; the wire types check lengths.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes a text of at most `max` characters that is not empty.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn parse(what: &'static str, text: &str, max: usize) -> Result<Self, ValueError> {
        let length = text.chars().count();
        if length > max {
            return Err(ValueError::TooLong { what, length, max });
        }
        if length == 0 {
            return Err(ValueError::Malformed {
                what,
                found: String::new(),
                wanted: "a text that is not empty",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text with the case it came with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folded form by which it is compared, and by which the database finds it.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for CiString {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for CiString {}
impl std::hash::Hash for CiString {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
impl PartialOrd for CiString {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for CiString {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
impl fmt::Display for CiString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for CiString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
impl From<&str> for CiString {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
impl From<String> for CiString {
    fn from(text: String) -> Self {
        Self(text)
    }
}
impl Serialize for CiString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for CiString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// The largest magnitude of an amount of energy or money that is accepted: beyond it, it is an error of the
/// sender, and below it products of three such numbers stay exact.
const LARGEST: i64 = 1_000_000_000;

#[inline]
fn bounded(what: &'static str, value: Decimal) -> Result<Decimal, ValueError> {
    // Most numbers are seen to be small without comparing decimals.
    let small = value.mantissa().unsigned_abs() <= u128::from(LARGEST.unsigned_abs());
    if small && value.scale() <= 12 { Ok(value) } else { compared(what, value) }
}

#[cold]
fn compared(what: &'static str, value: Decimal) -> Result<Decimal, ValueError> {
    let out = |wanted| ValueError::OutOfRange { what, found: value.to_string(), wanted };
    if value.abs() > Decimal::from(LARGEST) {
        return Err(out("at most 1000000000 either way"));
    }
    if value.normalize().scale() > 12 {
        return Err(out("at most 12 decimals"));
    }
    Ok(value)
}

macro_rules! quantity {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Decimal);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// Takes a number whose magnitude is at most a thousand million, with at most 12 decimals.
            ///
            /// # Errors
            /// When it is larger or finer than that.
            #[inline]
            pub fn parse(value: Decimal) -> Result<Self, ValueError> {
                bounded($what, value).map(Self)
            }

            /// The number.
            #[must_use]
            pub fn decimal(self) -> Decimal {
                self.0
            }

            /// The sum.
            ///
            /// # Errors
            /// When it leaves the range.
            pub fn plus(self, other: Self) -> Result<Self, ValueError> {
                let sum = self.0.checked_add(other.0).ok_or_else(|| ValueError::OutOfRange {
                    what: $what, found: format!("{} + {}", self.0, other.0), wanted: "a sum within range",
                })?;
                Self::parse(sum)
            }

            /// The difference.
            ///
            /// # Errors
            /// When it leaves the range.
            pub fn minus(self, other: Self) -> Result<Self, ValueError> {
                self.plus(Self(-other.0))
            }

            /// Whether it is zero.
            #[must_use]
            pub fn is_zero(self) -> bool {
                self.0.is_zero()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl FromStr for $name {
            type Err = ValueError;
            fn from_str(text: &str) -> Result<Self, ValueError> {
                let value = Decimal::from_str(text).map_err(|_| ValueError::Malformed {
                    what: $what, found: text.to_owned(), wanted: "a decimal number",
                })?;
                Self::parse(value)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                rust_decimal::serde::arbitrary_precision::serialize(&self.0, serializer)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = rust_decimal::serde::arbitrary_precision::deserialize(deserializer)?;
                Self::parse(value).map_err(serde::de::Error::custom)
            }
        }
    };
}

quantity!(
    /// Energy in kWh, exact.
    Kwh, "energy"
);
quantity!(
    /// An amount of money in the currency of the object that holds it, exact and unrounded.
    Money, "amount"
);

impl Kwh {
    /// From watt-hours, the unit of OCPP 1.6 meter registers.
    ///
    /// # Errors
    /// When out of range.
    pub fn from_wh(wh: Decimal) -> Result<Self, ValueError> {
        let kwh = wh.checked_div(Decimal::ONE_THOUSAND).ok_or_else(|| ValueError::OutOfRange {
            what: "energy",
            found: wh.to_string(),
            wanted: "a number of Wh within range",
        })?;
        Self::parse(kwh.normalize())
    }
}

/// A moment in UTC, to the millisecond, as OCPI and OCPP write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// Cuts a moment to the millisecond.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// From milliseconds since 1970; `None` outside of what a calendar can say.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        DateTime::from_timestamp_millis(millis).map(Self)
    }

    /// As chrono's type.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// The moment that is `by` later; the last (or first) one that can be said when there is none.
    #[must_use]
    pub fn plus(self, by: TimeDelta) -> Self {
        let last = if by < TimeDelta::zero() { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
        Self(self.0.checked_add_signed(by).unwrap_or(last))
    }

    /// The moment that is `by` earlier.
    #[must_use]
    pub fn minus(self, by: TimeDelta) -> Self {
        self.plus(TimeDelta::zero().checked_sub(&by).unwrap_or(TimeDelta::MIN))
    }

    /// The time from `earlier` to this one, in milliseconds; negative when it is later.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.millis() - earlier.millis()
    }

    /// Reads RFC 3339 with or without a zone (without means UTC: OCPI 2.2.1 types, "DateTime"), with any
    /// fraction of a second.
    ///
    /// # Errors
    /// When the text is no such time.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::new(at.to_utc()));
        }
        for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
            if let Ok(at) = NaiveDateTime::parse_from_str(text, format) {
                return Ok(Self::new(at.and_utc()));
            }
        }
        if let Ok(at) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
            return Ok(Self::new(at.to_utc()));
        }
        Err(ValueError::Malformed {
            what: "time",
            found: text.chars().take(40).collect(),
            wanted: "an RFC 3339 time like 2026-01-31T18:00:00Z",
        })
    }
}

impl fmt::Display for Timestamp {
    /// With `Z`, and with milliseconds only where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precise = self.0.timestamp_subsec_millis() != 0;
        let format = if precise { SecondsFormat::Millis } else { SecondsFormat::Secs };
        f.write_str(&self.0.to_rfc3339_opts(format, true))
    }
}
impl FromStr for Timestamp {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)
    }
}
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_without_a_zone_are_utc_and_are_written_with_z() {
        for (text, wanted) in [
            ("2015-06-29T20:39:09", "2015-06-29T20:39:09Z"),
            ("2015-06-29T22:39:09+02:00", "2015-06-29T20:39:09Z"),
            ("2015-06-29T20:39:09.123456789Z", "2015-06-29T20:39:09.123Z"),
            ("2015-06-29T22:39:09+0200", "2015-06-29T20:39:09Z"),
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), wanted, "{text}");
        }
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn amounts_are_bounded_and_keep_their_digits() {
        assert_eq!("0.2500".parse::<Money>().unwrap().to_string(), "0.2500");
        assert!("1000000001".parse::<Kwh>().is_err());
        assert!("0.0000000000001".parse::<Kwh>().is_err());
        assert!("1e".parse::<Kwh>().is_err());
        let json: Kwh = serde_json::from_str("15.3420").unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), "15.3420");
    }

    #[test]
    fn ci_strings_compare_without_case_and_keep_it() {
        assert_eq!(CiString::from("AbC"), CiString::from("aBc"));
        assert_eq!(CiString::from("AbC").to_string(), "AbC");
    }
}
