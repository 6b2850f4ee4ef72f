//! What drivers asked for: starts, stops and reservations, each whole as a document.

use super::schema::driver_orders as orders;
use super::types::Json;
use super::{Backend, DbConn, DbResult};
use crate::domain::party::PartyId;
use crate::domain::token::{TokenKey, TokenType};
use crate::domain::{CiString, Timestamp};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderKind {
    /// Start a charge.
    Start,
    /// Stop one.
    Stop,
    /// Keep an EVSE free.
    Reserve,
    /// Give it up.
    CancelReservation,
}

impl OrderKind {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Stop => "STOP",
            Self::Reserve => "RESERVE",
            Self::CancelReservation => "CANCEL_RESERVATION",
        }
    }
}

/// What was asked, and of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBody {
    /// What.
    pub kind: OrderKind,
    /// The CPO.
    pub party: PartyId,
    /// The location.
    pub location_id: CiString,
    /// The EVSE.
    pub evse_uid: CiString,
    /// The connector, if one was named.
    pub connector_id: Option<CiString>,
    /// The session, of a stop.
    pub session_id: Option<CiString>,
    /// The reservation, of what cancels one: the id of the order that made it.
    pub reservation_id: Option<String>,
    /// When a reservation ends.
    pub expires: Option<Timestamp>,
    /// The eMSP of the token.
    pub token_party: PartyId,
    /// The token's uid.
    pub token_uid: CiString,
    /// The token's type.
    pub token_type: TokenType,
    /// Why it was refused before anybody was asked.
    pub refused: Option<String>,
}

impl OrderBody {
    /// The token with which a charge is or was to be made.
    #[must_use]
    pub fn token(&self) -> TokenKey {
        TokenKey {
            party: self.token_party.clone(),
            uid: self.token_uid.clone(),
            token_type: self.token_type.clone(),
        }
    }
}

/// What a driver asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Our id, which is also that of the command that was made of it, and the reference that the CPO gets.
    pub id: String,
    /// The driver.
    pub driver_id: String,
    /// The app's key, by which the same request again is the same order.
    pub idempotency_key: String,
    /// By which the same request is told from another one.
    pub digest: String,
    /// What was asked.
    pub body: OrderBody,
    /// When.
    pub created: Timestamp,
}

type Row = (String, String, String, String, Json<OrderBody>, Timestamp);

fn order((id, driver_id, idempotency_key, digest, body, created): Row) -> Order {
    Order { id, driver_id, idempotency_key, digest, body: body.0, created }
}

/// Adds an order.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut DbConn, order: &Order) -> DbResult<()> {
    diesel::insert_into(orders::table)
        .values((
            orders::id.eq(&order.id),
            orders::driver_id.eq(&order.driver_id),
            orders::idempotency_key.eq(&order.idempotency_key),
            orders::digest.eq(&order.digest),
            orders::body.eq(Json(order.body.clone())),
            orders::created.eq(order.created),
        ))
        .execute(conn)?;
    Ok(())
}

/// One order of a driver.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut DbConn, driver_id: &str, id: &str) -> DbResult<Option<Order>> {
    let row: Option<Row> =
        orders::table.find(id).filter(orders::driver_id.eq(driver_id)).first(conn).optional()?;
    Ok(row.map(order))
}

/// The order of a driver with that key.
///
/// # Errors
/// When the database fails.
pub fn by_key(conn: &mut DbConn, driver_id: &str, key: &str) -> DbResult<Option<Order>> {
    let row: Option<Row> = orders::table
        .filter(orders::driver_id.eq(driver_id))
        .filter(orders::idempotency_key.eq(key))
        .first(conn)
        .optional()?;
    Ok(row.map(order))
}

/// Notes that an order was refused before anybody was asked.
///
/// # Errors
/// When the database fails.
pub fn set_body(conn: &mut DbConn, id: &str, body: &OrderBody) -> DbResult<()> {
    diesel::update(orders::table.find(id)).set(orders::body.eq(Json(body.clone()))).execute(conn)?;
    Ok(())
}

/// Every order of a driver, oldest first.
///
/// # Errors
/// When the database fails.
pub fn of_driver(conn: &mut DbConn, driver_id: &str) -> DbResult<Vec<Order>> {
    let rows: Vec<Row> = orders::table
        .filter(orders::driver_id.eq(driver_id))
        .order((orders::created, orders::id))
        .load(conn)?;
    Ok(rows.into_iter().map(order).collect())
}

/// The oldest orders that were made before a time, behind the one that was made then and has that id.
///
/// # Errors
/// When the database fails.
pub fn older_than(
    conn: &mut DbConn,
    before: Timestamp,
    behind: Option<&(Timestamp, String)>,
    limit: i64,
) -> DbResult<Vec<Order>> {
    let mut query = orders::table
        .filter(orders::created.lt(before))
        .order((orders::created, orders::id))
        .limit(limit)
        .into_boxed::<Backend>();
    if let Some((created, id)) = behind {
        query = query.filter(
            orders::created.gt(*created).or(orders::created.eq(*created).and(orders::id.gt(id.clone()))),
        );
    }
    let rows: Vec<Row> = query.load(conn)?;
    Ok(rows.into_iter().map(order).collect())
}

/// Removes orders; how many were there.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, ids: &[String]) -> DbResult<usize> {
    Ok(diesel::delete(orders::table.filter(orders::id.eq_any(ids))).execute(conn)?)
}
