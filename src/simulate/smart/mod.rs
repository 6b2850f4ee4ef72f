//! What a station does with charging profiles by itself (OCPP 1.6, 3.13, 5.5, 5.7, 5.16 and the errata to
//! them): keeps them, decides which is in force, tells the composite schedule, shares its own limit.
//!
//! It knows neither sockets nor clocks, so that the text can be held against it case by case.

mod composite;
mod installed;
mod level;
mod schedule;
mod share;
#[cfg(test)]
mod tests;

pub use composite::Outlet;
pub use installed::{Bounds, Charge, Criteria, InForce, Profiles, Refusal};
pub use level::{Level, VOLTS};
pub use schedule::sooner;
pub use share::{Wish, share};
