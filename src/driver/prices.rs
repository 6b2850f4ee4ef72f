//! What a driver pays at a connector: the tariff by which a charge of the driver would be priced, and what a charge
//! that never was would cost. At a partner's connector it is the partner's tariff; what the driver's own eMSP makes of
//! it is between the two.

use crate::app::policy_of;
use crate::charging::tariff_choice::buyer_of;
use crate::config::PricingConfig;
use crate::db::{DbConn, DbResult, goods, locations, tariffs};
use crate::domain::assignment::{Buyer, ConnectorRef};
use crate::domain::location::{Connector, Evse, Location};
use crate::domain::tariff::{Tariff, TariffType};
use crate::domain::token::Token;
use crate::domain::{CiString, Timestamp};
use crate::driver::bill::Bill;
use crate::pricing::choice::{Goods, Offer, choose, wanted_type};
use crate::pricing::{PricingError, SimulatedCharge, SimulationError, Tariffs};
use chrono_tz::Tz;

/// The tariffs of a place, for one driver.
#[derive(Debug)]
pub struct Shelf {
    location_id: CiString,
    wanted: TariffType,
    offered: Offered,
}

#[derive(Debug)]
enum Offered {
    /// At a place of ours: what is assigned there, and who buys.
    Ours(Goods, Option<Buyer>),
    /// At a partner's: what its connectors name.
    Theirs(Vec<Tariff>),
}

impl Shelf {
    /// What is offered at a place to whoever has a token; without one, to everybody.
    ///
    /// # Errors
    /// When the database fails.
    pub fn at(
        conn: &mut DbConn,
        location: &Location,
        partner_id: Option<i64>,
        token: Option<&Token>,
    ) -> DbResult<Self> {
        let offered = if partner_id.is_some() {
            let mut named = Vec::new();
            for id in locations::named_by(location) {
                named.extend(tariffs::find(conn, &location.party, &id.into())?);
            }
            Offered::Theirs(named)
        } else {
            let buyer = token.map(|token| buyer_of(conn, token, None)).transpose()?;
            Offered::Ours(goods::at(conn, location)?, buyer)
        };
        let wanted = wanted_type(token.map(|token| &token.token_type), None);
        Ok(Self { location_id: location.id.clone(), wanted, offered })
    }

    /// The tariff by which a charge of the driver would be priced at a connector. None means free of charge at ours,
    /// and not known at a partner's.
    #[must_use]
    pub fn tariff(&self, evse: &Evse, connector: &Connector, at: Timestamp) -> Option<&Tariff> {
        let offers: Vec<Offer<'_>> = match &self.offered {
            Offered::Theirs(named) => {
                let ids = connector.tariff_ids.iter().flatten().enumerate();
                let found = |id: &CiString| named.iter().find(|tariff| tariff.id == *id);
                ids.filter_map(|(index, id)| Some(Offer::named(index, found(id)?))).collect()
            }
            Offered::Ours(goods, buyer) => {
                let place = ConnectorRef {
                    location_id: self.location_id.clone(),
                    evse_uid: evse.uid.clone(),
                    connector_id: connector.id.clone(),
                };
                goods.at(&place, connector, |assigned| assigned.is_for(buyer.as_ref()))
            }
        };
        choose(&offers, &self.wanted, at).map(|offer| offer.tariff)
    }
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
    let bill =
        Bill::of_cost(currency, &cost).ok_or(PricingError::TooLarge { what: "the lines of the charge" })?;
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
