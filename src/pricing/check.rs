//! Whether a CDR costs what its own tariffs and periods make it cost (OCPI 2.2.1 mod_cdrs, "Push model": a CDR
//! tells enough to validate its total cost).
//!
//! Decided here, because the specification leaves it open:
//! - Rounding is not specified (mod_tariffs, "Tariff Object"), so a computed amount is rounded once, to as many
//!   decimals as the stated one has, and at least to those of the currency.
//! - A CDR without tariffs that costs nothing is free of charge; one that costs something cannot be priced.
//! - A part that a CDR leaves out (`total_energy_cost`, …) is not stated and not compared.
//! - `incl_vat` that is left out where the tariff has VAT is a warning; one that is stated where the tariff has no
//!   VAT is compared with the amount without.
//! - A credit CDR states the negative of its cost in `total_cost` alone ("Credit CDRs"); all else is compared as in
//!   the CDR that it takes back.

use super::policy::Rounding;
use super::{CdrToPrice, Cost, Finding, PricingError, PricingPolicy, StatedCharge, Tariffs, minor_units};
use crate::domain::cdr::Cdr;
use crate::domain::tariff::Price;
use crate::domain::{Kwh, Money};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// Decimals with which amounts are computed before they are compared; more than any CDR states.
const DECIMALS: u8 = 12;

/// How much a stated number may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Of an amount, in its currency.
    pub amount: Decimal,
    /// Of the energy, kWh.
    pub energy: Decimal,
    /// Of a time, hours.
    pub hours: Decimal,
}

impl Default for Tolerance {
    fn default() -> Self {
        let hundredth = Decimal::new(1, 2);
        Self { amount: hundredth, energy: hundredth, hours: hundredth }
    }
}

/// An amount as a CDR states it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatedPrice {
    /// Without VAT.
    pub excl_vat: Money,
    /// With VAT, where it is stated.
    pub incl_vat: Option<Money>,
}

impl From<&Price> for StatedPrice {
    fn from(price: &Price) -> Self {
        Self { excl_vat: price.excl_vat, incl_vat: price.incl_vat }
    }
}

/// What a CDR states of money, energy and time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatedTotals {
    /// ISO 4217.
    pub currency: String,
    /// Whether it takes back another CDR.
    pub credit: bool,
    /// `total_cost`.
    pub cost: StatedPrice,
    /// `total_fixed_cost`.
    pub fixed: Option<StatedPrice>,
    /// `total_energy_cost`.
    pub energy: Option<StatedPrice>,
    /// `total_time_cost`.
    pub time: Option<StatedPrice>,
    /// `total_parking_cost`.
    pub parking: Option<StatedPrice>,
    /// `total_reservation_cost`.
    pub reservation: Option<StatedPrice>,
    /// `total_energy`.
    pub total_energy: Kwh,
    /// `total_time`, hours.
    pub total_time: Decimal,
    /// `total_parking_time`, hours.
    pub total_parking_time: Option<Decimal>,
}

impl StatedTotals {
    /// What this CDR states.
    #[must_use]
    pub fn of(cdr: &Cdr) -> Self {
        let part = |price: &Option<Price>| price.as_ref().map(StatedPrice::from);
        Self {
            currency: cdr.currency.clone(),
            credit: cdr.credit == Some(true),
            cost: StatedPrice::from(&cdr.total_cost),
            fixed: part(&cdr.total_fixed_cost),
            energy: part(&cdr.total_energy_cost),
            time: part(&cdr.total_time_cost),
            parking: part(&cdr.total_parking_cost),
            reservation: part(&cdr.total_reservation_cost),
            total_energy: cdr.total_energy,
            total_time: cdr.total_time,
            total_parking_time: cdr.total_parking_time,
        }
    }
}

/// What came out of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckState {
    /// It costs what it says.
    Ok,
    /// Something differs by more than the tolerance.
    Differs,
    /// It cannot be priced; the warnings say why.
    Unpriceable,
}

impl CheckState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Differs, Self::Unpriceable];

    /// The word by which programs and the database know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Differs => "DIFFERS",
            Self::Unpriceable => "UNPRICEABLE",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A field of a CDR that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The field, e.g. `total_cost.excl_vat`.
    pub field: String,
    /// What the CDR states; missing where it states nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// What its tariffs and periods make, or what would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed: Option<String>,
    /// The stated minus the computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// Why it is not right, where the numbers do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Difference {
    /// A number that is stated otherwise than it should be.
    #[must_use]
    pub fn of_numbers(field: impl Into<String>, stated: Decimal, computed: Decimal) -> Self {
        Self {
            field: field.into(),
            stated: Some(stated.to_string()),
            computed: Some(computed.to_string()),
            difference: stated.checked_sub(computed).map(|by| by.to_string()),
            reason: None,
        }
    }

    /// Something that is wrong for a reason.
    #[must_use]
    pub fn because(field: impl Into<String>, stated: Option<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), stated, computed: None, difference: None, reason: Some(reason.into()) }
    }
}

/// A CDR that was priced again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What came out.
    pub state: CheckState,
    /// What differs.
    pub differences: Vec<Difference>,
    /// Why it cannot be priced, or what makes the computed price doubtful.
    pub warnings: Vec<Finding>,
}

impl Check {
    /// One that cannot be priced, and why.
    #[must_use]
    pub fn unpriceable(reasons: Vec<Finding>) -> Self {
        Self { state: CheckState::Unpriceable, differences: Vec::new(), warnings: reasons }
    }

    /// With what else is not as it should be.
    #[must_use]
    pub fn with(mut self, found: Vec<Difference>) -> Self {
        if !found.is_empty() && self.state == CheckState::Ok {
            self.state = CheckState::Differs;
        }
        self.differences.extend(found);
        self
    }
}

/// The policy by which a CDR is priced for a check: exactly, since what it states says how far it was rounded.
#[must_use]
pub fn policy_for_checks(policy: PricingPolicy) -> PricingPolicy {
    PricingPolicy { decimals: Some(DECIMALS), ..policy }
}

/// Prices a CDR again and compares. `zone` of the CDR is only known to be right where `zone_known`; `ready` are its
/// tariffs made ready with [`policy_for_checks`].
#[must_use]
pub fn check_cdr(
    cdr: &CdrToPrice<'_>,
    zone_known: bool,
    ready: &Tariffs,
    totals: &StatedTotals,
    tolerance: &Tolerance,
) -> Check {
    let reasons = cannot_be_priced(cdr, totals);
    if !reasons.is_empty() {
        return Check::unpriceable(reasons);
    }
    let priced = StatedCharge::new(cdr).and_then(|charge| Ok((charge.cost(ready)?, charge)));
    let (cost, charge) = match priced {
        Ok(priced) => priced,
        Err(error) => return Check::unpriceable(vec![finding_of(error)]),
    };
    let mut comparison = Comparison {
        differences: Vec::new(),
        warnings: charge.warnings(ready),
        tolerance,
        least_decimals: minor_units(&totals.currency),
        rounding: ready.policy().rounding,
    };
    comparison.totals(totals, &cost);
    let Comparison { differences, mut warnings, .. } = comparison;
    warnings.splice(0..0, cost.warnings);
    if !zone_known && ready.look_at_the_clock() {
        let reason = "the tariff looks at the local time, and the location's zone is not known: UTC is taken";
        warnings.push(Finding::new("$.cdr_location", reason));
    }
    let state = if differences.is_empty() { CheckState::Ok } else { CheckState::Differs };
    Check { state, differences, warnings }
}

/// As [`check_cdr`], for a whole CDR whose tariffs are not ready yet.
#[must_use]
pub fn check_whole(
    cdr: &Cdr,
    zone: Option<chrono_tz::Tz>,
    policy: PricingPolicy,
    tolerance: &Tolerance,
) -> Check {
    let ready = match Tariffs::new(&cdr.tariffs, policy_for_checks(policy)) {
        Ok(ready) => ready,
        Err(error) => return Check::unpriceable(vec![finding_of(error)]),
    };
    let to_price = CdrToPrice {
        start: cdr.start_date_time,
        end: cdr.end_date_time,
        zone: zone.unwrap_or(chrono_tz::UTC),
        tariffs: &cdr.tariffs,
        periods: &cdr.charging_periods,
    };
    check_cdr(&to_price, zone.is_some(), &ready, &StatedTotals::of(cdr), tolerance)
}

/// An error of pricing as a finding.
#[must_use]
pub fn finding_of(error: PricingError) -> Finding {
    match error {
        PricingError::Document(finding) => finding,
        other => Finding::new("$", other.to_string()),
    }
}

fn cannot_be_priced(cdr: &CdrToPrice<'_>, totals: &StatedTotals) -> Vec<Finding> {
    let mut reasons = Vec::new();
    let costs_nothing = totals.cost.excl_vat.is_zero() && totals.cost.incl_vat.is_none_or(Money::is_zero);
    if cdr.tariffs.is_empty() && !costs_nothing {
        reasons.push(Finding::new("$.tariffs", "there is no tariff to price it with"));
    }
    if cdr.periods.is_empty() {
        reasons.push(Finding::new("$.charging_periods", "there is no period to price"));
    }
    if cdr.end < cdr.start {
        let reason = format!("is {}, before the start {}", cdr.end, cdr.start);
        reasons.push(Finding::new("$.end_date_time", reason));
    }
    for (at, tariff) in cdr.tariffs.iter().enumerate() {
        if !tariff.currency.eq_ignore_ascii_case(&totals.currency) {
            let reason = format!("is {}, and the CDR is in {}", tariff.currency, totals.currency);
            reasons.push(Finding::new(format!("$.tariffs[{at}].currency"), reason));
        }
    }
    reasons
}

/// Two sides that are being compared.
struct Comparison<'a> {
    differences: Vec<Difference>,
    warnings: Vec<Finding>,
    tolerance: &'a Tolerance,
    least_decimals: u32,
    rounding: Rounding,
}

impl Comparison<'_> {
    fn totals(&mut self, stated: &StatedTotals, cost: &Cost) {
        let StatedTotals {
            currency: _,
            credit,
            cost: total,
            fixed,
            energy,
            time,
            parking,
            reservation,
            total_energy,
            total_time,
            total_parking_time,
        } = stated;
        self.total_cost(*total, &cost.total, *credit);
        for (field, stated, computed) in [
            ("total_fixed_cost", fixed, &cost.fixed),
            ("total_energy_cost", energy, &cost.energy),
            ("total_time_cost", time, &cost.time),
            ("total_parking_cost", parking, &cost.parking),
            ("total_reservation_cost", reservation, &cost.reservation),
        ] {
            if let Some(stated) = stated {
                self.price(field, *stated, amounts(computed.as_ref()));
            }
        }
        let Tolerance { amount: _, energy, hours } = *self.tolerance;
        self.number("total_energy", total_energy.decimal(), cost.total_energy.decimal(), energy);
        self.number("total_time", *total_time, cost.total_time, hours);
        if let Some(parked) = total_parking_time {
            self.number("total_parking_time", *parked, cost.total_parking_time, hours);
        }
    }

    fn total_cost(&mut self, stated: StatedPrice, computed: &Price, credit: bool) {
        let (excl, incl) = amounts(Some(computed));
        let sign = |amount: Decimal| if credit { -amount } else { amount };
        self.price("total_cost", stated, (sign(excl), sign(incl)));
        if stated.incl_vat.is_none() && computed.incl_vat.is_some() && excl != incl {
            let reason = "is missing, though the tariff has VAT: only the amount without was compared";
            self.warnings.push(Finding::new("$.total_cost.incl_vat", reason));
        }
    }

    fn price(&mut self, field: &str, stated: StatedPrice, (excl, incl): (Decimal, Decimal)) {
        self.amount(field, "excl_vat", stated.excl_vat.decimal(), excl);
        if let Some(with_vat) = stated.incl_vat {
            self.amount(field, "incl_vat", with_vat.decimal(), incl);
        }
    }

    fn amount(&mut self, field: &str, part: &str, stated: Decimal, computed: Decimal) {
        let strategy = match self.rounding {
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::Down => RoundingStrategy::ToZero,
        };
        let decimals = stated.scale().max(self.least_decimals);
        let computed = computed.round_dp_with_strategy(decimals, strategy);
        if is_off(stated, computed, self.tolerance.amount) {
            self.differences.push(Difference::of_numbers(format!("{field}.{part}"), stated, computed));
        }
    }

    fn number(&mut self, field: &str, stated: Decimal, computed: Decimal, tolerance: Decimal) {
        if is_off(stated, computed, tolerance) {
            self.differences.push(Difference::of_numbers(field, stated, computed));
        }
    }
}

fn is_off(stated: Decimal, computed: Decimal, tolerance: Decimal) -> bool {
    stated.checked_sub(computed).is_none_or(|by| by.abs() > tolerance)
}

/// Without and with VAT, which are the same where no VAT applies; zero for a part that was never active.
fn amounts(price: Option<&Price>) -> (Decimal, Decimal) {
    let excl = price.map_or(Decimal::ZERO, |price| price.excl_vat.decimal());
    (excl, price.and_then(|price| price.incl_vat).map_or(excl, Money::decimal))
}
