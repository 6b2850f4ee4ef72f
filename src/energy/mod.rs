//! Energy management: the sites of this node under load management, run.
//!
//! [`crate::load`] decides and knows no database, clock or station. This room feeds it with what happens, keeps
//! its ledger durable, and brings its orders to the stations.
//!
//! - [`Energy`] is the way in for everybody else: what happened at a station, a meter, the grid;
//! - `manager` is the task that runs all sites; `runner` is one site in it;
//! - `profiles` puts orders into charging profiles; `desk` is a station's line of orders;
//! - [`sites`] are the use cases on sites: write, check, remove, show, limit.

pub mod day;
mod desk;
mod feed;
mod manager;
mod profiles;
mod record;
mod runner;
pub mod sites;

pub use feed::{Energy, Known, Notices};
pub use manager::run;
