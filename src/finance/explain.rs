//! Why a CDR costs what it costs: ours with the policy, the zone and the warnings that were kept when it was priced,
//! a partner's with its own tariffs and periods (OCPI 2.2.1 mod_cdrs, "CDR Object" and "ChargingPeriod").
//!
//! [`Explained::document`] and [`Explained::text`] are the only places that say how an explanation is written.

use crate::app::policy_of;
use crate::config::PricingConfig;
use crate::db::cdrs::{self, KeptCdr};
use crate::db::{DbConn, DbResult};
use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::domain::tariff::Price;
use crate::pricing::check::finding_of;
use crate::pricing::{
    Billed, CdrToPrice, CostLine, Exact, Explanation, Finding, LineKind, PricingError, PricingPolicy,
    StatedCharge, Tariffs,
};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A language of the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
}

/// A CDR and why it costs what it costs.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The CDR.
    pub kept: KeptCdr,
    /// Its cost, computed again, with all lines.
    pub explanation: Explanation,
    /// Whose local time counted.
    pub zone: Tz,
    /// How it was priced where OCPI leaves it open.
    pub policy: PricingPolicy,
    /// What had no effect though it may have to, when it was priced and now.
    pub warnings: Vec<Finding>,
}

/// Explains a CDR; none where there is no such CDR.
///
/// # Errors
/// When the database fails. Within: everything for which it cannot be priced.
pub fn explain(
    conn: &mut DbConn,
    config: &PricingConfig,
    party: &PartyId,
    id: &CiString,
) -> DbResult<Option<Result<Explained, Vec<Finding>>>> {
    let Some(kept) = cdrs::find_kept(conn, party, id)? else { return Ok(None) };
    let recorded = kept.record.as_ref().and_then(|record| record.zone.parse().ok());
    let zone = match recorded {
        Some(zone) => Some(zone),
        None => cdrs::zone_of(conn, &kept.cdr)?,
    };
    let policy = kept.record.as_ref().map_or_else(|| policy_of(config), |record| record.policy);
    Ok(Some(explain_kept(kept, zone, policy)))
}

fn explain_kept(kept: KeptCdr, zone: Option<Tz>, policy: PricingPolicy) -> Result<Explained, Vec<Finding>> {
    let cdr = &kept.cdr;
    if cdr.tariffs.is_empty() && kept.partner_id.is_some() {
        return Err(vec![Finding::new("$.tariffs", "there is no tariff to price it with")]);
    }
    let failed = |error: PricingError| vec![finding_of(error)];
    let ready = Tariffs::new(&cdr.tariffs, policy).map_err(failed)?;
    let known = zone.is_some();
    let zone = zone.unwrap_or(chrono_tz::UTC);
    let charge = StatedCharge::new(&CdrToPrice {
        start: cdr.start_date_time,
        end: cdr.end_date_time,
        zone,
        tariffs: &cdr.tariffs,
        periods: &cdr.charging_periods,
    });
    let mut explanation = charge.and_then(|charge| charge.explain(&ready)).map_err(failed)?;
    if explanation.currency.is_empty() {
        explanation.currency.clone_from(&cdr.currency);
    }
    let mut warnings = kept.record.as_ref().map(|record| record.warnings.clone()).unwrap_or_default();
    for warning in &explanation.cost.warnings {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    if !known && ready.look_at_the_clock() {
        let reason = "the tariff looks at the local time, and the location's zone is not known: UTC is taken";
        warnings.push(Finding::new("$.cdr_location", reason));
    }
    for at in kept.record.iter().flat_map(|record| &record.interpolated) {
        if let Some(period) = explanation.periods.get_mut(*at) {
            period.interpolated = true;
        }
    }
    Ok(Explained { kept, explanation, zone, policy, warnings })
}

/// A number with the digits that it has.
fn number(decimal: Decimal) -> Value {
    decimal.to_string().parse().map_or_else(|_| Value::String(decimal.to_string()), Value::Number)
}

fn exact(excl: Exact, incl: Exact) -> Result<(Decimal, Decimal), PricingError> {
    Ok((excl.to_decimal()?, incl.to_decimal()?))
}

fn both(price: &Price) -> (Decimal, Decimal) {
    let excl = price.excl_vat.decimal();
    (excl, price.incl_vat.map_or(excl, |incl| incl.decimal()))
}

fn amounts((excl, incl): (Decimal, Decimal)) -> Value {
    json!({ "excl_vat": number(excl), "incl_vat": number(incl) })
}

impl Explained {
    /// The explanation for programs.
    ///
    /// # Errors
    /// When an amount leaves the range of its type.
    pub fn document(&self) -> Result<Value, PricingError> {
        let Self { kept, explanation, zone, policy, warnings } = self;
        let (cdr, cost) = (&kept.cdr, &explanation.cost);
        let part = |price: &Option<Price>| price.as_ref().map(|price| amounts(both(price)));
        let mut periods = Vec::new();
        for (at, period) in explanation.periods.iter().enumerate() {
            periods.push(json!({
                "start_date_time": period.start,
                "end_date_time": period.end,
                "tariff_id": period.tariff,
                "energy": number(period.energy),
                "time": number(period.charging),
                "parking_time": number(period.parking),
                "reservation_time": number(period.reserved),
                "interpolated": period.interpolated,
                "lines": self.lines(Some(at))?,
            }));
        }
        Ok(json!({
            "party": cdr.party.to_string(),
            "id": cdr.id,
            "stated_total_cost": amounts(both(&cdr.total_cost)),
            "credit": cdr.credit.unwrap_or(false),
            "recorded": kept.record.is_some(),
            "currency": explanation.currency,
            "total_cost": amounts(both(&cost.total)),
            "total_fixed_cost": part(&cost.fixed),
            "total_energy_cost": part(&cost.energy),
            "total_time_cost": part(&cost.time),
            "total_parking_cost": part(&cost.parking),
            "total_reservation_cost": part(&cost.reservation),
            "total_energy": number(cost.total_energy.decimal()),
            "total_time": number(cost.total_time),
            "total_parking_time": number(cost.total_parking_time),
            "total_reservation_time": number(cost.total_reservation_time),
            "exact_total_cost": amounts(exact(cost.exact_excl_vat, cost.exact_incl_vat)?),
            "periods": periods,
            "lines": self.lines(None)?,
            "time_zone": zone.name(),
            "policy": policy,
            "warnings": warnings,
        }))
    }

    fn lines(&self, period: Option<usize>) -> Result<Vec<Value>, PricingError> {
        self.explanation.lines.iter().filter(|line| line.period == period).map(line_document).collect()
    }

    /// The lines as a table: the headings, then the rows.
    ///
    /// # Errors
    /// When an amount leaves the range of its type.
    pub fn text(&self, language: Language) -> Result<(Vec<&'static str>, Vec<Vec<String>>), PricingError> {
        let headings = match language {
            Language::En => vec!["WHAT", "FROM", "QUANTITY", "PRICE", "NET", "GROSS"],
            Language::De => vec!["WAS", "AB", "MENGE", "PREIS", "NETTO", "BRUTTO"],
        };
        let lines = self.explanation.lines.iter().map(|line| self.row(line, language));
        let mut rows = lines.collect::<Result<Vec<_>, _>>()?;
        let (excl, incl) = both(&self.explanation.cost.total);
        let total = match language {
            Language::En => "Total",
            Language::De => "Summe",
        };
        let blank = String::new;
        rows.push(vec![total.to_owned(), blank(), blank(), blank(), excl.to_string(), incl.to_string()]);
        Ok((headings, rows))
    }

    fn row(&self, line: &CostLine, language: Language) -> Result<Vec<String>, PricingError> {
        let (excl, incl) = exact(line.excl_vat, line.incl_vat)?;
        let start = line.period.and_then(|at| self.explanation.periods.get(at));
        let start = start.map(|period| {
            let local = period.start.utc().with_timezone(&self.zone).format("%Y-%m-%d %H:%M:%S");
            format!("{local}{}", if period.interpolated { " ~" } else { "" })
        });
        let quantity = match line.quantity {
            Billed::Once => String::new(),
            Billed::Kwh(amount) => format!("{amount} kWh"),
            Billed::Seconds(amount) => format!("{amount} s"),
        };
        let price = line.price.as_ref().map(|price| price.price.to_string()).unwrap_or_default();
        Ok(vec![
            name_of(line.kind, language).to_owned(),
            start.unwrap_or_default(),
            quantity,
            price,
            excl.to_string(),
            incl.to_string(),
        ])
    }
}

fn line_document(line: &CostLine) -> Result<Value, PricingError> {
    let (excl, incl) = exact(line.excl_vat, line.incl_vat)?;
    let mut document = json!({
        "kind": line.kind.as_str(),
        "excl_vat": number(excl),
        "incl_vat": number(incl),
    });
    let quantity = match line.quantity {
        Billed::Once => None,
        Billed::Kwh(amount) => Some((amount, "kWh")),
        Billed::Seconds(amount) => Some((amount, "s")),
    };
    if let Some(fields) = document.as_object_mut() {
        if let Some((amount, unit)) = quantity {
            fields.insert("quantity".to_owned(), number(amount));
            fields.insert("unit".to_owned(), unit.into());
        }
        if let Some(price) = &line.price {
            fields.insert("tariff_id".to_owned(), price.tariff.as_str().into());
            fields.insert("component".to_owned(), price.component.path().into());
            fields.insert("price".to_owned(), number(price.price.decimal()));
            if let Some(vat) = price.vat {
                fields.insert("vat".to_owned(), number(vat));
            }
        }
    }
    Ok(document)
}

/// What a line is for.
fn name_of(kind: LineKind, language: Language) -> &'static str {
    use LineKind as K;
    let (english, german) = match kind {
        K::Flat => ("Flat fee", "Pauschale"),
        K::Energy => ("Energy", "Energie"),
        K::Time => ("Charging time", "Ladezeit"),
        K::Parking => ("Parking time", "Standzeit"),
        K::Reservation => ("Reservation time", "Reservierungszeit"),
        K::ReservationFlat => ("Reservation fee", "Reservierungspauschale"),
        K::EnergyStep => ("Energy, up to a whole step", "Energie, bis zum vollen Schritt"),
        K::TimeStep => ("Charging time, up to a whole step", "Ladezeit, bis zum vollen Schritt"),
        K::ParkingStep => ("Parking time, up to a whole step", "Standzeit, bis zum vollen Schritt"),
        K::ReservationStep => {
            ("Reservation time, up to a whole step", "Reservierungszeit, bis zum vollen Schritt")
        }
        K::MinPrice => ("Up to the minimum price", "Bis zum Mindestpreis"),
        K::MaxPrice => ("Down to the maximum price", "Bis zum Höchstpreis"),
        K::Rounding => ("Rounding", "Rundung"),
    };
    match language {
        Language::En => english,
        Language::De => german,
    }
}
