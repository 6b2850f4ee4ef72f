//! What a simulated station is doing, as its user sees it.

use super::actor::{Actor, Registration};
use super::connector::Connector;
use super::smart::Level;
use crate::domain::station::ConnectorStatus;

/// What a station is doing now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Whether its socket is open.
    pub online: bool,
    /// Whether the server let it in.
    pub accepted: bool,
    /// Messages about charges that the server has not answered yet.
    pub unsent: usize,
    /// Messages of any kind that the server has not answered yet.
    pub waiting: usize,
    /// What it draws on L1, L2 and L3 of the grid, where its own phases are by its rotation: thousandths of an
    /// ampere, rounded up.
    pub milliamperes: [u64; 3],
    /// Its connectors, from 1.
    pub connectors: Vec<ConnectorSnapshot>,
}

/// What a connector is doing now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorSnapshot {
    /// What it is doing.
    pub status: ConnectorStatus,
    /// Whether a charge is on.
    pub charging: bool,
    /// The id of the charge, once the server gave one.
    pub transaction_id: Option<i64>,
    /// Energy of the charge, Wh.
    pub energy_wh: u64,
    /// The meter, Wh.
    pub register_wh: i32,
    /// The power that flows, W.
    pub watts: u64,
    /// Its part of [`Snapshot::milliamperes`].
    pub milliamperes: [u64; 3],
    /// What it offers the car on each phase, in tenths of an ampere.
    pub offered_deciamperes: u64,
    /// Phases that it offers.
    pub offered_phases: u8,
    /// Whether the car has fallen asleep in a pause.
    pub asleep: bool,
    /// What the profiles say, also where the station does not listen.
    pub limits: LimitsInForce,
}

/// The limits of profiles at a connector, on each phase in tenths of an ampere; none where none says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitsInForce {
    /// Of the station, for all of its connectors together (`ChargePointMaxProfile`).
    pub station: Option<u64>,
    /// Of the transaction (`TxProfile`).
    pub transaction: Option<u64>,
    /// By default (`TxDefaultProfile`); it counts where the transaction has none.
    pub default: Option<u64>,
}

impl Snapshot {
    /// A connector by its number.
    #[must_use]
    pub fn connector(&self, number: i32) -> Option<&ConnectorSnapshot> {
        self.connectors.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

impl Actor {
    /// What it is doing now.
    pub(super) fn take_snapshot(&self) -> Snapshot {
        let connectors: Vec<ConnectorSnapshot> =
            self.connectors.iter().map(|connector| self.connector_snapshot(connector)).collect();
        let mut milliamperes = [0; 3];
        for connector in &connectors {
            for (sum, part) in milliamperes.iter_mut().zip(connector.milliamperes) {
                *sum += part;
            }
        }
        Snapshot {
            online: self.is_up(),
            accepted: self.registration == Registration::Accepted,
            unsent: self.unsent(),
            waiting: self.queue.len() + usize::from(self.in_flight.is_some()),
            milliamperes,
            connectors,
        }
    }

    fn connector_snapshot(&self, connector: &Connector) -> ConnectorSnapshot {
        let transaction = connector.transaction.as_ref();
        let offer = connector.offer.and(connector.rating());
        let limits = &connector.limits;
        ConnectorSnapshot {
            status: connector.status.clone(),
            charging: transaction.is_some(),
            transaction_id: transaction.and_then(|tx| self.transaction_ids.get(&tx.local).copied()),
            energy_wh: connector.energy_wh(),
            register_wh: connector.register_wh(),
            watts: connector.watts(),
            milliamperes: self.config.rotation.to_grid(connector.milliamperes()),
            offered_deciamperes: offer.deciamperes(),
            offered_phases: offer.phases,
            asleep: connector.car.as_ref().is_some_and(super::car::Car::is_asleep),
            limits: LimitsInForce {
                station: limits.station.map(Level::deciamperes),
                transaction: limits.transaction.map(Level::deciamperes),
                default: limits.default.map(Level::deciamperes),
            },
        }
    }
}
