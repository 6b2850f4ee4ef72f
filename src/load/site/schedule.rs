//! Limits by the time of day, in the site's zone.

use super::PerPhase;
use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const DAY: u32 = 24 * 60;

/// A lower limit of a node between two times of the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From when, `HH:MM`.
    pub from: TimeOfDay,
    /// To when, `HH:MM`, itself not included. Not after `from` means the next day; the same means a whole day.
    pub to: TimeOfDay,
    /// The days on which it begins; every day when none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// Amperes on each phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amps: Option<PerPhase>,
    /// Watts in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watts: Option<f64>,
}

impl Window {
    /// Whether it holds at a moment.
    #[must_use]
    pub fn holds(&self, at: DateTime<Utc>, zone: Tz) -> bool {
        let local = at.with_timezone(&zone);
        let minute = local.hour() * 60 + local.minute();
        let today = local.date_naive();
        let begins = |date: Option<NaiveDate>| {
            date.is_some_and(|date| self.days.is_empty() || self.days.contains(&Day::from(date.weekday())))
        };
        let (from, to) = (self.from.0, self.to.0);
        if from < to {
            (from..to).contains(&minute) && begins(Some(today))
        } else {
            (minute >= from && begins(Some(today))) || (minute < to && begins(today.pred_opt()))
        }
    }

    /// The first moment after `at` at which it may begin or end; within eight days.
    #[must_use]
    pub fn next_edge(&self, at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let today = at.with_timezone(&zone).date_naive();
        let dates = (-1..=8).filter_map(|days| today.checked_add_signed(Duration::days(days)));
        let edges = dates.flat_map(|date| [self.from, self.to].map(|time| time.on(date, zone)));
        edges.flatten().filter(|edge| *edge > at).min()
    }
}

/// A time of the day in whole minutes, `HH:MM`; `24:00` is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u32);

impl TimeOfDay {
    /// This time on a day; where a clock is turned forward over it, the moment at which that happens.
    fn on(self, date: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
        let (date, minute) = if self.0 >= DAY { (date.succ_opt()?, self.0 - DAY) } else { (date, self.0) };
        let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0)?;
        let local = date.and_time(time);
        // Gaps are an hour or less, half an hour on Lord Howe.
        let found = [0, 30, 60].iter().find_map(|later| {
            let local = local.checked_add_signed(Duration::minutes(*later))?;
            zone.from_local_datetime(&local).earliest()
        });
        found.map(|moment| moment.with_timezone(&Utc))
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is no time of the day, as \"17:00\" is");
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(hours) || !digits(minutes) {
            return Err(wrong());
        }
        let hours: u32 = hours.parse().map_err(|_| wrong())?;
        let minutes: u32 = minutes.parse().map_err(|_| wrong())?;
        let all = hours * 60 + minutes;
        if minutes < 60 && all <= DAY { Ok(Self(all)) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}
