//! How a stopped charge becomes a CDR: once, from all its samples in the order of the station's clock.

use super::ChargingError;
use super::account::{UNPLUGGED, tariffs_of, whole};
use super::record::{delta, mark_for_emsp, policy_of, write_session};
use super::signed::signed_data;
use super::start::session_of;
use super::stop::{Ending, basis_of, close};
use crate::app::{App, Event};
use crate::config::ChargingConfig;
use crate::db::charges::{Charge, ChargeState};
use crate::db::{DbConn, DbError, cdrs, charges, meter_samples};
use crate::domain::cdr::{Cdr, CdrLocation};
use crate::domain::location::Location;
use crate::domain::partner::ModuleId;
use crate::domain::session::{Session, SessionStatus};
use crate::domain::{CiString, Extra, Timestamp};
use crate::pricing::{Cost, PricingPolicy, PricingRecord};

/// So many charges are settled in one go.
const BATCH: i64 = 100;

/// Settles the charges whose time has come, closes those whose stop is missing, and returns when the next one
/// is due.
///
/// # Errors
/// When the database fails; the charges that were settled before stay settled.
pub async fn settle_due(app: &App) -> Result<Option<Timestamp>, ChargingError> {
    let policy = policy_of(&app.config.pricing);
    loop {
        let (now, silent) = (app.now(), delta(app.config.charging.stale_session_timeout));
        let due = app
            .db
            .read(move |conn| {
                let mut due = charges::due(conn, now, BATCH)?;
                for session in charges::silent_since(conn, now.minus(silent), BATCH)? {
                    if !due.contains(&session) {
                        due.push(session);
                    }
                }
                Ok::<_, DbError>(due)
            })
            .await?;
        if due.is_empty() {
            return Ok(app.db.read(charges::next_due).await?);
        }
        for session_id in due {
            let charging = app.config.charging.clone();
            let (id, clock) = (session_id.clone(), app.clock.clone());
            let write = move |conn: &mut DbConn| move_on(conn, &id, &charging, &policy, clock.now());
            let done = app.db.write(write).await?;
            app.wakes.delivery.notify_waiters();
            app.wakes.tell(Event::SessionChanged(session_id.clone()));
            if done {
                tracing::info!(session = %session_id, "charge settled");
                app.wakes.tell(Event::CdrWritten(session_id));
            }
        }
    }
}

/// Closes an active charge whose stop is missing; settles a stopped one. Whether a CDR was written.
fn move_on(
    conn: &mut DbConn,
    session_id: &str,
    charging: &ChargingConfig,
    policy: &PricingPolicy,
    now: Timestamp,
) -> Result<bool, ChargingError> {
    let Some(mut charge) = charges::by_session(conn, session_id)? else { return Ok(false) };
    // Looked at again, since another job or node may have moved it on meanwhile.
    let due = charge.settle_at.is_some_and(|at| at <= now);
    let silent = charge.last_at < now.minus(delta(charging.stale_session_timeout));
    match charge.state() {
        ChargeState::Active if due || silent => {
            let ending = Ending {
                at: charge.last_at,
                meter_stop: None,
                reason: "the station never told of the stop",
                settle_at: now.plus(delta(charging.cdr_delay)),
            };
            close(conn, &mut charge, &ending, policy, now)?;
            Ok(false)
        }
        ChargeState::Stopped if due => settle(conn, charge, charging, policy, now),
        ChargeState::Active | ChargeState::Stopped | ChargeState::Settled => Ok(false),
    }
}

fn settle(
    conn: &mut DbConn,
    mut charge: Charge,
    charging: &ChargingConfig,
    policy: &PricingPolicy,
    now: Timestamp,
) -> Result<bool, ChargingError> {
    let samples = meter_samples::of_charge(conn, &charge.session_id)?;
    let left = samples.iter().rev().find(|sample| sample.context == UNPLUGGED).map(|sample| sample.at);
    let tariffs = tariffs_of(charge.tariff.as_ref().map(|tariff| &tariff.0), policy)?;
    let left = left.filter(|_| charging.bill_until_unplugged);
    let running = whole(&basis_of(&charge, &tariffs, left), &samples)?;
    let mut session = session_of(conn, &charge.country_code, &charge.party_id, &charge.session_id)?;
    session.end_date_time = Some(running.reached().at);
    let billable = session.status != SessionStatus::Invalid;
    if billable {
        session.status = SessionStatus::Completed;
        let cost = running.cost(&tariffs)?;
        for warning in &cost.warnings {
            tracing::warn!(session = %charge.session_id, warning = ?warning, "the tariff was not applied in full");
        }
        let mut cdr = cdr_of(&charge, &session, &cost, running.periods(&tariffs)?, now)?;
        cdr.signed_data = signed_data(&charge.session_id, &samples);
        let record = PricingRecord {
            policy: *policy,
            zone: charge.zone.clone(),
            warnings: cost.warnings.clone(),
            interpolated: running.interpolated(),
        };
        cdrs::insert(conn, &cdr, None, Some(&record.to_json()))?;
        mark_for_emsp(conn, &session, &ModuleId::Cdrs, now)?;
    }
    write_session(conn, session, &running, &tariffs, now)?;
    charge.running.0 = running;
    charge.settle_at = None;
    charge.set_state(ChargeState::Settled);
    charges::update(conn, &charge)?;
    Ok(billable)
}

/// The sealed account (OCPI 2.2.1 mod_cdrs, "CDR Object"). Its id is the session's, which has 36 characters.
fn cdr_of(
    charge: &Charge,
    session: &Session,
    cost: &Cost,
    charging_periods: Vec<crate::domain::charging_period::ChargingPeriod>,
    now: Timestamp,
) -> Result<Cdr, ChargingError> {
    Ok(Cdr {
        party: session.party.clone(),
        id: session.id.clone(),
        start_date_time: session.start_date_time,
        end_date_time: session.end_date_time.unwrap_or(now),
        session_id: Some(session.id.clone()),
        cdr_token: session.cdr_token.clone(),
        auth_method: session.auth_method.clone(),
        authorization_reference: session.authorization_reference.clone(),
        cdr_location: cdr_location(&charge.reference.0.location)?,
        meter_id: session.meter_id.clone(),
        currency: session.currency.clone(),
        tariffs: charge.tariff.iter().map(|tariff| tariff.0.clone()).collect(),
        charging_periods,
        signed_data: None,
        total_cost: cost.total.clone(),
        total_fixed_cost: cost.fixed.clone(),
        total_energy: cost.total_energy,
        total_energy_cost: cost.energy.clone(),
        total_time: cost.total_time,
        total_time_cost: cost.time.clone(),
        total_parking_time: Some(cost.total_parking_time),
        total_parking_cost: cost.parking.clone(),
        total_reservation_cost: cost.reservation.clone(),
        remark: charge.stop_reason.clone(),
        invoice_reference_id: None,
        credit: None,
        credit_reference_id: None,
        home_charging_compensation: None,
        last_updated: now,
        extra: Extra::new(),
    })
}

/// The place with its one EVSE and connector, as it was at the start.
fn cdr_location(location: &Location) -> Result<CdrLocation, ChargingError> {
    let incomplete = || DbError::corrupt("charge", "its location has no EVSE with a connector");
    let evse = location.evses().next().ok_or_else(incomplete)?;
    let connector = evse.connectors.first().ok_or_else(incomplete)?;
    Ok(CdrLocation {
        id: location.id.clone(),
        name: location.name.clone(),
        address: location.address.clone(),
        city: location.city.clone(),
        postal_code: location.postal_code.clone(),
        state: location.state.clone(),
        country: location.country.clone(),
        coordinates: location.coordinates.clone(),
        evse_uid: evse.uid.clone(),
        // Required in a CDR, optional in an EVSE; `#NA` says that there is none (OCPI 2.2.1 transport_and_format).
        evse_id: evse.evse_id.clone().unwrap_or_else(|| CiString::from("#NA")),
        connector_id: connector.id.clone(),
        connector_standard: connector.standard.clone(),
        connector_format: connector.format.clone(),
        connector_power_type: connector.power_type.clone(),
        extra: Extra::new(),
    })
}
