//! OCPI: what partners send and get.

mod authorize;
mod calling;
mod cdrs;
mod commands;
mod complaints;
mod complete;
mod examples;
pub(crate) mod fake;
mod fields;
mod ids;
mod lenience;
mod ludwigsburg;
mod ownership;
mod pages;
pub(crate) mod peer;
mod pulling;
pub(crate) mod registering;
mod signed;
mod told;
