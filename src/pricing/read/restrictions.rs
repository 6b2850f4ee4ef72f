//! When a tariff element applies (mod_tariffs, "TariffRestrictions").

use super::OcpiVersion;
use super::place::{Fields, Notes, Place, describe, shorten};
use super::price::optional;
use crate::domain::Kwh;
use crate::domain::tariff::{DayOfWeek, ReservationRestriction, TariffRestrictions};
use chrono::NaiveDate;
use rust_decimal::Decimal;

const KNOWN: [&str; 14] = [
    "start_time",
    "end_time",
    "start_date",
    "end_date",
    "min_kwh",
    "max_kwh",
    "min_current",
    "max_current",
    "min_power",
    "max_power",
    "min_duration",
    "max_duration",
    "day_of_week",
    "reservation",
];

/// What 2.2 added to 2.1.1 (2.1.1 mod_tariffs, 4.5 "TariffRestrictions").
const SINCE_2_2: [&str; 3] = ["min_current", "max_current", "reservation"];

/// Powers and currents beyond this are an error of the sender.
const LARGEST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Reads the restrictions of an element.
pub(super) fn restrictions(
    place: &Place<'_>,
    version: OcpiVersion,
    notes: &mut Notes,
) -> Option<TariffRestrictions> {
    let fields = place.object(notes)?;
    warn_of_fields(&fields, version, notes);
    let start_time = fields.get("start_time").map(|place| time_of_day(&place, notes));
    let end_time = fields.get("end_time").map(|place| time_of_day(&place, notes));
    let start_date = fields.get("start_date").map(|place| date(&place, notes));
    let end_date = fields.get("end_date").map(|place| date(&place, notes));
    let min_kwh = fields.get("min_kwh").map(|place| threshold(&place, notes));
    let max_kwh = fields.get("max_kwh").map(|place| threshold(&place, notes));
    let mut physical = |name: &str| fields.get(name).map(|place| physical(&place, notes));
    let (min_current, max_current) = (physical("min_current"), physical("max_current"));
    let (min_power, max_power) = (physical("min_power"), physical("max_power"));
    let min_duration = fields.get("min_duration").map(|place| place.whole::<u64>(notes));
    let max_duration = fields.get("max_duration").map(|place| place.whole::<u64>(notes));
    let day_of_week = fields.get("day_of_week").map(|place| days(&place, notes));
    let reservation = fields.get("reservation").map(|place| reservation(&place, notes));
    let read = TariffRestrictions {
        start_time: optional(start_time)?,
        end_time: optional(end_time)?,
        start_date: optional(start_date)?,
        end_date: optional(end_date)?,
        min_kwh: optional(min_kwh)?,
        max_kwh: optional(max_kwh)?,
        min_current: optional(min_current)?,
        max_current: optional(max_current)?,
        min_power: optional(min_power)?,
        max_power: optional(max_power)?,
        min_duration: optional(min_duration)?,
        max_duration: optional(max_duration)?,
        day_of_week: optional(day_of_week)?,
        reservation: optional(reservation)?,
        extra: fields.rest(&KNOWN),
    };
    warn_of_bounds(&fields, &read, notes);
    Some(read)
}

fn warn_of_fields(fields: &Fields<'_>, version: OcpiVersion, notes: &mut Notes) {
    for (name, value) in fields.map.iter().filter(|(_, value)| !value.is_null()) {
        let path = fields.path_of(name);
        if !KNOWN.contains(&name.as_str()) {
            let found = describe(value);
            notes.warn(path, format!("is no restriction of OCPI {version}: {found} cannot be followed"));
        } else if version == OcpiVersion::V2_1_1 && SINCE_2_2.contains(&name.as_str()) {
            notes.warn(path, "is no restriction of OCPI 2.1.1: read as in 2.2.1");
        }
    }
}

/// An element that can never match prices nothing, which is legal: it is worth a word only.
fn warn_of_bounds(fields: &Fields<'_>, read: &TariffRestrictions, notes: &mut Notes) {
    let mut above = |name: &str, least: Option<String>, other: &str, most: Option<String>| {
        if let (Some(least), Some(most)) = (least, most) {
            let path = fields.path_of(name);
            notes.warn(path, format!("is {least}, above {other} {most}: the element never matches"));
        }
    };
    let kwh = |value: Option<Kwh>| value.map(Kwh::decimal);
    let decimals = [
        ("min_kwh", kwh(read.min_kwh), "max_kwh", kwh(read.max_kwh)),
        ("min_current", read.min_current, "max_current", read.max_current),
        ("min_power", read.min_power, "max_power", read.max_power),
        (
            "min_duration",
            read.min_duration.map(Decimal::from),
            "max_duration",
            read.max_duration.map(Decimal::from),
        ),
    ];
    for (name, least, other, most) in decimals {
        if let (Some(low), Some(high)) = (least, most)
            && low > high
        {
            above(name, least.map(|n| n.to_string()), other, most.map(|n| n.to_string()));
        }
    }
    if let (Some(start), Some(end)) = (&read.start_date, &read.end_date)
        && start > end
    {
        above("start_date", read.start_date.clone(), "end_date", read.end_date.clone());
    }
}

/// `HH:MM`. Seconds that say nothing are left out; 24:00 is how some write the end of the day, which is 00:00.
fn time_of_day(place: &Place<'_>, notes: &mut Notes) -> Option<String> {
    let text = place.value.as_str().map(str::trim).unwrap_or_default();
    let short = text.strip_suffix(":00").filter(|short| is_clock(short) || *short == "24:00");
    let read = match short.unwrap_or(text) {
        "24:00" => Some("00:00"),
        clock if is_clock(clock) => Some(clock),
        _ => None,
    };
    let Some(read) = read else {
        let found = shorten(&describe(place.value));
        notes.error(&place.path, format!("is {found}: a time of day like 08:30, 00:00 to 23:59, is wanted"));
        return None;
    };
    if place.value.as_str() != Some(read) {
        notes.warn(&place.path, format!("'{text}': read as {read}"));
    }
    Some(read.to_owned())
}

/// Whether a text is `HH:MM` from 00:00 to 23:59.
fn is_clock(text: &str) -> bool {
    let Some((hour, minute)) = text.split_once(':') else { return false };
    let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    two(hour) && two(minute) && hour <= "23" && minute <= "59"
}

/// `YYYY-MM-DD`, a day that exists.
fn date(place: &Place<'_>, notes: &mut Notes) -> Option<String> {
    let text = place.value.as_str().unwrap_or_default();
    let is_date = text.len() == 10
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
    if !is_date {
        let found = shorten(&describe(place.value));
        notes.error(&place.path, format!("is {found}: a day of the calendar like 2026-01-31 is wanted"));
        return None;
    }
    Some(text.to_owned())
}

fn threshold(place: &Place<'_>, notes: &mut Notes) -> Option<Kwh> {
    let kwh = place.kwh(notes)?;
    if kwh < Kwh::ZERO {
        notes.error(&place.path, format!("is {kwh}: an energy not below 0 is wanted"));
        return None;
    }
    Some(kwh)
}

/// A power or a current; negative ones flow from the vehicle to the grid.
fn physical(place: &Place<'_>, notes: &mut Notes) -> Option<Decimal> {
    place.number_within((-LARGEST, LARGEST), "a number of at most 1000000000 either way", notes)
}

fn days(place: &Place<'_>, notes: &mut Notes) -> Option<Vec<DayOfWeek>> {
    let entries = if place.value.is_string() {
        notes.warn(&place.path, "is one day: read as a list of one");
        vec![place.clone()]
    } else {
        place.list(notes)?
    };
    let read: Vec<Option<DayOfWeek>> = entries.iter().map(|entry| day(entry, notes)).collect();
    read.into_iter().collect()
}

fn day(place: &Place<'_>, notes: &mut Notes) -> Option<DayOfWeek> {
    let text = place.text(notes)?;
    let word = word(&text, DayOfWeek::WORDS, place, notes);
    let day = DayOfWeek::from(word.as_str());
    if !day.is_known() {
        notes.warn(&place.path, format!("'{}' is no day like MONDAY: it never matches", shorten(&text)));
    }
    Some(day)
}

fn reservation(place: &Place<'_>, notes: &mut Notes) -> Option<ReservationRestriction> {
    let text = place.text(notes)?;
    let word = word(&text, ReservationRestriction::WORDS, place, notes);
    let kind = ReservationRestriction::from(word.as_str());
    if !kind.is_known() {
        let reason = format!(
            "'{}' is neither RESERVATION nor RESERVATION_EXPIRES: the element prices nothing",
            shorten(&text)
        );
        notes.warn(&place.path, reason);
    }
    Some(kind)
}

/// The word of the list that `text` is when upper and lower case do not matter.
pub(super) fn word(text: &str, words: &[&'static str], place: &Place<'_>, notes: &mut Notes) -> String {
    match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        Some(word) if *word != text => {
            notes.warn(&place.path, format!("'{text}': read as {word}"));
            (*word).to_owned()
        }
        _ => text.to_owned(),
    }
}
