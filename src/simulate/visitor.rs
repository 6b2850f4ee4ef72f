//! The driver of a fleet: comes to a connector, charges, goes, and comes again.

use super::station::{SimError, StationSim};
use fastrand::Rng;
use std::time::Duration;

/// A driver who comes to a connector again and again.
pub(super) struct Driver {
    pub(super) station: StationSim,
    pub(super) connector: i32,
    pub(super) id_tag: String,
    pub(super) share: u64,
    pub(super) speed: u64,
    pub(super) rng: Rng,
}

impl Driver {
    pub(super) async fn come_and_go(mut self) {
        if self.share == 0 {
            return;
        }
        // The share that charges does so from the beginning, not only after the first hour.
        if self.rng.u64(0..100) < self.share {
            self.wait_seconds(0, 20).await;
        } else {
            self.stay_away().await;
        }
        loop {
            drop(self.charge().await);
            drop(self.station.unplug(self.connector).await);
            self.stay_away().await;
        }
    }

    async fn charge(&mut self) -> Result<(), SimError> {
        self.station.wait_for(Duration::from_secs(3600), |now| now.accepted).await?;
        self.station.plug_in(self.connector).await?;
        self.wait_seconds(2, 15).await;
        self.station.present_token(self.connector, &self.id_tag).await?;
        // 20 to 90 minutes; a car that is full stays and blocks, as they do.
        self.wait_seconds(1200, 5400).await;
        self.station.stop(self.connector).await?;
        self.wait_seconds(5, 50).await;
        Ok(())
    }

    /// As long as makes the wanted share of time charging: 55 minutes on average with the car.
    async fn stay_away(&mut self) {
        let average = 3300 * (100 - self.share) / self.share;
        self.wait_seconds(average / 2, average * 3 / 2 + 1).await;
    }

    /// Waits a random time between two numbers of simulated seconds.
    async fn wait_seconds(&mut self, least: u64, most: u64) {
        let millis = self.rng.u64(least * 1000..=most * 1000) / self.speed;
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
