//! OCPI 2.2.1: one folder per module of the specification, each with its wire types and their conversions to
//! and from the domain.

pub mod cdrs;
pub mod commands;
pub mod credentials;
pub mod locations;
mod rounding;
pub mod sessions;
pub mod tariffs;
pub mod tokens;
pub mod types;
pub mod versions;
