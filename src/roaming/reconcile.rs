//! What an operator's new version of an object of ours does to the one that is there: what stays as it is known
//! (the state of a station's EVSE), what is marked as changed, and what cannot be.

use crate::db::{DbConn, DbError, locations, stations, tariffs, tokens};
use crate::domain::Timestamp;
use crate::domain::location::{Evse, EvseStatus, Location};
use crate::domain::tariff::Tariff;
use crate::domain::token::Token;

/// Why a new version cannot take the place of what is there.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The object is a partner's.
    #[error("a partner told us of this object; only the partner can change it")]
    PartnersObject,
    /// A station needs what would go.
    #[error(
        "station {station} serves connector {connector} of EVSE {evse}, which is not in it any more; remove the \
         station first"
    )]
    Served {
        /// The station.
        station: String,
        /// Its EVSE.
        evse: String,
        /// Its connector there.
        connector: String,
    },
}

/// The location as it is to be written, or nothing when it is there just so. An EVSE that is left out stays as
/// REMOVED (OCPI 2.2.1 mod_locations: an EVSE cannot be deleted); the state of an EVSE that a station serves
/// stays what the station says; what changed carries `now` as `last_updated`, on all levels around it.
///
/// # Errors
/// When the location is a partner's, or a station serves what is left out.
pub fn reconcile_location(
    conn: &mut DbConn,
    mut new: Location,
    now: Timestamp,
) -> Result<Option<Location>, Refusal> {
    let Some((old, owner)) = locations::find_with_owner(conn, &new.party, &new.id)? else {
        new.last_updated = now;
        return Ok(Some(new));
    };
    if owner.is_some() {
        return Err(Refusal::PartnersObject);
    }
    let served = stations::serving(conn, &new.party, &new.id)?;
    for (station, connector) in &served {
        let kept = new.evse(&connector.evse_uid).and_then(|evse| evse.connector(&connector.connector_id));
        if kept.is_none() {
            return Err(Refusal::Served {
                station: station.to_string(),
                evse: connector.evse_uid.to_string(),
                connector: connector.connector_id.to_string(),
            });
        }
    }
    for evse in new.evses.iter_mut().flatten() {
        if let Some(known) = old.evse(&evse.uid) {
            if served.iter().any(|(_, connector)| connector.evse_uid == evse.uid) {
                evse.status = known.status.clone();
            }
            stamp_evse(evse, known, now);
        }
    }
    for gone in old.evses().filter(|known| new.evse(&known.uid).is_none()).cloned().collect::<Vec<_>>() {
        let mut evse = gone;
        if evse.status != EvseStatus::Removed {
            evse.status = EvseStatus::Removed;
            evse.last_updated = now;
        }
        new.evses.get_or_insert_default().push(evse);
    }
    new.last_updated = old.last_updated;
    if new == old {
        return Ok(None);
    }
    new.last_updated = now;
    Ok(Some(new))
}

/// Gives an EVSE and its connectors the times of the known ones where nothing else changed, else `now`.
fn stamp_evse(evse: &mut Evse, known: &Evse, now: Timestamp) {
    for connector in &mut evse.connectors {
        if let Some(same) = known.connector(&connector.id) {
            connector.last_updated = same.last_updated;
            if connector != same {
                connector.last_updated = now;
            }
        }
    }
    evse.last_updated = known.last_updated;
    if evse != known {
        evse.last_updated = now;
    }
}

/// The tariff as it is to be written, or nothing when it is there just so.
///
/// # Errors
/// When the tariff is a partner's.
pub fn reconcile_tariff(
    conn: &mut DbConn,
    mut new: Tariff,
    now: Timestamp,
) -> Result<Option<Tariff>, Refusal> {
    if let Some((old, owner)) = tariffs::find_with_owner(conn, &new.party, &new.id)? {
        if owner.is_some() {
            return Err(Refusal::PartnersObject);
        }
        new.last_updated = old.last_updated;
        if new == old {
            return Ok(None);
        }
    }
    new.last_updated = now;
    Ok(Some(new))
}

/// The token as it is to be written, or nothing when it is there just so.
///
/// # Errors
/// When the token is a partner's.
pub fn reconcile_token(conn: &mut DbConn, mut new: Token, now: Timestamp) -> Result<Option<Token>, Refusal> {
    if let Some((old, owner)) = tokens::find(conn, &new.key())? {
        if owner.is_some() {
            return Err(Refusal::PartnersObject);
        }
        new.last_updated = old.last_updated;
        if new == old {
            return Ok(None);
        }
    }
    new.last_updated = now;
    Ok(Some(new))
}
