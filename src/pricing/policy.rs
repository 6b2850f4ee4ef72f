//! How published amounts are rounded. OCPI leaves it to law and contracts (2.2.1 mod_tariffs, "Tariff Object",
//! the note on rounding), so it is a policy that is stored with each CDR.

use super::exact::MAX_SCALE;
use serde::{Deserialize, Serialize};

/// Which neighbour is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    pub(super) fn divide(self, numerator: i128, denominator: i128) -> Option<i128> {
        let quotient = numerator.checked_div(denominator)?;
        let rest = numerator.checked_rem(denominator)?.unsigned_abs();
        let other_half = denominator.unsigned_abs() - rest;
        let away = match self {
            Self::HalfUp => rest >= other_half,
            Self::HalfEven => rest > other_half || (rest == other_half && quotient % 2 != 0),
            Self::Down => false,
        };
        if away { quotient.checked_add(numerator.signum()) } else { Some(quotient) }
    }
}

/// How the amounts of a session and a CDR are published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct PricingPolicy {
    /// Which neighbour is taken.
    pub rounding: Rounding,
    /// Decimals; missing means those of the currency's minor unit. More than 12 count as 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
}

impl PricingPolicy {
    /// Decimals of amounts in `currency`.
    #[must_use]
    pub fn decimals(&self, currency: &str) -> u32 {
        self.decimals.map_or_else(|| minor_units(currency), u32::from).min(MAX_SCALE)
    }
}

/// Decimals of a currency (ISO 4217, "minor unit"); 2 for those that are not listed here, whatever their case.
#[must_use]
pub fn minor_units(currency: &str) -> u32 {
    match currency.to_ascii_uppercase().as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_where_the_policy_says() {
        let all = |n, d| {
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
        assert_eq!(serde_json::to_string(&policy).unwrap(), r#"{"rounding":"half_up"}"#);
        assert_eq!(serde_json::from_str::<PricingPolicy>("{}").unwrap(), policy);
    }
}
