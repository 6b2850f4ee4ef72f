//! Forgets a driver: what the app calls the driver, what the driver was given, asked for and charges with. What accounts
//! rest on stays, the sessions, CDRs and receipts, and nothing tells any more whose they were.

use super::orders::{OrderState, standing};
use crate::app::{App, Event};
use crate::config::Config;
use crate::db::driver_orders::{self, Order, OrderKind};
use crate::db::drivers::{self, Driver};
use crate::db::{DbConn, DbError, commands, sessions};
use crate::domain::party::PartyId;
use crate::domain::token::TokenType;
use crate::domain::{CiString, Timestamp};
use crate::roaming::catalogue::remove_token;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::time::Duration;

/// Why a driver is not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// There is none.
    #[error("there is no driver {0}")]
    Missing(String),
    /// A charge of the driver goes on.
    #[error("the driver's charge {id} of {party} goes on; stop it, and delete the driver when it has ended")]
    Charging {
        /// Whose.
        party: PartyId,
        /// Its session.
        id: CiString,
    },
    /// A charge of the driver may begin at any moment.
    #[error(
        "the driver's start {0} waits for the car; delete the driver when it has come to nothing, or has ended"
    )]
    Starting(String),
    /// An EVSE is kept for the driver.
    #[error("the driver's reservation {0} stands; give it up, and delete the driver then")]
    Reserved(String),
}

/// Charges that go on, of each token, that are looked at.
const MOST_ACTIVE: i64 = 1000;

/// How long a charge and a start count as going on.
#[derive(Debug, Clone, Copy)]
struct Windows {
    /// A charge without news.
    silent: TimeDelta,
    /// A start that was accepted.
    start: TimeDelta,
}

impl Windows {
    fn of(config: &Config) -> Self {
        let delta = |time: Duration| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        Self {
            silent: delta(config.charging.stale_session_timeout),
            start: delta(config.driver.start_window),
        }
    }
}

/// Forgets a driver, for whom `by` asks.
///
/// # Errors
/// When there is none, or a charge, a start or a reservation of the driver goes on; nothing was changed then.
pub async fn erase(app: &App, driver_id: &str, by: &str) -> Result<(), EraseError> {
    let (id, clock, windows) = (driver_id.to_owned(), app.clock.clone(), Windows::of(&app.config));
    app.db
        .write(move |conn| {
            let now = clock.now();
            let driver = drivers::find(conn, &id)?.ok_or_else(|| EraseError::Missing(id.clone()))?;
            check_idle(conn, &driver, windows, now)?;
            forget(conn, &driver, now)
        })
        .await?;
    app.gate.forget_driver(driver_id);
    app.wakes.tell(Event::DriverShutOut(driver_id.to_owned()));
    // Partners are told that the driver's token is good no more.
    app.wakes.delivery.notify_waiters();
    tracing::info!(driver = driver_id, by, "a driver was deleted");
    Ok(())
}

/// That nothing of the driver goes on.
fn check_idle(
    conn: &mut DbConn,
    driver: &Driver,
    windows: Windows,
    now: Timestamp,
) -> Result<(), EraseError> {
    let tokens = drivers::token_keys(conn, &driver.id)?;
    let since = now.minus(windows.silent);
    // A charge whose CPO has fallen silent goes on no more: else a driver could never be deleted.
    let active = sessions::of_tokens(conn, &tokens, i64::MAX, true, MOST_ACTIVE)?;
    if let Some((_, session)) = active.into_iter().find(|(_, session)| session.last_updated >= since) {
        return Err(EraseError::Charging { party: session.party, id: session.id });
    }
    let day_ago = now.minus(TimeDelta::days(1));
    let may_be_open = |order: &Order| match order.body.expires {
        Some(expires) => now < expires,
        None => order.created >= day_ago && order.body.kind != OrderKind::Stop,
    };
    let mut open: BTreeMap<String, OrderKind> = BTreeMap::new();
    for order in driver_orders::of_driver(conn, &driver.id)?.into_iter().filter(may_be_open) {
        let (id, kind, reservation) = (order.id.clone(), order.body.kind, order.body.reservation_id.clone());
        let state = standing(conn, order, windows.start, now)?.state;
        match (kind, state, reservation) {
            (OrderKind::Start | OrderKind::Reserve, OrderState::Requested | OrderState::Accepted, _) => {
                open.insert(id, kind);
            }
            // Given up, which comes after what it gives up.
            (OrderKind::CancelReservation, OrderState::Accepted, Some(reservation)) => {
                open.remove(&reservation);
            }
            _ => {}
        }
    }
    match open.pop_first() {
        None => Ok(()),
        Some((id, OrderKind::Start)) => Err(EraseError::Starting(id)),
        Some((id, _)) => Err(EraseError::Reserved(id)),
    }
}

fn forget(conn: &mut DbConn, driver: &Driver, now: Timestamp) -> Result<(), EraseError> {
    let orders = driver_orders::of_driver(conn, &driver.id)?;
    let orders: Vec<String> = orders.into_iter().map(|order| order.id).collect();
    commands::remove(conn, &orders)?;
    for key in drivers::token_keys(conn, &driver.id)? {
        // What was made for the app is of no use to anybody else; cards are the eMSP's, which may give them to another.
        if key.token_type == TokenType::AppUser {
            remove_token(conn, &key, now)?;
        }
    }
    drivers::remove(conn, &driver.id)?;
    Ok(())
}
