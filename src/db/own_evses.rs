//! The EVSEs of our own locations by what is printed on them. Ids are folded.

use super::schema::own_evses;
use super::{DbConn, DbError, DbResult};
use crate::domain::CiString;
use crate::domain::location::Location;
use crate::domain::party::PartyId;
use diesel::prelude::*;

/// Writes the EVSEs of a location of ours in place of those that are there.
///
/// # Errors
/// When the database fails.
pub fn put(conn: &mut DbConn, location: &Location) -> DbResult<()> {
    diesel::delete(
        own_evses::table
            .filter(own_evses::country_code.eq(location.party.country_code()))
            .filter(own_evses::party_id.eq(location.party.party_id()))
            .filter(own_evses::location_id.eq(location.id.key())),
    )
    .execute(conn)?;
    let mut seen = std::collections::HashSet::new();
    for evse in location.evses().filter(|evse| seen.insert(evse.uid.key())) {
        diesel::insert_into(own_evses::table)
            .values((
                own_evses::country_code.eq(location.party.country_code()),
                own_evses::party_id.eq(location.party.party_id()),
                own_evses::location_id.eq(location.id.key()),
                own_evses::evse_uid.eq(evse.uid.key()),
                own_evses::evse_id.eq(evse.evse_id.as_ref().map(CiString::key)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Where an EVSE is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvsePlace {
    /// Whose.
    pub party: PartyId,
    /// At which location.
    pub location_id: CiString,
    /// Which.
    pub evse_uid: CiString,
}

/// The EVSEs of ours with that `evse_id`, or else with that `uid`; several parties may use the same uid.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &CiString) -> DbResult<Vec<EvsePlace>> {
    type Row = (String, String, String, String);
    let columns = (own_evses::country_code, own_evses::party_id, own_evses::location_id, own_evses::evse_uid);
    let mut rows: Vec<Row> =
        own_evses::table.filter(own_evses::evse_id.eq(id.key())).select(columns).limit(2).load(conn)?;
    if rows.is_empty() {
        rows =
            own_evses::table.filter(own_evses::evse_uid.eq(id.key())).select(columns).limit(2).load(conn)?;
    }
    rows.into_iter()
        .map(|(country, party, location_id, evse_uid)| {
            let party = PartyId::new(&country, &party).map_err(|why| DbError::corrupt("EVSE", why))?;
            Ok(EvsePlace { party, location_id: location_id.into(), evse_uid: evse_uid.into() })
        })
        .collect()
}
