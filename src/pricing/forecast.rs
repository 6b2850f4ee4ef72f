//! The highest cost that a charge can reach: for what is held on a card, and for what a driver is told beforehand.

use super::calendar::{Clock, next_edge};
use super::cost::{Account, Amount, Publisher, Quantity};
use super::exact::Exact;
use super::running::RunningCost;
use super::select::{Slot, pico, time_parts};
use super::tariffs::{Candidate, PreparedTariff, Tariffs};
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
    /// Pico-kW.
    power: i128,
    /// Energy of the session at its end at the most.
    energy_then: i128,
    /// Energy in it at the most.
    energy: i128,
}

fn most(a: Exact, b: Exact) -> Result<Exact, PricingError> {
    Ok(if a.compare(b)? == Ordering::Less { b } else { a })
}

fn most_of(a: Amount, b: Amount) -> Result<Amount, PricingError> {
    Ok(Amount { excl: most(a.excl, b.excl)?, incl: most(a.incl, b.incl)? })
}

impl RunningCost {
    /// The highest cost that the charge can have at `until`, whatever the vehicle does, with at most `power_kw`: no
    /// progress until then can cost more. It looks at every component that could become active, and at the largest
    /// step that could be added.
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
        let before = Account::before_steps(&self.ledger, tariffs)?;
        let mut highest = before;
        if let Some(extra) = self.future(tariffs, until.millis(), power)? {
            highest.total.amount = highest.total.amount.plus(extra)?;
        }
        highest.total.amount = self.bounded(tariffs, highest.total.amount)?;
        let sum = highest.total.with_tax_of(tariffs);
        Publisher::of(tariffs).price(&sum)
    }

    /// What may come on top of what was used so far: of one tariff, the one that can cost the most.
    fn future(&self, tariffs: &Tariffs, until: i64, power: i128) -> Result<Option<Amount>, PricingError> {
        let mut highest: Option<Amount> = None;
        for (at, tariff) in (0_u16..).zip(&tariffs.list) {
            let amount = self.future_of(tariffs, (at, tariff), until, power)?;
            highest = Some(match highest {
                Some(known) => most_of(known, amount)?,
                None => amount,
            });
        }
        Ok(highest)
    }

    fn future_of(
        &self,
        tariffs: &Tariffs,
        (index, tariff): (u16, &PreparedTariff),
        until: i64,
        power: i128,
    ) -> Result<Amount, PricingError> {
        let (mut at, mut energy) = self.measured_at();
        let mut sum = Amount::default();
        let mut flat = Amount::default();
        let clock = Clock::new(self.zone(), at, until.max(at));
        let mut steps = Steps { tariffs, energy: Amount::default(), time: Amount::default() };
        let mut cells = 0;
        loop {
            cells += 1;
            if cells > MOST_CELLS {
                return Err(PricingError::TooLarge { what: "the time to look ahead" });
            }
            let to = self.cell_end(tariff, at).min(until).max(at);
            let flow = energy_of(power, to - at)?;
            energy = energy.saturating_add(flow);
            let span = Span { from: at, to, power, energy_then: energy, energy: flow };
            let possible = |list: &[Candidate]| self.possible(tariff, index, list, &span, &clock);
            let time = Quantity::Time(time_parts(to - at));
            let by_energy =
                dearest(tariffs, &possible(&tariff.candidates.energy), Quantity::Energy(span.energy))?;
            let charging = dearest(tariffs, &possible(&tariff.candidates.time), time)?;
            let parking = dearest(tariffs, &possible(&tariff.candidates.parking), time)?;
            sum = sum.plus(by_energy)?.plus(most_of(charging, parking)?)?;
            flat = most_of(flat, dearest(tariffs, &possible(&tariff.candidates.flat), Quantity::Once)?)?;
            steps.add(&possible(&tariff.candidates.energy), true)?;
            steps.add(&possible(&tariff.candidates.time), false)?;
            steps.add(&possible(&tariff.candidates.parking), false)?;
            if to >= until {
                break;
            }
            at = to;
        }
        // Steps of what was used already count, too, should nothing else follow.
        for (usage, by_energy) in
            [(&self.ledger.energy, true), (&self.ledger.time, false), (&self.ledger.parking, false)]
        {
            let slots: Vec<Slot> = usage.last.into_iter().collect();
            steps.add(&slots, by_energy)?;
        }
        if self.ledger.flat.is_none() {
            sum = sum.plus(flat)?;
        }
        sum.plus(steps.energy)?.plus(steps.time)
    }

    /// Where the clock or the duration next changes anything.
    fn cell_end(&self, tariff: &PreparedTariff, at: i64) -> i64 {
        let started = self.started().millis();
        let duration =
            tariff.durations.iter().map(|edge| started.saturating_add(*edge)).find(|edge| *edge > at);
        duration.unwrap_or(i64::MAX).min(next_edge(self.zone(), at, &tariff.minutes))
    }

    /// The components of a list that could be active in a span: those that may match, up to the first that does
    /// whatever the vehicle does.
    fn possible(
        &self,
        tariff: &PreparedTariff,
        index: u16,
        list: &[Candidate],
        span: &Span,
        clock: &Clock,
    ) -> Vec<Slot> {
        let started = self.started().millis();
        let elapsed = (span.from - started, (span.to - started).max(span.from - started + 1));
        let local = clock.local(span.from);
        let mut found = Vec::new();
        for candidate in list {
            let rules = tariff.rules(candidate.rules);
            if rules.hold_by_the_clock(local) && rules.may_hold(elapsed, span.power, span.energy_then) {
                found.push(Slot { tariff: index, component: candidate.component });
                if rules.ask_only_for_the_time() {
                    break;
                }
            }
        }
        found
    }

    fn bounded(&self, tariffs: &Tariffs, amount: Amount) -> Result<Amount, PricingError> {
        let [tariff] = tariffs.list.as_slice() else { return Ok(amount) };
        let mut amount = amount;
        for (price, wrong) in [(&tariff.min_price, Ordering::Less), (&tariff.max_price, Ordering::Greater)] {
            let Some(price) = price else { continue };
            let excl = Exact::from_money(price.excl_vat)?;
            let off = amount.excl.compare(excl)? == wrong;
            match price.incl_vat {
                Some(after) => {
                    let incl = Exact::from_money(after)?;
                    if amount.incl.compare(incl)? == wrong {
                        amount.incl = incl;
                    }
                }
                // It changes both by the same. A maximum may be reached with less tax than is supposed here, so it
                // does not lower what is supposed after tax.
                None if wrong == Ordering::Less && off => {
                    amount.incl = amount.incl.plus(excl.minus(amount.excl)?)?;
                }
                None => {}
            }
            if off {
                amount.excl = excl;
            }
        }
        Ok(amount)
    }
}

/// The highest of what several components could cost; never less than nothing.
fn dearest(tariffs: &Tariffs, slots: &[Slot], quantity: Quantity) -> Result<Amount, PricingError> {
    slots
        .iter()
        .try_fold(Amount::default(), |known, slot| most_of(known, tariffs.price(*slot, quantity)?.amount))
}

/// The largest step that could be added.
struct Steps<'a> {
    tariffs: &'a Tariffs,
    energy: Amount,
    time: Amount,
}

impl Steps<'_> {
    fn add(&mut self, slots: &[Slot], energy: bool) -> Result<(), PricingError> {
        for slot in slots {
            let step = self.tariffs.component(*slot).ok_or(PricingError::Unknown)?.step;
            let quantity = if energy {
                Quantity::Energy(i128::from(step).saturating_mul(super::exact::PICO / 1_000))
            } else {
                Quantity::Time(time_parts(i64::from(step).saturating_mul(1_000)))
            };
            let amount = self.tariffs.price(*slot, quantity)?.amount;
            let known = if energy { &mut self.energy } else { &mut self.time };
            *known = most_of(*known, amount)?;
        }
        Ok(())
    }
}

/// The energy of a power over a time, rounded up.
fn energy_of(power: i128, millis: i64) -> Result<i128, PricingError> {
    const TOO_MUCH: PricingError = PricingError::TooLarge { what: "an amount of energy or time" };
    let product = power.checked_mul(i128::from(millis)).ok_or(TOO_MUCH)?;
    let whole = Rounding::Down.divide(product, 3_600_000).ok_or(TOO_MUCH)?;
    whole.checked_add(1).ok_or(TOO_MUCH)
}
