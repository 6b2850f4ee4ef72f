//! CDRs (mod_cdrs of OCPI 2.1.1, 2.2.1 and 2.3.0): what was used, and what it is said to cost.

use super::place::{Fields, Notes, Place, shorten};
use super::price::{currency, optional, stated};
use super::tariff::{self, lenient};
use super::{OcpiVersion, Readable};
use crate::domain::charging_period::{CdrDimension, CdrDimensionType, ChargingPeriod};
use crate::domain::party::PartyId;
use crate::domain::tariff::{Price, Tariff};
use crate::domain::{CiString, Kwh, Timestamp};
use crate::pricing::Finding;
use rust_decimal::Decimal;
use serde_json::Value;

/// What a CDR states, as far as it is about money.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedCdr {
    /// Its id; empty where it has none.
    pub id: CiString,
    /// Whose it is; missing in 2.1.1, which has no such fields.
    pub party: Option<PartyId>,
    /// ISO 4217, in capitals; missing where the CDR does not say it.
    pub currency: Option<String>,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; `stop_date_time` in 2.1.1.
    pub end: Timestamp,
    /// IANA zone of the place, which exists. 2.1.1 has a whole location in a CDR; later there is none, unless a
    /// platform adds it.
    pub time_zone: Option<String>,
    /// The tariffs, as they were at the start.
    pub tariffs: Vec<Tariff>,
    /// What was used, in the order of time; never empty, no period before `start` or after `end`.
    pub periods: Vec<ChargingPeriod>,
    /// Everything.
    pub total_cost: Option<Price>,
    /// Fixed part.
    pub total_fixed_cost: Option<Price>,
    /// Part for energy.
    pub total_energy_cost: Option<Price>,
    /// Part for charging time.
    pub total_time_cost: Option<Price>,
    /// Part for parking.
    pub total_parking_cost: Option<Price>,
    /// Part for a reservation.
    pub total_reservation_cost: Option<Price>,
    /// kWh; negative where more was fed back than charged.
    pub total_energy: Option<Kwh>,
    /// Hours, charging and not.
    pub total_time: Option<Decimal>,
    /// Hours not charging.
    pub total_parking_time: Option<Decimal>,
    /// Whether it takes back another CDR: `total_cost` is then the negative of what that one cost, and
    /// everything else as it was there (2.2.1 mod_cdrs, "Credit CDRs").
    pub credit: bool,
}

/// More hours, kWh or A than this are an error of the sender.
const LARGEST: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Reads a CDR for pricing.
///
/// # Errors
/// With everything for which it cannot be priced.
pub fn cdr(json: &Value, version: OcpiVersion) -> Result<Readable<StatedCdr>, Vec<Finding>> {
    let mut notes = Notes::default();
    let read = read(&Place::root(json), version, &mut notes);
    Readable::or_errors(read, notes)
}

fn read(place: &Place<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<StatedCdr> {
    let fields = place.object(notes)?;
    let currency_read = fields.get("currency").map(|place| currency(&place, notes));
    if currency_read.is_none() {
        notes.warn(fields.path_of("currency"), "is missing");
    }
    let start = fields.required("start_date_time", notes).and_then(|place| place.time(notes));
    let end = end(&fields, version, notes);
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        notes
            .error(fields.path_of(end_name(&fields, version)), format!("is {end}, before the start {start}"));
    }
    let time_zone = time_zone(&fields, notes);
    let party = party(&fields, notes);
    let tariffs = tariffs(&fields, version, party.as_ref(), notes);
    let periods = periods(&fields, version, notes);
    if let (Some(start), Some(end), Some(periods)) = (start, end, &periods) {
        check_order(&fields, (start, end), periods, notes);
    }
    let costs = Costs::read(&fields, version, notes);
    let total_energy = fields.get("total_energy").map(|place| place.kwh(notes));
    let total_time = fields.get("total_time").map(|place| hours(&place, notes));
    let total_parking_time = fields.get("total_parking_time").map(|place| hours(&place, notes));
    let credit = fields.get("credit").map(|place| place.flag(notes));
    let id = fields.get("id").and_then(|place| lenient(&place, notes, Place::text)).unwrap_or_default();
    let currency = optional(currency_read)?;
    warn_of_currencies(&fields, currency.as_deref(), tariffs.as_deref(), notes);
    Some(StatedCdr {
        id: CiString::new(id),
        party,
        currency,
        start: start?,
        end: end?,
        time_zone: time_zone?,
        tariffs: tariffs?,
        periods: periods?,
        total_cost: costs.total,
        total_fixed_cost: costs.fixed,
        total_energy_cost: costs.energy,
        total_time_cost: costs.time,
        total_parking_cost: costs.parking,
        total_reservation_cost: costs.reservation,
        total_energy: optional(total_energy)?,
        total_time: optional(total_time)?,
        total_parking_time: optional(total_parking_time)?,
        credit: optional(credit)?.unwrap_or(false),
    })
}

/// The costs that a CDR states; what cannot be read is told in the notes.
struct Costs {
    total: Option<Price>,
    fixed: Option<Price>,
    energy: Option<Price>,
    time: Option<Price>,
    parking: Option<Price>,
    reservation: Option<Price>,
}

impl Costs {
    fn read(fields: &Fields<'_>, version: OcpiVersion, notes: &mut Notes) -> Self {
        let mut cost = |name: &str| stated(fields, name, version, notes);
        Self {
            total: cost("total_cost"),
            fixed: cost("total_fixed_cost"),
            energy: cost("total_energy_cost"),
            time: cost("total_time_cost"),
            parking: cost("total_parking_cost"),
            reservation: cost("total_reservation_cost"),
        }
    }
}

/// The end's name in this version, or the other one where only that is there.
fn end_name(fields: &Fields<'_>, version: OcpiVersion) -> &'static str {
    let (own, other) = match version {
        OcpiVersion::V2_1_1 => ("stop_date_time", "end_date_time"),
        OcpiVersion::V2_2_1 | OcpiVersion::V2_3_0 => ("end_date_time", "stop_date_time"),
    };
    if fields.get(own).is_none() && fields.get(other).is_some() { other } else { own }
}

fn end(fields: &Fields<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<Timestamp> {
    let name = end_name(fields, version);
    let is_own = (name == "stop_date_time") == (version == OcpiVersion::V2_1_1);
    if !is_own {
        notes.warn(fields.path_of(name), format!("is no field of OCPI {version}: read as the end"));
    }
    fields.required(name, notes)?.time(notes)
}

/// The zone of the place, wherever a platform puts it.
fn time_zone(fields: &Fields<'_>, notes: &mut Notes) -> Option<Option<String>> {
    for name in ["location", "cdr_location"] {
        let place = fields.get(name).filter(|place| place.value.is_object());
        let Some(location) = place.and_then(|place| place.object(notes)) else { continue };
        let zone = location.get("time_zone").or_else(|| location.get("timezone"));
        let Some(zone) = zone.filter(|zone| zone.value.as_str() != Some("")) else { continue };
        let text = zone.text(notes)?;
        if text.parse::<chrono_tz::Tz>().is_err() {
            let reason = format!("'{}' is no IANA time zone like Europe/Berlin", shorten(&text));
            notes.error(&zone.path, reason);
            return None;
        }
        return Some(Some(text));
    }
    Some(None)
}

fn party(fields: &Fields<'_>, notes: &mut Notes) -> Option<PartyId> {
    let given = fields.get("country_code").is_some() && fields.get("party_id").is_some();
    given.then(|| tariff::owner(fields, None, notes)).flatten()
}

fn tariffs(
    fields: &Fields<'_>,
    version: OcpiVersion,
    party: Option<&PartyId>,
    notes: &mut Notes,
) -> Option<Vec<Tariff>> {
    let Some(place) = fields.get("tariffs") else { return Some(Vec::new()) };
    let entries = place.list(notes)?;
    let read: Vec<Option<Tariff>> =
        entries.iter().map(|entry| tariff::read(entry, version, party, notes)).collect();
    read.into_iter().collect()
}

fn warn_of_currencies(
    fields: &Fields<'_>,
    currency: Option<&str>,
    tariffs: Option<&[Tariff]>,
    notes: &mut Notes,
) {
    let Some(currency) = currency else { return };
    for (at, tariff) in tariffs.unwrap_or_default().iter().enumerate() {
        if tariff.currency != currency {
            let path = format!("{}.tariffs[{at}].currency", fields.path);
            notes.warn(path, format!("is {}, and the CDR is in {currency}", tariff.currency));
        }
    }
}

fn hours(place: &Place<'_>, notes: &mut Notes) -> Option<Decimal> {
    place.number_within((Decimal::ZERO, LARGEST), "a number of hours not below 0", notes)
}

fn periods(fields: &Fields<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<Vec<ChargingPeriod>> {
    let place = fields.required("charging_periods", notes)?;
    let entries = place.list(notes)?;
    if entries.is_empty() {
        notes.error(&place.path, "has no period: at least one is wanted");
        return None;
    }
    let read: Vec<Option<ChargingPeriod>> =
        entries.iter().map(|entry| period(entry, version, notes)).collect();
    read.into_iter().collect()
}

fn period(place: &Place<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<ChargingPeriod> {
    let fields = place.object(notes)?;
    let start = fields.required("start_date_time", notes).and_then(|place| place.time(notes));
    let entries = fields.required("dimensions", notes).and_then(|place| place.list(notes));
    let dimensions: Option<Vec<CdrDimension>> = entries.and_then(|entries| {
        let read: Vec<Option<CdrDimension>> =
            entries.iter().map(|entry| dimension(entry, version, notes)).collect();
        read.into_iter().collect()
    });
    let tariff_id = fields.get("tariff_id").map(|place| place.text(notes));
    Some(ChargingPeriod {
        start_date_time: start?,
        dimensions: dimensions?,
        tariff_id: optional(tariff_id)?.map(CiString::new),
        extra: fields.rest(&["start_date_time", "dimensions", "tariff_id"]),
    })
}

fn dimension(place: &Place<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<CdrDimension> {
    let fields = place.object(notes)?;
    let kind = fields.required("type", notes).and_then(|place| kind(&place, version, notes));
    let volume = fields.required("volume", notes).and_then(|place| match &kind {
        Some(kind) => volume(&place, kind, notes),
        None => place.number(notes),
    });
    Some(CdrDimension { dimension: kind?, volume: volume?, extra: fields.rest(&["type", "volume"]) })
}

fn kind(place: &Place<'_>, version: OcpiVersion, notes: &mut Notes) -> Option<CdrDimensionType> {
    let text = place.text(notes)?;
    let word = super::restrictions::word(&text, CdrDimensionType::WORDS, place, notes);
    let kind = CdrDimensionType::from(word.as_str());
    // A fixed fee is a dimension of a period in 2.1.1 only (mod_cdrs, 4.3 "CdrDimensionType"); it has no unit.
    let is_flat = version == OcpiVersion::V2_1_1 && text == "FLAT";
    if !kind.is_known() && !is_flat {
        notes.warn(&place.path, format!("'{}' is no dimension that is known", shorten(&text)));
    }
    Some(kind)
}

fn volume(place: &Place<'_>, kind: &CdrDimensionType, notes: &mut Notes) -> Option<Decimal> {
    match kind {
        // Negative where more was fed back than charged.
        CdrDimensionType::Energy => place.kwh(notes).map(Kwh::decimal),
        CdrDimensionType::Time | CdrDimensionType::ParkingTime | CdrDimensionType::ReservationTime => {
            hours(place, notes)
        }
        _ => place.number_within((-LARGEST, LARGEST), "a number of at most 1000000000 either way", notes),
    }
}

/// Whether anything was used in a period.
fn has_amount(period: &ChargingPeriod) -> bool {
    let counts = |dimension: &CdrDimension| {
        let used = matches!(
            dimension.dimension,
            CdrDimensionType::Energy
                | CdrDimensionType::Time
                | CdrDimensionType::ParkingTime
                | CdrDimensionType::ReservationTime
        );
        used && !dimension.volume.is_zero()
    };
    period.dimensions.iter().any(counts)
}

/// A period ends when the next one starts, and the last one with the session (mod_cdrs, "ChargingPeriod"): so
/// they come in the order of time, and one without length has used nothing.
fn check_order(
    fields: &Fields<'_>,
    (start, end): (Timestamp, Timestamp),
    periods: &[ChargingPeriod],
    notes: &mut Notes,
) {
    let mut before: Option<&ChargingPeriod> = None;
    for (at, period) in periods.iter().enumerate() {
        let path = format!("{}.charging_periods[{at}].start_date_time", fields.path);
        let begins = period.start_date_time;
        if begins < start {
            notes.error(&path, format!("is {begins}, before the start of the session {start}"));
        }
        if begins > end {
            notes.error(&path, format!("is {begins}, after the end of the session {end}"));
        }
        match before {
            Some(before) if begins < before.start_date_time => {
                let last = before.start_date_time;
                notes.error(&path, format!("is {begins}, before the start of the period before it {last}"));
            }
            Some(before) if begins == before.start_date_time && has_amount(before) => {
                let reason =
                    format!("is {begins}, as in the period before it, which has amounts but no length");
                notes.error(&path, reason);
            }
            _ => {}
        }
        before = Some(period);
    }
    if let Some((at, last)) = periods.iter().enumerate().next_back()
        && last.start_date_time == end
        && start < end
        && has_amount(last)
    {
        let path = format!("{}.charging_periods[{at}].start_date_time", fields.path);
        notes.warn(path, "is the end of the session: the period has amounts but no length");
    }
}
