//! Whether a tariff of ours can be sold by: what in it has no effect on the price, and what may not be in it.

use super::{Finding, PricingPolicy, Tariffs};
use crate::domain::Money;
use crate::domain::tariff::{Price, Tariff};

/// The most decimals of a price in a tariff of ours (OCPI 2.2.1 types, "number": at most four).
pub const MOST_DECIMALS: u32 = 4;

/// What in a tariff does not price as its author may think: it is kept, and has no effect.
#[must_use]
pub fn pricing_warnings(tariff: &Tariff) -> Vec<Finding> {
    let mut found = match Tariffs::new([tariff], PricingPolicy::default()) {
        Ok(ready) => ready.warnings(),
        Err(error) => vec![Finding::new("$", error.to_string())],
    };
    for limit in ["min_price", "max_price"] {
        if let Some(value) = tariff.extra.get(limit) {
            found.push(Finding::new(
                format!("$.{limit}"),
                format!("{value} is no object with excl_vat: kept as it came, it limits nothing"),
            ));
        }
    }
    found
}

/// The prices of a tariff that have more decimals than one of ours may have.
#[must_use]
pub fn too_fine(tariff: &Tariff) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut look = |path: String, amount: Money| {
        if amount.decimal().normalize().scale() > MOST_DECIMALS {
            let reason = format!("{amount} has more than four decimals; round it to four");
            found.push(Finding::new(path, reason));
        }
    };
    for (element, at) in tariff.elements.iter().zip(0usize..) {
        for (component, index) in element.price_components.iter().zip(0usize..) {
            look(format!("$.elements[{at}].price_components[{index}].price"), component.price);
        }
    }
    for (name, limit) in [("min_price", &tariff.min_price), ("max_price", &tariff.max_price)] {
        let Some(Price { excl_vat, incl_vat, extra: _ }) = limit else { continue };
        look(format!("$.{name}.excl_vat"), *excl_vat);
        if let Some(incl_vat) = incl_vat {
            look(format!("$.{name}.incl_vat"), *incl_vat);
        }
    }
    found
}
