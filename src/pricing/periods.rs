//! The periods of a running charge, as OCPI tells them, and as they were priced.

use super::booking::Period;
use super::cost::hours;
use super::priced::PricedPeriod;
use super::running::{Activity, RunningCost};
use super::select::from_pico;
use super::tariffs::Tariffs;
use super::{PricingError, Timestamp};
use crate::domain::Extra;
use crate::domain::charging_period::{CdrDimension, CdrDimensionType, ChargingPeriod};
use crate::pricing::select::time_parts;
use rust_decimal::{Decimal, RoundingStrategy};

impl RunningCost {
    /// The periods as OCPI tells them (2.2.1 mod_cdrs, "ChargingPeriod"): ENERGY in kWh, TIME and PARKING_TIME
    /// in hours, with four decimals (types, "number"), and power and current where the tariff looks at them, so
    /// that whoever checks the price finds what it depends on. Per dimension the rounded volumes add up to the
    /// rounded volume of the session. Periods in which nothing was used are left out, but for the only one.
    ///
    /// # Errors
    /// When `tariffs` are not those of the start.
    pub fn periods(&self, tariffs: &Tariffs) -> Result<Vec<ChargingPeriod>, PricingError> {
        self.check(tariffs)?;
        if !self.is_settled() {
            return self.settled(tariffs)?.periods(tariffs);
        }
        let mut wire = Wire::default();
        let mut told: Vec<ChargingPeriod> = Vec::new();
        for (period, to, energy) in self.used() {
            let mut dimensions = Vec::new();
            let volume = wire.energy(from_pico(energy.saturating_sub(period.from)));
            let time = time_parts(to - period.at);
            match period.activity {
                Activity::Charging => {
                    dimensions.push(dimension(CdrDimensionType::Energy, volume));
                    dimensions.push(dimension(CdrDimensionType::Time, wire.charging.add(time)));
                }
                Activity::Parking => {
                    if !volume.is_zero() {
                        dimensions.push(dimension(CdrDimensionType::Energy, volume));
                    }
                    dimensions.push(dimension(CdrDimensionType::ParkingTime, wire.parking.add(time)));
                }
            }
            if let Some((low, high)) = period.power {
                dimensions.push(dimension(CdrDimensionType::MinPower, from_pico(low)));
                dimensions.push(dimension(CdrDimensionType::MaxPower, from_pico(high)));
            }
            if let Some((low, high)) = period.current {
                dimensions.push(dimension(CdrDimensionType::MinCurrent, from_pico(low)));
                dimensions.push(dimension(CdrDimensionType::MaxCurrent, from_pico(high)));
            }
            told.push(ChargingPeriod {
                start_date_time: moment(period.at, self.started()),
                dimensions,
                tariff_id: self.tariff_id(period).cloned(),
                extra: Extra::new(),
            });
        }
        Ok(told)
    }

    /// Which of the told [periods](Self::periods) begin with an energy that was not measured but interpolated.
    #[must_use]
    pub fn interpolated(&self) -> Vec<usize> {
        self.used().enumerate().filter(|(_, (period, ..))| period.interpolated).map(|(at, _)| at).collect()
    }

    /// The periods in which anything was used; the first where there is none.
    fn used(&self) -> impl Iterator<Item = (&Period, i64, i128)> {
        let nothing = self.spans().all(|(period, to, energy)| to <= period.at && energy == period.from);
        self.spans().enumerate().filter_map(move |(at, (period, to, energy))| {
            let used = to > period.at || energy != period.from;
            (used || (nothing && at == 0)).then_some((period, to, energy))
        })
    }

    /// The periods as they were priced.
    pub(super) fn priced(&self) -> Vec<PricedPeriod> {
        let priced = |(period, to, energy): (&Period, i64, i128)| {
            let time = time_parts(to - period.at);
            let (charging, parking) = match period.activity {
                Activity::Charging => (time, 0),
                Activity::Parking => (0, time),
            };
            PricedPeriod {
                start: moment(period.at, self.started()),
                end: moment(to, self.started()),
                tariff: Some(period.tariff),
                energy: energy.saturating_sub(period.from),
                charging,
                parking,
                reserved: 0,
                energy_slot: period.energy,
                time_slot: (period.activity == Activity::Charging).then_some(period.time).flatten(),
                parking_slot: (period.activity == Activity::Parking).then_some(period.time).flatten(),
                reservation_slot: None,
                interpolated: period.interpolated,
            }
        };
        self.used().map(priced).collect()
    }
}

fn moment(millis: i64, otherwise: Timestamp) -> Timestamp {
    Timestamp::from_millis(millis).unwrap_or(otherwise)
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

/// A sum of times that is told in hours.
#[derive(Default)]
struct Hours(i128);

impl Hours {
    fn add(&mut self, time: i128) -> Decimal {
        let before = hours(self.0);
        self.0 = self.0.saturating_add(time);
        hours(self.0).saturating_sub(before).normalize()
    }
}

fn four_decimals(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)
}
