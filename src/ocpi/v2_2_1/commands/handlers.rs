//! Commands over HTTP (OCPI 2.2.1 mod_commands, "Interfaces and endpoints"): a CPO is asked and answers at once,
//! and posts the result to where it was told.

use super::{Addressed, wire};
use crate::app::App;
use crate::charging::remote::{self, Asked, Reply};
use crate::domain::command::{
    CancelReservation, CommandResponse, CommandType, ReserveNow, StartSession, StopSession, UnlockConnector,
};
use crate::domain::party::{PartyId, Role};
use crate::ocpi::answer::{done, invalid, misread, refuse};
use crate::ocpi::auth::{PartnerContext, Refusal};
use crate::ocpi::envelope::{Envelope, StatusCode};
use crate::ocpi::message::Message;
use crate::ocpi::url_guard::{Allowances, approve};
use crate::ocpi::wire::{Wire, WireError, parse};
use crate::roaming::link::CommandOutcome;
use crate::roaming::{commands, receive, serve};
use actix_web::http::StatusCode as Http;
use actix_web::{HttpResponse, web};

/// Receiver POST: a command for one of our stations.
///
/// # Errors
/// 2001 when the body is not that command or its `response_url` is not approved, 404 for a command that OCPI
/// does not know.
pub async fn post(
    message: Message,
    app: web::Data<App>,
    command: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    match CommandType::from(command.as_str()) {
        CommandType::StartSession => {
            let Addressed { command, response_url } = read::<wire::StartSession, _>(&app, &message)?;
            start_session(&app, &message.sender, command, response_url).await
        }
        CommandType::StopSession => {
            let Addressed { command, response_url } = read::<wire::StopSession, _>(&app, &message)?;
            stop_session(&app, &message.sender, command, response_url).await
        }
        CommandType::ReserveNow => {
            read::<wire::ReserveNow, ReserveNow>(&app, &message).map(|_| not_supported(&app))
        }
        CommandType::CancelReservation => {
            read::<wire::CancelReservation, CancelReservation>(&app, &message).map(|_| not_supported(&app))
        }
        CommandType::UnlockConnector => {
            read::<wire::UnlockConnector, UnlockConnector>(&app, &message).map(|_| not_supported(&app))
        }
        CommandType::Other(word) => {
            let word: String = word.chars().take(40).collect();
            let words = CommandType::WORDS.join(", ");
            let what = format!("'{word}' is no command; there are {words}");
            Err(refuse(&app, Http::NOT_FOUND, StatusCode::INVALID_PARAMETERS, what))
        }
    }
}

/// A command as the domain knows it; where its result is to go has to be approved.
fn read<W, C>(app: &App, message: &Message) -> Result<Addressed<C>, Refusal>
where
    W: Wire,
    Addressed<C>: TryFrom<W>,
    WireError: From<<Addressed<C> as TryFrom<W>>::Error>,
{
    let wire: W = parse(&message.body).map_err(|error| misread(app, &error))?;
    let addressed: Addressed<C> = wire.try_into().map_err(|error| misread(app, &WireError::from(error)))?;
    let allowances = Allowances::from(&app.config.roaming);
    let approved = &message.sender.partner.allowed_origins;
    approve(&addressed.response_url, approved, allowances)
        .map_err(|error| invalid(app, "$.response_url", &error.to_string()))?;
    Ok(addressed)
}

impl From<std::convert::Infallible> for WireError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

fn asked(sender: &PartnerContext, to: PartyId, response_url: String) -> Asked {
    Asked {
        partner_id: sender.partner.id,
        from: sender.from.clone(),
        to,
        response_url,
        correlation_id: Some(sender.correlation_id.clone()),
    }
}

async fn start_session(
    app: &web::Data<App>,
    sender: &PartnerContext,
    start: StartSession,
    response_url: String,
) -> Result<HttpResponse, Refusal> {
    let driver = &start.token.party;
    let may_act = receive::acts_for(app, &sender.partner, driver, &Role::Emsp).await;
    if !may_act.map_err(|error| Refusal::failed(&error, app.now()))? {
        let reason = format!("this connection does not speak for {driver} as EMSP");
        return Err(invalid(app, "$.token", &reason));
    }
    let owner = serve::owner_of_location(app, sender.to.as_ref(), start.location_id.clone()).await;
    let Some(to) = owner.map_err(|error| Refusal::failed(&error, app.now()))? else {
        let reply = Reply {
            response: CommandResponse::Rejected,
            unknown_location: true,
            message: Some(format!("no location {} is known here", start.location_id)),
        };
        return Ok(answer(app, reply));
    };
    let reply = remote::start_session(app, asked(sender, to, response_url), start).await;
    reply.map(|reply| answer(app, reply)).map_err(|error| Refusal::failed(&error, app.now()))
}

async fn stop_session(
    app: &web::Data<App>,
    sender: &PartnerContext,
    StopSession { session_id }: StopSession,
    response_url: String,
) -> Result<HttpResponse, Refusal> {
    let session = serve::session(app, &sender.partner, session_id.clone()).await;
    let session = session.map_err(|error| Refusal::failed(&error, app.now()))?;
    let asked_for = |party: &PartyId| sender.to.as_ref().is_none_or(|to| to == party);
    let Some(session) = session.filter(|session| asked_for(&session.party)) else {
        let reply = Reply {
            response: CommandResponse::UnknownSession,
            unknown_location: false,
            message: Some(format!("no session {session_id} is known here")),
        };
        return Ok(answer(app, reply));
    };
    // Whose driver it is was looked at just now.
    let driver = session.cdr_token.party;
    let asked = asked(sender, session.party, response_url);
    let reply = remote::stop_session(app, asked, &session_id, |party| party == driver.as_ref()).await;
    reply.map(|reply| answer(app, reply)).map_err(|error| Refusal::failed(&error, app.now()))
}

fn not_supported(app: &App) -> HttpResponse {
    let message = Some("this platform does not take this command".to_owned());
    answer(app, Reply { response: CommandResponse::NotSupported, unknown_location: false, message })
}

/// The CommandResponse; with 2003 where it names a location that is not known.
fn answer(app: &App, reply: Reply) -> HttpResponse {
    let Reply { response, unknown_location, message } = reply;
    let timeout = app.config.charging.command_timeout;
    // Whole seconds, and not a second less than it may take.
    let seconds = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0));
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let data = wire::CommandResponse::new(response, seconds, message.as_deref());
    let mut envelope = Envelope::success(data, app.now());
    if unknown_location {
        app.metrics.refused.with_label_values(&["ocpi", "unknown_location"]).inc();
        envelope.status_code = StatusCode::UNKNOWN_LOCATION;
        envelope.status_message = message;
    }
    HttpResponse::Ok().json(envelope)
}

/// Sender POST: the result of a command that we sent. It is kept once; the same again changes nothing.
///
/// # Errors
/// 404 when we sent that partner no such command, 2001 when the body is no result.
pub async fn post_result(
    message: Message,
    app: web::Data<App>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Refusal> {
    let (kind, id) = path.into_inner();
    let wire::CommandResult { result, message: texts, extra: _ } =
        parse(&message.body).map_err(|error| misread(&app, &error))?;
    let text = texts.and_then(|texts| texts.into_iter().next()).map(|text| text.text);
    let outcome = CommandOutcome { result, message: text };
    let taken = commands::take_result(&app, &message.sender.partner, &kind, &id, outcome).await;
    if taken.map_err(|error| Refusal::failed(&error, app.now()))? {
        return Ok(done(&app));
    }
    let id: String = id.chars().take(40).collect();
    let what = format!("no command {id} was sent to you");
    Err(refuse(&app, Http::NOT_FOUND, StatusCode::INVALID_PARAMETERS, what))
}
