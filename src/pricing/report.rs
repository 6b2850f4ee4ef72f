//! What a charge costs and why, as a document for programs and as text for people: what `tariff price`, `cdr price`,
//! `cdr explain` and the operator API tell, all from one [`Explanation`].

mod text;

use super::explain::{Billed, CostLine, ExplainedPeriod, Explanation, LinePrice};
use super::read::StatedCdr;
use super::{CdrToPrice, Exact, Finding, PricingError, PricingPolicy, StatedCharge, Tariffs};
use crate::domain::Timestamp;
use crate::domain::tariff::{Price, Tariff};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A decimal that is told as a JSON number with the digits that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = f64)]
pub struct Number(pub Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        rust_decimal::serde::arbitrary_precision::serialize(&self.0, serializer)
    }
}

/// An amount before and after VAT; both are equal where no VAT applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amounts {
    /// Before VAT.
    pub excl_vat: Number,
    /// After VAT.
    pub incl_vat: Number,
}

impl From<&Price> for Amounts {
    fn from(price: &Price) -> Self {
        let excl = price.excl_vat.decimal();
        Self { excl_vat: Number(excl), incl_vat: Number(price.incl_vat.map_or(excl, |incl| incl.decimal())) }
    }
}

impl Amounts {
    /// Exact amounts; those that do not end within 12 decimals are told with 12.
    fn exact(excl: Exact, incl: Exact) -> Result<Self, PricingError> {
        Ok(Self { excl_vat: Number(excl.to_decimal()?), incl_vat: Number(incl.to_decimal()?) })
    }
}

/// One explained line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReportLine {
    /// What for: `FLAT`, `ENERGY`, `TIME`, `PARKING_TIME`, `…_STEP_SIZE`, `MIN_PRICE`, `MAX_PRICE`, `ROUNDING`, …
    pub kind: &'static str,
    /// The tariff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tariff_id: Option<String>,
    /// JSON path of the price component in its tariff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Per kWh, per hour or once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Number>,
    /// Percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat: Option<Number>,
    /// How much of the unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Number>,
    /// `kWh` or `s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<&'static str>,
    /// Exact.
    #[serde(flatten)]
    pub amounts: Amounts,
}

/// A period with the lines that price it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReportPeriod {
    /// Its start.
    #[schema(value_type = String, format = DateTime)]
    pub start_date_time: Timestamp,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub end_date_time: Timestamp,
    /// Its tariff; missing means that none is relevant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tariff_id: Option<String>,
    /// kWh.
    pub energy: Number,
    /// Hours charging.
    pub time: Number,
    /// Hours not charging.
    pub parking_time: Number,
    /// Hours reserved.
    pub reservation_time: Number,
    /// The energy at its start was interpolated between two measurements.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interpolated: bool,
    /// Why it costs what it costs.
    pub lines: Vec<ReportLine>,
}

/// What a charge costs and why. A part is `null` where no price component of its dimension was active.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PriceReport {
    /// ISO 4217.
    pub currency: String,
    /// Everything.
    pub total_cost: Amounts,
    /// FLAT.
    pub total_fixed_cost: Option<Amounts>,
    /// ENERGY.
    pub total_energy_cost: Option<Amounts>,
    /// TIME.
    pub total_time_cost: Option<Amounts>,
    /// PARKING_TIME.
    pub total_parking_cost: Option<Amounts>,
    /// The reservation.
    pub total_reservation_cost: Option<Amounts>,
    /// kWh.
    pub total_energy: Number,
    /// Hours, charging and parking.
    pub total_time: Number,
    /// Hours not charging.
    pub total_parking_time: Number,
    /// Hours reserved.
    pub total_reservation_time: Number,
    /// The total before it was rounded.
    pub exact_total_cost: Amounts,
    /// The periods, each with its lines.
    pub periods: Vec<ReportPeriod>,
    /// The lines of the whole charge: flat fees, steps, bounds, rounding.
    pub lines: Vec<ReportLine>,
    /// The zone whose local time counted.
    pub time_zone: String,
    /// How it was priced where OCPI leaves it open.
    pub policy: PricingPolicy,
    /// What had no effect though somebody may have meant one, and what makes the price doubtful.
    pub warnings: Vec<Finding>,
    /// What the texts are made from.
    #[serde(skip)]
    explanation: Explanation,
    #[serde(skip)]
    zone: Tz,
}

impl PriceReport {
    /// A report of an explanation.
    ///
    /// # Errors
    /// When an amount leaves the range of its type.
    pub fn new(explanation: Explanation, zone: Tz, policy: &PricingPolicy) -> Result<Self, PricingError> {
        let cost = &explanation.cost;
        let part = |price: &Option<Price>| price.as_ref().map(Amounts::from);
        let lines = explanation.lines.iter().map(|line| Ok((line.period, ReportLine::of(line)?)));
        let lines: Vec<(Option<usize>, ReportLine)> = lines.collect::<Result<_, PricingError>>()?;
        let of = |wanted: Option<usize>| {
            lines.iter().filter(|(period, _)| *period == wanted).map(|(_, line)| line.clone()).collect()
        };
        let periods = explanation.periods.iter().enumerate();
        Ok(Self {
            currency: explanation.currency.clone(),
            total_cost: Amounts::from(&cost.total),
            total_fixed_cost: part(&cost.fixed),
            total_energy_cost: part(&cost.energy),
            total_time_cost: part(&cost.time),
            total_parking_cost: part(&cost.parking),
            total_reservation_cost: part(&cost.reservation),
            total_energy: Number(cost.total_energy.decimal()),
            total_time: Number(cost.total_time),
            total_parking_time: Number(cost.total_parking_time),
            total_reservation_time: Number(cost.total_reservation_time),
            exact_total_cost: Amounts::exact(cost.exact_excl_vat, cost.exact_incl_vat)?,
            periods: periods.map(|(at, period)| ReportPeriod::of(period, of(Some(at)))).collect(),
            lines: of(None),
            time_zone: zone.name().to_owned(),
            policy: *policy,
            warnings: cost.warnings.clone(),
            explanation,
            zone,
        })
    }

    /// Prices a CDR that was [read](super::read::cdr), with other tariffs where they are given. Without a zone, that
    /// of the CDR counts; where it has none, UTC, with a warning if the tariffs look at the clock.
    ///
    /// # Errors
    /// With everything for which it cannot be priced.
    pub fn of_cdr(
        cdr: &StatedCdr,
        tariffs: Option<&[Tariff]>,
        zone: Option<Tz>,
        policy: &PricingPolicy,
    ) -> Result<Self, Vec<Finding>> {
        let tariffs = tariffs.unwrap_or(&cdr.tariffs);
        let currency = one_currency(cdr, tariffs)?;
        let failed = |error: PricingError| {
            vec![match error {
                PricingError::Document(finding) => finding,
                other => Finding::new("$", other.to_string()),
            }]
        };
        let ready = Tariffs::new(tariffs, *policy).map_err(failed)?;
        let known = zone.or_else(|| cdr.time_zone.as_deref().and_then(|name| name.parse().ok()));
        let zone = known.unwrap_or(chrono_tz::UTC);
        let stated = CdrToPrice { start: cdr.start, end: cdr.end, zone, tariffs, periods: &cdr.periods };
        let charge = StatedCharge::new(&stated).map_err(failed)?;
        let explanation = charge.explain(&ready).map_err(failed)?;
        let mut report = Self::new(explanation, zone, policy).map_err(failed)?;
        report.currency = currency;
        if known.is_none() && ready.look_at_the_clock() {
            let reason = "the tariff looks at the local time, and the zone is not told: UTC is taken";
            report.warnings.push(Finding::new("$", reason));
        }
        Ok(report)
    }

    /// Adds what was found while reading the documents.
    #[must_use]
    pub fn with_warnings(mut self, found: impl IntoIterator<Item = Finding>) -> Self {
        for finding in found {
            if !self.warnings.contains(&finding) {
                self.warnings.push(finding);
            }
        }
        self
    }
}

/// The one currency of a CDR and its tariffs.
fn one_currency(cdr: &StatedCdr, tariffs: &[Tariff]) -> Result<String, Vec<Finding>> {
    let Some(first) = tariffs.first() else {
        return Err(vec![Finding::new("$.tariffs", "there is no tariff to price it with")]);
    };
    let wanted = cdr.currency.as_ref().unwrap_or(&first.currency);
    let others =
        tariffs.iter().enumerate().filter(|(_, tariff)| !tariff.currency.eq_ignore_ascii_case(wanted));
    let findings: Vec<Finding> = others
        .map(|(at, tariff)| {
            let reason = format!("is {}, and the charge is billed in {wanted}", tariff.currency);
            Finding::new(format!("$.tariffs[{at}].currency"), reason)
        })
        .collect();
    if findings.is_empty() { Ok(wanted.clone()) } else { Err(findings) }
}

impl ReportLine {
    fn of(line: &CostLine) -> Result<Self, PricingError> {
        let price = line.price.as_ref();
        let (quantity, unit) = match line.quantity {
            Billed::Once => (None, None),
            Billed::Kwh(amount) => (Some(Number(amount)), Some("kWh")),
            Billed::Seconds(amount) => (Some(Number(amount)), Some("s")),
        };
        Ok(Self {
            kind: line.kind.as_str(),
            tariff_id: price.map(|price| price.tariff.to_string()),
            component: price.map(|price: &LinePrice| price.component.path()),
            price: price.map(|price| Number(price.price.decimal())),
            vat: price.and_then(|price| price.vat).map(Number),
            quantity,
            unit,
            amounts: Amounts::exact(line.excl_vat, line.incl_vat)?,
        })
    }
}

impl ReportPeriod {
    fn of(period: &ExplainedPeriod, lines: Vec<ReportLine>) -> Self {
        Self {
            start_date_time: period.start,
            end_date_time: period.end,
            tariff_id: period.tariff.as_ref().map(ToString::to_string),
            energy: Number(period.energy),
            time: Number(period.charging),
            parking_time: Number(period.parking),
            reservation_time: Number(period.reserved),
            interpolated: period.interpolated,
            lines,
        }
    }
}
