//! What the money side reads: exports of CDRs.

pub mod cdr_export;
mod cdr_row;
