//! The credentials module (OCPI 2.2.1).

mod convert;
mod shape;
pub mod wire;

pub use convert::roles_of;
