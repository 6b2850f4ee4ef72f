//! The database through its own door, on both engines.

mod connecting;
mod drivers;
mod migrations;
mod tariffs;
mod writing;
