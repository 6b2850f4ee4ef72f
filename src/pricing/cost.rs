//! From what was used to money: the few amounts that are published, each rounded once from its own exact value.

use super::exact::{Exact, Fraction, HOUR, MILLISECOND, TooLarge};
use super::select::{Slot, from_pico};
use super::tariffs::Tariffs;
use super::usage::{Ledger, Surplus, Surpluses, TOO_MUCH, Usage};
use super::whole::{Whole, plain};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount<N: Whole = i128> {
    pub(super) excl: Fraction<N>,
    pub(super) incl: Fraction<N>,
}

impl<N: Whole> Default for Amount<N> {
    fn default() -> Self {
        Self { excl: Fraction::ZERO, incl: Fraction::ZERO }
    }
}

impl<N: Whole> Amount<N> {
    #[inline]
    fn add(&mut self, other: &Self) -> Result<(), TooLarge> {
        self.excl = self.excl.plus(other.excl)?;
        self.incl = self.incl.plus(other.incl)?;
        Ok(())
    }
}

/// A sum of amounts, and whether there are any and any with VAT.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum<N: Whole = i128> {
    pub(super) amount: Amount<N>,
    any: bool,
    taxed: bool,
}

impl<N: Whole> Default for Sum<N> {
    fn default() -> Self {
        Self { amount: Amount::default(), any: false, taxed: false }
    }
}

impl Sum {
    /// An amount that may have a tax: of any component of the tariffs, or of a minimum price.
    pub(super) fn ahead(amount: Amount, tariffs: &Tariffs) -> Self {
        let mut components = tariffs.list.iter().flat_map(|tariff| &tariff.components);
        let taxed = components.any(|component| component.tax.is_some()) || amount.excl != amount.incl;
        Self { amount, any: true, taxed }
    }
}

impl<N: Whole> Sum<N> {
    #[inline]
    fn add(&mut self, line: &Priced<N>) -> Result<(), TooLarge> {
        self.amount.add(&line.amount)?;
        self.any = true;
        self.taxed |= line.taxed;
        Ok(())
    }

    #[inline]
    fn merge(&mut self, other: &Self) -> Result<(), TooLarge> {
        if other.any {
            self.amount.add(&other.amount)?;
            self.any = true;
            self.taxed |= other.taxed;
        }
        Ok(())
    }
}

/// What some of a component costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Priced<N: Whole = i128> {
    pub(super) amount: Amount<N>,
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
    #[inline]
    pub(super) fn price<N: Whole>(&self, slot: Slot, quantity: Quantity) -> Result<Priced<N>, PricingError> {
        let tariff = self.get(slot.tariff).ok_or(PricingError::Unknown)?;
        let component = tariff.component(slot.component).ok_or(PricingError::Unknown)?;
        let stated = match quantity {
            Quantity::Once => Fraction::once(component.parts)?,
            Quantity::Energy(parts) => Fraction::for_energy(component.parts, parts)?,
            Quantity::Time(parts) => Fraction::for_time(component.parts, parts)?,
        };
        let amount = match component.tax {
            // Gross without a rate: the tax is in it, but how much is not told (OCPI 2.3.0 mod_tariffs, example
            // "price inclusive of tax").
            None => Amount { excl: stated, incl: stated },
            Some(factor) if tariff.gross => Amount { excl: stated.untaxed(factor)?, incl: stated },
            Some(factor) => Amount { excl: stated, incl: stated.taxed(factor)? },
        };
        Ok(Priced { amount, taxed: component.tax.is_some() })
    }
}

/// The exact costs by dimension, and what bounds add.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<N: Whole = i128> {
    fixed: Sum<N>,
    energy: Sum<N>,
    time: Sum<N>,
    parking: Sum<N>,
    reservation: Sum<N>,
    pub(super) total: Sum<N>,
}

impl<N: Whole> Default for Account<N> {
    fn default() -> Self {
        let none = Sum::default();
        Self { fixed: none, energy: none, time: none, parking: none, reservation: none, total: none }
    }
}

/// What `min_price` or `max_price` of a tariff adds to the total.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound<N: Whole = i128> {
    /// Whether it is the least.
    pub(super) least: bool,
    /// Negative for a maximum.
    pub(super) amount: Amount<N>,
}

/// Prices what a ledger holds, of one tariff alone where that is asked for.
struct Pricer<'a> {
    tariffs: &'a Tariffs,
    only: Option<u16>,
}

impl Pricer<'_> {
    #[inline]
    fn counts(&self, slot: Slot) -> bool {
        self.only.is_none_or(|tariff| tariff == slot.tariff)
    }

    #[inline]
    fn once<N: Whole>(&self, slot: Option<Slot>, sum: &mut Sum<N>) -> Result<(), PricingError> {
        if let Some(slot) = slot.filter(|slot| self.counts(*slot)) {
            sum.add(&self.tariffs.price(slot, Quantity::Once)?)?;
        }
        Ok(())
    }

    #[inline]
    fn usage<N: Whole>(
        &self,
        usage: &Usage,
        surplus: Option<Surplus>,
        quantity: impl Fn(i128) -> Quantity,
        sum: &mut Sum<N>,
    ) -> Result<(), PricingError> {
        for &(slot, used) in &usage.amounts {
            if self.counts(slot) {
                let extra =
                    surplus.filter(|surplus| surplus.slot == slot).map_or(0, |surplus| surplus.amount);
                let billed = used.checked_add(extra).ok_or(TOO_MUCH)?;
                sum.add(&self.tariffs.price(slot, quantity(billed))?)?;
            }
        }
        Ok(())
    }
}

impl Account {
    /// What a ledger costs before steps and bounds; of one tariff alone where that is asked for.
    pub(super) fn before_steps(
        ledger: &Ledger,
        tariffs: &Tariffs,
        only: Option<u16>,
    ) -> Result<Self, PricingError> {
        let mut account = Self::default();
        account.fill(ledger, tariffs, &Surpluses::default(), only)?;
        Ok(account)
    }
}

impl<N: Whole> Account<N> {
    /// What a ledger costs before bounds; of one tariff alone where that is asked for. The account is a new one.
    fn fill(
        &mut self,
        ledger: &Ledger,
        tariffs: &Tariffs,
        surplus: &Surpluses,
        only: Option<u16>,
    ) -> Result<(), PricingError> {
        let pricer = Pricer { tariffs, only };
        pricer.once(ledger.flat, &mut self.fixed)?;
        pricer.usage(&ledger.energy, surplus.energy, Quantity::Energy, &mut self.energy)?;
        pricer.usage(&ledger.time, surplus.time, Quantity::Time, &mut self.time)?;
        pricer.usage(&ledger.parking, surplus.parking, Quantity::Time, &mut self.parking)?;
        pricer.usage(&ledger.reservation, surplus.reservation, Quantity::Time, &mut self.reservation)?;
        pricer.once(ledger.reservation_flat, &mut self.reservation)?;
        for part in [&self.fixed, &self.energy, &self.time, &self.parking, &self.reservation] {
            self.total.merge(part)?;
        }
        Ok(())
    }

    /// What a ledger costs; the bounds that add anything are shown. The bounds of a tariff hold for what was priced with
    /// it. The account is a new one.
    pub(super) fn fill_with_bounds(
        &mut self,
        ledger: &Ledger,
        tariffs: &Tariffs,
        mut show: impl FnMut(Bound<N>),
    ) -> Result<(), PricingError> {
        let surplus = ledger.surpluses(tariffs)?;
        self.fill(ledger, tariffs, &surplus, None)?;
        for (at, tariff) in (0_u16..).zip(&tariffs.list) {
            if tariff.min_price.is_none() && tariff.max_price.is_none() {
                continue;
            }
            let mut sum = self.total;
            if tariffs.list.len() > 1 {
                let mut of_tariff = Self::default();
                of_tariff.fill(ledger, tariffs, &surplus, Some(at))?;
                sum = of_tariff.total;
                // A tariff that was in the list but never applied bounds nothing; a charge for which the only one has
                // no price is still a charge with that tariff.
                if !sum.any {
                    continue;
                }
            }
            for (price, least) in [(&tariff.min_price, true), (&tariff.max_price, false)] {
                let Some(price) = price else { continue };
                let amount = bound(&sum, price, least)?;
                // A least price after tax is one: the total then has an amount after tax as well.
                if least && amount.incl != amount.excl {
                    sum.taxed = true;
                    self.total.taxed = true;
                }
                if !(amount.excl.is_zero() && amount.incl.is_zero()) {
                    show(Bound { least, amount });
                    sum.amount.add(&amount)?;
                    self.total.amount.add(&amount)?;
                }
            }
        }
        Ok(())
    }
}

/// What brings a total to a bound where it is on the wrong side of it, before and after VAT each on its own
/// (mod_tariffs, "Tariff Object", the notes on `min_price` and `max_price`). A bound without an amount after VAT
/// changes both by the same: what it adds or takes away carries no VAT.
///
/// A least price after VAT holds whether or not anything with VAT was used. A highest price after VAT says nothing
/// where no VAT applies.
#[inline]
fn bound<N: Whole>(sum: &Sum<N>, price: &Price, least: bool) -> Result<Amount<N>, TooLarge> {
    let wrong = if least { Ordering::Less } else { Ordering::Greater };
    let missing = |total: Fraction<N>, bound: Money| {
        let bound = Fraction::from_money(bound)?;
        if total.compare(bound)? == wrong { bound.minus(total) } else { Ok(Fraction::ZERO) }
    };
    let excl = missing(sum.amount.excl, price.excl_vat)?;
    let incl = match price.incl_vat {
        Some(after) if sum.taxed || least => missing(sum.amount.incl, after)?,
        _ => excl,
    };
    Ok(Amount { excl, incl })
}

/// A ten thousandth of an hour, in parts.
const TEN_THOUSANDTH: i128 = HOUR / 10_000;

/// Parts of an hour in hours with four decimals, half up.
pub(super) fn hours(parts: i128) -> Decimal {
    plain(rounded(parts, TEN_THOUSANDTH), 4)
}

/// Seconds of parts of an hour.
pub(super) fn seconds(parts: i128) -> Decimal {
    plain(rounded(parts, MILLISECOND), 3)
}

fn rounded(parts: i128, unit: i128) -> i128 {
    super::Rounding::HalfUp.divide(parts, unit).unwrap_or_default()
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

    #[inline]
    pub(super) fn price<N: Whole>(&self, sum: &Sum<N>) -> Result<Price, PricingError> {
        let round = |exact: Fraction<N>| exact.round(self.decimals, self.rounding);
        Ok(Price {
            excl_vat: round(sum.amount.excl)?,
            incl_vat: if sum.taxed { Some(round(sum.amount.incl)?) } else { None },
            extra: Extra::new(),
        })
    }

    #[inline]
    fn part<N: Whole>(&self, sum: &Sum<N>) -> Result<Option<Price>, PricingError> {
        if sum.any { Ok(Some(self.price(sum)?)) } else { Ok(None) }
    }
}

impl Ledger {
    /// What a charge costs.
    pub(super) fn cost(&self, tariffs: &Tariffs) -> Result<Cost, PricingError> {
        // Whatever goes wrong in the small numbers, the large ones have the last word.
        self.cost_in::<i64>(tariffs).or_else(|_| self.cost_in::<i128>(tariffs))
    }

    /// What a charge costs, computed in numbers of some size: the same in each that has room for it.
    pub(super) fn cost_in<N: Whole>(&self, tariffs: &Tariffs) -> Result<Cost, PricingError> {
        let mut account = Account::<N>::default();
        account.fill_with_bounds(self, tariffs, |_| {})?;
        let publisher = Publisher::of(tariffs);
        let charging = rounded(self.charging, TEN_THOUSANDTH);
        let parked = rounded(self.parked, TEN_THOUSANDTH);
        Ok(Cost {
            total: publisher.price(&account.total)?,
            fixed: publisher.part(&account.fixed)?,
            energy: publisher.part(&account.energy)?,
            time: publisher.part(&account.time)?,
            parking: publisher.part(&account.parking)?,
            reservation: publisher.part(&account.reservation)?,
            exact_excl_vat: account.total.amount.excl.exact(),
            exact_incl_vat: account.total.amount.incl.exact(),
            total_energy: Kwh::parse(from_pico(self.total_energy))?,
            total_time: plain(charging.saturating_add(parked), 4),
            total_parking_time: plain(parked, 4),
            total_reservation_time: hours(self.reserved),
            warnings: tariffs.warnings(),
        })
    }
}
