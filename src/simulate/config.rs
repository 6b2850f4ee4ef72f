//! What a simulated station is.

use super::car::PowerCurve;
use super::misbehaviour::Misbehaviour;
use super::rotation::PhaseRotation;
use super::smart::Bounds;
use crate::clock::Clock;
use std::time::Duration;

/// What a simulated station is.
#[derive(Clone)]
pub struct StationConfig {
    /// Base URL; the id is put behind it: `ws://127.0.0.1:8080/ocpp`.
    pub url: String,
    /// Its id.
    pub id: String,
    /// For HTTP Basic authentication; none connects without.
    pub password: Option<String>,
    /// How many connectors, numbered from 1.
    pub connectors: i32,
    /// What they offer.
    pub curve: PowerCurve,
    /// Between meter values, in simulated time (whole seconds).
    pub meter_interval: Duration,
    /// How many times as fast as real time a charge goes.
    pub speed: u32,
    /// Of its random numbers: registers, batteries, jitter.
    pub seed: u64,
    /// Vendor in the BootNotification.
    pub vendor: String,
    /// Model in the BootNotification.
    pub model: String,
    /// When a driver who waits with an accepted token plugs in by itself, in simulated time.
    pub auto_plug: Option<Duration>,
    /// When the cable is taken out by itself after a charge, in simulated time.
    pub auto_unplug: Option<Duration>,
    /// How long an answer is waited for.
    pub call_timeout: Duration,
    /// The first wait before a lost connection is opened again; it doubles.
    pub reconnect_least: Duration,
    /// The longest wait.
    pub reconnect_most: Duration,
    /// How long a reboot takes.
    pub reboot_time: Duration,
    /// The clock that simulated time is read from, to turn it together with a server's; none is one of its own,
    /// which starts at the real time and runs at `speed`.
    pub clock: Option<Clock>,
    /// On which phases of the grid its own are.
    pub rotation: PhaseRotation,
    /// What it can do with charging profiles.
    pub bounds: Bounds,
    /// Phases that the cars use that come by themselves, one of these at random; none means three.
    pub car_phases: Vec<u8>,
    /// Of a hundred cars that come by themselves, how many do not charge again after a pause of ten minutes.
    pub sleepers: u8,
    /// What goes wrong at it.
    pub misbehaviour: Misbehaviour,
}

impl std::fmt::Debug for StationConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StationConfig").field("url", &self.url).field("id", &self.id).finish_non_exhaustive()
    }
}

impl StationConfig {
    /// A wallbox with one connector, in real time, without a password.
    #[must_use]
    pub fn new(url: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            id: id.into(),
            password: None,
            connectors: 1,
            curve: PowerCurve::AC_11,
            meter_interval: Duration::from_secs(10),
            speed: 1,
            seed: 1,
            vendor: "Roamwatt".to_owned(),
            model: "Simulator".to_owned(),
            auto_plug: None,
            auto_unplug: None,
            call_timeout: Duration::from_secs(30),
            reconnect_least: Duration::from_secs(1),
            reconnect_most: Duration::from_secs(30),
            reboot_time: Duration::from_secs(1),
            clock: None,
            rotation: PhaseRotation::Rst,
            bounds: Bounds::default(),
            car_phases: Vec::new(),
            sleepers: 0,
            misbehaviour: Misbehaviour::default(),
        }
    }
}
