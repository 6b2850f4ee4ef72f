//! What partners are told.

mod convergence;
mod delivery;
mod peer;
mod tariffs;
