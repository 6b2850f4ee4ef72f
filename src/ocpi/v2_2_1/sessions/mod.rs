//! The sessions module (OCPI 2.2.1).

mod convert;
pub mod handlers;
pub mod preferences;
pub(crate) mod shape;
pub mod wire;
