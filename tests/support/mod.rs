//! What tests of several edges use.

pub(crate) mod db;
pub(crate) mod node;
pub(crate) mod not_run;
pub(crate) mod openapi;
pub(crate) mod shared;
