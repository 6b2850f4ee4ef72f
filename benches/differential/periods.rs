//! Charging periods of a session: cut wherever a price may change, as OCPI asks for, or left as they are.

use crate::dice::Dice;
use crate::session::{Activity, Piece, Session};
use crate::versions::Version;
use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike};
use roamwatt::domain::charging_period::{CdrDimension, CdrDimensionType, ChargingPeriod};
use roamwatt::domain::tariff::{Tariff, TariffRestrictions};
use roamwatt::domain::{Extra, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};

/// Cuts the pieces of `session` wherever a restriction of one of the tariffs begins or ends to match.
pub(crate) fn cut(session: &mut Session, tariffs: &[Tariff]) {
    let all = || {
        let elements = tariffs.iter().flat_map(|tariff| &tariff.elements);
        elements.filter_map(|element| element.restrictions.as_ref())
    };
    let mut moments: Vec<i64> = all().flat_map(|restrictions| moments(session, restrictions)).collect();
    moments.sort_unstable();
    let thresholds = all().flat_map(|all| [all.min_kwh, all.max_kwh]).flatten();
    let mut thresholds: Vec<Decimal> = thresholds.map(|kwh| kwh.decimal()).collect();
    thresholds.sort_unstable();
    for at in moments {
        cut_at(session, at);
    }
    for kwh in thresholds {
        cut_at_energy(session, kwh);
    }
}

/// Cuts once more, where nothing changes, as a CPO may.
pub(crate) fn cut_in_between(session: &mut Session, dice: &mut Dice) {
    let at = dice.between(session.start() / 1000, session.end / 1000) * 1000;
    cut_at(session, at);
}

/// When the restrictions on time begin and end to match, around the session.
fn moments(session: &Session, restrictions: &TariffRestrictions) -> Vec<i64> {
    let mut found = Vec::new();
    for seconds in [restrictions.min_duration, restrictions.max_duration].into_iter().flatten() {
        let millis = i64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        // From the start, whichever of the two an engine takes for it.
        found.extend([session.start(), session.plugged_in()].map(|start| start.saturating_add(millis)));
    }
    let by_day = restrictions.start_date.is_some()
        || restrictions.end_date.is_some()
        || restrictions.day_of_week.is_some();
    let mut times: Vec<NaiveTime> = [&restrictions.start_time, &restrictions.end_time]
        .into_iter()
        .flatten()
        .filter_map(|time| NaiveTime::parse_from_str(time, "%H:%M").ok())
        .collect();
    if by_day {
        times.push(NaiveTime::MIN);
    }
    for day in days(session) {
        found.extend(times.iter().filter_map(|time| local(session, day, *time)));
    }
    found
}

/// The local days of the session.
fn days(session: &Session) -> Vec<NaiveDate> {
    let day = |millis: i64| {
        Timestamp::from_millis(millis).map(|at| at.utc().with_timezone(&session.zone).date_naive())
    };
    let (Some(first), Some(last)) = (day(session.start()), day(session.end)) else { return Vec::new() };
    first.iter_days().take_while(|day| *day <= last).collect()
}

/// A local time in UTC. One that the clocks skip is the moment in which they skip it; of two, the first.
fn local(session: &Session, day: NaiveDate, time: NaiveTime) -> Option<i64> {
    let wanted = day.and_time(time);
    let found = session.zone.from_local_datetime(&wanted).earliest();
    let millis = found.map(|at| at.timestamp_millis());
    millis.or_else(|| {
        let later = wanted.checked_add_signed(TimeDelta::hours(1))?;
        let skipped = session.zone.from_local_datetime(&later).earliest()?;
        Some(skipped.timestamp_millis() - past_the_hour(later.time()))
    })
}

/// How many milliseconds a time is past the hour: clocks skip whole hours.
fn past_the_hour(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight() % 3600) * 1000
}

fn cut_at(session: &mut Session, at: i64) {
    let found = session.spans().position(|(piece, end)| piece.at < at && at < end);
    let Some(index) = found else { return };
    let end = session.pieces.get(index + 1).map_or(session.end, |next| next.at);
    let Some(piece) = session.pieces.get(index) else { return };
    let share = ratio(at - piece.at, end - piece.at);
    let used = piece.energy.saturating_mul(share);
    let used = used.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero).normalize();
    split(session, index, at, used);
}

fn cut_at_energy(session: &mut Session, threshold: Decimal) {
    let mut before = Decimal::ZERO;
    let mut found = None;
    for (index, (piece, end)) in session.spans().enumerate() {
        let after = before.saturating_add(piece.energy);
        if before < threshold && threshold < after {
            let used = threshold.saturating_sub(before);
            let share = used.checked_div(piece.energy).unwrap_or_default();
            let millis = share.saturating_mul(Decimal::from(end - piece.at));
            let seconds = i64::try_from(millis).unwrap_or(0) / 1000;
            found = Some((index, piece.at + seconds * 1000, used));
            break;
        }
        before = after;
    }
    if let Some((index, at, used)) = found {
        split(session, index, at, used);
    }
}

/// Makes two pieces of one, with `used` in the first.
fn split(session: &mut Session, index: usize, at: i64, used: Decimal) {
    let Some(piece) = session.pieces.get_mut(index) else { return };
    let rest = piece.energy.saturating_sub(used).normalize();
    let second = Piece { at, energy: rest, ..piece.clone() };
    piece.energy = used;
    session.pieces.insert(index + 1, second);
}

fn ratio(part: i64, whole: i64) -> Decimal {
    Decimal::from(part).checked_div(Decimal::from(whole)).unwrap_or_default()
}

/// How a CPO writes its periods down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// MIN_POWER and MAX_POWER, MIN_CURRENT and MAX_CURRENT: both, or only one of them.
    pub(crate) lowest: bool,
    pub(crate) highest: bool,
    /// Power of periods in which nothing was charged, which is none.
    pub(crate) says_nothing: bool,
    pub(crate) version: Version,
}

/// The periods of the session.
pub(crate) fn write(
    session: &Session,
    style: Style,
    tariff: impl Fn(usize) -> Option<String>,
) -> Vec<ChargingPeriod> {
    let periods = session.spans().enumerate().map(|(index, (piece, end))| ChargingPeriod {
        start_date_time: Timestamp::from_millis(piece.at).unwrap_or_else(|| unreachable!("dates are near")),
        dimensions: dimensions(piece, end, style),
        tariff_id: tariff(index).map(Into::into),
        extra: Extra::new(),
    });
    periods.collect()
}

fn dimensions(piece: &Piece, end: i64, style: Style) -> Vec<CdrDimension> {
    let hours = ratio(end - piece.at, 3_600_000);
    let hours = hours.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero).normalize();
    let time = match piece.activity {
        Activity::Charging => CdrDimensionType::Time,
        Activity::Parking => CdrDimensionType::ParkingTime,
        Activity::Reserved => CdrDimensionType::ReservationTime,
    };
    let mut all = vec![(time, hours)];
    if piece.activity == Activity::Charging || !piece.energy.is_zero() {
        all.push((CdrDimensionType::Energy, piece.energy));
    }
    if piece.activity == Activity::Charging || style.says_nothing {
        let power = piece.power.filter(|_| style.version.has_power());
        let least = |most: Decimal| most.saturating_mul(piece.steadiness).normalize();
        all.extend(power.filter(|_| style.lowest).map(|kw| (CdrDimensionType::MinPower, least(kw))));
        all.extend(power.filter(|_| style.highest).map(|kw| (CdrDimensionType::MaxPower, kw)));
        all.extend(piece.current.filter(|_| style.lowest).map(|a| (CdrDimensionType::MinCurrent, least(a))));
        all.extend(piece.current.filter(|_| style.highest).map(|a| (CdrDimensionType::MaxCurrent, a)));
    }
    all.into_iter()
        .map(|(dimension, volume)| CdrDimension { dimension, volume, extra: Extra::new() })
        .collect()
}
