//! What tests of several edges use.

pub(crate) mod shared;
