//! A CDR as the database keeps it, read no further than its price depends on: checking a million of them then takes
//! seconds. The names are those of [`crate::domain::cdr::Cdr`]; a test compares both ways of reading.

use super::check::{Check, StatedPrice, StatedTotals, Tolerance, check_cdr, finding_of, policy_for_checks};
use super::{CdrToPrice, Finding, PricingPolicy, Tariffs};
use crate::domain::charging_period::{CdrDimension, CdrDimensionType, ChargingPeriod};
use crate::domain::tariff::Tariff;
use crate::domain::{CiString, Extra, Kwh, Money, Timestamp};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Lists of tariffs that are kept ready. Beyond, all are forgotten: a partner has hundreds, not tens of thousands.
const MOST_READY: usize = 10_000;

/// A number, taken from its digits: serde's way through a map costs several times as much.
#[derive(Debug, Clone, Copy)]
struct Digits(Decimal);

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let parsed = text.parse().or_else(|_| Decimal::from_scientific(text));
        parsed.map(Self).map_err(|_| D::Error::custom("a decimal number is wanted"))
    }
}

#[derive(Debug, Deserialize)]
struct StoredPrice {
    excl_vat: Digits,
    #[serde(default)]
    incl_vat: Option<Digits>,
}

#[derive(Debug, Deserialize)]
struct StoredDimension<'a> {
    #[serde(borrow, rename = "type")]
    dimension: Cow<'a, str>,
    volume: Digits,
}

#[derive(Debug, Deserialize)]
struct StoredPeriod<'a> {
    start_date_time: Timestamp,
    #[serde(borrow)]
    dimensions: Vec<StoredDimension<'a>>,
    #[serde(borrow, default)]
    tariff_id: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct StoredPlace<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    time_zone: Option<&'a RawValue>,
}

/// A CDR as it is stored, as far as its price depends on it.
#[derive(Debug, Deserialize)]
pub struct StoredCdr<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    start_date_time: Timestamp,
    end_date_time: Timestamp,
    #[serde(borrow)]
    cdr_location: StoredPlace<'a>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    #[serde(borrow)]
    tariffs: &'a RawValue,
    #[serde(borrow)]
    charging_periods: Vec<StoredPeriod<'a>>,
    total_cost: StoredPrice,
    #[serde(default)]
    total_fixed_cost: Option<StoredPrice>,
    total_energy: Digits,
    #[serde(default)]
    total_energy_cost: Option<StoredPrice>,
    total_time: Digits,
    #[serde(default)]
    total_time_cost: Option<StoredPrice>,
    #[serde(default)]
    total_parking_time: Option<Digits>,
    #[serde(default)]
    total_parking_cost: Option<StoredPrice>,
    #[serde(default)]
    total_reservation_cost: Option<StoredPrice>,
    #[serde(default)]
    credit: Option<bool>,
}

/// Tariffs that were read and made ready.
#[derive(Debug)]
struct Ready {
    tariffs: Vec<Tariff>,
    prepared: Tariffs,
}

/// Tariffs made ready, or why they cannot be.
type MaybeReady = Arc<Result<Ready, Finding>>;

/// Tariffs made ready, by their text: CDRs of one tariff hold the same one.
#[derive(Debug, Default)]
pub struct ReadyTariffs {
    by_policy: HashMap<PricingPolicy, HashMap<Box<str>, MaybeReady>>,
    count: usize,
}

impl ReadyTariffs {
    fn of(&mut self, text: &str, policy: PricingPolicy) -> MaybeReady {
        if let Some(known) = self.by_policy.get(&policy).and_then(|texts| texts.get(text)) {
            return Arc::clone(known);
        }
        if self.count >= MOST_READY {
            self.by_policy.clear();
            self.count = 0;
        }
        let ready = Arc::new(make_ready(text, policy));
        self.by_policy.entry(policy).or_default().insert(text.into(), Arc::clone(&ready));
        self.count += 1;
        ready
    }
}

fn make_ready(text: &str, policy: PricingPolicy) -> Result<Ready, Finding> {
    let tariffs: Vec<Tariff> =
        serde_json::from_str(text).map_err(|error| Finding::new("$.tariffs", error.to_string()))?;
    let prepared = Tariffs::new(&tariffs, policy).map_err(finding_of)?;
    Ok(Ready { tariffs, prepared })
}

impl<'a> StoredCdr<'a> {
    /// Reads a stored document.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(body: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(body)
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of its location.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.cdr_location.id
    }

    /// The zone that its platform put beside the location, which OCPI does not foresee.
    #[must_use]
    pub fn own_zone(&self) -> Option<Tz> {
        let text: Cow<'_, str> = serde_json::from_str(self.cdr_location.time_zone?.get()).ok()?;
        text.parse().ok()
    }

    /// Prices it again by a policy and compares.
    pub fn check(
        &self,
        zone: Option<Tz>,
        policy: PricingPolicy,
        ready: &mut ReadyTariffs,
        tolerance: &Tolerance,
    ) -> Check {
        let ready = ready.of(self.tariffs.get(), policy_for_checks(policy));
        let ready = match ready.as_ref() {
            Ok(ready) => ready,
            Err(finding) => return Check::unpriceable(vec![finding.clone()]),
        };
        let totals = match self.totals() {
            Ok(totals) => totals,
            Err(finding) => return Check::unpriceable(vec![finding]),
        };
        let periods: Vec<ChargingPeriod> = self.charging_periods.iter().map(period).collect();
        let cdr = CdrToPrice {
            start: self.start_date_time,
            end: self.end_date_time,
            zone: zone.unwrap_or(chrono_tz::UTC),
            tariffs: &ready.tariffs,
            periods: &periods,
        };
        check_cdr(&cdr, zone.is_some(), &ready.prepared, &totals, tolerance)
    }

    fn totals(&self) -> Result<StatedTotals, Finding> {
        let wrong = |error: crate::domain::ValueError| Finding::new("$", error.to_string());
        let money = |digits: Digits| Money::parse(digits.0).map_err(wrong);
        let price = |price: &StoredPrice| -> Result<StatedPrice, Finding> {
            Ok(StatedPrice {
                excl_vat: money(price.excl_vat)?,
                incl_vat: price.incl_vat.map(money).transpose()?,
            })
        };
        let part = |given: &Option<StoredPrice>| given.as_ref().map(price).transpose();
        Ok(StatedTotals {
            currency: self.currency.as_ref().to_owned(),
            credit: self.credit == Some(true),
            cost: price(&self.total_cost)?,
            fixed: part(&self.total_fixed_cost)?,
            energy: part(&self.total_energy_cost)?,
            time: part(&self.total_time_cost)?,
            parking: part(&self.total_parking_cost)?,
            reservation: part(&self.total_reservation_cost)?,
            total_energy: Kwh::parse(self.total_energy.0).map_err(wrong)?,
            total_time: self.total_time.0,
            total_parking_time: self.total_parking_time.map(|digits| digits.0),
        })
    }
}

fn period(stored: &StoredPeriod<'_>) -> ChargingPeriod {
    let dimension = |stored: &StoredDimension<'_>| CdrDimension {
        dimension: CdrDimensionType::from(stored.dimension.as_ref()),
        volume: stored.volume.0,
        extra: Extra::new(),
    };
    ChargingPeriod {
        start_date_time: stored.start_date_time,
        dimensions: stored.dimensions.iter().map(dimension).collect(),
        tariff_id: stored.tariff_id.as_deref().map(CiString::from),
        extra: Extra::new(),
    }
}
