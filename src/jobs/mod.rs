//! What runs without a request. Each job is woken when there is work and looks for itself now and then, so that
//! a wake-up that was lost, or that came from another process, costs seconds and not data.

pub mod commands;
pub mod delivery;
pub mod drivers;
pub mod payments;
pub mod receipts;
pub mod search;
pub mod settle;
pub mod site_meters;
pub mod sync;
pub mod tariffs;
