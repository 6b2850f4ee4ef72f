//! The life of a charge, on both engines.

mod life;
mod orders;
pub(crate) mod site;
mod tariffs;
