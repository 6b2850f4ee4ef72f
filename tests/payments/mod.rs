//! Drivers without a contract: from the page to the receipt, and whatever may go wrong between.

mod bad_line;
mod bad_messages;
mod failures;
pub(crate) mod fake;
mod kills;
mod life;
mod messages;
mod money;
mod postman;
mod proxy;
mod refund_news;
pub(crate) mod scene;
pub(crate) mod station;
mod stripe_local;
mod terminals;
