//! The life of a charge, on both engines.

mod life;
mod orders;
mod site;
