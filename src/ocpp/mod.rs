//! The edge to charging stations: OCPP over WebSocket (OCPP-J).
//!
//! - [`upgrade`] lets a station in: who it is, and which version it speaks;
//! - [`registry`] knows the sockets of this node, and is the way to stations for the use cases;
//! - [`connection`] is one station's socket: calls in both directions, one at a time each;
//! - [`frame`] reads and writes the three kinds of frame and says how a bad one is answered;
//! - [`wire`] reads payloads leniently and writes them strictly, for every version;
//! - [`v1_6`] holds the messages of OCPP 1.6, one file per action, and what a call of a station does;
//! - [`frame_log`] keeps the frames of stations that somebody watches, [`watch`] asks once a second who.

mod connection;
mod credentials;
pub mod frame;
mod frame_log;
pub mod registry;
mod upgrade;
pub mod v1_6;
pub mod watch;
pub mod wire;

pub use registry::Registry;

use actix_web::web;
use std::sync::Arc;

/// Where stations connect: `/ocpp/{station id}`.
pub fn configure(service: &mut web::ServiceConfig, stations: &Arc<Registry>) {
    service.service(
        web::resource("/ocpp/{station:.*}")
            .app_data(web::Data::from(Arc::clone(stations)))
            .route(web::get().to(upgrade::connect)),
    );
}
