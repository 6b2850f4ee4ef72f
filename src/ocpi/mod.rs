//! OCPI: what partners say and hear (the Open Charge Point Interface).
//!
//! The modules here are the same for every version: the envelope, tokens in headers, routing headers, paging,
//! PATCH, and how wire objects are read. A folder per version holds the objects themselves.

pub mod examine;
pub mod shape;
pub mod v2_2_1;
pub mod wire;
