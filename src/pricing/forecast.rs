//! The highest cost that a charge can reach: for what is held on a card, and for what a driver is told beforehand.

use super::calendar::{Clock, next_edge};
use super::cost::{Account, Amount, Publisher, Quantity, Sum};
use super::exact::Exact;
use super::running::RunningCost;
use super::select::{Slot, mean_power, pico, time_parts};
use super::surplus_ahead::SurplusAhead;
use super::tariffs::{Candidate, Candidates, PreparedTariff, Tariffs};
use super::{PricingError, Rounding};
use crate::domain::Timestamp;
use crate::domain::tariff::Price;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Stretches of time in which nothing changes by the clock or the duration are at most so many: years of quarter
/// hours.
const MOST_CELLS: usize = 200_000;

/// A time in which the clock and the duration change nothing, and what can be used in it at the most.
struct Span {
    from: i64,
    to: i64,
    /// Pico-kW, as a mean power is told.
    power: i128,
    /// Energy of the session at its end at the most.
    energy_then: i128,
    /// Energy in it at the most.
    energy: i128,
}

/// The most that something may cost: before tax, after tax, and of tax, each on its own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Most {
    excl: Exact,
    incl: Exact,
    tax: Exact,
}

fn greater(a: Exact, b: Exact) -> Result<Exact, PricingError> {
    Ok(if a.compare(b)? == Ordering::Less { b } else { a })
}

fn lesser(a: Exact, b: Exact) -> Result<Exact, PricingError> {
    Ok(if a.compare(b)? == Ordering::Greater { b } else { a })
}

impl Most {
    fn of(amount: Amount) -> Result<Self, PricingError> {
        Ok(Self { excl: amount.excl, incl: amount.incl, tax: amount.incl.minus(amount.excl)? })
    }

    pub(super) fn plus(self, other: Self) -> Result<Self, PricingError> {
        Ok(Self {
            excl: self.excl.plus(other.excl)?,
            incl: self.incl.plus(other.incl)?,
            tax: self.tax.plus(other.tax)?,
        })
    }

    fn minus(self, other: Self) -> Result<Self, PricingError> {
        Ok(Self {
            excl: self.excl.minus(other.excl)?,
            incl: self.incl.minus(other.incl)?,
            tax: self.tax.minus(other.tax)?,
        })
    }

    pub(super) fn or(self, other: Self) -> Result<Self, PricingError> {
        Ok(Self {
            excl: greater(self.excl, other.excl)?,
            incl: greater(self.incl, other.incl)?,
            tax: greater(self.tax, other.tax)?,
        })
    }

    /// At least `price`, as [`super::cost`] applies `min_price`.
    fn at_least(self, price: &Price) -> Result<Self, PricingError> {
        let excl = Exact::from_money(price.excl_vat)?;
        let raised = greater(self.excl, excl)?;
        let Some(after) = price.incl_vat else {
            return Ok(Self { excl: raised, incl: greater(self.incl, raised.plus(self.tax)?)?, ..self });
        };
        let after = Exact::from_money(after)?;
        let tax = greater(self.tax, after.minus(excl)?)?;
        Ok(Self { excl: raised, incl: greater(self.incl, after)?, tax })
    }

    /// At most `price`, as [`super::cost`] applies `max_price`.
    fn at_most(self, price: &Price) -> Result<Self, PricingError> {
        let excl = Exact::from_money(price.excl_vat)?;
        let after = match price.incl_vat {
            Some(after) => Exact::from_money(after)?,
            None => excl.plus(self.tax)?,
        };
        Ok(Self { excl: lesser(self.excl, excl)?, incl: lesser(self.incl, after)?, ..self })
    }
}

impl RunningCost {
    /// The highest cost that the charge can have at `until`, whatever the vehicle does, with at most `power_kw`: no
    /// progress until then can cost more. It looks at every component that could become active, and at the largest
    /// step that could be added. Where only one component of a dimension can be active it is exact.
    ///
    /// # Errors
    /// When `tariffs` are not those of the start, an amount leaves its range, or `until` is too far away.
    pub fn highest_cost(
        &self,
        tariffs: &Tariffs,
        until: Timestamp,
        power_kw: Decimal,
    ) -> Result<Price, PricingError> {
        self.check(tariffs)?;
        let power = pico(power_kw.max(Decimal::ZERO));
        let before = Account::before_steps(&self.ledger, tariffs, None)?;
        let ahead = self.ahead(tariffs, until.millis(), power)?;
        let highest = Most::of(before.total.amount)?.plus(ahead)?;
        let highest = self.bounded(tariffs, highest)?;
        // A charge that is not taxed costs after tax what it costs before.
        let amount = Amount { excl: highest.excl, incl: greater(highest.incl, highest.excl)? };
        Publisher::of(tariffs).price(&Sum::ahead(amount, tariffs))
    }

    /// What may come on top of what was used so far, whichever of the tariffs applies when.
    fn ahead(&self, tariffs: &Tariffs, until: i64, power: i128) -> Result<Most, PricingError> {
        let (mut at, mut energy_then) = self.measured_at();
        let clock = Clock::new(self.zone(), at, until.max(at));
        let mut sum = Most::default();
        let mut fixed = Most::default();
        let mut surplus = SurplusAhead::new(tariffs, &self.ledger);
        for _ in 0..MOST_CELLS {
            let to =
                tariffs.list.iter().map(|tariff| self.cell_end(tariff, at)).fold(until, i64::min).max(at);
            let energy = energy_of(power, to - at)?;
            energy_then = energy_then.saturating_add(energy);
            let span = Span { from: at, to, power: told(power), energy_then, energy };
            let possible =
                |list: fn(&Candidates) -> &[Candidate]| self.possible(tariffs, list, &span, &clock);
            let by_energy = possible(|all| &all.energy);
            let charging = possible(|all| &all.time);
            let parking = possible(|all| &all.parking);
            let time = time_parts(to - at);
            sum = sum.plus(dearest(tariffs, &by_energy, Quantity::Energy(span.energy))?)?;
            let charged = dearest(tariffs, &charging, Quantity::Time(time))?;
            sum = sum.plus(charged.or(dearest(tariffs, &parking, Quantity::Time(time))?)?)?;
            fixed = fixed.or(dearest(tariffs, &possible(|all| &all.flat), Quantity::Once)?)?;
            surplus.add_energy(&by_energy, span.energy);
            surplus.add_time(&charging, time);
            surplus.add_time(&parking, time);
            if to >= until {
                return sum.plus(self.fixed_ahead(tariffs, fixed)?)?.plus(surplus.most()?);
            }
            at = to;
        }
        Err(PricingError::TooLarge { what: "the time to look ahead" })
    }

    /// What a FLAT may still add, where it costs `fixed` at the most. Before anything is used, the one that is known
    /// may give way to another.
    fn fixed_ahead(&self, tariffs: &Tariffs, fixed: Most) -> Result<Most, PricingError> {
        let Some(slot) = self.ledger.flat else { return Ok(fixed) };
        if !self.ledger.is_unused() {
            return Ok(Most::default());
        }
        // It is part of what was used so far.
        let known = Most::of(tariffs.price(slot, Quantity::Once)?.amount)?;
        fixed.or(known)?.minus(known)
    }

    /// Where the clock or the duration next changes anything.
    fn cell_end(&self, tariff: &PreparedTariff, at: i64) -> i64 {
        let started = self.started().millis();
        let duration =
            tariff.durations.iter().map(|edge| started.saturating_add(*edge)).find(|edge| *edge > at);
        duration.unwrap_or(i64::MAX).min(next_edge(self.zone(), at, &tariff.minutes))
    }

    /// The components of a list that could be active in a span: of each tariff those that may match, up to the first
    /// that does whatever the vehicle does.
    fn possible(
        &self,
        tariffs: &Tariffs,
        list: fn(&Candidates) -> &[Candidate],
        span: &Span,
        clock: &Clock,
    ) -> Vec<Slot> {
        let started = self.started().millis();
        let elapsed = (span.from - started, (span.to - started).max(span.from - started + 1));
        let local = clock.local(span.from);
        let mut found = Vec::new();
        for (index, tariff) in (0_u16..).zip(&tariffs.list) {
            for candidate in list(&tariff.candidates) {
                let rules = tariff.rules(candidate.rules);
                if rules.hold_by_the_clock(local) && rules.may_hold(elapsed, span.power, span.energy_then) {
                    found.push(Slot { tariff: index, component: candidate.component });
                    if rules.ask_only_for_the_time {
                        break;
                    }
                }
            }
        }
        found
    }

    /// With `min_price` and `max_price`. Of several tariffs each bounds what was priced with it, and it is not known
    /// what will be: each minimum may add all that it is above what was priced so far, and no maximum may be reached.
    fn bounded(&self, tariffs: &Tariffs, highest: Most) -> Result<Most, PricingError> {
        let mut highest = highest;
        if let [tariff] = tariffs.list.as_slice() {
            if let Some(price) = &tariff.min_price {
                highest = highest.at_least(price)?;
            }
            return tariff.max_price.as_ref().map_or(Ok(highest), |price| highest.at_most(price));
        }
        for (at, tariff) in (0_u16..).zip(&tariffs.list) {
            let Some(price) = &tariff.min_price else { continue };
            let before = Most::of(Account::before_steps(&self.ledger, tariffs, Some(at))?.total.amount)?;
            let raised = before.at_least(price)?;
            highest.excl = highest.excl.plus(raised.excl.minus(before.excl)?)?;
            highest.incl = highest.incl.plus(raised.incl.minus(before.incl)?)?;
        }
        Ok(highest)
    }
}

/// The highest of what several components could cost; never less than nothing.
pub(super) fn dearest(tariffs: &Tariffs, slots: &[Slot], quantity: Quantity) -> Result<Most, PricingError> {
    let price = |slot: &Slot| Most::of(tariffs.price(*slot, quantity)?.amount);
    slots.iter().try_fold(Most::default(), |known, slot| known.or(price(slot)?))
}

/// A power as a mean between two measurements would be told: the highest that restrictions compare.
fn told(power: i128) -> i128 {
    const HOUR_MILLIS: i64 = 3_600_000;
    mean_power(power, HOUR_MILLIS).high.max(power)
}

/// The energy of a power over a time, rounded up.
fn energy_of(power: i128, millis: i64) -> Result<i128, PricingError> {
    const TOO_MUCH: PricingError = PricingError::TooLarge { what: "an amount of energy or time" };
    let product = power.checked_mul(i128::from(millis)).ok_or(TOO_MUCH)?;
    let whole = Rounding::Down.divide(product.saturating_add(3_599_999), 3_600_000).ok_or(TOO_MUCH)?;
    Ok(whole)
}
