//! A charge as a CDR states it: its periods are taken as they are, and each is priced by what was active at its start
//! (OCPI 2.2.1 mod_cdrs, "ChargingPeriod": whoever writes a CDR begins a period where a component changes).

use super::calendar::{Clock, Local};
use super::cost::Cost;
use super::exact::{HOUR, MILLISECOND};
use super::priced::PricedPeriod;
use super::select::{Lookup, Measured, Situation, Slot, mean_power, pico};
use super::tariffs::Tariffs;
use super::usage::Ledger;
use super::{Finding, PricingError, PricingPolicy};
use crate::domain::Timestamp;
use crate::domain::charging_period::{CdrDimensionType, ChargingPeriod};
use crate::domain::tariff::Tariff;
use chrono_tz::Tz;
use rust_decimal::Decimal;

/// What of a CDR its price depends on.
#[derive(Debug, Clone, Copy)]
pub struct CdrToPrice<'a> {
    /// When the charge or its reservation began.
    pub start: Timestamp,
    /// When it ended; the last period ends then.
    pub end: Timestamp,
    /// The location's zone.
    pub zone: Tz,
    /// The tariffs; a period names one of them by its id.
    pub tariffs: &'a [Tariff],
    /// The periods, in the order of time.
    pub periods: &'a [ChargingPeriod],
}

/// A period with its volumes made ready for computing.
#[derive(Debug, Clone)]
pub(super) struct StatedPeriod {
    pub(super) start: i64,
    pub(super) end: i64,
    /// The clock at its start.
    local: Local,
    pub(super) tariff: Option<u16>,
    pub(super) energy: i128,
    pub(super) charging: i128,
    pub(super) parking: i128,
    pub(super) reserved: i128,
    /// By how much each time may be off.
    slack: i128,
    pub(super) power: Measured,
    pub(super) current: Measured,
}

/// A CDR's charge, made ready for pricing.
#[derive(Debug, Clone)]
pub struct StatedCharge {
    pub(super) zone: Tz,
    /// When charging began: durations count from then.
    began: i64,
    /// A reservation that was not used.
    expired: bool,
    pub(super) periods: Vec<StatedPeriod>,
    pub(super) warnings: Vec<Finding>,
}

/// Prices a CDR's periods with its tariffs: the whole way in one call.
///
/// # Errors
/// When a period cannot be placed in time, names a tariff that is not there, or an amount leaves its range.
pub fn price_cdr(cdr: &CdrToPrice<'_>, policy: &PricingPolicy) -> Result<Cost, PricingError> {
    let tariffs = Tariffs::new(cdr.tariffs, *policy)?;
    let charge = StatedCharge::new(cdr)?;
    let mut cost = charge.cost(&tariffs)?;
    cost.warnings.extend(charge.warnings(&tariffs));
    Ok(cost)
}

/// Which components are active in a period.
struct Slots {
    energy: Option<Slot>,
    time: Option<Slot>,
    parking: Option<Slot>,
    reservation: Option<Slot>,
}

impl StatedCharge {
    /// Makes a CDR ready.
    ///
    /// # Errors
    /// [`PricingError::Document`] when a period is out of order, or outside of the charge, has a negative time, or
    /// names a tariff that is not there.
    pub fn new(cdr: &CdrToPrice<'_>) -> Result<Self, PricingError> {
        let mut warnings = Vec::new();
        let named = Named::of(cdr, &mut warnings);
        let mut periods = Vec::with_capacity(cdr.periods.len());
        let first = cdr.periods.first().map_or(cdr.end, |period| period.start_date_time);
        let clock = Clock::new(cdr.zone, first.millis(), cdr.end.millis());
        let mut earliest = cdr.start;
        for (at, period) in cdr.periods.iter().enumerate() {
            let path = |field: &str| format!("$.charging_periods[{at}].{field}");
            let start = period.start_date_time;
            if start < earliest || start > cdr.end {
                let reason = format!(
                    "{start} is not between {earliest} and {}: periods follow each other within the charge",
                    cdr.end
                );
                return Err(PricingError::Document(Finding::new(path("start_date_time"), reason)));
            }
            earliest = start;
            let end = cdr.periods.get(at + 1).map_or(cdr.end, |next| next.start_date_time);
            let tariff = named.of_period(period, at, &mut warnings)?;
            let local = clock.local(start.millis());
            periods.push(StatedPeriod { local, ..StatedPeriod::new(period, tariff, end.millis(), at)? });
        }
        let began = periods.iter().find(|period| !period.is_reservation()).map(|period| period.start);
        Ok(Self {
            zone: cdr.zone,
            began: began.unwrap_or_else(|| cdr.start.millis()),
            expired: !periods.is_empty() && began.is_none(),
            periods,
            warnings,
        })
    }

    /// What the charge costs. The warnings are those of the tariffs alone.
    ///
    /// # Errors
    /// When an amount leaves the range of its type.
    pub fn cost(&self, tariffs: &Tariffs) -> Result<Cost, PricingError> {
        let mut ledger = Ledger::default();
        self.fill(&mut ledger, tariffs, |_, _| {})?;
        ledger.cost(tariffs)
    }

    /// Puts the periods into a ledger; each is shown with the components by which it is priced.
    fn fill(
        &self,
        ledger: &mut Ledger,
        tariffs: &Tariffs,
        mut show: impl FnMut(&StatedPeriod, &Slots),
    ) -> Result<(), PricingError> {
        for period in &self.periods {
            let now = self.situation(period, period.falls_from(ledger.total_energy));
            let slots = self.slots(tariffs, period, &now, ledger);
            ledger.energy.add(slots.energy, period.energy)?;
            ledger.time.add(slots.time, period.charging)?;
            ledger.parking.add(slots.parking, period.parking)?;
            ledger.reservation.add(slots.reservation, period.reserved)?;
            for (usage, time) in [
                (&mut ledger.time, period.charging),
                (&mut ledger.parking, period.parking),
                (&mut ledger.reservation, period.reserved),
            ] {
                if time != 0 {
                    usage.slack = usage.slack.saturating_add(period.slack);
                }
            }
            ledger.total_energy = ledger.total_energy.saturating_add(period.energy);
            ledger.charging = ledger.charging.saturating_add(period.charging);
            ledger.parked = ledger.parked.saturating_add(period.parking);
            ledger.reserved = ledger.reserved.saturating_add(period.reserved);
            show(period, &slots);
        }
        Ok(())
    }

    /// At the start of a period.
    pub(super) fn situation(&self, period: &StatedPeriod, energy: i128) -> Situation {
        let at = period.start;
        let since = if period.is_reservation() {
            self.periods.first().map_or(at, |first| first.start)
        } else {
            self.began
        };
        Situation {
            local: period.local,
            elapsed: at - since,
            energy,
            power: period.power,
            current: period.current,
        }
    }

    fn slots(&self, tariffs: &Tariffs, period: &StatedPeriod, now: &Situation, ledger: &mut Ledger) -> Slots {
        let mut slots = Slots { energy: None, time: None, parking: None, reservation: None };
        let Some((at, tariff)) = period.tariff.and_then(|at| Some((at, tariffs.get(at)?))) else {
            return slots;
        };
        let find = |lookup| tariff.active(lookup, now).map(|component| Slot { tariff: at, component });
        if period.reserved != 0 {
            let expired = self.expired;
            slots.reservation = find(Lookup::ReservationTime { expired });
            if ledger.reservation_flat.is_none() {
                ledger.reservation_flat = find(Lookup::ReservationFlat { expired });
            }
        }
        if period.is_reservation() {
            return slots;
        }
        slots.energy = find(Lookup::Energy);
        if period.charging != 0 {
            slots.time = find(Lookup::Time);
        }
        if period.parking != 0 {
            slots.parking = find(Lookup::Parking);
        }
        if ledger.flat.is_none() {
            ledger.flat = find(Lookup::Flat);
        }
        slots
    }

    /// The ledger and the periods as they were priced.
    pub(super) fn priced(&self, tariffs: &Tariffs) -> Result<(Ledger, Vec<PricedPeriod>), PricingError> {
        let mut priced = Vec::with_capacity(self.periods.len());
        let mut ledger = Ledger::default();
        self.fill(&mut ledger, tariffs, |period, slots| {
            let moment = |millis| {
                Timestamp::from_millis(millis).unwrap_or_else(|| Timestamp::new(chrono::DateTime::UNIX_EPOCH))
            };
            priced.push(PricedPeriod {
                start: moment(period.start),
                end: moment(period.end),
                tariff: period.tariff,
                energy: period.energy,
                charging: period.charging,
                parking: period.parking,
                reserved: period.reserved,
                energy_slot: slots.energy,
                time_slot: slots.time,
                parking_slot: slots.parking,
                reservation_slot: slots.reservation,
                interpolated: false,
            });
        })?;
        Ok((ledger, priced))
    }
}

impl StatedPeriod {
    fn new(period: &ChargingPeriod, tariff: Option<u16>, end: i64, at: usize) -> Result<Self, PricingError> {
        let start = period.start_date_time.millis();
        let volume = |wanted: &CdrDimensionType| {
            period.dimensions.iter().find(|one| one.dimension == *wanted).map(|one| one.volume)
        };
        let time = |wanted: &CdrDimensionType| -> Result<Option<Decimal>, PricingError> {
            let found = volume(wanted);
            if found.is_some_and(|volume| volume.is_sign_negative() && !volume.is_zero()) {
                let place =
                    period.dimensions.iter().position(|one| one.dimension == *wanted).unwrap_or_default();
                let path = format!("$.charging_periods[{at}].dimensions[{place}].volume");
                return Err(PricingError::Document(Finding::new(path, "a time cannot be negative")));
            }
            Ok(found)
        };
        let charging = time(&CdrDimensionType::Time)?;
        let parking = time(&CdrDimensionType::ParkingTime)?;
        let reserved = time(&CdrDimensionType::ReservationTime)?;
        let told = [charging, parking, reserved];
        // A single time is that of the period; its volume may only be rounded, to nothing even.
        let nothing = told.iter().flatten().all(Decimal::is_zero);
        let counts = |volume: &Decimal| nothing || !volume.is_zero();
        let single = told.iter().flatten().filter(|volume| counts(volume)).count() == 1;
        let exact = single.then(|| i128::from(end - start).saturating_mul(MILLISECOND));
        let mut slack = 0;
        let mut parts = |volume: Option<Decimal>| {
            let Some(volume) = volume.filter(counts) else { return 0 };
            let stated = hours_in_parts(volume);
            match exact {
                Some(exact) if stated.saturating_sub(exact).abs() <= off_by(volume) => exact,
                _ => {
                    slack = half_a_digit(volume);
                    stated
                }
            }
        };
        let (charging, parking, reserved) = (parts(charging), parts(parking), parts(reserved));
        let energy = volume(&CdrDimensionType::Energy).map_or(0, pico);
        use CdrDimensionType::{Current, MaxCurrent, MaxPower, MinCurrent, MinPower, Power};
        let range = |min: CdrDimensionType, mean: CdrDimensionType, max: CdrDimensionType| {
            let (min, mean, max) = (volume(&min), volume(&mean), volume(&max));
            Some((min.or(mean).or(max)?, max.or(mean).or(min)?))
        };
        let measured = |(low, high): (Decimal, Decimal)| Measured { low: pico(low), high: pico(high) };
        let millis = i64::try_from(charging.saturating_add(parking) / MILLISECOND).unwrap_or(i64::MAX);
        let mean = || if energy == 0 && millis == 0 { Measured::UNKNOWN } else { mean_power(energy, millis) };
        Ok(Self {
            start,
            end,
            local: Local::default(),
            tariff,
            energy,
            charging,
            parking,
            reserved,
            slack,
            power: range(MinPower, Power, MaxPower).map_or_else(mean, measured),
            current: range(MinCurrent, Current, MaxCurrent).map_or(Measured::UNKNOWN, measured),
        })
    }

    /// The energy by which it is priced: what is fed back leaves that of its start downwards.
    pub(super) fn falls_from(&self, energy: i128) -> i128 {
        if self.energy < 0 { energy.saturating_sub(1) } else { energy }
    }

    /// Whether it is nothing but a reservation.
    pub(super) fn is_reservation(&self) -> bool {
        self.reserved != 0 && self.charging == 0 && self.parking == 0 && self.energy == 0
    }
}

/// Decimal hours in parts.
fn hours_in_parts(hours: Decimal) -> i128 {
    const PER_PICO: i128 = HOUR / super::exact::PICO;
    pico(hours).saturating_mul(PER_PICO)
}

/// By how much an hour that was told with three or more decimals may have been rounded, in parts. Coarser ones are
/// taken at their word: half an hour is 0.5.
fn half_a_digit(hours: Decimal) -> i128 {
    match hours.scale() {
        scale @ 3..=12 => (HOUR / 2)
            .checked_div(10_i128.saturating_pow(scale))
            .unwrap_or_default()
            .saturating_add(MILLISECOND),
        _ => MILLISECOND,
    }
}

/// How far an hour that was told may be from the time between two timestamps to mean that time. OCPI's numbers have
/// four decimals (types, "number"), trailing zeros are not told, and volumes that are told so that they add up to their
/// rounded sum may each be off by one in the last.
fn off_by(hours: Decimal) -> i128 {
    let told = half_a_digit(hours);
    if hours.scale() > 4 { told } else { told.max(HOUR / 10_000 + MILLISECOND) }
}

/// Which tariff each period means.
struct Named<'a> {
    cdr: &'a CdrToPrice<'a>,
    /// For periods of a CDR in which no period names any.
    unnamed: Option<u16>,
}

impl<'a> Named<'a> {
    fn of(cdr: &'a CdrToPrice<'a>, warnings: &mut Vec<Finding>) -> Self {
        let any = cdr.periods.iter().any(|period| period.tariff_id.is_some());
        let valid = |tariff: &&Tariff| is_valid(tariff, cdr.start);
        let first = cdr.tariffs.iter().position(|tariff| valid(&tariff)).unwrap_or_default();
        let unnamed = (!any && !cdr.tariffs.is_empty()).then(|| u16::try_from(first).unwrap_or_default());
        if unnamed.is_some() && cdr.tariffs.len() > 1 {
            warnings.push(Finding::new(
                "$.charging_periods",
                format!("no period names its tariff: all are priced by $.tariffs[{first}]"),
            ));
        }
        Self { cdr, unnamed }
    }

    fn of_period(
        &self,
        period: &ChargingPeriod,
        at: usize,
        warnings: &mut Vec<Finding>,
    ) -> Result<Option<u16>, PricingError> {
        let path = format!("$.charging_periods[{at}].tariff_id");
        let Some(id) = &period.tariff_id else {
            if self.unnamed.is_none() && !self.cdr.tariffs.is_empty() {
                let reason =
                    "other periods name their tariff, this one does not: no tariff is relevant, it is free";
                warnings.push(Finding::new(path, reason));
            }
            return Ok(self.unnamed);
        };
        let tariffs = self.cdr.tariffs;
        let of_that_id = || tariffs.iter().enumerate().filter(|(_, tariff)| tariff.id == *id);
        let found =
            of_that_id().find(|(_, tariff)| is_valid(tariff, self.cdr.start)).or_else(|| of_that_id().next());
        match (found, tariffs) {
            (Some((index, _)), _) => Ok(Some(u16::try_from(index).unwrap_or_default())),
            (None, [only]) => {
                let reason =
                    format!("there is no tariff {id}: the only one there is, '{}', is taken", only.id);
                warnings.push(Finding::new(path, reason));
                Ok(Some(0))
            }
            (None, _) => Err(PricingError::Document(Finding::new(
                path,
                format!("there is no tariff {id} to price it with"),
            ))),
        }
    }
}

fn is_valid(tariff: &Tariff, at: Timestamp) -> bool {
    tariff.start_date_time.is_none_or(|from| from <= at) && tariff.end_date_time.is_none_or(|to| at < to)
}
