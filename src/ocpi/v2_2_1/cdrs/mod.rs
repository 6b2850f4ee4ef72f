//! The cdrs module (OCPI 2.2.1).

mod convert;
pub(crate) mod shape;
pub mod wire;
