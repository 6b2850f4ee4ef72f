//! What the money side reads: exports of CDRs, and why one costs what it costs.

pub mod cdr_export;
mod cdr_row;
pub mod explain;
