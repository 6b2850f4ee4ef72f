//! Drivers without a contract: from the page to the receipt, and whatever may go wrong between.

mod failures;
mod fake;
mod kills;
mod life;
mod messages;
mod money;
mod scene;
mod station;
