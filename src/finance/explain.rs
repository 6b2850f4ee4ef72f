//! Why a CDR costs what it costs: ours with the policy, the zone and the warnings that were kept when it was priced,
//! a partner's with its own tariffs and periods (OCPI 2.2.1 mod_cdrs, "CDR Object" and "ChargingPeriod").

use crate::app::policy_of;
use crate::config::PricingConfig;
use crate::db::cdrs::{self, KeptCdr};
use crate::db::{DbConn, DbResult};
use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::pricing::check::finding_of;
use crate::pricing::report::{Amounts, PriceReport};
use crate::pricing::{CdrToPrice, Finding, PricingError, PricingPolicy, StatedCharge, Tariffs};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

/// A CDR and why it costs what it costs: what the CDR says of itself, and its price computed again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Explained {
    /// The CPO that owns it.
    #[schema(example = "DE*ABC")]
    pub party: String,
    /// Its id.
    pub id: String,
    /// What it states.
    pub stated_total_cost: Amounts,
    /// It takes back another one.
    pub credit: bool,
    /// The policy and the zone are those that were kept when it was priced.
    pub recorded: bool,
    /// What it costs and why.
    #[serde(flatten)]
    pub report: PriceReport,
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
    let mut warnings: Vec<Finding> =
        kept.record.as_ref().map(|record| record.warnings.clone()).unwrap_or_default();
    if !known && ready.look_at_the_clock() {
        let reason = "the tariff looks at the local time, and the location's zone is not known: UTC is taken";
        warnings.push(Finding::new("$.cdr_location", reason));
    }
    for at in kept.record.iter().flat_map(|record| &record.interpolated) {
        if let Some(period) = explanation.periods.get_mut(*at) {
            period.interpolated = true;
        }
    }
    let report = PriceReport::new(explanation, zone, &policy).map_err(failed)?.with_warnings(warnings);
    Ok(Explained {
        party: cdr.party.to_string(),
        id: cdr.id.to_string(),
        stated_total_cost: Amounts::from(&cdr.total_cost),
        credit: cdr.credit.unwrap_or(false),
        recorded: kept.record.is_some(),
        report,
    })
}
