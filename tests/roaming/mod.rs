//! What partners are told.

mod convergence;
mod corrections;
mod delivery;
mod ids;
pub(crate) mod peer;
mod pulled;
mod tariffs;
