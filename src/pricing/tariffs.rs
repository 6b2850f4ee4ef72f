//! Tariffs made ready for pricing, once, so that each meter value costs next to nothing.

use super::exact::Parts;
use super::select::{ComponentRef, Rules};
use super::{Finding, PricingError, PricingPolicy};
use crate::domain::tariff::{
    Price, PriceComponent, ReservationRestriction, Tariff, TariffDimension, TariffElement, TaxIncluded,
};
use crate::domain::{CiString, Money, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Which tariff a charge began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TariffKey {
    pub(super) id: CiString,
    pub(super) last_updated: Timestamp,
}

impl std::fmt::Display for TariffKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tariff {} of {}", self.id, self.last_updated)
    }
}

/// A price component, made ready for computing.
#[derive(Debug, Clone)]
pub(super) struct PreparedComponent {
    /// Where it stands.
    pub(super) at: ComponentRef,
    pub(super) price: Money,
    pub(super) parts: Parts,
    /// Percent.
    pub(super) vat: Option<Decimal>,
    /// What a net amount is multiplied with.
    pub(super) tax: Option<Parts>,
    /// Wh or seconds; at least 1.
    pub(super) step: u32,
}

/// A component that is active where some rules hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// Index of the element's rules.
    pub(super) rules: u16,
    /// Index among the components.
    pub(super) component: u16,
}

/// Components by what they price, in the order of the elements.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates {
    pub(super) energy: Vec<Candidate>,
    pub(super) time: Vec<Candidate>,
    pub(super) parking: Vec<Candidate>,
    pub(super) flat: Vec<Candidate>,
    pub(super) reservation_time: Vec<Candidate>,
    pub(super) reservation_flat: Vec<Candidate>,
    pub(super) expired_time: Vec<Candidate>,
    pub(super) expired_flat: Vec<Candidate>,
}

impl Candidates {
    /// Where a component of an element belongs; none where it cannot price anything.
    fn list(
        &mut self,
        dimension: &TariffDimension,
        reservation: Option<&ReservationRestriction>,
    ) -> Option<&mut Vec<Candidate>> {
        use ReservationRestriction::{Other, Reservation, ReservationExpires};
        Some(match (dimension, reservation) {
            (TariffDimension::Energy, None) => &mut self.energy,
            (TariffDimension::Time, None) => &mut self.time,
            (TariffDimension::ParkingTime, None) => &mut self.parking,
            (TariffDimension::Flat, None) => &mut self.flat,
            (TariffDimension::Time, Some(Reservation)) => &mut self.reservation_time,
            (TariffDimension::Flat, Some(Reservation)) => &mut self.reservation_flat,
            (TariffDimension::Time, Some(ReservationExpires)) => &mut self.expired_time,
            (TariffDimension::Flat, Some(ReservationExpires)) => &mut self.expired_flat,
            (TariffDimension::Other(_), _)
            | (
                TariffDimension::Energy | TariffDimension::ParkingTime,
                Some(Reservation | ReservationExpires),
            )
            | (_, Some(Other(_))) => return None,
        })
    }
}

/// A tariff, made ready for pricing.
#[derive(Debug, Clone)]
pub(super) struct PreparedTariff {
    pub(super) key: TariffKey,
    pub(super) currency: String,
    pub(super) min_price: Option<Price>,
    pub(super) max_price: Option<Price>,
    /// Prices include the tax.
    pub(super) gross: bool,
    /// No tax is applicable.
    untaxed: bool,
    rules: Vec<Rules>,
    pub(super) components: Vec<PreparedComponent>,
    pub(super) candidates: Candidates,
    /// Minutes of the day at which something may change; empty where the clock does not matter.
    pub(super) minutes: Vec<u16>,
    /// The edges of restrictions on energy, power and current, in parts, and on the duration in milliseconds.
    pub(super) energies: Vec<i128>,
    pub(super) powers: Vec<i128>,
    pub(super) currents: Vec<i128>,
    pub(super) durations: Vec<i64>,
    /// What has no effect.
    warnings: Vec<Finding>,
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

impl PreparedTariff {
    fn of(tariff: &Tariff, policy: &PricingPolicy) -> Result<Self, PricingError> {
        let mut prepared = Self {
            key: TariffKey { id: tariff.id.clone(), last_updated: tariff.last_updated },
            currency: tariff.currency.clone(),
            min_price: tariff.min_price.clone(),
            max_price: tariff.max_price.clone(),
            gross: tariff.tax_included == Some(TaxIncluded::Yes),
            untaxed: tariff.tax_included == Some(TaxIncluded::NotApplicable),
            rules: Vec::new(),
            components: Vec::new(),
            candidates: Candidates::default(),
            minutes: Vec::new(),
            energies: Vec::new(),
            powers: Vec::new(),
            currents: Vec::new(),
            durations: Vec::new(),
            warnings: Vec::new(),
        };
        for (at, element) in tariff.elements.iter().enumerate() {
            prepared.add(at, element, policy)?;
        }
        prepared.find_edges();
        Ok(prepared)
    }

    fn add(
        &mut self,
        at: usize,
        element: &TariffElement,
        policy: &PricingPolicy,
    ) -> Result<(), PricingError> {
        let (rules, problems) = Rules::of(element.restrictions.as_ref(), policy.wrapped_days);
        for (field, reason) in problems {
            self.warnings.push(Finding::new(format!("$.elements[{at}].restrictions.{field}"), reason));
        }
        let place = u16::try_from(self.rules.len()).map_err(|_| TOO_MANY)?;
        for (component, price) in element.price_components.iter().enumerate() {
            self.add_component(ComponentRef { element: at, component }, price, place, &rules)?;
        }
        self.rules.push(rules);
        Ok(())
    }

    fn add_component(
        &mut self,
        at: ComponentRef,
        price: &PriceComponent,
        rules_at: u16,
        rules: &Rules,
    ) -> Result<(), PricingError> {
        let component = u16::try_from(self.components.len()).map_err(|_| TOO_MANY)?;
        match self.candidates.list(&price.dimension, rules.reservation.as_ref()) {
            Some(list) => list.push(Candidate { rules: rules_at, component }),
            None => {
                let reason = match &price.dimension {
                    TariffDimension::Other(word) => {
                        format!("the dimension {word} is not known: it is not priced")
                    }
                    known => format!("{known} cannot price a reservation: it is not priced"),
                };
                self.warnings.push(Finding::new(format!("{}.type", at.path()), reason));
            }
        }
        let vat = price.vat.filter(|_| !self.untaxed);
        if vat != price.vat {
            let reason = "the tariff says that no taxes are applicable (tax_included N/A): it is not charged";
            self.warnings.push(Finding::new(format!("{}.vat", at.path()), reason));
        }
        self.components.push(PreparedComponent {
            at,
            price: price.price,
            parts: Parts::of(price.price.decimal()),
            vat,
            tax: vat.map(Parts::with_tax).transpose()?,
            step: price.step_size.max(1),
        });
        Ok(())
    }

    fn find_edges(&mut self) {
        if self.rules.iter().any(Rules::look_at_the_clock) {
            // Dates and days change at midnight.
            self.minutes = sorted(self.rules.iter().flat_map(Rules::minutes).chain([0]).collect());
        }
        self.energies = sorted(self.rules.iter().flat_map(Rules::energies).collect());
        self.powers = sorted(self.rules.iter().flat_map(Rules::powers).collect());
        self.currents = sorted(self.rules.iter().flat_map(Rules::currents).collect());
        self.durations = sorted(self.rules.iter().flat_map(Rules::durations).collect());
    }

    pub(super) fn component(&self, at: u16) -> Option<&PreparedComponent> {
        self.components.get(usize::from(at))
    }

    /// The rules of an element.
    pub(super) fn rules(&self, at: u16) -> &Rules {
        static NONE: std::sync::LazyLock<Rules> =
            std::sync::LazyLock::new(|| Rules::of(None, super::policy::WrappedDays::default()).0);
        self.rules.get(usize::from(at)).unwrap_or(&NONE)
    }
}

const TOO_MANY: PricingError = PricingError::TooLarge { what: "the number of a tariff's price components" };

/// The tariffs by which a charge is priced, made ready, with the policy for what OCPI leaves open. No tariff at all
/// means that the charge is free.
#[derive(Debug, Clone)]
pub struct Tariffs {
    pub(super) list: Vec<PreparedTariff>,
    pub(super) policy: PricingPolicy,
    /// Of published amounts.
    pub(super) decimals: u32,
}

impl Default for Tariffs {
    fn default() -> Self {
        let policy = PricingPolicy::default();
        Self { list: Vec::new(), policy, decimals: policy.decimals("") }
    }
}

impl Tariffs {
    /// Makes tariffs ready. What in them has no effect is a [warning](Self::warnings); an element with restrictions
    /// that cannot be read never applies.
    ///
    /// # Errors
    /// When a number is beyond what this system computes with.
    pub fn new<'a>(
        tariffs: impl IntoIterator<Item = &'a Tariff>,
        policy: PricingPolicy,
    ) -> Result<Self, PricingError> {
        let list: Vec<PreparedTariff> = tariffs
            .into_iter()
            .map(|tariff| PreparedTariff::of(tariff, &policy))
            .collect::<Result<_, _>>()?;
        let currency = list.first().map_or("", |tariff| tariff.currency.as_str());
        Ok(Self { decimals: policy.decimals(currency), list, policy })
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &PricingPolicy {
        &self.policy
    }

    /// What in the tariffs has no effect on the cost though it may have to. Paths begin at the tariff, and with
    /// several tariffs at their list: `$.tariffs[1].elements[0]…`.
    #[must_use]
    pub fn warnings(&self) -> Vec<Finding> {
        let several = self.list.len() > 1;
        let mut found = Vec::new();
        for (at, tariff) in self.list.iter().enumerate() {
            for finding in &tariff.warnings {
                let path = match finding.path.strip_prefix('$') {
                    Some(rest) if several => format!("$.tariffs[{at}]{rest}"),
                    _ => finding.path.clone(),
                };
                found.push(Finding { path, reason: finding.reason.clone() });
            }
        }
        found
    }

    /// Whether the local time matters to any of them.
    #[must_use]
    pub fn look_at_the_clock(&self) -> bool {
        self.list.iter().any(|tariff| !tariff.minutes.is_empty())
    }

    pub(super) fn get(&self, at: u16) -> Option<&PreparedTariff> {
        self.list.get(usize::from(at))
    }

    pub(super) fn component(&self, slot: super::select::Slot) -> Option<&PreparedComponent> {
        self.get(slot.tariff)?.component(slot.component)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &TariffKey> {
        self.list.iter().map(|tariff| &tariff.key)
    }
}
