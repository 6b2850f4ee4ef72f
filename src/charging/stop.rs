//! How a charge ends.

use super::account::{Basis, tariffs_of, whole, zone_of};
use super::authorize::{IdTagDecision, IdTagStatus};
use super::record::{all_known, delta, keep_late, policy_of, sample_of, write_session};
use super::start::session_of;
use super::{ChargingError, account};
use crate::app::{App, Event};
use crate::config::ChargingConfig;
use crate::db::charges::{Charge, ChargeState};
use crate::db::late_messages::LateMessage;
use crate::db::tokens::id_tag_of;
use crate::db::{DbConn, charges, meter_samples, tokens};
use crate::domain::station::{MeterSample, StationId};
use crate::domain::{Kwh, Timestamp};
use crate::pricing::{PricingPolicy, Tariffs};
use crate::security::digest;
use rust_decimal::Decimal;

/// A station says that a charge ended (OCPP 1.6, 4.10 StopTransaction).
#[derive(Debug, Clone)]
pub struct StopTransaction {
    /// The charge.
    pub transaction_id: i32,
    /// By what it was stopped, if by a token.
    pub id_tag: Option<String>,
    /// When, by the station's clock.
    pub at: Timestamp,
    /// The import register then, Wh.
    pub meter_stop_wh: Decimal,
    /// OCPP's reason.
    pub reason: String,
    /// Meter values that came with it.
    pub samples: Vec<MeterSample>,
    /// As it came.
    pub raw: String,
}

/// Ends a charge; returns what the station is told of the idTag, if it named one. The same content again is the
/// same stop. A stop of a charge that is not known, or is settled, is kept without effect. One that comes after
/// the charge was closed for want of a stop, and before it settled, wins.
///
/// # Errors
/// When the database fails.
pub async fn stop_transaction(
    app: &App,
    station: &StationId,
    stop: StopTransaction,
) -> Result<Option<IdTagDecision>, ChargingError> {
    let transaction = stop.transaction_id;
    let mut stopping = Stopping {
        station: station.clone(),
        stop_key: digest(&[
            &stop.transaction_id.to_string(),
            &stop.at.to_string(),
            &stop.meter_stop_wh.normalize().to_string(),
            &stop.reason,
        ]),
        meter_stop: Kwh::from_wh(stop.meter_stop_wh)?,
        stop,
        now: app.now(),
        policy: policy_of(&app.config.pricing),
        charging: app.config.charging.clone(),
    };
    let clock = app.clock.clone();
    let write = move |conn: &mut DbConn| {
        stopping.now = clock.now();
        stopping.write(conn)
    };
    let (session_id, decision) = app.db.write(write).await?;
    app.energy.ended(station, transaction);
    if let Some(session_id) = session_id {
        tracing::info!(station = %station, session = %session_id, "charge stopped");
        app.wakes.settle.notify_waiters();
        app.wakes.delivery.notify_waiters();
        app.wakes.tell(Event::SessionChanged(session_id));
    }
    Ok(decision)
}

struct Stopping {
    station: StationId,
    stop: StopTransaction,
    stop_key: String,
    meter_stop: Kwh,
    now: Timestamp,
    policy: PricingPolicy,
    charging: ChargingConfig,
}

impl Stopping {
    fn write(&self, conn: &mut DbConn) -> Result<(Option<String>, Option<IdTagDecision>), ChargingError> {
        let decision = self.stop.id_tag.as_deref().map(|id_tag| told_of(conn, id_tag)).transpose()?;
        let found = charges::by_transaction(conn, self.station.as_str(), self.stop.transaction_id)?;
        let Some(mut charge) = found else {
            self.keep(conn, "no charge of that transaction id at this station", None)?;
            return Ok((None, decision));
        };
        match charge.state() {
            ChargeState::Settled => {
                let same = charge.stop_key.as_deref() == Some(&self.stop_key)
                    && all_known(conn, &charge.session_id, &self.stop.samples)?;
                if !same {
                    self.keep(conn, "the charge was settled before this came", Some(charge.session_id))?;
                }
                return Ok((None, decision));
            }
            ChargeState::Stopped if charge.stop_key.as_deref() == Some(&self.stop_key) => {
                return Ok((None, decision));
            }
            ChargeState::Stopped if charge.stop_key.is_some() => {
                self.keep(conn, "the charge was stopped otherwise before", Some(charge.session_id))?;
                return Ok((None, decision));
            }
            // Going on, or closed by us for want of a stop: the station's own word wins.
            ChargeState::Stopped | ChargeState::Active => {}
        }
        for sample in &self.stop.samples {
            meter_samples::insert(conn, &charge.session_id, &sample_of(sample))?;
        }
        charge.stop_key = Some(self.stop_key.clone());
        let ending = Ending {
            at: self.stop.at.max(charge.started_at),
            meter_stop: Some(self.meter_stop),
            reason: &self.stop.reason,
            settle_at: self.settle_at(),
        };
        close(conn, &mut charge, &ending, &self.policy, self.now)?;
        Ok((Some(charge.session_id), decision))
    }

    /// With a delay, in which late meter values still count; where parking is billed until the car has left,
    /// when it leaves, or at last when nothing was heard for long.
    fn settle_at(&self) -> Timestamp {
        let delay = if self.charging.bill_until_unplugged {
            self.charging.stale_session_timeout
        } else {
            self.charging.cdr_delay
        };
        self.now.plus(delta(delay))
    }

    fn keep(&self, conn: &mut DbConn, reason: &str, session_id: Option<String>) -> Result<(), ChargingError> {
        let message = LateMessage {
            seq: 0,
            station_id: self.station.to_string(),
            received_at: self.now,
            action: "StopTransaction".to_owned(),
            reason: reason.to_owned(),
            session_id,
            payload: self.stop.raw.clone(),
        };
        keep_late(conn, &message)
    }
}

/// How a charge ends.
pub(super) struct Ending<'a> {
    /// When.
    pub(super) at: Timestamp,
    /// The register then, if it is known.
    pub(super) meter_stop: Option<Kwh>,
    /// Why.
    pub(super) reason: &'a str,
    /// When the CDR is written.
    pub(super) settle_at: Timestamp,
}

/// Moves a charge to its end and tells partners, in the account as it now is.
pub(super) fn close(
    conn: &mut DbConn,
    charge: &mut Charge,
    ending: &Ending<'_>,
    policy: &PricingPolicy,
    now: Timestamp,
) -> Result<(), ChargingError> {
    charge.stopped_at = Some(ending.at);
    charge.meter_stop = ending.meter_stop;
    charge.stop_reason = Some(ending.reason.to_owned());
    charge.settle_at = Some(ending.settle_at);
    charge.set_state(ChargeState::Stopped);
    charge.last_at = charge.last_at.max(ending.at);
    let tariffs = tariffs_of(charge.tariff.as_ref().map(|tariff| &tariff.0), policy)?;
    let samples = meter_samples::of_charge(conn, &charge.session_id)?;
    let running = whole(&basis_of(charge, &tariffs, None), &samples)?;
    charge.running.0 = running.clone();
    charges::update(conn, charge)?;
    let mut session = session_of(conn, &charge.country_code, &charge.party_id, &charge.session_id)?;
    session.end_date_time = Some(running.reached().at);
    write_session(conn, session, &running, &tariffs, now)
}

/// What the account of a charge is made from.
pub(super) fn basis_of<'a>(
    charge: &Charge,
    tariffs: &'a Tariffs,
    unplugged_at: Option<Timestamp>,
) -> account::Basis<'a> {
    Basis {
        tariffs,
        zone: zone_of(&charge.zone),
        started_at: charge.started_at,
        meter_start: charge.meter_start,
        stopped_at: charge.stopped_at,
        meter_stop: charge.meter_stop,
        unplugged_at,
    }
}

/// What a station is told of the token that stopped a charge. It never keeps the charge from ending; whether it
/// may start another one is asked again then.
fn told_of(conn: &mut DbConn, id_tag: &str) -> Result<IdTagDecision, ChargingError> {
    let known = tokens::by_id_tag(conn, id_tag)?;
    let token = known.iter().find(|(token, _)| token.valid).or_else(|| known.first()).map(|(token, _)| token);
    let status = match token {
        Some(token) if token.valid => IdTagStatus::Accepted,
        Some(_) => IdTagStatus::Blocked,
        None => IdTagStatus::Invalid,
    };
    let group = token.and_then(|token| token.group_id.as_ref());
    Ok(IdTagDecision { status, parent_id_tag: group.map(id_tag_of) })
}
