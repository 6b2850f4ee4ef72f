//! OCPP, as stations see it.

mod admission;
mod client;
mod frames;
mod python_station;
mod schemas;
mod sockets;
