//! Who asks for what, and what is kept of it before anybody is asked: the same request again is the same order.

use crate::app::App;
use crate::charging::ChargingError;
use crate::charging::remote::RemoteError;
use crate::db::DbError;
use crate::db::driver_orders::{self, Order, OrderBody};
use crate::domain::party::PartyId;
use crate::domain::token::TokenType;
use crate::domain::{CiString, Timestamp};

/// Why an order cannot be made. Nobody was asked.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A use case on our own stations failed.
    #[error(transparent)]
    Charging(#[from] ChargingError),
    /// There is no such thing, or none that this driver may know of.
    #[error("there is no {0}")]
    Missing(String),
    /// The driver has no such token, or none with which one could charge.
    #[error("{0}")]
    Token(String),
    /// It cannot be done as things are.
    #[error("{0}")]
    Impossible(String),
    /// The key came with another request before.
    #[error("the Idempotency-Key came with another request before; take another key for another request")]
    OtherRequest,
    /// The request lacks something, or says what cannot be.
    #[error("{why}")]
    Wrong {
        /// Which field of it.
        field: &'static str,
        /// What is wrong, and what would be right.
        why: String,
    },
}

impl From<RemoteError> for OrderError {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Charging(error) => error.into(),
            error => Self::Impossible(error.to_string()),
        }
    }
}

/// Which token, where the driver has several.
pub type TokenWish = Option<(TokenType, CiString)>;

/// Where to charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartWish {
    /// The CPO.
    pub party: PartyId,
    /// The location.
    pub location_id: CiString,
    /// The EVSE.
    pub evse_uid: CiString,
    /// The connector.
    pub connector_id: Option<CiString>,
    /// With which token.
    pub token: TokenWish,
}

/// What to keep free, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReserveWish {
    /// The CPO.
    pub party: PartyId,
    /// The location.
    pub location_id: CiString,
    /// The EVSE.
    pub evse_uid: CiString,
    /// With which token.
    pub token: TokenWish,
    /// Until when.
    pub expires: Timestamp,
}

/// Who asks, how often it may be repeated, and the request's correlation id.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The driver.
    pub driver_id: String,
    /// The app's key for the request; a new one where there is none.
    pub key: Option<String>,
    /// Of the request.
    pub correlation_id: String,
}

/// An order that was just made, or the one that was made of the same request before.
pub(super) enum Kept {
    New(Order),
    Known(Order),
}

impl Asking {
    /// The order that was made of the same request before.
    pub(super) async fn known(&self, app: &App, digest: &str) -> Result<Option<Order>, OrderError> {
        let Some(key) = self.key.clone() else { return Ok(None) };
        let driver = self.driver_id.clone();
        let found = app.db.read(move |conn| driver_orders::by_key(conn, &driver, &key)).await?;
        match found {
            Some(order) if order.digest != digest => Err(OrderError::OtherRequest),
            found => Ok(found),
        }
    }

    /// Writes an order down, unless another request with the same key was faster.
    pub(super) async fn keep(&self, app: &App, digest: String, body: OrderBody) -> Result<Kept, OrderError> {
        let id = uuid::Uuid::new_v4().to_string();
        let order = Order {
            driver_id: self.driver_id.clone(),
            idempotency_key: self.key.clone().unwrap_or_else(|| id.clone()),
            id,
            digest: digest.clone(),
            body,
            created: app.now(),
        };
        let clock = app.clock.clone();
        let written = app
            .db
            .write({
                let order = order.clone();
                move |conn| {
                    let mut order = order.clone();
                    order.created = clock.now();
                    driver_orders::insert(conn, &order)?;
                    Ok::<_, DbError>(order)
                }
            })
            .await;
        match written {
            Ok(order) => Ok(Kept::New(order)),
            Err(error) if error.is_unique_violation() => {
                self.known(app, &digest).await?.map(Kept::Known).ok_or(OrderError::Db(error))
            }
            Err(error) => Err(error.into()),
        }
    }
}
