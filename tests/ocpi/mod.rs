//! OCPI: what partners send and get.

mod examples;
mod fields;
mod lenience;
mod ludwigsburg;
