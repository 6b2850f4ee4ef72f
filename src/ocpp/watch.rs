//! What the sockets of a node must know of the database within two seconds: whose frames somebody watches, and
//! whether the stations are still there and have the same password. The command line changes both without a
//! way to the node.

use super::registry::Registry;
use crate::db::{Db, DbError, station_access};
use crate::domain::station::StationAuth;
use actix_ws::CloseCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often it asks.
const EVERY: Duration = Duration::from_secs(1);
/// Stations that are compared with one query.
const CHUNK: usize = 500;

/// Asks once a second, and writes the frame log, until told to stop.
pub async fn run(db: Db, registry: Arc<Registry>, stop: CancellationToken) {
    let log = registry.frames.run(stop.clone());
    let watch = async {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = look(&db, &registry, &mut seen).await {
                tracing::warn!(%error, "whether stations have changed cannot be read");
            }
        }
    };
    tokio::join!(log, watch);
}

/// Compares the stations that are connected: all when something changed, else those that have come since.
async fn look(db: &Db, registry: &Registry, seen: &mut Option<String>) -> Result<(), DbError> {
    registry.frames.refresh().await?;
    let generation = db.read(station_access::generation).await?;
    let changed = *seen != generation;
    let mut seats = registry.all();
    if !changed {
        seats.retain(|seat| !seat.was_compared());
    }
    for seats in seats.chunks(CHUNK) {
        let ids: Vec<String> = seats.iter().map(|seat| seat.station.as_str().to_owned()).collect();
        let known = db.read(move |conn| station_access::credentials_of(conn, &ids)).await?;
        for seat in seats {
            seat.set_compared();
            let reason = match known.get(seat.station.as_str()) {
                None => "the station was removed",
                // One that needs no password now may stay, however it came in.
                Some((StationAuth::None, _)) => continue,
                Some((StationAuth::Basic, hash)) if *hash == seat.password_hash => continue,
                Some(_) => "the station's password was changed",
            };
            tracing::info!(station = %seat.station, reason, "a station is disconnected");
            seat.close(CloseCode::Policy, reason, false);
        }
    }
    *seen = generation;
    Ok(())
}
