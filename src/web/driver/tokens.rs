//! A driver's tokens: the one that was made for the app, and cards that the app adds. Only the app itself, with its
//! secret, says that a card is a driver's.

use super::auth::{Client, Driver};
use super::output::tagged;
use crate::app::App;
use crate::db::{DbConn, DbError, drivers, tokens};
use crate::domain::CiString;
use crate::domain::token::{Token, TokenKey, TokenType};
use crate::web::api::input::{Nothing, Strict};
use crate::web::api::view::text;
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// A token of a driver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DriverTokenView {
    /// What the reader reads, or what stands for the app.
    #[schema(example = "04A2B3C4")]
    uid: String,
    /// `APP_USER`, `RFID`, …
    #[serde(rename = "type")]
    #[schema(example = "APP_USER")]
    token_type: String,
    /// The contract (eMAID).
    #[schema(example = "DE-ABC-C0A1B2C3D")]
    contract_id: String,
    /// As printed on the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    visual_number: Option<String>,
    /// Whether one can charge with it; a blocked one is not valid.
    valid: bool,
}

impl From<Token> for DriverTokenView {
    fn from(token: Token) -> Self {
        Self {
            uid: text(token.uid),
            token_type: token.token_type.to_string(),
            contract_id: text(token.contract_id),
            visual_number: token.visual_number,
            valid: token.valid,
        }
    }
}

/// Lists the driver's tokens
///
/// # Errors
/// When the database fails.
#[utoipa::path(
    get, path = "/driver/v1/tokens", tag = "tokens",
    responses((status = 200, description = "The tokens, in the order in which they were added", body = [DriverTokenView]))
)]
pub async fn list(
    Driver(held): Driver,
    app: web::Data<App>,
    request: HttpRequest,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let found: Vec<Token> =
        app.db.read::<_, DbError, _>(move |conn| drivers::tokens_of(conn, &held.driver_id)).await?;
    tagged(&request, &found.into_iter().map(DriverTokenView::from).collect::<Vec<_>>())
}

/// What became of a token that an app gives a driver.
enum Linked {
    Now(Box<Token>),
    NoDriver,
    NoToken,
    Others,
}

/// Gives a driver a token
///
/// One that the app's eMSP has issued already, e.g. a card. From then on the driver charges with it, and sees what was
/// charged with it. Sent with the app's id and secret.
///
/// # Errors
/// 404 where there is no such driver of the app or no such token of its eMSP, 409 where it is another driver's.
#[utoipa::path(
    put, path = "/driver/v1/drivers/{driver}/tokens/{type}/{uid}", tag = "tokens", security(("app" = [])),
    params(
        ("driver" = String, Path, description = "`driver_id` of the token exchange"),
        ("type" = String, Path, description = "Its type", example = "RFID"),
        ("uid" = String, Path, description = "Its uid", example = "04A2B3C4"),
    ),
    responses((status = 200, description = "The token", body = DriverTokenView))
)]
pub async fn link(
    Client(client): Client,
    app: web::Data<App>,
    path: web::Path<(String, String, String)>,
    _query: Strict<Nothing>,
) -> Result<web::Json<DriverTokenView>, Problem> {
    let (driver_id, token_type, uid) = path.into_inner();
    let key = key_of(&client.party, &token_type, &uid);
    let clock = app.clock.clone();
    let write = move |conn: &mut DbConn| {
        let driver = drivers::find(conn, &driver_id)?;
        if driver.is_none_or(|driver| driver.app_id != client.id) {
            return Ok(Linked::NoDriver);
        }
        let Some((token, None)) = tokens::find(conn, &key)? else { return Ok(Linked::NoToken) };
        match drivers::owner_of(conn, &key)? {
            Some(owner) if owner == driver_id => Ok(Linked::Now(Box::new(token))),
            Some(_) => Ok(Linked::Others),
            None => {
                drivers::link_token(conn, &driver_id, &key, clock.now())?;
                Ok::<_, DbError>(Linked::Now(Box::new(token)))
            }
        }
    };
    match app.db.write(write).await? {
        Linked::Now(token) => Ok(web::Json((*token).into())),
        Linked::NoDriver => Err(Problem::not_found("there is no such driver of this app")),
        Linked::NoToken => {
            Err(Problem::not_found(format!("there is no token {uid} of type {token_type} of the eMSP")))
        }
        Linked::Others => Err(Problem::conflict("the token is another driver's")),
    }
}

/// Takes a token from a driver
///
/// The token stays as it is; it is only no longer this driver's. Sent with the app's id and secret.
///
/// # Errors
/// 404 where it is not the driver's.
#[utoipa::path(
    delete, path = "/driver/v1/drivers/{driver}/tokens/{type}/{uid}", tag = "tokens", security(("app" = [])),
    params(
        ("driver" = String, Path, description = "`driver_id` of the token exchange"),
        ("type" = String, Path, description = "Its type", example = "RFID"),
        ("uid" = String, Path, description = "Its uid", example = "04A2B3C4"),
    ),
    responses((status = 204, description = "It is no longer the driver's"))
)]
pub async fn unlink(
    Client(client): Client,
    app: web::Data<App>,
    path: web::Path<(String, String, String)>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (driver_id, token_type, uid) = path.into_inner();
    let key = key_of(&client.party, &token_type, &uid);
    let write = move |conn: &mut DbConn| {
        let driver = drivers::find(conn, &driver_id)?;
        let own = driver.is_some_and(|driver| driver.app_id == client.id);
        Ok::<_, DbError>(own && drivers::unlink_token(conn, &driver_id, &key)?)
    };
    if app.db.write(write).await? {
        return Ok(HttpResponse::NoContent().finish());
    }
    Err(Problem::not_found("there is no such token of such a driver of this app"))
}

fn key_of(party: &crate::domain::party::PartyId, token_type: &str, uid: &str) -> TokenKey {
    TokenKey { party: party.clone(), uid: CiString::from(uid), token_type: TokenType::from(token_type) }
}
