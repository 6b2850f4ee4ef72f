//! The versions module (OCPI 2.2.1 version_information_endpoint).

mod convert;
mod shape;
pub mod wire;
