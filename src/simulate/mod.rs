//! Simulated charging stations: real OCPP 1.6 over real WebSockets, against any server.
//!
//! - [`StationSim`] is one station with a handle: plug in, present a token, cut its connection, watch it. The
//!   demo and the tests use it.
//! - [`run_fleet`] runs many with drivers who come and go, or puts a measured load of meter values on a server
//!   ([`Rate`]).
//!
//! Stations keep charging profiles and obey them as OCPP 1.6, 3.13 says ([`smart`]): offline and over a reboot as
//! well, shared among their connectors, followed by cars of one to three phases that pause below 6 A. Some may be
//! told to misbehave ([`Misbehaviour`]).
//!
//! A charge goes by simulated time, which begins at the real time and may run faster, or be turned together with
//! a server's (see [`clock`]); energy
//! is counted in whole millijoules, and the meter never runs back. The messages follow OCPP 1.6 with one call
//! in flight; what concerns a charge is kept while the station is offline and sent in its order with its own
//! timestamps (OCPP 1.6, 3.7).

mod actor;
mod answers;
mod calls;
pub mod car;
pub mod clock;
mod config;
mod connector;
mod driver;
mod fleet;
mod keys;
mod link;
mod load;
mod misbehaviour;
mod orders;
mod power;
mod progress;
mod rotation;
pub mod smart;
mod snapshot;
mod station;
pub mod stats;
#[cfg(test)]
mod tests;
mod variety;
mod visitor;

pub use car::{CarConfig, PowerCurve};
pub use config::StationConfig;
pub use fleet::{FleetError, FleetOptions, FleetReport, run_fleet};
pub use link::LinkError;
pub use load::{LoadReport, Rate};
pub use misbehaviour::{Every, Misbehaviour, ProfileManners};
pub use rotation::PhaseRotation;
pub use snapshot::{ConnectorSnapshot, LimitsInForce, Snapshot};
pub use station::{Event, SimError, StationSim};
pub use variety::{Misdeed, Variety};
