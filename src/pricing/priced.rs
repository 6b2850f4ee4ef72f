//! A period and the price components that were active in it: what explanations are made from.

use super::select::Slot;
use crate::domain::Timestamp;

/// A period as it was priced.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PricedPeriod {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Its tariff; none means that none is relevant.
    pub(super) tariff: Option<u16>,
    /// Pico-kWh.
    pub(super) energy: i128,
    /// Parts of an hour.
    pub(super) charging: i128,
    pub(super) parking: i128,
    pub(super) reserved: i128,
    pub(super) energy_slot: Option<Slot>,
    pub(super) time_slot: Option<Slot>,
    pub(super) parking_slot: Option<Slot>,
    pub(super) reservation_slot: Option<Slot>,
    /// The energy at its start was not measured but interpolated.
    pub(super) interpolated: bool,
}
