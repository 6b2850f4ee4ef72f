//! How published amounts are rounded. OCPI leaves it to law and contracts (2.2.1 mod_tariffs, "Tariff Object",
//! the note on rounding), so it is a policy that is stored with each CDR.

use super::exact::MAX_SCALE;
use super::whole::Whole;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which neighbour is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// The nearest; from the middle away from zero, so that a credit is exactly the negative of its charge.
    #[default]
    HalfUp,
    /// The nearest; from the middle to the even one.
    HalfEven,
    /// The one nearer to zero: in the driver's favour.
    Down,
}

impl Rounding {
    /// The quotient as a whole number; `denominator` must be positive. `None` where it does not fit.
    #[inline]
    pub(super) fn divide<N: Whole>(self, numerator: N, denominator: N) -> Option<N> {
        let (quotient, rest) = numerator.divided(denominator)?;
        let negative = numerator < N::ZERO;
        let rest = if negative { rest.negated()? } else { rest };
        let other_half = denominator.plus(rest.negated()?)?;
        let away = match self {
            Self::HalfUp => rest >= other_half,
            Self::HalfEven => rest > other_half || (rest == other_half && quotient.wide() % 2 != 0),
            Self::Down => false,
        };
        if away { quotient.plus(N::of(if negative { -1 } else { 1 })?) } else { Some(quotient) }
    }
}

/// Which day counts for an element that has both days of the week and a time window over midnight. OCPI does not
/// say (2.2.1 mod_tariffs, "TariffRestrictions class").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WrappedDays {
    /// The day on which the window began: "Friday 22:00 to 06:00" ends on Saturday morning.
    #[default]
    WindowStart,
    /// The day that it is: "Friday 22:00 to 06:00" is Friday before 06:00 and from 22:00 on.
    Calendar,
}

/// How a charge is priced where OCPI leaves it open. It is stored with each CDR, so that the CDR can be explained
/// and priced again later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PricingPolicy {
    /// Which neighbour is taken.
    pub rounding: Rounding,
    /// Decimals; missing means those of the currency's minor unit. More than 12 count as 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Days of the week with time windows over midnight.
    pub wrapped_days: WrappedDays,
}

impl PricingPolicy {
    /// Decimals of amounts in `currency`.
    #[must_use]
    pub fn decimals(&self, currency: &str) -> u32 {
        self.decimals.map_or_else(|| minor_units(currency), u32::from).min(MAX_SCALE)
    }
}

/// Decimals of a currency (ISO 4217, "minor unit"); 2 for those that the standard does not list or gives none,
/// whatever their case.
#[must_use]
pub fn minor_units(currency: &str) -> u32 {
    let known = iso_currency::Currency::from_code(&currency.to_ascii_uppercase());
    known.and_then(iso_currency::Currency::exponent).map_or(2, u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_where_the_policy_says() {
        let all = |n: i64, d| {
            [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down].map(|mode| mode.divide(n, d).unwrap())
        };
        assert_eq!(all(5, 2), [3, 2, 2]);
        assert_eq!(all(7, 2), [4, 4, 3]);
        assert_eq!(all(-5, 2), [-3, -2, -2]);
        assert_eq!(all(8, 3), [3, 3, 2]);
        assert_eq!(all(7, 3), [2, 2, 2]);
        assert_eq!(all(-6, 3), [-2, -2, -2]);
    }

    #[test]
    fn decimals_are_those_of_the_currency_unless_the_policy_says_others() {
        let policy = PricingPolicy::default();
        let found: Vec<u32> = ["EUR", "jpy", "KWD", "CLF", "???"].map(|c| policy.decimals(c)).into();
        assert_eq!(found, [2, 0, 3, 4, 2]);
        let four = PricingPolicy { decimals: Some(4), ..policy };
        assert_eq!(four.decimals("JPY"), 4);
        assert_eq!(
            serde_json::to_string(&policy).unwrap(),
            r#"{"rounding":"half_up","wrapped_days":"window_start"}"#
        );
        assert_eq!(serde_json::from_str::<PricingPolicy>("{}").unwrap(), policy);
    }
}
