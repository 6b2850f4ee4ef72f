//! From periods to money: lines that are exact, and the few amounts that are published.

use super::exact::{Exact, MAX_SCALE};
use super::policy::PricingPolicy;
use super::running::{Activity, RunningCost, hours};
use super::select::{self, ComponentRef};
use super::{Finding, PricingError, name};
use crate::domain::tariff::{Price, PriceComponent, Tariff};
use crate::domain::{Extra, Kwh, Money};
use rust_decimal::Decimal;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What a line of the explanation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// FLAT.
    Flat,
    /// ENERGY.
    Energy,
    /// TIME.
    Time,
    /// PARKING_TIME.
    Parking,
    /// What is missing to `min_price`.
    MinPrice,
    /// What is above `max_price`; negative.
    MaxPrice,
    /// From the exact total to the published one.
    Rounding,
}

/// How much of something, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billed {
    /// Once.
    Once,
    /// kWh.
    Kwh(Decimal),
    /// Seconds.
    Seconds(Decimal),
}

/// One line of the explanation. All lines together are exactly the published total.
#[derive(Debug, Clone, PartialEq)]
pub struct CostLine {
    /// What for.
    pub kind: LineKind,
    /// The price component; none for what follows from the total.
    pub component: Option<ComponentRef>,
    /// Per kWh, per hour or once, before VAT.
    pub price: Option<Money>,
    /// VAT in percent; none means that no VAT applies.
    pub vat: Option<Decimal>,
    /// What was used.
    pub used: Billed,
    /// What is billed: at least what was used, because of `step_size`.
    pub billed: Billed,
    /// Before VAT.
    pub excl_vat: Exact,
    /// After VAT; the same where no VAT applies.
    pub incl_vat: Exact,
}

/// What a charge costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Everything, within `min_price` and `max_price`.
    pub total: Price,
    /// FLAT.
    pub fixed: Price,
    /// ENERGY.
    pub energy: Price,
    /// TIME.
    pub time: Price,
    /// PARKING_TIME.
    pub parking: Price,
    /// How the total comes about, exactly; the last line may be its rounding.
    pub lines: Vec<CostLine>,
    /// The total before VAT and before rounding.
    pub exact_excl_vat: Exact,
    /// The total after VAT and before rounding; the same as before VAT where no VAT applies.
    pub exact_incl_vat: Exact,
    /// Energy that was charged, kWh.
    pub total_energy: Kwh,
    /// Hours from start to end with four decimals: those charging and those parking, each rounded.
    pub total_time: Decimal,
    /// Hours in which the vehicle did not ask for power, with four decimals.
    pub total_parking_time: Decimal,
    /// What in the tariff was passed over; when there is any, the cost may be wrong.
    pub warnings: Vec<Finding>,
}

/// What was used by price component, in kWh × 10^-12 or in milliseconds.
#[derive(Default)]
struct Usage {
    by_component: BTreeMap<ComponentRef, i128>,
    total: i128,
    /// The last one by which anything was used.
    last: Option<ComponentRef>,
}

const TOO_MUCH: PricingError = PricingError::TooLarge { what: "an amount of energy or time" };
/// kWh × 10^-12 of a Wh.
const PICO_KWH_PER_WH: i128 = 1_000_000_000;
const MS_PER_SECOND: i128 = 1_000;

impl Usage {
    fn add(&mut self, component: Option<ComponentRef>, amount: i128) -> Result<(), PricingError> {
        let Some(component) = component else { return Ok(()) };
        let sum = self.by_component.entry(component).or_default();
        *sum = sum.checked_add(amount).ok_or(TOO_MUCH)?;
        self.total = self.total.checked_add(amount).ok_or(TOO_MUCH)?;
        if amount != 0 {
            self.last = Some(component);
        }
        Ok(())
    }

    /// What is missing to a whole number of steps of the last component, over the session's total (mod_cdrs,
    /// "step_size"). Nothing where nothing was used, or where energy was fed back on the whole.
    fn surplus(&self, tariff: &Tariff, unit: i128) -> Result<Option<(ComponentRef, i128)>, PricingError> {
        let Some(last) = self.last.filter(|_| self.total > 0) else { return Ok(None) };
        let step = i128::from(component(tariff, last)?.step_size.max(1));
        let step = step.checked_mul(unit).ok_or(TOO_MUCH)?;
        let over = self.total.checked_rem(step).ok_or(TOO_MUCH)?;
        Ok((over != 0).then(|| (last, step.saturating_sub(over))))
    }
}

/// A component that a state names. It is there, unless the tariff was changed without a new `last_updated`.
fn component(tariff: &Tariff, at: ComponentRef) -> Result<&PriceComponent, PricingError> {
    at.of(tariff).ok_or_else(|| {
        let now = name(&tariff.id, tariff.last_updated);
        PricingError::OtherTariff { began: format!("{now} with {}", at.path()), now }
    })
}

/// kWh in kWh × 10^-12.
fn pico_kwh(energy: Decimal) -> Result<i128, PricingError> {
    let energy = energy.normalize();
    let tens = MAX_SCALE.checked_sub(energy.scale()).and_then(|by| 10_i128.checked_pow(by));
    tens.and_then(|tens| energy.mantissa().checked_mul(tens)).ok_or(TOO_MUCH)
}

fn decimal(parts: i128, scale: u32) -> Result<Decimal, PricingError> {
    Decimal::try_from_i128_with_scale(parts, scale).map(|d| d.normalize()).map_err(|_| TOO_MUCH)
}

/// Lines of one charge while they are gathered.
struct Account {
    lines: Vec<CostLine>,
}

impl Account {
    fn sums(&self, wanted: impl Fn(LineKind) -> bool) -> Result<(Exact, Exact), PricingError> {
        let mut sums = (Exact::ZERO, Exact::ZERO);
        for line in self.lines.iter().filter(|line| wanted(line.kind)) {
            sums = (sums.0.plus(line.excl_vat)?, sums.1.plus(line.incl_vat)?);
        }
        Ok(sums)
    }

    /// Whether any VAT applies to lines of this kind.
    fn has_vat(&self, wanted: impl Fn(LineKind) -> bool) -> bool {
        self.lines.iter().any(|line| wanted(line.kind) && line.vat.is_some())
    }

    fn charge(
        &mut self,
        kind: LineKind,
        at: ComponentRef,
        price: &PriceComponent,
        (used, billed): (Billed, Billed),
        excl_vat: Exact,
    ) -> Result<(), PricingError> {
        let incl_vat = price.vat.map_or(Ok(excl_vat), |vat| excl_vat.with_vat(vat))?;
        self.lines.push(CostLine {
            kind,
            component: Some(at),
            price: Some(price.price),
            vat: price.vat,
            used,
            billed,
            excl_vat,
            incl_vat,
        });
        Ok(())
    }

    /// A line for each component of a dimension, the surplus at the price of the last one.
    fn usage(
        &mut self,
        kind: LineKind,
        tariff: &Tariff,
        usage: &Usage,
        surplus: Option<(ComponentRef, i128)>,
    ) -> Result<(), PricingError> {
        for (&at, &used) in &usage.by_component {
            let extra = surplus.filter(|(last, _)| *last == at).map_or(0, |(_, extra)| extra);
            let billed = used.checked_add(extra).ok_or(TOO_MUCH)?;
            let price = component(tariff, at)?;
            let (amounts, excl_vat) = if kind == LineKind::Energy {
                let amount = |parts| decimal(parts, MAX_SCALE).map(Billed::Kwh);
                ((amount(used)?, amount(billed)?), Exact::for_energy(price.price, billed)?)
            } else {
                let amount = |parts| decimal(parts, 3).map(Billed::Seconds);
                ((amount(used)?, amount(billed)?), Exact::for_time(price.price, billed)?)
            };
            self.charge(kind, at, price, amounts, excl_vat)?;
        }
        Ok(())
    }

    /// A line that follows from the total.
    fn adjust(&mut self, kind: LineKind, (excl_vat, incl_vat): (Exact, Exact)) {
        if !(excl_vat.is_zero() && incl_vat.is_zero()) {
            let once = Billed::Once;
            self.lines.push(CostLine {
                kind,
                component: None,
                price: None,
                vat: None,
                used: once,
                billed: once,
                excl_vat,
                incl_vat,
            });
        }
    }

    /// Brings the total to `bound` where it is on the wrong side of it, before and after VAT each on its own
    /// (mod_tariffs, "Tariff Object", the notes on `min_price` and `max_price`).
    fn bound(&mut self, kind: LineKind, bound: &Price, wrong: Ordering) -> Result<(), PricingError> {
        let missing = |total: Exact, bound: Money| {
            let bound = Exact::from_money(bound)?;
            if total.compare(bound)? == wrong { bound.minus(total) } else { Ok(Exact::ZERO) }
        };
        let (excl, incl) = self.sums(|_| true)?;
        let by_excl = missing(excl, bound.excl_vat)?;
        let by_incl = match bound.incl_vat {
            Some(after) if self.has_vat(|_| true) => missing(incl, after)?,
            _ => by_excl,
        };
        self.adjust(kind, (by_excl, by_incl));
        Ok(())
    }
}

impl RunningCost {
    /// What the charge costs up to the latest progress: the running cost while it lasts, and the cost in the CDR
    /// when the latest progress is its end. Each published amount is rounded once, from its own exact value, so
    /// parts that were rounded need not add up to the total; the exact lines do.
    ///
    /// # Errors
    /// When `tariff` is not the one of the start, or an amount leaves the range of its type.
    pub fn cost(&self, tariff: Option<&Tariff>, policy: &PricingPolicy) -> Result<Cost, PricingError> {
        self.check_tariff(tariff)?;
        let mut account = Account { lines: Vec::new() };
        let (mut energy, mut time, mut parking) = (Usage::default(), Usage::default(), Usage::default());
        let (mut charging_ms, mut parking_ms) = (0_i64, 0_i64);
        for used in self.used() {
            energy.add(used.period.energy, pico_kwh(used.energy)?)?;
            let (by_activity, millis) = match used.period.activity {
                Activity::Charging => (&mut time, &mut charging_ms),
                Activity::Parking => (&mut parking, &mut parking_ms),
            };
            by_activity.add(used.period.time, i128::from(used.millis))?;
            *millis = millis.saturating_add(used.millis);
        }
        if let Some(tariff) = tariff {
            if let Some(at) = self.flat {
                let price = component(tariff, at)?;
                let amount = Exact::from_money(price.price)?;
                account.charge(LineKind::Flat, at, price, (Billed::Once, Billed::Once), amount)?;
            }
            account.usage(LineKind::Energy, tariff, &energy, energy.surplus(tariff, PICO_KWH_PER_WH)?)?;
            // Once for both: where parking is billed, only parking is rounded up.
            let of_parking = parking.surplus(tariff, MS_PER_SECOND)?;
            let of_time = if parking.total > 0 { None } else { time.surplus(tariff, MS_PER_SECOND)? };
            account.usage(LineKind::Time, tariff, &time, of_time)?;
            account.usage(LineKind::Parking, tariff, &parking, of_parking)?;
            if let Some(min) = &tariff.min_price {
                account.bound(LineKind::MinPrice, min, Ordering::Less)?;
            }
            if let Some(max) = &tariff.max_price {
                account.bound(LineKind::MaxPrice, max, Ordering::Greater)?;
            }
        }
        let decimals = policy.decimals(tariff.map_or("", |tariff| &tariff.currency));
        let published = |account: &Account, of: Option<LineKind>| -> Result<Price, PricingError> {
            let wanted = |kind| of.is_none_or(|of| of == kind);
            let (excl, incl) = account.sums(wanted)?;
            let incl_vat = account.has_vat(wanted).then(|| incl.round(decimals, policy.rounding));
            Ok(Price {
                excl_vat: excl.round(decimals, policy.rounding)?,
                incl_vat: incl_vat.transpose()?,
                extra: Extra::new(),
            })
        };
        let (exact_excl_vat, exact_incl_vat) = account.sums(|_| true)?;
        let total = published(&account, None)?;
        let fixed = published(&account, Some(LineKind::Flat))?;
        let of_energy = published(&account, Some(LineKind::Energy))?;
        let of_time = published(&account, Some(LineKind::Time))?;
        let of_parking = published(&account, Some(LineKind::Parking))?;
        let rounded = |published: Money, exact| Exact::from_money(published)?.minus(exact);
        let off_excl = rounded(total.excl_vat, exact_excl_vat)?;
        let off_incl = total.incl_vat.map_or(Ok(off_excl), |after| rounded(after, exact_incl_vat))?;
        account.adjust(LineKind::Rounding, (off_excl, off_incl));
        let total_parking_time = hours(parking_ms);
        Ok(Cost {
            total,
            fixed,
            energy: of_energy,
            time: of_time,
            parking: of_parking,
            lines: account.lines,
            exact_excl_vat,
            exact_incl_vat,
            total_energy: self.last.energy,
            total_time: hours(charging_ms).saturating_add(total_parking_time).normalize(),
            total_parking_time,
            warnings: tariff.map(select::warnings).unwrap_or_default(),
        })
    }
}
