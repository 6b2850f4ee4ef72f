//! What a driver pays at a connector: the tariff by which a charge of the driver would be priced, and what a charge
//! that never was would cost. At a partner's connector it is the partner's tariff; what the driver's own eMSP makes of
//! it is between the two.

use crate::app::policy_of;
use crate::charging::tariff_choice::buyer_of;
use crate::config::PricingConfig;
use crate::db::{DbConn, DbResult, goods, tariffs};
use crate::domain::Timestamp;
use crate::domain::assignment::ConnectorRef;
use crate::domain::location::{Connector, Evse, Location};
use crate::domain::tariff::Tariff;
use crate::domain::token::Token;
use crate::driver::bill::Bill;
use crate::pricing::choice::{Offer, choose, wanted_type};
use crate::pricing::{PricingError, SimulatedCharge, SimulationError, Tariffs};
use chrono_tz::Tz;

/// The tariff by which a charge with a token would be priced at a connector. None means free of charge at ours, and
/// not known at a partner's.
///
/// # Errors
/// When the database fails.
pub fn tariff_at(
    conn: &mut DbConn,
    location: &Location,
    partner_id: Option<i64>,
    (evse, connector): (&Evse, &Connector),
    token: Option<&Token>,
    at: Timestamp,
) -> DbResult<Option<Tariff>> {
    let wanted = wanted_type(token.map(|token| &token.token_type), None);
    if partner_id.is_some() {
        let mut named = Vec::new();
        for id in connector.tariff_ids.iter().flatten() {
            named.extend(tariffs::find(conn, &location.party, id)?);
        }
        let offers: Vec<Offer<'_>> =
            named.iter().enumerate().map(|(index, tariff)| Offer::named(index, tariff)).collect();
        return Ok(choose(&offers, &wanted, at).map(|offer| offer.tariff.clone()));
    }
    let buyer = token.map(|token| buyer_of(conn, token, None)).transpose()?;
    let goods = goods::at(conn, location)?;
    let place = ConnectorRef {
        location_id: location.id.clone(),
        evse_uid: evse.uid.clone(),
        connector_id: connector.id.clone(),
    };
    let offers = goods.at(&place, connector, |assigned| assigned.is_for(buyer.as_ref()));
    Ok(choose(&offers, &wanted, at).map(|offer| offer.tariff.clone()))
}

/// What a charge would cost by a tariff; without one it is free.
///
/// # Errors
/// When it is no possible charge, or cannot be priced.
pub fn estimate(
    tariff: Option<&Tariff>,
    charge: &SimulatedCharge,
    zone: Tz,
    config: &PricingConfig,
) -> Result<(Bill, SimulatedResult), SimulationError> {
    let tariffs = Tariffs::new(tariff, policy_of(config))?;
    let running = charge.price(&tariffs, zone)?;
    let cost = running.cost(&tariffs)?;
    let currency = tariff.map_or(&config.currency, |tariff| &tariff.currency);
    let bill = Bill::of_cost(currency, &cost)
        .ok_or(PricingError::TooLarge { what: "the lines of the charge" })?;
    let energy = cost.total_energy.to_string();
    Ok((bill, SimulatedResult { energy_kwh: energy, is_full: cost.total_energy == charge.energy }))
}

/// What the vehicle got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedResult {
    /// kWh.
    pub energy_kwh: String,
    /// Whether that is all that it wanted.
    pub is_full: bool,
}
