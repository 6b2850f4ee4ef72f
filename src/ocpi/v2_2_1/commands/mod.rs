//! The commands module (OCPI 2.2.1).

mod convert;
pub mod handlers;
mod shape;
pub mod wire;

pub use convert::Addressed;
