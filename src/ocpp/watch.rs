//! What the sockets of a node must know of the database within two seconds: whose frames somebody watches, and
//! whether the stations are still there and have the same password. The command line changes both without a
//! way to the node.

use super::registry::Registry;
use crate::db::stations::{self, Generation};
use crate::db::{Db, DbError};
use crate::domain::station::StationAuth;
use actix_ws::CloseCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often it asks.
const EVERY: Duration = Duration::from_secs(1);
/// After so many rounds all stations are compared even if nothing seems to have changed: a clock that was set
/// back could hide a change.
const ALL_AFTER: u32 = 15;
/// Stations that are compared with one query.
const CHUNK: usize = 500;

/// Asks once a second, and writes the frame log, until told to stop.
pub async fn run(db: Db, registry: Arc<Registry>, stop: CancellationToken) {
    let log = registry.frames.run(stop.clone());
    let watch = async {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen: Option<Generation> = None;
        let mut rounds = 0;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            rounds += 1;
            if rounds >= ALL_AFTER {
                (rounds, seen) = (0, None);
            }
            match look(&db, &registry, seen).await {
                Ok(generation) => seen = Some(generation),
                Err(error) => tracing::warn!(%error, "whether stations have changed cannot be read"),
            }
        }
    };
    tokio::join!(log, watch);
}

async fn look(db: &Db, registry: &Registry, seen: Option<Generation>) -> Result<Generation, DbError> {
    registry.frames.refresh().await?;
    let generation = db.read(stations::generation).await?;
    if seen == Some(generation) {
        return Ok(generation);
    }
    for seats in registry.all().chunks(CHUNK) {
        let ids: Vec<String> = seats.iter().map(|seat| seat.station.as_str().to_owned()).collect();
        let known = db.read(move |conn| stations::credentials_of(conn, &ids)).await?;
        for seat in seats {
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
    Ok(generation)
}
