//! What something costs, in lines that add up: before tax, tax, after tax.

use crate::domain::cdr::Cdr;
use crate::domain::tariff::Price;
use crate::pricing::Cost;
use rust_decimal::Decimal;

/// An amount before and after tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taxed {
    /// Before tax.
    pub net: Decimal,
    /// Tax; none where no tax applies, or none is told.
    pub tax: Option<Decimal>,
    /// After tax.
    pub gross: Decimal,
}

impl Taxed {
    const ZERO: Self = Self { net: Decimal::ZERO, tax: None, gross: Decimal::ZERO };

    /// Of a price (OCPI 2.2.1 types, "Price").
    #[must_use]
    pub fn of(price: &Price) -> Option<Self> {
        let net = price.excl_vat.decimal();
        let gross = price.incl_vat.map_or(net, |gross| gross.decimal());
        let tax = price.incl_vat.map(|gross| gross.decimal().checked_sub(net));
        Some(Self {
            net,
            tax: match tax {
                Some(tax) => Some(tax?),
                None => None,
            },
            gross,
        })
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        let tax = match (self.tax, other.tax) {
            (None, None) => None,
            (one, two) => Some(one.unwrap_or_default().checked_add(two.unwrap_or_default())?),
        };
        Some(Self { net: self.net.checked_add(other.net)?, tax, gross: self.gross.checked_add(other.gross)? })
    }

    /// The same with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        let other = |mut amount: Decimal| {
            amount.set_sign_negative(amount.is_sign_positive() && !amount.is_zero());
            amount
        };
        Self { net: other(self.net), tax: self.tax.map(other), gross: other(self.gross) }
    }

    fn is_zero(self) -> bool {
        self.net.is_zero() && self.gross.is_zero()
    }
}

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Once per charge.
    Fixed,
    /// Energy.
    Energy,
    /// Charging time.
    Time,
    /// Parking time.
    Parking,
    /// The reservation.
    Reservation,
    /// What is missing to the total: rounding, a least or a most price, or what the CPO did not split.
    Other,
}

impl LineKind {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "FIXED",
            Self::Energy => "ENERGY",
            Self::Time => "TIME",
            Self::Parking => "PARKING",
            Self::Reservation => "RESERVATION",
            Self::Other => "OTHER",
        }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// What for.
    pub kind: LineKind,
    /// How much.
    pub amount: Taxed,
}

/// What something costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// ISO 4217.
    pub currency: String,
    /// The lines; together they are the total.
    pub lines: Vec<BillLine>,
    /// Everything.
    pub total: Taxed,
}

impl Bill {
    /// Of a CDR, as it states it. The parts of a credit CDR stand in it as they were in the one that it takes back,
    /// and only its total is negative (OCPI 2.2.1 mod_cdrs, "Credit CDRs"): here they are, too. Nothing where amounts
    /// leave their range.
    #[must_use]
    pub fn of_cdr(cdr: &Cdr) -> Option<Self> {
        let parts = [
            (LineKind::Fixed, cdr.total_fixed_cost.as_ref()),
            (LineKind::Energy, cdr.total_energy_cost.as_ref()),
            (LineKind::Time, cdr.total_time_cost.as_ref()),
            (LineKind::Parking, cdr.total_parking_cost.as_ref()),
            (LineKind::Reservation, cdr.total_reservation_cost.as_ref()),
        ];
        Self::of_parts(&cdr.currency, &cdr.total_cost, parts, cdr.credit.unwrap_or(false))
    }

    /// Of a cost that was computed. Nothing where amounts leave their range.
    #[must_use]
    pub fn of_cost(currency: &str, cost: &Cost) -> Option<Self> {
        let parts = [
            (LineKind::Fixed, cost.fixed.as_ref()),
            (LineKind::Energy, cost.energy.as_ref()),
            (LineKind::Time, cost.time.as_ref()),
            (LineKind::Parking, cost.parking.as_ref()),
            (LineKind::Reservation, cost.reservation.as_ref()),
        ];
        Self::of_parts(currency, &cost.total, parts, false)
    }

    fn of_parts<'p>(
        currency: &str,
        total: &Price,
        parts: impl IntoIterator<Item = (LineKind, Option<&'p Price>)>,
        credit: bool,
    ) -> Option<Self> {
        let total = Taxed::of(total)?;
        let mut lines = Vec::new();
        let mut sum = Taxed::ZERO;
        for (kind, price) in parts {
            let Some(price) = price else { continue };
            let amount = Taxed::of(price)?;
            let positive = amount.net.is_sign_positive() && !amount.net.is_zero();
            let amount = if credit && positive { amount.negated() } else { amount };
            sum = sum.plus(amount)?;
            lines.push(BillLine { kind, amount });
        }
        let rest = total.plus(sum.negated())?;
        if !rest.is_zero() {
            lines.push(BillLine { kind: LineKind::Other, amount: rest });
        }
        Some(Self { currency: currency.to_owned(), lines, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Extra;

    fn price(excl: &str, incl: Option<&str>) -> Price {
        Price {
            excl_vat: excl.parse().unwrap(),
            incl_vat: incl.map(|incl| incl.parse().unwrap()),
            extra: Extra::new(),
        }
    }

    #[test]
    fn lines_add_up_to_the_total() {
        let (energy, fixed) = (price("10.00", Some("11.90")), price("0.50", Some("0.60")));
        let total = price("8.00", Some("9.52"));
        let parts =
            [(LineKind::Fixed, Some(&fixed)), (LineKind::Energy, Some(&energy)), (LineKind::Time, None)];
        let bill = Bill::of_parts("EUR", &total, parts, false).unwrap();
        let shown: Vec<String> = bill
            .lines
            .iter()
            .map(|line| format!("{} {} {}", line.kind.as_str(), line.amount.net, line.amount.gross))
            .collect();
        assert_eq!(shown, ["FIXED 0.50 0.60", "ENERGY 10.00 11.90", "OTHER -2.50 -2.98"]);
        assert_eq!(bill.total.tax, Some("1.52".parse().unwrap()));
    }

    #[test]
    fn the_lines_of_a_credit_are_negative_and_without_tax_there_is_none() {
        let energy = price("10.00", None);
        let total = price("-10.00", None);
        let bill = Bill::of_parts("EUR", &total, [(LineKind::Energy, Some(&energy))], true).unwrap();
        assert_eq!(bill.lines.len(), 1);
        assert_eq!(bill.lines[0].amount, Taxed::of(&total).unwrap());
        assert_eq!(bill.total.tax, None);
    }
}
