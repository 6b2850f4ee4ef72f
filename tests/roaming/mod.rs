//! What partners are told.

mod convergence;
mod delivery;
pub(crate) mod peer;
mod pulled;
