//! OCPP, as stations see it.

mod admission;
mod client;
mod frames;
mod schemas;
mod sockets;
