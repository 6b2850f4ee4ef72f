//! What a kWh costs, in two numbers: for lists and filters, where a sentence is too long.

use super::Language;
use super::amounts::Taxed;
use crate::domain::tariff::Tariff;
use crate::pricing::rates::{Rate, Use, rates};
use rust_decimal::Decimal;

/// What a kWh costs by a tariff, with VAT where it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnergyPrice {
    /// ISO 4217.
    pub currency: String,
    /// When it costs least.
    pub least: Decimal,
    /// When it costs most.
    pub most: Decimal,
}

impl EnergyPrice {
    /// `€0.49/kWh`, or from the least to the most.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        let amount = |amount| language.amount(&self.currency, amount);
        if self.least == self.most {
            format!("{}/kWh", amount(self.most))
        } else {
            format!("{} – {}/kWh", amount(self.least), amount(self.most))
        }
    }
}

/// What a kWh costs by a tariff (OCPI 2.2.1 mod_tariffs, "PriceComponent"). Nothing where energy has no price and
/// something else has: what a kWh then costs depends on how long it takes.
#[must_use]
pub fn energy_price(tariff: &Tariff) -> Option<EnergyPrice> {
    let all = rates(tariff, Use::Energy);
    let applying: Vec<&Rate<'_>> = all.iter().filter(|rate| rate.applies()).collect();
    let amounts: Vec<Decimal> =
        applying.iter().map(|rate| Taxed::of(tariff, rate.component).shown().amount).collect();
    let (least, most) = match (amounts.iter().min(), amounts.iter().max()) {
        (Some(least), Some(most)) => (*least, *most),
        _ => {
            let others = [Use::Time, Use::Parking, Use::Flat];
            let paid = others.into_iter().any(|of| rates(tariff, of).iter().any(Rate::is_paid));
            if paid || tariff.min_price.is_some() {
                return None;
            }
            (Decimal::ZERO, Decimal::ZERO)
        }
    };
    // Where no component applies, energy costs nothing.
    let regions = applying.iter().map(|rate| &rate.region);
    let always = Use::Energy.everything().left_by(regions).is_empty();
    let least = if always { least } else { least.min(Decimal::ZERO) };
    Some(EnergyPrice { currency: tariff.currency.clone(), least, most })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::read::{self, OcpiVersion};
    use serde_json::{Value, json};

    fn price(elements: Value) -> Option<(String, String)> {
        let tariff = json!({
            "country_code": "DE", "party_id": "ABC", "id": "T", "currency": "EUR", "elements": elements,
            "last_updated": "2026-01-01T00:00:00Z",
        });
        let tariff = read::tariff(&tariff, OcpiVersion::default()).unwrap().value;
        energy_price(&tariff).map(|found| (found.least.to_string(), found.most.to_string()))
    }

    fn component(dimension: &str, price: f64) -> Value {
        json!({"type": dimension, "price": price, "vat": 19.0, "step_size": 1})
    }

    #[test]
    fn a_kwh_costs_what_the_components_that_apply_say() {
        let both = |least: &str, most: &str| Some((least.to_owned(), most.to_owned()));
        let energy = |price| json!([component("ENERGY", price)]);
        assert_eq!(price(json!([{"price_components": energy(0.40)}])), both("0.476", "0.476"));
        let night = json!({"start_time": "22:00", "end_time": "06:00"});
        let cheap_at_night = json!([{"price_components": energy(0.20), "restrictions": night}, {"price_components": energy(0.40)}]);
        assert_eq!(price(cheap_at_night), both("0.238", "0.476"));
        let only_at_night = json!([{"price_components": energy(0.20), "restrictions": night}]);
        assert_eq!(price(only_at_night), both("0", "0.238"));
        assert_eq!(price(json!([{"price_components": [component("TIME", 2.0)]}])), None);
        assert_eq!(price(json!([{"price_components": [component("FLAT", 0.0)]}])), both("0", "0"));
    }
}
