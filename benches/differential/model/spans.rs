//! Periods of a CDR with what a restriction may ask for at their start.

use super::rules::{Question, Rules};
use crate::case::Case;
use crate::session::Activity;
use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use roamwatt::domain::charging_period::{CdrDimensionType, ChargingPeriod};
use rust_decimal::{Decimal, RoundingStrategy};

/// One period.
pub(crate) struct Span {
    /// Index of the tariff by which it is priced.
    pub(crate) tariff: usize,
    pub(crate) activity: Activity,
    /// Whether the session is nothing but a reservation that was not used.
    pub(crate) expired: bool,
    /// kWh; none where the period tells none.
    pub(crate) energy: Option<Decimal>,
    /// Of charging, parking or reservation, by which it is priced.
    pub(crate) seconds: Decimal,
    /// From its start to its end, in seconds.
    pub(crate) lasted: Decimal,
    /// Local time at its start.
    pub(crate) local: NaiveDateTime,
    /// kWh before it.
    pub(crate) used: Decimal,
    /// Since the session's start, in milliseconds.
    pub(crate) since: i64,
    pub(crate) power: Range,
    pub(crate) current: Range,
}

/// The lowest and the highest value.
type Pair = (Option<Decimal>, Option<Decimal>);

/// What is known about power or current in a period.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    /// As the period tells it.
    pub(crate) told: Pair,
    /// With what follows from it.
    pub(crate) known: Pair,
}

/// The least energy that can be told.
const LEAST: Decimal = Decimal::from_parts(1, 0, 0, false, 12);

/// The periods of a case.
pub(crate) fn of(case: &Case, rules: Rules) -> Vec<Span> {
    let ends = case.periods.iter().skip(1).map(|next| next.start_date_time).chain([case.end()]);
    let expired = case.session.pieces.iter().all(|piece| piece.activity == Activity::Reserved);
    let mut used = Decimal::ZERO;
    let mut spans = Vec::new();
    for (period, end) in case.periods.iter().zip(ends) {
        let (activity, hours) = activity(period);
        let millis = end.millis_since(period.start_date_time);
        let lasted = Decimal::from(millis).checked_div(Decimal::ONE_THOUSAND).unwrap_or_default();
        let told = hours.saturating_mul(Decimal::from(3600));
        let seconds = if rules.foreign(Question::Length) { told } else { lasted };
        // A reservation has a time of its own.
        let own = activity == Activity::Reserved || rules.foreign(Question::Reservation);
        let began = if own { case.start().millis() } else { case.session.plugged_in() };
        let energy = volume(period, &CdrDimensionType::Energy);
        let local: DateTime<Tz> = period.start_date_time.utc().with_timezone(&case.session.zone);
        let named = case.tariffs.iter().position(|tariff| Some(&tariff.id) == period.tariff_id.as_ref());
        let tariff = named.filter(|_| !rules.foreign(Question::OneTariff)).unwrap_or_default();
        let falls =
            energy.is_some_and(|energy| energy < Decimal::ZERO) && !rules.foreign(Question::FallingEnergy);
        spans.push(Span {
            tariff,
            activity,
            expired,
            energy,
            seconds,
            lasted,
            local: local.naive_local(),
            used: if falls { used.saturating_sub(LEAST) } else { used },
            since: period.start_date_time.millis() - began,
            power: power(period, millis, activity),
            current: range(period, &CdrDimensionType::MinCurrent, &CdrDimensionType::MaxCurrent),
        });
        used = used.saturating_add(energy.unwrap_or_default());
    }
    spans
}

fn activity(period: &ChargingPeriod) -> (Activity, Decimal) {
    let kinds = [
        (Activity::Parking, CdrDimensionType::ParkingTime),
        (Activity::Reserved, CdrDimensionType::ReservationTime),
        (Activity::Charging, CdrDimensionType::Time),
    ];
    let found = kinds.iter().find_map(|(activity, kind)| Some((*activity, volume(period, kind)?)));
    found.unwrap_or((Activity::Charging, Decimal::ZERO))
}

fn volume(period: &ChargingPeriod, kind: &CdrDimensionType) -> Option<Decimal> {
    period.dimensions.iter().find(|one| one.dimension == *kind).map(|one| one.volume)
}

fn range(period: &ChargingPeriod, lowest: &CdrDimensionType, highest: &CdrDimensionType) -> Range {
    let told = (volume(period, lowest), volume(period, highest));
    Range { told, known: (told.0.or(told.1), told.1.or(told.0)) }
}

/// Power that is not told follows from energy and time, to the watt.
fn power(period: &ChargingPeriod, millis: i64, activity: Activity) -> Range {
    let range = range(period, &CdrDimensionType::MinPower, &CdrDimensionType::MaxPower);
    if range.known.0.is_some() || activity == Activity::Reserved {
        return range;
    }
    let energy = volume(period, &CdrDimensionType::Energy).unwrap_or_default();
    let mean = energy.saturating_mul(Decimal::from(3_600_000)).checked_div(Decimal::from(millis));
    let mean = mean.map(|mean| mean.round_dp_with_strategy(3, RoundingStrategy::MidpointAwayFromZero));
    Range { known: (mean, mean), ..range }
}
