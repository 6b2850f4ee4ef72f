//! What a station's coming and going changes.

use super::ChargingError;
use super::record::set_evse_status;
use crate::app::{App, Event};
use crate::db::stations;
use crate::domain::location::EvseStatus;
use crate::domain::station::{BootInfo, StationId};

/// Keeps what a station says of itself; whether it is known and may go on.
///
/// # Errors
/// When the database fails.
pub async fn booted(app: &App, station: &StationId, boot: BootInfo) -> Result<bool, ChargingError> {
    let (id, now) = (station.clone(), app.now());
    let known: Result<bool, ChargingError> =
        app.db.write(move |conn| Ok(stations::set_booted(conn, &id, &boot, now)?)).await;
    if matches!(known, Ok(true)) {
        app.energy.booted(station);
    }
    known
}

/// A station's socket is open.
///
/// # Errors
/// When the database fails.
pub async fn connected(app: &App, station: &StationId) -> Result<(), ChargingError> {
    let (id, now) = (station.clone(), app.now());
    app.db.write(move |conn| Ok::<_, ChargingError>(stations::set_online(conn, &id, true, now)?)).await?;
    app.energy.online(station);
    app.wakes.tell(Event::StationConnected(station.to_string()));
    Ok(())
}

/// A station's socket is closed.
///
/// # Errors
/// When the database fails.
pub async fn disconnected(app: &App, station: &StationId) -> Result<(), ChargingError> {
    let (id, now) = (station.clone(), app.now());
    app.db.write(move |conn| Ok::<_, ChargingError>(stations::set_online(conn, &id, false, now)?)).await?;
    app.energy.offline(station);
    app.wakes.tell(Event::StationDisconnected(station.to_string()));
    Ok(())
}

/// Shows partners UNKNOWN for the EVSEs of stations that have been away for longer than the grace
/// (`ocpp.offline_grace`); the station's next status makes them known again. Returns how many stations that were.
///
/// # Errors
/// When the database fails.
pub async fn forget_absent(app: &App) -> Result<usize, ChargingError> {
    let (clock, grace) = (app.clock.clone(), super::record::delta(app.config.ocpp.offline_grace));
    let absent = app
        .db
        .write(move |conn| {
            let now = clock.now();
            let absent = stations::absent_since(conn, now.minus(grace))?;
            for station in &absent {
                for connector in &station.connectors {
                    set_evse_status(conn, station, &connector.evse_uid, &EvseStatus::Unknown, now)?;
                }
                stations::forget_statuses(conn, &station.id)?;
            }
            Ok::<_, ChargingError>(absent.len())
        })
        .await?;
    if absent > 0 {
        app.wakes.delivery.notify_waiters();
    }
    Ok(absent)
}
