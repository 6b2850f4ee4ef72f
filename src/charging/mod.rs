//! Use cases on a charge: who may charge, how a charge begins, grows, ends and becomes a CDR, and what is asked
//! of a station. Knows no protocol: the way to a station is the trait [`StationLink`].

pub mod link;

pub use link::{StationAnswer, StationCall, StationCallError, StationLink};
