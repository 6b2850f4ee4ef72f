//! The edge to charging stations: OCPP over WebSocket (OCPP-J).
//!
//! - [`frame`] reads and writes the three kinds of frame and says how a bad one is answered;
//! - [`wire`] reads payloads leniently and writes them strictly, for every version;
//! - [`v1_6`] holds the messages of OCPP 1.6, one file per action.

pub mod frame;
pub mod v1_6;
pub mod wire;
