//! Use cases on a charge: who may charge, how a charge begins, grows, ends and becomes a CDR, and what is asked
//! of a station. Knows no protocol: the way to a station is the trait [`StationLink`].
//!
//! A charge is three rows: the session (what partners see), the charge (what it was begun with and what it costs
//! so far) and its samples (every meter value and status, once). While it runs, the cost grows with each sample;
//! when it settles, everything is computed once more from the samples in the order of the station's clock, so
//! the CDR does not depend on the order or the number of times in which the messages came.

pub mod account;
pub mod authorize;
pub mod correct;
pub mod link;
pub mod record;
pub mod remote;
pub mod settle;
mod signed;
pub mod start;
pub mod station;
pub mod stop;
pub mod tariff_choice;

pub use link::{StationAnswer, StationCall, StationCallError, StationLink};

use crate::db::DbError;
use crate::domain::ValueError;
use crate::pricing::PricingError;

/// Why a use case on a charge failed.
#[derive(Debug, thiserror::Error)]
pub enum ChargingError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// It cannot be priced.
    #[error("the charge cannot be priced")]
    Pricing(#[from] PricingError),
    /// A number is out of range.
    #[error("the charge holds a value that is out of range")]
    Value(#[from] ValueError),
    /// The station is not known, or was removed.
    #[error("the station {0} is not known")]
    UnknownStation(String),
    /// It has no such connector.
    #[error("the station {station} has no connector {connector}")]
    UnknownConnector {
        /// The station.
        station: String,
        /// OCPP's number.
        connector: i32,
    },
    /// Its location is not there any more.
    #[error("the location {0} of the station is not known")]
    UnknownLocation(String),
}
