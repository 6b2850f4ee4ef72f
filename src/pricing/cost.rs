//! From what was used to money: the few amounts that are published, each rounded once from its own exact value.

use super::exact::{Exact, HOUR, MILLISECOND};
use super::select::{Slot, from_pico};
use super::tariffs::Tariffs;
use super::usage::{Ledger, Surplus, Surpluses, Usage};
use super::{Finding, PricingError};
use crate::domain::tariff::Price;
use crate::domain::{Extra, Kwh, Money};
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// What a charge costs. A part is `None` where no price component of that dimension was ever active.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Everything, within `min_price` and `max_price`.
    pub total: Price,
    /// FLAT.
    pub fixed: Option<Price>,
    /// ENERGY.
    pub energy: Option<Price>,
    /// TIME.
    pub time: Option<Price>,
    /// PARKING_TIME.
    pub parking: Option<Price>,
    /// The reservation, its FLAT included.
    pub reservation: Option<Price>,
    /// The total before VAT and before rounding.
    pub exact_excl_vat: Exact,
    /// The total after VAT and before rounding; the same as before VAT where no VAT applies.
    pub exact_incl_vat: Exact,
    /// Energy that was charged, kWh.
    pub total_energy: Kwh,
    /// Hours of charging and parking with four decimals: those of each, rounded, together.
    pub total_time: Decimal,
    /// Hours in which the vehicle did not ask for power, with four decimals.
    pub total_parking_time: Decimal,
    /// Hours reserved, with four decimals.
    pub total_reservation_time: Decimal,
    /// What had no effect on the cost though it may have to; when there is any, look at it.
    pub warnings: Vec<Finding>,
}

/// An amount before and after tax.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) excl: Exact,
    pub(super) incl: Exact,
}

impl Amount {
    pub(super) fn plus(self, other: Self) -> Result<Self, PricingError> {
        Ok(Self { excl: self.excl.plus(other.excl)?, incl: self.incl.plus(other.incl)? })
    }
}

/// A sum of amounts, and whether there are any and any with VAT.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) amount: Amount,
    any: bool,
    taxed: bool,
}

impl Sum {
    fn add(&mut self, line: Priced) -> Result<(), PricingError> {
        self.amount = self.amount.plus(line.amount)?;
        self.any = true;
        self.taxed |= line.taxed;
        Ok(())
    }

    /// An amount that may have a tax: of any component of the tariffs, or of a minimum price.
    pub(super) fn ahead(amount: Amount, tariffs: &Tariffs) -> Self {
        let mut components = tariffs.list.iter().flat_map(|tariff| &tariff.components);
        let taxed = components.any(|component| component.tax.is_some()) || amount.excl != amount.incl;
        Self { amount, any: true, taxed }
    }

    fn merge(&mut self, other: Self) -> Result<(), PricingError> {
        self.amount = self.amount.plus(other.amount)?;
        self.any |= other.any;
        self.taxed |= other.taxed;
        Ok(())
    }
}

/// What some of a component costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Priced {
    pub(super) amount: Amount,
    taxed: bool,
}

/// Of what a quantity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Once.
    Once,
    /// Pico-kWh.
    Energy(i128),
    /// Parts of an hour.
    Time(i128),
}

impl Tariffs {
    /// What a quantity costs by a component.
    pub(super) fn price(&self, slot: Slot, quantity: Quantity) -> Result<Priced, PricingError> {
        let component = self.component(slot).ok_or(PricingError::Unknown)?;
        let gross = self.get(slot.tariff).is_some_and(|tariff| tariff.gross);
        let stated = match quantity {
            Quantity::Once => Exact::once(component.parts)?,
            Quantity::Energy(parts) => Exact::for_energy(component.parts, parts)?,
            Quantity::Time(parts) => Exact::for_time(component.parts, parts)?,
        };
        let amount = match component.tax {
            // Gross without a rate: the tax is in it, but how much is not told (OCPI 2.3.0 mod_tariffs, example
            // "price inclusive of tax").
            None => Amount { excl: stated, incl: stated },
            Some(factor) if gross => Amount { excl: stated.untaxed(factor)?, incl: stated },
            Some(factor) => Amount { excl: stated, incl: stated.taxed(factor)? },
        };
        Ok(Priced { amount, taxed: component.tax.is_some() })
    }
}

/// The exact costs by dimension, and what bounds add.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Account {
    pub(super) fixed: Sum,
    pub(super) energy: Sum,
    pub(super) time: Sum,
    pub(super) parking: Sum,
    pub(super) reservation: Sum,
    pub(super) total: Sum,
}

/// What `min_price` or `max_price` of a tariff adds to the total.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// Whether it is the least.
    pub(super) least: bool,
    /// Negative for a maximum.
    pub(super) amount: Amount,
}

fn usage(
    tariffs: &Tariffs,
    usage: &Usage,
    surplus: Option<Surplus>,
    quantity: fn(i128) -> Quantity,
    only: Option<u16>,
) -> Result<Sum, PricingError> {
    let mut sum = Sum::default();
    for &(slot, used) in &usage.amounts {
        if only.is_some_and(|tariff| tariff != slot.tariff) {
            continue;
        }
        let extra = surplus.filter(|surplus| surplus.slot == slot).map_or(0, |surplus| surplus.amount);
        let billed =
            used.checked_add(extra).ok_or(PricingError::TooLarge { what: "an amount of energy or time" })?;
        sum.add(tariffs.price(slot, quantity(billed))?)?;
    }
    Ok(sum)
}

impl Account {
    /// What a ledger costs before bounds; of one tariff alone where that is asked for.
    fn of(ledger: &Ledger, tariffs: &Tariffs, only: Option<u16>) -> Result<Self, PricingError> {
        Self::with(ledger, tariffs, ledger.surpluses(tariffs)?, only)
    }

    /// What a ledger costs before steps and bounds; of one tariff alone where that is asked for.
    pub(super) fn before_steps(
        ledger: &Ledger,
        tariffs: &Tariffs,
        only: Option<u16>,
    ) -> Result<Self, PricingError> {
        Self::with(ledger, tariffs, Surpluses::default(), only)
    }

    fn with(
        ledger: &Ledger,
        tariffs: &Tariffs,
        surplus: Surpluses,
        only: Option<u16>,
    ) -> Result<Self, PricingError> {
        let flat = |slot: Option<Slot>| -> Result<Sum, PricingError> {
            let mut sum = Sum::default();
            if let Some(slot) = slot.filter(|slot| only.is_none_or(|tariff| tariff == slot.tariff)) {
                sum.add(tariffs.price(slot, Quantity::Once)?)?;
            }
            Ok(sum)
        };
        let mut account = Self {
            fixed: flat(ledger.flat)?,
            energy: usage(tariffs, &ledger.energy, surplus.energy, Quantity::Energy, only)?,
            time: usage(tariffs, &ledger.time, surplus.time, Quantity::Time, only)?,
            parking: usage(tariffs, &ledger.parking, surplus.parking, Quantity::Time, only)?,
            reservation: usage(tariffs, &ledger.reservation, surplus.reservation, Quantity::Time, only)?,
            total: Sum::default(),
        };
        account.reservation.merge(flat(ledger.reservation_flat)?)?;
        for part in [account.fixed, account.energy, account.time, account.parking, account.reservation] {
            account.total.merge(part)?;
        }
        Ok(account)
    }

    /// What a ledger costs, and what bounds add. The bounds of a tariff hold for what was priced with it.
    pub(super) fn with_bounds(
        ledger: &Ledger,
        tariffs: &Tariffs,
    ) -> Result<(Self, Vec<Bound>), PricingError> {
        let mut account = Self::of(ledger, tariffs, None)?;
        let mut bounds = Vec::new();
        for (at, tariff) in (0_u16..).zip(&tariffs.list) {
            if tariff.min_price.is_none() && tariff.max_price.is_none() {
                continue;
            }
            let mut sum = match tariffs.list.len() {
                1 => account.total,
                _ => Self::of(ledger, tariffs, Some(at))?.total,
            };
            // A tariff that was in the list but never applied bounds nothing; a charge for which the only one has
            // no price is still a charge with that tariff.
            if tariffs.list.len() > 1 && !sum.any {
                continue;
            }
            for (price, least) in [(&tariff.min_price, true), (&tariff.max_price, false)] {
                let Some(price) = price else { continue };
                let amount = bound(&sum, price, least)?;
                // A least price after tax is one: the total then has an amount after tax as well.
                if least && amount.incl != amount.excl {
                    sum.taxed = true;
                    account.total.taxed = true;
                }
                if !(amount.excl.is_zero() && amount.incl.is_zero()) {
                    bounds.push(Bound { least, amount });
                    sum.amount = sum.amount.plus(amount)?;
                    account.total.amount = account.total.amount.plus(amount)?;
                }
            }
        }
        Ok((account, bounds))
    }
}

/// What brings a total to a bound where it is on the wrong side of it, before and after VAT each on its own
/// (mod_tariffs, "Tariff Object", the notes on `min_price` and `max_price`). A bound without an amount after VAT
/// changes both by the same: what it adds or takes away carries no VAT.
///
/// A least price after VAT holds whether or not anything with VAT was used. A highest price after VAT says nothing
/// where no VAT applies.
fn bound(sum: &Sum, price: &Price, least: bool) -> Result<Amount, PricingError> {
    let wrong = if least { Ordering::Less } else { Ordering::Greater };
    let missing = |total: Exact, bound: Money| {
        let bound = Exact::from_money(bound)?;
        if total.compare(bound)? == wrong { bound.minus(total) } else { Ok(Exact::ZERO) }
    };
    let excl = missing(sum.amount.excl, price.excl_vat)?;
    let incl = match price.incl_vat {
        Some(after) if sum.taxed || least => missing(sum.amount.incl, after)?,
        _ => excl,
    };
    Ok(Amount { excl, incl })
}

/// Milliseconds in hours with four decimals, half up.
pub(super) fn hours(parts: i128) -> Decimal {
    const TEN_THOUSANDTH: i128 = HOUR / 10_000;
    let whole = super::policy::Rounding::HalfUp.divide(parts, TEN_THOUSANDTH).unwrap_or_default();
    Decimal::try_from_i128_with_scale(whole, 4).unwrap_or_default().normalize()
}

/// Seconds of parts of an hour.
pub(super) fn seconds(parts: i128) -> Decimal {
    let whole = super::policy::Rounding::HalfUp.divide(parts, MILLISECOND).unwrap_or_default();
    Decimal::try_from_i128_with_scale(whole, 3).unwrap_or_default().normalize()
}

/// How a sum is published.
pub(super) struct Publisher {
    decimals: u32,
    rounding: super::Rounding,
}

impl Publisher {
    pub(super) fn of(tariffs: &Tariffs) -> Self {
        Self { decimals: tariffs.decimals, rounding: tariffs.policy.rounding }
    }

    pub(super) fn price(&self, sum: &Sum) -> Result<Price, PricingError> {
        let round = |exact: Exact| exact.round(self.decimals, self.rounding);
        Ok(Price {
            excl_vat: round(sum.amount.excl)?,
            incl_vat: sum.taxed.then(|| round(sum.amount.incl)).transpose()?,
            extra: Extra::new(),
        })
    }

    fn part(&self, sum: &Sum) -> Result<Option<Price>, PricingError> {
        sum.any.then(|| self.price(sum)).transpose()
    }
}

impl Ledger {
    /// What a charge costs.
    pub(super) fn cost(&self, tariffs: &Tariffs) -> Result<Cost, PricingError> {
        let (account, _) = Account::with_bounds(self, tariffs)?;
        let publisher = Publisher::of(tariffs);
        let total_parking_time = hours(self.parked);
        Ok(Cost {
            total: publisher.price(&account.total)?,
            fixed: publisher.part(&account.fixed)?,
            energy: publisher.part(&account.energy)?,
            time: publisher.part(&account.time)?,
            parking: publisher.part(&account.parking)?,
            reservation: publisher.part(&account.reservation)?,
            exact_excl_vat: account.total.amount.excl,
            exact_incl_vat: account.total.amount.incl,
            total_energy: Kwh::parse(from_pico(self.total_energy))?,
            total_time: hours(self.charging).saturating_add(total_parking_time).normalize(),
            total_parking_time,
            total_reservation_time: hours(self.reserved),
            warnings: tariffs.warnings(),
        })
    }
}
