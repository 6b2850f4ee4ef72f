//! Which price component is active for each dimension: the first in the order of the tariff's elements whose
//! restrictions match (OCPI 2.2.1 mod_tariffs, "Tariff Object").
//!
//! Restrictions on time, energy, power, current, duration and days are not evaluated yet. An element that has
//! one is never taken as if it had none: it is passed over, and [`warnings`] names it, so that a CDR can still
//! be written and whoever reads it knows what is missing. An element for reservations never prices a charge,
//! which needs no warning.

use super::Finding;
use crate::domain::tariff::{PriceComponent, Tariff, TariffDimension, TariffElement, TariffRestrictions};
use serde::{Deserialize, Serialize};

/// The place of a price component in its tariff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ComponentRef {
    /// Index in `elements`.
    pub element: usize,
    /// Index in `price_components`.
    pub component: usize,
}

impl ComponentRef {
    /// What stands there.
    pub(super) fn of(self, tariff: &Tariff) -> Option<&PriceComponent> {
        tariff.elements.get(self.element)?.price_components.get(self.component)
    }

    /// JSON path from the tariff, for messages.
    #[must_use]
    pub fn path(self) -> String {
        format!("$.elements[{}].price_components[{}]", self.element, self.component)
    }
}

/// Whether an element prices a charge.
enum Applies {
    /// At any time.
    Always,
    /// Not a charge but a reservation.
    Never,
    /// Only sometimes, and this version cannot tell when.
    Unknown,
}

fn applies(element: &TariffElement) -> Applies {
    let Some(restrictions) = &element.restrictions else { return Applies::Always };
    // A list of no days is how some write that there is no restriction on days.
    let days = restrictions.day_of_week.as_ref().filter(|days| !days.is_empty());
    let none = TariffRestrictions { day_of_week: restrictions.day_of_week.clone(), ..Default::default() };
    match restrictions {
        restrictions if days.is_none() && *restrictions == none => Applies::Always,
        restrictions if restrictions.reservation.is_some() => Applies::Never,
        _ => Applies::Unknown,
    }
}

/// The component that is active for `dimension`; none means that it is free.
///
/// This is where restrictions come in: what they look at (local time, energy and duration so far, power) will be
/// a further argument, and [`super::running`] asks anew whenever that may have changed.
pub(super) fn active(tariff: &Tariff, dimension: &TariffDimension) -> Option<ComponentRef> {
    let usable = |element: &TariffElement| matches!(applies(element), Applies::Always);
    tariff.elements.iter().enumerate().filter(|(_, element)| usable(element)).find_map(|(at, element)| {
        let found = element.price_components.iter().position(|c| c.dimension == *dimension)?;
        Some(ComponentRef { element: at, component: found })
    })
}

/// What in the tariff had to be passed over: elements with restrictions, unless everything in them is priced by
/// an earlier element anyway, and components of an unknown dimension.
pub(super) fn warnings(tariff: &Tariff) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut settled: Vec<&TariffDimension> = Vec::new();
    for (at, element) in tariff.elements.iter().enumerate() {
        let kind = applies(element);
        if matches!(kind, Applies::Never) {
            continue;
        }
        for (component, price) in element.price_components.iter().enumerate() {
            if let TariffDimension::Other(word) = &price.dimension {
                found.push(Finding {
                    path: format!("{}.type", ComponentRef { element: at, component }.path()),
                    reason: format!("the dimension {word} is not known: it is not priced"),
                });
            }
        }
        let priced = |c: &&PriceComponent| c.dimension.is_known();
        if matches!(kind, Applies::Always) {
            settled.extend(element.price_components.iter().filter(priced).map(|c| &c.dimension));
        } else if element.price_components.iter().filter(priced).any(|c| !settled.contains(&&c.dimension)) {
            found.push(Finding {
                path: format!("$.elements[{at}].restrictions"),
                reason: "restrictions are not evaluated: the element is not priced".to_owned(),
            });
        }
    }
    found
}
