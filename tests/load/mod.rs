//! Load management: sites, rows, the solver.
#![allow(clippy::float_arithmetic)]

mod acn;
mod bad_input;
mod board;
mod checker;
mod controller;
mod documented;
mod fair;
mod fallbacks;
mod generate;
mod interleavings;
mod known;
mod mqtt;
mod planner;
mod replay;
mod safe;
mod sites;
mod times;
