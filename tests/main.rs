//! The tests through the real edges, one binary, laid out like the edges.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::disallowed_methods, missing_docs)]

mod charging;
mod cli;
mod db;
mod driver;
mod house;
mod load;
mod ocpi;
mod ocpp;
mod pay;
mod payments;
mod pricing;
mod roaming;
mod story;
mod support;
mod web;
