//! Stations and their connectors.

use super::page::{Page, Slice};
use super::schema::{station_connectors, stations};
use super::{DbConn, DbError, DbResult, station_access};
use crate::domain::assignment::ConnectorRef;
use crate::domain::party::PartyId;
use crate::domain::station::{BootInfo, ConnectorStatus, Station, StationAuth, StationConnector, StationId};
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;
use std::collections::HashMap;

#[derive(Queryable, Selectable)]
#[diesel(table_name = stations)]
struct Row {
    id: String,
    country_code: String,
    party_id: String,
    location_id: String,
    auth: String,
    vendor: Option<String>,
    model: Option<String>,
    serial_number: Option<String>,
    firmware_version: Option<String>,
    booted_at: Option<Timestamp>,
    last_seen: Option<Timestamp>,
    online: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = station_connectors)]
struct ConnectorRow {
    station_id: String,
    number: i32,
    evse_uid: String,
    connector_id: String,
    status: Option<String>,
    error_code: Option<String>,
    status_at: Option<Timestamp>,
}

fn connector(row: ConnectorRow) -> (String, StationConnector) {
    let ConnectorRow { station_id, number, evse_uid, connector_id, status, error_code, status_at } = row;
    let connector = StationConnector {
        number,
        evse_uid: evse_uid.into(),
        connector_id: connector_id.into(),
        status: status.as_deref().map(ConnectorStatus::from),
        error_code,
        status_at,
    };
    (station_id, connector)
}

fn station(row: Row, connectors: Vec<StationConnector>) -> DbResult<Station> {
    let bad = |why| DbError::corrupt("station", why);
    let boot = row.vendor.map(|vendor| BootInfo {
        vendor,
        model: row.model.unwrap_or_default(),
        serial_number: row.serial_number,
        firmware_version: row.firmware_version,
    });
    Ok(Station {
        id: StationId::parse(&row.id).map_err(bad)?,
        party: PartyId::new(&row.country_code, &row.party_id).map_err(bad)?,
        location_id: row.location_id.into(),
        auth: station_access::auth_of(&row.auth),
        boot,
        booted_at: row.booted_at,
        last_seen: row.last_seen,
        online: row.online,
        connectors,
    })
}

/// Adds a station with its connectors.
///
/// # Errors
/// A unique violation when the id, or one of the connectors, is taken.
pub fn insert(conn: &mut DbConn, new: &Station, password_hash: Option<&str>, now: Timestamp) -> DbResult<()> {
    let auth = match new.auth {
        StationAuth::None => "none",
        StationAuth::Basic => "basic",
    };
    diesel::insert_into(stations::table)
        .values((
            stations::id.eq(new.id.as_str()),
            stations::country_code.eq(new.party.country_code()),
            stations::party_id.eq(new.party.party_id()),
            stations::location_id.eq(new.location_id.as_str()),
            stations::auth.eq(auth),
            stations::password_hash.eq(password_hash),
            stations::online.eq(false),
            stations::created.eq(now),
            stations::last_updated.eq(now),
        ))
        .execute(conn)?;
    for connector in &new.connectors {
        diesel::insert_into(station_connectors::table)
            .values((
                station_connectors::station_id.eq(new.id.as_str()),
                station_connectors::number.eq(connector.number),
                station_connectors::country_code.eq(new.party.country_code()),
                station_connectors::party_id.eq(new.party.party_id()),
                station_connectors::location_id.eq(new.location_id.key()),
                station_connectors::evse_uid.eq(connector.evse_uid.as_str()),
                station_connectors::connector_id.eq(connector.connector_id.as_str()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// One station.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, id: &StationId) -> DbResult<Option<Station>> {
    let row: Option<Row> =
        stations::table.find(id.as_str()).select(Row::as_select()).first(conn).optional()?;
    let Some(row) = row else { return Ok(None) };
    let connectors: Vec<ConnectorRow> = station_connectors::table
        .filter(station_connectors::station_id.eq(id.as_str()))
        .order(station_connectors::number)
        .select(ConnectorRow::as_select())
        .load(conn)?;
    station(row, connectors.into_iter().map(|row| connector(row).1).collect()).map(Some)
}

/// Which stations are meant; what is not given does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StationFilter {
    /// Whose.
    pub party: Option<PartyId>,
    /// Where.
    pub location_id: Option<CiString>,
    /// Whether a node holds its socket.
    pub online: Option<bool>,
}

/// A page of stations, by id.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut DbConn, page: Page) -> DbResult<Slice<Station>> {
    list_filtered(conn, &StationFilter::default(), page)
}

/// A page of the stations that are meant, by id.
///
/// # Errors
/// When the database fails.
pub fn list_filtered(conn: &mut DbConn, filter: &StationFilter, page: Page) -> DbResult<Slice<Station>> {
    let build = || {
        let mut query = stations::table.into_boxed::<super::Backend>();
        if let Some(party) = &filter.party {
            query = query
                .filter(stations::country_code.eq(party.country_code().to_owned()))
                .filter(stations::party_id.eq(party.party_id().to_owned()));
        }
        if let Some(location) = &filter.location_id {
            // The connectors hold it folded.
            let there = station_connectors::table
                .filter(station_connectors::location_id.eq(location.key()))
                .select(station_connectors::station_id);
            query = query.filter(stations::id.eq_any(there));
        }
        if let Some(online) = filter.online {
            query = query.filter(stations::online.eq(online));
        }
        query
    };
    let total = build().count().get_result(conn)?;
    let rows: Vec<Row> = build()
        .order(stations::id)
        .offset(page.offset)
        .limit(page.limit)
        .select(Row::as_select())
        .load(conn)?;
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let all: Vec<ConnectorRow> = station_connectors::table
        .filter(station_connectors::station_id.eq_any(ids))
        .order(station_connectors::number)
        .select(ConnectorRow::as_select())
        .load(conn)?;
    let mut by_station: HashMap<String, Vec<StationConnector>> = HashMap::new();
    for row in all {
        let (id, connector) = connector(row);
        by_station.entry(id).or_default().push(connector);
    }
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let connectors = by_station.remove(&row.id).unwrap_or_default();
        items.push(station(row, connectors)?);
    }
    Ok(Slice { items, total })
}

/// Removes a station; its charges stay. Whether it was there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, id: &StationId) -> DbResult<bool> {
    diesel::delete(station_connectors::table.filter(station_connectors::station_id.eq(id.as_str())))
        .execute(conn)?;
    station_access::next_generation(conn)?;
    Ok(diesel::delete(stations::table.find(id.as_str())).execute(conn)? > 0)
}

/// Which stations (id, connector number) serve a connector of a location; with no EVSE or connector named, all
/// that match.
///
/// # Errors
/// When the database fails.
pub fn serving(
    conn: &mut DbConn,
    party: &PartyId,
    location_id: &CiString,
) -> DbResult<Vec<(StationId, StationConnector)>> {
    let rows: Vec<ConnectorRow> = station_connectors::table
        .filter(station_connectors::country_code.eq(party.country_code()))
        .filter(station_connectors::party_id.eq(party.party_id()))
        .filter(station_connectors::location_id.eq(location_id.key()))
        .order((station_connectors::station_id, station_connectors::number))
        .select(ConnectorRow::as_select())
        .load(conn)?;
    rows.into_iter()
        .map(|row| {
            let (id, connector) = connector(row);
            Ok((StationId::parse(&id).map_err(|why| DbError::corrupt("station", why))?, connector))
        })
        .collect()
}

/// The connectors that a station of a party serves; none where there is no such station.
///
/// # Errors
/// When the database fails.
pub fn connectors_of(conn: &mut DbConn, party: &PartyId, station_id: &str) -> DbResult<Vec<ConnectorRef>> {
    let rows: Vec<(String, String, String)> = station_connectors::table
        .filter(station_connectors::station_id.eq(station_id))
        .filter(station_connectors::country_code.eq(party.country_code()))
        .filter(station_connectors::party_id.eq(party.party_id()))
        .order(station_connectors::number)
        .select((
            station_connectors::location_id,
            station_connectors::evse_uid,
            station_connectors::connector_id,
        ))
        .load(conn)?;
    let connector = |(location_id, evse_uid, connector_id): (String, String, String)| ConnectorRef {
        location_id: location_id.into(),
        evse_uid: evse_uid.into(),
        connector_id: connector_id.into(),
    };
    Ok(rows.into_iter().map(connector).collect())
}

/// Keeps what a station says of itself. Whether it is there.
///
/// # Errors
/// When the database fails.
pub fn set_booted(conn: &mut DbConn, id: &StationId, boot: &BootInfo, now: Timestamp) -> DbResult<bool> {
    let changed = diesel::update(stations::table.find(id.as_str()))
        .set((
            stations::vendor.eq(&boot.vendor),
            stations::model.eq(&boot.model),
            stations::serial_number.eq(boot.serial_number.as_deref()),
            stations::firmware_version.eq(boot.firmware_version.as_deref()),
            stations::booted_at.eq(now),
            stations::last_seen.eq(now),
        ))
        .execute(conn)?;
    Ok(changed > 0)
}

/// Keeps whether a node holds its socket, and when it was last heard.
///
/// # Errors
/// When the database fails.
pub fn set_online(conn: &mut DbConn, id: &StationId, online: bool, now: Timestamp) -> DbResult<()> {
    diesel::update(stations::table.find(id.as_str()))
        .set((stations::online.eq(online), stations::last_seen.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// After a start: no node holds any socket yet.
///
/// # Errors
/// When the database fails.
pub fn set_all_offline(conn: &mut DbConn) -> DbResult<()> {
    diesel::update(stations::table.filter(stations::online.eq(true)))
        .set(stations::online.eq(false))
        .execute(conn)?;
    Ok(())
}

/// Keeps what a station says of a connector, unless something newer is known of it. Whether it was kept.
///
/// # Errors
/// When the database fails.
pub fn set_connector_status(
    conn: &mut DbConn,
    id: &StationId,
    number: i32,
    status: &ConnectorStatus,
    error_code: &str,
    at: Timestamp,
) -> DbResult<bool> {
    let changed = diesel::update(
        station_connectors::table
            .filter(station_connectors::station_id.eq(id.as_str()))
            .filter(station_connectors::number.eq(number))
            .filter(station_connectors::status_at.is_null().or(station_connectors::status_at.le(at))),
    )
    .set((
        station_connectors::status.eq(status.as_str()),
        station_connectors::error_code.eq(error_code),
        station_connectors::status_at.eq(at),
    ))
    .execute(conn)?;
    Ok(changed > 0)
}

/// Stations that are away since before a time and of whose connectors a state is still shown.
///
/// # Errors
/// When the database fails.
pub fn absent_since(conn: &mut DbConn, since: Timestamp) -> DbResult<Vec<Station>> {
    let ids: Vec<String> = stations::table
        .filter(stations::online.eq(false))
        .filter(stations::last_seen.lt(since))
        .filter(diesel::dsl::exists(
            station_connectors::table
                .filter(station_connectors::station_id.eq(stations::id))
                .filter(station_connectors::status.is_not_null()),
        ))
        .limit(100)
        .select(stations::id)
        .load(conn)?;
    let mut found = Vec::new();
    for id in ids {
        let id = StationId::parse(&id).map_err(|why| DbError::corrupt("station", why))?;
        found.extend(find(conn, &id)?);
    }
    Ok(found)
}

/// Forgets what a station said of its connectors.
///
/// # Errors
/// When the database fails.
pub fn forget_statuses(conn: &mut DbConn, id: &StationId) -> DbResult<()> {
    diesel::update(station_connectors::table.filter(station_connectors::station_id.eq(id.as_str())))
        .set((
            station_connectors::status.eq(None::<String>),
            station_connectors::error_code.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(())
}
