//! The codes of stations: for each charging point the address behind its code ([`Code`]), to print it or to show it on a
//! display.

use super::code::Code;
use crate::db::{DbConn, DbResult, locations, own_evses, payment_merchants, stations};
use crate::domain::station::Station;
use crate::domain::{CiString, Timestamp};
use crate::security::Keys;

/// A charging point with its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StationCode {
    /// The station.
    pub station: String,
    /// Its connectors there, by their OCPP numbers.
    pub connectors: Vec<i32>,
    /// As it is printed on the charging point; the `uid` of the EVSE where nothing is.
    pub evse: String,
    /// The `uid` of the EVSE.
    pub evse_uid: CiString,
    /// What the code says.
    pub code: Code,
    /// Where it is.
    pub place: String,
    /// Who sells.
    pub operator: String,
}

impl StationCode {
    /// The address behind the code, below this installation's public address.
    #[must_use]
    pub fn url(&self, base: &str, keys: &Keys) -> String {
        format!("{base}{}", self.code.path(keys))
    }
}

/// Until when a code counts that counts for so many seconds from now on, in seconds since 1970.
#[must_use]
pub fn until(now: Timestamp, seconds: i64) -> i64 {
    now.millis().div_euclid(1000).saturating_add(seconds)
}

/// The codes of a station, by its connectors; one for each EVSE.
///
/// # Errors
/// When the database fails.
pub fn of_station(conn: &mut DbConn, station: &Station, until: Option<i64>) -> DbResult<Vec<StationCode>> {
    let location = locations::find(conn, &station.party, &station.location_id)?;
    let merchant = payment_merchants::find(conn, &station.party)?;
    let place = location.as_ref().map(|location| format!("{}, {}", location.address, location.city));
    let operator = merchant.map_or_else(|| station.party.to_string(), |merchant| merchant.name);
    let mut all: Vec<StationCode> = Vec::new();
    for connector in &station.connectors {
        if let Some(known) = all.iter_mut().find(|known| known.evse_uid == connector.evse_uid) {
            known.connectors.push(connector.number);
            continue;
        }
        let evse = location.as_ref().and_then(|location| location.evse(&connector.evse_uid));
        let printed = evse.and_then(|evse| evse.evse_id.as_ref()).unwrap_or(&connector.evse_uid).to_string();
        all.push(StationCode {
            station: station.id.to_string(),
            connectors: vec![connector.number],
            code: Code { evse: printed.clone(), until },
            evse: printed,
            evse_uid: connector.evse_uid.clone(),
            place: place.clone().unwrap_or_default(),
            operator: operator.clone(),
        });
    }
    Ok(all)
}

/// The code of an EVSE of ours, by its `evse_id` as printed on it, or its `uid`; none where there is no such EVSE, or no
/// station of ours serves it.
///
/// # Errors
/// When the database fails.
pub fn of_evse(conn: &mut DbConn, evse: &CiString, until: Option<i64>) -> DbResult<Option<StationCode>> {
    let places = own_evses::find(conn, evse)?;
    let [place] = places.as_slice() else { return Ok(None) };
    let serving = stations::serving(conn, &place.party, &place.location_id)?;
    let Some((id, _)) = serving.iter().find(|(_, served)| served.evse_uid == place.evse_uid) else {
        return Ok(None);
    };
    let Some(station) = stations::find(conn, id)? else { return Ok(None) };
    let codes = of_station(conn, &station, until)?;
    Ok(codes.into_iter().find(|code| code.evse_uid == place.evse_uid))
}
