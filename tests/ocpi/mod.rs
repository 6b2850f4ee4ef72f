//! OCPI: what partners send and get.

mod authorize;
mod calling;
mod cdrs;
mod commands;
mod complaints;
mod examples;
mod fake;
mod fields;
mod ids;
mod ludwigsburg;
mod lenience;
mod ownership;
mod pages;
mod peer;
mod pulling;
mod registering;
mod told;
mod signed;
