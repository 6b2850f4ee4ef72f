//! The cdrs module (OCPI 2.2.1).

mod convert;
pub mod handlers;
pub(crate) mod shape;
pub mod wire;
