//! What is wished for the car of a transaction. It is on the connector's page, and ends with the transaction.

use super::Millis;
use serde::{Deserialize, Serialize};

/// What a driver or an eMSP wishes for a car. It only ever narrows what the site allows.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Wish {
    /// No more than this, amperes.
    pub most_amps: Option<f64>,
    /// Energy that is still wanted, kWh.
    pub energy_kwh: Option<f64>,
    /// When the car leaves.
    pub departure: Option<Millis>,
    /// Its class, in place of the connector's.
    pub class: Option<i32>,
}

/// A wish, with the charge that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KeptWish {
    /// What is wished.
    pub wish: Wish,
    /// The meter's register from which its energy counts, kWh: the first that was seen after it.
    pub from: Option<f64>,
}
