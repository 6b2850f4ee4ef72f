//! OCPI: what partners send and get.

mod authorize;
mod cdrs;
mod examples;
mod fake;
mod fields;
mod lenience;
mod ludwigsburg;
mod ownership;
mod pages;
mod peer;
mod registering;
mod told;
