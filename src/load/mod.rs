//! Load management: the breaker never trips, the cars get the most.
//!
//! Pure: no I/O, no clock, no protocol. Amperes, volts and watts are floating-point numbers here, and only here:
//! nothing in this room is money or energy that is sold. What leaves it for a station is a whole number of
//! tenths of an ampere, rounded down.
//!
//! - [`site`] is the site as the operator describes it: a tree of nodes with limits, meters, stations;
//! - [`rows`] is the same as inequalities: one for each node and phase, over all connectors;
//! - [`check`] says whether the site is safe without its backend;
//! - [`solver`] shares what there is, now; [`plan`] looks ahead, with the [`outlook`] of prices, CO₂ and sun;
//! - [`ledger`] knows what each connector may lawfully draw, whatever was lost on the way;
//! - [`control`] ties them together: events in, orders to stations out;
//! - [`replay`] plays sessions again, and has simulators drive our decisions;
//! - [`chart`] draws a day.

pub mod chart;
pub mod check;
pub mod control;
pub mod ledger;
pub mod outlook;
pub mod plan;
pub mod replay;
mod round;
pub mod rows;
pub mod site;
pub mod solver;
