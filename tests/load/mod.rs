//! Load management: sites, rows, the solver, the ledger, the controller, and a node that runs them.
#![allow(clippy::float_arithmetic)]

mod acn;
mod bad_input;
mod bench;
mod board;
mod changes;
mod checker;
mod clocks;
mod controller;
mod documented;
mod fair;
mod fallbacks;
mod generate;
mod interleavings;
mod known;
mod mqtt;
mod outlook;
mod planner;
pub(crate) mod replay;
mod safe;
mod sites;
mod times;
