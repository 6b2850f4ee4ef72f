//! Who calls: an app by its id and secret, or whoever holds an access token.

use super::limits::DriverLimits;
use crate::app::App;
use crate::db::DbError;
use crate::db::driver_apps::DriverApp;
use crate::driver::access::{Held, Holder, NoAccess, confirm, holder_of};
use crate::driver::apps::authenticate;
use crate::driver::gate::let_in;
use crate::web::api::auth::bearer;
use crate::web::problem::Problem;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::LocalBoxFuture;

/// Whoever holds an access token: a driver, or an app that only looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub Holder);

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let admitted = admit(request);
        Box::pin(async move {
            let (app, holder) = admitted?;
            let_in(&app, &holder).await?.map_err(refused)?;
            Ok(Self(holder))
        })
    }
}

/// A driver, whose grant is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver(pub Held);

impl FromRequest for Driver {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let admitted = admit(request);
        Box::pin(async move {
            let (app, holder) = admitted?;
            let Some(held) = holder.driver.clone() else {
                let_in(&app, &holder).await?.map_err(refused)?;
                return Err(Problem::new(StatusCode::FORBIDDEN, NoAccess::NoDriver.to_string()));
            };
            let (asked, now) = (held.clone(), app.now());
            let confirmed = app.db.read::<_, DbError, _>(move |conn| confirm(conn, &asked, now)).await?;
            confirmed.map_err(refused)?;
            Ok(Self(held))
        })
    }
}

/// An app that sent its id and secret (RFC 6749, 2.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client(pub DriverApp);

impl FromRequest for Client {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let given = credentials(request);
        let app = handles(request);
        let limits = limits(request);
        Box::pin(async move {
            let missing =
                || Problem::unauthorized("send the app's id and secret as `Authorization: Basic …`");
            let (id, secret) = given.ok_or_else(missing)?;
            let app = app?;
            let found = authenticate(&app, &id, &secret).await?;
            let client = found
                .ok_or_else(|| Problem::unauthorized("the app is not known, or that is not its secret"))?;
            limits?.count_app(&client.id)?;
            Ok(Self(client))
        })
    }
}

/// The id and secret of an app; both are form-encoded before they are put together.
fn credentials(request: &HttpRequest) -> Option<(String, String)> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        let pair = format!("v={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

/// Whoever holds the access token of a request, by what the token says itself.
fn admit(request: &HttpRequest) -> Result<(web::Data<App>, Holder), Problem> {
    let app = handles(request)?;
    let holder = holder_of(&app, bearer(request)?).map_err(refused)?;
    limits(request)?.count(&holder)?;
    Ok((app, holder))
}

fn refused(error: NoAccess) -> Problem {
    Problem::unauthorized(error.to_string())
}

fn set_up_wrongly() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the server is set up wrongly")
}

/// The handles that everybody shares.
///
/// # Errors
/// 500 where there are none, which is a mistake of ours.
pub(super) fn handles(request: &HttpRequest) -> Result<web::Data<App>, Problem> {
    request.app_data::<web::Data<App>>().cloned().ok_or_else(set_up_wrongly)
}

fn limits(request: &HttpRequest) -> Result<web::Data<DriverLimits>, Problem> {
    request.app_data::<web::Data<DriverLimits>>().cloned().ok_or_else(set_up_wrongly)
}
