//! Charges at our own stations: what the session's document does not say.

use super::portable::Kept;
use super::schema::charges;
use super::types::Json;
use super::{DbConn, DbResult};
use crate::domain::location::Location;
use crate::domain::tariff::Tariff;
use crate::domain::{Kwh, Timestamp};
use crate::pricing::RunningCost;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// Where a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeState {
    /// Going on.
    Active,
    /// Stopped; the CDR is written when `settle_at` has come.
    Stopped,
    /// The CDR is written; nothing changes it any more.
    Settled,
}

impl ChargeState {
    fn of(word: &str) -> Self {
        match word {
            "STOPPED" => Self::Stopped,
            "SETTLED" => Self::Settled,
            _ => Self::Active,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Stopped => "STOPPED",
            Self::Settled => "SETTLED",
        }
    }
}

/// What the CDR must show as it was at the start of the charge (OCPI 2.2.1 mod_cdrs, "sealed").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The location with the one EVSE and connector.
    pub location: Location,
    /// The command that started it, if one did.
    pub command_id: Option<String>,
    /// What the station was told of the idTag, so that it is told the same when it asks again.
    pub id_tag_status: String,
    /// The idTag's group, as the station was told.
    pub parent_id_tag: Option<String>,
}

/// What a meter value needs of a charge: little is read, since it comes thousands of times a second.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = charges, check_for_backend(super::Backend))]
pub struct RunningCharge {
    /// Key of its session.
    pub session_id: String,
    /// CPO's country.
    pub country_code: String,
    /// CPO's id.
    pub party_id: String,
    /// By the station's clock.
    pub started_at: Timestamp,
    /// The register then.
    pub meter_start: Kwh,
    /// By the station's clock.
    pub stopped_at: Option<Timestamp>,
    /// The register then.
    pub meter_stop: Option<Kwh>,
    /// Where it stands.
    pub state: String,
    /// When it is to be settled, or closed.
    pub settle_at: Option<Timestamp>,
    /// The location's zone.
    pub zone: String,
    /// The tariff at the start; none means free of charge.
    pub tariff: Option<Json<Tariff>>,
    /// What it costs so far.
    pub running: Json<RunningCost>,
    /// The newest sample or status that the running cost holds.
    pub last_at: Timestamp,
}

impl RunningCharge {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ChargeState {
        ChargeState::of(&self.state)
    }
}

/// A charge.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = charges, check_for_backend(super::Backend), treat_none_as_null = true)]
pub struct Charge {
    /// Key of its session.
    pub session_id: String,
    /// CPO's country.
    pub country_code: String,
    /// CPO's id.
    pub party_id: String,
    /// Where.
    pub station_id: String,
    /// OCPP's connector number.
    pub connector: i32,
    /// OCPP's transaction id.
    pub transaction_id: i32,
    /// By what it was started.
    pub id_tag: String,
    /// Digest of the start's content: the same content is the same start.
    pub start_key: String,
    /// By the station's clock.
    pub started_at: Timestamp,
    /// The register then.
    pub meter_start: Kwh,
    /// By the station's clock.
    pub stopped_at: Option<Timestamp>,
    /// The register then.
    pub meter_stop: Option<Kwh>,
    /// OCPP's reason.
    pub stop_reason: Option<String>,
    /// Digest of the stop's content.
    pub stop_key: Option<String>,
    /// Where it stands.
    pub state: String,
    /// When the CDR is to be written.
    pub settle_at: Option<Timestamp>,
    /// The location's zone.
    pub zone: String,
    /// The tariff at the start; none means free of charge.
    pub tariff: Option<Json<Tariff>>,
    /// What it costs so far.
    pub running: Json<RunningCost>,
    /// What else the CDR shows.
    pub reference: Json<Reference>,
    /// The newest sample or status that the running cost holds.
    pub last_at: Timestamp,
}

impl Charge {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ChargeState {
        ChargeState::of(&self.state)
    }

    /// Moves it on.
    pub fn set_state(&mut self, state: ChargeState) {
        state.as_str().clone_into(&mut self.state);
    }
}

/// How far a charge has come, and what it costs so far.
///
/// # Errors
/// When the database fails.
pub fn progress(conn: &mut DbConn, session_id: &str) -> DbResult<Option<(ChargeState, RunningCost)>> {
    let row: Option<(String, Json<RunningCost>)> =
        charges::table.find(session_id).select((charges::state, charges::running)).first(conn).optional()?;
    Ok(row.map(|(state, running)| (ChargeState::of(&state), running.0)))
}

/// Adds a charge.
///
/// # Errors
/// A unique violation when its transaction id is taken.
pub fn insert(conn: &mut DbConn, charge: &Charge) -> DbResult<()> {
    diesel::insert_into(charges::table).values(charge).execute(conn)?;
    Ok(())
}

/// Writes a charge in place of the one that is there.
///
/// # Errors
/// When the database fails.
pub fn update(conn: &mut DbConn, charge: &Charge) -> DbResult<()> {
    diesel::update(charges::table.find(&charge.session_id)).set(charge).execute(conn)?;
    Ok(())
}

/// What a meter value changes of a charge: little, since it comes thousands of times a second.
///
/// # Errors
/// When the database fails.
pub fn update_running(
    conn: &mut DbConn,
    session_id: &str,
    running: &RunningCost,
    last_at: Timestamp,
    settle_at: Option<Timestamp>,
) -> DbResult<()> {
    let update = diesel::update(charges::table.find(session_id)).set((
        charges::running.eq(Json(running.clone())),
        charges::last_at.eq(last_at),
        charges::settle_at.eq(settle_at),
    ));
    Kept(update).execute(conn)?;
    Ok(())
}

/// The charge with that transaction id at that station: a station can touch only its own.
///
/// # Errors
/// When the database fails.
pub fn by_transaction(conn: &mut DbConn, station_id: &str, transaction_id: i32) -> DbResult<Option<Charge>> {
    Ok(charges::table
        .filter(charges::transaction_id.eq(transaction_id))
        .filter(charges::station_id.eq(station_id))
        .select(Charge::as_select())
        .first(conn)
        .optional()?)
}

/// The same, as far as a meter value needs it.
///
/// # Errors
/// When the database fails.
pub fn running(conn: &mut DbConn, station_id: &str, transaction_id: i32) -> DbResult<Option<RunningCharge>> {
    Ok(charges::table
        .filter(charges::transaction_id.eq(transaction_id))
        .filter(charges::station_id.eq(station_id))
        .select(RunningCharge::as_select())
        .first(conn)
        .optional()?)
}

/// Whether a transaction id is taken, at whatever station.
///
/// # Errors
/// When the database fails.
pub fn is_taken(conn: &mut DbConn, transaction_id: i32) -> DbResult<bool> {
    let query = charges::table.filter(charges::transaction_id.eq(transaction_id));
    Ok(diesel::select(diesel::dsl::exists(query)).get_result(conn)?)
}

/// The charge of a session of ours.
///
/// # Errors
/// When the database fails.
pub fn by_session(conn: &mut DbConn, session_id: &str) -> DbResult<Option<Charge>> {
    Ok(charges::table.find(session_id).select(Charge::as_select()).first(conn).optional()?)
}

/// The charge that a start of that content began.
///
/// # Errors
/// When the database fails.
pub fn by_start(conn: &mut DbConn, start_key: &str) -> DbResult<Option<Charge>> {
    Ok(charges::table
        .filter(charges::start_key.eq(start_key))
        .select(Charge::as_select())
        .first(conn)
        .optional()?)
}

/// The charges that go on at a station, at one connector or at all.
///
/// # Errors
/// When the database fails.
pub fn active_at(conn: &mut DbConn, station_id: &str, connector: Option<i32>) -> DbResult<Vec<Charge>> {
    let mut query = charges::table
        .filter(charges::station_id.eq(station_id))
        .filter(charges::state.eq(ChargeState::Active.as_str()))
        .select(Charge::as_select())
        .into_boxed::<super::Backend>();
    if let Some(connector) = connector {
        query = query.filter(charges::connector.eq(connector));
    }
    Ok(query.load(conn)?)
}

/// The charge at a connector that covers a moment, whether it goes on or waits to be settled.
///
/// # Errors
/// When the database fails.
pub fn open_at(
    conn: &mut DbConn,
    station_id: &str,
    connector: i32,
    at: Timestamp,
) -> DbResult<Option<Charge>> {
    Ok(charges::table
        .filter(charges::station_id.eq(station_id))
        .filter(charges::connector.eq(connector))
        .filter(charges::state.ne(ChargeState::Settled.as_str()))
        .filter(charges::started_at.le(at))
        .filter(charges::stopped_at.is_null().or(charges::stopped_at.ge(at)))
        .order(charges::started_at.desc())
        .select(Charge::as_select())
        .first(conn)
        .optional()?)
}

/// Whether a charge with that idTag goes on somewhere.
///
/// # Errors
/// When the database fails.
pub fn active_with_id_tag(conn: &mut DbConn, id_tag: &str) -> DbResult<Option<Charge>> {
    Ok(charges::table
        .filter(charges::id_tag.eq(id_tag))
        .filter(charges::state.eq(ChargeState::Active.as_str()))
        .select(Charge::as_select())
        .first(conn)
        .optional()?)
}

/// The sessions of the charges whose time has come, the longest due first: those that stopped and are to be
/// settled, and those whose stop is missing and that are to be closed.
///
/// # Errors
/// When the database fails.
pub fn due(conn: &mut DbConn, now: Timestamp, limit: i64) -> DbResult<Vec<String>> {
    Ok(charges::table
        .filter(charges::settle_at.le(now))
        .filter(charges::state.ne(ChargeState::Settled.as_str()))
        .order(charges::settle_at)
        .limit(limit)
        .select(charges::session_id)
        .load(conn)?)
}

/// When the next charge is due.
///
/// # Errors
/// When the database fails.
pub fn next_due(conn: &mut DbConn) -> DbResult<Option<Timestamp>> {
    let next: Option<Option<Timestamp>> = charges::table
        .filter(charges::state.ne(ChargeState::Settled.as_str()))
        .filter(charges::settle_at.is_not_null())
        .order(charges::settle_at)
        .select(charges::settle_at)
        .first(conn)
        .optional()?;
    Ok(next.flatten())
}

/// The sessions of charges that go on and of which nothing was heard since a time.
///
/// # Errors
/// When the database fails.
pub fn silent_since(conn: &mut DbConn, since: Timestamp, limit: i64) -> DbResult<Vec<String>> {
    Ok(charges::table
        .filter(charges::state.eq(ChargeState::Active.as_str()))
        .filter(charges::last_at.lt(since))
        .limit(limit)
        .select(charges::session_id)
        .load(conn)?)
}

/// The newest charge at a connector that stopped at or before a moment and is not settled.
///
/// # Errors
/// When the database fails.
pub fn stopped_at_connector(
    conn: &mut DbConn,
    station_id: &str,
    connector: i32,
    at: Timestamp,
) -> DbResult<Option<Charge>> {
    Ok(charges::table
        .filter(charges::station_id.eq(station_id))
        .filter(charges::connector.eq(connector))
        .filter(charges::state.eq(ChargeState::Stopped.as_str()))
        .filter(charges::stopped_at.le(at))
        .order(charges::stopped_at.desc())
        .select(Charge::as_select())
        .first(conn)
        .optional()?)
}
