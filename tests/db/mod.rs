//! The database through its own door, on both engines.

mod connecting;
mod migrations;
mod tariffs;
mod writing;
