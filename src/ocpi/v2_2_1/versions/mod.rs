//! The versions module (OCPI 2.2.1 version_information_endpoint).

mod convert;
pub mod handlers;
mod shape;
pub mod wire;
