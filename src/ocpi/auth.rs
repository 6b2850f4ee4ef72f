//! Who calls: the token in the Authorization header, and for whom the message is (OCPI 2.2.1
//! transport_and_format, "Authorization header" and "Message Routing Headers").
//!
//! A handler of a functional module takes a [`PartnerContext`]; `versions` and `credentials`, which an invited
//! partner may use with its token A, take a [`CredentialsContext`]. A request that has neither never reaches
//! the handler.

use super::accompany::MessageIds;
use super::envelope::{Envelope, StatusCode};
use super::headers::MessageHeaders;
use super::token_header;
use crate::app::App;
use crate::config::Secret;
use crate::db::partners::{Health, TokenUse};
use crate::db::{DbError, parties, partners};
use crate::domain::Timestamp;
use crate::domain::partner::{Partner, PartnerStatus};
use crate::domain::party::{PartyId, Role};
use actix_web::dev::Payload;
use actix_web::http::StatusCode as Http;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use chrono::TimeDelta;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// An answer that says no, in an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// HTTP status; 200 for what the specification answers with an OCPI status alone.
    pub http: Http,
    /// OCPI status.
    pub code: StatusCode,
    /// What is wrong and what would be right.
    pub message: String,
    /// When it was said.
    pub at: Timestamp,
}

impl Refusal {
    /// A refusal with HTTP 200, as the specification wants for whatever reached the OCPI layer.
    #[must_use]
    pub fn ocpi(code: StatusCode, message: impl Into<String>, at: Timestamp) -> Self {
        Self { http: Http::OK, code, message: message.into(), at }
    }

    /// A refusal by HTTP.
    #[must_use]
    pub fn http(http: Http, code: StatusCode, message: impl Into<String>, at: Timestamp) -> Self {
        Self { http, code, message: message.into(), at }
    }

    /// What our own failure is answered with; the cause is logged and not told.
    #[must_use]
    pub fn failed(error: &(dyn std::error::Error + 'static), at: Timestamp) -> Self {
        tracing::error!(error = %chain(error), "an OCPI request failed");
        Self {
            http: Http::INTERNAL_SERVER_ERROR,
            code: StatusCode::SERVER_ERROR,
            message: "this request failed on our side; it was logged".to_owned(),
            at,
        }
    }
}

/// An error and its causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl ResponseError for Refusal {
    fn status_code(&self) -> Http {
        self.http
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.http).json(Envelope::error(self.code, self.message.clone(), self.at))
    }
}

/// A registered partner's functional message.
#[derive(Debug, Clone)]
pub struct PartnerContext {
    /// Who sent it.
    pub partner: Partner,
    /// Its id; one of ours where the partner named none.
    pub request_id: String,
    /// The same over all hops; one of ours where the partner named none.
    pub correlation_id: String,
    /// The party it is from; always one that the partner speaks for, or one behind a hub.
    pub from: Option<PartyId>,
    /// The party it is for; always one of ours.
    pub to: Option<PartyId>,
}

impl PartnerContext {
    /// Whether objects of that party may come from this partner in that role: the party is its own, or lies
    /// behind the hub that it is.
    #[must_use]
    pub fn may_speak_for(&self, party: &PartyId, role: &Role) -> bool {
        self.partner.speaks_for(party, role) || is_hub(&self.partner)
    }

    /// The headers of the answer.
    #[must_use]
    pub fn answer_headers(&self) -> MessageHeaders {
        MessageHeaders {
            request_id: Some(self.request_id.clone()),
            correlation_id: Some(self.correlation_id.clone()),
            from: self.from.clone(),
            to: self.to.clone(),
        }
        .answer()
    }
}

/// A message of a partner that is registered or about to be, on `versions` or `credentials`.
#[derive(Debug, Clone)]
pub struct CredentialsContext {
    /// Who sent it.
    pub partner: Partner,
    /// The token that it used: A, B or C.
    pub token: Secret,
    /// By what that token is found.
    pub token_hash: String,
    /// Its ids.
    pub ids: MessageIds,
}

fn is_hub(partner: &Partner) -> bool {
    partner.roles.iter().any(|role| role.role == Role::Hub)
}

/// A caller whose token is known.
struct Caller {
    partner: Partner,
    token: Secret,
    hash: String,
}

async fn identify(app: &App, req: &HttpRequest) -> Result<Caller, Refusal> {
    let refuse = |reason: &str, http: Http, message: String| {
        app.metrics.refused.with_label_values(&["ocpi", reason]).inc();
        tracing::info!(reason, path = req.path(), "an OCPI request was refused");
        Refusal::http(http, StatusCode::CLIENT_ERROR, message, app.now())
    };
    let header = req.headers().get("Authorization").and_then(|value| value.to_str().ok());
    let tokens = token_header::candidates(header)
        .map_err(|error| refuse("no_token", Http::UNAUTHORIZED, error.to_string()))?;
    let hashed: Vec<(String, String)> =
        tokens.into_iter().map(|token| (app.keys.hash(&token), token)).collect();
    let found = app
        .db
        .read::<_, DbError, _>(move |conn| {
            for (hash, token) in hashed {
                if let Some((partner, used)) = partners::by_token_hash(conn, &hash)? {
                    let health = partners::health(conn, partner.id)?;
                    return Ok(Some((partner, used, health, hash, token)));
                }
            }
            Ok(None)
        })
        .await
        .map_err(|error| Refusal::failed(&error, app.now()))?;
    let Some((partner, used, health, hash, token)) = found else {
        return Err(refuse("unknown_token", Http::UNAUTHORIZED, "the token is not known here".to_owned()));
    };
    match &partner.status {
        PartnerStatus::Invited | PartnerStatus::Registering | PartnerStatus::Registered => (),
        PartnerStatus::Suspended => {
            let message = "the operator of this platform suspended the connection".to_owned();
            return Err(refuse("suspended", Http::FORBIDDEN, message));
        }
        PartnerStatus::Unregistered | PartnerStatus::Removed | PartnerStatus::Other(_) => {
            let message = "this registration has ended".to_owned();
            return Err(refuse("unregistered", Http::UNAUTHORIZED, message));
        }
    }
    if used == TokenUse::Replacing {
        // The partner has its new token: the one before is not needed any more.
        let (id, current) = (partner.id, hash.clone());
        app.db
            .write::<_, DbError, _>(move |conn| partners::drop_previous_token(conn, id, &current))
            .await
            .map_err(|error| Refusal::failed(&error, app.now()))?;
    }
    meet_again(app, &partner, health).await.map_err(|error| Refusal::failed(&error, app.now()))?;
    Ok(Caller { partner, token: Secret::new(token), hash })
}

/// A partner that calls is there again: what waits for it need not wait for the rest of a long pause.
async fn meet_again(app: &App, partner: &Partner, health: Health) -> Result<(), DbError> {
    let soon = TimeDelta::from_std(app.config.roaming.retry_first).unwrap_or(TimeDelta::zero());
    let soon = app.now().plus(soon);
    if health.retry_at.is_none_or(|at| at <= soon) {
        return Ok(());
    }
    let (id, health) = (partner.id, Health { retry_at: Some(soon), ..health });
    app.db.write::<_, DbError, _>(move |conn| partners::set_health(conn, id, &health)).await?;
    app.wakes.delivery.notify_waiters();
    Ok(())
}

/// How long a message may arrive before our own registration is written down: a partner may speak the moment
/// that it answered our POST, while we still read that answer.
const REGISTRATION_PATIENCE: Duration = Duration::from_secs(3);

async fn wait_until_registered(app: &App, caller: &mut Caller) -> Result<(), Refusal> {
    let step = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    while caller.partner.status == PartnerStatus::Registering && waited < REGISTRATION_PATIENCE {
        tokio::time::sleep(step).await;
        waited = waited.saturating_add(step);
        let hash = caller.hash.clone();
        let found = app
            .db
            .read::<_, DbError, _>(move |conn| partners::by_token_hash(conn, &hash))
            .await
            .map_err(|error| Refusal::failed(&error, app.now()))?;
        match found {
            Some((partner, _)) => caller.partner = partner,
            None => break,
        }
    }
    Ok(())
}

async fn authenticate(app: &App, req: &HttpRequest) -> Result<PartnerContext, Refusal> {
    let mut caller = identify(app, req).await?;
    wait_until_registered(app, &mut caller).await?;
    let partner = caller.partner;
    if partner.status != PartnerStatus::Registered {
        app.metrics.refused.with_label_values(&["ocpi", "not_registered"]).inc();
        let message = "this token is good for versions and credentials only: register first".to_owned();
        return Err(Refusal::http(Http::UNAUTHORIZED, StatusCode::CLIENT_ERROR, message, app.now()));
    }
    let header = |name: &'static str| req.headers().get(name).and_then(|value| value.to_str().ok());
    let invalid = |message: String| {
        app.metrics.refused.with_label_values(&["ocpi", "routing"]).inc();
        Refusal::ocpi(StatusCode::INVALID_PARAMETERS, message, app.now())
    };
    let headers = MessageHeaders::parse(header).map_err(|error| invalid(error.to_string()))?;
    if let Some(from) = &headers.from
        && !is_hub(&partner)
        && !partner.roles.iter().any(|role| role.party == *from)
    {
        return Err(invalid(format!("OCPI-from names {from}, for which your token does not speak")));
    }
    if let Some(to) = headers.to.clone() {
        let ours = app
            .db
            .read::<_, DbError, _>(move |conn| parties::find(conn, &to))
            .await
            .map_err(|error| Refusal::failed(&error, app.now()))?;
        if ours.is_none() {
            app.metrics.refused.with_label_values(&["ocpi", "unknown_receiver"]).inc();
            let message = "OCPI-to names a party that is not reached through this platform";
            return Err(Refusal::ocpi(StatusCode::UNKNOWN_RECEIVER, message, app.now()));
        }
    }
    let MessageIds { request_id, correlation_id } = MessageIds::of(req);
    Ok(PartnerContext { partner, request_id, correlation_id, from: headers.from, to: headers.to })
}

/// The app, or the refusal of a request that came before the node was put together.
fn app_of(req: &HttpRequest) -> Result<web::Data<App>, Refusal> {
    let missing = || Refusal {
        http: Http::INTERNAL_SERVER_ERROR,
        code: StatusCode::SERVER_ERROR,
        message: "this node is not set up".to_owned(),
        at: crate::clock::Clock::System.now(),
    };
    req.app_data::<web::Data<App>>().cloned().ok_or_else(missing)
}

impl FromRequest for PartnerContext {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { authenticate(&*app_of(&req)?, &req).await })
    }
}

impl FromRequest for CredentialsContext {
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Refusal>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let Caller { partner, token, hash } = identify(&*app_of(&req)?, &req).await?;
            Ok(Self { partner, token, token_hash: hash, ids: MessageIds::of(&req) })
        })
    }
}
