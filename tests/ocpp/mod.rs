//! OCPP, as stations see it.

mod admission;
pub(crate) mod client;
mod frames;
mod limits;
mod python_station;
mod schemas;
mod sockets;
