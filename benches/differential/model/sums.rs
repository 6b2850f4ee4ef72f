//! Money in 3600ths, so that prices by the hour times seconds stay exact to the end.

use super::rules::{Question, Rules};
use super::{Bill, HOUR, Part};
use crate::amounts::Amount;
use roamwatt::domain::Money;
use roamwatt::domain::tariff::{Price, PriceComponent, Tariff};
use rust_decimal::Decimal;

/// Amounts before and after VAT, times 3600.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    net: Decimal,
    gross: Decimal,
    /// Whether anything has a price, even one of zero.
    priced: bool,
    /// Whether VAT applies to anything.
    taxed: bool,
    /// Whether the gross amount is not known.
    gross_lost: bool,
}

impl Sum {
    /// What lines of a bill cost.
    pub(super) fn of<'p, 't: 'p>(parts: impl IntoIterator<Item = &'p Part<'t>>) -> Self {
        let each = parts.into_iter().map(|part| {
            Self::taxed(part.component, part.component.price.decimal().saturating_mul(part.volume))
        });
        each.fold(Self::default(), Self::plus)
    }

    fn taxed(component: &PriceComponent, net: Decimal) -> Self {
        let percent = component.vat.unwrap_or_default().saturating_add(Decimal::ONE_HUNDRED);
        let gross = net.saturating_mul(percent).checked_div(Decimal::ONE_HUNDRED).unwrap_or_default();
        Self { net, gross, priced: true, taxed: component.vat.is_some(), gross_lost: false }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            net: self.net.saturating_add(other.net),
            gross: self.gross.saturating_add(other.gross),
            priced: self.priced || other.priced,
            taxed: self.taxed || other.taxed,
            gross_lost: self.gross_lost || other.gross_lost,
        }
    }

    /// In money.
    pub(crate) fn amount(&self) -> Amount {
        let money = |sum: Decimal| sum.checked_div(HOUR).unwrap_or_default();
        let gross = if self.taxed { self.gross } else { self.net };
        Amount { net: money(self.net), gross: (!self.gross_lost).then(|| money(gross)) }
    }
}

/// Everything, within the bounds of each tariff for what was priced by it.
pub(super) fn total(tariffs: &[Tariff], bill: &Bill<'_>, rules: Rules) -> Sum {
    let one = tariffs.len() == 1 || rules.foreign(Question::OneTariff);
    let each = tariffs.iter().enumerate().map(|(at, tariff)| {
        let own = Sum::of(bill.lines().filter(|part| part.tariff == at));
        // A tariff that never applied bounds nothing, but for the only one.
        let applies = own.priced || (one && at == 0 && !rules.foreign(Question::BoundOfNothing));
        if applies { bounded(tariff, own, rules) } else { own }
    });
    each.fold(Sum::default(), Sum::plus)
}

/// Brings a total between the tariff's bounds.
fn bounded(tariff: &Tariff, mut total: Sum, rules: Rules) -> Sum {
    if let Some(bound) = &tariff.min_price {
        total = brought(total, bound, true, rules);
    }
    if let Some(bound) = &tariff.max_price {
        total = brought(total, bound, false, rules);
    }
    total
}

fn brought(total: Sum, bound: &Price, least: bool, rules: Rules) -> Sum {
    let amount = |money: Money| money.decimal().saturating_mul(HOUR);
    let wrong = |value: Decimal, bound: Decimal| if least { value < bound } else { value > bound };
    let net = amount(bound.excl_vat);
    let by_net = if wrong(total.net, net) { net.saturating_sub(total.net) } else { Decimal::ZERO };
    let mut next = Sum { net: total.net.saturating_add(by_net), ..total };
    let binds = !by_net.is_zero();
    // A maximum after VAT says nothing where no VAT applies.
    let counts = least || total.taxed;
    let whole_bound = if counts { Question::BoundByNet } else { Question::BoundOfUntaxed };
    match bound.incl_vat.map(amount) {
        Some(gross) if rules.foreign(whole_bound) => {
            if binds {
                next = Sum { gross, taxed: true, gross_lost: false, ..next };
            }
        }
        Some(gross) if counts => {
            if wrong(total.gross, gross) {
                next.gross = gross;
            }
            next.taxed |= next.gross.saturating_sub(total.gross) != by_net;
        }
        None if rules.foreign(Question::BoundWithoutGross) && binds => next.gross_lost = true,
        _ => next.gross = next.gross.saturating_add(by_net),
    }
    next
}
