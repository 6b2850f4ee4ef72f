//! A charge priced twice: while it runs, and from the periods of its CDR, as a partner checks it.

use super::*;
use chrono::{NaiveDateTime, TimeZone};
use roamwatt::domain::charging_period::{CdrDimension, CdrDimensionType, ChargingPeriod};
use roamwatt::pricing::{CdrToPrice, StatedCharge};

/// `2026-01-14 10:30` by the clock of a place, with seconds where they matter.
pub(super) fn local(zone: Tz, text: &str) -> Timestamp {
    let read = |format| NaiveDateTime::parse_from_str(text, format);
    let at = read("%Y-%m-%d %H:%M").or_else(|_| read("%Y-%m-%d %H:%M:%S%.f")).unwrap();
    Timestamp::new(zone.from_local_datetime(&at).earliest().unwrap().to_utc())
}

pub(super) fn later(at: Timestamp, millis: i64) -> Timestamp {
    moment(at.millis() + millis)
}

/// Charging `kwh` in `charging` minutes, then parking for `parking` minutes.
pub(super) fn plugged_in(start: Timestamp, kwh: &str, charging: i64, parking: i64) -> Vec<Progress> {
    let full = later(start, charging * MINUTE);
    let mut progress = vec![Progress::measured(start, Kwh::ZERO, Activity::Charging)];
    let then = if parking > 0 { Activity::Parking } else { Activity::Charging };
    progress.push(Progress::measured(full, kwh.parse().unwrap(), then));
    if parking > 0 {
        progress.push(Progress::measured(later(full, parking * MINUTE), kwh.parse().unwrap(), then));
    }
    progress
}

pub(super) fn with_current(mut progress: Vec<Progress>, amperes: &str) -> Vec<Progress> {
    for one in &mut progress {
        one.current_a = Some(decimal(amperes));
    }
    progress
}

/// A charge, priced both ways.
pub(super) struct Priced {
    pub(super) running: RunningCost,
    pub(super) cost: Cost,
    pub(super) periods: Vec<ChargingPeriod>,
    pub(super) explained: Explanation,
}

impl Priced {
    pub(super) fn total(&self) -> (String, Option<String>) {
        said(&self.cost.total)
    }

    /// When each period begins, in minutes since the first.
    pub(super) fn begins(&self) -> Vec<Decimal> {
        let first = self.periods[0].start_date_time.millis();
        let minutes = |at: Timestamp| Decimal::from(at.millis() - first) / Decimal::from(MINUTE);
        self.periods.iter().map(|period| minutes(period.start_date_time).normalize()).collect()
    }
}

pub(super) fn both_ways_by(
    policy: PricingPolicy,
    list: &[Tariff],
    zone: Tz,
    progress: &[Progress],
) -> Priced {
    let tariffs = Tariffs::new(list, policy).unwrap();
    let running = price_all(&tariffs, zone, progress).unwrap();
    let cost = running.cost(&tariffs).unwrap();
    let periods = running.periods(&tariffs).unwrap();
    let end = progress.last().unwrap().at;
    let stated = stated_by(list, zone, (progress[0].at, end), &periods);
    assert_eq!(stated.cost(&tariffs).unwrap(), cost, "by its periods {periods:#?}");
    let warnings = stated.warnings(&tariffs);
    assert!(warnings.iter().all(|one| !one.reason.contains("changes within")), "{warnings:?} {periods:#?}");
    let explained = running.explain(&tariffs).unwrap();
    for explained in [&explained, &stated.explain(&tariffs).unwrap()] {
        let (excl, incl) = sums(explained, |_| true);
        assert_eq!(excl, Exact::from_money(cost.total.excl_vat).unwrap());
        assert_eq!(incl, Exact::from_money(cost.total.incl_vat.unwrap_or(cost.total.excl_vat)).unwrap());
    }
    Priced { running, cost, periods, explained }
}

pub(super) fn both_ways(list: &[Tariff], zone: Tz, progress: &[Progress]) -> Priced {
    both_ways_by(PricingPolicy::default(), list, zone, progress)
}

/// A CDR made ready.
pub(super) fn stated_by(
    tariffs: &[Tariff],
    zone: Tz,
    (start, end): (Timestamp, Timestamp),
    periods: &[ChargingPeriod],
) -> StatedCharge {
    StatedCharge::new(&CdrToPrice { start, end, zone, tariffs, periods }).unwrap()
}

/// A period of a CDR by the words of its dimensions.
pub(super) fn period(start: Timestamp, dimensions: &[(&str, &str)]) -> ChargingPeriod {
    let dimension = |(word, volume): &(&str, &str)| CdrDimension {
        dimension: serde_json::from_value::<CdrDimensionType>(json!(word)).unwrap(),
        volume: decimal(volume),
        extra: serde_json::Map::default(),
    };
    ChargingPeriod {
        start_date_time: start,
        dimensions: dimensions.iter().map(dimension).collect(),
        tariff_id: None,
        extra: serde_json::Map::default(),
    }
}
