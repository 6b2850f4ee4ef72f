//! How an order stands: from the command that was made of it, and the session that came of that.

use crate::db::commands::{self, CommandRow};
use crate::db::driver_orders::{Order, OrderKind};
use crate::db::{DbConn, DbResult, sessions};
use crate::domain::Timestamp;
use crate::domain::command::CommandResult;
use crate::domain::session::{Session, SessionStatus};
use chrono::TimeDelta;

/// How long an order may be without its command before that counts as lost.
const UNSENT: TimeDelta = TimeDelta::seconds(60);
/// Sessions of a token that are looked through for the one of an order.
const LOOKED_THROUGH: i64 = 20;
/// How far back of the order its session may begin, by the clock of its CPO.
const CLOCKS: TimeDelta = TimeDelta::minutes(2);

/// How an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// The station or the partner has not said anything yet.
    Requested,
    /// It agreed; a start waits for the car.
    Accepted,
    /// The charge goes on, or went on.
    Started,
    /// The charge has ended.
    Stopped,
    /// Somebody said no.
    Refused,
    /// Something went wrong.
    Failed,
    /// Nobody answered in time.
    Timeout,
    /// It was agreed to, and nothing came of it in time.
    Expired,
}

impl OrderState {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Accepted => "ACCEPTED",
            Self::Started => "STARTED",
            Self::Stopped => "STOPPED",
            Self::Refused => "REFUSED",
            Self::Failed => "FAILED",
            Self::Timeout => "TIMEOUT",
            Self::Expired => "EXPIRED",
        }
    }
}

/// An order and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The order.
    pub order: Order,
    /// How it stands.
    pub state: OrderState,
    /// OCPI's word for what became of it, e.g. `EVSE_OCCUPIED`, once there is one.
    pub result: Option<String>,
    /// Why, for people.
    pub message: Option<String>,
    /// The session that came of it, or that it stops.
    pub session: Option<Session>,
}

/// How an order stands now. A start that was accepted waits as long as `window` for its charge.
///
/// # Errors
/// When the database fails.
pub fn standing(conn: &mut DbConn, order: Order, window: TimeDelta, now: Timestamp) -> DbResult<Standing> {
    if let Some(reason) = &order.body.refused {
        let message = Some(reason.clone());
        return Ok(Standing { order, state: OrderState::Refused, result: None, message, session: None });
    }
    let command = commands::find(conn, &order.id)?;
    let session = session_of(conn, &order)?;
    let state = state_of(&order, command.as_ref(), session.as_ref(), window, now);
    let (result, message) = command.map_or((None, None), |row| (row.result, row.message));
    Ok(Standing { order, state, result, message, session })
}

fn session_of(conn: &mut DbConn, order: &Order) -> DbResult<Option<Session>> {
    let body = &order.body;
    if let Some(id) = &body.session_id {
        return Ok(sessions::find(conn, &body.party, id)?.map(|(session, _)| session));
    }
    if body.kind == OrderKind::CancelReservation {
        return Ok(None);
    }
    let all = sessions::of_tokens(conn, &[body.token()], i64::MAX, false, LOOKED_THROUGH)?;
    let of_party = || all.iter().map(|(_, session)| session).filter(|one| one.party == body.party);
    let referred = |session: &&Session| {
        session.authorization_reference.as_ref().is_some_and(|own| own.as_str() == order.id)
    };
    // Not every CPO repeats the reference (OCPI 2.2.1 mod_commands, "StartSession Object"); then the place and the
    // time must do.
    let meant = |session: &&Session| {
        session.authorization_reference.is_none()
            && session.location_id == body.location_id
            && session.evse_uid == body.evse_uid
            && session.start_date_time >= order.created.minus(CLOCKS)
    };
    let found = of_party().find(referred).or_else(|| of_party().rfind(meant));
    Ok(found.cloned())
}

fn state_of(
    order: &Order,
    command: Option<&CommandRow>,
    session: Option<&Session>,
    window: TimeDelta,
    now: Timestamp,
) -> OrderState {
    let is_over = |session: &Session| session.status == SessionStatus::Completed;
    match (order.body.kind, session) {
        (OrderKind::Start, Some(_)) => return OrderState::Started,
        (OrderKind::Stop, Some(session)) if is_over(session) => return OrderState::Stopped,
        (OrderKind::Reserve, Some(session)) if session.status != SessionStatus::Reservation => {
            return OrderState::Started;
        }
        _ => {}
    }
    let Some(command) = command else {
        let lost = now > order.created.plus(UNSENT);
        return if lost { OrderState::Failed } else { OrderState::Requested };
    };
    let Some(result) = command.result.as_deref().filter(|_| command.state == "DONE") else {
        return OrderState::Requested;
    };
    match CommandResult::from(result) {
        CommandResult::Accepted | CommandResult::CanceledReservation => {
            let waits = match order.body.kind {
                OrderKind::Start => now <= order.created.plus(window),
                OrderKind::Reserve => order.body.expires.is_none_or(|expires| now < expires),
                OrderKind::Stop | OrderKind::CancelReservation => true,
            };
            if waits { OrderState::Accepted } else { OrderState::Expired }
        }
        CommandResult::Timeout => OrderState::Timeout,
        CommandResult::Failed | CommandResult::Other(_) => OrderState::Failed,
        CommandResult::EvseOccupied
        | CommandResult::EvseInoperative
        | CommandResult::NotSupported
        | CommandResult::Rejected
        | CommandResult::UnknownReservation => OrderState::Refused,
    }
}
