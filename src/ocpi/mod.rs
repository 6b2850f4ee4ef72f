//! OCPI: what partners say and hear (the Open Charge Point Interface).
//!
//! The modules here are the same for every version: the envelope, tokens in headers, routing headers, paging,
//! PATCH, and how wire objects are read. A folder per version holds the objects themselves.

pub mod envelope;
pub mod examine;
pub mod headers;
pub mod paging;
pub mod patch;
pub mod shape;
pub mod token_header;
pub mod v2_2_1;
pub mod wire;
