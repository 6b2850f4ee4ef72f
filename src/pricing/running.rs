//! The running cost of a charge: what was used, by periods, in a state that is stored between two meter values.

use super::select::{self, ComponentRef};
use super::{PricingError, name};
use crate::domain::charging_period::{CdrDimension, CdrDimensionType, ChargingPeriod};
use crate::domain::tariff::{Tariff, TariffDimension};
use crate::domain::{CiString, Extra, Kwh, Timestamp};
use chrono_tz::Tz;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// What the vehicle does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// It takes power, or would if the station gave any: TIME.
    Charging,
    /// It does not ask for power (OCPP's `SuspendedEV`): PARKING_TIME (OCPI 2.2.1 mod_cdrs, "CdrDimensionType").
    Parking,
}

/// Where a charge stands at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The moment.
    pub at: Timestamp,
    /// Energy since the session's start. Less than before is taken as energy that was fed back.
    pub energy: Kwh,
    /// Power in kW, where it is known.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rust_decimal::serde::arbitrary_precision_option"
    )]
    pub power_kw: Option<Decimal>,
    /// What the vehicle does from `at` on.
    pub activity: Activity,
}

/// Which tariff a charge began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TariffKey {
    id: CiString,
    last_updated: Timestamp,
}

/// A period, from its start to the start of the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Period {
    /// Its start.
    pub(super) at: Timestamp,
    /// Energy of the session at its start.
    pub(super) from: Kwh,
    /// What the vehicle does.
    pub(super) activity: Activity,
    /// The active component of ENERGY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) energy: Option<ComponentRef>,
    /// The active component of TIME or PARKING_TIME, by the activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<ComponentRef>,
}

/// What was used in a period.
pub(super) struct Used<'a> {
    pub(super) period: &'a Period,
    /// kWh; the difference of two [`Kwh`], which always fits.
    pub(super) energy: Decimal,
    /// Milliseconds, not negative.
    pub(super) millis: i64,
}

/// A charge and what it costs, up to a moment. The state is small (it grows with the periods, not with the meter
/// values) and is stored as JSON; [`advance`](Self::advance) takes constant time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunningCost {
    /// Where the charge takes place; local time decides on restrictions.
    #[serde(with = "zone_name")]
    zone: Tz,
    /// None means that the charge is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tariff: Option<TariffKey>,
    /// The FLAT that is charged, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) flat: Option<ComponentRef>,
    /// Never empty, in the order of time.
    periods: Vec<Period>,
    /// The latest progress.
    pub(super) last: Progress,
}

impl RunningCost {
    /// Begins a charge. Without a tariff it is free of charge, and its periods name none.
    ///
    /// # Errors
    /// None today; restrictions that cannot be read will be one.
    pub fn start(tariff: Option<&Tariff>, zone: Tz, start: Progress) -> Result<Self, PricingError> {
        let mut first = Period { from: Kwh::ZERO, ..period_at(tariff, &start) };
        first.at = start.at;
        Ok(Self {
            zone,
            tariff: tariff.map(key),
            flat: tariff.and_then(|tariff| select::active(tariff, &TariffDimension::Flat)),
            periods: vec![first],
            last: start,
        })
    }

    /// Takes the next progress: what was used since the latest one belongs to the period that it began or went
    /// on with. The same moment twice is fine; the later word on the activity counts.
    ///
    /// # Errors
    /// When `next` is earlier than the latest progress, or the tariff is not the one of the start. Nothing is
    /// changed then.
    pub fn advance(&mut self, tariff: Option<&Tariff>, next: Progress) -> Result<(), PricingError> {
        self.check_tariff(tariff)?;
        if next.at < self.last.at {
            return Err(PricingError::Backwards { last: self.last.at, next: next.at });
        }
        let began = period_at(tariff, &next);
        self.last = next;
        // A period in which nothing happened is none: charging that turns to parking and back at one moment.
        if self.periods.len() > 1
            && self.periods.last().is_some_and(|open| open.at == began.at && open.from == began.from)
        {
            self.periods.pop();
        }
        let goes_on = self.periods.last().is_some_and(|open| {
            (open.activity, open.energy, open.time) == (began.activity, began.energy, began.time)
        });
        if !goes_on {
            match self.periods.last_mut() {
                Some(first) if first.at == began.at && began.from == first.from => *first = began,
                _ => self.periods.push(began),
            }
        }
        Ok(())
    }

    /// When the charge began.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.periods.first().map_or(self.last.at, |first| first.at)
    }

    /// The latest progress.
    #[must_use]
    pub fn last(&self) -> &Progress {
        &self.last
    }

    /// The zone whose local time counts.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    pub(super) fn check_tariff(&self, tariff: Option<&Tariff>) -> Result<(), PricingError> {
        let now = tariff.map(key);
        if now == self.tariff {
            return Ok(());
        }
        let said = |key: &Option<TariffKey>| {
            key.as_ref().map_or_else(|| "no tariff".to_owned(), |key| name(&key.id, key.last_updated))
        };
        Err(PricingError::OtherTariff { began: said(&self.tariff), now: said(&now) })
    }

    /// Every period with what was used in it.
    pub(super) fn used(&self) -> impl Iterator<Item = Used<'_>> {
        let ends = self.periods.iter().skip(1).map(|next| (next.at, next.from));
        let ends = ends.chain(std::iter::once((self.last.at, self.last.energy)));
        self.periods.iter().zip(ends).map(|(period, (to, energy))| Used {
            period,
            energy: energy.decimal().saturating_sub(period.from.decimal()),
            millis: to.millis_since(period.at).max(0),
        })
    }

    /// The periods as OCPI tells them (2.2.1 mod_cdrs, "ChargingPeriod"): ENERGY in kWh, TIME and PARKING_TIME
    /// in hours, with four decimals (types, "number"). Per dimension the rounded volumes add up to the rounded
    /// volume of the session. Periods in which nothing was used are left out, but for the only one.
    #[must_use]
    pub fn periods(&self) -> Vec<ChargingPeriod> {
        let mut wire = Wire::default();
        let mut told: Vec<ChargingPeriod> = Vec::new();
        for used in self.used() {
            if used.millis == 0 && used.energy.is_zero() && self.periods.len() > 1 {
                continue;
            }
            let energy = wire.energy(used.energy);
            let mut dimensions = Vec::new();
            match used.period.activity {
                Activity::Charging => {
                    dimensions.push(dimension(CdrDimensionType::Energy, energy));
                    dimensions.push(dimension(CdrDimensionType::Time, wire.charging.add(used.millis)));
                }
                Activity::Parking => {
                    if !energy.is_zero() {
                        dimensions.push(dimension(CdrDimensionType::Energy, energy));
                    }
                    dimensions.push(dimension(CdrDimensionType::ParkingTime, wire.parking.add(used.millis)));
                }
            }
            told.push(ChargingPeriod {
                start_date_time: used.period.at,
                dimensions,
                tariff_id: self.tariff.as_ref().map(|key| key.id.clone()),
                extra: Extra::new(),
            });
        }
        told
    }
}

/// The period that begins with `progress`.
fn period_at(tariff: Option<&Tariff>, progress: &Progress) -> Period {
    let time = match progress.activity {
        Activity::Charging => TariffDimension::Time,
        Activity::Parking => TariffDimension::ParkingTime,
    };
    Period {
        at: progress.at,
        from: progress.energy,
        activity: progress.activity,
        energy: tariff.and_then(|tariff| select::active(tariff, &TariffDimension::Energy)),
        time: tariff.and_then(|tariff| select::active(tariff, &time)),
    }
}

fn key(tariff: &Tariff) -> TariffKey {
    TariffKey { id: tariff.id.clone(), last_updated: tariff.last_updated }
}

fn dimension(dimension: CdrDimensionType, volume: Decimal) -> CdrDimension {
    CdrDimension { dimension, volume, extra: Extra::new() }
}

/// Sums so far, so that each volume is the difference of two rounded sums.
#[derive(Default)]
struct Wire {
    energy: Decimal,
    charging: Hours,
    parking: Hours,
}

impl Wire {
    fn energy(&mut self, volume: Decimal) -> Decimal {
        let before = four_decimals(self.energy);
        self.energy = self.energy.saturating_add(volume);
        four_decimals(self.energy).saturating_sub(before).normalize()
    }
}

/// A sum of milliseconds that is told in hours.
#[derive(Default)]
struct Hours(i64);

impl Hours {
    fn add(&mut self, millis: i64) -> Decimal {
        let before = hours(self.0);
        self.0 = self.0.saturating_add(millis);
        hours(self.0).saturating_sub(before).normalize()
    }
}

fn four_decimals(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)
}

/// Milliseconds in hours with four decimals, half up.
pub(super) fn hours(millis: i64) -> Decimal {
    // A ten-thousandth of an hour has 360 ms.
    let parts = millis / 360 + i64::from(millis % 360 >= 180);
    Decimal::new(parts, 4).normalize()
}

/// A zone is stored by its name (IANA), as OCPI tells it.
mod zone_name {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(|_| serde::de::Error::custom(format!("'{name}' is not an IANA time zone")))
    }
}
