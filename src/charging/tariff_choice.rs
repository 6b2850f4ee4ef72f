//! The tariff of a charge: what could price it at its connector, and of that the one that says most
//! ([`crate::pricing::choice`]). It is chosen at the start, and the charge keeps a copy: what happens to the tariff
//! or its assignment afterwards changes nothing (OCPI 2.2.1 mod_tariffs, note on `start_date_time`).

use super::ChargingError;
use crate::db::{DbConn, DbResult, goods, partners, tokens};
use crate::domain::Timestamp;
use crate::domain::assignment::{Buyer, ConnectorRef};
use crate::domain::location::Location;
use crate::domain::party::Role;
use crate::domain::session::ProfileType;
use crate::domain::station::StationConnector;
use crate::domain::tariff::Tariff;
use crate::domain::token::Token;
use crate::pricing::choice::{choose, wanted_type};

/// The tariff of what a driver charges at a connector from a time on; none means free of charge. With a charging
/// preference (OCPI 2.2.1 mod_sessions, "ProfileType"), the one for that.
///
/// # Errors
/// When the database fails.
pub fn choose_tariff(
    conn: &mut DbConn,
    location: &Location,
    connector: &StationConnector,
    buyer: Option<&Buyer>,
    profile: Option<&ProfileType>,
    at: Timestamp,
) -> Result<Option<Tariff>, ChargingError> {
    let evse = location.evse(&connector.evse_uid);
    let Some(found) = evse.and_then(|evse| evse.connector(&connector.connector_id)) else { return Ok(None) };
    let goods = goods::at(conn, location)?;
    let place = ConnectorRef {
        location_id: location.id.clone(),
        evse_uid: connector.evse_uid.clone(),
        connector_id: connector.connector_id.clone(),
    };
    let offers = goods.at(&place, found, |assigned| assigned.is_for(buyer));
    let wanted = wanted_type(buyer.map(|buyer| &buyer.token_type), profile);
    Ok(choose(&offers, &wanted, at).map(|offer| offer.tariff.clone()))
}

/// Who charges with a token: a driver of the partner that asked for the charge, else of the one that told us of the
/// token, else of the one that speaks for its eMSP.
///
/// # Errors
/// When the database fails.
pub fn buyer_of(conn: &mut DbConn, token: &Token, asked_by: Option<i64>) -> DbResult<Buyer> {
    let mut partner = asked_by;
    if partner.is_none() {
        partner = tokens::find(conn, &token.key())?.and_then(|(_, partner)| partner);
    }
    if partner.is_none() {
        partner = partners::of_party(conn, &token.party, &Role::Emsp)?;
    }
    Ok(Buyer::of(token, partner))
}
