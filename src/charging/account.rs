//! What a charge has cost at any moment: samples in, running cost out. The same steps serve the running charge
//! and the final account.

use super::ChargingError;
use crate::db::meter_samples::Sample;
use crate::domain::station::ConnectorStatus;
use crate::domain::tariff::Tariff;
use crate::domain::{Kwh, Timestamp};
use crate::pricing::{Activity, PricingPolicy, Progress, RunningCost, Tariffs};

/// What the account of a charge is made from, beside its samples.
#[derive(Debug, Clone)]
pub struct Basis<'a> {
    /// The tariff at the start, made ready; none means free of charge.
    pub tariffs: &'a Tariffs,
    /// The location's zone.
    pub zone: chrono_tz::Tz,
    /// When it began, by the station's clock.
    pub started_at: Timestamp,
    /// The import register then.
    pub meter_start: Kwh,
    /// When it stopped, if it did.
    pub stopped_at: Option<Timestamp>,
    /// The register then, if the station told it.
    pub meter_stop: Option<Kwh>,
    /// When the car left, if parking is billed until then.
    pub unplugged_at: Option<Timestamp>,
}

/// The context of the sample that says when the car left.
pub(super) const UNPLUGGED: &str = "Unplugged";

/// Reads an IANA zone; UTC where the name is not one.
#[must_use]
pub fn zone_of(name: &str) -> chrono_tz::Tz {
    name.parse().unwrap_or(chrono_tz::UTC)
}

/// Makes the tariff of a charge ready.
///
/// # Errors
/// When a number in it is beyond what is computed with.
pub fn tariffs_of(tariff: Option<&Tariff>, policy: &PricingPolicy) -> Result<Tariffs, ChargingError> {
    Ok(Tariffs::new(tariff, *policy)?)
}

/// The account at the start.
///
/// # Errors
/// When the tariff cannot be read.
pub fn open(basis: &Basis<'_>) -> Result<RunningCost, ChargingError> {
    let start = Progress::measured(basis.started_at, Kwh::ZERO, Activity::Charging);
    Ok(RunningCost::start(basis.tariffs, basis.zone, start)?)
}

/// Takes one more sample, which must not be older than the last one. A sample from before the start or after
/// the stop says nothing about the charge, and neither does one a century after the last, from a clock that is off; a
/// register that falls back is a fault of the meter and counts as standing still.
///
/// # Errors
/// When it cannot be priced.
pub fn take(running: &mut RunningCost, basis: &Basis<'_>, sample: &Sample) -> Result<(), ChargingError> {
    let stopped = basis.stopped_at.is_some_and(|stop| sample.at > stop);
    if sample.at < basis.started_at || stopped || !running.can_reach(sample.at) {
        return Ok(());
    }
    let last = running.reached();
    let mut energy = None;
    if let Some(register) = sample.register {
        let measured = running.energy().max(register.minus(basis.meter_start)?);
        energy = Some(delivered(basis)?.map_or(measured, |most| measured.min(most)));
    }
    let activity = sample.activity.as_deref().map_or(last.activity, activity_of);
    let next = Progress { at: sample.at, energy, current_a: sample.current, activity, tariff: last.tariff };
    Ok(running.advance(basis.tariffs, next)?)
}

/// The whole account from all samples in the order of time; closed where the charge has stopped.
///
/// # Errors
/// When it cannot be priced.
pub fn whole(basis: &Basis<'_>, samples: &[Sample]) -> Result<RunningCost, ChargingError> {
    let mut running = open(basis)?;
    for sample in samples {
        take(&mut running, basis, sample)?;
    }
    let Some(stopped_at) = basis.stopped_at else { return Ok(running) };
    // A clock that was set back while charging: the charge ends no earlier than its last sample. From a clock that is a
    // century ahead, it ends there.
    let reached = running.reached();
    let at = if running.can_reach(stopped_at) { stopped_at.max(reached.at) } else { reached.at };
    let energy = delivered(basis)?.unwrap_or(running.energy());
    let parked = basis.unplugged_at.filter(|left| *left > at && running.can_reach(*left));
    let activity = if parked.is_some() { Activity::Parking } else { reached.activity };
    let end = |at| Progress { tariff: reached.tariff, ..Progress::measured(at, energy, activity) };
    running.advance(basis.tariffs, end(at))?;
    if let Some(at) = parked {
        running.advance(basis.tariffs, end(at))?;
    }
    Ok(running)
}

/// The energy between the two registers of start and stop; never negative.
fn delivered(basis: &Basis<'_>) -> Result<Option<Kwh>, ChargingError> {
    let Some(meter_stop) = basis.meter_stop else { return Ok(None) };
    Ok(Some(meter_stop.minus(basis.meter_start)?.max(Kwh::ZERO)))
}

/// SuspendedEV means that the car does not ask for power; whatever else keeps it from charging is not the
/// driver's doing (OCPI 2.2.1 mod_cdrs, "PARKING_TIME").
fn activity_of(status: &str) -> Activity {
    match ConnectorStatus::from(status) {
        ConnectorStatus::SuspendedEv => Activity::Parking,
        _ => Activity::Charging,
    }
}
