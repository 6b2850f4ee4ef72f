//! What partners are told.

mod convergence;
mod delivery;
mod ids;
mod peer;
