//! How a charge grows: meter values and what stations say of their connectors.

use super::account::{Basis, take, tariffs_of, whole, zone_of};
use super::start::session_of;
use super::{ChargingError, account};
pub(super) use crate::app::policy_of;
use crate::app::{App, Event};
use crate::db::changes::{self, ObjectKey};
use crate::db::charges::{ChargeState, RunningCharge};
use crate::db::late_messages::LateMessage;
use crate::db::meter_samples::Sample;
use crate::db::{DbConn, charges, late_messages, locations, meter_samples, sessions, stations};
use crate::domain::Timestamp;
use crate::domain::location::EvseStatus;
use crate::domain::partner::ModuleId;
use crate::domain::party::{LOCATION_AUDIENCE, Role};
use crate::domain::session::Session;
use crate::domain::station::{ConnectorStatus, MeterSample, StationId};
use crate::pricing::{PricingPolicy, RunningCost, Tariffs};
use crate::security::digest;
use chrono::TimeDelta;
use std::time::Duration;

/// The context of a sample that is a status.
pub(super) const STATUS: &str = "Status";

/// Meter values of a station (OCPP 1.6, 4.7 MeterValues).
#[derive(Debug, Clone)]
pub struct MeterValues {
    /// OCPP's connector number; 0 is the station's main meter.
    pub connector: i32,
    /// The charge, if the station names it.
    pub transaction_id: Option<i32>,
    /// The values.
    pub samples: Vec<MeterSample>,
    /// As it came.
    pub raw: String,
}

/// What a station says of a connector (OCPP 1.6, 4.9 StatusNotification).
#[derive(Debug, Clone)]
pub struct ConnectorReport {
    /// OCPP's connector number; 0 is the station itself.
    pub connector: i32,
    /// Its state.
    pub status: ConnectorStatus,
    /// `NoError` where there is none.
    pub error_code: String,
    /// By the station's clock, or ours where it does not say.
    pub at: Timestamp,
    /// Whether the station said when it was.
    pub is_dated: bool,
}

/// A duration of the configuration, for computing with timestamps.
pub(super) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// What a meter value becomes in the database.
pub(super) fn sample_of(sample: &MeterSample) -> Sample {
    Sample {
        at: sample.at,
        context: sample.context.clone(),
        register: sample.register,
        power: sample.power_kw,
        current: sample.current_a,
        activity: None,
        digest: digest(&[&sample.context, &sample.raw]),
        raw: sample.raw.clone(),
        signed: sample.signed.clone(),
    }
}

/// Records meter values. They are durable when this returns. Values of a charge that is not known, or is
/// settled, are kept apart without effect; values without a charge belong to the one that goes on at that
/// connector, or to none.
///
/// # Errors
/// When the database fails.
pub async fn meter_values(app: &App, station: &StationId, values: MeterValues) -> Result<(), ChargingError> {
    let (id, connector, samples) = (station, values.connector, values.samples.clone());
    let (station, clock) = (station.clone(), app.clock.clone());
    let policy = policy_of(&app.config.pricing);
    let changed = app
        .db
        .write(move |conn| {
            let now = clock.now();
            let charge = match values.transaction_id {
                Some(id) => charges::running(conn, station.as_str(), id)?,
                None => {
                    let Some(at) = values.samples.first().map(|sample| sample.at) else { return Ok(None) };
                    let open = charges::open_at(conn, station.as_str(), values.connector, at)?;
                    let Some(open) = open else { return Ok(None) };
                    charges::running(conn, station.as_str(), open.transaction_id)?
                }
            };
            let late = |reason: &str, session_id: Option<String>| LateMessage {
                seq: 0,
                station_id: station.to_string(),
                received_at: now,
                action: "MeterValues".to_owned(),
                reason: reason.to_owned(),
                session_id,
                payload: values.raw.clone(),
            };
            let Some(charge) = charge else {
                let message = late("no charge of that transaction id at this station", None);
                keep_late(conn, &message)?;
                return Ok(None);
            };
            if charge.state() == ChargeState::Settled {
                let known = all_known(conn, &charge.session_id, &values.samples)?;
                if !known {
                    let message =
                        late("the charge was settled before this came", Some(charge.session_id.clone()));
                    keep_late(conn, &message)?;
                }
                return Ok(None);
            }
            let samples: Vec<Sample> = values.samples.iter().map(sample_of).collect();
            add_samples(conn, &station, &charge, &samples, &policy, now)
        })
        .await?;
    app.energy.metered(id, connector, &samples);
    if let Some(session_id) = changed {
        app.wakes.delivery.notify_waiters();
        app.wakes.tell(Event::SessionChanged(session_id));
    }
    Ok(())
}

/// Keeps a message that came too late or names nothing, once.
pub(super) fn keep_late(conn: &mut DbConn, message: &LateMessage) -> Result<(), ChargingError> {
    tracing::info!(station = %message.station_id, action = %message.action, reason = %message.reason, "kept without effect");
    let digest = digest(&[&message.action, &message.payload]);
    Ok(late_messages::keep(conn, message, &digest)?)
}

/// Whether every sample was recorded before: then the message is a repetition, not news.
pub(super) fn all_known(
    conn: &mut DbConn,
    session_id: &str,
    new: &[MeterSample],
) -> Result<bool, ChargingError> {
    let known = meter_samples::of_charge(conn, session_id)?;
    Ok(new
        .iter()
        .map(sample_of)
        .all(|sample| known.iter().any(|old| old.at == sample.at && old.digest == sample.digest)))
}

/// Adds samples to a charge that is not settled, and what follows from them; the session's id when anything
/// was new. One from a clock that is a century ahead is kept without effect.
fn add_samples(
    conn: &mut DbConn,
    station: &StationId,
    charge: &RunningCharge,
    samples: &[Sample],
    policy: &PricingPolicy,
    now: Timestamp,
) -> Result<Option<String>, ChargingError> {
    let mut new = Vec::new();
    for sample in samples {
        if meter_samples::insert(conn, &charge.session_id, sample)? {
            new.push(sample);
        }
    }
    if new.is_empty() {
        return Ok(None);
    }
    let tariffs = tariffs_of(charge.tariff.as_ref().map(|tariff| &tariff.0), policy)?;
    let basis = Basis {
        tariffs: &tariffs,
        zone: zone_of(&charge.zone),
        started_at: charge.started_at,
        meter_start: charge.meter_start,
        stopped_at: charge.stopped_at,
        meter_stop: charge.meter_stop,
        unplugged_at: None,
    };
    let mut running = charge.running.0.clone();
    let mut last_at = charge.last_at;
    // One that is older than what the account holds belongs before it: then all is computed anew, in order.
    let in_order = charge.stopped_at.is_none()
        && new.iter().try_fold(last_at, |last, sample| (sample.at > last).then_some(sample.at)).is_some();
    if in_order {
        for sample in &new {
            take(&mut running, &basis, sample)?;
        }
    } else {
        running = whole(&basis, &meter_samples::of_charge(conn, &charge.session_id)?)?;
    }
    for sample in &new {
        if running.can_reach(sample.at) {
            last_at = last_at.max(sample.at);
        } else {
            let at = sample.at;
            tracing::warn!(%station, session = %charge.session_id, %at, "a century after the last meter value: kept without effect");
        }
    }
    // News of a charge whose stop was thought to be missing: it goes on.
    let settle_at = if charge.state() == ChargeState::Active { None } else { charge.settle_at };
    charges::update_running(conn, &charge.session_id, &running, last_at, settle_at)?;
    let session = session_of(conn, &charge.country_code, &charge.party_id, &charge.session_id)?;
    write_session(conn, session, &running, &tariffs, now)?;
    Ok(Some(charge.session_id.clone()))
}

/// Writes a session with what the account says, and marks it for the eMSP whose driver charges.
pub(super) fn write_session(
    conn: &mut DbConn,
    mut session: Session,
    running: &RunningCost,
    tariffs: &Tariffs,
    now: Timestamp,
) -> Result<(), ChargingError> {
    session.kwh = running.energy();
    session.charging_periods = running.periods(tariffs)?;
    session.total_cost = Some(running.cost(tariffs)?.total);
    session.last_updated = now.max(session.last_updated);
    sessions::upsert(conn, &session, None)?;
    mark_for_emsp(conn, &session, &ModuleId::Sessions, now)
}

/// Marks a session or CDR for the partner that speaks for the token's eMSP.
pub(super) fn mark_for_emsp(
    conn: &mut DbConn,
    session: &Session,
    module: &ModuleId,
    now: Timestamp,
) -> Result<(), ChargingError> {
    if let Some(emsp) = &session.cdr_token.party
        && let Some(partner) = changes::speaker(conn, emsp, &Role::Emsp)?
    {
        changes::mark(conn, partner, module, &ObjectKey::of(&session.party, &session.id), now)?;
    }
    Ok(())
}

/// Closes the charges that still seem to go on at a connector where another one begins: their stop is missing.
pub(super) fn close_superseded(
    conn: &mut DbConn,
    station: &StationId,
    connector: i32,
    at: Timestamp,
    settle_delay: TimeDelta,
) -> Result<(), ChargingError> {
    for mut charge in charges::active_at(conn, station.as_str(), Some(connector))? {
        if charge.started_at < at {
            charge.stopped_at = Some(charge.last_at.min(at));
            charge.stop_reason = Some("superseded by the next start".to_owned());
            charge.set_state(ChargeState::Stopped);
            charge.settle_at = Some(at.max(charge.last_at).plus(settle_delay));
            charges::update(conn, &charge)?;
        }
    }
    Ok(())
}

/// Records what a station says of a connector: for the operator, for partners as the EVSE's state, and for the
/// charge that goes on there, where it matters to the bill.
///
/// # Errors
/// When the database fails.
pub async fn connector_status(
    app: &App,
    station: &StationId,
    report: ConnectorReport,
) -> Result<(), ChargingError> {
    let said = report.is_dated.then_some(report.at);
    app.energy.status(station, report.connector, &report.status, said);
    let (station, clock) = (station.clone(), app.clock.clone());
    let policy = policy_of(&app.config.pricing);
    let charging = app.config.charging.clone();
    let changed = app
        .db
        .write(move |conn| {
            let now = clock.now();
            let Some(known) = stations::find(conn, &station)? else { return Ok(None) };
            let numbers: Vec<i32> = match report.connector {
                0 => Vec::new(),
                number => vec![number],
            };
            for number in numbers {
                let newer = stations::set_connector_status(
                    conn,
                    &station,
                    number,
                    &report.status,
                    &report.error_code,
                    report.at,
                )?;
                if newer {
                    publish_evse_status(conn, &known.id, number, now)?;
                }
            }
            let Some(open) = charges::open_at(conn, station.as_str(), report.connector, report.at)? else {
                // The car has left after the stop: the station, which sends in order, has sent all it had.
                return settle_after_leaving(conn, &station, &report, &charging, now);
            };
            if open.state() == ChargeState::Active && leaves(&report.status) && report.at > open.started_at {
                let close_at = now.plus(delta(charging.missing_stop_grace));
                charges::update_running(
                    conn,
                    &open.session_id,
                    &open.running.0,
                    open.last_at,
                    Some(close_at),
                )?;
                return Ok(Some(open.session_id));
            }
            if open.state() == ChargeState::Stopped && leaves(&report.status) {
                return settle_after_leaving(conn, &station, &report, &charging, now);
            }
            let flows = matches!(
                report.status,
                ConnectorStatus::Charging | ConnectorStatus::SuspendedEv | ConnectorStatus::SuspendedEvse
            );
            if !flows {
                return Ok(None);
            }
            let Some(charge) = charges::running(conn, station.as_str(), open.transaction_id)? else {
                return Ok(None);
            };
            let word = report.status.as_str();
            let sample = Sample {
                at: report.at,
                context: STATUS.to_owned(),
                register: None,
                power: None,
                current: None,
                activity: Some(word.to_owned()),
                digest: digest(&[STATUS, word]),
                raw: word.to_owned(),
                signed: Vec::new(),
            };
            add_samples(conn, &station, &charge, &[sample], &policy, now)
        })
        .await?;
    app.wakes.delivery.notify_waiters();
    if let Some(session_id) = changed {
        app.wakes.settle.notify_waiters();
        app.wakes.tell(Event::SessionChanged(session_id));
    }
    Ok(())
}

/// Whether the state says that no car is charging there any more.
fn leaves(status: &ConnectorStatus) -> bool {
    matches!(status, ConnectorStatus::Available | ConnectorStatus::Preparing | ConnectorStatus::Reserved)
}

/// After the stop, a free connector says that nothing is missing: the charge settles at once. Where parking is
/// billed until the car has left, this is its end.
fn settle_after_leaving(
    conn: &mut DbConn,
    station: &StationId,
    report: &ConnectorReport,
    charging: &crate::config::ChargingConfig,
    now: Timestamp,
) -> Result<Option<String>, ChargingError> {
    if report.status != ConnectorStatus::Available {
        return Ok(None);
    }
    let stopped = charges::stopped_at_connector(conn, station.as_str(), report.connector, report.at)?;
    let Some(mut charge) = stopped else { return Ok(None) };
    if charging.bill_until_unplugged {
        let left = Sample {
            at: report.at,
            context: account::UNPLUGGED.to_owned(),
            register: None,
            power: None,
            current: None,
            activity: None,
            digest: digest(&[account::UNPLUGGED]),
            raw: report.status.to_string(),
            signed: Vec::new(),
        };
        meter_samples::insert(conn, &charge.session_id, &left)?;
    }
    charge.settle_at = Some(now);
    charges::update(conn, &charge)?;
    Ok(Some(charge.session_id))
}

/// Shows partners the state of the EVSE that a connector belongs to: the most telling of its connectors'.
fn publish_evse_status(
    conn: &mut DbConn,
    station: &StationId,
    number: i32,
    now: Timestamp,
) -> Result<(), ChargingError> {
    let Some(station) = stations::find(conn, station)? else { return Ok(()) };
    let Some(connector) = station.connectors.iter().find(|found| found.number == number) else {
        return Ok(());
    };
    let states = station
        .connectors
        .iter()
        .filter(|found| found.evse_uid == connector.evse_uid)
        .filter_map(|found| found.status.as_ref())
        .map(ConnectorStatus::to_evse_status);
    let Some(status) = states.min_by_key(weight) else { return Ok(()) };
    let evse_uid = connector.evse_uid.clone();
    set_evse_status(conn, &station, &evse_uid, &status, now)
}

/// Writes the state of an EVSE into its location and marks it for partners, if it changed.
pub(super) fn set_evse_status(
    conn: &mut DbConn,
    station: &crate::domain::station::Station,
    evse_uid: &crate::domain::CiString,
    status: &EvseStatus,
    now: Timestamp,
) -> Result<(), ChargingError> {
    let Some(mut location) = locations::find(conn, &station.party, &station.location_id)? else {
        return Ok(());
    };
    let Some(evse) = location.evse_mut(evse_uid) else { return Ok(()) };
    if evse.status == *status || evse.status == EvseStatus::Removed {
        return Ok(());
    }
    evse.status = status.clone();
    evse.last_updated = now;
    location.last_updated = now;
    locations::update_states(conn, &location)?;
    let key = ObjectKey::of_evse(&location.party, &location.id, evse_uid);
    changes::mark_for_roles(conn, LOCATION_AUDIENCE, &ModuleId::Locations, &key, now)?;
    Ok(())
}

/// Which state of several connectors says most of their EVSE, which charges one car at a time.
fn weight(status: &EvseStatus) -> u8 {
    match status {
        EvseStatus::Charging => 0,
        EvseStatus::Reserved => 1,
        EvseStatus::Blocked => 2,
        EvseStatus::Available => 3,
        EvseStatus::Inoperative => 4,
        EvseStatus::OutOfOrder => 5,
        EvseStatus::Planned | EvseStatus::Removed | EvseStatus::Unknown | EvseStatus::Other(_) => 6,
    }
}
