//! What a price is before and after VAT (OCPI 2.2.1 mod_tariffs, "PriceComponent"; 2.3.0, "TaxIncluded").

use crate::domain::tariff::{PriceComponent, Tariff, TaxIncluded};
use rust_decimal::Decimal;

/// Digits behind the point of an amount that does not end.
const DECIMALS: u32 = 4;

/// An amount that may be rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct About {
    pub(super) amount: Decimal,
    pub(super) exact: bool,
}

impl About {
    pub(super) fn exactly(amount: Decimal) -> Self {
        Self { amount, exact: true }
    }

    /// The quotient, rounded where it has more than six decimals.
    fn quotient(dividend: Decimal, divisor: Decimal) -> Option<Self> {
        let quotient = dividend.checked_div(divisor)?.normalize();
        let exact = quotient.scale() <= 6;
        Some(Self { amount: if exact { quotient } else { quotient.round_dp(DECIMALS) }, exact })
    }

    /// Of an hour's price, that of a minute.
    pub(super) fn per_minute(self) -> Self {
        let minute = Self::quotient(self.amount, Decimal::from(60)).unwrap_or(self);
        Self { exact: minute.exact && self.exact, ..minute }
    }
}

/// A price with what is known of its taxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taxed {
    /// Nothing is said of taxes, or none apply.
    Plain(Decimal),
    /// Taxes come on top, nobody says how much.
    PlusTaxes(Decimal),
    /// Taxes are in it, nobody says how much.
    WithTaxes(Decimal),
    /// VAT is known.
    Both { net: About, gross: About, vat: Decimal },
}

impl Taxed {
    /// A price component's.
    pub(super) fn of(tariff: &Tariff, component: &PriceComponent) -> Self {
        let price = component.price.decimal();
        let included = tariff.tax_included == Some(TaxIncluded::Yes);
        match (component.vat, included) {
            (Some(vat), true) => Self::gross(price, vat).unwrap_or(Self::WithTaxes(price)),
            (Some(vat), false) => Self::net(price, vat).unwrap_or(Self::PlusTaxes(price)),
            (None, true) => Self::WithTaxes(price),
            (None, false) if tariff.tax_included == Some(TaxIncluded::No) => Self::PlusTaxes(price),
            (None, false) => Self::Plain(price),
        }
    }

    fn net(price: Decimal, vat: Decimal) -> Option<Self> {
        let factor = Decimal::ONE.checked_add(vat.checked_div(Decimal::ONE_HUNDRED)?)?;
        let gross = About::exactly(price.checked_mul(factor)?.normalize());
        Some(Self::Both { net: About::exactly(price), gross, vat })
    }

    fn gross(price: Decimal, vat: Decimal) -> Option<Self> {
        let factor = Decimal::ONE.checked_add(vat.checked_div(Decimal::ONE_HUNDRED)?)?;
        let net = About::quotient(price, factor)?;
        Some(Self::Both { net, gross: About::exactly(price), vat })
    }

    /// What a driver pays, as far as it is known.
    pub(super) fn shown(self) -> About {
        match self {
            Self::Plain(price) | Self::PlusTaxes(price) | Self::WithTaxes(price) => About::exactly(price),
            Self::Both { gross, .. } => gross,
        }
    }

    pub(super) fn net_amount(self) -> Option<Decimal> {
        match self {
            Self::Plain(price) | Self::PlusTaxes(price) => Some(price),
            Self::WithTaxes(_) => None,
            Self::Both { net, .. } => Some(net.amount),
        }
    }

    pub(super) fn gross_amount(self) -> Option<Decimal> {
        match self {
            Self::Plain(_) | Self::PlusTaxes(_) => None,
            Self::WithTaxes(price) => Some(price),
            Self::Both { gross, .. } => Some(gross.amount),
        }
    }

    pub(super) fn vat(self) -> Option<Decimal> {
        match self {
            Self::Both { vat, .. } => Some(vat),
            Self::Plain(_) | Self::PlusTaxes(_) | Self::WithTaxes(_) => None,
        }
    }
}
