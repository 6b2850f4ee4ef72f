//! What the money side reads: exports of CDRs.

pub mod cdr_export;
